"""The priors in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .choices import USING
from .interface import Prediction, Prior, PriorContext
from .recording.context import (
    RecordingContext,
    RecordingPrediction,
    RecordingPrior,
    add,
    residual,
)
from .recording.copy_prior import RecordingCopyPrior
from .recording.partials import PartialsPrior
from .spectral_envelope import SpectralEnvelopePrior
from .wiener import WienerPrior

# Each prior predicts what the ones before it leave: linear prediction, the most general, is last.
COEFFICIENT_PRIORS: tuple[Prior, ...] = (WienerPrior(),)
LEVEL_PRIOR: Prior = SpectralEnvelopePrior()
# Applied once per recording, in this order; their names are those of `choices.USING`
RECORDING_PRIORS: tuple[RecordingPrior, ...] = (RecordingCopyPrior(), PartialsPrior())


def predict_coefficients(
    context: PriorContext, priors: Sequence[Prior] | None = None
) -> Prediction | None:
    """Predict with every prior in turn, each on the residual of those before it.

    The means add up, and each prior's deviation replaces that of the ones before it wherever it has
    one. The residual is what the means leave of the observed atoms: a prior that is not the last
    also gives its mean there.

    priors  by default `COEFFICIENT_PRIORS`
    """
    total: Prediction | None = None
    for prior in COEFFICIENT_PRIORS if priors is None else priors:
        found = prior.predict(context)
        if found is None:
            continue
        residual = np.where(context.observed, context.amplitude - found.mean, np.float32(0))
        context = replace(context, amplitude=residual)
        hidden_mean = np.where(context.observed, np.float32(0), found.mean)
        if total is None:
            total = Prediction(hidden_mean, found.std)
        else:
            std = np.where(found.std > 0, found.std, total.std)
            total = Prediction(total.mean + hidden_mean, std)
    return total


def predict_from_recording(
    context: RecordingContext, using: str = "auto"
) -> RecordingPrediction | None:
    """Predict hidden atoms from the whole recording, each prior on the residual of those before it.

    Parameters
    ----------
    context : RecordingContext
        From `recording.context.erase_hidden`.
    using : str
        A name of `choices.USING`: "auto" applies all of `RECORDING_PRIORS` in turn, "texture" none,
        other names that prior alone.

    Returns
    -------
    RecordingPrediction or None
        The sum of all predictions; None where the recording predicts nothing.

    Raises
    ------
    ValueError
        If `using` is not in `USING`.
    """
    if using not in USING:
        raise ValueError(f"There is no prior {using!r}: choose from {', '.join(USING)}.")
    total: RecordingPrediction | None = None
    found: RecordingPrediction | None = None
    for prior in RECORDING_PRIORS:
        if using in ("auto", prior.name):
            context = residual(context, found)
            found = prior.predict(context)
            if found is not None and found.mean[context.mask[:, found.frames]].any():
                found = replace(found, priors=(prior.name,))
            total = add(total, found)
    return total
