"""Every number that defines a model, in one dataclass."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from ..atoms.space import AtomSpace

SERIALISATIONS = ("time", "frequency", "tile", "order")


@dataclass(frozen=True)
class ModelConfig:
    """Configuration of an `AtomTransformer`.

    space           the atoms it knows; frames and channels are those of one window
    cell            atoms per token: (frames, bins, channels); (1, 1, 1) is one token per atom
    embed           width of a feature's embedding
    encoding        "absolute": trained tables; "sinusoidal": fixed waves for time and frequency, a trained ∅ beside them
    width, heads, layers  of the Transformer
    window          tokens that attend to each other
    serialisations  how tokens are lined up, layer by layer, in turns: "time", "frequency", "tile", or "order", the user's own
    globals         tokens that see everything and that everything sees
    slot            width of what the Transformer tells the decoder about one atom
    reach           neighbourhood of an atom: (frames, bins) to either side
    wiener          neighbourhood in which the decoder sees the Wiener estimate: (frames, bins) to either side; None without it
    hidden, depth   of the decoder
    """

    space: AtomSpace = field(default_factory=lambda: AtomSpace(frames=64, channels=2))
    cell: tuple[int, int, int] = (4, 16, 2)
    embed: int = 16
    encoding: str = "absolute"
    width: int = 192
    heads: int = 6
    layers: int = 6
    window: int = 256
    serialisations: tuple[str, ...] = ("time", "frequency")
    globals: int = 4
    slot: int = 16
    reach: tuple[int, int] = (2, 5)
    wiener: tuple[int, int] | None = (1, 2)
    hidden: int = 256
    depth: int = 2

    def __post_init__(self):
        for size, whole in zip(self.cell, (self.space.frames, self.space.hop, self.space.channels)):
            if whole % size:
                raise ValueError(
                    f"A cell of {self.cell} does not divide a window of {self.space.frames} frames, "
                    f"{self.space.hop} bins and {self.space.channels} channels."
                )
        if self.width % (4 * self.heads):
            raise ValueError(f"The width {self.width} is no multiple of 4 * {self.heads} heads.")
        if not set(self.serialisations) <= set(SERIALISATIONS):
            raise ValueError(
                f"Serialisations are {', '.join(SERIALISATIONS)}, not {self.serialisations}."
            )
        if "order" in self.serialisations and self.slots > 1:
            raise ValueError(
                "The user's ordering serialises single atoms: it needs cells of (1, 1, 1)."
            )
        if self.encoding not in ("absolute", "sinusoidal"):
            raise ValueError(f"The encoding is absolute or sinusoidal, not {self.encoding!r}.")

    @property
    def slots(self) -> int:
        """Atoms per cell."""
        return math.prod(self.cell)

    @property
    def cells(self) -> tuple[int, int, int]:
        """Cells per window along time, frequency and channel."""
        return (
            self.space.frames // self.cell[0],
            self.space.hop // self.cell[1],
            self.space.channels // self.cell[2],
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelConfig:
        """The configuration of parsed JSON, the inverse of `to_dict`. Raises TypeError or ValueError where it is none."""
        data = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        # configurations without the field are of models without the estimate
        return cls(**{"wiener": None, **data, "space": AtomSpace(**data["space"])})
