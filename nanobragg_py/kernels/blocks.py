"""A row of pixels at a time: the same steps as pixel.py, arranged so that LLVM makes SIMD of them.

A block of BLOCK neighbouring pixels walks through each stage together, on float64 rows of one scratch array.
Everything up to h, k, l is computed with the same pieces in the same order as in pixel.py, so those bits are
the same (addition, product, division and square root round alike in SIMD and scalar code). Only the crystal's
transform uses the sines of trig.py. Their error bounds make a bound for the pixel; wherever a value that close
could round to another float32, the pixel is handed back to pixel.py. So the image is the reference's by
construction, and the quick sine only decides how often a second look is needed.

The bound, for a pixel of n steps, with u = 2^-53. A lattice factor is a product of three ratios of sines: six
times QUICK_SINE_ERROR, and eight roundings here or there; its square doubles that. The structure factor's square
and its product add four roundings, the sum of n non-negative terms at most n on either side, the final factors
(the same numbers in the same order) six. Terms are never negative, so relative errors do not grow in the sum.

Served here: every shape, source, spindle step, mosaic domain, sensor layer, oversampling, polarization and mask,
curved or flat, nearest reflection or tricubic interpolation (up to the first block in which a neighbourhood leaves
the list). Not served: `-oversample_thick/_polar/_omega`; there the running sum is multiplied as it grows, so that
the order of steps within a pixel matters, and all goes through pixel.py. Where corrections have them multiply the
new terms, or weigh the sources, the terms of each source are summed apart (by_source), which adds a handful of
roundings on either side.

Interpolated structure factors are sums of 64 products in another order than the reference's, and may cancel, so
their error is absolute: at most 64 roundings of the sum of absolute products, which is at most 1.25^3 (Lebesgue's
constant of cubic interpolation in the middle interval) times the largest |F| of the list.
"""

from __future__ import annotations

import math

import numpy as np

from . import physics
from .jit import fma, inlined
from .layout import BLOCK, GAUSS, ROUND, SCRATCH_ROWS, SQUARE, TOPHAT
from .pixel import lagrange_products, polarization_factor, turned_cell
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

# Rows of the scratch array, as offsets: constant, so that LLVM sees that they never overlap.
(
    INTENSITY, POLARIZATION, OMEGA, CAPTURE, LOOSE,
    DX, DY, DZ, AIRPATH, SX, SY, SZ, SEEN, LATTICE, NODE, WEIGHT, LEAVES,
    H0, H1, H2, H3, K0, K1, K2, K3, L0, L1, L2, L3,
    TOTAL, TOTAL_LOOSE, TOTAL_OMEGA, LEFT,
) = (row * BLOCK for row in range(SCRATCH_ROWS))  # fmt: skip

ROUNDING = 2.0**-53
SQUARE_ERROR = 2.0 * (6.0 * QUICK_SINE_ERROR + 16.0 * ROUNDING)
GAUSS_ERROR = 2.0 * (QUICK_EXP_ERROR + 16.0 * ROUNDING)
ROUND_ERROR = 64.0 * ROUNDING
TOPHAT_ERROR = 16.0 * ROUNDING
TRICUBIC_ERROR = 64.0 * ROUNDING * 1.25**3


@inlined
def place_block(p, w, spixel, first, count, layer, sub_slow, sub_fast):
    """Unit vectors and distances from the sample to one sub-pixel of each pixel of the block."""
    depth = layer * p.layer_depth_m
    slow = physics.detector_coordinate(spixel, sub_slow, p.oversample, p.subpixel_size_m)
    oversample, size = p.oversample, p.subpixel_size_m
    fx, fy, fz = p.fdet[0], p.fdet[1], p.fdet[2]
    rx, ry, rz = p.sdet[0], p.sdet[1], p.sdet[2]
    ox, oy, oz = p.odet[0], p.odet[1], p.odet[2]
    px, py, pz = p.pix0_m[0], p.pix0_m[1], p.pix0_m[2]
    for i in range(count):
        fast = physics.detector_coordinate(first + i, sub_fast, oversample, size)
        w[DX + i] = physics.laboratory_coordinate(fast, slow, depth, fx, rx, ox, px)
        w[DY + i] = physics.laboratory_coordinate(fast, slow, depth, fy, ry, oy, py)
        w[DZ + i] = physics.laboratory_coordinate(fast, slow, depth, fz, rz, oz, pz)
    if p.curved:
        for i in range(count):
            w[DX + i], w[DY + i], w[DZ + i] = physics.bend_onto_sphere(p, w[DY + i], w[DZ + i])
    for i in range(count):
        x, y, z = w[DX + i], w[DY + i], w[DZ + i]
        length = math.sqrt(x * x + y * y + z * z)
        w[AIRPATH + i] = length
        w[DX + i] = x / length
        w[DY + i] = y / length
        w[DZ + i] = z / length


