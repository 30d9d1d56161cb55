"""Stages of the walk in blocks that know the crystal: Miller indices, its transform, structure factors, their sum.

Each function's error, which the bound in blocks.py is made of, stands next to it.
"""

from __future__ import annotations

import numpy as np

from .. import physics
from ..amplitudes import lagrange_products
from ..jit import fma, inlined, tensor_product_sum
from ..shapes import BY_ANGLES, IS_QUOTIENT, ROUNDING, SLACK, VANISHES, transform_block
from . import scratch as rows
from .trig import ONE_OVER_PI, reduce_by_pi

# Added to a slot of the table: the low 32 bits of the sum, a float64, are the slot.
WHOLE = 2.0**52
# Times the largest |F|. Of any of the 64 products, at most 15 roundings in the definition and 18 here: six of its
# weights, eight of multiply-adds, one of the last product and three of its sum. The absolute products add up to 1.25^3
# at most (Lebesgue's constant of cubic interpolation in the middle interval).
TRICUBIC_ERROR = 33.0 * ROUNDING * 1.25**3


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
        sx, sy, sz = w[rows.SX + i], w[rows.SY + i], w[rows.SZ + i]
        h = physics.dot(ax, ay, az, sx, sy, sz)
        k = physics.dot(bx, by, bz, sx, sy, sz)
        l = physics.dot(cx, cy, cz, sx, sy, sz)
        hf, kf, lf = np.floor(h), np.floor(k), np.floor(l)
        low = (hf - 1.0 < h_min) | (kf - 1.0 < k_min) | (lf - 1.0 < l_min)
        low = low | (h - 2.0 < h_min) | (k - 2.0 < k_min) | (l - 2.0 < l_min)
        high = (h + 2.0 > h_max) | (k + 2.0 > k_max) | (l + 2.0 > l_max)
        slot = (hf - 1.0 - h_min) * h_stride + (kf - 1.0 - k_min) * k_stride + (lf - 1.0 - l_min)
        # Rounding may differ from the C program's test at the very edge: half an index of caution.
        high = high | (hf + 2.0 > h_max) | (kf + 2.0 > k_max) | (lf + 2.0 > l_max)
        w[rows.LEAVES + i] = 1.0 if low | high else 0.0
        w[rows.NODE + i] = (0.0 if low | high else slot) + WHOLE
        w[rows.H0 + i], w[rows.H1 + i], w[rows.H2 + i], w[rows.H3 + i] = lagrange_weights(h, hf)
        w[rows.K0 + i], w[rows.K1 + i], w[rows.K2 + i], w[rows.K3 + i] = lagrange_weights(k, kf)
        w[rows.L0 + i], w[rows.L1 + i], w[rows.L2 + i], w[rows.L3 + i] = lagrange_weights(l, lf)


@inlined
def any_leaves(p, shape, w, count):
    """Whether a step that counts leaves the list and so ends interpolation; one between flat-topped spots does not.

    With p.keep_interpolating none ends it: the pixel is marked for a second look (LEFT).
    """
    leaving = 0.0
    if VANISHES[shape] and not p.water:
        for i in range(count):
            if w[rows.LATTICE + i] == 0.0:
                w[rows.LEAVES + i] = 0.0
    if p.dmin_m > 0.0:
        for i in range(count):
            w[rows.LEAVES + i] *= w[rows.SEEN + i]
    if p.keep_interpolating:
        for i in range(count):
            w[rows.LEFT + i] += w[rows.LEAVES + i]
    else:
        for i in range(count):
            leaving += w[rows.LEAVES + i]
    return leaving != 0.0


@inlined
def transform_slack(shape, weight):
    """Absolute error bound of a transform that has zeros; other shapes' errors are relative."""
    return abs(weight) * SLACK[shape] if SLACK[shape] > 0.0 else 0.0


