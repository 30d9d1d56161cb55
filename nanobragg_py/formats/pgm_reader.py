"""Grey images: PGM, binary (P5, 8 or 16 bits) or plain (P2)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..base.errors import InputError
from .image_header import ImageHeader, check_size
from .input_file import InputFile

_MOST_HEADER = 1 << 16
_BLANKS = b" \t\n\r\v\f"
_MOST_DIGITS = 10
# Bytes that a grey value takes as text at most, with blanks between.
_PLAIN_BYTES = 64


class PgmHeader(NamedTuple):
    """Kind (P5 or P2), size, largest grey value, and where the grey values start."""

    kind: bytes
    width: int
    height: int
    largest: int
    end: int


def is_pgm(start: bytes) -> bool:
    """Whether a file that begins like this is a PGM."""
    return start[:2] in (b"P5", b"P2") and start[2:3] != b"" and start[2:3] in _BLANKS + b"#"


def pgm_header(head: bytes, where: str) -> PgmHeader:
    """The header, read from left to right once. Raises InputError."""
    at = 2
    numbers: list[int] = []
    while len(numbers) < 3:
        while head[at : at + 1] and head[at : at + 1] in _BLANKS + b"#":
            if head[at : at + 1] == b"#":
                end = head.find(b"\n", at)
                at = len(head) if end < 0 else end
            else:
                at += 1
        digits = at
        while head[at : at + 1].isdigit() and at - digits <= _MOST_DIGITS:
            at += 1
        if not 0 < at - digits <= _MOST_DIGITS:
            raise InputError(f"{where}: not a PGM header: expected width, height and the largest grey value")
        numbers.append(int(head[digits:at]))
    width, height, largest = numbers
    if not 0 < largest < 65536:
        raise InputError(f"{where}: largest grey value {largest}: expected 1 to 65535")
    return PgmHeader(head[:2], width, height, largest, at)


def read_pgm(file: InputFile) -> tuple[ImageHeader, np.ndarray]:
    """Size and grey values (slow, fast). Raises InputError."""
    header = pgm_header(file.head(_MOST_HEADER), file.where)
    dtype = np.dtype(np.uint8 if header.largest < 256 else ">u2")
    size = check_size(header.width, header.height, dtype.itemsize, file.where)
    count = header.width * header.height
    if header.kind == b"P2":
        words = bytes(file.content(header.end + _PLAIN_BYTES * count)[header.end :]).split()
        if len(words) != count or not all(word.isdigit() and len(word) <= _MOST_DIGITS for word in words):
            raise InputError(f"{file.where}: expected {count} grey values")
        pixels = np.array([int(word) for word in words], dtype=np.int64)
    else:
        # One blank stands between header and pixels.
        content = file.content(header.end + 1 + size)[header.end + 1 :]
        if len(content) < size:
            raise InputError(f"{file.where}: cut short: {len(content)} bytes of {size}")
        pixels = np.frombuffer(content, dtype=dtype, count=count)
    return ImageHeader(header.width, header.height), pixels.reshape(header.height, header.width)
