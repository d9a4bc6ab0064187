"""The bytes of a file of atoms: a header, and chunks of the code, each with a checksum.

Header, little endian: magic, version, ordering, channels, window, rate and length of the sound,
rate and hop of the AtomSpace, exponent, highest level, bytes of the code, and number of atoms;
then a CRC-32 of these. A chunk is up to CHUNK bytes of the code followed by their CRC-32. A file
may end anywhere behind its header: the checksum of a chunk that is cut off is not checked.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from ..atoms.space import MAX_PLACES, WINDOWS, AtomSpace
from ..errors import AtomizerError
from ..io.audio import check_length
from .contexts import MAX_LEVEL
from .names import MAGIC, ORDERS

VERSION = 1
MAX_ATOMS = (1 << 32) - 1  # in the header: no limit
CHUNK = 2048  # bytes
HOPS = (1024, 512, 256)  # samples
EXPONENTS = (-64, 24)  # accepted ones: samples are below 1e10
_FIELDS = struct.Struct("<4sBBBBIIIHbBII")
_CHECKSUM = struct.Struct("<I")
HEADER_BYTES = _FIELDS.size + _CHECKSUM.size


@dataclass(frozen=True)
class Header:
    """What a decoder needs to know before the code.

    rate, length  of the sound: samples per second, and samples
    channels      number of channels
    order         of the atoms, a name of `ORDERS`
    space         of the atoms
    exponent      the unit of the grid is 2 ** exponent
    top           highest level of an atom
    size          bytes of the code of the whole file
    atoms         number of atoms after which the code ends, if its bytes do not end it before
    """

    rate: int
    length: int
    channels: int
    order: str
    space: AtomSpace
    exponent: int
    top: int
    size: int
    atoms: int = MAX_ATOMS

    @property
    def samples(self) -> int:
        """Length of the sound at the rate of the atoms."""
        return -(-self.length * self.space.rate // self.rate)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, frames, bins) of the grid."""
        return self.channels, self.space.frame_count(self.samples), self.space.bins

    def pack(self) -> bytes:
        """The header as bytes."""
        fields = _FIELDS.pack(
            MAGIC,
            VERSION,
            ORDERS.index(self.order),
            self.channels,
            WINDOWS.index(self.space.window),
            self.rate,
            self.length,
            self.space.rate,
            self.space.hop,
            self.exponent,
            self.top,
            self.size,
            self.atoms,
        )
        return fields + _CHECKSUM.pack(zlib.crc32(fields))

    @classmethod
    def unpack(cls, data: bytes, max_seconds: float | None = None) -> Header:
        """The header of a file.

        max_seconds  longest accepted sound; `limits().seconds` by default

        Raises AtomizerError if this is no file of atoms, if its header is damaged or cut off, if
        its version is unknown, or if the sound is longer than accepted.
        """
        if data[: len(MAGIC)] != MAGIC[: len(data)] or not data:
            raise AtomizerError(
                "This is no file of atoms: a file written by `atomizer encode` is accepted."
            )
        if len(data) < HEADER_BYTES:
            raise AtomizerError(
                f"This file of atoms ends within its header: at least {HEADER_BYTES} bytes are"
                " needed."
            )
        _, version, *fields = _FIELDS.unpack_from(data)
        if version != VERSION:
            raise AtomizerError(
                f"This file of atoms has version {version} of the format; version {VERSION} is"
                " accepted."
            )
        (checksum,) = _CHECKSUM.unpack_from(data, _FIELDS.size)
        if checksum != zlib.crc32(data[: _FIELDS.size]):
            raise damaged("its header")
        order, channels, window, rate, length, space_rate, hop, exponent, top, size, atoms = fields
        if order >= len(ORDERS) or window >= len(WINDOWS):
            raise damaged("its header")
        space = AtomSpace(rate=space_rate, hop=hop, window=WINDOWS[window])
        if space not in [AtomSpace(hop=hop) for hop in HOPS]:
            raise AtomizerError(
                "This file of atoms has another AtomSpace than the default one with a hop of"
                f" {', '.join(map(str, HOPS))} samples, which is accepted."
            )
        check_length(channels, length, rate, max_seconds)
        header = cls(rate, length, channels, ORDERS[order], space, exponent, top, size, atoms)
        _, frames, bins = header.shape
        if (
            channels * frames * bins > MAX_PLACES
            or top >= MAX_LEVEL
            or not EXPONENTS[0] <= exponent <= EXPONENTS[1]
        ):
            raise damaged("its header")
        return header


def damaged(part: str) -> AtomizerError:
    """The error of a file whose bytes were changed."""
    return AtomizerError(
        f"This file of atoms is damaged: the checksum of {part} is wrong, and only a complete or"
        " truncated file is accepted."
    )


def to_chunks(code: bytes) -> bytes:
    """The code as chunks with checksums."""
    chunks = (code[start : start + CHUNK] for start in range(0, len(code), CHUNK))
    return b"".join(chunk + _CHECKSUM.pack(zlib.crc32(chunk)) for chunk in chunks)


def from_chunks(data: bytes, size: int) -> bytes:
    """The code in chunks, of which the last one may be cut off.

    size  bytes of the code of the whole file

    Raises AtomizerError if a checksum is wrong.
    """
    out, at = [], 0
    for start in range(0, size, CHUNK):
        chunk = data[at : at + min(CHUNK, size - start)]
        out.append(chunk)
        at += len(chunk) + _CHECKSUM.size
        if at > len(data):
            break
        if _CHECKSUM.unpack_from(data, at - _CHECKSUM.size)[0] != zlib.crc32(chunk):
            raise damaged(f"the {len(chunk):,} bytes from byte {HEADER_BYTES + start:,} on")
    return b"".join(out)


def file_bytes(size: int) -> int:
    """Bytes of the file up to byte `size` of the code."""
    return HEADER_BYTES + size + max(0, size - 1) // CHUNK * _CHECKSUM.size


def code_bytes(size: int) -> int:
    """Bytes of the code in a file of `size` bytes."""
    chunks, rest = divmod(max(0, size - HEADER_BYTES), CHUNK + _CHECKSUM.size)
    return chunks * CHUNK + max(0, rest - _CHECKSUM.size)
