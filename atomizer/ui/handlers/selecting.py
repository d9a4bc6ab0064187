"""A selection, or a feature of it, changes."""

from __future__ import annotations

from ...atoms.beats import NoBeat
from ...atoms.selection import Selection
from ..component import Chosen, Message
from ..session import Session, scenes
from .controls import parse_integer
from .filling import fill_status
from .responses import is_active, no_session, sentence_of


def describe(
    chosen: Chosen, features: list[str], seed: str | float | None, session: Session | None
) -> Message:
    """Mark the selected parts, and return the next step or the problem as the status message."""
    if not is_active(session):
        return no_session(session)
    session.features = features
    session.has_selection = bool(chosen.get("regions") or chosen.get("parts"))
    number, refused = session.revision, ""
    try:
        status = _selection_status(chosen, features, seed, session)
    except Exception as error:
        status = sentence_of(error)
        if isinstance(error, NoBeat):  # the page takes it out, and keeps the rest of the selection
            refused = next(part for part in chosen["parts"] if part.startswith("beats:"))
    session.update(refused=refused)
    return _publish(session, status, number, chosen.key, features)


def _selection_status(
    chosen: Chosen, features: list[str], seed: str | float | None, session: Session
) -> str:
    """Mark the selected parts; returns the status message. Raises AtomizerError."""
    given_seed = parse_integer("seed", seed)
    number = session.next_seed if given_seed is None else given_seed
    scenes.show_parts(session, chosen["parts"], number)
    if not chosen["regions"] and not chosen["parts"]:
        return "Nothing is selected: drag over the spectrogram, or add a preset."
    session.check_selection(Selection.from_dict({**chosen, "features": features}), number)
    if session.pursuit is None:
        return "Ready: press Fill in."
    scenes.hide_other_variation(session, chosen.key)
    return (
        "Masked plays the sound without the selected atoms; "
        "the model fills erased parts with MDCT atoms."
    )


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
