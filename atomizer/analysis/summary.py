"""Summary of the atoms of a sound, for `atomizer info`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from ..io.audio import Sound
from .matching_pursuit import MatchingPursuitAtomizer
from .mdct_atomizer import MDCTAtomizer


def summarise(
    sound: Sound,
    name: str,
    atomizer: MDCTAtomizer | MatchingPursuitAtomizer,
    loudest: int | None = None,
) -> dict[str, Any]:
    """Counts, duration of the analysis, SNR and features, as JSON-ready data.

    name     of the atomizer, in `ATOMIZERS`
    loudest  keep this many MDCT atoms; all by default. A pursuit has a `Stop` of its own.
    """
    samples = sound.at(atomizer.space.rate)
    # once before the clock starts: the first call imports, compiles and makes tables
    atomizer.analyse(np.ones((1, 1), np.float32), loudest=1)
    start = time.perf_counter()
    if isinstance(atomizer, MDCTAtomizer):
        atoms = atomizer.analyse(samples, loudest=loudest)
    else:
        atoms = atomizer.analyse(samples)
    seconds = time.perf_counter() - start
    return {
        "atoms": len(atoms),
        "audible": int(atoms.audible.sum()),
        "channels": sound.channels,
        "rate": sound.rate,
        "duration_s": round(sound.seconds, 6),
        "analysis_s": round(seconds, 6),
        "snr_db": _snr_db(samples, atomizer.synthesise(atoms, sound.channels)),
        "atomizer": name,
        "features": {
            feature.name: {"cardinality": feature.cardinality, "unit": feature.unit}
            for feature in atomizer.space.features
        },
    }


def _snr_db(samples: np.ndarray, estimate: np.ndarray) -> float | None:
    """Signal-to-noise ratio in dB, rounded; None for silence."""
    signal = float((samples.astype(float) ** 2).sum())
    noise = float(((samples - estimate).astype(float) ** 2).sum())
    return round(10 * np.log10(signal / max(noise, 1e-30)), 3) if signal else None
