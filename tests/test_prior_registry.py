"""The registry of priors: how predictions of several priors combine."""

from dataclasses import replace

import numpy as np
import pytest

from atomizer.atoms.space import AtomSpace
from atomizer.priors.interface import Prediction, PriorContext
from atomizer.priors.registry import COEFFICIENT_PRIORS, predict_coefficients

SPACE = AtomSpace(rate=8000, hop=64)


class ZeroPrior:
    """A prior that predicts nothing."""

    name = "zero"

    def predict(self, context):
        zeros = np.zeros_like(context.amplitude)
        return Prediction(zeros, zeros)


class HalfPrior:
    """A prior that predicts half of a known truth, also at observed atoms."""

    name = "half"

    def __init__(self, truth):
        self.truth = truth

    def predict(self, context):
        return Prediction(self.truth / 2, np.ones_like(self.truth))


@pytest.fixture
def context():
    rng = np.random.default_rng(0)
    amplitude = rng.standard_normal((1, 40, 64)).astype(np.float32)
    observed = np.ones(amplitude.shape, bool)
    observed[:, 18:22] = False
    known = np.where(observed, amplitude, np.float32(0))
    return PriorContext(known, observed, SPACE, 4.0, known, observed, 0)


@pytest.mark.parametrize("before", [True, False])
def test_a_zero_prior_changes_nothing(context, before):
    zero = (ZeroPrior(),)
    priors = zero + COEFFICIENT_PRIORS if before else COEFFICIENT_PRIORS + zero
    expected, found = predict_coefficients(context), predict_coefficients(context, priors)
    np.testing.assert_array_equal(found.mean, expected.mean)
    np.testing.assert_array_equal(found.std, expected.std)


def test_each_prior_sees_the_residual_of_the_one_before(context):
    truth = context.amplitude
    seen = []

    class Recorder(ZeroPrior):
        def predict(self, context):
            seen.append(context.amplitude)
            return super().predict(context)

    found = predict_coefficients(context, (HalfPrior(truth), Recorder()))
    np.testing.assert_allclose(seen[0], np.where(context.observed, truth / 2, 0), atol=1e-6)
    assert not found.mean[context.observed].any()


@pytest.mark.parametrize("level_db, is_predicted", [(-90, True), (-110, False)])
def test_what_an_exact_copy_leaves_is_not_predicted(context, level_db, is_predicted):
    loudest = np.abs(context.amplitude).max()
    peak = loudest / 10 ** (level_db / 20)
    found = predict_coefficients(replace(context, peak=float(peak)))
    assert (found is not None) == is_predicted
