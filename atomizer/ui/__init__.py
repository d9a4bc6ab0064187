"""The page: a Gradio app with an interactive picture of all atoms.

    view.py      the picture as a component: what Python sends it, what it sends back
    drawing.py   atoms packed into the bytes that the picture draws
    session.py   what the server remembers of one visitor
    visitors.py  frees what visitors leave behind
    actions.py   what happens when something is loaded, selected, filled or stopped
    api.py       the endpoints for programs
    page.py      layout and wiring
    static/      the picture's and the player's JavaScript, HTML and CSS

`ui` may import everything; nothing imports `ui`.
"""

from .wiring import build, launch

__all__ = ["build", "launch"]
