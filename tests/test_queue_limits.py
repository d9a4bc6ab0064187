"""Waiting events of one client."""

import os
from types import SimpleNamespace

import gradio as gr
from gradio.data_classes import PredictBodyInternal

from atomizer.limits import limits
from atomizer.ui import build, queue_limits


def test_client_above_the_limit_is_refused_at_once(run_async):
    with gr.Blocks() as demo:
        work = gr.Button().click(lambda: None)
        refusal = queue_limits.queue_full()
    demo.queue()
    queue_limits.limit_per_client(demo, refusal)

    def refused(session, host="1.2.3.4"):
        body = PredictBodyInternal(fn_index=work["id"], session_hash=session, data=[], request=None)
        pushed = demo._queue.push(body, SimpleNamespace(client=SimpleNamespace(host=host)), None)
        run_async(pushed)
        return body.fn_index == refusal["id"]

    most = limits().waiting
    for session, host in (
        ("one", "1.2.3.4"),
        ("other", "1.2.3.4"),
        (None, "1.2.3.4"),
        (None, "5.6.7.8"),
    ):
        assert [refused(session, host) for _ in range(most + 2)] == [False] * most + [True] * 2
    line = demo._queue.event_queue_per_concurrency_id[demo.fns[work["id"]].concurrency_id].queue
    line.remove(next(event for event in line if event.session_hash == "one"))  # it has started
    assert not refused("one") and refused("one") and refused("other")


def test_an_idle_queue_is_looked_at_a_hundred_times_a_second():
    demo = build()
    assert demo._queue.sleep_when_free == queue_limits.POLL_SECONDS == 0.01
    with gr.Blocks() as plain:
        gr.Button()
    assert plain.queue()._queue.sleep_when_free <= 0.01 or os.name == "nt"  # else it has no use
