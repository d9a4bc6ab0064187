"""A tab of a browser, and the session that it shows."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from .presses import Presses
from .state import Session


@dataclass(eq=False)
class Tab:
    """A tab of a browser, and the session that it shows; None before the first sound.

    Handlers of one tab run at the same time. If Gradio kept the session itself, it would give each
    handler the session from before, and keep the one that was returned last, which need not be the
    one that the page shows. So it keeps this object, in which `history` exchanges the session.

    shown    number of the choice that led to the session
    presses  of all of its sessions
    """

    session: Session | None = None
    shown: int = 0
    presses: Presses = field(default_factory=Presses)
    _choices: itertools.count = field(default_factory=lambda: itertools.count(1), repr=False)

    def __post_init__(self):
        if self.session is not None:
            self.session.tab, self.session.presses = self, self.presses

    def __deepcopy__(self, memo):
        return Tab()  # gr.State copies its initial value for every tab

    def choose(self, pressed: float | None = None) -> int:
        """Return the number of a choice, before the session that it leads to is made.

        pressed  when the visitor chose it: fills that were pressed before do not begin
        """
        self.presses.stop(pressed)
        return next(self._choices)
