"""How long fills that can be pressed will take: their work, at the pace of the fills so far."""

from __future__ import annotations

from collections.abc import Mapping

from ...inpainting.work import Work
from .. import gpu
from ..pace import NO_ESTIMATE, pace
from ..session import Session

FILL = "fill"  # that of the selection, in `Session.planned`
ADDITIONS = "extend", "widen", "brighten"


def plan(session: Session, plans: Mapping[str, tuple[Work, int] | None]) -> None:
    """Replace the work and number of fills by their names; None where a fill is impossible."""
    with session.lock:
        planned = {**session.planned, **plans}
        session.planned = {name: value for name, value in planned.items() if value is not None}
        show_estimates(session)


def show_estimates(session: Session) -> None:
    """Estimate the planned fills for the next message."""
    with session.lock:
        seconds = {
            name: pace.estimate(gpu.in_this_process(work), times)
            for name, (work, times) in session.planned.items()
        }
        session.update(expected=seconds.pop(FILL, NO_ESTIMATE), additions=seconds)
