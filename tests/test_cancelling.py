"""Events of a visitor that wait are taken out of the queue."""

import threading
import time

import gradio as gr
import httpx

from atomizer.ui import launch
from atomizer.ui.cancelling import drop_waiting


def test_what_waits_of_one_visitor_is_dropped():
    begun, go_on = [], threading.Event()

    def steps(name):
        begun.append(name)
        yield 1
        go_on.wait()
        yield 2

    async def drop(request: gr.Request):
        await drop_waiting(demo, request.session_hash, [work["id"]])
        begun.append("dropped")

    with gr.Blocks() as demo:
        name, shown = gr.Textbox(), gr.Number()
        work = gr.Button().click(steps, name, shown, concurrency_limit=1, concurrency_id="one")
        stop = gr.Button().click(drop)
    _, url, _ = launch(demo, prevent_thread_lock=True, quiet=True)

    def press(event, visitor, *values):
        body = {"fn_index": event["id"], "session_hash": visitor, "data": values}
        httpx.post(f"{url}gradio_api/queue/join", json=body).raise_for_status()

    def wait_for(number):
        until = time.monotonic() + 20
        while len(begun) < number and time.monotonic() < until:
            time.sleep(0.02)

    try:
        press(work, "one", "first")
        wait_for(1)
        for text in ("second", "third"):
            press(work, "one", text)
        press(work, "two", "another visitor's")
        press(stop, "one")
        wait_for(2)
        go_on.set()
        wait_for(3)
        assert begun == ["first", "dropped", "another visitor's"]
    finally:
        go_on.set()
        demo.close()
