"""Fit the codes of timbre: the ways in which highs differ from those that the lows predict.

    python tools/fit_timbre.py AUDIO checkpoints/timbre.npz

AUDIO as in `fit_long_term.py`, whose regression is fitted to folds of sources; what it misses of
the bands above every possible cutoff, in standard deviations of each band, is resampled to
`POSITIONS` positions from the cutoff to the end, and clustered by k-means. Sources that are held
out for evaluation are used for the printed errors alone.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fit_long_term import FOLDS, Measurements, fit, predict  # the script beside this one

from atomizer.io.audio_parts import is_reserved
from atomizer.io.datasets import list_clips
from atomizer.priors.band_levels import BANDS
from atomizer.priors.highs.long_term import FIRST_BAND
from atomizer.priors.highs.timbre import STD_PER_ERROR, Codes

CODES, POSITIONS = 16, 12
LARGEST = 3.0  # standard deviations: larger misses count as this one
RUNS, ROUNDS = 4, 60  # of k-means
LAST_CUTOFF = BANDS - 2  # fewer bands than two have no shape


@dataclass(frozen=True)
class Missed:
    """What the regression misses where the bands from one on are unknown.

    db     (n, bands) truth less prediction
    valid  (n, bands) bool, bands below the recording's own end
    std    (bands,) standard deviation of db in excerpts that are not held out
    """

    db: np.ndarray
    valid: np.ndarray
    std: np.ndarray

    def resampled(self) -> tuple[np.ndarray, np.ndarray]:
        """Misses in standard deviations at `POSITIONS` positions, and which of them are valid."""
        shape = np.clip(self.db / self.std, -LARGEST, LARGEST)
        bands, at = np.linspace(0, 1, self.db.shape[1]), np.linspace(0, 1, POSITIONS)
        values = np.array([np.interp(at, bands, row) for row in shape])
        shares = np.array([np.interp(at, bands, row) for row in self.valid.astype(float)])
        return values, shares > 0.99


def missed(found: Measurements, first: int) -> Missed:
    """Misses of fits to folds of sources that the excerpt is not in; of all for held-out ones."""
    x, y, valid = found.problem(first)
    held, out = found.held, np.zeros(y.shape)
    for k in range(FOLDS):
        tested, fitted = ~held & (found.sources % FOLDS == k), ~held & (found.sources % FOLDS != k)
        out[tested] = y[tested] - predict(x[tested], *fit(x[fitted], y[fitted], valid[fitted]))
    out[held] = y[held] - predict(x[held], *fit(x[~held], y[~held], valid[~held]))
    power = np.where(valid, out**2, 0)[~held].sum(0) / valid[~held].sum(0)
    return Missed(out, valid, np.sqrt(power))


def distances(values: np.ndarray, valid: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """(n, codes) mean squared differences of (n, positions) values, where they are valid."""
    square = np.where(valid, values**2, 0).sum(1, keepdims=True)
    cross = np.where(valid, values, 0) @ shapes.T
    return (square - 2 * cross + valid @ (shapes**2).T) / np.maximum(valid.sum(1), 1)[:, None]


def cluster(values: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """(CODES, positions) centres of k-means, begun as k-means++; the best of several runs."""
    generator, best = np.random.default_rng(0), (np.inf, np.empty(0))
    for _ in range(RUNS):
        shapes = np.where(valid, values, 0)[generator.integers(len(values))][None]
        while len(shapes) < CODES:
            nearest = distances(values, valid, shapes).min(1).clip(0)
            chosen = generator.choice(len(values), p=nearest / nearest.sum())
            shapes = np.vstack([shapes, np.where(valid, values, 0)[chosen]])
        for _ in range(ROUNDS):
            members = np.eye(CODES)[distances(values, valid, shapes).argmin(1)]
            count = members.T @ valid
            means = members.T @ np.where(valid, values, 0) / np.maximum(count, 1)
            shapes = np.where(count > 0, means, shapes)
        best = min(best, (distances(values, valid, shapes).min(1).mean(), shapes), key=_first)
    return best[1]


def _first(pair: tuple) -> float:
    return pair[0]


def report(found: Measurements, codes: Codes, all_missed: dict[int, Missed]) -> None:
    """Print errors in dB on held-out sources: of the regression, and with the best code of some."""
    likely = np.argsort(-codes.share)
    for first in range(FIRST_BAND, LAST_CUTOFF, 3):
        db, valid = all_missed[first].db[found.held], all_missed[first].valid[found.held]
        error = all_missed[first].std / STD_PER_ERROR
        shapes = np.stack([codes.offset_db(k + 1, error) for k in range(codes.count)])
        errors = []
        for some in (likely[:1], likely[:3], likely):
            nearest = distances(db, valid, shapes[some]).argmin(1)
            errors.append(np.abs(db - shapes[some][nearest])[valid].mean())
        print(
            f"known below {found.ends[first - 1]:6.0f} Hz: {np.abs(db)[valid].mean():.2f} dB;"
            f" most frequent code {errors[0]:.2f}, best of three {errors[1]:.2f}, of all"
            f" {errors[2]:.2f}"
        )


def main() -> None:
    """Fit, print errors, and write the codes."""
    parser = argparse.ArgumentParser(description="Fit the codes of timbre.")
    parser.add_argument("audio", type=Path)
    parser.add_argument("out", type=Path, help="codes to write")
    options = parser.parse_args()
    found = Measurements([clip for clip in list_clips(options.audio) if not is_reserved(clip)])
    all_missed = {first: missed(found, first) for first in range(FIRST_BAND, LAST_CUTOFF)}
    resampled = [missed.resampled() for missed in all_missed.values()]
    values, valid = (np.concatenate([pair[k][~found.held] for pair in resampled]) for k in (0, 1))
    shapes = cluster(values, valid)
    shapes = shapes[np.argsort(shapes.mean(1))]
    share = np.bincount(distances(values, valid, shapes).argmin(1), minlength=CODES) / len(values)
    arrays = {"shapes": shapes.astype(np.float16), "share": share.astype(np.float32)}
    np.savez_compressed(options.out, **arrays)
    codes = Codes(**arrays)
    report(found, codes, all_missed)
    for code in range(1, CODES + 1):
        print(f"{code:2}: {100 * share[code - 1]:4.1f} %, {codes.describe(code)}")


if __name__ == "__main__":
    main()
