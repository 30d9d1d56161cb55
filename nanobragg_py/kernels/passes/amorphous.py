"""Scattering of an amorphous material (water, air, a plastic film) into pixels, from a table of F against stol.

stol is sin(theta)/lambda. A pixel's photons are r_e² fluence molecules / steps times the sum over its steps
(sub-pixels, layers of the sensor, sources) of sign(F) F² P Omega w: F of one molecule in electrons, interpolated over
four points of the table, P Kahn's polarization factor, Omega the solid angle, w the source's weight; steps are
sub-pixels times sources.

`pixel_sum` is the definition, in the C program's order of operations, with what it carries from one step to the next:
the place in the table where its search stands, and a polarization axis that is normalised at every step. `walk_row`
is the same in blocks, with one square root and one cubic a step; `bound` of the table's rows (prepared by
rendering/amorphous_table.py, which derives it) says how far off it may be, and pixels that this could round to another
float32 are listed for a second look by the definition.

The table: stol float64 (points,) in 1/m and F float64 (points,), both with two points added at either end.
"""

from __future__ import annotations

import math

import numpy as np

from .. import physics
from ..jit import compiled, fma, inlined, merged
from ..layout import BLOCK
from ..pixel import subpixel_position
from ..simd import scratch as rows
from ..simd.rays import place_block

# Columns of a row of the prepared table: where it ends and begins, the cubic in stol - ORIGIN, the error bound.
END, ORIGIN, A0, A1, A2, A3, BOUND = range(7)
TABLE_COLUMNS = 8
# What a pixel's last step leaves: stol in 1/m, F, polarization factor, solid angle, place in the table.
STOL, F_LAST, POLARIZATION, OMEGA, PLACE = range(5)
SEEN_COLUMNS = 5


@inlined
def place_in_table(stol_of, stol, place):
    """Place of the last point that is not above stol, searched for from `place` on: at least 1 for a finite stol."""
    while place < stol_of.size - 1 and stol > stol_of[place]:
        place += 1
    while place >= 2 and stol < stol_of[place]:
        place -= 1
    return place


@inlined
def interpolated(stol_of, F_of, place, stol):
    """F at stol: Lagrange's polynomial through the point at `place`, the one before and the two after."""
    first = min(max(place - 1, 0), stol_of.size - 4)
    a, b, c, d = stol_of[first], stol_of[first + 1], stol_of[first + 2], stol_of[first + 3]
    from_a, from_b, from_c, from_d = stol - a, stol - b, stol - c, stol - d
    at_a = from_b * from_c * from_d * F_of[first] / ((a - b) * (a - c) * (a - d))
    at_b = from_a * from_c * from_d * F_of[first + 1] / ((b - a) * (b - c) * (b - d))
    at_c = from_a * from_b * from_d * F_of[first + 2] / ((c - a) * (c - b) * (c - d))
    at_d = from_a * from_b * from_c * F_of[first + 3] / ((d - a) * (d - b) * (d - c))
    return at_a + at_b + at_c + at_d


