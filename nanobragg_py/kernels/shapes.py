"""The transforms of a crystal's lattice and shape, one row for each shape of base/shapes.py.

Each transform stands here twice, one below the other: as the definition, with the C library's functions, and over a
block of pixels with the functions of simd/trig.py, together with the error bound of the one against the other. The
bound is for a term, so of the transform's square, to first order, and adds up as simd/blocks.py says. It counts every
rounding at its worst; tests/kernels/test_error_bounds.py counts them again and refuses a bound that is too small.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..base import shapes as names
from . import physics
from .jit import inlined
from .layout import SUBPIXEL_COLUMNS
from .simd import scratch as rows
from .simd.trig import (
    FINE_SINE_ERROR,
    ONE_OVER_PI,
    QUICK_EXP_ERROR,
    QUICK_SINE_ERROR,
    fine_sine_cosine,
    quick_exp,
    quick_sine,
    reduce_by_pi,
)

ROUNDING = 2.0**-53
# Square root of the volume ratio between a cube and the sphere inscribed with the same lattice sum.
SPHERE_TO_CUBE = 0.723601254558268
GAUSS_WIDTH = names.GAUSS_WIDTH
TOPHAT_RADIUS_SQUARED = names.TOPHAT_RADIUS_SQUARED
LATTICE_A = SUBPIXEL_COLUMNS["F_latt_a"]


# --- a parallelepiped ---


@inlined
def grating(x, cells):
    """sin(N x)/sin(x): N scatterers in a row (Laue's interference function)."""
    if x == 0.0:
        return cells
    return math.sin(x * cells) / math.sin(x)


@inlined
def square_transform(p, h, k, l, h0, k0, l0, record, row):
    """A parallelepiped's, the product of three gratings; the factors are recorded, unless row is below 0."""
    fa = grating(physics.PI * h, p.Na) if p.Na > 1.0 else 1.0
    fb = grating(physics.PI * k, p.Nb) if p.Nb > 1.0 else 1.0
    fc = grating(physics.PI * l, p.Nc) if p.Nc > 1.0 else 1.0
    if row >= 0:
        record[row, LATTICE_A], record[row, LATTICE_A + 1], record[row, LATTICE_A + 2] = fa, fb, fc
    return fa * fb * fc


@inlined
def square_block(p, w, count):
    """The same as numerator (LATTICE) and denominator (WEIGHT), from angles less multiples of pi.

    Both are 0 where x is: the pixel becomes not-a-number, and so one that gets a second look.
    """
    for i in range(count):
        na, nb, nc = (
            quick_sine(w[rows.CRYSTAL_A + i]),
            quick_sine(w[rows.CRYSTAL_B + i]),
            quick_sine(w[rows.CRYSTAL_C + i]),
        )
        da, db, dc = quick_sine(w[rows.CELL_A + i]), quick_sine(w[rows.CELL_B + i]), quick_sine(w[rows.CELL_C + i])
        w[rows.LATTICE + i] = na * nb * nc
        w[rows.WEIGHT + i] = da * db * dc


# Six sines, and five roundings on either side: three quotients and two products, or four products and one quotient.
# The square doubles that.
SQUARE_ERROR = 2.0 * (6.0 * QUICK_SINE_ERROR + 10.0 * ROUNDING)


# --- an ellipsoid ---


@inlined
def sphere_transform(x):
    """3 (sin(x)/x - cos(x)) / x^2: Fourier transform of a uniform sphere (Rayleigh 1911)."""
    if x == 0.0:
        return 1.0
    return 3.0 * (math.sin(x) / x - math.cos(x)) / (x * x)


@inlined
def ellipsoid_argument(dh, dk, dl, Na, Nb, Nc, fudge):
    """pi times the distance to the nearest node in units of 1/N: what the sphere's transform is taken of."""
    squared = dh * dh * Na * Na + dk * dk * Nb * Nb + dl * dl * Nc * Nc
    return physics.PI * math.sqrt(squared * fudge)


@inlined
def round_transform(p, h, k, l, h0, k0, l0, record, row):
    """An ellipsoid's: a sphere's, in units of 1/N along each axis."""
    x = ellipsoid_argument(h - h0, k - k0, l - l0, p.Na, p.Nb, p.Nc, p.fudge)
    return p.Na * p.Nb * p.Nc * SPHERE_TO_CUBE * sphere_transform(x)


@inlined
def round_block(p, w, count):
    """The same (LATTICE), and what its error is proportional to (WEIGHT)."""
    Na, Nb, Nc, fudge = p.Na, p.Nb, p.Nc, p.fudge
    height = Na * Nb * Nc * SPHERE_TO_CUBE
    for i in range(count):
        x = ellipsoid_argument(w[rows.DH + i], w[rows.DK + i], w[rows.DL + i], Na, Nb, Nc, fudge)
        sine, cosine = fine_sine_cosine(reduce_by_pi(x, np.rint(x * ONE_OVER_PI)))
        inverse = 1.0 / x
        weight = 3.0 * height * (inverse * inverse)
        value = weight * (sine * inverse - cosine)
        w[rows.LATTICE + i] = height if x == 0.0 else value
        w[rows.WEIGHT + i] = 0.0 if x == 0.0 else weight


# Twelve roundings of the difference sin(x)/x - cos(x) and what multiplies it: five in the definition, seven in the
# block. The square doubles that.
ROUND_ERROR = 24.0 * ROUNDING
# Absolute, times WEIGHT: the transform has zeros. Errors of the cosine and of the sine over x, and three roundings of
# that quotient, make 16.4 roundings where they are largest together, near x = pi/2. (Where x is small it is the sine's
# relative error that counts, 12 roundings at most.) FINE_SINE_ERROR is 10.8 of them.
ROUND_SLACK = FINE_SINE_ERROR + 6.0 * ROUNDING


# --- peaks about the nodes ---


@inlined
def node_distance_squared(dh, dk, dl, ax, ay, az, bx, by, bz, cx, cy, cz, Na, Nb, Nc):
    """Squared distance to the nearest lattice node, times the squared number of cells.

    In reciprocal space, as in the C program, where the vectors a, b, c are a*, b*, c*; or in units of each axis's own
    1/N (--fix spot-width), where they are orthogonal.
    """
    x = dh * ax + dk * bx + dl * cx
    y = dh * ay + dk * by + dl * cy
    z = dh * az + dk * bz + dl * cz
    return (x * x + y * y + z * z) * Na * Na * Nb * Nb * Nc * Nc


@inlined
def to_node(p, dh, dk, dl):
    """node_distance_squared with the record's vectors."""
    a, b, c = p.node_a, p.node_b, p.node_c
    return node_distance_squared(
        dh, dk, dl, a[0], a[1], a[2], b[0], b[1], b[2], c[0], c[1], c[2], p.Na, p.Nb, p.Nc
    )  # fmt: skip


@inlined
def to_node_block(p, w, count):
    """The same over a block (LATTICE)."""
    Na, Nb, Nc = p.Na, p.Nb, p.Nc
    ax, ay, az = p.node_a[0], p.node_a[1], p.node_a[2]
    bx, by, bz = p.node_b[0], p.node_b[1], p.node_b[2]
    cx, cy, cz = p.node_c[0], p.node_c[1], p.node_c[2]
    for i in range(count):
        w[rows.LATTICE + i] = node_distance_squared(
            w[rows.DH + i], w[rows.DK + i], w[rows.DL + i], ax, ay, az, bx, by, bz, cx, cy, cz, Na, Nb, Nc
        )  # fmt: skip


@inlined
def negated_nan(x):
    """Not-a-number of the other sign than x's, or than that of x86's own, which is negative, where x is a number.

    C changes the sign of what an exponential takes; LLVM, which may, changes a factor's, and so loses not-a-number's.
    """
    return math.nan if x == x or math.copysign(1.0, x) < 0.0 else -math.nan


@inlined
def gauss_exponent(node_squared, fudge):
    """Exponent of the Gaussian spot whose volume and width resemble a parallelepiped's."""
    return -(node_squared / GAUSS_WIDTH * fudge)


@inlined
def gauss_transform(p, h, k, l, h0, k0, l0, record, row):
    """A Gaussian peak about each node."""
    node_squared = to_node(p, h - h0, k - k0, l - l0)
    exponent = gauss_exponent(node_squared, p.fudge)
    if exponent != exponent:
        return negated_nan(node_squared)
    return p.Na * p.Nb * p.Nc * math.exp(exponent)


@inlined
def gauss_block(p, w, count):
    """The same (LATTICE)."""
    cells, fudge = p.Na * p.Nb * p.Nc, p.fudge
    to_node_block(p, w, count)
    for i in range(count):
        w[rows.LATTICE + i] = cells * quick_exp(gauss_exponent(w[rows.LATTICE + i], fudge))


# The exponents are the same bits; the exponential, and one product on either side. The square doubles that.
GAUSS_ERROR = 2.0 * (QUICK_EXP_ERROR + 2.0 * ROUNDING)


@inlined
def inside_top_hat(node_squared, fudge):
    """Whether a flat-topped spot of the parallelepiped's height and volume reaches this far."""
    return node_squared * fudge < TOPHAT_RADIUS_SQUARED


@inlined
def tophat_transform(p, h, k, l, h0, k0, l0, record, row):
    """A flat-topped peak about each node."""
    return p.Na * p.Nb * p.Nc if inside_top_hat(to_node(p, h - h0, k - k0, l - l0), p.fudge) else 0.0


@inlined
def tophat_block(p, w, count):
    """The same (LATTICE)."""
    cells, fudge = p.Na * p.Nb * p.Nc, p.fudge
    to_node_block(p, w, count)
    for i in range(count):
        w[rows.LATTICE + i] = cells if inside_top_hat(w[rows.LATTICE + i], fudge) else 0.0


# Both are the same bits.
TOPHAT_ERROR = 0.0


# --- the table ---


class Transform(NamedTuple):
    """One row.

    definition(p, h, k, l, h0, k0, l0, record, row): F_latt. block(p, w, count): LATTICE, and WEIGHT where a column says
    so. by_angles: whether the block takes angles over crystal and cell, else distances from the nearest node.
    is_quotient: whether WEIGHT is a denominator that LATTICE is still to be divided by. relative_error: bound for the
    transform's square. slack: absolute bound for the transform, times |WEIGHT|; 0 where the relative one says it all.
    vanishes: whether the transform is exactly 0 between spots, where a step then needs no structure factor.
    """

    name: str
    definition: Callable[..., float]
    block: Callable[..., None]
    relative_error: float
    slack: float = 0.0
    by_angles: bool = False
    is_quotient: bool = False
    vanishes: bool = False


TRANSFORMS = (
    Transform("square", square_transform, square_block, SQUARE_ERROR, by_angles=True, is_quotient=True),
    Transform("round", round_transform, round_block, ROUND_ERROR, slack=ROUND_SLACK),
    Transform("gauss", gauss_transform, gauss_block, GAUSS_ERROR),
    Transform("tophat", tophat_transform, tophat_block, TOPHAT_ERROR, vanishes=True),
)
if tuple(row.name for row in TRANSFORMS) != tuple(shape.name for shape in names.SHAPES):
    raise AssertionError("base/shapes.py and kernels/shapes.py must have the same rows")

# Columns of the table, for a shape's number; LLVM sees a constant, as the number is one.
RELATIVE_ERROR = tuple(row.relative_error for row in TRANSFORMS)
SLACK = tuple(row.slack for row in TRANSFORMS)
BY_ANGLES = tuple(row.by_angles for row in TRANSFORMS)
IS_QUOTIENT = tuple(row.is_quotient for row in TRANSFORMS)
VANISHES = tuple(row.vanishes for row in TRANSFORMS)


def _definition_from(number: int) -> Callable[..., float]:
    """The definition of a shape that is known by its number when the kernel runs, from `number` on."""
    definition = TRANSFORMS[number].definition
    if number == len(TRANSFORMS) - 1:
        return definition
    others = _definition_from(number + 1)

    @inlined
    def choose(p, h, k, l, h0, k0, l0, record, row):
        if p.shape == number:
            return definition(p, h, k, l, h0, k0, l0, record, row)
        return others(p, h, k, l, h0, k0, l0, record, row)

    return choose


def _block_from(number: int) -> Callable[..., None]:
    """The block of a shape whose number is a constant of the kernel, from `number` on."""
    block = TRANSFORMS[number].block
    if number == len(TRANSFORMS) - 1:

        @inlined
        def last(p, shape, w, count):
            block(p, w, count)

        return last
    others = _block_from(number + 1)

    @inlined
    def choose(p, shape, w, count):
        if shape == number:
            block(p, w, count)
        else:
            others(p, shape, w, count)

    return choose


lattice_factor = _definition_from(0)
transform_block = _block_from(0)
