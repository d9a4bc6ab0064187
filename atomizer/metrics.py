"""Metrics between a reference and an estimate.

Conventions: signals are (channels, samples) at 44.1 kHz; `normalise` scales both by the gain that
gives the reference an RMS of 0.1. The STFT is 2048 / 512 Hann (convergence also has other sizes);
its power is scaled so that a full-scale sine has 1/4, with a floor of 1e-10. LSD is in log10 units
of power. Metrics of a hidden region are computed on that region only. A span is (start, end) in
seconds.

A new metric is a function of (reference, estimate) that calls `validate` first; to add it to
reports, give it a row of `evaluation.scores.SCORES`.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import uniform_filter1d

from .atoms.bands import erb_bands_hz
from .io.audio import resample

RATE = 44_100
SIZE, HOP, FLOOR = 2048, 512, 1e-10
RESOLUTIONS = (512, 2048, 8192)  # of the multi-resolution STFT distance
SILENCE = 1e-4  # RMS, 60 dB below a normalised reference; quieter references are not compared
MAX_ILD_DB = 40.0  # larger level differences are clipped: one channel is almost silent
BANDS = 24  # of equal width in equivalent rectangular bandwidths (ERB)
COHERENCE_FRAMES = 16  # 186 ms
EDGE_SECONDS = 0.05  # on either side of an edge, of its step in level
SIDE_SHARE = 1e-4  # of the energy of two channels, in their difference: less is no side
VISQOL_RATE = 48_000
# These texts are stored in reports and compared when a report is resumed: change a text only
# together with the computation that it describes.
CONVENTIONS = {
    "stft": f"{SIZE}/{HOP} Hann, power / (sum of window)^2",
    "floor": FLOOR,
    "rms": 0.1,
    "lsd": "log10 of power",
    "ild_db": f"energy-weighted mean over {BANDS} ERB bands and frames of the error of the level "
    f"difference, which counts up to {MAX_ILD_DB:g} dB",
    "coherence": "mean error over audible ERB bands of the coherence over "
    f"{COHERENCE_FRAMES} frames",
    "side_db": f"energy-weighted mean over {BANDS} ERB bands of the error of the level difference "
    f"of side and mid over all frames, which counts up to {MAX_ILD_DB:g} dB",
    "edge_step_db": f"mean over edges of the error of the change in level within "
    f"{EDGE_SECONDS:g} s on either side, which counts up to {MAX_ILD_DB:g} dB",
    "visqol": "visqol-python, audio mode, 48 kHz, mean of the channels",
}


def validate(reference: np.ndarray, estimate: np.ndarray) -> None:
    """Raise ValueError unless both are (channels, samples) of the same shape."""
    if reference.shape != estimate.shape or reference.ndim != 2:
        raise ValueError(
            "Metrics compare signals of one shape (channels, samples), not "
            f"{reference.shape} and {estimate.shape}."
        )


def normalise(reference: np.ndarray, *others: np.ndarray) -> tuple[np.ndarray, ...]:
    """All signals multiplied by the gain that gives the reference an RMS of 0.1."""
    gain = 0.1 / max(float(np.sqrt(np.mean(reference.astype(float) ** 2))), 1e-12)
    return tuple(signal.astype(np.float64) * gain for signal in (reference, *others))


def spectra(signal: np.ndarray, size: int = SIZE, hop: int = HOP) -> np.ndarray:
    """Complex short-time spectra (channels, frames, size / 2 + 1) of (channels, samples).

    Frame n is centred on sample n * hop.
    """
    window = np.hanning(size + 1)[:-1]
    padded = np.pad(signal, ((0, 0), (size // 2, size)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, ::hop][
        :, : signal.shape[1] // hop + 1
    ]
    return np.fft.rfft(frames * window) / window.sum()


def power(signal: np.ndarray) -> np.ndarray:
    """Short-time power (channels, frames, SIZE / 2 + 1) of (channels, samples)."""
    return np.abs(spectra(signal)) ** 2


def snr_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Signal-to-noise ratio, 10 log10 |x|^2 / |x - y|^2."""
    validate(reference, estimate)
    x, y = reference.astype(float), estimate.astype(float)
    return float(10 * np.log10(max((x**2).sum(), 1e-20) / max(((x - y) ** 2).sum(), 1e-20)))


