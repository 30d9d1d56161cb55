"""How finely a run samples: spindle, divergence, dispersion, sensor layers, mosaic domains, region, sub-pixels."""

from __future__ import annotations

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
        return [self.step * tic + start for tic in range(self.count)]
