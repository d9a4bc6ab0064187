"""The code of timbre of filled highs: chosen, or drawn by the seed (`priors/highs/timbre.py`)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ...errors import AtomizerError
from ...priors.band_levels import MIN_FRAMES, RATE, band_edges, known_bands
from ...priors.highs import long_term
from ...priors.highs.timbre import shipped
from ..presets import PRESETS
from ..settings import Resolved, Settings

if TYPE_CHECKING:
    from ..task import Task


def describe_timbre(code: int) -> str:
    """A code in words: "timbre 3 (darker, rising)"."""
    codes = shipped()
    return f"timbre {code}" + ("" if codes is None else f" ({codes.describe(code)})")


def list_timbres() -> list[str]:
    """All codes with their words, "1: much darker" first."""
    codes = shipped()
    if codes is None:
        return []
    return [f"{code}: {codes.describe(code)}" for code in range(1, codes.count + 1)]


def parse_code(text: str) -> int:
    """The code that a text names; raises AtomizerError for any other text."""
    code: int | str = int(text) if text.strip().isdecimal() else text
    check_code(code)
    return int(code)


def timbre_of(settings: Resolved, task: Task) -> int:
    """The code of a fill: that of the settings, or the one that the seed draws.

    0 for the most likely highs, as for seed 0, and for fills of anything but highs.
    """
    codes, cutoff = shipped(), task.erased_cutoff
    seed = settings.seed if task.recording_seed is None else task.recording_seed
    if settings.timbre or not seed or settings.like or codes is None or cutoff is None:
        return settings.timbre
    if not (settings.is_texture and PRESETS[task.preset].continues_tilt):
        return 0
    return codes.of_seed(seed) if long_term.predicts(task.grid, cutoff, task.space) else 0


def without_idle_timbre(settings: Settings, task: Task) -> Settings:
    """The settings without a code where the task, or the method, takes none.

    On the page the code is chosen for the highs of any fill, which need not have any.
    """
    if settings.method == "model" and task.erased_cutoff is not None:
        return settings
    return replace(settings, timbre=0)


def check_code(code: int | str) -> None:
    """Raise AtomizerError for anything but 0 and the codes."""
    codes = shipped()
    is_number = isinstance(code, int) and not isinstance(code, bool)
    if is_number and code == 0:
        return
    if codes is None:
        raise AtomizerError("There are no codes of timbre beside the checkpoint: leave it out.")
    if not is_number or not 1 <= int(code) <= codes.count:
        raise AtomizerError(
            f"There is no timbre {str(code)[:40]!r}: choose 1, the darkest, to {codes.count}, the"
            " brightest, or 0 for the most likely one."
        )


def check_timbre(settings: Resolved, task: Task) -> None:
    """Raise AtomizerError where a fill cannot have the code of its settings."""
    check_code(settings.timbre)
    if not settings.timbre:
        return
    cutoff, space = task.erased_cutoff, task.space
    if cutoff is None:
        raise AtomizerError(
            "A timbre is that of highs: select everything above one frequency in all channels, as"
            " above:auto does."
        )
    if settings.like:
        raise AtomizerError(
            "A timbre and a reference recording both give the level of highs: choose no timbre, or"
            " remove the reference."
        )
    if not settings.is_texture:
        raise AtomizerError(
            "A timbre is used by the method model with the amplitudes texture alone: leave out"
            " others, or the timbre."
        )
    # a part of a long file may be silent
    if task.recording_seed is None and not long_term.predicts(task.grid, cutoff, space):
        raise AtomizerError(_unpredicted(cutoff, task))


def _unpredicted(cutoff: int, task: Task) -> str:
    """Why nothing predicts the highs of a task."""
    space, model = task.space, long_term.shipped()
    known = known_bands(cutoff, space)
    if model is None or space.rate != RATE:
        return "Nothing predicts these highs: leave out the timbre."
    if known not in model.cutoffs:
        low, high = (
            band_edges(space)[band] * space.bin_hz / 1000
            for band in (model.cutoffs[0], model.cutoffs[-1] + 1)
        )
        return (
            f"A timbre is that of highs from {low:.1f} to {high:.1f} kHz on, and what is selected"
            f" begins at {cutoff * space.bin_hz / 1000:.1f} kHz."
        )
    seconds = MIN_FRAMES * space.hop / space.rate
    return f"A timbre needs at least {seconds:.2f} s of sound below the selected frequency."