def si_sdr_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Scale-invariant signal-to-distortion ratio (Le Roux et al. 2019, eq. 5)."""
    validate(reference, estimate)
    x, y = reference.astype(float).ravel(), estimate.astype(float).ravel()
    target = x * (x @ y) / max(x @ x, 1e-20)
    return float(10 * np.log10(max(target @ target, 1e-20) / max(((target - y) ** 2).sum(), 1e-20)))


def lsd(
    reference: np.ndarray,
    estimate: np.ndarray,
    low_hz: float = 0,
    high_hz: float = RATE / 2,
    span: tuple[float, float] | None = None,
) -> float:
    """Log-spectral distance, the mean over frames of the RMS over bins of a log power ratio.

    The ratio is log10 (P + floor) / (Q + floor).

    Parameters
    ----------
    reference, estimate : (channels, samples) array
        The signals to compare.
    low_hz, high_hz : float
        Band of the bins to compare.
    span : (float, float), optional
        Only frames whose centre lies in this span, in seconds.

    Returns
    -------
    float
        The distance; 0 for equal signals.

    Examples
    --------
    >>> x = 0.1 * np.random.default_rng(0).standard_normal((1, 44_100))
    >>> round(lsd(x, 10 * x), 1)  # 20 dB are two units of log10 of power
    2.0
    """
    validate(reference, estimate)
    p, q = power(reference), power(estimate)
    hertz = np.arange(p.shape[-1]) * RATE / SIZE
    seconds = np.arange(p.shape[1]) * HOP / RATE
    bins = (hertz >= low_hz) & (hertz <= high_hz)
    frames = (
        np.ones(len(seconds), bool) if span is None else (seconds >= span[0]) & (seconds < span[1])
    )
    difference = np.log10((p + FLOOR) / (q + FLOOR))[:, frames][:, :, bins]
    return float(np.sqrt((difference**2).mean(-1)).mean())


def convergence(
    reference: np.ndarray,
    estimate: np.ndarray,
    size: int = SIZE,
    span: tuple[float, float] | None = None,
) -> float:
    """Spectral convergence: |  |X| - |Y|  | / |X| over short-time magnitudes.

    The hop is size / 4 (Sturmel & Daudet 2011). With a `span`, only frames whose window overlaps
    it.
    """
    validate(reference, estimate)
    x, y = (np.abs(spectra(s, size, size // 4)) for s in (reference, estimate))
    if span is not None:
        centre = np.arange(x.shape[1]) * (size // 4) / RATE
        frames = (centre + size / 2 / RATE > span[0]) & (centre - size / 2 / RATE < span[1])
        x, y = x[:, frames], y[:, frames]
    return float(np.linalg.norm(x - y) / max(float(np.linalg.norm(x)), 1e-12))


def multi_resolution(
    reference: np.ndarray, estimate: np.ndarray, span: tuple[float, float] | None = None
) -> float:
    """Mean spectral convergence of the STFT sizes `RESOLUTIONS`.

    After Yamamoto et al. 2020, eq. 4, without its logarithmic part.
    """
    return float(np.mean([convergence(reference, estimate, size, span) for size in RESOLUTIONS]))


def level_drift_db(reference: np.ndarray, estimate: np.ndarray) -> float:
    """Level of the estimate relative to the reference, in dB.

    Levels are at least that of `SILENCE`, 60 dB below a normalised reference.
    """
    validate(reference, estimate)
    x, y = (np.maximum((s.astype(float) ** 2).mean(), SILENCE**2) for s in (reference, estimate))
    return float(10 * np.log10(float(y) / float(x)))


@lru_cache(maxsize=8)
def erb_edges(high_hz: float) -> tuple[int, ...]:
    """First STFT bins of `BANDS` bands of equal width in ERB up to `high_hz`, and the end."""
    hertz = erb_bands_hz(min(high_hz, RATE / 2), BANDS)
    return tuple(np.unique((hertz * SIZE / RATE).round().astype(int)).tolist())


def _band_sums(values: np.ndarray, edges: tuple[int, ...]) -> np.ndarray:
    """Sums (frames, bands) of values (frames, bins) over bands."""
    return np.add.reduceat(values[:, : edges[-1]], edges[:-1], axis=1)


def ild_db(reference: np.ndarray, estimate: np.ndarray, high_hz: float = RATE / 2) -> float:
    """Error of the inter-channel level difference in dB.

    The mean over ERB bands and frames, weighted by the energy of the reference.
    """
    validate(reference, estimate)
    edges, energy, difference = erb_edges(high_hz), [], []
    for signal in (reference, estimate):
        left, right = (_band_sums(p, edges) for p in power(signal[:2]))
        energy.append(left + right)
        difference.append(
            np.clip(10 * np.log10((left + FLOOR) / (right + FLOOR)), -MAX_ILD_DB, MAX_ILD_DB)
        )
    return float(
        (np.abs(difference[0] - difference[1]) * energy[0]).sum() / max(energy[0].sum(), 1e-20)
    )


def has_side(signal: np.ndarray) -> bool:
    """Whether (channels, samples) has two channels that differ."""
    if len(signal) < 2:
        return False
    left, right = signal[:2].astype(float)
    return bool(((left - right) ** 2).sum() > SIDE_SHARE * (left**2 + right**2).sum())


def side_db(reference: np.ndarray, estimate: np.ndarray, high_hz: float = RATE / 2) -> float:
    """Error of the level of the side (L - R), relative to the mid (L + R), in dB.

    The mean over ERB bands, weighted by the energy of the reference; a band's level is that of all
    frames.
    """
    validate(reference, estimate)
    edges, energy, ratio = erb_edges(high_hz), [], []
    for signal in (reference, estimate):
        mid_side = np.stack([signal[0] + signal[1], signal[0] - signal[1]])
        mid, side = (_band_sums(p, edges).sum(0) for p in power(mid_side))
        energy.append(mid + side)
        level = 10 * np.log10((side + FLOOR) / (mid + FLOOR))
        ratio.append(np.clip(level, -MAX_ILD_DB, MAX_ILD_DB))
    return float((np.abs(ratio[0] - ratio[1]) * energy[0]).sum() / max(energy[0].sum(), 1e-20))


def edge_step_db(
    reference: np.ndarray, estimate: np.ndarray, span: tuple[float, float]
) -> float | None:
    """Error of the change in level at the edges of a span (seconds), in dB, the mean over edges.

    An edge at an end of the signal does not count; None if both are.
    """
    validate(reference, estimate)
    count, length = round(EDGE_SECONDS * RATE), reference.shape[1]
    errors = []
    for second in span:
        edge = round(second * RATE)
        if not count <= edge <= length - count:
            continue
        steps = [
            level_drift_db(signal[:, edge - count : edge], signal[:, edge : edge + count])
            for signal in (reference, estimate)
        ]
        errors.append(min(abs(steps[0] - steps[1]), MAX_ILD_DB))
    return float(np.mean(errors)) if errors else None


def coherence(reference: np.ndarray, estimate: np.ndarray, high_hz: float = RATE / 2) -> float:
    """Mean absolute error of the inter-channel coherence |<L R*>| / sqrt(<|L|^2> <|R|^2>).

    < > averages over an ERB band and COHERENCE_FRAMES frames. Only bands and frames within 60 dB
    of the loudest of the reference count.
    """
    validate(reference, estimate)
    edges, energies, coherences = erb_edges(high_hz), [], []
    for signal in (reference, estimate):
        left, right = spectra(signal[:2])
        cross = left * right.conj()
        left_power, right_power = (_smoothed(np.abs(x) ** 2, edges) for x in (left, right))
        energies.append(left_power + right_power)
        coherences.append(
            np.hypot(_smoothed(cross.real, edges), _smoothed(cross.imag, edges))
            / np.sqrt((left_power + FLOOR) * (right_power + FLOOR))
        )
    audible = energies[0] > energies[0].max() * 1e-6
    return float(np.abs(coherences[0] - coherences[1])[audible].mean())


def _smoothed(values: np.ndarray, edges: tuple[int, ...]) -> np.ndarray:
    """Averages of (frames, bins) over bands and COHERENCE_FRAMES frames, every half of them."""
    sums = uniform_filter1d(_band_sums(values, edges), COHERENCE_FRAMES, axis=0)
    return sums[:: COHERENCE_FRAMES // 2]


@lru_cache(maxsize=1)
def _visqol():
    """The ViSQOL model; None if visqol-python is not installed."""
    try:
        from visqol import VisqolApi  # type: ignore[import-not-found]
    except ImportError:
        return None
    api = VisqolApi()
    api.create(mode="audio")
    return api


def visqol(reference: np.ndarray, estimate: np.ndarray) -> float | None:
    """ViSQOL's mean opinion score, 1 to 5 (Chinen et al. 2020); None without visqol-python.

    numba, if it is installed, makes it ten times faster.
    """
    validate(reference, estimate)
    api = _visqol()
    if api is None:
        return None
    x, y = (
        resample(s.mean(0, keepdims=True), RATE, VISQOL_RATE)[0].astype(np.float64)
        for s in (reference, estimate)
    )
    return float(api.measure_from_arrays(x, y, VISQOL_RATE).moslqo)