@inlined
def see_block(p, w, count):
    """SEEN is 0 where dmin cuts a pixel off, else 1; not set where dmin cuts nothing."""
    dmin = p.dmin_m
    if dmin > 0.0:
        for i in range(count):
            x, y, z = w[SX + i], w[SY + i], w[SZ + i]
            stol = 0.5 * math.sqrt(x * x + y * y + z * z)
            w[SEEN + i] = 0.0 if stol > 0.0 and dmin > 0.5 / stol else 1.0


@inlined
def scatter_block(p, w, count, ix, iy, iz, wavelength):
    """Scattering vectors of the block for one source, and what dmin leaves of it."""
    for i in range(count):
        w[SX + i] = (w[DX + i] - ix) / wavelength
        w[SY + i] = (w[DY + i] - iy) / wavelength
        w[SZ + i] = (w[DZ + i] - iz) / wavelength
    see_block(p, w, count)


@inlined
def polarize_block(p, w, count, ix, iy, iz):
    """Polarization factors of pixels that have none yet; True when every pixel then has one.

    The reference renormalizes the ray when it computes the factor, and later sources see that ray.
    """
    ix, iy, iz, _ = physics.unit(ix, iy, iz)
    plain = p.kahn == 0.0 and p.dmin_m <= 0.0
    kahn = p.kahn
    if plain:
        for i in range(count):
            x, y, z = w[DX + i], w[DY + i], w[DZ + i]
            length = math.sqrt(x * x + y * y + z * z)
            x, y, z = x / length, y / length, z / length
            w[DX + i], w[DY + i], w[DZ + i] = x, y, z
            w[POLARIZATION + i] = physics.kahn_polarization(kahn, physics.dot(ix, iy, iz, x, y, z), 1.0)
        return True
    everywhere = True
    for i in range(count):
        if w[POLARIZATION + i] == 0.0 and (p.dmin_m <= 0.0 or p.water_beyond_dmin or w[SEEN + i] != 0.0):
            x, y, z, _ = physics.unit(w[DX + i], w[DY + i], w[DZ + i])
            w[DX + i], w[DY + i], w[DZ + i] = x, y, z
            w[POLARIZATION + i] = polarization_factor(p, ix, iy, iz, x, y, z)
        everywhere = everywhere and w[POLARIZATION + i] != 0.0
    return everywhere


@inlined
def quick_grating(x, turns, cells):
    """Numerator and denominator of |sin(N x)/sin(x)|; x is within half a turn of turns * pi.

    Both are 0 where x is: the pixel becomes not-a-number, and so one that pixel.py looks at.
    """
    y = x * cells
    return quick_sine(reduce_by_pi(y, np.rint(y * ONE_OVER_PI))), quick_sine(reduce_by_pi(x, turns))


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
        w[NODE + i] = 0.0 if low | high else slot
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
def interpolate_block(p, w, count, amplitudes):
    """Add |F_cell F_latt|^2 of the block's step to the sums, F_cell interpolated."""
    slack = p.largest_F * TRICUBIC_ERROR
    for i in range(count):
        at = np.uint64(np.int32(w[NODE + i]))
        y0 = y1 = y2 = y3 = 0.0
        for a in range(4):
            row = at
            for b in range(4):
                weight = w[H0 + a * BLOCK + i] * w[K0 + b * BLOCK + i]
                y0 = fma(weight, amplitudes[row], y0)
                y1 = fma(weight, amplitudes[row + np.uint64(1)], y1)
                y2 = fma(weight, amplitudes[row + np.uint64(2)], y2)
                y3 = fma(weight, amplitudes[row + np.uint64(3)], y3)
                row += np.uint64(p.k_stride)
            at += np.uint64(p.h_stride)
        F_cell = y0 * w[L0 + i] + y1 * w[L1 + i] + y2 * w[L2 + i] + y3 * w[L3 + i]
        squared = w[LATTICE + i] * w[LATTICE + i]
        w[INTENSITY + i] += F_cell * F_cell * squared
        w[LOOSE + i] += squared * (2.0 * abs(F_cell) + slack) * slack


