"""A table of scattering as the walk in blocks takes it: a cubic for each interval, with the bound of its error.

The bound, with u = 2^-53, of what one step of the walk is off from the definition (kernels/passes/amorphous.py):

- The definition normalises the diffracted ray at every source, the walk never: each component is off by less than
  (8 + 2 sources) u.
- stol has ten roundings on both sides together, relative, and what the ray adds, absolute.
- F has the table's slope times that (that of the steepest neighbour, where the two lie on either side of a point), and
  the roundings of Lagrange's four terms (15) and of the cubic and its coefficients (30), each of sums of absolute
  values.
- The polarization factor has roundings and the ray's error, both multiplied by what psi may add; and where the axis is
  nearly along an incident ray, what its direction across is then off by (`across`: the sine of the angle between).
- Products and sums have 40 roundings, and two for each step of the pixel.

All of it is rounded up generously, to first order; SECOND_ORDER makes up for products of errors.
"""

from __future__ import annotations

import numpy as np

from ..base.records import record
from ..model.amorphous import ScatteringTable

ROUNDING = 2.0**-53
LEAST_ACROSS = 1e-3
SECOND_ORDER = 1.001
# Slots for the narrowest interval, so that most begin where they end: a branch that the processor foresees.
SLOTS_AN_INTERVAL = 16
MOST_SLOTS = 2**20
# Below the start of a slot, so that a product rounded up to the slot still finds its interval.
SLOT_MARGIN = 1e-6
COLUMNS = 8


@record
class PreparedTable:
    """rows: float64 (points, COLUMNS), columns as in kernels/passes/amorphous.py. starts: int32 (slots,), the interval
    in which each slot begins. slots_per_stol: slots for 1/m. largest_F: of all that an image can see.
    """

    rows: np.ndarray
    starts: np.ndarray
    slots_per_stol: float
    largest_F: float


def prepare(
    table: ScatteringTable, shortest_wavelength_m: float, sources: int, steps: int, kahn: float, across: float = 1.0
) -> PreparedTable | None:
    """The table for a beam of so many sources and a pixel of so many steps; None where the bound would not hold.

    across: smallest length of the product of the polarization axis and an incident ray.
    """
    if not (table.ascends and np.all(np.isfinite(table.F)) and 0.0 < shortest_wavelength_m < 1.0):
        return None
    if not across > LEAST_ACROSS:
        return None
    most = (1.0 + 1e-9) / shortest_wavelength_m
    ray = (8.0 + 2.0 * sources) * ROUNDING
    stol_error = (12.0 * ROUNDING + ray) * most
    seen = table.stol_per_m[(table.stol_per_m >= 0.0) & (table.stol_per_m <= most)]
    narrowest = float(np.diff(seen).min()) if len(seen) > 1 else most
    if not narrowest > 8.0 * stol_error:
        return None
    with np.errstate(all="ignore"):
        coefficients, origin, largest, error = _cubics(table, most, stol_error)
        polarization = 1.0 + abs(kahn)
        relative = polarization * (10.0 * ray + (240.0 + 16.0 / across + 2.0 * steps) * ROUNDING)
        bound = (polarization * (2.0 * largest + error) * error + largest * largest * relative) * SECOND_ORDER
    used = slice(1, table.points - 2)
    if not (np.all(np.isfinite(bound[used])) and np.all(np.isfinite(coefficients[used]))):
        return None
    rows = np.zeros((table.points, COLUMNS))
    rows[:-1, 0] = table.stol_per_m[1:]
    rows[-1, 0] = np.inf
    rows[:, 1], rows[:, 2:6], rows[:, 6] = origin, coefficients, bound
    starts, slots_per_stol = _slots(table, most, narrowest)
    return PreparedTable(rows, starts, slots_per_stol, float(largest[used].max()))


def _slots(table: ScatteringTable, most: float, narrowest: float) -> tuple[np.ndarray, float]:
    """The interval in which each of many equal slots begins, and slots for 1/m."""
    slots = int(min(SLOTS_AN_INTERVAL * most / narrowest + 2.0, MOST_SLOTS))
    edges = (np.arange(slots) - SLOT_MARGIN) * (most / slots)
    starts = np.searchsorted(table.stol_per_m, edges, side="right") - 1
    return np.maximum(starts, 1).astype(np.int32), slots / most


def _cubics(
    table: ScatteringTable, most: float, stol_error: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """For the interval after each point: coefficients (points, 4), origin, largest |F|, largest error of F."""
    stol, F = table.stol_per_m, table.F
    points = table.points
    place = np.clip(np.arange(points), 1, points - 3)
    # The first interval has no end below, so that its cubic starts from its upper end.
    reference = np.maximum(place, 2)
    nodes = place[:, None] + np.arange(-1, 3)
    at, origin = stol[nodes], stol[reference]
    away = at - origin[:, None]
    three, two, one = np.zeros((points, 2)), np.zeros((points, 2)), np.zeros((points, 2))
    for k in range(4):
        others = [j for j in range(4) if j != k]
        a, b, c = (away[:, j] for j in others)
        p, q, r = (at[:, k] - at[:, j] for j in others)
        weight = F[nodes[:, k]] / (p * q * r)
        size = np.abs(weight)
        three += np.column_stack((weight, size))
        two += np.column_stack((-weight * (a + b + c), size * (abs(a) + abs(b) + abs(c))))
        one += np.column_stack((weight * (a * b + a * c + b * c), size * (abs(a * b) + abs(a * c) + abs(b * c))))
    coefficients = np.column_stack((F[reference], one[:, 0], two[:, 0], three[:, 0]))
    low, high = np.maximum(stol[place], 0.0), np.minimum(stol[place + 1], most)
    reach = np.where(low <= high, np.maximum(abs(low - origin), abs(high - origin)), 0.0) + stol_error
    largest = _at_most(reach, *np.abs(coefficients.T))
    rounded = 50.0 * ROUNDING * _at_most(reach, abs(F[reference]), one[:, 1], two[:, 1], three[:, 1])
    off = 20.0 * ROUNDING
    slope = _at_most(
        reach,
        abs(one[:, 0]) + off * one[:, 1],
        2.0 * (abs(two[:, 0]) + off * two[:, 1]),
        3.0 * (abs(three[:, 0]) + off * three[:, 1]),
        0.0,
    )
    steepest = np.maximum(slope, np.maximum(np.roll(slope, 1), np.roll(slope, -1)))
    error = rounded + steepest * stol_error
    return coefficients, origin, largest + error, error


def _at_most(reach: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray, d: np.ndarray | float) -> np.ndarray:
    """a + b reach + c reach² + d reach³."""
    value: np.ndarray = a + reach * (b + reach * (c + reach * d))
    return value
