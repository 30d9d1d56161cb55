"""The error bounds that decide on a second look are no smaller than the error can be, and less than twice as large.

Each is derived here anew, by running error analysis of the very code (running_error.py), and by what that cannot see:
polynomials against sine and exponential in 50 digits, and the C library's one unit in the last place. A bound that is
cut by half lies below what is derived. Found examples, computed by the compiled code, then lie below the bound.
"""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from running_error import (
    PI,
    ROUNDING,
    Tracked,
    assert_tight,
    exact_sine_cosine,
    for_python,
    plain,
    ulp_of_library,
)

from nanobragg_py.kernels import layout, physics, shapes
from nanobragg_py.kernels.simd import lattice, trig
from nanobragg_py.kernels.simd import scratch as rows
from nanobragg_py.rendering.fast_walk import LARGEST_ARGUMENT

pytestmark = pytest.mark.usefixtures("fifty_digits")

# x * ONE_OVER_PI may round to the other whole number next to a half: |x| to LARGEST_ARGUMENT then leaves so much more.
LARGEST_ANGLE = math.pi / 2 + 2.0 * ROUNDING * LARGEST_ARGUMENT
MOST_TURNS = int(LARGEST_ARGUMENT / math.pi)
ARGUMENTS = st.floats(-1e6, 1e6) | st.floats(-LARGEST_ARGUMENT, LARGEST_ARGUMENT)
HALF_TURNS = st.integers(-2 * MOST_TURNS, 2 * MOST_TURNS).map(lambda half: half * math.pi / 2)
ANGLES = [LARGEST_ANGLE * i / 1500 for i in range(1, 1501)]
# Reduced arguments of the exponential fill -ln(2)/2 to ln(2)/2; at 500 times ln(2), those of the most turns lie.
EXPONENTS = [-(turns + i / 600) * math.log(2) for turns in (0, 1, 500, 1008) for i in range(601)]

quick_sine = for_python(trig.quick_sine)
fine_sine_cosine = for_python(trig.fine_sine_cosine)
quick_exp = for_python(trig.quick_exp)
reduce_by_pi = for_python(trig.reduce_by_pi)


def reduced(angle: float) -> Tracked:
    """What reduce_by_pi leaves: the first product is exact, the other two round."""
    return Tracked(angle, 2.0 * ROUNDING * angle)


def off(found: Tracked, true: Decimal) -> float:
    """Bound of the absolute error: of rounding, and of the polynomial."""
    return found.error + abs(float(found.value - true))


# --- sine, cosine and exponential ---


def nearest_turns(x: float) -> float:
    return float(np.rint(x * trig.ONE_OVER_PI))


def test_pi_in_three_parts() -> None:
    """The three constants add up to pi, digits from Abramowitz & Stegun, table 1.1."""
    digits = Fraction(3141592653589793238462643383279502884197, 10**39)
    parts = sum(Fraction(part) for part in (trig.PI_1, trig.PI_2, trig.PI_3))
    assert abs(parts - digits) < Fraction(1, 10**38)


@settings(max_examples=300, deadline=None)
@given(ARGUMENTS | HALF_TURNS)
def test_reduction_by_pi_rounds_twice(x: float) -> None:
    """x less its turns times PI_1 is a float64; what is left is off by two roundings."""
    turns = nearest_turns(x)
    first = Fraction(x) - Fraction(turns) * Fraction(trig.PI_1)
    assert Fraction(float(first)) == first
    exact = Decimal(x) - Decimal(turns) * PI
    assert abs(Decimal(reduce_by_pi(x, turns)) - exact) <= abs(exact) * Decimal(2.0 * ROUNDING * (1.0 + 1e-3))


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.floats(-700, 0), st.integers(-1008, 0).map(lambda half: half * math.log(2) / 2)))
def test_reduction_by_ln_2_is_exact_at_first(y: float) -> None:
    turns = y * trig.LOG2_E + trig.ROUNDER - trig.ROUNDER
    first = Fraction(y) - Fraction(turns) * Fraction(trig.LN2_1)
    assert Fraction(float(first)) == first


def test_quick_sine_error_is_tight() -> None:
    """From the C library's sine, of one unit in the last place: at most two roundings of the true one."""
    quick = plain(trig.quick_sine)
    worst = 0.0
    for angle in ANGLES:
        sine, _ = exact_sine_cosine(Decimal(angle))
        worst = max(worst, off(quick(reduced(angle)), sine) / float(sine) + 2.0 * ROUNDING)
    assert_tight(trig.QUICK_SINE_ERROR, worst)


