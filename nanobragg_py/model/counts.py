"""Counts: what a counting detector reports of an image, as whole numbers of 32 bits."""

from __future__ import annotations

import numpy as np

from ..base.records import record

# The largest number that an image of 32 bits keeps for counts: above it formats have marks of their own.
LARGEST_COUNT = 2**31 - 3


@record
class Counts:
    """An image of counts.

    pixels: int32 (slow, fast), photons; 0 where nothing was rendered. rendered: bool (slow, fast). saturation: the
    largest count that can be trusted. underload: the smallest. overloads: pixels cut off at saturation. seed: of the
    deviates, as -seed takes it.
    """

    pixels: np.ndarray
    rendered: np.ndarray
    saturation: int
    underload: int
    overloads: int
    seed: int

    def marked(self, mark: int) -> np.ndarray:
        """Counts with a mark, a negative number, where nothing was rendered: int32 (slow, fast)."""
        return np.where(self.rendered, self.pixels, np.int32(mark))
