"""Fit the long-term envelope of recordings: levels of bands above a cutoff from those below it.

    python tools/fit_long_term.py AUDIO checkpoints/long_term.npz
    python tools/fit_long_term.py AUDIO --sources 8 16 32  # what more sources are worth

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
from atomizer.io.audio_parts import is_reserved  # noqa: E402
from atomizer.io.datasets import Clip, list_clips  # noqa: E402
from atomizer.priors.band_levels import BANDS, active_frames, band_edges, band_powers, statistics
from atomizer.priors.highs.long_term import FIRST_BAND

SECONDS, EXCERPTS = 8.0, 3  # length and largest number of the excerpts of a recording
RIDGE = 30.0
FOLDS = 8
DRAWS = 8  # random choices of sources, in `report_sources`
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


class Measurements:
    """Statistics of excerpts, with what they are fitted and tested by.

    data     (n, 3, BANDS) as `measure`
    held     (n,) bool, excerpts of held-out sources
    sources  (n,) number of the source
    heard    (n, BANDS) bool, bands below the recording's own end
    ends     (BANDS,) Hz at which bands end
    """

    def __init__(self, clips: list[Clip]):
        measured = [(clip, found) for clip in clips for found in measure(clip)]
        names = sorted({clip.source for clip, _ in measured})
        space = MDCTAtomizer().space
        self.data = np.array([found for _, found in measured])
        self.held = np.array([clip.held_out for clip, _ in measured])
        self.sources = np.array([names.index(clip.source) for clip, _ in measured])
        self.ends = band_edges(space)[1:] * space.bin_hz
        cutoffs = np.array([[clip.cutoff_hz] for clip, _ in measured])
        self.heard = self.ends[None] <= 0.97 * cutoffs

    def problem(self, first: int) -> tuple[np.ndarray, ...]:
        """Features, targets and valid targets where the bands from `first` on are unknown.

        Up to the last band that enough excerpts reach.
        """
        reached = self.heard[~self.held, first:].sum(0) >= MIN_EXCERPTS
        last = first + int(reached.sum())
        known = self.data[:, :, :first]
        level = known[:, 0].mean(1, keepdims=True)
        x = np.concatenate([known[:, 0] - level, known[:, 1], known[:, 2]], 1)
        return x, self.data[:, 0, first:last] - level, self.heard[:, first:last]


def error_of(
    problem: tuple[np.ndarray, ...], trained: np.ndarray, tested: np.ndarray
) -> np.ndarray:
    """(tested, outputs) absolute errors in dB, nan where the target is not valid."""
    x, y, valid = problem
    model = fit(x[trained], y[trained], valid[trained])
    return np.where(valid[tested], np.abs(predict(x[tested], *model) - y[tested]), np.nan)


def report_sources(found: Measurements, counts: list[int]) -> None:
    """Print the error on held-out sources of fits to some of the other sources.

    The mean of `DRAWS` random choices of sources, and their standard deviation.
    """
    generator = np.random.default_rng(0)
    available = np.unique(found.sources[~found.held])
    firsts = range(FIRST_BAND, BANDS - 4, 3)  # a few cutoffs, 2 to 14 kHz
    problems = [found.problem(first) for first in firsts]
    for count in [*(n for n in counts if n < len(available)), len(available)]:
        errors = []
        for _ in range(DRAWS if count < len(available) else 1):
            chosen = generator.choice(available, count, replace=False)
            trained = ~found.held & np.isin(found.sources, chosen)
            errors.append([np.nanmean(error_of(p, trained, found.held)) for p in problems])
        means = np.mean(errors, 1)
        each = " ".join(f"{e:.2f}" for e in np.mean(errors, 0))
        print(
            f"{count:3} sources: {means.mean():.2f} dB on held-out sources (standard deviation"
            f" {means.std():.2f}); known below"
            f" {', '.join(f'{found.ends[first - 1]:.0f}' for first in firsts)} Hz: {each}"
        )


def main() -> None:
    """Fit, print errors, and write the weights."""
    parser = argparse.ArgumentParser(description="Fit the long-term envelope.")
    parser.add_argument("audio", type=Path)
    parser.add_argument("out", type=Path, nargs="?", help="weights to write")
    parser.add_argument(
        "--sources",
        type=int,
        nargs="+",
        help="only print the error of fits to this number of sources, and to all",
    )
    options = parser.parse_args()
    if not options.out and not options.sources:
        parser.error("give the file to write, or --sources")
    found = Measurements([clip for clip in list_clips(options.audio) if not is_reserved(clip)])
    if options.sources:
        report_sources(found, options.sources)
        return
    held = found.held
    arrays: dict[str, np.ndarray] = {}
    for first in range(FIRST_BAND, BANDS - 1):
        problem = x, y, valid = found.problem(first)
        errors = np.full(y.shape, np.nan)
        for k in range(FOLDS):
            fold = found.sources % FOLDS == k
            errors[~held & fold] = error_of(problem, ~held & ~fold, ~held & fold)
        errors[held] = error_of(problem, ~held, held)
        model = fit(x[~held], y[~held], valid[~held])
        for name, values in zip(("mean", "scale", "weights"), model):
            arrays[f"{name}_{first}"] = values.astype(np.float16)
        arrays[f"error_{first}"] = np.nanmean(errors[~held], 0).astype(np.float16)
        print(
            f"known below {found.ends[first - 1]:6.0f} Hz: mean absolute error"
            f" {np.nanmean(errors[~held]):.2f} dB in folds, {np.nanmean(errors[held]):.2f} dB on"
            " held-out sources"
        )
    np.savez_compressed(options.out, **arrays)
    size = options.out.stat().st_size / 1000
    print(f"{options.out.name}: {size:.0f} kB, {len(found.data)} excerpts")


if __name__ == "__main__":
    main()
