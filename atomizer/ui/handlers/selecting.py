"""A selection, or a feature of it, changes."""

from __future__ import annotations

from typing import Any

from ...atoms.beats import NoBeat
from ...atoms.selection import Selection
from .. import gpu
from ..component import Chosen, Message
from ..pace import SHOWN_SECONDS, pace
from ..session import Session, scenes
from .controls import FillControls, parse_integer, settings_of
from .filling import fill_status
from .responses import is_active, no_session, sentence_of


def describe(
    chosen: Chosen, session: Session | None, features: list[str], *controls: Any
) -> Message:
    """Mark the selected parts, and say what the next step is, and how long it will take.

    The status message has the problem instead, if there is one.

    controls  as those of `filling.fill_selection`
    """
    if not is_active(session):
        return no_session(session)
    session.features = features
    session.has_selection = bool(chosen.get("regions") or chosen.get("parts"))
    number, refused, expected = session.revision, "", 0.0
    try:
        status, expected = _check(chosen, features, controls, session)
    except Exception as error:
        status = sentence_of(error)
        if isinstance(error, NoBeat):  # the page takes it out, and keeps the rest of the selection
            refused = next(part for part in chosen["parts"] if part.startswith("beats:"))
    session.update(refused=refused, expected=expected if expected > SHOWN_SECONDS else 0.0)
    return _publish(session, status, number, chosen.key, features)


def _check(
    chosen: Chosen, features: list[str], controls: tuple, session: Session
) -> tuple[str, float]:
    """Mark the selected parts; returns the status message, and the seconds that a fill takes.

    Raises AtomizerError.
    """
    *values, count = controls
    settings = settings_of(FillControls(*values), default_seed=session.next_seed)
    scenes.show_parts(session, chosen["parts"], settings.seed)
    if not chosen["regions"] and not chosen["parts"]:
        return "Nothing is selected: drag over the spectrogram, or add a preset.", 0.0
    selection = Selection.from_dict({**chosen, "features": features})
    task = session.check_selection(selection, settings.seed)
    times = parse_integer("number of variations", count) or 1
    expected = times * pace.seconds(gpu.work_here(task, settings))
    if session.pursuit is None:
        return "Ready: press Fill in.", expected
    scenes.hide_other_variation(session, chosen.key)
    return (
        "Masked plays the sound without the selected atoms; "
        "the model fills erased parts with MDCT atoms."
    ), expected


def _publish(session: Session, status: str, number: int, key: str, features: list[str]) -> Message:
    """Publish the status of a selection, unless a fill has the last word.

    A fill that began or ended since message `number` keeps its status. The selection of the
    variation that is shown keeps the status of its fill; a selection that was removed and made
    again gets it back.
    """
    with session.lock:
        variation = session.current_variation
        if session.revision != number:
            status = session.status
        elif not session.is_filled(key, features):
            session.selection_status = status
        elif session.status != session.selection_status or variation is None:
            status = session.status
        else:
            status = fill_status(variation)
        return session.publish(status)