@inlined
def lattice_block(p, shape, w, count, cell):
    """For one orientation, over the block: table slots (NODE), and the transform of the crystal.

    The transform is left as a numerator and a denominator (LATTICE, WEIGHT) for a parallelepiped, else LATTICE is
    the transform itself; for a sphere WEIGHT is what its error is proportional to.
    """
    ax, ay, az, bx, by, bz, cx, cy, cz = cell
    Na, Nb, Nc, fudge = p.Na, p.Nb, p.Nc, p.fudge
    cells = Na * Nb * Nc
    h_min, k_min, l_min = np.float64(p.h_min), np.float64(p.k_min), np.float64(p.l_min)
    h_max, k_max, l_max = np.float64(p.h_max), np.float64(p.k_max), np.float64(p.l_max)
    if p.hkls == 0:
        h_max = h_min - 1.0
    h_stride, k_stride, outside = np.float64(p.h_stride), np.float64(p.k_stride), np.float64(p.outside)
    origin = -(h_min * h_stride + k_min * k_stride + l_min)
    a_x, a_y, a_z = p.node_a[0], p.node_a[1], p.node_a[2]
    b_x, b_y, b_z = p.node_b[0], p.node_b[1], p.node_b[2]
    c_x, c_y, c_z = p.node_c[0], p.node_c[1], p.node_c[2]
    for i in range(count):
        sx, sy, sz = w[SX + i], w[SY + i], w[SZ + i]
        h = physics.dot(ax, ay, az, sx, sy, sz)
        k = physics.dot(bx, by, bz, sx, sy, sz)
        l = physics.dot(cx, cy, cz, sx, sy, sz)
        h0, k0, l0 = np.ceil(h - 0.5), np.ceil(k - 0.5), np.ceil(l - 0.5)
        inside = (h0 >= h_min) & (h0 <= h_max) & (k0 >= k_min) & (k0 <= k_max) & (l0 >= l_min) & (l0 <= l_max)
        # Whole numbers well below 2^53: nothing here is rounded.
        slot = fma(h0, h_stride, fma(k0, k_stride, l0 + origin))
        w[NODE + i] = slot if inside else outside
        if shape == SQUARE:
            na, da = quick_grating(physics.PI * h, h0, Na)
            nb, db = quick_grating(physics.PI * k, k0, Nb)
            nc, dc = quick_grating(physics.PI * l, l0, Nc)
            w[LATTICE + i] = na * nb * nc
            w[WEIGHT + i] = da * db * dc
        elif shape == ROUND:
            dh, dk, dl = h - h0, k - k0, l - l0
            squared = dh * dh * Na * Na + dk * dk * Nb * Nb + dl * dl * Nc * Nc
            x = physics.PI * math.sqrt(squared * fudge)
            sine, cosine = fine_sine_cosine(reduce_by_pi(x, np.rint(x * ONE_OVER_PI)))
            height = cells * physics.SPHERE_TO_CUBE
            weight = 3.0 * height / (x * x)
            value = weight * (sine / x - cosine)
            w[LATTICE + i] = height if x == 0.0 else value
            w[WEIGHT + i] = 0.0 if x == 0.0 else weight
        else:
            dh, dk, dl = h - h0, k - k0, l - l0
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
    if shape == SQUARE and p.dmin_m <= 0.0:
        for i in range(count):
            F_cell = amplitudes[np.uint32(np.int32(w[NODE + i]))]
            F_latt = w[LATTICE + i] / w[WEIGHT + i]
            w[INTENSITY + i] += F_cell * F_cell * (F_latt * F_latt)
        return
    close_lattice(p, shape, w, count)
    for i in range(count):
        F_cell = amplitudes[np.uint32(np.int32(w[NODE + i]))]
        F_latt = w[LATTICE + i]
        w[INTENSITY + i] += F_cell * F_cell * (F_latt * F_latt)
        if shape == ROUND:
            # The transform of a sphere has zeros, so its error is absolute: |d(F^2)| = 2 F dF + dF^2.
            slack = abs(w[WEIGHT + i]) * FINE_SINE_ERROR * 4.0
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


