"""NumPy's files of one array, read without unpickling anything."""

from __future__ import annotations

import io
import warnings
from typing import Any

import numpy as np

from ..base.errors import InputError, shown
from .image_header import ImageHeader, check_size
from .input_file import InputFile

START = b"\x93NUMPY"
_MOST_HEADER = 1 << 16


def array_header(head: bytes, where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Shape, whether columns come first, type, and where the data start. Raises InputError."""
    try:
        stream = io.BytesIO(head)
        version = np.lib.format.read_magic(stream)
        reader = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}[version[0]]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, columns_first, dtype = reader(stream)
        if dtype.hasobject:
            raise ValueError("it has Python's objects in it")
    except Exception as error:  # a damaged header raises whatever Python's parser of it does
        raise InputError(f"{where}: cannot be read as NPY: its header is damaged, or of another kind") from error
    return shape, columns_first, dtype, stream.tell()


def read_npy(file: InputFile) -> tuple[ImageHeader, np.ndarray]:
    """Size and pixels (slow, fast) of an array of two dimensions of real numbers or booleans. Raises InputError."""
    shape, columns_first, dtype, start = array_header(file.head(_MOST_HEADER), file.where)
    check_two_dimensions(shape, dtype, file.where)
    size = check_size(shape[1], shape[0], dtype.itemsize, file.where)
    content = file.content(start + size)
    if len(content) < start + size:
        raise InputError(f"{file.where}: cannot be read as NPY: cut short: {len(content) - start} bytes of {size}")
    pixels = np.frombuffer(content, dtype, offset=start, count=shape[0] * shape[1])
    pixels = pixels.reshape(shape, order="F" if columns_first else "C")
    return ImageHeader(shape[1], shape[0]), pixels


def check_two_dimensions(shape: tuple[int, ...], dtype: np.dtype[Any], where: str) -> None:
    """Raise InputError unless an array is a table of real numbers."""
    if len(shape) != 2 or dtype.kind not in "biuf" or 0 in shape:
        found = f"{shown(dtype.name)} of shape {shown(str(shape))}"
        raise InputError(f"{where}: expected a two-dimensional image of real numbers, found {found}")
