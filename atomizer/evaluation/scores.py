"""Scores: which metrics judge which kind of task.

A new metric is a function of (case, estimate) and a row of `SCORES`. The row maps every kind of
task that the metric judges to the function; the order of the rows is their order in reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln

from .. import metrics
from . import notes
from .cases import Case, Estimate

LEVEL_TOLERANCE_DB = 3.0  # largest error of a level that counts as correct
LOUDEST_SHARE = 0.02  # of the judged atoms; their signs carry most of the waveform
# These texts are stored in reports and compared when a report is resumed: change a text only
# together with the computation that it describes.
CONVENTIONS = {
    "gaps": "snr_db on the span; convergence 8192/2048 over the frames that overlap it; atoms "
    "whose windows overlap it are hidden",
    "span": "snr_db, level_drift_db, edge_step_db, note_f1, side_db, coherence of the hidden span; "
    "convergence of boxes and repairs, and convergence_8192: over the 8192 frames that overlap it",
    "note_f1": notes.CONVENTION,
    "continue": "convergence is the mean of STFTs "
    f"{'/'.join(map(str, metrics.RESOLUTIONS))} over the frames that overlap what is hidden",
    "accuracy": "share of the hidden audible atoms below the recording's cutoff: sign right; "
    f"level within {LEVEL_TOLERANCE_DB:g} dB; at its own place with "
    "its level and sign, of those that have more than one place to go to; accuracy_loudest: of "
    "the loudest 2 %",
    "excess_nats": "cross-entropy of the model's beliefs, nothing revealed, over hidden audible "
    "atoms; velocity: less a Gaussian's, sign: less 0",
    "kbps": "compress-N: an estimate, log2 C(places, N) + N (H0(level) + 1) bits per second for "
    "exact amplitudes of N atoms; codecs: measured file "
    "size less its headers",
}

Compute = Callable[[Case, Estimate], float | None]


@dataclass(frozen=True)
class Score:
    """A row of `SCORES`.

    name     name of the metric in reports
    better   direction of better values, as an arrow
    by_kind  function for every kind of task that the metric judges; it returns None or a number
             that is not finite where the metric is undefined. Empty for metrics that only methods
             can compute (`Estimate.extra_metrics`)
    """

    name: str
    better: str
    by_kind: Mapping[str, Compute]


def measure(case: Case, estimate: Estimate) -> dict[str, float]:
    """Metrics of an estimate by name; undefined metrics are left out."""
    kind = case.evaluation.kind
    values = {
        score.name: score.by_kind[kind](case, estimate)
        for score in SCORES.values()
        if kind in score.by_kind
    }
    return {
        name: float(value)
        for name, value in {**values, **estimate.extra_metrics}.items()
        if value is not None and np.isfinite(value)
    }


def accuracy(case: Case, grid: np.ndarray) -> float | None:
    """Share of the judged atoms that are correct; None without such atoms."""
    correct = _correct_atoms(case, grid)
    return float(correct.mean()) if len(correct) else None


def accuracy_loudest(case: Case, grid: np.ndarray) -> float | None:
    """The same of the loudest of the judged atoms, a share of `LOUDEST_SHARE` of them."""
    correct = _correct_atoms(case, grid)
    if not len(correct):
        return None
    by_level = np.argsort(-np.abs(case.task.grid[case.judged]), kind="stable")
    return float(correct[by_level[: max(1, round(LOUDEST_SHARE * len(correct)))]].mean())


def _correct_atoms(case: Case, grid: np.ndarray) -> np.ndarray:
    """(atoms,) bool: which judged atoms of a filled grid are correct in the hidden feature."""
    true, guess = case.task.grid[case.judged], grid[case.judged]
    if case.task.features == ("sign",):
        return true * guess > 0
    if case.task.features == ("velocity",):
        ratio = np.maximum(np.abs(guess), 1e-20) / np.abs(true)
        return np.abs(20 * np.log10(ratio)) <= LEVEL_TOLERANCE_DB
    space, loudest = case.task.space, float(np.abs(case.task.grid).max(initial=0))
    same_level = space.quantise(true, loudest) == space.quantise(guess, loudest)
    return same_level & (true * guess > 0)


def estimated_kbps(case: Case) -> float:
    """Estimated kilobits per second to encode the known audible atoms.

    The sum of the bits of their positions, of the zero-order entropy of their levels, and of
    their signs.
    """
    task = case.task
    kept = task.grid[~task.mask & case.audible]
    places, count = task.grid.size, len(kept)
    position_bits = (
        gammaln(places + 1) - gammaln(count + 1) - gammaln(places - count + 1)
    ) / np.log(2)
    level_counts = np.unique(task.space.quantise(kept, task.reference), return_counts=True)[1]
    share = level_counts / max(count, 1)
    entropy = -(share * np.log2(share)).sum()
    return float((position_bits + count * (entropy + 1)) / task.sound.seconds / 1000)


def _snr(case: Case, estimate: Estimate) -> float | None:
    """SNR of the hidden span; undefined for a silent reference."""
    x, y = case.span_signals(estimate)
    return metrics.snr_db(x, y) if np.sqrt((x**2).mean()) > metrics.SILENCE else None


def _si_sdr(case: Case, estimate: Estimate) -> float:
    return metrics.si_sdr_db(*case.signals(estimate))


def _visqol(case: Case, estimate: Estimate) -> float | None:
    return metrics.visqol(*case.signals(estimate))


def _lsd_hidden(case: Case, estimate: Estimate) -> float:
    """Log-spectral distance in the hidden band and span, up to the cutoff of the recording."""
    x, y = case.signals(estimate)
    return metrics.lsd(x, y, *case.scored_hz, case.scored_span)


def _lsd_full(case: Case, estimate: Estimate) -> float:
    return metrics.lsd(*case.signals(estimate), 0, case.cutoff_hz)


def _lsd_second_channel(case: Case, estimate: Estimate) -> float:
    x, y = (signal[1:2] for signal in case.signals(estimate))
    return metrics.lsd(x, y, 0, case.cutoff_hz)


def _lsd_side(case: Case, estimate: Estimate) -> float:
    """Log-spectral distance of half the difference of two channels."""
    x, y = ((signal[:1] - signal[1:2]) / 2 for signal in case.signals(estimate))
    return metrics.lsd(x, y, 0, case.cutoff_hz)


def _lsd_mono(case: Case, estimate: Estimate) -> float:
    """Log-spectral distance of the mean of two channels."""
    x, y = ((signal[:1] + signal[1:2]) / 2 for signal in case.signals(estimate))
    return metrics.lsd(x, y, 0, case.cutoff_hz)


def _convergence(case: Case, estimate: Estimate) -> float:
    return metrics.convergence(*case.signals(estimate))


def _convergence_span(case: Case, estimate: Estimate) -> float:
    x, y = case.signals(estimate)
    return metrics.convergence(x, y, 8192, case.scored_span)


def _convergence_resolutions(case: Case, estimate: Estimate) -> float:
    return metrics.multi_resolution(*case.signals(estimate), case.scored_span)


def _ild(case: Case, estimate: Estimate) -> float:
    return metrics.ild_db(*case.signals(estimate), case.cutoff_hz)


def _coherence(case: Case, estimate: Estimate) -> float:
    return metrics.coherence(*case.signals(estimate), case.cutoff_hz)


def _level_drift_span(case: Case, estimate: Estimate) -> float:
    return metrics.level_drift_db(*case.span_signals(estimate))


def _edge_step(case: Case, estimate: Estimate) -> float | None:
    x, y = case.signals(estimate)
    assert case.scored_span is not None, "this kind of task has a span"
    return metrics.edge_step_db(x, y, case.scored_span)


def _note_f1(case: Case, estimate: Estimate) -> float | None:
    x, y = case.signals(estimate)
    assert case.scored_span is not None, "this kind of task has a span"
    return notes.note_f1(x, y, case.scored_span)


def _side_span(case: Case, estimate: Estimate) -> float | None:
    """Error of the side's level in the span, where the sound has a side."""
    x, y = case.span_signals(estimate)
    return metrics.side_db(x, y, case.cutoff_hz) if metrics.has_side(x) else None


