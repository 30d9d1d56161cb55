"""Structure factors of a step: of the nearest reflection, or interpolated between reflections."""

from __future__ import annotations

import math

import numpy as np

from .jit import compiled, inlined


@inlined
def in_grid(p, h0, k0, l0):
    """Whether the nearest node has a structure factor of its own."""
    return p.hkls != 0 and p.h_min <= h0 <= p.h_max and p.k_min <= k0 <= p.k_max and p.l_min <= l0 <= p.l_max


@inlined
def nearest_amplitude(p, amplitudes, h0, k0, l0):
    """Structure factor of the nearest node, in electrons; default_F outside the list."""
    if not in_grid(p, h0, k0, l0):
        return amplitudes[p.outside]
    return amplitudes[
        (np.int64(h0) - p.h_min) * p.h_stride + (np.int64(k0) - p.k_min) * p.k_stride + np.int64(l0) - p.l_min
    ]


@inlined
def leaves_grid_along(h, first, last):
    """Whether the four indices about h along one axis are not all in the list; not-a-number has none there."""
    return not (h - first + 3 <= last - first + 1 and h - 2 >= first)


@inlined
def leaves_grid(p, h, k, l):
    """Whether the 4 x 4 x 4 neighbourhood of (h, k, l) is not all in the list."""
    return (
        leaves_grid_along(h, p.h_min, p.h_max)
        or leaves_grid_along(k, p.k_min, p.k_max)
        or leaves_grid_along(l, p.l_min, p.l_max)
    )


@inlined
def lagrange_products(x, first):
    """The four numerators of cubic Lagrange interpolation on first, first+1, first+2, first+3."""
    x0, x1, x2, x3 = x - first, x - (first + 1.0), x - (first + 2.0), x - (first + 3.0)
    return x1 * x2 * x3, x0 * x2 * x3, x0 * x1 * x3, x0 * x1 * x2


@inlined
def lagrange_sum(p0, p1, p2, p3, y0, y1, y2, y3):
    """Cubic Lagrange interpolation: numerators times values over the products of differences of the nodes."""
    return p0 * y0 / -6.0 + p1 * y1 / 2.0 + p2 * y2 / -2.0 + p3 * y3 / 6.0


@compiled
def tricubic_amplitude(p, amplitudes, h, k, l):
    """Structure factor between the nodes: cubic Lagrange polynomials along l, then k, then h."""
    hf, kf, lf = math.floor(h) - 1.0, math.floor(k) - 1.0, math.floor(l) - 1.0
    h0, h1, h2, h3 = lagrange_products(h, hf)
    k0, k1, k2, k3 = lagrange_products(k, kf)
    l0, l1, l2, l3 = lagrange_products(l, lf)
    base = (np.int64(hf) - p.h_min) * p.h_stride + (np.int64(kf) - p.k_min) * p.k_stride + np.int64(lf) - p.l_min
    total = 0.0
    for i in range(4):
        at = base + i * p.h_stride
        y0, y1, y2, y3 = 0.0, 0.0, 0.0, 0.0
        for _ in range(4):
            row = lagrange_sum(
                l0, l1, l2, l3, amplitudes[at], amplitudes[at + 1], amplitudes[at + 2], amplitudes[at + 3]
            )
            y0, y1, y2, y3 = y1, y2, y3, row
            at += p.k_stride
        plane = lagrange_sum(k0, k1, k2, k3, y0, y1, y2, y3)
        if i == 0:
            total = h0 * plane / -6.0
        elif i == 1:
            total = total + h1 * plane / 2.0
        elif i == 2:
            total = total + h2 * plane / -2.0
        else:
            total = total + h3 * plane / 6.0
    return total


@inlined
def unit_cell_amplitude(p, amplitudes, h, k, l, h0, k0, l0, walk):
    """F_cell; the first step whose neighbourhood leaves the list switches interpolation off for good.

    With p.keep_interpolating it only has the nearest node's. walk: see layout.WALK; updated.
    """
    if walk.interpolating != 0:
        if leaves_grid(p, h, k, l):
            walk.interpolating = p.keep_interpolating
            walk.h, walk.k, walk.l = h, k, l
            walk.h0, walk.k0, walk.l0 = h0, k0, l0
        else:
            return tricubic_amplitude(p, amplitudes, h, k, l)
    return nearest_amplitude(p, amplitudes, h0, k0, l0)
