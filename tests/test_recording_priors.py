"""Recording priors: copies from elsewhere in the recording, and partials joined across spans."""

from __future__ import annotations

import numpy as np
import pytest

from atomizer import Settings, Sound, parse, prepare
from atomizer.analysis.mdct import mdct
from atomizer.atoms.space import AtomSpace
from atomizer.errors import AtomizerError
from atomizer.inpainting.resolve import resolve
from atomizer.inpainting.sampling.sampler import predict_from_task
from atomizer.inpainting.source_spans import spans_text, widened
from atomizer.priors.choices import USING
from atomizer.priors.recording.combined_copies import combine_copies
from atomizer.priors.recording.context import (
    RecordingPrediction,
    add,
    erase_hidden,
    mdct_frames,
    residual,
)
from atomizer.priors.recording.context_match import ContextSpectra, Match
from atomizer.priors.recording.copies import Piece, copy_pieces
from atomizer.priors.recording.copy_prior import RecordingCopyPrior
from atomizer.priors.recording.lag_search import LagSearch, least_copied
from atomizer.priors.recording.partials import PartialsPrior
from atomizer.priors.recording.plain_copy import best_distinct, share_of_fill
from atomizer.priors.registry import RECORDING_PRIORS, predict_from_recording

SPACE = AtomSpace(rate=11_025, hop=256)
RATE = SPACE.rate
PERIOD = 22_050 + 7  # samples of the loop


