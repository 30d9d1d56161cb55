"""Counts: what a counting detector reports of an image, as whole numbers of 32 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..base.records import record

if TYPE_CHECKING:
    from .response import Detector

# The largest number that an image of 32 bits keeps for counts: above it formats have marks of their own.
LARGEST_COUNT = 2**31 - 3


@record
class Counts:
    """An image of counts.

    pixels: int32 (slow, fast), photons; 0 where nothing was rendered. rendered: bool (slow, fast). saturation: the
    largest count that can be trusted. underload: the smallest. overloads: pixels cut off at saturation. seed: of the
    deviates, as -seed takes it. response: of the detector; None for bare photons with the C program's deviates.
    photons: how many were counted.
    """

    pixels: np.ndarray
    rendered: np.ndarray
    saturation: int
    underload: int
    overloads: int
    seed: int
    response: Detector | None = None
    photons: float = 0.0

    @property
    def bits(self) -> int:
        """Bits of a pixel as the detector reports it."""
        return 32 if self.response is None else self.response.bits

    def marked(self, mark: int) -> np.ndarray:
        """Counts with a mark, a negative number, where nothing was rendered: int32 (slow, fast)."""
        return np.where(self.rendered, self.pixels, np.int32(mark))
