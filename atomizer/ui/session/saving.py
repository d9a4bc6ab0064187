"""A session as the content of a session file, and a session of such content."""

from __future__ import annotations

import math
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis import ATOMIZERS, MDCTAtomizer
from ...atoms.selection import Selection
from ...atoms.space import AtomSpace
from ...errors import AtomizerError
from ...inpainting.changes import changes
from ...inpainting.recipe import Recipe
from ...inpainting.shaping import Shape
from ...io.audio import Sound, read
from .. import drawing, session_file
from ..decomposition import Decomposition, stop_criterion
from ..message import Scene, Variation
from ..session_file.content import (
    ROW,
    Drawn,
    SavedOriginal,
    SavedPursuit,
    SavedScene,
    SavedSession,
    SavedVariation,
    SavedWork,
    plane_of,
)
from ..variations import changed_spans
from . import jobs, scenes
from .state import Original, Session

Shapes = Mapping[int, Shape]  # of fills, by the ids of their variations
Plane = tuple[int, int, int]  # channels, frames, bins


# ---------- session -> content


def capture(session: Session, work: SavedWork, current: int | None, shapes: Shapes) -> SavedSession:
    """Return what a session holds; a running fill is not part of it.

    Parameters
    ----------
    session : Session
    work : SavedWork
        The selection and the controls of the page.
    current : int or None
        Id of the variation that the page shows.
    shapes : mapping of int to Shape
        Fills whose sliders were moved; the others stay as they came.

    Returns
    -------
    SavedSession
        Its sounds are read while it is read. Reading it raises AtomizerError where a variation was
        deleted meanwhile.
    """
    with session.lock:
        if current not in session.stored:
            current = None
        shown = replace(session.shown, current=current)
        stored, pursuit = dict(session.stored), session.pursuit
        now = Original(session.sound, session.recipes, "", shown, stored, pursuit)
        originals = [*session.undo_stack, now]
        part, next_seed = session.part, session.next_seed
    return SavedSession(
        sound=originals[0].sound,
        name=session.name,
        originals=_captured(session, originals, shapes),
        work=work,
        part=part,
        next_seed=next_seed,
    )


def _captured(
    session: Session, originals: list[Original], shapes: Shapes
) -> Iterator[SavedOriginal]:
    """Yield one original after the other."""
    for before, original in zip([None, *originals], originals):
        shown = original.shown
        numbers = [variation.id for variation in shown.variations]
        found = original.pursuit
        captured = SavedOriginal(
            _captured_variations(session, original, shapes),
            None if shown.current is None else numbers.index(shown.current),
            None if found is None else SavedPursuit(found.name, found.atoms, found.srr_db),
        )
        if before is not None:
            captured = replace(
                captured,
                patch=session_file.patch_of(before.sound, original.sound),
                recipe=original.recipes[-1],
                accepted=before.accepted,
            )
        yield captured


def _captured_variations(
    session: Session, original: Original, shapes: Shapes
) -> Iterator[SavedVariation]:
    """Yield one variation of an original after the other."""
    picture = _Picture(session, original.sound)
    for variation in original.shown.variations:
        try:
            stored = original.stored[variation.id]
            sounds = [read(path, math.inf) for path in (stored.filled, stored.masked)]
        except (KeyError, AtomizerError) as error:
            raise AtomizerError(
                f"Variation {variation.label} was deleted meanwhile: save the session again."
            ) from error
        shape = shapes.get(variation.id) or Shape(**(variation.shape or {}))
        yield _captured_variation(picture, variation, (stored.recipe, shape), sounds)


class _Picture:
    """The plane of an original, as the page draws it."""

    def __init__(self, session: Session, sound: Sound) -> None:
        self.space, self.sound = session.space, sound

    @cached_property
    def grid(self) -> np.ndarray:
        """Coefficients (channels, frames, bins)."""
        return MDCTAtomizer(self.space).grid(self.sound.at(self.space.rate))

    @cached_property
    def cells(self) -> np.ndarray:
        """Flat indices of the drawn ones, in drawing order."""
        return drawing.loudest_cells(self.grid, self.space)

    @cached_property
    def packed(self) -> bytes:
        """What the browser draws."""
        return drawing.pack_scene(self.grid, self.space).data