@compiled
def pixel_sum(p, sources, stol_of, F_of, spixel, fpixel, place, axis, omega_sum, seen):
    """Sum over a pixel's steps of sign(F) F² P Omega w (electrons² steradian).

    place int64 (1,): where the search in the table stands. axis float64 (3,): the polarization axis. omega_sum float64
    (1,): gets the solid angles of all sub-pixels added. seen float64 (SEEN_COLUMNS,): gets the values of the last step.
    """
    total = 0.0
    at = place[0]
    stol = F = polarization = omega = 0.0
    for sub_slow in range(p.oversample):
        for sub_fast in range(p.oversample):
            for layer in range(p.layers):
                x, y, z = subpixel_position(p, spixel, fpixel, layer, sub_slow, sub_fast)
                dx, dy, dz, airpath = physics.unit(x, y, z)
                omega = physics.solid_angle(p.pixel_size_m, airpath, p.close_distance_m, p.point_pixel)
                omega_sum[0] += omega
                capture = 1.0
                if p.thickness_m > 0.0:
                    parallax = physics.dot(dx, dy, dz, p.odet[0], p.odet[1], p.odet[2])
                    capture = physics.capture_fraction(layer, p.layer_depth_m, p.attenuation_per_m, parallax)
                for source in range(p.sources):
                    ix, iy, iz = sources[source, 0], sources[source, 1], sources[source, 2]
                    wavelength, weight = sources[source, 3], sources[source, 4]
                    sx, sy, sz = (dx - ix) / wavelength, (dy - iy) / wavelength, (dz - iz) / wavelength
                    stol = 0.5 * math.sqrt(sx * sx + sy * sy + sz * sz)
                    at = place_in_table(stol_of, stol, at)
                    F = interpolated(stol_of, F_of, at, stol)
                    polarization = 1.0
                    if not p.nopolar:
                        # Computing the factor normalises all three once more, and the next source sees that ray.
                        ix, iy, iz, _ = physics.unit(ix, iy, iz)
                        dx, dy, dz, _ = physics.unit(dx, dy, dz)
                        axis[0], axis[1], axis[2], _ = physics.unit(axis[0], axis[1], axis[2])
                        polarization = step_polarization(p, axis, ix, iy, iz, dx, dy, dz)
                    sign = -1.0 if F < 0.0 else 1.0
                    total += sign * F * F * polarization * omega * weight * capture
    place[0] = at
    seen[STOL], seen[F_LAST], seen[POLARIZATION], seen[OMEGA], seen[PLACE] = stol, F, polarization, omega, at
    return total


@inlined
def step_polarization(p, axis, ix, iy, iz, dx, dy, dz):
    """Kahn's factor with an axis that is not the record's."""
    cos_2psi = 1.0
    if p.kahn != 0.0:
        cos_2psi = physics.cosine_of_twice_psi(ix, iy, iz, dx, dy, dz, axis[0], axis[1], axis[2])
    return physics.kahn_polarization(p.kahn, physics.dot(ix, iy, iz, dx, dy, dz), cos_2psi)


@inlined
def scaled_photons(p, total, molecules):
    """Photons of a pixel from its sum."""
    steps = p.sources * p.oversample * p.oversample
    return total * p.r_e_sqr_m2 * p.fluence_per_m2 * molecules / steps


@inlined
def in_region(p, spixel, fpixel):
    """Whether a pixel is in the region of interest."""
    return p.roi_fast_first <= fpixel <= p.roi_fast_last and p.roi_slow_first <= spixel <= p.roi_slow_last


@inlined
def scatter_source(p, w, count, source, settled, table, starts, slots_per_stol):
    """Add one source's part of each pixel's sum, and of its bound, at one sub-pixel."""
    ix, iy, iz = source[0], source[1], source[2]
    weight, half_wave = source[4], 0.5 / source[3]
    kahn = p.kahn
    for i in range(count):
        x, y, z = w[rows.DX + i] - ix, w[rows.DY + i] - iy, w[rows.DZ + i] - iz
        square = x * x + y * y + z * z
        cosine = 1.0 - 0.5 * square
        w[rows.SX + i] = math.sqrt(square) * half_wave
        w[rows.POLARIZATION + i] = 0.5 * (1.0 + cosine * cosine)
    if p.nopolar:
        for i in range(count):
            w[rows.POLARIZATION + i] = 1.0
    elif kahn != 0.0:
        ix, iy, iz, _ = physics.unit(ix, iy, iz)
        ax, ay, az = settled
        bx, by, bz, _ = physics.unit(ay * iz - az * iy, az * ix - ax * iz, ax * iy - ay * ix)
        ex, ey, ez, _ = physics.unit(iy * bz - iz * by, iz * bx - ix * bz, ix * by - iy * bx)
        for i in range(count):
            x, y, z = w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i]
            e_out, b_out = physics.dot(x, y, z, ex, ey, ez), physics.dot(x, y, z, bx, by, bz)
            # cos(2 psi) sin²(2 theta), of which these are the two squares' difference.
            w[rows.POLARIZATION + i] -= 0.5 * kahn * (e_out * e_out - b_out * b_out)
    last = starts.size - 1
    for i in range(count):
        stol = w[rows.SX + i]
        slot = stol * slots_per_stol
        # Not-a-number goes to the last one.
        row = np.int64(starts[np.int64(slot) if slot < last else last]) * TABLE_COLUMNS
        while stol >= table[row + END]:
            row += TABLE_COLUMNS
        t = stol - table[row + ORIGIN]
        F = fma(fma(fma(table[row + A3], t, table[row + A2]), t, table[row + A1]), t, table[row + A0])
        w[rows.INTENSITY + i] += w[rows.POLARIZATION + i] * weight * (F * abs(F))
        w[rows.LOOSE + i] += table[row + BOUND] * abs(weight)


