"""Order and layout of channels: all sounds have the order of WAV files.

WAV and FLAC files order their channels by the bits of a mask (WAVEFORMATEXTENSIBLE); Vorbis and
Opus have a table of their own (Vorbis I, section 4.3.9). libsndfile passes both through.
"""

from __future__ import annotations

import numpy as np

# default masks of FLAC (RFC 9639) and of the channel counts of Vorbis
MASKS = {1: 0x4, 2: 0x3, 3: 0x7, 4: 0x33, 5: 0x37, 6: 0x3F, 7: 0x70F, 8: 0x63F}
# for every channel of a WAV file the channel of an Ogg file
_OGG = {
    3: (0, 2, 1),
    5: (0, 2, 1, 3, 4),
    6: (0, 2, 1, 5, 3, 4),
    7: (0, 2, 1, 6, 5, 3, 4),
    8: (0, 2, 1, 7, 5, 6, 3, 4),
}


def from_file(samples: np.ndarray, format_: str) -> np.ndarray:
    """Samples (n, channels) of a file of a format, as libsndfile names it, in the order of WAV."""
    order = _OGG.get(samples.shape[1]) if format_ == "OGG" else None
    return samples if order is None else samples[:, list(order)]


def to_file(samples: np.ndarray, format_: str) -> np.ndarray:
    """Samples (n, channels) in the order of WAV, in that of a file of a format."""
    order = _OGG.get(samples.shape[1]) if format_ == "OGG" else None
    return samples if order is None else samples[:, np.argsort(order)]


def mask_of(channels: int, format_: str, mask: int) -> int:
    """Mask of a file's channels: its own, or that which its format implies; 0 if unknown."""
    if mask:
        return mask if mask.bit_count() == channels else 0
    return MASKS.get(channels, 0) if channels > 2 and format_ in ("FLAC", "OGG") else 0
