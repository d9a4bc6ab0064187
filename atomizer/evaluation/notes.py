"""A metric that hears notes: which notes sound in a hidden span, by a published pitch model.

The model is basic-pitch (Bittner, Bosch, Rubinstein, Meseguer-Brocal & Ewert 2022, "A lightweight
instrument-agnostic model for polyphonic note transcription and multipitch estimation"), as an ONNX
file that its Python package contains; onnxruntime computes it. Both are optional and only for the
evaluation: `pip install --no-deps basic-pitch onnxruntime flatbuffers`.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from .. import metrics
from ..io.audio import resample

PITCH_RATE = 22_050  # Hz
WINDOW = 43_844  # samples of the model's input
FRAME = 256  # samples of a frame of its output
FRAMES, NOTES = 172, 88  # of its output
DROPPED_FRAMES = 15  # at either end of a window, where the model has too little context
OUTPUT = "StatefulPartitionedCall:1"  # the notes
THRESHOLD = 0.3  # of a note that sounds
MIN_NOTES = 5  # that sound in the span of the truth, counted in frames
MODEL_FILE = "saved_models/icassp_2022/nmp.onnx"  # in the package basic_pitch
CONVENTION = (
    f"frame-wise F1 of the notes above {THRESHOLD:g} of basic-pitch (nmp.onnx) in the hidden span, "
    f"mean of the channels, none where the truth has fewer than {MIN_NOTES}"
)


@lru_cache(maxsize=1)
def _session() -> Any:
    """The pitch model; None if basic-pitch or onnxruntime is not installed."""
    package = importlib.util.find_spec("basic_pitch")
    folders = list(package.submodule_search_locations or []) if package else []
    path = next((Path(f) / MODEL_FILE for f in folders if (Path(f) / MODEL_FILE).is_file()), None)
    if path is None:
        return None
    try:
        import onnxruntime  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def activations(samples: np.ndarray, session: Any) -> np.ndarray:
    """Activations (frames, 88), 0 to 1, of the notes from A0 on, in samples (n,) at PITCH_RATE.

    Frame k is centred on sample k * FRAME.
    """
    kept = FRAMES - 2 * DROPPED_FRAMES
    windows = -(-len(samples) // (kept * FRAME))
    padded = np.pad(samples.astype(np.float32), (DROPPED_FRAMES * FRAME, WINDOW))
    pieces = np.stack([padded[n * kept * FRAME :][:WINDOW] for n in range(windows)])[..., None]
    found = session.run([OUTPUT], {session.get_inputs()[0].name: pieces})[0]
    frames = found[:, DROPPED_FRAMES : FRAMES - DROPPED_FRAMES].reshape(-1, NOTES)
    return np.asarray(frames[: len(samples) // FRAME + 1])


def note_f1(reference: np.ndarray, estimate: np.ndarray, span: tuple[float, float]) -> float | None:
    """F1 of the notes that sound in the frames of a span, with those of the reference as truth.

    Parameters
    ----------
    reference, estimate : (channels, samples) array
        At `metrics.RATE`; what lies outside of the span is context for the model.
    span : (float, float)
        Seconds (start, end).

    Returns
    -------
    float or None
        2 TP / (2 TP + FP + FN); None where the reference has fewer than MIN_NOTES notes, or
        without basic-pitch and onnxruntime.
    """
    metrics.validate(reference, estimate)
    session = _session()
    if session is None:
        return None
    truth, found = (_sounding(signal, span, session) for signal in (reference, estimate))
    if truth.sum() < MIN_NOTES:
        return None
    return float(2 * (truth & found).sum() / (truth.sum() + found.sum()))


def _sounding(signal: np.ndarray, span: tuple[float, float], session: Any) -> np.ndarray:
    """(frames, 88) bool: the notes that sound in a span of (channels, samples)."""
    mono = resample(signal.mean(0, keepdims=True), metrics.RATE, PITCH_RATE)[0]
    found = activations(mono, session)
    seconds = np.arange(len(found)) * FRAME / PITCH_RATE
    return (found > THRESHOLD)[(seconds >= span[0]) & (seconds < span[1])]
