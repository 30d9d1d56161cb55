"""Stages of the walk in blocks that know the crystal: Miller indices, its transform, structure factors, their sum.

Each function's error, which the bound in blocks.py is made of, stands next to it.
"""

from __future__ import annotations

import math

import numpy as np

from .. import physics
from ..jit import fma, inlined, tensor_product_sum
from ..layout import GAUSS, ROUND, SQUARE, TOPHAT
from ..pixel import lagrange_products
from .scratch import (
    CELL_A,
    CELL_B,
    CELL_C,
    CRYSTAL_A,
    CRYSTAL_B,
    CRYSTAL_C,
    DH,
    DK,
    DL,
    F_CELL,
    H0,
    H1,
    H2,
    H3,
    INTENSITY,
    K0,
    K1,
    K2,
    K3,
    L0,
    L1,
    L2,
    L3,
    LATTICE,
    LEAVES,
    LEFT,
    LOOSE,
    NODE,
    SEEN,
    SX,
    SY,
    SZ,
    WEIGHT,
)
from .trig import (
    FINE_SINE_ERROR,
    ONE_OVER_PI,
    QUICK_EXP_ERROR,
    QUICK_SINE_ERROR,
    fine_sine_cosine,
    quick_exp,
    quick_sine,
    reduce_by_pi,
)

# Added to a slot of the table: the low 32 bits of the sum, a float64, are the slot.
WHOLE = 2.0**52
ROUNDING = 2.0**-53
SQUARE_ERROR = 2.0 * (6.0 * QUICK_SINE_ERROR + 16.0 * ROUNDING)
GAUSS_ERROR = 2.0 * (QUICK_EXP_ERROR + 16.0 * ROUNDING)
ROUND_ERROR = 64.0 * ROUNDING
TOPHAT_ERROR = 16.0 * ROUNDING
TRICUBIC_ERROR = 64.0 * ROUNDING * 1.25**3


@inlined
def angles(x, turns, cells):
    """N x and x, less multiples of pi: what the quick sines of |sin(N x)/sin(x)| take.

    x is within half a turn of turns * pi.
    """
    y = x * cells
    return reduce_by_pi(y, np.rint(y * ONE_OVER_PI)), reduce_by_pi(x, turns)


@inlined
def lagrange_weights(x, below):
    """Weights of the four indices from below-1 on in cubic Lagrange interpolation at x."""
    p0, p1, p2, p3 = lagrange_products(x, below - 1.0)
    return p0 * (-1.0 / 6.0), p1 * 0.5, p2 * -0.5, p3 * (1.0 / 6.0)


@inlined
def neighbourhood_block(p, w, count, cell):
    """Interpolation weights, first table slot (NODE) and whether the neighbourhood leaves the list (LEAVES)."""
    ax, ay, az, bx, by, bz, cx, cy, cz = cell
    h_min, k_min, l_min = np.float64(p.h_min), np.float64(p.k_min), np.float64(p.l_min)
    h_max, k_max, l_max = np.float64(p.h_max), np.float64(p.k_max), np.float64(p.l_max)
    h_stride, k_stride = np.float64(p.h_stride), np.float64(p.k_stride)
    for i in range(count):
        sx, sy, sz = w[SX + i], w[SY + i], w[SZ + i]
        h = physics.dot(ax, ay, az, sx, sy, sz)
        k = physics.dot(bx, by, bz, sx, sy, sz)
        l = physics.dot(cx, cy, cz, sx, sy, sz)
        hf, kf, lf = np.floor(h), np.floor(k), np.floor(l)
        low = (hf - 1.0 < h_min) | (kf - 1.0 < k_min) | (lf - 1.0 < l_min)
        low = low | (h - 2.0 < h_min) | (k - 2.0 < k_min) | (l - 2.0 < l_min)
        high = (h + 2.0 > h_max) | (k + 2.0 > k_max) | (l + 2.0 > l_max)
        slot = (hf - 1.0 - h_min) * h_stride + (kf - 1.0 - k_min) * k_stride + (lf - 1.0 - l_min)
        # Rounding may differ from the reference's test at the very edge: half an index of caution.
        high = high | (hf + 2.0 > h_max) | (kf + 2.0 > k_max) | (lf + 2.0 > l_max)
        w[LEAVES + i] = 1.0 if low | high else 0.0
        w[NODE + i] = (0.0 if low | high else slot) + WHOLE
        w[H0 + i], w[H1 + i], w[H2 + i], w[H3 + i] = lagrange_weights(h, hf)
        w[K0 + i], w[K1 + i], w[K2 + i], w[K3 + i] = lagrange_weights(k, kf)
        w[L0 + i], w[L1 + i], w[L2 + i], w[L3 + i] = lagrange_weights(l, lf)


