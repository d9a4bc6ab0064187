"""The page: a Gradio app with an interactive spectrogram of atoms.

    app.py            builds and launches the page
    layout.py         the components of the page
    wiring/           connects their events with the handlers
    component.py      the spectrogram as a component: its files, its events
    message.py        what Python and the browser send each other
    drawing.py        packs atoms into the bytes that the browser draws
    decomposition.py  matching-pursuit atoms on the page
    variations.py     recipes and files of fills; judging.py measures them, wording.py describes
    exports.py        files to download
    examples.py       the examples and their cached results
    session/          what the server stores for one visitor
    handlers/         what happens at an event of the page
    api.py            the endpoints for programs; endpoints.py has their components
    gpu.py            runs fills on the model's device
    cleanup.py        frees memory and files of visitors
    queue_limits.py   how many events of one client may wait, and how often Gradio looks for them
    static/           JavaScript, HTML and CSS

`ui` may import everything; nothing imports `ui`.
"""

from .app import build, launch

__all__ = ["build", "launch"]
