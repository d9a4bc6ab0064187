"""Fit the long-term envelope of recordings: levels of bands above a cutoff from those below it.

    python tools/fit_long_term.py AUDIO checkpoints/long_term.npz

AUDIO holds recordings and a `manifest.csv` (columns `file`, `source_repository`, `brickwall_hz`).
Sources that are held out for evaluation are used for the printed errors alone. For every possible
number of known bands, a ridge regression from three statistics per known band to the mean levels of
the bands above; bands above a recording's own end do not count. The stored errors are those of
folds of sources that the fit has not seen.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from atomizer.analysis import MDCTAtomizer  # noqa: E402
from atomizer.io.audio import read  # noqa: E402
from atomizer.io.datasets import Clip, list_clips  # noqa: E402
from atomizer.priors.long_term import (  # noqa: E402
    BANDS,
    FIRST_BAND,
    active_frames,
    band_edges,
    band_powers,
    statistics,
)

SECONDS, EXCERPTS = 8.0, 3  # length and largest number of the excerpts of a recording
RIDGE = 30.0
FOLDS = 8
MIN_EXCERPTS = 60  # that reach a band, without which its level is not fitted


def measure(clip: Clip) -> list[np.ndarray]:
    """(3, BANDS) statistics of every excerpt of a recording: mean, std, change."""
    atomizer = MDCTAtomizer()
    edges = band_edges(atomizer.space)
    sound = read(clip.path)
    count = int(np.clip(sound.seconds // (2 * SECONDS), 1, EXCERPTS))
    length = int(min(SECONDS, sound.seconds) * sound.rate)
    out = []
    for start in np.linspace(0, sound.samples.shape[1] - length, count + 2)[1:-1].astype(int):
        part = atomizer.grid(sound.samples[:, start : start + length])[:, 1:-1]
        powers = band_powers(part, edges)
        active = active_frames(powers, edges)
        if powers.max() > 0 and active.sum() > 16:
            found = statistics(powers[active], float(powers.max()))
            out.append(np.stack([found.mean, found.std, found.change]))
    return out


def fit(x: np.ndarray, y: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean and scale of features (n, k), and weights (k + 1, outputs) of standardised ones.

    y, valid  (n, outputs) targets, and which of them count
    """
    mean, scale = x.mean(0), x.std(0) + 1e-3
    z = (x - mean) / scale
    weights = np.zeros((x.shape[1] + 1, y.shape[1]))
    for j, chosen in enumerate(valid.T):
        part, target = z[chosen], y[chosen, j]
        centred = part - part.mean(0)
        gram = centred.T @ centred + RIDGE * np.eye(x.shape[1])
        weights[1:, j] = np.linalg.solve(gram, centred.T @ (target - target.mean()))
        weights[0, j] = target.mean() - part.mean(0) @ weights[1:, j]
    return mean, scale, weights


def predict(x: np.ndarray, mean: np.ndarray, scale: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(n, outputs) levels."""
    return weights[0] + (x - mean) / scale @ weights[1:]


def main() -> None:
    """Fit, print errors, and write the weights."""
    parser = argparse.ArgumentParser(description="Fit the long-term envelope.")
    parser.add_argument("audio", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    clips = list_clips(options.audio)
    measured = [(clip, found) for clip in clips for found in measure(clip)]
    data = np.array([found for _, found in measured])
    held = np.array([clip.held_out for clip, _ in measured])
    sources = sorted({clip.source for clip, _ in measured})
    fold = np.array([sources.index(clip.source) % FOLDS for clip, _ in measured])
    space = MDCTAtomizer().space
    ends = band_edges(space)[1:] * space.bin_hz
    heard = ends[None] <= 0.97 * np.array([[clip.cutoff_hz] for clip, _ in measured])
    arrays: dict[str, np.ndarray] = {}
    for first in range(FIRST_BAND, BANDS - 1):
        known = data[:, :, :first]
        level = known[:, 0].mean(1, keepdims=True)
        x = np.concatenate([known[:, 0] - level, known[:, 1], known[:, 2]], 1)
        last = first + int((heard[~held, first:].sum(0) >= MIN_EXCERPTS).sum())
        y, valid = data[:, 0, first:last] - level, heard[:, first:last]
        errors = np.full(y.shape, np.nan)
        for k in range(FOLDS):
            training = ~held & (fold != k)
            model = fit(x[training], y[training], valid[training])
            tested = ~held & (fold == k)
            errors[tested] = np.abs(predict(x[tested], *model) - y[tested])
        model = fit(x[~held], y[~held], valid[~held])
        errors[held] = np.abs(predict(x[held], *model) - y[held])
        errors[~valid] = np.nan
        for name, values in zip(("mean", "scale", "weights"), model):
            arrays[f"{name}_{first}"] = values.astype(np.float16)
        arrays[f"error_{first}"] = np.nanmean(errors[~held], 0).astype(np.float16)
        print(
            f"known below {ends[first - 1]:6.0f} Hz: mean absolute error"
            f" {np.nanmean(errors[~held]):.2f} dB in folds, {np.nanmean(errors[held]):.2f} dB on"
            " held-out sources"
        )
    np.savez_compressed(options.out, **arrays)
    print(f"{options.out.name}: {options.out.stat().st_size / 1000:.0f} kB, {len(data)} excerpts")


if __name__ == "__main__":
    main()
