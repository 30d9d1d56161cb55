"""Masks of Fit2D (.msk): one bit for each pixel, 1 where it is masked; rows padded to 32 bits, the lowest bit first."""

from __future__ import annotations

import numpy as np

from ..base.errors import InputError
from .image_header import ImageHeader, check_size
from .input_file import InputFile

START = b"M\0\0\0A\0\0\0S\0\0\0K\0\0\0"
_HEADER_BYTES = 1024


def read_fit2d_mask(file: InputFile) -> tuple[ImageHeader, np.ndarray]:
    """Size, and marks (slow, fast), uint8, 1 where a pixel is masked. Raises InputError."""
    head = file.head(_HEADER_BYTES)
    if len(head) < _HEADER_BYTES:
        raise InputError(f"{file.where}: the mask is cut short: {len(head)} bytes of a header of {_HEADER_BYTES}")
    width, height = (int(value) for value in np.frombuffer(head, "<i4", count=2, offset=16))
    check_size(width, height, 1, file.where)
    row_bytes = (width + 31) // 32 * 4
    content = file.content(_HEADER_BYTES + row_bytes * height)
    if len(content) < _HEADER_BYTES + row_bytes * height:
        raise InputError(f"{file.where}: the mask is cut short: {len(content)} of {_HEADER_BYTES + row_bytes * height}")
    rows = np.frombuffer(content, np.uint8, offset=_HEADER_BYTES).reshape(height, row_bytes)
    return ImageHeader(width, height), np.unpackbits(rows, axis=1, count=width, bitorder="little")
