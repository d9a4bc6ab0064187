"""Jobs: a fill from its recipe to a stored variation, and how jobs start and stop."""

from __future__ import annotations

import time
from dataclasses import replace
from string import ascii_uppercase
from typing import Literal

import numpy as np

from ...inpainting.changes import changes
from ...inpainting.erase import Residual
from ...inpainting.fill import Step
from ...inpainting.recipe import Recipe
from ...inpainting.resolve import resolve
from ...inpainting.settings import Resolved
from ...inpainting.task import Task
from ...io.audio import Sound, write
from ...io.tags import Tags
from ...limits import limits
from .. import drawing
from ..judging import changed_spans, has_reference, judge, level_difference
from ..message import Scene, Source, Variation
from ..variations import StoredVariation, digest_of
from ..wording import details_of, summary_of, title_of
from . import scenes
from .job_state import Fill, Job, JobEvent
from .state import Session


def start(
    session: Session, kind: Literal["fill", "pursuit"], pressed: float | None = None
) -> Job | None:
    """Start a job instead of the running one, which is stopped.

    Returns None where Stop was pressed after it, or another sound chosen, whichever of the two
    arrived first (`pressed` as in `Presses`).
    """
    with session.lock:
        if session.presses.was_stopped(pressed):
            return None
        was_busy = session.job is not None and session.job.busy
        stop(session)
        session.job = job = Job(kind)
        if was_busy:
            session.advance(JobEvent.ANNOUNCE)
        return job


def stop(session: Session) -> Step | None:
    """Stop the running job, if there is one, and store what a fill has revealed.

    Returns the newest step of the fill; None before the first one. The job has ended also where
    storing fails.
    """
    with session.lock:
        step = None if session.fill is None else session.fill.step
        try:
            if step is not None:
                finish(session, JobEvent.STOP)
        finally:
            session.end_job(JobEvent.STOP)
        return step


def for_shown_atoms(session: Session, recipe: Recipe) -> Recipe:
    """Return the recipe with the atomizer of the atoms that are shown."""
    found = session.pursuit
    if found is None:
        return recipe
    return replace(recipe, atomizer=found.name, atoms=len(found.atoms))


def task_of(session: Session, recipe: Recipe) -> tuple[Task, Residual | None]:
    """Return the task of a recipe, and the matching-pursuit atoms that stay, if there are any."""
    if recipe.atomizer == "mdct":
        return recipe.task(session.sound), None
    found = session.pursuit
    atoms = None
    if found is not None and (found.name, len(found.atoms)) == (recipe.atomizer, recipe.atoms):
        atoms = found.atoms
    residual = recipe.erase_atoms(session.sound, atoms)
    return recipe.task(residual.sound), residual


def begin(
    session: Session, recipe: Recipe, task: Task, key: str, residual: Residual | None = None
) -> None:
    """Show which atoms the job will fill in."""
    scene, cells = _scene_of_task(session, task, residual)
    parts, selection = session.shown.parts, recipe.selection
    if parts and parts.key == scenes.key_of_parts(selection, key):
        # which atoms a random part takes depends on the seed
        scenes.show_parts(session, selection, recipe.settings.seed, key, task.mask)
    hidden = session.send(drawing.bits(task.mask.ravel()[cells]), "hidden.bin")
    erased = recipe.masked(task)  # takes seconds where many holes are erased
    masked = scenes.preview(session, erased, "masked")
    assert session.job is not None, "no job was started"
    session.advance(JobEvent.BEGIN)
    session.job.fill = Fill(
        recipe, task, key, scene, hidden, erased, masked, time.monotonic(), residual=residual
    )
    session.add_place(recipe)
    scenes.show_result(session, Step(0, 1, task.erased(), np.zeros_like(task.mask)))


def _scene_of_task(
    session: Session, task: Task, residual: Residual | None
) -> tuple[Scene, np.ndarray]:
    """Return the scene of a task, and its drawn cells: the current scene where that fits."""
    same_shape = task.sound.samples.shape == session.sound.samples.shape
    if residual is None and session.pursuit is None and same_shape:
        assert session.shown.scene is not None, "there is no sound"
        return session.shown.scene, session.drawn_cells
    cells = drawing.loudest_cells(task.grid, session.space)
    added = [] if same_shape else task.selection.to_dict()["regions"]
    scene = scenes.scene_of(session, task.sound, task.grid, added)
    scene.channel_names = ["mid", "side"] if task.is_mid_side else []
    return scene, cells


def show_step(session: Session, step: Step) -> None:
    """Show what a step of the running fill revealed."""
    session.running_fill().step = step
    session.advance(JobEvent.STEP)
    scenes.show_result(session, step)


