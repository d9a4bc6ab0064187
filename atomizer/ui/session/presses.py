"""When the visitor of a tab pressed what ends everything pressed before it.

Requests overtake each other: a fill that was pressed before Stop, or before another sound was
chosen, can arrive after it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass
class Presses:
    """What the visitor of a tab has pressed last that ends fills.

    Times are in ms by the browser's clock; None where no browser is concerned.
    """

    stopped: float = -math.inf  # when Stop was pressed, or another sound chosen, last

    def stop(self, pressed: float | None) -> None:
        """End what was pressed before: it does not begin any more."""
        if pressed is not None:
            self.stopped = max(self.stopped, pressed)

    def was_stopped(self, pressed: float | None) -> bool:
        """Whether a fill that was pressed at this time must not begin."""
        return pressed is not None and pressed < self.stopped
