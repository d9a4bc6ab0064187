"""A session as the content of a session file."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from ...analysis import MDCTAtomizer
from ...atoms.selection import Selection
from ...errors import AtomizerError
from ...inpainting.recipe import Recipe
from ...inpainting.shaping import FillShape
from ...io.audio import Sound, read
from .. import drawing, session_file
from ..message import Scene, Variation
from ..session_file.content import (
    ROW,
    Drawn,
    Plane,
    SavedOriginal,
    SavedPursuit,
    SavedScene,
    SavedSession,
    SavedVariation,
    SavedWork,
    plane_of,
)
from .state import Original, Session

Shapes = Mapping[int, FillShape]  # of fills, by the ids of their variations


def capture(session: Session, work: SavedWork, current: int | None, shapes: Shapes) -> SavedSession:
    """Return what a session holds; a running fill is not part of it.

    Parameters
    ----------
    session : Session
    work : SavedWork
        The selection and the controls of the page.
    current : int or None
        Id of the variation that the page shows.
    shapes : mapping of int to FillShape
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
        shape = shapes.get(variation.id) or FillShape(**(variation.shape or {}))
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
    picture: _Picture, variation: Variation, made: tuple[Recipe, FillShape], sounds: list[Sound]
) -> SavedVariation:
    """A variation, its recipe and shape, and its filled and masked sound, as content."""
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