def finish(session: Session, event: JobEvent) -> Variation:
    """Store the newest step of a fill as a variation, and show it.

    event  FINISH, STORE where another fill of the same job follows, STOP
    """
    fill = session.running_fill()
    step, recipe = fill.step, fill.recipe
    assert step is not None, "nothing was filled in yet"
    if step.number < step.total:
        recipe = replace(recipe, stop_after=step.number)
    filled = fill.task.render(step.grid)
    session.result_count = number = session.result_count + 1
    session.stored[number] = store(session, number, recipe, filled, fill.erased)
    variation = _variation_of(session, number, step, filled)
    with session.lock:
        session.advance(event)
        variations = (*session.shown.variations, variation)[-limits().variations_kept :]
        session.update(variations=variations, current=variation.id)
    for evicted in set(session.stored) - {v.id for v in variations}:
        session.delete_stored(evicted)
    return variation


def _variation_of(session: Session, number: int, step: Step, filled: Sound) -> Variation:
    """Describe the running fill after a step, stored as variation `number`."""
    fill, live, stored = session.running_fill(), session.shown.live, session.stored[number]
    assert live is not None, "nothing was filled in yet"
    task, recipe = fill.task, stored.recipe
    settings = resolve(recipe.settings, task)
    # metrics compare the region with the sound before anything was erased
    reference = (
        task if fill.residual is None else replace(recipe.task(session.sound), mask=task.mask)
    )
    snr, lsd = judge(reference, step, filled, recipe)
    title = title_of(recipe, settings)
    if recipe.stop_after:
        title += f", stopped after step {step.number} of {step.total}"
    proposal = session.proposal_of(fill.key)
    return Variation(
        **dict(live),
        id=number,
        label=_free_label(session),
        title=title,
        details=_details_of(fill, recipe, settings),
        heard=_audible_filled(session, task, step),
        snr_db=snr,
        level_db=None if snr is None else level_difference(reference, step),
        lsd=lsd,
        has_reference=has_reference(recipe) if proposal is None else proposal.has_reference,
        seconds=time.monotonic() - fill.started,
        order=settings.order,
        reverse=settings.reverse,
        sound=scenes.preview(session, filled, "filled"),
        origin=summary_of(recipe, step, task, settings, filled.rate) + _same_as(session, stored),
        changed=str(changes(session.sound, filled)),
        proposal=proposal,
        spans=changed_spans(fill.erased, filled),
        sources=[
            Source(target=s.target, source=s.source, confidence=s.confidence) for s in step.sources
        ],
    )


def _details_of(fill: Fill, recipe: Recipe, settings: Resolved) -> list[tuple[str, str]]:
    """Return the details of a recipe, and those of its fill of this sound."""
    details = details_of(recipe, settings)
    if fill.task.cutoff is not None:
        start, end = fill.task.cutoff.rounded
        details.append(("the recording ends", f"from {start:,} to {end:,} Hz"))
    if fill.residual:
        details.append(("on top of", f"the sound of {fill.residual}"))
    return details


def store(
    session: Session, number: int, recipe: Recipe, filled: Sound, masked: Sound
) -> StoredVariation:
    """Write the exact sounds of a variation into files."""
    stored = StoredVariation(
        recipe,
        session.folder / f"{number}-filled.wav",
        session.folder / f"{number}-masked.wav",
        digest_of(filled),
    )
    for path, sound in ((stored.filled, filled), (stored.masked, masked)):
        write(path, replace(sound, subtype="FLOAT", tags=Tags()))
    return stored


def _same_as(session: Session, made: StoredVariation) -> str:
    """Say which variation has the same samples, though another seed; empty where none has."""
    seed = made.recipe.settings.seed
    for variation in session.shown.variations:
        stored = session.stored[variation.id]
        if stored.recipe == made.recipe or stored.recipe.with_seed(seed) != made.recipe:
            continue
        if stored.digest == made.digest:
            return f"; the same as {variation.label}: no seed changes it"
    return ""


def _free_label(session: Session) -> str:
    """Return the first letter that no variation in the list has."""
    used = {v.label for v in session.shown.variations}
    return next((letter for letter in ascii_uppercase if letter not in used), "?")


def _audible_filled(session: Session, task: Task, step: Step) -> int:
    """Count the filled atoms that are audible; many unknown atoms are filled with silence."""
    reference = float(np.abs(task.grid).max(initial=0.0))
    reference = reference or float(np.abs(step.grid).max(initial=0.0))
    return int(np.count_nonzero(session.space.quantise(step.grid[task.mask], reference)))
