"""The original as a file of atoms: its bytes, the sound of its prefixes, and other codecs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from ... import codec
from ...errors import AtomizerError
from ...inpainting.settings import Settings
from ...inpainting.unsent import unsent_task
from ...io.audio import Sound
from ...limits import limits
from .. import cleanup, compression, gpu
from ..message import AtomsFile, Message
from ..session import Session
from . import responses
from .responses import is_active, no_session, sentence_of

STOPPED = "Stopped: what was not sent is not filled in."


def encode_file(session: Session | None, order: Any) -> Message:
    """Encode the original in an ordering, unless it was encoded before."""
    if not is_active(session):
        return no_session(session)
    original = session.shown.original
    try:
        name = compression.check_order(order)
        if compression.find_file(session, name) is None:
            file = compression.encode_original(session, name)
            if not _update(session, original, files=[*session.shown.compression.files, file]):
                return gr.skip()
        return session.publish(session.status)
    except Exception as error:
        return _failed(session, error)
    finally:
        cleanup.trim_heap()


def decode_prefix(session: Session | None, request: Any) -> Message:
    """Decode a prefix {order, size, filled} of the file; noise fills in what was not sent."""
    if not is_active(session):
        return no_session(session)
    original = session.shown.original
    try:
        file, size, filled = _read_request(session, request)
        received = compression.receive_prefix(file, size)
        sound = codec.render(received, "noise" if filled else None)
        return _show_prefix(session, original, (file, size, filled), sound)
    except Exception as error:
        return _failed(session, error)
    finally:
        cleanup.trim_heap()


def fill_prefix(
    session: Session | None, request: Any, pressed: float | None = None
) -> Iterator[Message]:
    """Decode a prefix {order, size} in the order of velocity; the model fills in the rest.

    pressed  as in filling.py
    """
    if not is_active(session):
        yield no_session(session)
        return
    original = session.shown.original
    if session.presses.was_stopped(pressed):
        yield _explained(session, STOPPED)
        return
    try:
        file, size, _ = _read_request(session, request)
        task = unsent_task(compression.receive_prefix(file, size))
        deadline = time.monotonic() + limits().fill_seconds
        method = "model" if gpu.has_model() else "noise"
        for step in gpu.fill(task, Settings(method), gpu.model_for(method, deadline)):
            if session.presses.was_stopped(pressed):
                yield _explained(session, STOPPED)
                return
            if step.number < step.total:
                gpu.check_time(deadline)
                yield session.publish(
                    f"Filling in what was not sent: part {step.number} of {step.total}",
                )
        sound = task.render(step.grid)
        yield _show_prefix(
            session, original, (file, size, True), sound, "What was not sent is filled in."
        )
    except Exception as error:
        yield _failed(session, error)
    finally:
        cleanup.trim_heap()


def compare_codecs(session: Session | None, order: Any) -> Iterator[Message]:
    """Measure an excerpt of the original as a file of atoms and in other codecs."""
    if not is_active(session):
        yield no_session(session)
        return
    original = session.shown.original
    try:
        name = compression.check_order(order)
        excerpt = compression.excerpt_of(session.sound)
        for done, points, curves in compression.curves_of(excerpt, name):
            values = dict(measured=done, points=points, seconds=excerpt.seconds, order=name)
            if not _update(session, original, curves=[*curves], **values):
                return
            yield session.publish(session.status)
    except Exception as error:
        yield _failed(session, error)
    finally:
        cleanup.trim_heap()


def _read_request(session: Session, request: Any) -> tuple[AtomsFile, int, bool]:
    """Return (file, bytes, filled) of a request from the browser. Raises AtomizerError."""
    values = request if isinstance(request, dict) else {}
    file, size = compression.find_file(session, values.get("order")), values.get("size")
    if file is None or isinstance(size, bool) or not isinstance(size, int):
        raise AtomizerError("A prefix needs the ordering of an encoded file and a number of bytes.")
    return file, size, values.get("filled") is True


def _show_prefix(
    session: Session,
    original: Any,
    chosen: tuple[AtomsFile, int, bool],
    sound: Sound,
    status: str | None = None,
) -> Message:
    """Publish the sound of a prefix; the status stays as it is by default."""
    prefix = compression.prefix_of(session, *chosen, sound)
    if not _update(session, original, prefix=prefix):
        return gr.skip()
    return session.publish(session.status if status is None else status)


def _update(session: Session, original: Any, **fields: Any) -> bool:
    """Change fields of the compression; False where the page shows another sound by now."""
    with session.lock:
        if session.replaced_by is not None or session.shown.original is not original:
            return False
        now = session.shown.compression
        session.update(compression=now.model_copy(update={"problem": "", **fields}))
        return True


def _failed(session: Session, error: Exception) -> Message:
    """Explain why there is no file, or no sound of it."""
    sentence = sentence_of(error)
    responses.warn(sentence, title="File of atoms")
    return _explained(session, sentence)


def _explained(session: Session, sentence: str) -> Message:
    """Publish why there is no sound of the file, as the status and beside the file."""
    if not _update(session, session.shown.original, problem=sentence):
        return gr.skip()
    return session.publish(sentence)