def _captured_variation(
    picture: _Picture, variation: Variation, made: tuple[Recipe, Shape], sounds: list[Sound]
) -> SavedVariation:
    recipe, shape = made
    filled, masked = (session_file.patch_of(picture.sound, sound) for sound in sounds)
    loudest = variation.scene.loudest or 1.0
    plane = plane_of(filled.channels, filled.length, filled.rate)
    own, cells = _scene_and_cells(picture, variation.scene, plane)
    is_hidden = np.unpackbits(
        np.frombuffer(Path(variation.hidden.path).read_bytes(), np.uint8),
        count=len(cells),
        bitorder="little",
    ).astype(bool)
    packed = Path(variation.atoms.path).read_bytes()
    atoms = drawing.unpack(packed, variation.count, plane, picture.space, loudest)
    data = variation.model_dump(mode="json")
    return SavedVariation(
        row={name: data[name] for name in ROW},
        recipe=recipe,
        shape=shape,
        is_drawn=variation.key != "",
        filled=filled,
        masked=masked,
        hidden=np.sort(cells[is_hidden]),
        atoms=_drawn(*atoms),
        scene=own,
    )


def _scene_and_cells(
    picture: _Picture, scene: Scene, plane: Plane
) -> tuple[SavedScene | None, np.ndarray]:
    """Return the scene of a variation, or None for that of the original, and the drawn cells."""
    packed = Path(scene.atoms.path).read_bytes()
    if packed == picture.packed:
        return None, picture.cells
    unpack = drawing.unpack_scene if scene.is_mapped else drawing.unpack
    cells, amplitude, *_ = unpack(packed, scene.count, plane, picture.space, scene.loudest or 1.0)
    atoms = _drawn(cells, amplitude, np.zeros(len(cells), np.uint8))
    added = Selection.from_dict({"regions": scene.added})
    return SavedScene(atoms, added, bool(scene.channel_names)), cells


def _drawn(cells: np.ndarray, amplitude: np.ndarray, state: np.ndarray) -> Drawn:
    """Drawn atoms in the order of their cells.

    Amplitudes have 17 significant bits, 14 of which a velocity of `drawing` needs: the others
    would be a third of the file.
    """
    order = np.argsort(cells)
    bits = np.ascontiguousarray(amplitude[order], np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x40)) & np.uint32(0xFFFFFF80)
    return Drawn(cells[order], rounded.view(np.float32), state[order])


# ---------- content -> session


def restore(content: SavedSession, uploaded_file: Path | None = None) -> Session:
    """Return a session of the content of a session file.

    Parameters
    ----------
    content : SavedSession
    uploaded_file : Path, optional
        The visitor's file; it is deleted some time after the session closes.

    Returns
    -------
    Session

    Raises
    ------
    AtomizerError
        The content is invalid; nothing is left of it then.
    """
    session = Session(content.sound, content.name, uploaded_file=uploaded_file)
    try:
        session.saved_part = content.part
        for original in content.originals:
            _restore_original(session, original)
        _restore_work(session, content)
    except BaseException:
        session.uploaded_file = None
        session.close()
        raise
    return session


def _restore_original(session: Session, saved: SavedOriginal) -> None:
    """Show an original and its variations; the one before goes to the undo stack."""
    if saved.patch is not None and saved.recipe is not None:
        before = session.sound
        session.undo_stack.append(
            Original(
                before,
                session.recipes,
                saved.accepted,
                session.shown,
                session.stored,
                session.pursuit,
            )
        )
        session.sound = session_file.patched(before, saved.patch)
        session.recipes = (*session.recipes, saved.recipe)
    scenes.show_original(session)
    numbers = [_restore_variation(session, variation) for variation in saved.variations]
    found = saved.pursuit
    if found is not None:
        atomizer = ATOMIZERS[found.name](stop=stop_criterion())
        samples = session.sound.at(atomizer.space.rate)
        energy = float(np.sum(np.square(samples, dtype=np.float64)))
        scenes.show_pursuit(
            session, Decomposition(found.name, atomizer, found.atoms, found.srr_db, energy)
        )
    session.update(current=None if saved.current is None else numbers[saved.current])