@inlined
def any_leaves(p, shape, w, count):
    """Whether a step that counts leaves the list and so ends interpolation; one between flat-topped spots does not.

    With p.keep_interpolating none ends it: the pixel is marked for a second look (LEFT).
    """
    leaving = 0.0
    if shape == TOPHAT and not p.water:
        for i in range(count):
            if w[LATTICE + i] == 0.0:
                w[LEAVES + i] = 0.0
    if p.dmin_m > 0.0:
        for i in range(count):
            w[LEAVES + i] *= w[SEEN + i]
    if p.keep_interpolating:
        for i in range(count):
            w[LEFT + i] += w[LEAVES + i]
    else:
        for i in range(count):
            leaving += w[LEAVES + i]
    return leaving != 0.0


@inlined
def transform_slack(shape, weight):
    """Absolute error bound of a sphere's transform, which has zeros; other shapes' errors are relative."""
    return abs(weight) * FINE_SINE_ERROR * 4.0 if shape == ROUND else 0.0


@inlined
def interpolate_block(p, shape, w, count, amplitudes):
    """Add |F_cell F_latt|^2 of the block's step to the sums, F_cell interpolated."""
    slack = p.largest_F * TRICUBIC_ERROR
    slots = w.view(np.uint64)
    stride, long_stride = np.uint64(p.k_stride), np.uint64(p.h_stride)
    for i in range(count):
        along_h = w[H0 + i], w[H1 + i], w[H2 + i], w[H3 + i]
        along_k = w[K0 + i], w[K1 + i], w[K2 + i], w[K3 + i]
        along_l = w[L0 + i], w[L1 + i], w[L2 + i], w[L3 + i]
        at = np.uint64(np.uint32(slots[NODE + i]))
        # In the place of a weight that has had its turn.
        w[F_CELL + i] = tensor_product_sum(amplitudes, at, stride, long_stride, along_h, along_k, along_l)
    for i in range(count):
        F_cell = w[F_CELL + i]
        F_latt = w[LATTICE + i]
        loose = transform_slack(shape, w[WEIGHT + i])
        most = abs(F_latt) + loose
        w[INTENSITY + i] += F_cell * F_cell * (F_latt * F_latt)
        # |d(F_cell² F_latt²)|, from |d(F²)| = 2 F dF + dF² of each.
        w[LOOSE + i] += most * most * (2.0 * abs(F_cell) + slack) * slack
        w[LOOSE + i] += F_cell * F_cell * (most + abs(F_latt)) * loose


@inlined
def lattice_block(p, shape, w, count, cell):
    """For one orientation, over the block: table slots (NODE), and the transform of the crystal.

    The transform is left as a numerator and a denominator (LATTICE, WEIGHT) for a parallelepiped, else LATTICE is
    the transform itself; for a sphere WEIGHT is what its error is proportional to.
    """
    index_block(p, shape, w, count, cell)
    if shape == SQUARE:
        grating_block(w, count)
    elif shape == ROUND:
        sphere_block(p, w, count)
    else:
        peak_block(p, shape, w, count)


@inlined
def index_block(p, shape, w, count, cell):
    """Miller indices: table slots (NODE), and what the crystal's transform takes.

    A loop of its own, as all that follow: a processor can only look some hundred instructions ahead for work that
    does not have to wait, which is less than one pixel's way through all stages.
    """
    ax, ay, az, bx, by, bz, cx, cy, cz = cell
    Na, Nb, Nc = p.Na, p.Nb, p.Nc
    h_min, k_min, l_min = np.float64(p.h_min), np.float64(p.k_min), np.float64(p.l_min)
    h_max, k_max, l_max = np.float64(p.h_max), np.float64(p.k_max), np.float64(p.l_max)
    if p.hkls == 0:
        h_max = h_min - 1.0
    h_stride, k_stride, outside = np.float64(p.h_stride), np.float64(p.k_stride), np.float64(p.outside) + WHOLE
    origin = WHOLE - (h_min * h_stride + k_min * k_stride + l_min)
    for i in range(count):
        sx, sy, sz = w[SX + i], w[SY + i], w[SZ + i]
        h = physics.dot(ax, ay, az, sx, sy, sz)
        k = physics.dot(bx, by, bz, sx, sy, sz)
        l = physics.dot(cx, cy, cz, sx, sy, sz)
        h0, k0, l0 = np.ceil(h - 0.5), np.ceil(k - 0.5), np.ceil(l - 0.5)
        inside = (h0 >= h_min) & (h0 <= h_max) & (k0 >= k_min) & (k0 <= k_max) & (l0 >= l_min) & (l0 <= l_max)
        # Whole numbers below 2^53: nothing here is rounded.
        slot = fma(h0, h_stride, fma(k0, k_stride, l0 + origin))
        w[NODE + i] = slot if inside else outside
        if shape == SQUARE:
            w[CRYSTAL_A + i], w[CELL_A + i] = angles(physics.PI * h, h0, Na)
            w[CRYSTAL_B + i], w[CELL_B + i] = angles(physics.PI * k, k0, Nb)
            w[CRYSTAL_C + i], w[CELL_C + i] = angles(physics.PI * l, l0, Nc)
        else:
            w[DH + i], w[DK + i], w[DL + i] = h - h0, k - k0, l - l0


