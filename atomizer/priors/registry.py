"""The priors in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from . import partials, recording
from .interface import Prediction, Prior, PriorContext
from .recording_context import RecordingContext, RecordingPrediction, add, residual
from .spectral_envelope import SpectralEnvelopePrior
from .wiener import WienerPrior

# Each prior predicts what the ones before it leave: linear prediction, the most general, is last.
COEFFICIENT_PRIORS: tuple[Prior, ...] = (WienerPrior(),)
RECORDING_PRIORS = {"recording": recording.predict, "partials": partials.predict}
LEVEL_PRIOR: Prior = SpectralEnvelopePrior()


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
    """Predict hidden atoms from the rest of a recording.

    using  "auto" applies all priors in turn, each to the residual of those before it; the name of a
           prior applies it alone; "texture" applies none
    """
    total: RecordingPrediction | None = None
    if using == "texture" or not context.spans:
        return None
    for name, predict in RECORDING_PRIORS.items():
        if using in ("auto", name):
            total = add(total, predict(residual(context, total)))
    return total
