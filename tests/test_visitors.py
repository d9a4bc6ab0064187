"""What a visitor takes of the queue."""

import asyncio
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import SimpleNamespace

import gradio as gr
from gradio.data_classes import PredictBodyInternal

from atomizer.limits import limits
from atomizer.ui import cleanup as visitors


def test_who_has_enough_waiting_is_answered_at_once():
    with gr.Blocks() as demo:
        work = gr.Button().click(lambda: None)
        refusal = visitors.refusal()
    demo.queue()
    visitors.share_queue(demo, refusal)

    def refused(session, host="1.2.3.4"):
        body = PredictBodyInternal(fn_index=work["id"], session_hash=session, data=[], request=None)
        pushed = demo._queue.push(body, SimpleNamespace(client=SimpleNamespace(host=host)), None)
        with ThreadPoolExecutor(
            1
        ) as other:  # a browser that an earlier test opened keeps this thread's event loop running
            other.submit(asyncio.run, pushed).result()
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
    line.remove(next(event for event in line if event.session_hash == "one"))  # it has begun
    assert not refused("one") and refused("one") and refused("other")


def test_what_is_due_is_done_in_its_turn_by_one_thread():
    done, threads = queue.Queue(), threading.active_count()
    for seconds, name in ((0.3, "third"), (0.1, "first"), (3600, "never"), (0.2, "second")):
        visitors.later(timedelta(seconds=seconds), done.put, name)
    visitors.later(timedelta(seconds=0.15), [].pop)  # fails
    assert [done.get(timeout=10) for _ in range(3)] == ["first", "second", "third"] and done.empty()
    assert threading.active_count() <= threads + 1
