"""The spindle: its axis, its steps, and the cell at each of them."""

from __future__ import annotations

import numpy as np

from ..base.records import by_value, record
from ..base.vectors import Triad, Vector, turned_about
from .steps import Steps


@by_value
@record
class Spindle:
    """A sweep: axis (unit vector), angle of the first step and steps, in radians.

    stale_at_zero: whether a step at exactly 0 keeps the cell of the step before, as in the C program.
    """

    axis: Vector
    start_rad: float
    steps: Steps
    stale_at_zero: bool

    @property
    def range_rad(self) -> float:
        """Width of the sweep."""
        return self.steps.range

    @property
    def positions_rad(self) -> list[float]:
        """Angle of each step."""
        return self.steps.positions(self.start_rad)

    def cells(self, real_m: Triad) -> np.ndarray:
        """Cell vectors after the rotation: float64 (2, steps, 9), [0] in steady state, [1] first of all.

        At a phi of exactly 0 the C program does not turn the cell, and so keeps the one of the step before, whatever
        pixel that was in; only the run's very first step sees the unrotated cell (docs/differences.md).
        """
        at_rest = [component for vector in real_m for component in vector]
        latest = at_rest
        passes = []
        for _ in range(2):
            cells = []
            for phi in self.positions_rad:
                if phi != 0.0:
                    latest = [c for vector in real_m for c in turned_about(vector, self.axis, phi)]
                elif not self.stale_at_zero:
                    latest = at_rest
                cells.append(latest)
            passes.append(cells)
        return np.array([passes[1], passes[0]], dtype=np.float64)