def test_fine_sine_error_is_tight() -> None:
    fine = plain(trig.fine_sine_cosine)
    worst = 0.0
    for angle in ANGLES:
        for found, true in zip(fine(reduced(angle)), exact_sine_cosine(Decimal(angle)), strict=True):
            worst = max(worst, off(found, true) + ulp_of_library(true))
    assert_tight(trig.FINE_SINE_ERROR, worst)


def test_quick_exp_error_is_tight() -> None:
    quick = plain(trig.quick_exp)
    worst = 0.0
    for exponent in EXPONENTS:
        true = Decimal(exponent).exp()
        worst = max(worst, off(quick(Tracked(exponent)), true) / float(true) + 2.0 * ROUNDING)
    assert_tight(trig.QUICK_EXP_ERROR, worst)


def test_quick_sine_is_found_as_far_off() -> None:
    """The compiled function against 50 digits: its polynomial alone is off by more than half of the bound."""
    worst = Decimal(0)
    for angle in ANGLES[:-1:3]:
        sine, _ = exact_sine_cosine(Decimal(angle))
        worst = max(worst, abs(Decimal(quick_sine(angle)) - sine) / sine)
    assert trig.QUICK_SINE_ERROR / 2.0 < worst <= trig.QUICK_SINE_ERROR


@settings(max_examples=400, deadline=None)
@given(ARGUMENTS, st.integers(-MOST_TURNS, MOST_TURNS), st.floats(-1e-6, 1e-6))
def test_quick_sine_keeps_its_bound(anywhere: float, turns: int, offset: float) -> None:
    """Relative to the C library's sine, also next to multiples of pi."""
    for x in (anywhere, turns * math.pi, turns * math.pi + offset, np.nextafter(turns * math.pi, np.inf)):
        exact = abs(math.sin(x))
        found = abs(quick_sine(reduce_by_pi(x, nearest_turns(x))))
        assert abs(found - exact) <= trig.QUICK_SINE_ERROR * exact


@settings(max_examples=200, deadline=None)
@given(ARGUMENTS | HALF_TURNS)
def test_fine_sine_and_cosine_keep_their_bound(x: float) -> None:
    sine, cosine = fine_sine_cosine(reduce_by_pi(x, nearest_turns(x)))
    sign = math.copysign(1.0, math.cos(x)) * math.copysign(1.0, cosine)
    assert abs(sign * sine - math.sin(x)) <= trig.FINE_SINE_ERROR
    assert abs(sign * cosine - math.cos(x)) <= trig.FINE_SINE_ERROR


@settings(max_examples=200, deadline=None)
@given(st.floats(-690, 0))
def test_quick_exp_keeps_its_bound(x: float) -> None:
    assert abs(quick_exp(x) - math.exp(x)) <= trig.QUICK_EXP_ERROR * math.exp(x)


# --- the shapes ---


def sine_cosine_of(x: Decimal) -> tuple[Decimal, Decimal]:
    turns = (x / PI).to_integral_value()
    sine, cosine = exact_sine_cosine(x - turns * PI)
    return (-sine, -cosine) if turns % 2 else (sine, cosine)


class Library:
    """The C library's functions of a number without error, off by one unit in the last place."""

    @staticmethod
    def sin(x: Tracked) -> Tracked:
        sine, _ = sine_cosine_of(x.value)
        return Tracked(sine, ulp_of_library(sine))

    @staticmethod
    def cos(x: Tracked) -> Tracked:
        _, cosine = sine_cosine_of(x.value)
        return Tracked(cosine, ulp_of_library(cosine))


class Exactly:
    """Functions without any error, where the bound of the quick one includes the C library's."""

    @staticmethod
    def sin(x: Tracked) -> Tracked:
        return Tracked(sine_cosine_of(x.value)[0])

    @staticmethod
    def exp(x: Tracked) -> Tracked:
        return Tracked(x.value.exp())


def crystal(**values: Any) -> SimpleNamespace:
    return SimpleNamespace(**({"Na": 7.0, "Nb": 11.0, "Nc": 13.0, "fudge": 1.0} | values))


def squared(first: Tracked, second: Tracked) -> float:
    """Bound for the relative difference of the squares of two numbers that should be the same."""
    assert abs(first.value - second.value) < Decimal("1e-40") * abs(second.value)
    return 2.0 * (first.relative + second.relative)


