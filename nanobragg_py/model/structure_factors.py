"""Structure factors: the reflection list, its binary dump, and the grid that the kernels look into."""

from __future__ import annotations

import numpy as np

from ..base.errors import InputError
from ..base.memory import most_bytes, size_text
from ..base.records import record

# A grid larger than this is refused before it is allocated (bytes).
LARGEST_GRID = 8 * 2**30


@record
class Grid:
    """F on a box of Miller indices.

    amplitudes: float64, the flattened (h_range+1, k_range+1, l_range+1) array of the C program (one plane more than
    needed along each axis) and one element more, default_F, which stands for every index outside.
    ranges: (h_min, h_max, k_min, k_max, l_min, l_max). reflections: entries read; 0 means that there is no list.
    last_hkl, last_F: the last reflection read.
    """

    amplitudes: np.ndarray
    ranges: tuple[int, int, int, int, int, int]
    reflections: int
    default_F: float
    source: str
    last_hkl: tuple[int, int, int] = (0, 0, 0)
    last_F: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Elements along h, k, l, the spare plane included."""
        h0, h1, k0, k1, l0, l1 = self.ranges
        return (h1 - h0 + 2, k1 - k0 + 2, l1 - l0 + 2)


def no_list(default_F: float) -> Grid:
    """Every structure factor is default_F."""
    return Grid(np.array([default_F]), (0, -1, 0, -1, 0, -1), 0, default_F, "")


def _empty_grid(ranges: tuple[int, ...], default_F: float, path: str) -> np.ndarray:
    h0, h1, k0, k1, l0, l1 = ranges
    elements = (h1 - h0 + 2) * (k1 - k0 + 2) * (l1 - l0 + 2)
    # It is copied once on the way.
    at_most = min(LARGEST_GRID, most_bytes() // 2)
    if 8 * elements > at_most:
        raise InputError(
            f"{path}: indices h {h0} to {h1}, k {k0} to {k1}, l {l0} to {l1} need a grid of "
            f"{size_text(8 * elements)}; expected at most {size_text(at_most)}"
        )
    amplitudes = np.zeros(elements + 1)
    amplitudes[-1] = default_F
    return amplitudes


def grid_of(hkl: np.ndarray, F: np.ndarray, default_F: float, source: str) -> Grid:
    """Grid of Miller indices, integers (n, 3), n > 0, and their F, float64 (n,), in electrons."""
    low, high = hkl.min(axis=0).tolist(), hkl.max(axis=0).tolist()
    ranges = (low[0], high[0], low[1], high[1], low[2], high[2])
    amplitudes = _empty_grid(ranges, default_F, source)
    last = hkl[-1].tolist()
    grid = Grid(amplitudes, ranges, len(F), default_F, source, (last[0], last[1], last[2]), float(F[-1]))
    box = amplitudes[:-1].reshape(grid.shape)
    if default_F != 0.0:
        box[:-1, :-1, :-1] = default_F
    _, k_size, l_size = grid.shape
    h, k, l = (hkl - np.array(low)).T
    # Later entries of the same reflection win, as in the C program.
    amplitudes[(h * k_size + k) * l_size + l] = F
    return grid
