"""The priors in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from .interface import Prediction, Prior, PriorContext
from .spectral_envelope import SpectralEnvelopePrior
from .wiener import WienerPrior

# Each prior predicts what the ones before it leave: linear prediction, the most general, is last.
COEFFICIENT_PRIORS: tuple[Prior, ...] = (WienerPrior(),)
LEVEL_PRIOR: Prior = SpectralEnvelopePrior()


def predict_coefficients(
    context: PriorContext, priors: Sequence[Prior] = COEFFICIENT_PRIORS
) -> Prediction | None:
    """Predict with every prior in turn, each on the residual of those before it.

    The means add up; the standard deviation is that of the last prior that predicts anything.
    """
    total: Prediction | None = None
    for prior in priors:
        found = prior.predict(context)
        if found is None:
            continue
        # the next prior sees what this one leaves
        residual = np.where(context.observed, context.amplitude - found.mean, np.float32(0))
        context = replace(context, amplitude=residual)
        mean = found.mean if total is None else total.mean + found.mean
        total = Prediction(np.where(context.observed, np.float32(0), mean), found.std)
    return total
