"""The part of a detector that is rendered: the one place that says whether a pixel is."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..base.c_numbers import wrap32
from ..base.records import by_value, record

# So that no second image is kept while one is converted.
PIXELS_AT_A_TIME = 1 << 20


@by_value
@record
class Region:
    """Region of interest in pixels, both ends included; the C program's numbers, which may lie outside the detector."""

    fast_first: int
    fast_last: int
    slow_first: int
    slow_last: int

    @property
    def progress_pixels(self) -> int:
        """Number of pixels by which the C program measures progress."""
        return wrap32((self.fast_last - self.fast_first + 1) * (self.slow_last - self.slow_first + 1))

    def clipped(self, fpixels: int, spixels: int) -> Region:
        """The part of it that exists."""
        return Region(
            max(self.fast_first, 0),
            min(self.fast_last, fpixels - 1),
            max(self.slow_first, 0),
            min(self.slow_last, spixels - 1),
        )

    def blank_outside(self, pixels: np.ndarray, first_row: int = 0) -> None:
        """Zero what lies outside in some rows of an image, of which the first is `first_row`."""
        slow_first, slow_last = self.slow_first - first_row, self.slow_last - first_row
        pixels[: max(slow_first, 0)] = 0
        pixels[max(slow_last + 1, 0) :] = 0
        pixels[:, : self.fast_first] = 0
        pixels[:, self.fast_last + 1 :] = 0

    @property
    def limits(self) -> tuple[int, int, int, int]:
        """First and last fast, first and last slow pixel."""
        return (self.fast_first, self.fast_last, self.slow_first, self.slow_last)


def runs_of_rows(image: np.ndarray) -> Iterator[tuple[int, int]]:
    """First row, and last row + 1, of runs of whole rows of an image (slow, fast): enough to work on at a time."""
    spixels, fpixels = image.shape
    step = max(1, PIXELS_AT_A_TIME // max(fpixels, 1))
    for first in range(0, spixels, step):
        yield first, min(first + step, spixels)


class RenderedPixels:
    """The pixels of an image that are computed: those in a region of interest that no mask leaves out.

    All others stay 0 and are not counted. kernels/pixel.py has the same rule, `is_rendered`.
    """

    def __init__(self, shape: tuple[int, int], region: Region, mask: np.ndarray | None):
        """shape: of the image (slow, fast). region: within it. mask: uint16 (slow, fast), 0 = left out; or None."""
        self.shape = shape
        self.region = region
        self.mask = mask

    def contains(self, spixel: int, fpixel: int) -> bool:
        """Whether one pixel is rendered."""
        r = self.region
        inside = r.fast_first <= fpixel <= r.fast_last and r.slow_first <= spixel <= r.slow_last
        return inside and (self.mask is None or bool(self.mask[spixel, fpixel] != 0))

    def contain(self, position: np.ndarray) -> np.ndarray:
        """Which of the positions, float64 (2, n), fast and slow (whole numbers are middles), lie in such pixels."""
        r = self.region
        fast, slow = position
        inside: np.ndarray = (fast > r.fast_first - 0.5) & (fast < r.fast_last + 0.5)
        inside &= (slow > r.slow_first - 0.5) & (slow < r.slow_last + 0.5)
        if self.mask is not None:
            at = np.rint(position[:, inside]).astype(np.int64)
            inside[inside] = self.mask[at[1], at[0]] != 0
        return inside

    def as_array(self) -> np.ndarray:
        """Whether each pixel is rendered: bool (slow, fast)."""
        r = self.region
        rendered = np.zeros(self.shape, dtype=bool)
        rendered[r.slow_first : r.slow_last + 1, r.fast_first : r.fast_last + 1] = True
        return rendered if self.mask is None else rendered & (self.mask != 0)

    def before_row(self, row: int) -> int:
        """How many there are before the first pixel of a row."""
        r = self.region
        rows = min(max(row - r.slow_first, 0), r.slow_last + 1 - r.slow_first)
        if self.mask is None:
            return rows * (r.fast_last + 1 - r.fast_first)
        part = self.mask[r.slow_first : r.slow_first + rows, r.fast_first : r.fast_last + 1]
        return int(np.count_nonzero(part))

    def before(self, index: int) -> int:
        """How many there are before the one with a flat index."""
        row, column = divmod(index, self.shape[1])
        first = self.region.fast_first
        if self.mask is None:
            return self.before_row(row) + column - first
        return self.before_row(row) + int(np.count_nonzero(self.mask[row, first:column]))
