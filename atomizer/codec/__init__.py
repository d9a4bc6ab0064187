"""A progressive file of atoms: the most important ones first, and any prefix is a coarser sound.

* `bitstream`   header, chunks and their checksums
* `coder`       binary range coder with adaptive mixtures of contexts
* `planes`      atoms level by level: places, signs, refinements
* `contexts`    what the probabilities of their bits depend on
* `bands`       levels of the bands, the coarsest description of a sound
* `allocation`  step sizes of the bands by masking: the audibility ordering
* `stereo`      mid and side per band
* `resolution`  the hop of a file
* `encoder`     a sound to bytes; `decoder`: bytes to atoms
* `rendering`   atoms to a sound, with `noise_fill` for what was not sent
* `names`       of orderings and fills, for the command line

All but the transform and the noise is integer arithmetic, the same on every machine. The loops are
compiled by numba.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..atoms.space import AtomSpace
from ..errors import AtomizerError
from ..io.audio import Sound, check, write
from .names import FILLS, ORDERS

if TYPE_CHECKING:
    from .decoder import Received


def encode(
    sound: Sound,
    *,
    kbps: float | None = None,
    size: int | None = None,
    atoms: int | None = None,
    order: str = "audibility",
    on_share: Callable[[float], None] | None = None,
) -> bytes:
    """Encode a sound as a file of atoms, from the most important one on.

    Parameters
    ----------
    sound : Sound
    kbps : float, optional
        Largest bit rate, in kbit/s.
    size : int, optional
        Largest number of bytes.
    atoms : int, optional
        Largest number of atoms.
    order : str
        "velocity", the loudest atoms first, or "audibility", those that exceed the masking of the
        others most; the latter also sends the levels of all bands.
    on_share : callable, optional
        Called with the share of the work that is done, from 0 to 1.

    Returns
    -------
    bytes
        The file. Without a limit it ends with the quietest level, about 100 dB below the loudest
        atom.

    Raises
    ------
    AtomizerError
        A value is invalid, the sound is longer than accepted, or numba is not installed.

    Examples
    --------
    >>> data = encode(read("in.wav"), kbps=64)  # doctest: +SKIP
    >>> coarse = decode(data[:2000])  # doctest: +SKIP
    """
    _check_numba()
    from .encoder import Budget, encode_sound, file_size
    from .resolution import choose_space

    if order not in ORDERS:
        raise AtomizerError(
            f"Files of atoms have no ordering {str(order)[:40]!r}: choose from {', '.join(ORDERS)}."
        )
    if atoms is not None and atoms < 0:
        raise AtomizerError(f"A file has 0 or more atoms, not {atoms}.")
    budget = Budget(file_size(sound, kbps, size), atoms)
    check(sound.samples, sound.rate)
    space = choose_space(sound, budget) if order == "audibility" else AtomSpace()
    return encode_sound(sound, space, order, budget, on_share)


def decode(
    data: bytes | BinaryIO,
    *,
    fill: str | None = None,
    seed: int = 0,
    max_seconds: float | None = None,
) -> Sound:
    """Decode a file of atoms, or the first bytes of one.

    Parameters
    ----------
    data : bytes or binary file
        A file of atoms, cut off anywhere behind its header. The more bytes, the higher the SNR.
        A file object, or a pipe, is read to its end.
    fill : str, optional
        "noise" fills what was not sent with noise at the level of each band, if the file is in the
        order of audibility. It sounds fuller and has a lower SNR.
    seed : int
        Of the noise.
    max_seconds : float, optional
        Longest accepted sound; `limits().seconds` by default.

    Returns
    -------
    Sound
        The sound, with the rate, channels and length of the original.

    Raises
    ------
    AtomizerError
        The file is none of atoms, is damaged, ends in its header, or is longer than accepted; or
        numba is not installed.
    """
    check_fill(fill)
    content = data if isinstance(data, bytes) else data.read()
    return render(receive(content, max_seconds), fill, seed)


def decode_arriving(
    file: BinaryIO, *, fill: str | None = None, seed: int = 0, first: int = 4096
) -> Iterator[Sound]:
    """Decode what has arrived of a file of atoms, again whenever it has doubled, and at its end.

    Parameters
    ----------
    file : binary file
        A file object or a pipe, whose bytes may arrive slowly.
    fill, seed
        As in `decode`.
    first : int
        Number of bytes of the first sound.

    Yields
    ------
    Sound
        The whole sound, each time with a higher SNR. All of them together take about as long as
        decoding the file twice.

    Raises
    ------
    AtomizerError
        As `decode`.
    """
    check_fill(fill)
    content, decoded, wanted = b"", -1, first
    while part := file.read(wanted - len(content)):
        content += part
        if len(content) == wanted:
            decoded, wanted = wanted, 2 * wanted
            yield decode(content, fill=fill, seed=seed)
    if len(content) != decoded:
        yield decode(content, fill=fill, seed=seed)


def check_fill(fill: str | None) -> None:
    """Raise AtomizerError unless `fill` is None or in `FILLS`."""
    if fill is not None and fill not in FILLS:
        raise AtomizerError(
            f"There is no fill {str(fill)[:40]!r} of a file of atoms: choose from"
            f" {', '.join(FILLS)}."
        )


def open_file(path: Path, max_seconds: float | None = None) -> Sound:
    """The sound of a file of atoms, with noise for what was not sent if it has levels of bands.

    Raises AtomizerError as `decode` does.
    """
    received = receive(path.read_bytes(), max_seconds)
    return render(received, None if received.steps is None else "noise")


def write_sound_of(path: Path, target: Path, max_seconds: float | None = None) -> None:
    """Write the sound of a file of atoms, as `open_file` decodes it, into a sound file."""
    write(target, open_file(path, max_seconds))


def render(received: Received, fill: str | None = None, seed: int = 0) -> Sound:
    """The sound of what was received; `fill` and `seed` as in `decode`."""
    from .rendering import render as rendered

    return rendered(received, fill, seed)


def receive(
    data: bytes,
    max_seconds: float | None = None,
    on_share: Callable[[float], None] | None = None,
) -> Received:
    """Header, atoms and levels of bands of a file of atoms, or of the first bytes of one.

    `on_share` is called with the share of the work that is done. Raises AtomizerError as `decode`
    does.
    """
    _check_numba()
    from .decoder import receive as received
    from .planes import Watch

    return received(data, max_seconds, Watch(on_share=on_share) if on_share else None)


def positions(data: bytes, counts: Sequence[int]) -> np.ndarray:
    """Numbers of bytes of a file of atoms that hold numbers of atoms.

    Parameters
    ----------
    data : bytes
        The file.
    counts : sequence of int
        Numbers of atoms, in rising order.

    Returns
    -------
    numpy.ndarray
        (len(counts),) int64. `data[:n]` has at least this number of atoms, and `data[: n - 8]`
        has fewer; numbers that the file does not hold have its size.

    Raises
    ------
    AtomizerError
        As `decode`.
    """
    _check_numba()
    from .bitstream import file_bytes
    from .decoder import receive as received
    from .planes import Watch

    watch = Watch(np.asarray(counts, np.int64), np.full(len(counts), len(data), np.int64))
    received(data, math.inf, watch)
    return np.array([min(len(data), file_bytes(int(size))) for size in watch.bytes], np.int64)


def _check_numba() -> None:
    if not is_installed():
        raise AtomizerError(
            "Files of atoms need numba, which is not installed: run `pip install numba`."
        )


def is_installed() -> bool:
    """Whether numba, which files of atoms need, is installed."""
    return importlib.util.find_spec("numba") is not None


__all__ = [
    "FILLS",
    "ORDERS",
    "decode",
    "decode_arriving",
    "encode",
    "is_installed",
    "open_file",
    "positions",
    "receive",
    "render",
    "write_sound_of",
]
