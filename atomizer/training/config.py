"""Configuration of a training run."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from ..validation import schema_of, validate
from .losses import LOUD_PART

MAX_SEED = (1 << 53) - 1  # every process and step has a seed of its own, which torch must accept


def _number(description: str, **limits: float | bool) -> Any:
    """Range of a field of `TrainingConfig`, and its description in error messages."""
    return Field(description=description, **limits)  # type: ignore[call-overload]


@dataclass(frozen=True)
class TrainingConfig:
    """Configuration of a training run.

    minutes     training time that the schedule spans, over all resumed runs, without evaluation
                and loading
    steps       steps in all, which the schedule spans instead of minutes
    batch       windows per step and process
    targets     unknown atoms per step whose predictions enter the losses
    optimiser   "adamw", or "muon" for the matrices of the trunk's blocks and AdamW for the rest
    lr          peak learning rate; linear warm-up, then a cosine to zero
    warmup      steps of the warm-up
    weight_decay  of matrices; vectors have none
    ema         decay of the averaged weights, which are the ones that are saved
    clip        norm that gradients are clipped to
    seed        of weights and masks
    power_target  whether mean levels are learned from MDCT and MDST, which have less noise than
                those of the MDCT alone
    add_layers  of the Transformer, after those of `--init`; they have no effect at first
    inherited   share of the learning rate for weights of `--init`, beside new ones; 0 keeps them
    save_minutes, evaluate_minutes   time between two checkpoints, and between two evaluations
    """

    minutes: Annotated[
        float, _number("a finite number of minutes above 0", gt=0, allow_inf_nan=False)
    ] = 60.0
    steps: Annotated[int | None, _number("1 step or more", ge=1)] = None
    batch: Annotated[int, _number("1 window or more", ge=1)] = 4
    targets: Annotated[int, _number(f"{LOUD_PART} unknown atoms or more", ge=LOUD_PART)] = 16_000
    optimiser: Literal["adamw", "muon"] = "adamw"
    lr: Annotated[float, _number("a finite learning rate above 0", gt=0, allow_inf_nan=False)] = (
        1.5e-3
    )
    warmup: Annotated[int, _number("a warm-up of 1 step or more", ge=1)] = 150
    weight_decay: Annotated[
        float, _number("a finite weight decay from 0", ge=0, allow_inf_nan=False)
    ] = 0.02
    ema: Annotated[
        float, _number("a decay of the averaged weights from 0 to below 1", ge=0, lt=1)
    ] = 0.999
    clip: Annotated[float, _number("a norm above 0 that gradients are clipped to", gt=0)] = 1.0
    seed: Annotated[int, _number("a whole number from 0 to 2^53 - 1", ge=0, le=MAX_SEED)] = 0
    power_target: bool = False
    add_layers: Annotated[int, _number("0 or more further layers", ge=0, le=64)] = 0
    inherited: Annotated[float, _number("a share of the learning rate from 0 to 1", ge=0, le=1)] = (
        1.0
    )
    save_minutes: Annotated[float, _number("0 or more minutes between two checkpoints", ge=0)] = 3.0
    evaluate_minutes: Annotated[
        float, _number("0 or more minutes between two evaluations", ge=0)
    ] = 15.0

    def validate(self) -> None:
        """Raise AtomizerError for values out of range."""
        schema = schema_of(TrainingConfig, "The field {!r} of a training", "An object is accepted.")
        validate(schema, asdict(self))
