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
        """Runs of rows, uint16 (rows, fast): deviates plus offset, cut off as in the C program. To be drawn once.

        Serial by definition, about 30 ns a pixel.
        """
        kept = _Generator(self.start)
        draw = kernel("poisson_words")
        for first, last in runs_of_rows(self.image):
            words = np.zeros((last - first, self.image.shape[1]), dtype=np.uint16)
            for values, target in self._pieces(first, last, words):
                draw(address(values), address(target), values.size, self.offset, *kept.addresses, address(self._totals))
            yield words

    def deviates(self) -> Iterator[np.ndarray]:
        """The same deviates as they were drawn: runs of rows, float32 (rows, fast), without offset or limit."""
        kept = _Generator(self.start)
        draw = kernel("poisson_deviates")
        for first, last in runs_of_rows(self.image):
            drawn = np.zeros((last - first, self.image.shape[1]), dtype=np.float32)
            for values, target in self._pieces(first, last, drawn):
                draw(address(values), address(target), values.size, *kept.addresses)
            yield drawn

    def _pieces(self, first: int, last: int, out: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Contiguous parts of rows first..last-1 that lie in the region, in pixel order, and where they go in `out`."""
        region, columns = self.region, slice(self.region.fast_first, self.region.fast_last + 1)
        whole_rows = region.fast_first == 0 and region.fast_last == self.image.shape[1] - 1
        for low, high in _runs(max(first, region.slow_first), min(last, region.slow_last + 1), whole_rows):
            yield self.image[low:high, columns], out[low - first : high - first, columns]


class _Generator:
    """The generator's memory from one call of a kernel to the next."""

    def __init__(self, start: NoiseSeed):
        self._table = start.table.copy()
        self._stream = np.array([start.stream], dtype=np.int64)
        self._singles = np.array([0, 0, -1, 0, 0, 0], dtype=np.float32)
        self.addresses = (address(self._table), address(self._stream), address(self._singles))


def _runs(first: int, last: int, together: bool) -> Iterator[tuple[int, int]]:
    """Rows first..last-1 in contiguous runs: all at once when whole rows are wanted, else one by one."""
    if together and first < last:
        yield first, last
    elif not together:
        for row in range(first, last):
            yield row, row + 1