@inlined
def finish_block(p, shape, tricubic, w, spixel, first, count, image, again, found):
    """Write the block's photons; list in `again` the pixels whose float32 the error bound leaves open."""
    terms = np.float64(p.steps) * np.float64(p.layers)
    relative = (shape_error(shape) + (2.0 * terms + (32.0 if p.by_source else 16.0)) * ROUNDING) * p.error_scale
    at = spixel * p.fpixels + first
    for i in range(count):
        intensity = w[INTENSITY + i]
        photons = physics.photons(p, intensity, w[CAPTURE + i], w[POLARIZATION + i], w[OMEGA + i])
        w[SX + i] = photons
        slack = relative * photons
        if (shape == ROUND or tricubic) and intensity > 0.0:
            slack += photons * (w[LOOSE + i] / intensity) * p.error_scale
        w[SY + i] = slack
    open_pixels = 0
    for i in range(count):
        image[at + i] = physics.added_to_blank(w[SX + i])
        open_pixels += np.float32(w[SX + i] - w[SY + i]) != np.float32(w[SX + i] + w[SY + i])
    if open_pixels == 0:
        return found
    for i in range(count):
        if np.float32(w[SX + i] - w[SY + i]) != np.float32(w[SX + i] + w[SY + i]):
            again[found] = at + i
            found += 1
    return found


@inlined
def start_block(p, w, count):
    """Fill the sums and the factors that are computed once a pixel."""
    for i in range(count):
        w[INTENSITY + i] = p.background
        w[LOOSE + i] = 0.0
        w[CAPTURE + i] = 1.0
        w[POLARIZATION + i] = 1.0 if p.nopolar else 0.0
    if p.by_source or p.keep_interpolating:
        for i in range(count):
            w[TOTAL + i] = p.background
            w[TOTAL_LOOSE + i] = 0.0
            w[TOTAL_OMEGA + i] = 0.0
            w[LEFT + i] = 0.0


@inlined
def subpixel_factors(p, w, count, layer):
    """Factors that each sub-pixel has of its own: solid angle and capture fraction."""
    if p.oversample_omega:
        for i in range(count):
            w[OMEGA + i] = physics.solid_angle(p.pixel_size_m, w[AIRPATH + i], p.close_distance_m, p.point_pixel)
            w[TOTAL_OMEGA + i] += w[OMEGA + i]
    if p.oversample_thick:
        for i in range(count):
            parallax = physics.dot(w[DX + i], w[DY + i], w[DZ + i], p.odet[0], p.odet[1], p.odet[2])
            w[CAPTURE + i] = physics.capture_fraction(layer, p.layer_depth_m, p.attenuation_per_m, parallax)


@inlined
def open_source(p, w, count, ix, iy, iz):
    """Begin a sum of one source's terms, with the polarization that it has of its own."""
    for i in range(count):
        w[INTENSITY + i] = 0.0
        w[LOOSE + i] = 0.0
    if p.oversample_polar:
        for i in range(count):
            w[POLARIZATION + i] = 0.0
        polarize_block(p, w, count, ix, iy, iz)


@inlined
def close_source(p, w, count, weight):
    """Add one source's terms to the total, multiplied by their factors."""
    background = p.step_background * (p.phi_steps * p.mosaic_domains)
    for i in range(count):
        factor = w[CAPTURE + i] if p.oversample_thick else 1.0
        factor *= w[POLARIZATION + i] if p.oversample_polar else 1.0
        factor *= w[OMEGA + i] if p.oversample_omega else 1.0
        w[TOTAL + i] += (w[INTENSITY + i] + background) * weight * factor
        w[TOTAL_LOOSE + i] += w[LOOSE + i] * weight * factor


@inlined
def close_pixels(p, w, count):
    """Leave totals where finish_block expects them, and the factors that they have already as 1."""
    for i in range(count):
        w[INTENSITY + i] = w[TOTAL + i]
        w[LOOSE + i] = w[TOTAL_LOOSE + i]
        if p.oversample_thick:
            w[CAPTURE + i] = 1.0
        if p.oversample_polar:
            w[POLARIZATION + i] = 1.0
        if p.oversample_omega:
            w[OMEGA + i] = 1.0


@inlined
def list_left(p, w, at, count, again, found):
    """List pixels with a step outside the list of reflections, where that step alone is not interpolated."""
    if p.keep_interpolating:
        for i in range(count):
            if w[LEFT + i] != 0.0:
                again[found] = at + i
                found += 1
    return found


@inlined
def first_factors(p, w, count, layer, first_layer):
    """Solid angle (once a pixel) and capture fraction (of the last layer), from its first sub-pixel."""
    size, close, point = p.pixel_size_m, p.close_distance_m, p.point_pixel
    if first_layer:
        for i in range(count):
            w[OMEGA + i] = physics.solid_angle(size, w[AIRPATH + i], close, point)
    if p.thickness_m != 0.0 and layer == p.layers - 1:
        for i in range(count):
            parallax = physics.dot(w[DX + i], w[DY + i], w[DZ + i], p.odet[0], p.odet[1], p.odet[2])
            w[CAPTURE + i] = physics.capture_fraction(layer, p.layer_depth_m, p.attenuation_per_m, parallax)


