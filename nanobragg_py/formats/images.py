"""Writers of the image files: raw floats, SMV and PGM, in the reference's bytes (fabio's writers give others)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from ..base.c_numbers import c_format
from ..base.files import whole_file
from ..kernels.library.load import address, kernel
from ..options.config import Config
from ..rendering.statistics import Statistics

# Pixels that are scaled and written at a time: no second image of integers is kept.
CHUNK = 1 << 20


def write_floats(path: str, image: np.ndarray) -> None:
    """Raw float32 pixels."""
    with whole_file(path, "-floatfile") as file:
        file.write(memoryview(image).cast("B"))


def integer_scale(config: Config, found: Statistics) -> float:
    """Factor of the integer image: as said, or the brightest pixel at 55000."""
    if config.scale > 0.0:
        return config.scale
    return 55000.0 / found.largest if found.largest > 0.0 else 1.0


def grey_scale(config: Config, found: Statistics) -> float:
    """Factor of the PGM: as said, or five rms deviations at 250."""
    if config.pgm_scale > 0.0:
        return config.pgm_scale
    return 250.0 / (5.0 * found.rmsd) if found.rmsd > 0.0 else integer_scale(config, found)


def rows_of_region(image: np.ndarray, region: tuple[int, int, int, int]) -> Iterator[tuple[int, int, slice]]:
    """Runs of whole rows of at most CHUNK pixels or so: first row, last row + 1, columns of the region."""
    spixels, fpixels = image.shape
    step = max(1, CHUNK // max(fpixels, 1))
    for first in range(0, spixels, step):
        yield first, min(first + step, spixels), slice(region[0], region[1] + 1)


def write_integers(
    path: str, header: bytes, image: np.ndarray, region: tuple[int, int, int, int], scale: float, offset: float
) -> None:  # fmt: skip
    """SMV image of value*scale + offset; pixels outside the region of interest are 0."""
    convert = kernel("scale_to_words")
    with whole_file(path, "-intfile") as file:
        file.write(header)
        for first, last, columns in rows_of_region(image, region):
            words = np.empty((last - first, image.shape[1]), dtype=np.uint16)
            values = image[first:last]
            convert(address(values), address(words), values.size, scale, offset)
            _blank_outside(words, first, columns, region)
            file.write(memoryview(words).cast("B"))


def write_pgm(path: str, image: np.ndarray, region: tuple[int, int, int, int], scale: float) -> None:
    """8-bit PGM of value*scale."""
    convert = kernel("scale_to_bytes")
    with whole_file(path, "-pgmfile") as file:
        file.write(c_format("P5\n%d %d\n# pixels scaled by %g\n255\n", image.shape[1], image.shape[0], scale).encode())
        for first, last, columns in rows_of_region(image, region):
            grey = np.empty((last - first, image.shape[1]), dtype=np.uint8)
            values = image[first:last]
            convert(address(values), address(grey), values.size, scale)
            _blank_outside(grey, first, columns, region)
            file.write(memoryview(grey).cast("B"))


def _blank_outside(pixels: np.ndarray, first_row: int, columns: slice, region: tuple[int, int, int, int]) -> None:
    """Zero what lies outside the region of interest."""
    slow_first, slow_last = region[2] - first_row, region[3] - first_row
    pixels[: max(slow_first, 0)] = 0
    pixels[max(slow_last + 1, 0) :] = 0
    pixels[:, : columns.start] = 0
    pixels[:, columns.stop :] = 0


def write_noise(
    path: str, header: bytes, image: np.ndarray, region: tuple[int, int, int, int], offset: float,
    table: np.ndarray, seed: int, before_last: Callable[[], None] = lambda: None,
) -> tuple[float, int]:  # fmt: skip
    """SMV image of Poisson deviates about the image plus offset; returns photons and overloads.

    before_last: called when all is written, before the file gets its name.
    """
    totals = np.zeros(2)
    with whole_file(path, "-noisefile") as file:
        file.write(header)
        for words in noisy_rows(image, region, offset, table, seed, totals):
            file.write(memoryview(words).cast("B"))
        before_last()
    return float(totals[0]), int(totals[1])


def noisy_rows(
    image: np.ndarray, region: tuple[int, int, int, int], offset: float, table: np.ndarray, seed: int,
    totals: np.ndarray,
) -> Iterator[np.ndarray]:  # fmt: skip
    """Runs of rows, uint16 (rows, fast), of Poisson deviates about the image plus offset; outside the region 0.

    Deviates are drawn in pixel order over the region of interest, from one generator: serial by definition.
    totals float64 (2,): photons and overloads are added to it. table is changed, as in a run of the program.
    """
    draw = kernel("poisson_words")
    stream = np.array([seed], dtype=np.int64)
    memory = np.array([0, 0, -1, 0, 0, 0], dtype=np.float32)
    whole_rows = region[0] == 0 and region[1] == image.shape[1] - 1
    for first, last, columns in rows_of_region(image, region):
        words = np.zeros((last - first, image.shape[1]), dtype=np.uint16)
        for low, high in _runs(max(first, region[2]), min(last, region[3] + 1), whole_rows):
            values = image[low:high, columns]
            target = words[low - first : high - first, columns]
            draw(
                address(values), address(target), values.size, offset,
                address(table), address(stream), address(memory), address(totals),
            )  # fmt: skip
        yield words


def _runs(first: int, last: int, together: bool) -> Iterator[tuple[int, int]]:
    """Rows first..last-1 in contiguous runs: all at once when whole rows are wanted, else one by one."""
    if together and first < last:
        yield first, last
    elif not together:
        for row in range(first, last):
            yield row, row + 1
