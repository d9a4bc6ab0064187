"""A visitor downloads a file."""

from __future__ import annotations

from typing import Any

from ...errors import AtomizerError
from ...inpainting.shaping import FillShape
from ...plotting.style import PlotStyle
from ..exports import ExportRequest, export
from ..message import Message
from ..session import Session, scenes
from . import responses
from .responses import has_variation, is_active, no_session, sentence_of


def export_file(session: Session | None, request: Any) -> Message:
    """Make the file of a request {kind, version, variation, look}, and offer it for download."""
    if not is_active(session):
        return no_session(session)
    try:
        if not isinstance(request, dict):
            raise AtomizerError("An export needs a kind, a version, a variation and a look.")
        number = request.get("variation")
        wanted = ExportRequest(
            str(request.get("kind")),
            str(request.get("version")),
            number if has_variation(session, number) else None,
            PlotStyle.from_dict(request.get("look") or {}),
            FillShape.from_dict(request.get("shape") or {}),
        )
        data, name, notice = export(session, wanted)
        scenes.offer_download(session, data, name)
        return session.publish(f"{name} is ready. {notice}".strip())
    except Exception as error:
        sentence = sentence_of(error)
        responses.warn(sentence, title="Not exported")
        return session.publish(sentence)