def _coherence_span(case: Case, estimate: Estimate) -> float | None:
    """Error of the coherence in the span, where the sound has a side."""
    x, y = case.span_signals(estimate)
    return metrics.coherence(x, y, case.cutoff_hz) if metrics.has_side(x) else None


def _level_drift_atoms(case: Case, estimate: Estimate) -> float:
    """Level drift of the hidden atoms; the transform is orthonormal, so that levels agree."""
    x, y = metrics.normalise(case.task.grid, _grid_of(estimate))
    return metrics.level_drift_db(x[case.task.mask][None], y[case.task.mask][None])


def _accuracy(case: Case, estimate: Estimate) -> float | None:
    return accuracy(case, _grid_of(estimate))


def _accuracy_loudest(case: Case, estimate: Estimate) -> float | None:
    return accuracy_loudest(case, _grid_of(estimate))


def _kbps(case: Case, estimate: Estimate) -> float:
    return estimated_kbps(case)


def _grid_of(estimate: Estimate) -> np.ndarray:
    assert estimate.grid is not None, "this kind of task needs a method that fills in atoms"
    return estimate.grid


_FEATURES = ("levels", "places")
_EDGES = ("gap", "continue", "box", "repair")  # kinds with a hidden span that has edges
_SPANS = (*_EDGES, "clicks")  # kinds with a span
SCORES = {
    score.name: score
    for score in (
        Score("snr_db", "↑", dict.fromkeys((*_SPANS, "restore", "compress", *_FEATURES), _snr)),
        Score("si_sdr_db", "↑", {"restore": _si_sdr}),
        Score("note_f1", "↑", dict.fromkeys(_SPANS, _note_f1)),
        Score("visqol", "↑", dict.fromkeys(("bandwidth", *_SPANS, "restore", "compress"), _visqol)),
        Score(
            "lsd_hidden",
            "↓",
            {**dict.fromkeys(("bandwidth", *_SPANS), _lsd_hidden), "upmix": _lsd_second_channel},
        ),
        Score("lsd_full", "↓", dict.fromkeys(("bandwidth", "compress"), _lsd_full)),
        Score(
            "convergence",
            "↓",
            {
                **dict.fromkeys(_SPANS, _convergence_span),
                "continue": _convergence_resolutions,
                "restore": _convergence,
            },
        ),
        Score("convergence_8192", "↓", {"continue": _convergence_span}),
        Score("side_lsd", "↓", {"upmix": _lsd_side}),
        Score("mono_lsd", "↓", {"upmix": _lsd_mono}),
        Score("ild_db", "↓", {"upmix": _ild}),
        Score("side_db", "↓", dict.fromkeys(_SPANS, _side_span)),
        Score("coherence", "↓", {"upmix": _coherence, **dict.fromkeys(_SPANS, _coherence_span)}),
        Score(
            "level_drift_db",
            "→ 0",
            {**dict.fromkeys(_SPANS, _level_drift_span), "box": _level_drift_atoms},
        ),
        Score("edge_step_db", "↓", dict.fromkeys(_EDGES, _edge_step)),
        Score("accuracy", "↑", dict.fromkeys(_FEATURES, _accuracy)),
        Score("accuracy_loudest", "↑", dict.fromkeys(_FEATURES, _accuracy_loudest)),
        Score("excess_nats", "↓", {}),
        Score("kbps", "", {"compress": _kbps}),
    )
}
