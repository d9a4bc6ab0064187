"""Events of the page as Gradio runs them: at the same time, with the state that it keeps."""

import asyncio
import threading

import gradio as gr
import numpy as np
import soundfile
from gradio.components import State
from gradio.data_classes import FileData

from atomizer.io.audio import Sound
from atomizer.ui import build, handlers
from atomizer.ui.layout import example_sounds
from atomizer.ui.session import Tab, history, open_session


def test_additions_follow_an_accepted_fill(run_async):
    session = open_session(Sound(np.ones((1, 4000), np.float32), 8000), "low.wav")
    demo, controls = build(), ("auto", False, None, None, None, 0, "noise", "auto", 0, 1)
    functions = {function.name: function for function in demo.fns.values()}
    visitor = demo.state_holder["visitor"]
    visitor[_state_of(demo)] = tab = Tab(session)

    def possible(name, *inputs, **payload):
        event = gr.EventData(None, payload)
        result = demo.process_api(
            functions[name], [*inputs, None], visitor, event_data=event, explicit_call=True
        )
        return [update.get("interactive") for update in run_async(result)["data"][2:4]]

    list(handlers.add_channel(session, *controls))
    assert possible("accept", id=session.shown.current) == [False, True]
    list(handlers.extend_bandwidth(session, *controls))
    assert possible("accept", id=session.shown.current) == [False, False]
    assert possible("undo", 1.0) == [False, True]
    assert possible("undo", 2.0) == [True, True] and tab.session is session
    session.close()


def _state_of(demo) -> int:
    return next(block for block in demo.blocks.values() if isinstance(block, State))._id


def test_a_sound_chosen_while_the_first_one_loads_stays(tmp_path, monkeypatch, run_async):
    own = tmp_path / "own.wav"
    soundfile.write(own, np.random.default_rng(0).uniform(-0.5, 0.5, 4000), 8000)
    show, is_shown = history.show, threading.Event()

    def in_order(tab, session, choice):
        if session.name != own.name:
            assert is_shown.wait(60)
        try:
            return show(tab, session, choice)
        finally:
            is_shown.set()

    monkeypatch.setattr(history, "show", in_order)
    demo = build()
    assert not any(function.cancels for function in demo.fns.values()), "/cancel can fail"
    functions = {function.name: function for function in demo.fns.values()}
    visitor = demo.state_holder["visitor"]

    def event(name, value):
        return demo.process_api(functions[name], [*value, None], visitor, explicit_call=True)

    async def load():
        first = asyncio.create_task(event("load_first", [example_sounds()[0][1]]))
        await asyncio.sleep(0)
        upload = FileData(path=str(own), orig_name=own.name).model_dump()
        return await asyncio.gather(first, event("load_upload", [1.0, upload]))

    late, chosen = (result["data"] for result in run_async(load()))
    assert "value" not in late[0], "the page gets nothing of the first sound"
    assert chosen[0]["scene"]["name"] == own.name
    session = visitor[_state_of(demo)].session
    assert session.name == own.name and session.replaced_by is None
    demo.state_holder.delete_state("visitor")
    assert not session.folder.exists(), "Gradio releases what the events returned"
