"""Read the images that nb-compare compares: raw floats, PGM and NPY here, every other format with fabio."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..base.errors import InputError

RAW_EXTENSIONS = (".bin", ".raw", ".f32", ".float")
MAGIC = (b"{", b"###CBF", b"II*\0", b"MM\0*", b"\x1f\x8b", b"BZh", b"\x89HDF")
PGM_HEADER = re.compile(rb"^P([25])(?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)(?:\s+|#[^\n]*\n)+(\d+)")
FLOAT_BYTES = 4


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
    try:
        with open(path, "rb") as file:
            start = file.read(16)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {(error.strerror or str(error)).lower()}") from error
    if not start:
        raise InputError(f"{path}: an empty file")
    if path.lower().endswith(RAW_EXTENSIONS):
        return read_raw(path, shape, other)
    if start.startswith(b"\x93NUMPY"):
        return Image(path, two_dimensional(path, read_npy(path)), "NPY", "file")
    if re.match(rb"P[25]\s", start):
        return Image(path, read_pgm(path), "PGM", "file")
    try:
        return read_with_fabio(path)
    except InputError:
        if start.startswith(MAGIC):
            raise
        return read_raw(path, shape, other)


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
    sizes = [re.search(rb"\bSIZE%d=\s*(\d+)" % axis, header.split(b"}")[0]) for axis in (2, 1)]
    if not header.startswith(b"{") or None in sizes:
        return None
    return int(sizes[0].group(1)), int(sizes[1].group(1))


def read_npy(path: str) -> np.ndarray:
    """An array mapped from a NumPy file; never unpickled. Raises InputError."""
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise InputError(f"{path}: cannot be read as NPY: {error}") from error


def read_pgm(path: str) -> np.ndarray:
    """Grey values of a binary (P5, 8 or 16 bits) or plain (P2) PGM. Raises InputError."""
    content = Path(path).read_bytes()
    header = PGM_HEADER.match(content)
    if header is None:
        raise InputError(f"{path}: not a PGM header")
    kind, width, height, largest = (int(header.group(i)) for i in range(1, 5))
    dtype = np.dtype(np.uint8 if largest < 256 else ">u2")
    if not 0 < largest < 65536:
        raise InputError(f"{path}: largest grey value {largest}: expected 1 to 65535")
    if kind == 2:
        words = content[header.end() :].split()
        if len(words) != width * height or not all(word.isdigit() for word in words):
            raise InputError(f"{path}: expected {width * height} grey values")
        return np.array(words, dtype=np.int64).reshape(height, width)
    pixels = content[header.end() + 1 :]
    if len(pixels) < width * height * dtype.itemsize:
        raise InputError(f"{path}: cut short: {len(pixels)} bytes of {width * height * dtype.itemsize}")
    return np.frombuffer(pixels, dtype=dtype, count=width * height).reshape(height, width)


def read_with_fabio(path: str) -> Image:
    """SMV, CBF, EDF, TIFF and the other formats that fabio knows. Raises InputError."""
    import fabio

    logging.getLogger("fabio").setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fabio.open(path) as image:
                frames, pixels, name = image.nframes, image.data, type(image).__name__
    except Exception as error:  # fabio's codecs raise whatever comes to them from a damaged file
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: cannot be read as an image: {reason}") from error
    if frames != 1:
        raise InputError(f"{path}: {frames} images in one file; expected one")
    label = "SMV" if name in ("AdscImage", "DtrekImage") else name.removesuffix("Image").upper()
    return Image(path, two_dimensional(path, pixels), label, "file")


def two_dimensional(path: str, pixels: np.ndarray | None) -> np.ndarray:
    """The pixels as they are. Raises InputError unless they are a table of real numbers."""
    if pixels is None or pixels.ndim != 2 or not pixels.size or pixels.dtype.kind not in "biuf":
        what = "nothing" if pixels is None else f"{pixels.dtype} of shape {pixels.shape}"
        raise InputError(f"{path}: expected a two-dimensional image of real numbers, found {what}")
    return pixels
