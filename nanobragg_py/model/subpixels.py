"""Sub-pixels, and which of a pixel's factors each of them has of its own."""

from __future__ import annotations

from ..base.records import record


@record
class Oversampling:
    """Sub-pixels along each side of a pixel: as used, and what the C program recommends."""

    used: int
    recommended: int
    automatic: bool
    reciprocal_pixel_m: float


@record
class SampledFactors:
    """Which of a pixel's factors are computed anew for each sub-pixel, layer and source.

    per_term: they then multiply the new term; in the C program, the sum so far (docs/differences.md).
    """

    thick: bool
    polar: bool
    omega: bool
    per_term: bool

    @property
    def any(self) -> bool:
        """Whether there is one."""
        return self.thick or self.polar or self.omega

    @property
    def multiply_the_sum(self) -> bool:
        """Whether the order of steps within a pixel matters: the sum is multiplied as it grows."""
        return self.any and not self.per_term
