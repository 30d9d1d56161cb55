"""The part of a detector that is rendered."""

from __future__ import annotations

from ..base.c_numbers import wrap32
from ..base.records import by_value, record


@by_value
@record
class Region:
    """Region of interest in pixels, both ends included; the reference's numbers, which may lie outside."""

    fast_first: int
    fast_last: int
    slow_first: int
    slow_last: int

    @property
    def progress_pixels(self) -> int:
        """Number of pixels by which the reference measures progress."""
        return wrap32((self.fast_last - self.fast_first + 1) * (self.slow_last - self.slow_first + 1))

    def clipped(self, fpixels: int, spixels: int) -> tuple[int, int, int, int]:
        """First and last fast, first and last slow pixel that exist."""
        return (
            max(self.fast_first, 0),
            min(self.fast_last, fpixels - 1),
            max(self.slow_first, 0),
            min(self.slow_last, spixels - 1),
        )
