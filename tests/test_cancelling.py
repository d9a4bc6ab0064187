"""Events that are cancelled more than once."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import gradio as gr
import httpx

from atomizer.ui import launch


def test_event_can_be_cancelled_twice_during_a_step():
    in_second_step, go_on = threading.Event(), threading.Event()

    def steps():
        yield 1
        in_second_step.set()
        go_on.wait()
        yield 2

    with gr.Blocks() as demo:
        work = gr.Button().click(steps, None, gr.Number())
    _, url, _ = launch(demo, prevent_thread_lock=True, quiet=True)
    event = {"fn_index": work["id"], "session_hash": "one"}
    try:
        joined = httpx.post(f"{url}gradio_api/queue/join", json={**event, "data": []}).json()
        assert in_second_step.wait(10)
        with ThreadPoolExecutor(2) as presses:
            answers = [
                presses.submit(httpx.post, f"{url}gradio_api/cancel", json={**event, **joined})
                for _ in range(2)
            ]
            time.sleep(0.2)  # both requests have arrived
            go_on.set()
        assert [answer.result().status_code for answer in answers] == [200, 200]
    finally:
        go_on.set()
        demo.close()
