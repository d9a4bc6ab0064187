"""The bytes of a session file -> the content of a session."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from ...analysis import ATOMIZERS
from ...atoms.atoms import DTYPES, Atoms
from ...atoms.selection import Selection
from ...errors import AtomizerError
from ...inpainting.shaping import FillShape
from ...io.audio import Sound, check_values
from ...limits import MEGABYTE, limits
from ...validation import parse_json, validate
from .archive import DAMAGED, NO_SESSION, Reader
from .content import (
    Drawn,
    SavedOriginal,
    SavedPursuit,
    SavedScene,
    SavedSession,
    SavedVariation,
    SavedWork,
    length_at,
    plane_of,
)
from .loaded_sound import read_sound
from .patch import Patch
from .schema import (
    FORMAT,
    MANIFEST,
    ManifestSchema,
    OriginalSchema,
    PatchSchema,
    PursuitSchema,
    SceneSchema,
    VariationSchema,
    recipe_of,
)

MANIFEST_MB = 32
DRAWN = ("<u4", "<f4", "u1")  # cells, as steps from one to the next; amplitudes; states
SCENE = ("<u4", "<f4")
_OUTSIDE = "The atoms of a session file lie within the plane of their sound."


def decode(data: bytes) -> SavedSession:
    """Return the content of a session file.

    The manifest and the loaded sound are checked at once, originals and variations when they are
    read. Raises AtomizerError that says what is invalid.
    """
    archive = Reader(data)
    manifest = _manifest(archive)
    sound = read_sound(archive, manifest.sound)
    work = manifest.work
    return SavedSession(
        sound=sound,
        name=manifest.name,
        originals=_originals(archive, manifest, sound),
        work=SavedWork(recipe_of(work.fill), work.is_new_seed, work.count, work.seconds),
        part=manifest.part,
        next_seed=manifest.next_seed,
    )


def _manifest(archive: Reader) -> ManifestSchema:
    """Return the valid manifest."""
    if MANIFEST not in archive.zip.namelist():
        raise AtomizerError(NO_SESSION)
    try:
        text = archive.read(MANIFEST, MANIFEST_MB * MEGABYTE, at_most=True).decode()
    except UnicodeDecodeError as error:
        raise AtomizerError(DAMAGED) from error
    data = parse_json(text, f"{MANIFEST} of this session file")
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(version, int) and version > FORMAT:
        raise AtomizerError(
            f"This session was saved by a newer version of the Atomizer, in format {version}:"
            f" format {FORMAT} is accepted here."
        )
    if isinstance(data, dict) and version != FORMAT:
        raise AtomizerError(
            f"This session file has the format {str(version)[:20]}: format {FORMAT} is"
            " accepted here."
        )
    return validate(ManifestSchema, data)


def _originals(archive: Reader, manifest: ManifestSchema, sound: Sound) -> Iterator[SavedOriginal]:
    """Read one original after the other."""
    silent = _silence(sound.channels, sound.samples.shape[1], sound.rate)
    for k, valid in enumerate(manifest.originals):
        patch = recipe = None
        if valid.patch is not None and valid.recipe is not None:
            patch = _patch(archive, valid.patch, f"{k}/samples")
            recipe = recipe_of(valid.recipe, silent)
            silent = _silence(patch.channels, patch.length, patch.rate)
        yield SavedOriginal(
            _variations(archive, valid, str(k), silent),
            valid.current,
            _pursuit(archive, valid.pursuit, f"{k}/pursuit", silent),
            patch,
            recipe,
            valid.accepted,
        )


def _silence(channels: int, length: int, rate: int) -> Sound:
    """A sound of this size that takes no memory."""
    return Sound(np.broadcast_to(np.float32(0), (channels, length)), rate)


def _pursuit(
    archive: Reader, valid: PursuitSchema | None, name: str, sound: Sound
) -> SavedPursuit | None:
    """Matching-pursuit atoms; `sound` has the size of the sound that they are atoms of."""
    if valid is None:
        return None
    if valid.atoms > limits().atoms_drawn:
        raise AtomizerError(
            f"This session has {valid.atoms:,} atoms of a pursuit: up to"
            f" {limits().atoms_drawn:,} are accepted."
        )
    space = ATOMIZERS[valid.name]().space
    empty = Atoms(space, length_at(space.rate, sound.samples.shape[1], sound.rate), 0.0)
    types = [DTYPES[column].newbyteorder("<").str for column in empty.arrays]
    columns: dict[str, Any] = dict(zip(empty.arrays, archive.arrays(name, valid.atoms, types)))
    reference = float(np.abs(columns["amplitude"]).max(initial=0.0))
    atoms = replace(empty, reference=reference, **columns)
    atoms.validate()
    if atoms.channel.max(initial=0) >= sound.channels:
        raise AtomizerError(_OUTSIDE)
    return SavedPursuit(valid.name, atoms, valid.srr_db)


def _patch(archive: Reader, valid: PatchSchema, name: str) -> Patch:
    """Samples relative to those of another sound. Raises AtomizerError for infinite ones."""
    (samples,) = archive.arrays(name, valid.count, ["<f4"])
    samples = samples.astype(np.float32, copy=False).reshape(valid.channels, -1)
    check_values(samples)
    return Patch(valid.rate, valid.channels, valid.length, tuple(valid.spans), samples)


def _variations(
    archive: Reader, original: OriginalSchema, name: str, sound: Sound
) -> Iterator[SavedVariation]:
    """Read one variation after the other; `sound` has the size of their original."""
    for k, valid in enumerate(original.variations):
        yield _variation(archive, valid, f"{name}/{k}", sound)


def _variation(archive: Reader, valid: VariationSchema, name: str, sound: Sound) -> SavedVariation:
    """A variation of an original that has the size of `sound`."""
    filled = valid.filled
    plane = plane_of(filled.channels, filled.length, filled.rate)
    length = sound.samples.shape[1]
    if valid.scene is None and plane != plane_of(sound.channels, length, sound.rate):
        raise AtomizerError("A variation of a session file is as long and wide as its original.")
    size = math.prod(plane)
    counts = [valid.hidden, valid.atoms, 0 if valid.scene is None else valid.scene.atoms]
    if max(counts) > size:
        raise AtomizerError(_OUTSIDE)
    (hidden,) = archive.arrays(f"{name}/hidden", valid.hidden, DRAWN[:1])
    steps, amplitude, states = archive.arrays(f"{name}/atoms", valid.atoms, DRAWN)
    atoms = _drawn(steps, amplitude, states, size)
    return SavedVariation(
        row=valid.row.model_dump(),
        recipe=recipe_of(valid.recipe, sound),
        shape=FillShape(**valid.shape.model_dump()),
        is_drawn=valid.is_drawn,
        filled=_patch(archive, valid.filled, f"{name}/filled"),
        masked=_patch(archive, valid.masked, f"{name}/masked"),
        hidden=_cells(hidden, size),
        atoms=atoms,
        scene=_scene(archive, valid.scene, f"{name}/scene", size),
    )


def _scene(archive: Reader, valid: SceneSchema | None, name: str, size: int) -> SavedScene | None:
    """The plane of a variation where it is not that of its original; it has `size` cells."""
    if valid is None:
        return None
    steps, amplitude = archive.arrays(name, valid.atoms, SCENE)
    states = np.zeros(len(steps), np.uint8)
    atoms = _drawn(steps, amplitude, states, size)
    return SavedScene(atoms, Selection.from_schema(valid.added), valid.is_mid_side)


def _drawn(steps: np.ndarray, amplitude: np.ndarray, state: np.ndarray, size: int) -> Drawn:
    """Drawn atoms. Raises AtomizerError for atoms outside of the plane, or without a level."""
    check_values(amplitude[None])
    if state.max(initial=0) > 2:
        raise AtomizerError("An atom of a session file is known, unknown or filled in.")
    return Drawn(_cells(steps, size), amplitude.astype(np.float32, copy=False), state)


def _cells(steps: np.ndarray, size: int) -> np.ndarray:
    """Cells of their steps. Raises AtomizerError unless they ascend within a plane."""
    cells = np.cumsum(steps, dtype=np.int64)
    if (steps[1:] == 0).any() or (len(cells) and cells[-1] >= size):
        raise AtomizerError(_OUTSIDE)
    return cells
