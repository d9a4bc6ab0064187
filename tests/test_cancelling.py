"""Events that are cancelled more than once, or with others that wait."""

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


def test_events_that_wait_behind_one_are_cancelled_with_it():
    begun, go_on = [], threading.Event()

    def steps(name):
        begun.append(name)
        yield 1
        go_on.wait()
        yield 2

    with gr.Blocks() as demo:
        name, shown = gr.Textbox(), gr.Number()
        work = gr.Button().click(steps, name, shown, concurrency_limit=1, concurrency_id="one")
    _, url, _ = launch(demo, prevent_thread_lock=True, quiet=True)

    def press(visitor, text):
        event = {"fn_index": work["id"], "session_hash": visitor}
        joined = httpx.post(f"{url}gradio_api/queue/join", json={**event, "data": [text]})
        return {**event, **joined.json()}

    def wait_for(number):
        until = time.monotonic() + 20
        while len(begun) < number and time.monotonic() < until:
            time.sleep(0.02)

    try:
        press("one", "first")
        wait_for(1)
        *_, last = [press("one", text) for text in ("second", "third", "fourth")]
        press("two", "another visitor's")
        assert httpx.post(f"{url}gradio_api/cancel", content=b"no event").status_code == 422
        with ThreadPoolExecutor(1) as presses:
            answer = presses.submit(httpx.post, f"{url}gradio_api/cancel", json=last)
            time.sleep(0.2)
            go_on.set()
        assert answer.result().status_code == 200
        wait_for(2)
        assert begun == ["first", "another visitor's"]
    finally:
        go_on.set()
        demo.close()
