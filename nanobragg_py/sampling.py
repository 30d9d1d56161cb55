"""How finely a run samples: spindle, divergence, dispersion, sensor layers, mosaic domains, region, sub-pixels."""

from __future__ import annotations

import math

import numpy as np

from .c_numbers import wrap32
from .config import Config, Vector
from .errors import InputError
from .records import by_value, record
from .vectors import turned_about

# One degree in radians, as the reference divides it.
DEGREE = 1.0 / (180.0 * 0.31830988618379067154)


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


def _whole(value: float) -> int:
    if math.isnan(value) or abs(value) > 2**31:
        raise InputError(f"a number of steps of {value:g} is beyond what can be counted")
    return math.ceil(value)


def resolve_phi(osc: float | None, step: float | None, count: int | None) -> Steps:
    """Range, step and number of spindle steps (radians) from what is given of them; they need not agree."""
    given_range = -1.0 if osc is None else osc
    given_step = -1.0 if step is None else step
    if count is None or count < 0:
        if given_range < 0.0:
            return Steps(0.0, 0.0, 1) if given_step <= 0.0 else Steps(given_step, given_step, 2)
        if given_step <= 0.0:
            return Steps(given_range, given_range / 2.0, 2)
        return Steps(given_range, given_step, _whole(given_range / given_step))
    count = count or 1
    if given_range < 0.0:
        if given_step <= 0.0:
            return Steps(DEGREE, DEGREE / count, count)
        return Steps(given_step, given_step, 2)
    if given_step < 0.0:
        return Steps(given_range, given_range / count, count)
    return Steps(given_range, given_step, count)


@by_value
@record
class RangeRules:
    """What the rules for a range have of their own: with only a range, and with only a number of steps."""

    halves_the_range: bool = False
    range_for_count: float = 1.0


BEAM_RULES = RangeRules()


def resolve_range(
    size: float | None, step: float | None, count: int | None, rules: RangeRules = BEAM_RULES
) -> Steps:  # fmt: skip
    """Range, step and number of steps of a beam property or of the sensor; nothing left over means one step of 0."""
    given_range = -1.0 if size is None else size
    given_step = -1.0 if step is None else step
    resolved = _range_from_parts(given_range, given_step, -1 if count is None else count, rules)
    if resolved.range <= 0.0 or resolved.step <= 0.0 or resolved.count <= 0:
        return Steps(0.0, 0.0, 1)
    return resolved


def _range_from_parts(size: float, step: float, count: int, rules: RangeRules) -> Steps:
    if count <= 0:
        if size < 0.0:
            return Steps(0.0, 0.0, 1) if step <= 0.0 else Steps(step, step, 2)
        if step <= 0.0:
            return Steps(size, size / 2 if rules.halves_the_range else size, 2)
        return Steps(size, step, _whole(size / step))
    if size < 0.0:
        return (
            Steps(rules.range_for_count, rules.range_for_count / count, count) if step <= 0.0 else Steps(step, step, 2)
        )
    if step <= 0.0:
        count = max(count, 2)
        return Steps(size, size / (count - 1), count)
    return Steps(size, step, count)


@by_value
@record
class Mosaic:
    """Mosaic spread in radians and number of domains; `warning` is what the reference says of them."""

    spread: float
    domains: int
    warning: str = ""


def resolve_mosaic(spread: float | None, domains: int | None) -> Mosaic:
    """A spread without domains gets ten; domains without a spread become one."""
    given = -1.0 if spread is None else spread
    if domains is None or domains <= 0:
        if given < 0.0:
            return Mosaic(0.0, 1)
        if given == 0.0:
            return Mosaic(given, 1)
        return Mosaic(given, 10, "WARNING: finite mosaicity with only one domain! upping to 10 mosaic domains")
    if given < 0.0:
        return Mosaic(0.0, 1, "WARNING: no mosaic spread specified.  setting mosaic_domains = 1")
    if given == 0.0:
        return Mosaic(given, 1, "WARNING: zero mosaic spread specified.  setting mosaic_domains = 1")
    return Mosaic(given, domains)


@by_value
@record
class Region:
    """Region of interest in pixels, both ends included; the reference's numbers, which may lie outside."""

    fast_first: int
    fast_last: int
    slow_first: int
    slow_last: int

    @property
    def progress_pixels(self) -> int:
        """Number of pixels by which the reference measures progress."""
        return wrap32((self.fast_last - self.fast_first + 1) * (self.slow_last - self.slow_first + 1))

    def clipped(self, fpixels: int, spixels: int) -> tuple[int, int, int, int]:
        """First and last fast, first and last slow pixel that exist."""
        return (
            max(self.fast_first, 0),
            min(self.fast_last, fpixels - 1),
            max(self.slow_first, 0),
            min(self.slow_last, spixels - 1),
        )


def resolve_region(config: Config, fpixels: int, spixels: int) -> Region:
    """Limits that are negative or not given become the detector's (one pixel more, as in the reference)."""

    def limit(value: int | None, default: int) -> int:
        return default if value is None or value < 0 else value

    return Region(
        limit(config.roi_fast_first, 0),
        limit(config.roi_fast_last, fpixels),
        limit(config.roi_slow_first, 0),
        limit(config.roi_slow_last, spixels),
    )


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
