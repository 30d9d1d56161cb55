"""Ranges, steps and counts from whichever of them were given."""

from __future__ import annotations

import math

from ..base.errors import InputError
from ..base.memory import require_room
from ..base.records import by_value, record
from ..base.vectors import Vector
from ..formats.image_header import HeaderDefaults
from ..model.mosaic import Mosaic
from ..model.region import Region
from ..model.spindle import Spindle
from ..model.steps import Steps
from ..options.config import Config

# One degree in radians, as the C program divides it.
DEGREE = 1.0 / (180.0 * 0.31830988618379067154)
# What one spindle step or mosaic domain, and its line in the run log, takes while it is worked out (bytes).
STEP_BYTES = 1200
DOMAIN_BYTES = 72


def _whole(value: float) -> int:
    if math.isnan(value) or abs(value) > 2**31:
        raise InputError(f"a number of steps of {value:g} is beyond what can be counted")
    return math.ceil(value)


def resolve_spindle(config: Config, header: HeaderDefaults, axis: Vector) -> Spindle:
    """The sweep: options first, then what a header says. Raises InputError for one without steps."""
    osc = config.osc if config.osc is not None else header.osc
    start = next((value for value in (config.phi, header.phi) if value is not None), 0.0)
    steps = resolve_phi(osc, config.phi_step, config.phi_steps)
    if steps.count < 1:
        raise InputError("-osc 0 with -phistep gives no spindle steps: expected a range above 0 degrees")
    require_room(steps.count, STEP_BYTES, "spindle steps")
    last = start + steps.step * (steps.count - 1)
    if not math.isfinite(last):
        raise InputError(f"the spindle's last step is at {last:g} degrees: expected a smaller -phi, -osc or -phistep")
    return Spindle(axis, start, steps, stale_at_zero=not config.fixes.upstream)


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
    return usable(range_from_parts(given_range, given_step, -1 if count is None else count, rules))


def usable(steps: Steps) -> Steps:
    """One step of 0 where there is no range, no step or no number of them."""
    if steps.range <= 0.0 or steps.step <= 0.0 or steps.count <= 0:
        return Steps(0.0, 0.0, 1)
    return steps


def range_from_parts(size: float, step: float, count: int, rules: RangeRules) -> Steps:
    """Range, step and number of steps from what is given of them: below 0, or no steps, is not given."""
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


def resolve_mosaic(spread_rad: float | None, domains: int | None) -> Mosaic:
    """A spread without domains gets ten; domains without a spread become one. Raises InputError for too many."""
    spread = -1.0 if spread_rad is None else spread_rad
    if spread <= 0.0:
        given, few = max(spread, 0.0), domains is None or domains <= 0
        which = "no" if spread < 0.0 else "zero"
        warning = f"WARNING: {which} mosaic spread specified.  setting mosaic_domains = 1"
        return Mosaic(given, 1, "" if few else warning)
    if domains is None or domains <= 0:
        warning = "WARNING: finite mosaicity with only one domain! upping to 10 mosaic domains"
        return Mosaic(spread, 10, warning)
    require_room(domains, DOMAIN_BYTES, "mosaic domains")
    return Mosaic(spread, domains)


def resolve_region(config: Config, fpixels: int, spixels: int) -> Region:
    """Limits that are negative or not given become the detector's (one pixel more, as in the C program)."""

    def limit(value: int | None, default: int) -> int:
        return default if value is None or value < 0 else value

    return Region(
        limit(config.roi_fast_first, 0),
        limit(config.roi_fast_last, fpixels),
        limit(config.roi_slow_first, 0),
        limit(config.roi_slow_last, spixels),
    )