def _restore_variation(session: Session, saved: SavedVariation) -> int:
    """Add a variation to the list; returns its id."""
    space, original = session.space, session.shown.scene
    assert original is not None, "there is no sound"
    filled, masked = (
        session_file.patched(session.sound, patch) for patch in (saved.filled, saved.masked)
    )
    plane = plane_of(filled.channels, filled.samples.shape[1], filled.rate)
    scene, cells = original, session.drawn_cells
    if saved.scene is not None:
        scene, cells = _scene_of(session, saved.scene, filled, plane)
    is_hidden = np.zeros(math.prod(plane), bool)
    is_hidden[saved.hidden] = True
    atoms = _packed(saved.atoms, plane, space, scene.loudest or 1.0)
    session.result_count = number = session.result_count + 1
    session.stored[number] = jobs.store(session, number, saved.recipe, filled, masked)
    session.add_place(saved.recipe)
    variation = Variation(
        **saved.row,
        id=number,
        number=number,
        scene=scene,
        hidden=session.send(drawing.bits(is_hidden[cells]), "hidden.bin"),
        count=len(saved.atoms.cells),
        atoms=session.send(atoms, "filled.bin"),
        masked=scenes.preview(session, masked, "masked"),
        sound=scenes.preview(session, filled, "filled"),
        changed=str(changes(session.sound, filled)),
        spans=changed_spans(masked, filled),
        shape=None if saved.shape == Shape() else saved.shape.to_dict(),
        **_selection_of(saved),
    )
    session.update(variations=(*session.shown.variations, variation))
    return number


def _scene_of(
    session: Session, saved: SavedScene, filled: Sound, plane: Plane
) -> tuple[Scene, np.ndarray]:
    """Return a scene of its own, and its drawn cells."""
    grid = _grid_of(saved.atoms, plane)
    cells = drawing.loudest_cells(grid, session.space)
    added = saved.added.to_dict()["regions"]
    scene = scenes.scene_of(session, filled, grid, added)
    scene.sound_rate = session.sound.rate
    scene.channel_names = ["mid", "side"] if saved.is_mid_side else []
    return scene, cells


def _grid_of(atoms: Drawn, plane: Plane) -> np.ndarray:
    """Return the plane (channels, frames, bins) float32 with these atoms alone."""
    grid = np.zeros(plane, np.float32)
    grid.reshape(-1)[atoms.cells] = atoms.amplitude
    return grid


def _packed(atoms: Drawn, plane: Plane, space: AtomSpace, loudest: float) -> bytes:
    """Return atoms as the browser reads them."""
    velocity = drawing.velocities(np.abs(atoms.amplitude), loudest, space)
    order = np.argsort(velocity, kind="stable")
    grid = _grid_of(atoms, plane)
    return drawing.pack(grid, atoms.cells[order], space, atoms.state[order], loudest)


def _selection_of(saved: SavedVariation) -> dict[str, Any]:
    """Return the selection of a variation, as the fields `key` and `proposal` name it."""
    if not saved.is_drawn:
        return {"key": ""}
    return {
        "key": (key := secrets.token_hex(6)),
        "proposal": scenes.proposal_of(saved.recipe.selection, key, saved.row["has_reference"]),
    }


def _restore_work(session: Session, content: SavedSession) -> None:
    """Propose the selection, and keep the values of the controls for the page."""
    session.work, session.next_seed = content.work, content.next_seed
    fill = content.work.fill
    session.like = fill.settings.like
    data = fill.selection.to_dict()
    session.features = data["features"]
    session.has_selection = bool(data["regions"] or data.get("parts"))
    if not session.has_selection:
        return
    key = scenes.propose_selection(session, fill.selection)
    seed = session.default_seed(fill) if content.work.is_new_seed else fill.settings.seed
    with suppress(AtomizerError):  # the selection may be one that this sound does not have
        scenes.show_parts(session, fill.selection, seed, key)
