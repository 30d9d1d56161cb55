"""The images that nb-compare compares: raw floats and NPY mapped from disk, every other format as for -img."""

from __future__ import annotations

import contextlib
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..base.errors import InputError
from .image_header import check_size
from .input_file import InputFile
from .npy import START as NPY_START
from .npy import array_header, check_two_dimensions

RAW_EXTENSIONS = (".bin", ".raw", ".f32", ".float")
FLOAT_BYTES = 4
_MOST_HEADER = 1 << 16


Shape = tuple[int, int]


@dataclass(frozen=True)
class Image:
    """Pixels of shape (slow, fast), possibly still on disk; how they were read; how the shape was found."""

    path: str
    pixels: np.ndarray
    format: str
    shape_from: str


def read_image(path: str, shape: Shape | None = None, other: Shape | None = None) -> Image:
    """Read one image. Raises InputError when it cannot be read as one two-dimensional image.

    shape is that of a raw file, (slow, fast); other is that of the image it is compared with, taken where
    neither a shape nor a header beside the file is known.
    """
    from .input_image import is_image, open_image  # raw images need none of its readers

    if "::" in path and not os.path.exists(path):
        image = open_image(path, "", want_pixels=True)
        assert image.pixels is not None
        return Image(path, image.pixels, image.form, "file")
    with InputFile(path, "") as file:
        start = file.head(_MOST_HEADER)
        on_disk = file.on_disk
    if path.lower().endswith(RAW_EXTENSIONS) or not is_image(start):
        return read_raw(path, shape, other)
    if start.startswith(NPY_START) and on_disk:
        return Image(path, mapped_npy(path, start), "NPY", "file")
    image = open_image(path, "", want_pixels=True)
    assert image.pixels is not None
    return Image(path, image.pixels, image.form, "file")


def mapped_npy(path: str, head: bytes) -> np.ndarray:
    """Pixels (slow, fast) of an NPY file that begins so, mapped from disk. Raises InputError."""
    where = f"{path}: cannot be read as an image"
    shape, columns_first, dtype, start = array_header(head, where)
    check_two_dimensions(shape, dtype, where)
    size = check_size(shape[1], shape[0], 1, where) * dtype.itemsize
    if os.path.getsize(path) < start + size:
        raise InputError(f"{where}: cut short: {os.path.getsize(path)} bytes of {start + size}")
    order = "F" if columns_first else "C"
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=(shape[0], shape[1]), order=order)  # type: ignore[call-overload, no-any-return]


def read_raw(path: str, shape: Shape | None, other: Shape | None) -> Image:
    """Native float32 pixels, row after row, mapped from disk. Raises InputError."""
    size = os.path.getsize(path)
    shape, source = raw_shape(path, size, shape, other)
    if shape[0] * shape[1] * FLOAT_BYTES != size:
        raise InputError(
            f"{path}: {size} bytes are not {shape[0]} x {shape[1]} float32 pixels ({source}); expected "
            f"{shape[0] * shape[1] * FLOAT_BYTES} bytes"
        )
    return Image(path, np.memmap(path, dtype=np.float32, mode="r", shape=shape), "raw", source)


def raw_shape(path: str, size: int, shape: Shape | None, other: Shape | None) -> tuple[Shape, str]:
    """Shape of a raw file and where it is from: --shape, a header beside it, the other image, or a square."""
    if shape is not None:
        return shape, "--shape"
    for header in neighbour_headers(path):
        found = smv_shape(header)
        if found and found[0] * found[1] * FLOAT_BYTES == size:
            return found, f"header of {header.name}"
    if other is not None and other[0] * other[1] * FLOAT_BYTES == size:
        return other, "the other image"
    side = math.isqrt(size // FLOAT_BYTES)
    if size % FLOAT_BYTES or side * side * FLOAT_BYTES != size:
        raise InputError(
            f"{path}: {size} bytes are no square of float32 pixels, and no SMV header beside it fits; "
            "give --shape SLOW FAST"
        )
    return (side, side), "a square"


def neighbour_headers(path: str) -> list[Path]:
    """SMV files in the folder of a raw image: of the same name, then nanoBragg's own names, then any."""
    file = Path(path)
    first = {file.with_suffix(".img").name: 0, "intimage.img": 1, "noiseimage.img": 2}
    with contextlib.suppress(OSError):
        return sorted(file.parent.glob("*.img"), key=lambda p: (first.get(p.name, 3), p.name))
    return []


def smv_shape(path: Path) -> Shape | None:
    """(SIZE2, SIZE1) of an SMV header, or None."""
    try:
        with open(path, "rb") as file:
            header = file.read(4096)
    except OSError:
        return None
    slow, fast = (re.search(rb"\bSIZE%d=\s*(\d{1,9})" % axis, header.split(b"}")[0]) for axis in (2, 1))
    if not header.startswith(b"{") or slow is None or fast is None:
        return None
    return int(slow[1]), int(fast[1])
