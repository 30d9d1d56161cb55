"""Steps over a range: of the spindle, of divergence and dispersion, of a sensor's layers."""

from __future__ import annotations

import builtins

from ..base.records import by_value, record


@by_value
@record
class Steps:
    """`count` steps of size `step` over `range`, in the quantity's own unit."""

    range: float
    step: float
    count: int

    def positions(self, start: float) -> list[float]:
        """Where the steps are, from `start`."""
        return [self.step * tic + start for tic in builtins.range(self.count)]
