"""The spindle: the cell at each of its steps."""

from __future__ import annotations

import numpy as np

from ..base.vectors import Vector, turned_about

# One degree in radians, as the reference divides it.
DEGREE = 1.0 / (180.0 * 0.31830988618379067154)


def spindle_cells(
    real_cell_m: tuple[Vector, Vector, Vector], axis: Vector, phis: list[float], stale: bool = True
) -> np.ndarray:
    """Cell vectors after the spindle rotation: float64 (2, steps, 9), [0] in steady state, [1] first of all.

    At a phi of exactly 0 the reference does not turn the cell, and so keeps the one of the step before, whatever
    pixel that was in; only the run's very first step sees the unrotated cell (docs/differences.md). Not so if `stale`
    is False.
    """
    at_rest = [component for vector in real_cell_m for component in vector]
    latest = at_rest
    passes = []
    for _ in range(2):
        cells = []
        for phi in phis:
            if phi != 0.0:
                latest = [c for vector in real_cell_m for c in turned_about(vector, axis, phi)]
            elif not stale:
                latest = at_rest
            cells.append(latest)
        passes.append(cells)
    return np.array([passes[1], passes[0]], dtype=np.float64)
