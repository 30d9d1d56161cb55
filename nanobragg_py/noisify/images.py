"""noisify's files: float images in, SMV and PGM out."""

from __future__ import annotations

import numpy as np

from ..base.c_numbers import c_format
from ..base.errors import InputError, warn
from ..base.files import read_bytes, whole_file
from .geometry import Geometry


def image_from(content: bytes, path: str, g: Geometry) -> np.ndarray:
    """The image, float32 (slow, fast): what a file lacks is 0, what it has beyond is left out, as in the C program.

    Raises InputError for a file of fewer bytes than the image has pixels, which the C program refuses, too.
    """
    wanted = 4 * g.pixels
    if len(content) < max(g.pixels, 1) or not g.pixels:
        raise InputError(f"{path}: {len(content)} bytes; expected {wanted} for {g.fpixels} x {g.spixels} pixels")
    if len(content) != wanted:
        which = "those missing are 0" if len(content) < wanted else "the rest is left out"
        warn(f"{path}: {len(content)} bytes; expected {wanted} for {g.fpixels} x {g.spixels} pixels: {which}")
    padded = bytearray(content[:wanted].ljust(wanted, b"\0"))
    return np.frombuffer(padded, dtype=np.float32).reshape(g.spixels, g.fpixels)


def add_image(image: np.ndarray, path: str) -> None:
    """Add another float image of the same size to this one. Raises InputError."""
    content = read_bytes(path, "--add")
    if len(content) != image.nbytes:
        raise InputError(f"{path}: --add has {len(content)} bytes; expected {image.nbytes}, as the float image has")
    image += np.frombuffer(content, dtype=np.float32).reshape(image.shape)


def write_smv(path: str, option: str, header: bytes, pixels: bytes) -> None:
    """Write an SMV image."""
    with whole_file(path, option) as file:
        file.write(header)
        file.write(pixels)


def write_pgm(path: str, words: np.ndarray) -> None:
    """Write 16-bit pixels, cut off at 255, as a PGM image."""
    with whole_file(path, "-pgmfile") as file:
        file.write(c_format("P5\n%d %d\n# pixels scaled by %g\n255\n", words.shape[1], words.shape[0], 1.0).encode())
        file.write(np.minimum(words, 255).astype(np.uint8).tobytes())