@inlined
def render_block(p, shape, tricubic, sources, cells, domains, amplitudes, w, spixel, first, count):
    """All steps of a block of pixels, summed in scratch; False as soon as interpolation leaves the list."""
    start_block(p, w, count)
    polarized = p.nopolar != 0
    for layer in range(p.layers):
        for sub_slow in range(p.oversample):
            for sub_fast in range(p.oversample):
                place_block(p, w, spixel, first, count, layer, sub_slow, sub_fast)
                if sub_slow == 0 and sub_fast == 0:
                    first_factors(p, w, count, layer, layer == 0)
                if p.by_source:
                    subpixel_factors(p, w, count, layer)
                for source in range(p.sources):
                    ix, iy, iz = sources[source, 0], sources[source, 1], sources[source, 2]
                    scatter_block(p, w, count, ix, iy, iz, sources[source, 3])
                    if not polarized and not p.oversample_polar:
                        polarized = polarize_block(p, w, count, ix, iy, iz)
                    if p.by_source:
                        open_source(p, w, count, ix, iy, iz)
                    for phi_step in range(p.phi_steps):
                        for domain in range(p.mosaic_domains):
                            cell = turned_cell(p, cells, 0, phi_step, domains, domain)
                            lattice_block(p, shape, w, count, cell)
                            if tricubic:
                                neighbourhood_block(p, w, count, cell)
                                if any_leaves(p, shape, w, count):
                                    return False
                                close_lattice(p, shape, w, count)
                                interpolate_block(p, w, count, amplitudes)
                            else:
                                gather_block(p, shape, w, count, amplitudes)
                    if p.by_source:
                        close_source(p, w, count, sources[source, 4])
    if p.by_source:
        close_pixels(p, w, count)
    return True


@inlined
def any_unmasked(p, mask, at, count):
    """Whether the block that starts at flat index `at` has a pixel to compute."""
    if not p.masked:
        return True
    open_pixels = 0
    for i in range(count):
        open_pixels += mask[at + i] != 0
    return open_pixels > 0


@inlined
def blank_masked(p, mask, image, w, at, count, again, start, found):
    """Zero the pixels that the mask leaves out, here and in the solid angles, and drop them from the list."""
    for i in range(count):
        if mask[at + i] == 0:
            image[at + i] = 0.0
            w[OMEGA + i] = 0.0
    kept = start
    for j in range(start, found):
        if mask[again[j]] != 0:
            again[kept] = again[j]
            kept += 1
    return kept


@inlined
def list_lost_captures(p, w, at, count, again, found):
    """List pixels whose capture fraction is exactly 0: it is then computed anew for each sub-pixel."""
    if p.thickness_m != 0.0 and p.attenuation_per_m != 0.0 and p.oversample > 1 and not p.oversample_thick:
        for i in range(count):
            if w[CAPTURE + i] == 0.0:
                again[found] = at + i
                found += 1
    return found


@inlined
def render_row(p, shape, tricubic, sources, cells, domains, amplitudes, mask, image, spixel, w, again, found):
    """One row of pixels; its sum of solid angles, the new length of the list for a second look, and -1.

    With interpolation, the flat index of the block in which it leaves the list, where the row then ends.
    """
    omega_sum = 0.0
    left = -1
    first = p.roi_fast_first
    while first <= p.roi_fast_last:
        count = min(BLOCK, p.roi_fast_last + 1 - first)
        at = spixel * p.fpixels + first
        if any_unmasked(p, mask, at, count):
            inside = render_block(p, shape, tricubic, sources, cells, domains, amplitudes, w, spixel, first, count)
            if not inside:
                left = at
                break
            start = found
            found = finish_block(p, shape, tricubic, w, spixel, first, count, image, again, found)
            found = list_lost_captures(p, w, at, count, again, found)
            found = list_left(p, w, at, count, again, found)
            if p.oversample_omega:
                for i in range(count):
                    w[OMEGA + i] = w[TOTAL_OMEGA + i]
            if p.masked:
                found = blank_masked(p, mask, image, w, at, count, again, start, found)
            for i in range(count):
                omega_sum += w[OMEGA + i]
        first += count
    subpixels = 1 if p.oversample_omega else p.layers * p.oversample * p.oversample
    return omega_sum * np.float64(subpixels), found, left
