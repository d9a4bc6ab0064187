"""Builds what the page shows: scenes, results, parts, the excerpt and sounds for the player."""

from __future__ import annotations

import json
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from gradio.data_classes import FileData

from ...analysis import MDCTAtomizer
from ...atoms.selection import Selection
from ...inpainting.fill import Step
from ...inpainting.highs.cutoff import resolve_cutoff
from ...inpainting.standout import check_narrowed, narrow
from ...io.audio import Sound, resample, write
from ...io.tags import Tags
from .. import drawing
from ..decomposition import Decomposition
from ..message import Download, Excerpt, Parts, Proposal, Result, Scene
from .job_state import JobEvent
from .present import Shown
from .state import Session

PREVIEW_RATES = (8_000, 96_000)  # sample rates that every browser decodes


# the original and its atoms


def show_original(session: Session) -> None:
    """Show the session's sound, without any variation or selected part."""
    session.end_job(JobEvent.STOP)
    # the file is encoded while numpy works: both release Python's lock
    with ThreadPoolExecutor(1) as pool:
        previewed = pool.submit(preview, session, session.sound, "original")
        analyse(session)
        session.stored, session.pursuit = {}, None
        scene = scene_of(session, session.sound, session.grid)
        original = previewed.result()
    excerpt = session.shown.excerpt or excerpt_of(session)
    with session.lock:
        session.shown = Shown(scene=scene, original=original, excerpt=excerpt)
        session.status = ""


def analyse(session: Session) -> None:
    """Compute the MDCT of the session's sound."""
    samples = session.sound.at(session.space.rate)
    session.take_grid(MDCTAtomizer(session.space).grid(samples))


def show_pursuit(session: Session, decomposition: Decomposition) -> None:
    """Show matching-pursuit atoms instead of MDCT atoms; the variations stay."""
    session.pursuit = decomposition
    space, atoms, scene = decomposition.atomizer.space, decomposition.atoms, session.shown.scene
    assert scene is not None, "there is no sound"
    fields = dict(
        id=secrets.token_hex(6),
        hop=space.hop,
        frames=space.frame_count(atoms.length),
        bins=space.bins,
        scales=list(space.scales),
        atomizer=decomposition.name,
        srr_db=decomposition.srr_db,
        loudest=atoms.reference,
        energy=decomposition.energy,
        total=len(atoms),
        count=len(atoms),
        is_mapped=False,
        atoms=session.send(decomposition.pack(), "atoms.bin"),
    )
    show_scene(session, scene.model_copy(update=fields))


def show_mdct(session: Session) -> None:
    """Show MDCT atoms again."""
    session.pursuit = None
    show_scene(session, scene_of(session, session.sound, session.grid))


def show_scene(session: Session, scene: Scene) -> None:
    """Show other atoms of the same sound."""
    session.update(scene=scene, parts=None, live=None, current=None)


def scene_of(
    session: Session,
    sound: Sound,
    grid: np.ndarray,
    added: list[dict] | None = None,
) -> Scene:
    """Return the scene of a sound.

    grid   coefficients (channels, frames, bins)
    added  regions beyond the loaded sound, where it is being continued or widened
    """
    packed = drawing.pack_scene(grid, session.space)
    fills = len(session.recipes)
    suffix = {0: "", 1: " · filled in once"}.get(fills, f" · filled in {fills} times")
    return Scene(
        id=secrets.token_hex(6),
        sound=session.id,
        name=session.name + suffix,
        rate=session.space.rate,
        hop=session.space.hop,
        frames=grid.shape[1],
        floor_db=session.space.floor_db,
        loudest=packed.loudest,
        energy=float(np.square(grid, dtype=np.float64).sum()),
        duration=sound.seconds,
        channels=sound.channels,
        sound_rate=sound.rate,
        total=packed.audible,
        count=packed.drawn,
        added=added or [],
        is_mapped=packed.is_mapped,
        atoms=session.send(packed.data, "atoms.bin"),
    )


def excerpt_of(session: Session) -> Excerpt | None:
    """Return the outline of a long file and the excerpt in use; None for a short file."""
    if session.long_file is None:
        return None
    outline = session.long_file.outline
    # square roots, so that quiet passages differ visibly from silence
    peaks = np.round(255 * np.sqrt(np.clip(outline.peaks, 0, 1))).astype(np.uint8)
    return Excerpt(
        peaks=session.send(peaks.tobytes(), "overview.bin"),
        duration=outline.seconds,
        longest=session.long_file.longest,
        start=session.long_file.start,
        seconds=session.sound.seconds,
    )