@inlined
def interpolate_block(p, shape, w, count, amplitudes):
    """Add |F_cell F_latt|^2 of the block's step to the sums, F_cell interpolated."""
    slack = p.largest_F * TRICUBIC_ERROR
    slots = w.view(np.uint64)
    stride, long_stride = np.uint64(p.k_stride), np.uint64(p.h_stride)
    for i in range(count):
        along_h = w[rows.H0 + i], w[rows.H1 + i], w[rows.H2 + i], w[rows.H3 + i]
        along_k = w[rows.K0 + i], w[rows.K1 + i], w[rows.K2 + i], w[rows.K3 + i]
        along_l = w[rows.L0 + i], w[rows.L1 + i], w[rows.L2 + i], w[rows.L3 + i]
        at = np.uint64(np.uint32(slots[rows.NODE + i]))
        # In the place of a weight that has had its turn.
        w[rows.F_CELL + i] = tensor_product_sum(amplitudes, at, stride, long_stride, along_h, along_k, along_l)
    for i in range(count):
        F_cell = w[rows.F_CELL + i]
        F_latt = w[rows.LATTICE + i]
        loose = transform_slack(shape, w[rows.WEIGHT + i])
        most = abs(F_latt) + loose
        w[rows.INTENSITY + i] += F_cell * F_cell * (F_latt * F_latt)
        # |d(F_cell² F_latt²)|, from |d(F²)| = 2 F dF + dF² of each.
        w[rows.LOOSE + i] += most * most * (2.0 * abs(F_cell) + slack) * slack
        w[rows.LOOSE + i] += F_cell * F_cell * (most + abs(F_latt)) * loose


@inlined
def lattice_block(p, shape, w, count, cell):
    """For one orientation, over the block: table slots (NODE), and the transform of the crystal.

    What the transform leaves in LATTICE and WEIGHT is said in shapes.py.
    """
    index_block(p, shape, w, count, cell)
    transform_block(p, shape, w, count)


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
        sx, sy, sz = w[rows.SX + i], w[rows.SY + i], w[rows.SZ + i]
        h = physics.dot(ax, ay, az, sx, sy, sz)
        k = physics.dot(bx, by, bz, sx, sy, sz)
        l = physics.dot(cx, cy, cz, sx, sy, sz)
        h0, k0, l0 = np.ceil(h - 0.5), np.ceil(k - 0.5), np.ceil(l - 0.5)
        inside = (h0 >= h_min) & (h0 <= h_max) & (k0 >= k_min) & (k0 <= k_max) & (l0 >= l_min) & (l0 <= l_max)
        # Whole numbers below 2^53: nothing here is rounded.
        slot = fma(h0, h_stride, fma(k0, k_stride, l0 + origin))
        w[rows.NODE + i] = slot if inside else outside
        if BY_ANGLES[shape]:
            w[rows.CRYSTAL_A + i], w[rows.CELL_A + i] = angles(physics.PI * h, h0, Na)
            w[rows.CRYSTAL_B + i], w[rows.CELL_B + i] = angles(physics.PI * k, k0, Nb)
            w[rows.CRYSTAL_C + i], w[rows.CELL_C + i] = angles(physics.PI * l, l0, Nc)
        else:
            w[rows.DH + i], w[rows.DK + i], w[rows.DL + i] = h - h0, k - k0, l - l0


@inlined
def close_lattice(p, shape, w, count):
    """Divide a numerator by its denominator, where the transform is a quotient; blank what dmin cuts off."""
    if IS_QUOTIENT[shape]:
        for i in range(count):
            w[rows.LATTICE + i] /= w[rows.WEIGHT + i]
    if p.dmin_m > 0.0:
        for i in range(count):
            if w[rows.SEEN + i] == 0.0:
                w[rows.LATTICE + i] = 0.0
                w[rows.WEIGHT + i] = 0.0


@inlined
def gather_block(p, shape, w, count, amplitudes):
    """Add |F_cell F_latt|^2 of the block's step to the sums."""
    slots = w.view(np.uint64)
    for i in range(count):
        w[rows.F_CELL + i] = amplitudes[np.uint32(slots[rows.NODE + i])]
    if IS_QUOTIENT[shape] and p.dmin_m <= 0.0:
        for i in range(count):
            F_cell = w[rows.F_CELL + i]
            F_latt = w[rows.LATTICE + i] / w[rows.WEIGHT + i]
            w[rows.INTENSITY + i] += F_cell * F_cell * (F_latt * F_latt)
        return
    close_lattice(p, shape, w, count)
    for i in range(count):
        F_cell = w[rows.F_CELL + i]
        F_latt = w[rows.LATTICE + i]
        w[rows.INTENSITY + i] += F_cell * F_cell * (F_latt * F_latt)
        if SLACK[shape] > 0.0:
            slack = transform_slack(shape, w[rows.WEIGHT + i])
            w[rows.LOOSE + i] += F_cell * F_cell * (2.0 * abs(F_latt) + slack) * slack
