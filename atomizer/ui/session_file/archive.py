"""Session content -> bytes of a session file, and back.

Arrays are stored plane by plane: the first bytes of all values, then the second ones. Neighbouring
samples have similar exponents, so that this takes a fifth less space than the values as they are.
"""

from __future__ import annotations

import io
import json
import math
import os
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ... import __version__
from ...analysis import ATOMIZERS
from ...atoms.atoms import DTYPES, Atoms
from ...atoms.selection import Selection
from ...errors import AtomizerError
from ...inpainting.shaping import Shape
from ...io.audio import Sound, TooLong, check_values, read, write
from ...limits import MEGABYTE, limits
from ...validation import parse_json, validate
from .content import (
    ENDING,
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
from .patch import Patch
from .schema import (
    FORMAT,
    ManifestSchema,
    OriginalSchema,
    PatchSchema,
    PursuitSchema,
    VariationSchema,
    recipe_of,
)

MANIFEST = "session.json"
MANIFEST_MB = 32
MAX_ENTRIES = 20_000  # of the directory of the zip
DRAWN = ("<u4", "<f4", "u1")  # cells, as steps from one to the next; amplitudes; states
SCENE = ("<u4", "<f4")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_ENTRY = b"PK\x01\x02"
_DAMAGED = "This session file is damaged or incomplete: save it again, or choose another one."
_NO_SESSION = (
    f"This zip is no session: a file that “Save session” has written ({ENDING}) is accepted."
)


def is_session_file(path: str | os.PathLike) -> bool:
    """Whether a file claims to be a session file, by its ending or as a zip."""
    if Path(path).suffix.lower() == ENDING:
        return True
    try:
        with open(path, "rb") as file:
            return file.read(4) in _ZIP
    except OSError:  # whatever reads it next says so
        return False


# ---------- writing


def encode(content: SavedSession) -> bytes:
    """Return the bytes of a session file.

    Raises AtomizerError where it would be larger than this page accepts.
    """
    archive = _Writer()
    sound = archive.add_sound(content.sound)
    originals = [
        _original_data(archive, original, str(k)) for k, original in enumerate(content.originals)
    ]
    work = content.work
    manifest = {
        "format": FORMAT,
        "atomizer": __version__,
        "name": content.name,
        "sound": sound,
        "part": content.part,
        "next_seed": content.next_seed,
        "work": {
            "fill": work.fill.to_dict(),
            "is_new_seed": work.is_new_seed,
            "count": work.count,
            "seconds": work.seconds,
        },
        "originals": originals,
    }
    text = json.dumps(manifest, indent=1)
    validate(ManifestSchema, json.loads(text))  # what is saved can be loaded again
    archive.add(MANIFEST, text.encode())
    return archive.finish()


class _Writer:
    """A zip in memory that ends with an error where it becomes too large."""

    def __init__(self) -> None:
        self.target = io.BytesIO()
        self.zip = zipfile.ZipFile(self.target, "w")

    def add(self, name: str, data: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
        """Add a file."""
        entry = zipfile.ZipInfo(name)  # of a fixed date: equal sessions are equal files
        entry.compress_type = method
        self.zip.writestr(entry, data, compresslevel=1)
        if self.target.tell() > limits().file_mb * MEGABYTE:
            raise AtomizerError(
                f"As a file this session has more than {limits().file_mb:g} MB, the most that can"
                " be loaded again: delete variations or undo layers, and save again."
            )

    def add_arrays(self, name: str, *arrays: np.ndarray) -> None:
        """Add arrays, one after the other."""
        self.add(name, b"".join(_planes(array) for array in arrays))

    def add_sound(self, sound: Sound) -> dict[str, Any]:
        """Add a sound without loss; returns its part of the manifest."""
        coded = _flac_of(sound)
        facts = {"subtype": sound.subtype, "mask": sound.mask, "gain": 1, "has_rest": False}
        if coded is None:
            self.add("sound.wav", _file_of(replace(sound, subtype="FLOAT"), "sound.wav")[0])
            return {**facts, "file": "sound.wav"}
        data, gain, rest = coded
        self.add("sound.flac", data, zipfile.ZIP_STORED)
        if rest is not None:
            self.add_arrays("sound.rest", np.asarray(rest, "<f4"))
        return {**facts, "file": "sound.flac", "gain": gain, "has_rest": rest is not None}

    def finish(self) -> bytes:
        """Return the zip."""
        self.zip.close()
        return self.target.getvalue()


def _flac_of(sound: Sound) -> tuple[bytes, int, np.ndarray | None] | None:
    """Return a FLAC file, the gain of its samples, and what they lack; None where that fails.

    Samples that no FLAC file holds, such as those of a decoded MP3, are those of a file of 24 bit
    times a power of two, plus a rest: together they are a tenth smaller than the values as they
    are.
    """
    peak = float(np.abs(sound.samples).max(initial=0.0))
    power = 1 << max(0, math.frexp(peak)[1])  # above all samples
    for subtype, gain, has_rest in (
        ("PCM_16", 1, False),
        ("PCM_24", 1, False),
        ("PCM_24", power, True),
    ):
        scaled = replace(sound, samples=sound.samples / np.float32(gain), subtype=subtype)
        try:
            data, held = _file_of(scaled, "sound.flac")
        except AtomizerError:  # FLAC has limits of its own
            return None
        held = held * np.float32(gain)
        rest = sound.samples - held if has_rest else None
        if np.array_equal(_bits(held if rest is None else held + rest), _bits(sound.samples)):
            return data, gain, rest
    return None


def _file_of(sound: Sound, name: str) -> tuple[bytes, np.ndarray]:
    """Return the bytes of a sound file, and the samples that are read from it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path, sound)
        return path.read_bytes(), read(path, math.inf).samples


def _bits(samples: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(samples, np.float32).view(np.uint32)


def _planes(array: np.ndarray) -> bytes:
    """The bytes of an array, those of equal weight together."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint8).reshape(-1, flat.itemsize).T.tobytes()


def _steps(cells: np.ndarray) -> np.ndarray:
    """Ascending cells as steps from one to the next."""
    return np.diff(cells, prepend=0).astype("<u4")


def _original_data(archive: _Writer, original: SavedOriginal, name: str) -> dict[str, Any]:
    """Add the arrays of an original; returns its part of the manifest."""
    data: dict[str, Any] = {
        "variations": [
            _variation_data(archive, variation, f"{name}/{k}")
            for k, variation in enumerate(original.variations)
        ],
        "current": original.current,
    }
    found = original.pursuit
    if found is not None:
        columns = [getattr(found.atoms, column) for column in found.atoms.arrays]
        archive.add_arrays(f"{name}/pursuit", *columns)
        data["pursuit"] = {"name": found.name, "srr_db": found.srr_db, "atoms": len(found.atoms)}
    if original.patch is not None and original.recipe is not None:
        data["patch"] = _patch_data(archive, original.patch, f"{name}/samples")
        data |= {"recipe": original.recipe.to_dict(), "accepted": original.accepted}
    return data


def _variation_data(archive: _Writer, variation: SavedVariation, name: str) -> dict[str, Any]:
    """Add the arrays of a variation; returns its part of the manifest."""
    atoms, scene = variation.atoms, variation.scene
    archive.add_arrays(f"{name}/hidden", _steps(variation.hidden))
    archive.add_arrays(f"{name}/atoms", _steps(atoms.cells), atoms.amplitude, atoms.state)
    data = {
        "row": variation.row,
        "recipe": variation.recipe.to_dict(),
        "shape": variation.shape.to_dict(),
        "is_drawn": variation.is_drawn,
        "filled": _patch_data(archive, variation.filled, f"{name}/filled"),
        "masked": _patch_data(archive, variation.masked, f"{name}/masked"),
        "hidden": len(variation.hidden),
        "atoms": len(atoms.cells),
    }
    if scene is not None:
        archive.add_arrays(f"{name}/scene", _steps(scene.atoms.cells), scene.atoms.amplitude)
        data["scene"] = {
            "atoms": len(scene.atoms.cells),
            "added": scene.added.to_dict(),
            "is_mid_side": scene.is_mid_side,
        }
    return data


def _patch_data(archive: _Writer, patch: Patch, name: str) -> dict[str, Any]:
    """Add the samples of a patch; returns its part of the manifest."""
    archive.add_arrays(name, np.asarray(patch.samples, "<f4"))
    return {
        "rate": patch.rate,
        "channels": patch.channels,
        "length": patch.length,
        "spans": [list(span) for span in patch.spans],
    }


# ---------- reading


def decode(data: bytes) -> SavedSession:
    """Return the content of a session file.

    The manifest and the loaded sound are checked at once, originals and variations when they are
    read. Raises AtomizerError that says what is invalid.
    """
    archive = _Reader(data)
    manifest = archive.manifest()
    sound = archive.sound(manifest)
    work = manifest.work
    return SavedSession(
        sound=sound,
        name=manifest.name,
        originals=_originals(archive, manifest, sound),
        work=SavedWork(recipe_of(work.fill), work.is_new_seed, work.count, work.seconds),
        part=manifest.part,
        next_seed=manifest.next_seed,
    )


class _Reader:
    """A zip in memory; nothing that it claims about itself is believed."""

    def __init__(self, data: bytes) -> None:
        if data.count(_ENTRY) > MAX_ENTRIES:  # reading its directory would take the memory
            raise AtomizerError(_NO_SESSION)
        try:
            self.zip = zipfile.ZipFile(io.BytesIO(data))
        except Exception as error:  # zipfile raises many kinds for damaged files
            raise AtomizerError(_DAMAGED) from error

    def read(self, name: str, size: int, at_most: bool = False) -> bytes:
        """Return a file of this size, or of a size up to it; it is not unpacked where it lies."""
        try:
            entry = self.zip.getinfo(name)
            if entry.file_size > size or (entry.file_size < size and not at_most):
                raise AtomizerError(_DAMAGED)
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise AtomizerError(_DAMAGED)
            data = self.zip.read(entry)  # no more than `file_size`
        except AtomizerError:
            raise
        except Exception as error:  # zipfile raises many kinds for damaged files
            raise AtomizerError(_DAMAGED) from error
        if len(data) != entry.file_size:
            raise AtomizerError(_DAMAGED)
        return data

    def arrays(self, name: str, count: int, dtypes: Sequence[str]) -> list[np.ndarray]:
        """Return the arrays of a file, (count,) each."""
        types = [np.dtype(dtype) for dtype in dtypes]
        data = np.frombuffer(
            self.read(name, count * sum(dtype.itemsize for dtype in types)), np.uint8
        )
        out, at = [], 0
        for dtype in types:
            planes = data[at : at + count * dtype.itemsize].reshape(dtype.itemsize, count)
            out.append(np.ascontiguousarray(planes.T).reshape(-1).view(dtype))
            at += planes.size
        return out

    def manifest(self) -> ManifestSchema:
        """Return the valid manifest."""
        if MANIFEST not in self.zip.namelist():
            raise AtomizerError(_NO_SESSION)
        try:
            text = self.read(MANIFEST, MANIFEST_MB * MEGABYTE, at_most=True).decode()
        except UnicodeDecodeError as error:
            raise AtomizerError(_DAMAGED) from error
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

    def sound(self, manifest: ManifestSchema) -> Sound:
        """Return the loaded sound."""
        facts, longest = manifest.sound, limits().excerpt_seconds
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / facts.file
            path.write_bytes(self.read(facts.file, 1 << 40, at_most=True))
            try:
                sound = read(path, longest)
            except TooLong as error:
                raise AtomizerError(
                    f"The sound of this session is longer than {longest:g} seconds, the most that"
                    " is accepted at a time."
                ) from error
        if sound.note:
            raise AtomizerError(_DAMAGED)
        if facts.has_rest:
            (rest,) = self.arrays("sound.rest", sound.samples.size, ["<f4"])
            samples = sound.samples * np.float32(facts.gain) + rest.reshape(sound.samples.shape)
            check_values(samples)
            sound = replace(sound, samples=samples)
        mask = facts.mask if facts.mask.bit_count() == sound.channels else 0
        return replace(sound, subtype=facts.subtype, mask=mask)


def _originals(archive: _Reader, manifest: ManifestSchema, sound: Sound) -> Iterator[SavedOriginal]:
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
    archive: _Reader, valid: PursuitSchema | None, name: str, sound: Sound
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
        raise AtomizerError("The atoms of a session file lie within the plane of their sound.")
    return SavedPursuit(valid.name, atoms, valid.srr_db)


def _patch(archive: _Reader, valid: PatchSchema, name: str) -> Patch:
    (samples,) = archive.arrays(name, valid.count, ["<f4"])
    samples = samples.astype(np.float32, copy=False).reshape(valid.channels, -1)
    check_values(samples)
    return Patch(valid.rate, valid.channels, valid.length, tuple(valid.spans), samples)


def _cells(steps: np.ndarray, size: int) -> np.ndarray:
    """Cells of their steps. Raises AtomizerError unless they ascend within a plane."""
    cells = np.cumsum(steps, dtype=np.int64)
    if (steps[1:] == 0).any() or (len(cells) and cells[-1] >= size):
        raise AtomizerError("The atoms of a session file lie within the plane of their sound.")
    return cells


def _drawn(steps: np.ndarray, amplitude: np.ndarray, state: np.ndarray, size: int) -> Drawn:
    """Drawn atoms. Raises AtomizerError for atoms outside of the plane, or without a level."""
    check_values(amplitude[None])
    if state.max(initial=0) > 2:
        raise AtomizerError("An atom of a session file is known, unknown or filled in.")
    return Drawn(_cells(steps, size), amplitude.astype(np.float32, copy=False), state)


def _variations(
    archive: _Reader, original: OriginalSchema, name: str, sound: Sound
) -> Iterator[SavedVariation]:
    """Read one variation after the other; `sound` has the size of their original."""
    for k, valid in enumerate(original.variations):
        yield _variation(archive, valid, f"{name}/{k}", sound)


def _variation(archive: _Reader, valid: VariationSchema, name: str, sound: Sound) -> SavedVariation:
    filled = valid.filled
    plane = plane_of(filled.channels, filled.length, filled.rate)
    length = sound.samples.shape[1]
    if valid.scene is None and plane != plane_of(sound.channels, length, sound.rate):
        raise AtomizerError("A variation of a session file is as long and wide as its original.")
    size = math.prod(plane)
    counts = [valid.hidden, valid.atoms, 0 if valid.scene is None else valid.scene.atoms]
    if max(counts) > size:
        raise AtomizerError("The atoms of a session file lie within the plane of their sound.")
    (hidden,) = archive.arrays(f"{name}/hidden", valid.hidden, DRAWN[:1])
    steps, amplitude, states = archive.arrays(f"{name}/atoms", valid.atoms, DRAWN)
    atoms = _drawn(steps, amplitude, states, size)
    scene = None
    if valid.scene is not None:
        steps, amplitude = archive.arrays(f"{name}/scene", valid.scene.atoms, SCENE)
        states = np.zeros(len(steps), np.uint8)
        scene = SavedScene(
            _drawn(steps, amplitude, states, size),
            Selection.from_schema(valid.scene.added),
            valid.scene.is_mid_side,
        )
    return SavedVariation(
        row=valid.row.model_dump(),
        recipe=recipe_of(valid.recipe, sound),
        shape=Shape(**valid.shape.model_dump()),
        is_drawn=valid.is_drawn,
        filled=_patch(archive, valid.filled, f"{name}/filled"),
        masked=_patch(archive, valid.masked, f"{name}/masked"),
        hidden=_cells(hidden, size),
        atoms=atoms,
        scene=scene,
    )