def preview(session: Session, sound: Sound, name: str) -> FileData:
    """Write a version for the browser's player: at most stereo, a common rate.

    FLAC of 16 bit; float samples where peaks exceed full scale, so that the versions and their
    difference are compared as they are. The player keeps them below full scale.
    """
    samples, rate = sound.samples, sound.rate
    if len(samples) > 2:
        samples = np.stack([samples[0::2].mean(0), samples[1::2].mean(0)])
    if not PREVIEW_RATES[0] <= rate <= PREVIEW_RATES[1]:
        samples, rate = resample(samples, rate, session.space.rate), session.space.rate
    exceeds = np.abs(samples).max(initial=0) > 1
    ending, subtype = (".wav", "FLOAT") if exceeds else (".flac", "PCM_16")
    path = session.new_path(f"{name}{ending}")
    shown = replace(sound.with_samples(samples, rate), subtype=subtype, tags=Tags())
    write(path, shown)
    return FileData(path=str(path), orig_name=path.name)


# the selection


def show_parts(
    session: Session, selection: Selection, seed: int, key: str, mask: np.ndarray | None = None
) -> None:
    """Mark the drawn atoms of the selected parts, such as "random:50", which only Python ranks.

    Of a selection that is narrowed to what stands out, all selected atoms are marked.

    key   of the selection
    mask  (channels, frames, bins) bool: what it selects, where that is known
    """
    parts_key = key_of_parts(selection, key)
    if not parts_key:
        session.update(parts=None)
        return
    if selection.standout is None:
        selection, mask = replace(selection, regions=()), None
    scene, nyquist = session.shown.scene, session.sound.rate / 2
    selection, _ = resolve_cutoff(selection, session.grid, session.space, nyquist)
    if session.pursuit is not None:
        bits = session.pursuit.bits(selection, seed, nyquist)
    else:
        if mask is None:
            check_narrowed(selection)
            mask = selection.mask(session.grid, session.space, seed, nyquist=nyquist)
            mask = narrow(mask, session.grid, selection)
        bits = drawing.bits(mask.ravel()[session.drawn_cells])
    marked = Parts(key=parts_key, bits=session.send(bits, "parts.bin"))
    with session.lock:
        if session.shown.scene is scene:  # the bits index the atoms of that scene
            session.update(parts=marked)


def key_of_parts(selection: Selection, key: str) -> str:
    """Return the parts as the browser's own JSON writes them; "" for a selection without any.

    A selection that is narrowed has its own key, since all of it says what stands out.
    """
    if selection.standout is not None:
        return key
    parts = selection.to_dict().get("parts")
    return json.dumps(parts, separators=(",", ":")) if parts else ""


def hide_other_variation(session: Session, key: str) -> None:
    """Show the original again where the shown variation belongs to a selection other than `key`."""
    shown = session.shown
    if any(v.id == shown.current and v.key != key for v in shown.variations):
        session.update(current=None)


def propose_selection(session: Session, selection: Selection, has_reference: bool = True) -> str:
    """Replace the visitor's selection; returns the key of the fills that belong to it.

    has_reference  whether the original is what the fills should sound like
    """
    proposal = proposal_of(selection, secrets.token_hex(6), has_reference)
    session.update(proposal=proposal)
    return proposal.id


def proposal_of(selection: Selection, key: str, has_reference: bool = True) -> Proposal:
    """Return a selection as the page takes it; fills of it carry the key."""
    data = selection.to_dict()
    return Proposal(
        id=key,
        regions=data["regions"],
        specs=data.get("parts", []),
        features=data["features"],
        has_reference=has_reference,
    )


# fills and exports


def show_result(session: Session, step: Step) -> None:
    """Show a step of the running fill; atoms that are still unknown are drawn as shadows."""
    fill = session.running_fill()
    shown = np.where(step.revealed, step.grid, fill.task.grid)
    # levels are relative to the loudest atom of the sound, so a fill does not dim the others
    loudest = fill.scene.loudest or float(np.abs(shown).max(initial=0.0))
    cells = drawing.loudest_cells(shown, session.space, fill.task.mask, loudest)
    states = np.where(step.revealed.ravel()[cells], drawing.FILLED, drawing.UNKNOWN)
    session.result_count += 1
    atoms = drawing.pack(shown, cells, session.space, states, loudest)
    session.update(
        live=Result(
            number=session.result_count,
            scene=fill.scene,
            hidden=fill.hidden,
            count=len(cells),
            done=step.number,
            total=step.total,
            atoms=session.send(atoms, "filled.bin"),
            masked=fill.masked,
            key=fill.key,
        )
    )


def offer_download(session: Session, data: bytes, name: str) -> None:
    """Let the page download a file."""
    session.update(download=Download(id=secrets.token_hex(6), file=session.send(data, name)))
