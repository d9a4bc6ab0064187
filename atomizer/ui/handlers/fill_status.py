"""Status messages of fills: that one begins, how far it is, what it has made."""

from __future__ import annotations

from ...inpainting.step import Step
from ...limits import limits
from ..message import Variation
from ..pace import Estimate
from ..session import Session


def starting_status(which: str, estimate: Estimate) -> str:
    """Return the status of a fill that begins.

    which     of several variations it is, such as "Variation 1 of 3: ", or empty
    estimate  least and most seconds that it will take
    """
    least, most = (round(seconds) for seconds in estimate)
    seconds = f"about {most}" if least == most else f"{least} to {most}"
    left = f", {seconds} s left" if most else " …"
    return _after(which, f"filling in{left}")


def progress_status(which: str, step: Step, steps: int, seconds: float) -> str:
    """Return the status of a fill after a step, which took `seconds` up to it.

    steps  of the settings; a single one is shown part by part
    """
    unit = "step" if steps > 1 else "part"
    remaining = seconds / step.number * (step.total - step.number)
    left = f", about {remaining:.0f} s left" if remaining >= 0.5 else " …"  # never 0 s
    return _after(which, f"{unit} {step.number} of {step.total}{left}")


def _after(which: str, status: str) -> str:
    """Return the status after the number of its variation; alone it begins with a capital."""
    return which + status if which else status[0].upper() + status[1:]


def fill_status(variation: Variation) -> str:
    """Return the status of a finished fill."""
    seconds = f"{variation.seconds:.0f}" if variation.seconds >= 2 else f"{variation.seconds:.1f}"
    return f"{variation.label}: filled, took {seconds} s; {variation.changed}"


def evicted_notice(session: Session, labels: set[str]) -> str:
    """Return which of the variations with these labels were deleted to make room."""
    evicted = sorted(labels - {variation.label for variation in session.shown.variations})
    if not evicted:
        return ""
    kept = limits().variations_kept
    return f"; {', '.join(evicted)} was deleted, because {kept} variations are kept"
