"""A session of the content of a session file."""

from __future__ import annotations

import math
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from ...analysis import ATOMIZERS
from ...atoms.space import AtomSpace
from ...errors import AtomizerError
from ...inpainting.changes import changes
from ...inpainting.shaping import FillShape
from ...io.audio import Sound
from .. import drawing, session_file
from ..decomposition import Decomposition, stop_criterion
from ..judging import changed_spans
from ..message import Scene, Variation
from ..session_file.content import (
    Drawn,
    Plane,
    SavedOriginal,
    SavedScene,
    SavedSession,
    SavedVariation,
    plane_of,
)
from . import jobs, scenes
from .state import Original, Session


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
        shape=None if saved.shape == FillShape() else saved.shape.to_dict(),
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
