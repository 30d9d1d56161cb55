"""Photon noise as the C program draws it: one generator, in pixel order."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..kernels.library import address, kernel
from ..model.experiment import NoiseSeed
from ..model.region import Region, runs_of_rows

KERNELS = ("poisson_words",)


class PoissonNoise:
    """Deviates about an image plus an offset, as 16-bit words; photons and overloads (pixels at 65535) are counted."""

    def __init__(self, image: np.ndarray, region: Region, offset: float, start: NoiseSeed):
        """image: float32 (slow, fast), means. region: within it; pixels outside are 0. offset: counts."""
        self.image = image
        self.region = region
        self.offset = offset
        self.start = start
        self._totals = np.zeros(2)

    @property
    def photons(self) -> float:
        """Sum of the deviates drawn so far."""
        return float(self._totals[0])

    @property
    def overloads(self) -> int:
        """Pixels cut off so far."""
        return int(self._totals[1])

    def rows(self) -> Iterator[np.ndarray]:
        """Runs of rows, uint16 (rows, fast): serial by definition, about 30 ns a pixel. To be drawn once."""
        draw = kernel("poisson_words")
        table = self.start.table.copy()
        stream = np.array([self.start.stream], dtype=np.int64)
        memory = np.array([0, 0, -1, 0, 0, 0], dtype=np.float32)
        region, columns = self.region, slice(self.region.fast_first, self.region.fast_last + 1)
        whole_rows = region.fast_first == 0 and region.fast_last == self.image.shape[1] - 1
        for first, last in runs_of_rows(self.image):
            words = np.zeros((last - first, self.image.shape[1]), dtype=np.uint16)
            for low, high in _runs(max(first, region.slow_first), min(last, region.slow_last + 1), whole_rows):
                values = self.image[low:high, columns]
                target = words[low - first : high - first, columns]
                draw(
                    address(values), address(target), values.size, self.offset,
                    address(table), address(stream), address(memory), address(self._totals),
                )  # fmt: skip
            yield words


def _runs(first: int, last: int, together: bool) -> Iterator[tuple[int, int]]:
    """Rows first..last-1 in contiguous runs: all at once when whole rows are wanted, else one by one."""
    if together and first < last:
        yield first, last
    elif not together:
        for row in range(first, last):
            yield row, row + 1
