"""A visitor saves a session as a file, and opens one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ...atoms.selection import Selection
from ...atoms.space import LOUDNESS
from ...errors import AtomizerError
from ...inpainting.recipe import Recipe
from ...inpainting.shaping import FillShape
from ...limits import limits
from .. import cleanup, session_file
from ..message import Chosen, Message
from ..session import Session, capturing, restoring, scenes
from ..session_file import SavedWork
from . import responses
from .controls import FillControls, parse_integer, parse_number, settings_of
from .recipes import with_default_seed
from .responses import is_active, no_session, sentence_of


def save_session(
    chosen: Chosen, session: Session | None, request: Any, features: list[str], *controls
) -> Message:
    """Make a session file, and offer it for download.

    `request` is {variation, shapes}: the id of the variation that the page shows, and the shapes of
    fills by their ids. `controls` are the fields of FillControls, the number of variations, and the
    seconds to add at the end.
    """
    if not is_active(session):
        return no_session(session)
    try:
        request = request if isinstance(request, dict) else {}
        selection = Selection.from_dict({**chosen, "features": features or list(LOUDNESS)})
        content = capturing.capture(
            session,
            _work_of(selection, controls, session),
            request.get("variation"),
            _shapes_of(request.get("shapes")),
        )
        data = session_file.encode(content)
        name = Path(session.name).stem[:60] + session_file.ENDING
        scenes.offer_download(session, data, name)
        return session.publish(f"{name} is ready: drop it on the page to go on with it.")
    except Exception as error:
        sentence = sentence_of(error)
        responses.warn(sentence, title="Not saved")
        return session.publish(sentence)
    finally:
        cleanup.trim_heap()


def _work_of(selection: Selection, controls: tuple, session: Session) -> SavedWork:
    """Return the work of the page. Raises AtomizerError for controls that no fill accepts."""
    *values, count, seconds = controls
    fields = FillControls(*values)
    recipe = Recipe(selection, replace(settings_of(fields), like=session.like))
    wanted = parse_integer("number of variations", count) or 1
    added = parse_number("seconds", seconds) or 0.0
    if not 1 <= wanted <= limits().variations or added < 0:
        raise AtomizerError(
            f"1 to {limits().variations} variations, and 0 seconds or more to add, can be saved."
        )
    is_new_seed = fields.entered_seed is None
    return SavedWork(with_default_seed(session, recipe, fields), is_new_seed, wanted, added)


def _shapes_of(data: Any) -> dict[int, FillShape]:
    """Return shapes by the ids of variations, which come from the browser."""
    if not isinstance(data, dict):
        return {}
    return {int(key): FillShape.from_dict(shape) for key, shape in data.items() if key.isdecimal()}


def open_saved(path: str | Path) -> Session:
    """Open a session file. Raises AtomizerError that says what is invalid."""
    content = session_file.decode(Path(path).read_bytes())
    return restoring.restore(content, cleanup.uploaded_path(path))


def opened_status(session: Session) -> str:
    """Return the status message of a session that was opened."""
    count = len(session.shown.variations)
    variations = f"{count} variation{'s' * (count != 1)}"
    layers = len(session.undo_stack)
    more = f" and {layers} layer{'s' * (layers != 1)}" if layers else ""
    return f"The session of {session.title} is back, with {variations}{more}."
