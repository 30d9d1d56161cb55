"""Progress lines, and other lines that belong to a pixel, in pixel order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np


def progress_counts(first: int, last: int, total: int) -> Iterator[int]:
    """Numbers of pixels in first..last-1 after which the reference reports: every 5 %, near both ends every 1 %."""
    if total // 100 <= 0:
        return
    coarse, fine = total // 20, total // 100
    candidates = set(range(-(-first // coarse) * coarse, last, coarse))
    for n in range(-(-first // fine) * fine, last, fine):
        if 10 * n < total or 10 * n > 9 * total:
            candidates.add(n)
    yield from sorted(candidates)


class PixelCounter:
    """How many pixels are rendered before a given one, with region of interest and mask."""

    def __init__(self, region: tuple[int, int, int, int], fpixels: int, mask: np.ndarray | None):
        self._region = region
        self._fpixels = fpixels
        self._mask = mask

    def before_row(self, row: int) -> int:
        """Pixels rendered before the first of a row."""
        fast_first, fast_last, slow_first, slow_last = self._region
        rows = min(max(row - slow_first, 0), slow_last + 1 - slow_first)
        if self._mask is None:
            return rows * (fast_last + 1 - fast_first)
        return int(np.count_nonzero(self._mask[slow_first : slow_first + rows, fast_first : fast_last + 1]))

    def before(self, index: int) -> int:
        """Pixels rendered before the one with a flat index."""
        row, column = divmod(index, self._fpixels)
        fast_first = self._region[0]
        if self._mask is None:
            return self.before_row(row) + column - fast_first
        return self.before_row(row) + int(np.count_nonzero(self._mask[row, fast_first:column]))

    def contains(self, spixel: int, fpixel: int) -> bool:
        """Whether a pixel is in the region of interest and not masked."""
        fast_first, fast_last, slow_first, slow_last = self._region
        inside = fast_first <= fpixel <= fast_last and slow_first <= spixel <= slow_last
        return inside and (self._mask is None or self._mask[spixel, fpixel] != 0)


@contextmanager
def progress_bar(rows: int, wanted: bool) -> Iterator[Callable[[int], None]]:
    """A bar with the time left on standard error; gives a function to be told the number of rows finished.

    Only where standard error is a terminal and standard output, which has progress lines of its own, is not.
    """
    if not wanted or rows < 1 or sys.stdout.isatty() or not sys.stderr.isatty():
        yield lambda finished: None
        return
    import click

    with click.progressbar(length=rows, label="rendering", file=sys.stderr, width=40) as bar:
        yield lambda finished: bar.update(finished - bar.pos)