def sequence(seconds: float = 12.0, channels: int = 1) -> np.ndarray:
    """(channels, n) a loop of notes with attacks, over noise 40 dB below."""
    rng = np.random.default_rng(3)
    at = np.arange(PERIOD)
    loop = np.zeros(PERIOD)
    for start, hertz in zip(range(0, PERIOD, PERIOD // 6), (220, 330, 262, 440, 294, 392)):
        t = at[start:] - start
        loop[start:] += np.exp(-t / 2000) * np.sin(2 * np.pi * hertz * t / RATE)
    n = round(seconds * RATE)
    mono = np.resize(loop, n)
    gains = 1 - 0.2 * np.arange(channels)
    return (gains[:, None] * mono + 0.005 * rng.standard_normal((channels, n))).astype(np.float32)


def hide(samples: np.ndarray, start: float, stop: float, bins: slice = slice(None)) -> tuple:
    """(context, truth, mask) of samples whose atoms from start to stop seconds are hidden."""
    grid = mdct(samples, SPACE.hop, SPACE.window)
    mask = np.zeros(grid.shape, bool)
    mask[:, round(start * RATE / SPACE.hop) : round(stop * RATE / SPACE.hop), bins] = True
    return erase_hidden(samples, grid, mask, SPACE), grid, mask


def snr(truth: np.ndarray, mask: np.ndarray, prediction) -> float:
    """Signal-to-noise ratio in dB of the prediction's mean over the hidden atoms."""
    mean = prediction.cut(0, truth.shape[1])[0]
    return float(10 * np.log10((truth[mask] ** 2).sum() / ((truth - mean)[mask] ** 2).sum()))


def test_choices_are_the_names_of_the_recording_priors():
    assert set(USING) == {"auto", "texture"} | {prior.name for prior in RECORDING_PRIORS}
    with pytest.raises(ValueError, match="no prior 'copies'"):
        predict_from_recording(hide(sequence(2.0), 1.0, 1.2)[0], "copies")


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_a_repeated_sequence_is_restored(channels):
    context, truth, mask = hide(sequence(channels=channels), 6.1, 6.6)
    found = RecordingCopyPrior().predict(context)
    assert snr(truth, mask, found) > 15
    assert found.confidence.shape == found.mean.shape and found.confidence.max() <= 1
    assert not found.mean[found.confidence == 0].any()


def test_a_repeated_sequence_continues_past_its_end():
    context, truth, mask = hide(sequence(), 10.0, 13.0)
    assert snr(truth, mask, RecordingCopyPrior().predict(context)) > 10


def test_a_long_gap_is_filled_in_phrases():
    context, truth, mask = hide(sequence(24.0), 12.0, 17.0)
    found = RecordingCopyPrior().predict(context)
    assert snr(truth, mask, found) > 10
    assert len({source.target for source in found.sources}) > 1


def test_what_copies_agree_on_is_better_than_any_copy():
    """A loop under a noise that never repeats, half as loud."""
    rng = np.random.default_rng(0)
    loop = np.resize(rng.standard_normal(PERIOD), 12 * RATE)
    samples = 0.05 * (loop + 0.5 * rng.standard_normal(len(loop)))[None].astype(np.float32)
    context, truth, mask = hide(samples, 5.0, 5.5)
    span, frames = context.spans[0], context.frames_around(context.spans[0])
    ends = span.sample_range(SPACE.hop, samples.shape[1])
    lags = LagSearch(context).candidates(span)
    copies = [copy_pieces(context, frames, (Piece(*ends, lag),)).atoms for lag in lags]
    best = max(snr(truth, mask, RecordingPrediction(frames, atoms, atoms)) for atoms in copies)
    assert snr(truth, mask, RecordingCopyPrior().predict(context)) > best + 1


def test_a_sum_past_the_end_keeps_its_power():
    """Noise over a loop: what copies agree on is the loop alone."""
    rng = np.random.default_rng(0)
    loop = np.resize(rng.standard_normal(PERIOD), 16 * RATE)
    samples = 0.05 * (loop + 1.5 * rng.standard_normal(len(loop)))[None].astype(np.float32)
    context, truth, mask = hide(samples, 13.0, 17.0)  # 1 s of it is beyond the samples
    found = RecordingCopyPrior().predict(context).cut(0, truth.shape[1]).mean
    part = mask & (np.arange(truth.shape[1]) < 15 * RATE // SPACE.hop)[:, None]
    level = 10 * np.log10((found[part] ** 2).sum() / (truth[part] ** 2).sum())
    assert level == pytest.approx(0, abs=1)


def test_a_box_is_filled_in_its_band():
    context, truth, mask = hide(sequence(), 5.0, 6.0, slice(9, 80))
    found = RecordingCopyPrior().predict(context)
    assert snr(truth, mask, found) > 10


def test_sources_name_the_place_of_the_copied_samples():
    context, _, _ = hide(sequence(), 6.1, 6.6)
    found = RecordingCopyPrior().predict(context)
    for target, source, lag, confidence in found.sources:
        assert source[0] - target[0] == pytest.approx(lag / RATE)
        assert 0 <= source[0] < source[1] <= 12.0 and 0 < confidence <= 1
        assert source[1] <= target[0] + 1e-9 or source[0] >= target[1] - 1e-9
    best = max(found.sources, key=lambda source: source.confidence)
    phase = best.lag % PERIOD
    assert phase == pytest.approx(0, abs=0.2) or phase == pytest.approx(PERIOD, abs=0.2)


@pytest.mark.parametrize("milliseconds, min_snr", [(50, 30), (100, 30), (300, 15)])
def test_a_pure_tone_is_restored(milliseconds, min_snr):
    samples = np.sin(2 * np.pi * 441.3 * np.arange(6 * RATE) / RATE)[None].astype(np.float32)
    context, truth, mask = hide(samples, 3.0, 3.0 + milliseconds / 1000)
    assert snr(truth, mask, PartialsPrior().predict(context)) > min_snr
    assert snr(truth, mask, predict_from_recording(context)) > min_snr


def test_noise_is_not_predicted():
    samples = np.random.default_rng(0).standard_normal((2, 8 * RATE)).astype(np.float32)
    context, truth, mask = hide(samples, 4.0, 4.5)
    found = predict_from_recording(context)
    if found is not None:
        mean = found.cut(0, truth.shape[1])[0]
        assert (mean[mask] ** 2).mean() < 0.03 * (truth[mask] ** 2).mean()


def test_a_match_before_the_hole_alone_is_not_copied():
    samples = 0.1 * np.random.default_rng(0).standard_normal((1, 10 * RATE)).astype(np.float32)
    samples[:, RATE : 2 * RATE] = samples[:, 5 * RATE : 6 * RATE]  # repeats before the hole
    samples[:, 2 * RATE : round(2.5 * RATE)] *= 10  # and goes on otherwise
    context, truth, mask = hide(samples, 6.0, 6.5)
    found = RecordingCopyPrior().predict(context)
    if found is not None:
        mean = found.cut(0, truth.shape[1])[0]
        assert (mean[mask] ** 2).mean() < 0.1 * (truth[mask] ** 2).mean()


@pytest.mark.parametrize("using", USING)
def test_hidden_atoms_are_never_read(using):
    samples = sequence(channels=2)
    context, truth, mask = hide(samples, 6.1, 6.6)
    other = np.where(mask, 1e3, truth).astype(np.float32)
    changed = samples.copy()
    first, last = np.flatnonzero(mask.any(axis=(0, 2)))[[0, -1]]
    changed[:, (first - 1) * SPACE.hop : (last + 1) * SPACE.hop] = -7
    a = predict_from_recording(context, using)
    b = predict_from_recording(erase_hidden(changed, other, mask, SPACE), using)
    assert (a is None) == (b is None)
    if a is not None:
        np.testing.assert_array_equal(a.mean, b.mean)
        np.testing.assert_array_equal(a.confidence, b.confidence)
        assert a.sources == b.sources


def test_predictions_are_deterministic():
    a, b = (predict_from_recording(hide(sequence(channels=2), 6.1, 6.6)[0]) for _ in range(2))
    np.testing.assert_array_equal(a.mean, b.mean)


def test_coefficients_of_a_residual_are_those_of_its_samples():
    context, truth, _ = hide(sequence(), 6.1, 6.6)
    found = RecordingCopyPrior().predict(context)
    left = residual(context, found)
    again = mdct_frames(left.samples, 0, slice(0, truth.shape[1]), SPACE)
    inner = slice(found.frames.start + 2, found.frames.stop - 2)
    np.testing.assert_allclose(again[:, inner], left.grid[:, inner], atol=1e-4)
    assert add(found, None) is found and add(None, None) is None


def test_a_hidden_recording_has_no_prediction():
    context, _, _ = hide(sequence(2.0), 0.0, 2.1)
    assert predict_from_recording(context) is None


def test_silence_has_no_prediction():
    context, _, _ = hide(np.zeros((2, 4 * RATE), np.float32), 2.0, 2.5)
    assert predict_from_recording(context) is None


def test_notes_that_the_end_does_not_have_follow_it():
    """A burst of highs once per loop; no context of a fit by bands contains it."""
    samples = sequence(16.0)
    t = np.arange(2_000)
    burst = 0.3 * np.exp(-t / 500) * np.sin(2 * np.pi * 3_500 / RATE * t)
    for start in range(PERIOD // 2, samples.shape[1] - len(t), PERIOD):
        samples[0, start : start + len(t)] += burst
    context, truth, mask = hide(samples, 12.0, 17.0)  # 2 s of it are beyond the samples
    found = RecordingCopyPrior().predict(context)
    high = mask & (np.arange(SPACE.bins) > 140)
    part = slice(0, 15 * RATE // SPACE.hop)
    assert snr(truth[:, part], high[:, part], found) > 10
    assert found.power_share.max() == 1


@pytest.mark.parametrize("times, is_copied", [(8, True), (4, False)])
def test_repetition_decides_on_faint_matches(times, is_copied):
    """A loop fainter than the noise over it: what is heard twice may be an accident."""
    rng = np.random.default_rng(1)
    loop = np.tile(rng.standard_normal(PERIOD), times)
    samples = rng.standard_normal(PERIOD * 8)
    samples[-len(loop) :] = 1.6 * samples[-len(loop) :] + loop
    samples = 0.05 * samples[None].astype(np.float32)
    end = samples.shape[1] / RATE
    context, _, _ = hide(samples, end - 2.5, end + 1)
    found = RecordingCopyPrior().predict(context)
    share = 0.0 if found is None or found.power_share is None else found.power_share.max()
    assert share == is_copied


def test_the_best_values_are_at_different_places():
    values = {9_000: 0.7, 9_100: 0.71, 50_000: 0.8, 90_000: 0.9, 120_000: 0.95}
    assert best_distinct(values, 500, 1.0) == [0.7, 0.8, 0.9]
    assert best_distinct({9_000: 0.7, 9_100: 0.71}, 500, 1.0) == [0.7, 1.0, 1.0]


def test_the_error_of_a_texture_in_noise_is_that_of_any_excerpt():
    samples = np.random.default_rng(0).standard_normal((1, 60 * RATE)).astype(np.float32)
    context = hide(samples, 30.0, 30.5)[0]
    match = ContextSpectra(LagSearch(context), context.spans[0]).match(-17 * RATE)
    assert match.error == pytest.approx(np.sqrt(2 - np.pi / 2), abs=0.03)
    assert match.relative == pytest.approx(1, abs=0.05)


def test_a_match_whose_other_side_is_beyond_the_recording_is_none():
    """At lag -8 s what follows the hole repeats exactly, and what precedes it is not there."""
    samples = np.random.default_rng(0).standard_normal((1, 16 * RATE)).astype(np.float32)
    samples[:, 8 * RATE :] = samples[:, : 8 * RATE]
    near, far = (hide(samples, start, start + 0.3)[0] for start in (8.05, 11.0))
    near, far = (ContextSpectra(LagSearch(c), c.spans[0]).match(-8 * RATE) for c in (near, far))
    assert near.relative < 0.01 and near.worst == 1
    assert far.relative < 0.01 and far.worst < 0.25


def test_the_copied_place_is_judged_by_its_own_sides():
    """Another one has a smaller error, on the only side that is there."""
    context = hide(np.random.default_rng(0).standard_normal((1, 8 * RATE)).astype("f"), 4, 4.5)[0]
    search, span = LagSearch(context), context.spans[0]
    half, whole = Match(0.4, 0.4, 1.0, 1.0, 0.8), Match(0.5, 0.5, 0.6, 1.0, 0.5)
    assert share_of_fill(search, span, {RATE: half, 2 * RATE: whole}) == 1
    assert share_of_fill(search, span, {RATE: half}) == 0


def test_faint_highs_decide_between_places_with_equal_notes():
    """The notes of the place without highs are nearer to those of the context."""
    t = np.arange(12 * RATE) / RATE
    samples = 0.1 * np.sin(2 * np.pi * 220 * t)
    highs = 1e-3 * np.random.default_rng(0).standard_normal(len(t))
    place = (t // 2).astype(int)  # of 2 s each: right, wrong, right …
    samples += highs * (place % 2 == 0)
    samples[place == 0] *= 0.97
    context = hide(samples[None].astype(np.float32), 10.0, 10.2)[0]
    compare = ContextSpectra(LagSearch(context), context.spans[0])
    right, wrong = (compare.match(-seconds * RATE) for seconds in (8, 6))
    assert right.error > wrong.error
    assert right.rank < wrong.rank


def test_the_places_of_a_box_change_with_what_is_known_beside_it():
    """Its halves are those of two different places, neither of which fits what surrounds the box.

    With one gain per place for all of the box, its SNR is 1.5 dB.
    """
    samples = 0.1 * np.random.default_rng(0).standard_normal((1, 20 * RATE)).astype(np.float32)
    half = RATE
    first, second = (slice(int(at * RATE), int(at * RATE) + half) for at in (3.0, 14.3))
    middle = 10 * RATE
    samples[:, middle - half : middle] = samples[:, first]
    samples[:, middle : middle + half] = samples[:, second]
    bins = slice(*(round(hertz / SPACE.bin_hz) for hertz in (1000, 3000)))
    context, truth, mask = hide(samples, 9.1, 10.9, bins)
    search, span = LagSearch(context), context.spans[0]
    lags = search.lags_beside(span)
    for place in (3.0 - 9.0, 14.3 - 10.0):
        assert min(abs(lag - place * RATE) for lag in lags) < 1
    frames = context.frames_around(span)
    found = combine_copies(context, span, [-RATE, *lags], 0.5)
    error = np.square(found.mean - truth[:, frames])[mask[:, frames]].sum()
    assert 10 * np.log10(np.square(truth[mask]).sum() / error) > 4


def test_a_hole_has_nothing_beside_it():
    context = hide(sequence(), 6.1, 6.6)[0]
    assert LagSearch(context).lags_beside(context.spans[0]) == []


def test_a_chain_of_phrases_prefers_what_was_not_copied_yet():
    pieces = [Piece(1_000, 1_400, -500.0)]  # copied from 500 to 900
    ranked = [(-900, 0.8), (-1_300, 0.78), (-1_390, 0.5)]
    assert least_copied(ranked, pieces, 1_400, 1_800) == -1_300
    assert least_copied(ranked[::2], pieces, 1_400, 1_800) == -900  # a match alone


@pytest.mark.parametrize("source, not_from", [("1-4", ""), ("1-4", "2-4"), ("", "0-5.5")])
def test_copies_come_from_where_they_may(source, not_from):
    sound = Sound(sequence(), RATE)
    task = prepare(sound, parse(["time:6.1-6.6"]), space=SPACE)
    found = predict_from_task(task, Settings(source=source, not_from=not_from))
    allowed = {"1-4": (1, 4), "": (5.5, 12)}[source]
    allowed = (1, 2) if source and not_from else allowed
    assert found.sources
    for copy in found.sources:
        assert allowed[0] <= copy.source[0] < copy.source[1] <= allowed[1]


def test_a_chosen_source_is_copied_even_if_it_matches_badly():
    samples = np.random.default_rng(0).standard_normal((1, 8 * RATE)).astype(np.float32)
    task = prepare(Sound(samples, RATE), parse(["time:4-4.5"]), space=SPACE)
    found = predict_from_task(task, Settings(source="1-3"))
    mean, _, share = found.cut(0, task.mask.shape[1])
    assert (share[task.mask] == 1).all()
    assert (mean[task.mask] ** 2).mean() == pytest.approx((task.grid**2).mean(), rel=0.2)


@pytest.mark.parametrize(
    "source, message",
    [
        ("3", "'3' is no span to copy from"),
        ("5-2", "'5-2' is no span to copy from"),
        ("1-20", "ends after the sound, which lasts 8.00 s"),
        ("2-4.2", "touches what is filled in, from 3.9"),
        ("1-1.2", "too short for the 0.5"),
    ],
)
def test_a_bad_source_gets_one_sentence(source, message):
    samples = np.zeros((1, 8 * RATE), np.float32)
    task = prepare(Sound(samples, RATE), parse(["time:4-4.5"]), space=SPACE)
    with pytest.raises(AtomizerError, match=message):
        resolve(Settings(source=source), task)
    with pytest.raises(AtomizerError, match="is no span"):
        resolve(Settings(not_from="x"), task)
    with pytest.raises(AtomizerError, match="Nothing is copied with 'texture'"):
        resolve(Settings(using="texture", source="1-2"), task)


@pytest.mark.parametrize("start", [0.0, 0.013, 2.9, 3.71])
def test_a_source_drawn_as_long_as_the_hole_is_accepted(samples, start):
    sound = Sound(samples(4 * 44_100), 44_100)
    for first, length in ((1.0, 0.2), (1.003, 0.29), (1.5, 0.013)):
        task = prepare(sound, parse([f"time:{first}-{first + length}"]))
        span = widened((start, start + length), 4.0, task.space)
        assert span[0] <= start + 1e-9 and 0 <= span[0] and span[1] <= 4
        resolve(Settings(source=spans_text([span])), task)  # raises if it is too short
