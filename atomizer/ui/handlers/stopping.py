"""A visitor stops what runs."""

from __future__ import annotations

import gradio as gr

from .. import decomposition
from ..message import Message
from ..session import Session, jobs
from ..session.job_state import JobState


def stop(session: Session | None, pressed: float | None = None) -> Message:
    """Cancel the running fill or pursuit, and keep what it has found so far.

    What was pressed before does not begin after it.
    """
    if session is None:
        return gr.skip()
    with session.lock:
        session.presses.stop(pressed)
        job = session.job
        if job is None or not job.active:
            return session.publish(session.status)  # the page may have missed how it ended
        state, step = job.state, jobs.stop(session)
        if job.kind == "pursuit":
            if session.pursuit is None:
                return session.publish("Stopped before the first atoms were shown.")
            return session.publish(f"Stopped: {decomposition.pursuit_status(session.pursuit)}.")
        if step is not None:
            return session.publish(
                f"Stopped after step {step.number} of {step.total}: "
                "what was filled in so far is kept."
            )
        if state is JobState.WAITING:  # between two variations
            return session.publish("Stopped: what was filled in so far is kept.")
        return session.publish("Stopped before the first step: nothing was filled in.")
