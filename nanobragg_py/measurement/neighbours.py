"""Sums over a pixel's neighbours within a small radius, by a kernel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..kernels.library import address, kernel
from .sharing import Share, chunks_of

KERNELS = ("spread_neighbours",)
# Numbers that the kernel adds at once.
TAPS = 4


class Neighbours:
    """Convolution with a function that is even along both edges, and 0 beyond a radius; in single precision."""

    def __init__(self, quadrant: NDArray[np.float64], radius: int):
        """quadrant: float64 (radius + 1, the same), its values for pixels dy, dx apart."""
        side = radius + 1
        dy, dx = np.ogrid[:side, :side]
        part = np.where(dy * dy + dx * dx <= radius * radius, quadrant, 0.0)
        self.radius = radius
        self._fractions = np.zeros((side, -(-(2 * radius + 1) // TAPS) * TAPS), dtype=np.float32)
        self._fractions[:, : 2 * radius + 1] = part[:, np.abs(np.arange(-radius, side))]

    def apply(self, image: NDArray[np.float32], share: Share) -> NDArray[np.float32]:
        """The convolved image, float32 (slow, fast); beside the given one, which stays, there is nothing."""
        slow, fast = image.shape
        image = np.ascontiguousarray(image)
        taps = self._fractions.shape[1]
        result = np.empty_like(image)
        add = kernel("spread_neighbours")

        def work(first: int, last: int) -> None:
            room = np.zeros(fast + 2 * taps, dtype=np.float32)
            add(
                address(image), address(self._fractions), address(result), address(room), fast, slow, self.radius,
                taps, first, last,
            )  # fmt: skip

        share(work, chunks_of(slow))
        return result