@merged
def walk_row(p, sources, settled, table, starts, slots_per_stol, molecules, spixel, w, image, open_pixels, found):
    """Write one row's photons; list pixels that need a second look after the `found` ones in open_pixels.

    settled: the polarization axis as it is after many normalisations. Returns the sum of solid angles and how many are
    listed.
    """
    row_omega = 0.0
    end = min(p.roi_fast_last + 1, p.fpixels)
    for first in range(max(p.roi_fast_first, 0), end, BLOCK):
        count = min(BLOCK, end - first)
        for i in range(count):
            w[rows.TOTAL + i] = 0.0
            w[rows.TOTAL_LOOSE + i] = 0.0
            w[rows.TOTAL_OMEGA + i] = 0.0
        for sub_slow in range(p.oversample):
            for sub_fast in range(p.oversample):
                for layer in range(p.layers):
                    place_block(p, w, spixel, first, count, layer, sub_slow, sub_fast)
                    factors_of_block(p, w, count, layer)
                    for source in range(p.sources):
                        scatter_source(p, w, count, sources[source], settled, table, starts, slots_per_stol)
                    for i in range(count):
                        w[rows.TOTAL + i] += w[rows.INTENSITY + i] * w[rows.CAPTURE + i]
                        w[rows.TOTAL_LOOSE + i] += w[rows.LOOSE + i] * abs(w[rows.CAPTURE + i])
        at = spixel * p.fpixels + first
        for i in range(count):
            row_omega += w[rows.TOTAL_OMEGA + i]
        for i in range(count):
            photons = scaled_photons(p, w[rows.TOTAL + i], molecules)
            slack = abs(scaled_photons(p, w[rows.TOTAL_LOOSE + i], molecules))
            image[at + i] = physics.added_to_blank(photons)
            # Not-a-number differs from itself.
            if np.float32(photons - slack) != np.float32(photons + slack):
                open_pixels[found] = at + i
                found += 1
    return row_omega, found


@inlined
def factors_of_block(p, w, count, layer):
    """Blank sums for a sub-pixel; CAPTURE becomes its solid angle times the fraction that the layer absorbs."""
    for i in range(count):
        omega = physics.solid_angle(p.pixel_size_m, w[rows.AIRPATH + i], p.close_distance_m, p.point_pixel)
        w[rows.TOTAL_OMEGA + i] += omega
        w[rows.CAPTURE + i] = omega
        w[rows.INTENSITY + i] = 0.0
        w[rows.LOOSE + i] = 0.0
    if p.thickness_m > 0.0:
        for i in range(count):
            parallax = physics.dot(w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i], p.odet[0], p.odet[1], p.odet[2])
            w[rows.CAPTURE + i] *= physics.capture_fraction(layer, p.layer_depth_m, p.attenuation_per_m, parallax)
