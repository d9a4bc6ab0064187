"""The configuration of a model: every number that defines it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field

from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from ..validation import Schema, schema_of, validate

SERIALISATIONS = ("time", "frequency", "tile", "order")

Size = Annotated[int, Field(ge=1, le=1 << 16, description="a whole number from 1 to 65,536")]
Reach = Annotated[int, Field(ge=0, le=1 << 16, description="a whole number from 0 to 65,536")]
Layers = Annotated[int, Field(ge=0, le=256, description="a whole number from 0 to 256")]
Cell = Annotated[tuple[Size, Size, Size], Field(description="three whole numbers from 1")]
Neighbourhood = Annotated[tuple[Reach, Reach], Field(description="two whole numbers from 0")]
Serialisations = Annotated[
    tuple[Literal["time", "frequency", "tile", "order"], ...],
    Field(min_length=1, description=f"one or more of {', '.join(SERIALISATIONS)}"),
]
Globals = Annotated[int, Field(ge=0, le=4096, description="a whole number from 0 to 4096")]


@dataclass(frozen=True)
class ModelConfig:
    """Configuration of an `AtomTransformer`; raises AtomizerError for values that no model has.

    space           atoms that the model accepts; frames and channels are those of one window
    cell            atoms per token: (frames, bins, channels); (1, 1, 1) is one token per atom
    embed           width of the embedding of a feature
    encoding        "absolute": trained tables; "sinusoidal": fixed sinusoids for time and
                    frequency, with a trained vector for ∅
    width, heads, layers  of the Transformer
    window          tokens that attend to each other
    serialisations  orders of the tokens, which the layers alternate between: "time", "frequency",
                    "tile" or "order", the user's own
    globals         tokens that attend to all tokens and that all tokens attend to
    statistics      how many of these also hold statistics of all that is known in the whole
                    recording (`priors.band_context`); 0 for a model that takes none
    slot            width of the Transformer's vector of one atom, an input of the decoder
    reach           neighbourhood of an atom: (frames, bins) to either side
    wiener          neighbourhood of the Wiener estimate in the decoder's input: (frames, bins) to
                    either side; None for a model without it
    hidden, depth   of the decoder
    """

    space: AtomSpace = field(default_factory=lambda: AtomSpace(frames=64, channels=2))
    cell: Cell = (4, 16, 2)
    embed: Size = 16
    encoding: Literal["absolute", "sinusoidal"] = "absolute"
    width: Size = 192
    heads: Size = 6
    layers: Layers = 6
    window: Size = 256
    serialisations: Serialisations = ("time", "frequency")
    globals: Globals = 4
    statistics: Globals = 0
    slot: Size = 16
    reach: Neighbourhood = (2, 5)
    wiener: Neighbourhood | None = (1, 2)
    hidden: Size = 256
    depth: Layers = 2

    def __post_init__(self) -> None:
        validate(_schema(), vars(self))
        space = self.space
        space.validate()
        for size, whole in zip(self.cell, (space.frames, space.hop, space.channels)):
            if whole % size:
                raise AtomizerError(
                    f"A cell of {self.cell} does not divide a window of {space.frames} frames, "
                    f"{space.hop} bins and {space.channels} channels."
                )
        if self.width % (4 * self.heads):
            raise AtomizerError(f"The width {self.width} is no multiple of 4 * {self.heads} heads.")
        if self.statistics > self.globals:
            raise AtomizerError(
                f"Of {self.globals} global tokens, {self.statistics} cannot hold statistics."
            )
        if "order" in self.serialisations and self.slots > 1:
            raise AtomizerError(
                'The serialization "order" sorts single atoms: it needs cells of (1, 1, 1).'
            )

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

    @property
    def neighbour_bins(self) -> int:
        """Bins to either side of an atom that the decoder reads."""
        return max(self.reach[1], self.wiener[1] if self.wiener else 0)

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as a dictionary for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> ModelConfig:
        """Return the configuration of parsed JSON, the inverse of `to_dict`.

        Raises AtomizerError for unknown fields and invalid values.
        """
        if not isinstance(data, dict):
            raise AtomizerError(_schema().form)
        space = validate(_space_schema(), data.get("space"))
        values: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in data.items()
        }
        # models from before the field was introduced have no estimate
        values = {"wiener": None, **values, "space": AtomSpace(**dict(space))}
        validate(_schema(), values)
        return cls(**values)


@cache
def _schema() -> type[Schema]:
    return schema_of(
        ModelConfig, "The field {} of a model", "A model's configuration is an object."
    )


@cache
def _space_schema() -> type[Schema]:
    return schema_of(
        AtomSpace, "The field {} of a model's space", "The space of a model is an object."
    )