def test_square_error_is_tight() -> None:
    def sine_of(angle: Tracked) -> Tracked:
        sine = Exactly.sin(angle).value
        return Tracked(sine, trig.QUICK_SINE_ERROR * abs(float(sine)))

    p = crystal()
    x, y, z = (Tracked(value) for value in (0.21, 0.37, 0.11))

    def grating(x: Tracked, cells: float) -> Tracked:
        return Exactly.sin(Tracked(x.value * Decimal(cells))) / Exactly.sin(x)

    definition = plain(shapes.square_transform, grating=grating, PI=1.0)(p, x, y, z, 0.0, 0.0, 0.0, None, -1)
    w: dict[int, Tracked] = {rows.CELL_A: x, rows.CELL_B: y, rows.CELL_C: z}
    w[rows.CRYSTAL_A], w[rows.CRYSTAL_B] = Tracked(x.value * 7), Tracked(y.value * 11)
    w[rows.CRYSTAL_C] = Tracked(z.value * 13)
    plain(shapes.square_block, quick_sine=sine_of)(p, w, 1)
    assert_tight(shapes.SQUARE_ERROR, squared(w[rows.LATTICE] / w[rows.WEIGHT], definition))


def ellipsoid(x: float, library: Any, fine: Any = None) -> tuple[Tracked, Tracked, Tracked]:
    """An ellipsoid's transform by definition and by block, and the block's weight; all but x is the code's."""
    replaced: dict[str, Any] = {"ellipsoid_argument": lambda *_: Tracked(x), "math": library, "SPHERE_TO_CUBE": 1.0}
    # The height is the same number on both sides, so one without error.
    p = crystal(Na=1.0, Nb=1.0, Nc=Tracked(13.0))
    definition = plain(shapes.round_transform, **replaced)(p, 0.1, 0.2, 0.3, 0.0, 0.0, 0.0, None, -1)
    turns = (Decimal(x) / PI).to_integral_value()
    left = Decimal(x) - turns * PI
    replaced |= {"reduce_by_pi": lambda *_: Tracked(left, 2.0 * ROUNDING * abs(float(left))),
                 "np": SimpleNamespace(rint=lambda _: float(turns))}  # fmt: skip
    if fine:
        replaced["fine_sine_cosine"] = fine
    w: Any = dict.fromkeys((rows.DH, rows.DK, rows.DL), Tracked(0.1))
    plain(shapes.round_block, **replaced)(p, w, 1)
    # A turn of pi changes both signs.
    value = -w[rows.LATTICE] if turns % 2 else w[rows.LATTICE]
    return definition, value, w[rows.WEIGHT]


def test_round_error_is_tight() -> None:
    """With a sine that counts for nothing and an exact cosine, the roundings of weighing their difference are left."""
    sine, cosine = Tracked(1e-30), Tracked(0.9)
    library = SimpleNamespace(sin=lambda _: sine, cos=lambda _: cosine)
    definition, block, _ = ellipsoid(2.3, library, lambda _: (-sine, -cosine))
    assert_tight(shapes.ROUND_ERROR, squared(block, definition))


# From where x is small to where it is huge, closest where the sine's polynomial is worst.
ROUND_ARGUMENTS = [1e-3 * 1.4**i for i in range(24)] + [i / 80 for i in range(1, 500)]
ROUND_ARGUMENTS += [1.5 + i / 1000 for i in range(200)] + [1e4 + 1.0, 1e7 + 2.0]


def ellipsoid_slack(x: float) -> float:
    """What the relative bound leaves of the difference between block and definition, in units of the weight."""
    definition, block, weight = ellipsoid(x, Library)
    most = block.error + abs(float(block.value - definition.value)) + definition.error
    return (most - shapes.ROUND_ERROR / 2.0 * abs(float(definition.value))) / float(weight.value)


def test_round_slack_is_tight() -> None:
    assert_tight(shapes.ROUND_SLACK, max(ellipsoid_slack(x) for x in ROUND_ARGUMENTS))


def test_gauss_error_is_tight() -> None:
    def exponential(x: Tracked) -> Tracked:
        value = x.value.exp()
        return Tracked(value, trig.QUICK_EXP_ERROR * float(value))

    p = crystal()
    exponent = Tracked(-1.3)
    replaced: dict[str, Any] = {"gauss_exponent": lambda *_: exponent, "to_node": lambda *_: None}
    definition = plain(shapes.gauss_transform, math=Exactly, **replaced)(p, 0.1, 0.2, 0.3, 0.0, 0.0, 0.0, None, -1)
    w: dict[int, Any] = {rows.LATTICE: None}
    plain(shapes.gauss_block, quick_exp=exponential, to_node_block=lambda *_: None, **replaced)(p, w, 1)
    assert_tight(shapes.GAUSS_ERROR, squared(w[rows.LATTICE], definition))


