"""The page: a Gradio app with an interactive spectrogram of atoms.

    app.py            builds and launches the page
    layout.py         the components of the page
    component.py      the spectrogram as a component: its files, its events
    message.py        what Python and the browser send each other
    static/           JavaScript, HTML and CSS

    wiring/           connects the events of components with the handlers
    handlers/         what happens at an event
    session/          what the server stores for one visitor
    session_file/     what a visitor has made of a sound, as a file

    drawing.py        packs atoms into the bytes that the browser draws
    decomposition.py  matching-pursuit atoms
    findings.py       what is found in a sound
    compression.py    the sound as a file of atoms
    variations.py     recipes and files of fills; judging.py measures them, wording.py describes
                      them
    exports.py        files to download
    examples.py       the examples and their cached results

    api.py            the endpoints for programs; endpoints.py has their components

    gpu.py            runs fills on the model's device
    pace.py           how long fills take here
    queue_limits.py   how many events of one client may wait, and how often Gradio looks for them
    cancelling.py     takes what waits out of Gradio's queue
    cleanup.py        frees memory and files of visitors
    published.py      scripts at addresses that change with their content
    texts.py          the repository's texts as pages: documents.py links to them, rendering.py
                      renders them

`ui` may import everything; nothing imports `ui`.
"""

from .app import build, launch

__all__ = ["build", "launch"]