@inlined
def grating_block(w, count):
    """A parallelepiped's transform, |sin(N x)/sin(x)| along each axis, as numerator and denominator.

    Both are 0 where x is: the pixel becomes not-a-number, and so one that pixel.py looks at.
    """
    for i in range(count):
        na, nb, nc = quick_sine(w[CRYSTAL_A + i]), quick_sine(w[CRYSTAL_B + i]), quick_sine(w[CRYSTAL_C + i])
        da, db, dc = quick_sine(w[CELL_A + i]), quick_sine(w[CELL_B + i]), quick_sine(w[CELL_C + i])
        w[LATTICE + i] = na * nb * nc
        w[WEIGHT + i] = da * db * dc


@inlined
def sphere_block(p, w, count):
    """A sphere's transform, and what its error is proportional to."""
    Na, Nb, Nc, fudge = p.Na, p.Nb, p.Nc, p.fudge
    height = Na * Nb * Nc * physics.SPHERE_TO_CUBE
    for i in range(count):
        dh, dk, dl = w[DH + i], w[DK + i], w[DL + i]
        squared = dh * dh * Na * Na + dk * dk * Nb * Nb + dl * dl * Nc * Nc
        x = physics.PI * math.sqrt(squared * fudge)
        sine, cosine = fine_sine_cosine(reduce_by_pi(x, np.rint(x * ONE_OVER_PI)))
        inverse = 1.0 / x
        weight = 3.0 * height * (inverse * inverse)
        value = weight * (sine * inverse - cosine)
        w[LATTICE + i] = height if x == 0.0 else value
        w[WEIGHT + i] = 0.0 if x == 0.0 else weight


@inlined
def peak_block(p, shape, w, count):
    """A Gaussian or flat-topped peak about each node of the lattice."""
    Na, Nb, Nc, fudge = p.Na, p.Nb, p.Nc, p.fudge
    cells = Na * Nb * Nc
    a_x, a_y, a_z = p.node_a[0], p.node_a[1], p.node_a[2]
    b_x, b_y, b_z = p.node_b[0], p.node_b[1], p.node_b[2]
    c_x, c_y, c_z = p.node_c[0], p.node_c[1], p.node_c[2]
    for i in range(count):
        dh, dk, dl = w[DH + i], w[DK + i], w[DL + i]
        x = dh * a_x + dk * b_x + dl * c_x
        y = dh * a_y + dk * b_y + dl * c_y
        z = dh * a_z + dk * b_z + dl * c_z
        node_squared = (x * x + y * y + z * z) * Na * Na * Nb * Nb * Nc * Nc
        if shape == GAUSS:
            w[LATTICE + i] = cells * quick_exp(-(node_squared / 0.63 * fudge))
        else:
            w[LATTICE + i] = cells if node_squared * fudge < 0.3969 else 0.0


@inlined
def close_lattice(p, shape, w, count):
    """Divide a parallelepiped's numerator by its denominator; blank what dmin cuts off."""
    if shape == SQUARE:
        for i in range(count):
            w[LATTICE + i] /= w[WEIGHT + i]
    if p.dmin_m > 0.0:
        for i in range(count):
            if w[SEEN + i] == 0.0:
                w[LATTICE + i] = 0.0
                w[WEIGHT + i] = 0.0


@inlined
def gather_block(p, shape, w, count, amplitudes):
    """Add |F_cell F_latt|^2 of the block's step to the sums."""
    slots = w.view(np.uint64)
    for i in range(count):
        w[F_CELL + i] = amplitudes[np.uint32(slots[NODE + i])]
    if shape == SQUARE and p.dmin_m <= 0.0:
        for i in range(count):
            F_cell = w[F_CELL + i]
            F_latt = w[LATTICE + i] / w[WEIGHT + i]
            w[INTENSITY + i] += F_cell * F_cell * (F_latt * F_latt)
        return
    close_lattice(p, shape, w, count)
    for i in range(count):
        F_cell = w[F_CELL + i]
        F_latt = w[LATTICE + i]
        w[INTENSITY + i] += F_cell * F_cell * (F_latt * F_latt)
        if shape == ROUND:
            slack = transform_slack(shape, w[WEIGHT + i])
            w[LOOSE + i] += F_cell * F_cell * (2.0 * abs(F_latt) + slack) * slack


@inlined
def shape_error(shape):
    """Relative error bound of one term, square of the lattice factor included (see the module's text)."""
    if shape == SQUARE:
        return SQUARE_ERROR
    if shape == ROUND:
        return ROUND_ERROR
    if shape == GAUSS:
        return GAUSS_ERROR
    return TOPHAT_ERROR