def record_of(**values: Any) -> np.ndarray:
    """The kernels' record of a crystal."""
    p = np.zeros(1, dtype=layout.PARAMETERS)
    for name, value in ({"Na": 7.0, "Nb": 7.0, "Nc": 7.0, "fudge": 1.0} | values).items():
        p[name] = value
    for i, name in enumerate(("node_a", "node_b", "node_c")):
        p[name][0, i] = 1.0 / 7.0**2
    return p


def compiled_difference(number: int, h: float, k: float, l: float, **values: Any) -> tuple[float, float, float]:
    """F_latt by definition and by block, compiled, and the block's weight (or 1)."""
    row, p = shapes.TRANSFORMS[number], record_of(**values)
    h0, k0, l0 = (physics.nearest_index.py_func(index) for index in (h, k, l))
    definition = for_python(row.definition)(p[0], h, k, l, h0, k0, l0, np.zeros((0, layout.RECORD_COLUMNS)), -1)
    w = np.zeros(layout.SCRATCH)
    if row.by_angles:
        of_axis = (
            (h, h0, "Na", rows.CRYSTAL_A, rows.CELL_A),
            (k, k0, "Nb", rows.CRYSTAL_B, rows.CELL_B),
            (l, l0, "Nc", rows.CRYSTAL_C, rows.CELL_C),
        )
        for index, node, cells, over_crystal, over_cell in of_axis:
            w[over_crystal], w[over_cell] = for_python(lattice.angles)(physics.PI * index, node, p[cells][0])
    else:
        w[rows.DH], w[rows.DK], w[rows.DL] = h - h0, k - k0, l - l0
    for_python(row.block)(p[0], w, 1)
    block = w[rows.LATTICE] / w[rows.WEIGHT] if row.is_quotient else w[rows.LATTICE]
    # A numerator and a denominator without their turns lose their signs; only the square counts.
    return abs(definition), abs(block), abs(w[rows.WEIGHT]) if row.slack else 1.0


def squares_differ(found: tuple[float, float, float]) -> float:
    definition, block = Fraction(found[0]), Fraction(found[1])
    return float(abs(block * block - definition * definition) / (definition * definition))


def test_a_parallelepiped_is_found_as_far_off() -> None:
    """Sines of the crystal and of the cell that their polynomial makes too large and too small: both by the most."""
    h = np.linspace(0.01, 0.49, 20001)

    def off_by(angle: np.ndarray) -> np.ndarray:
        left = np.longdouble(angle - np.rint(angle / np.pi) * np.longdouble(np.pi))
        quick = np.array([quick_sine(float(x)) for x in left])
        return np.asarray((quick - np.sin(left)) / np.sin(left), dtype=np.float64)

    error = np.abs(off_by(np.pi * h * 7.0) - off_by(np.pi * h))
    worst = max(squares_differ(compiled_difference(0, at, at, at)) for at in h[np.argsort(error)[-5:]])
    assert shapes.SQUARE_ERROR / 2.0 < worst <= shapes.SQUARE_ERROR


MILLER = st.floats(-3.0, 3.0)


@settings(max_examples=150, deadline=None)
@example(0.0, 0.0, 1e-156)
@given(MILLER, MILLER, MILLER)
def test_an_ellipsoid_stays_within_its_bounds(h: float, k: float, l: float) -> None:
    *values, weight = compiled_difference(1, h, k, l)
    # So near to the node that 1/x^2 overflows: a bound that is infinite leaves every pixel open.
    if math.isinf(weight):
        return
    definition, block = (Fraction(value) for value in values)
    loose = Fraction(weight) * Fraction(shapes.ROUND_SLACK)
    relative = Fraction(shapes.ROUND_ERROR) * definition * definition
    assert abs(block * block - definition * definition) <= relative + loose * (2 * block + loose)


@settings(max_examples=150, deadline=None)
@given(MILLER, MILLER, MILLER)
def test_a_gaussian_stays_within_its_bound(h: float, k: float, l: float) -> None:
    assert squares_differ(compiled_difference(2, h, k, l)) <= shapes.GAUSS_ERROR


@settings(max_examples=150, deadline=None)
@given(MILLER, MILLER, MILLER, st.floats(0.01, 10.0))
def test_a_top_hat_is_the_same(h: float, k: float, l: float, fudge: float) -> None:
    """Its bound is 0: it has no room for a difference."""
    definition, block, _ = compiled_difference(3, h, k, l, fudge=fudge)
    assert definition == block
    assert shapes.TOPHAT_ERROR == 0.0
