"""A pixel, step by step, with the C library's functions: the definition of the image, and of the trace.

Everything that the reference program carries from one step to the next is explicit here: which cell a phi of
exactly 0 sees, whether interpolation has been switched off, and which factors are computed only once a pixel.
"""

from __future__ import annotations

import math

import numpy as np

from . import physics
from .jit import compiled, inlined
from .layout import PIXEL_COLUMNS, SUBPIXEL_COLUMNS
from .shapes import lattice_factor

# Compile-time constants for the columns that open each group of values.
(SUB_POSITION, SUB_AIRPATH, SUB_OMEGA, SUB_DIFFRACTED, SUB_INCIDENT, SUB_WAVELENGTH, SUB_SCATTERING) = (
    SUBPIXEL_COLUMNS[name] for name in ("x", "airpath", "omega", "dx", "ix", "wavelength", "sx")
)


(SUB_CELL, SUB_HKL, SUB_NEAREST, SUB_LATTICE_A, SUB_LATTICE, SUB_CELL_F, SUB_LEFT) = (
    SUBPIXEL_COLUMNS[name] for name in ("ax", "h", "h0", "F_latt_a", "F_latt", "F_cell", "left")
)


(PIX_POSITION, PIX_STOL, PIX_HKL, PIX_NEAREST, PIX_CELL_F, PIX_LATTICE, PIX_CELL) = (
    PIXEL_COLUMNS[name] for name in ("x", "stol", "h", "h0", "F_cell", "F_latt", "ax")
)


(PIX_INTENSITY, PIX_CAPTURE, PIX_POLARIZATION, PIX_OMEGA, PIX_COS, PIX_PHOTONS, PIX_LEFT) = (
    PIXEL_COLUMNS[name]
    for name in ("intensity", "capture", "polarization", "omega", "cos_2theta", "photons", "left_row")
)


@inlined
def note3(record, row, column, x, y, z):
    """Write three neighbouring values into a row of the record."""
    record[row, column] = x
    record[row, column + 1] = y
    record[row, column + 2] = z


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
    """Whether the four indices about h along one axis are not all in the list."""
    return h - first + 3 > last - first + 1 or h - 2 < first


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
def turned_cell(p, cells, phase, phi_step, domains, domain):
    """The nine components of a, b, c in metres for one spindle step and one mosaic domain."""
    c = cells[phase, phi_step]
    if p.mosaic == 0:
        return c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8]
    u = domains[domain]
    return (
        physics.dot(u[0], u[1], u[2], c[0], c[1], c[2]),
        physics.dot(u[3], u[4], u[5], c[0], c[1], c[2]),
        physics.dot(u[6], u[7], u[8], c[0], c[1], c[2]),
        physics.dot(u[0], u[1], u[2], c[3], c[4], c[5]),
        physics.dot(u[3], u[4], u[5], c[3], c[4], c[5]),
        physics.dot(u[6], u[7], u[8], c[3], c[4], c[5]),
        physics.dot(u[0], u[1], u[2], c[6], c[7], c[8]),
        physics.dot(u[3], u[4], u[5], c[6], c[7], c[8]),
        physics.dot(u[6], u[7], u[8], c[6], c[7], c[8]),
    )


@inlined
def polarization_factor(p, ix, iy, iz, dx, dy, dz):
    """Kahn's factor for unit vectors along the incident and the diffracted ray; and cos(2 theta)."""
    cos_2psi = 1.0
    if p.kahn != 0.0:
        axis = p.polarization_axis
        cos_2psi = physics.cosine_of_twice_psi(ix, iy, iz, dx, dy, dz, axis[0], axis[1], axis[2])
    return physics.kahn_polarization(p.kahn, physics.dot(ix, iy, iz, dx, dy, dz), cos_2psi)


@inlined
def subpixel_position(p, spixel, fpixel, layer, sub_slow, sub_fast):
    """Laboratory position in metres of the middle of a sub-pixel in a sensor layer."""
    depth = layer * p.layer_depth_m
    fast = physics.detector_coordinate(fpixel, sub_fast, p.oversample, p.subpixel_size_m)
    slow = physics.detector_coordinate(spixel, sub_slow, p.oversample, p.subpixel_size_m)
    x = physics.laboratory_coordinate(fast, slow, depth, p.fdet[0], p.sdet[0], p.odet[0], p.pix0_m[0])
    y = physics.laboratory_coordinate(fast, slow, depth, p.fdet[1], p.sdet[1], p.odet[1], p.pix0_m[1])
    z = physics.laboratory_coordinate(fast, slow, depth, p.fdet[2], p.sdet[2], p.odet[2], p.pix0_m[2])
    if p.curved:
        return physics.bend_onto_sphere(p, y, z)
    return x, y, z


@inlined
def unit_cell_amplitude(p, amplitudes, h, k, l, h0, k0, l0, state, latch):
    """F_cell; the first step whose neighbourhood leaves the grid switches interpolation off for good.

    With p.keep_interpolating it only has the nearest node's.
    """
    if state[0] != 0:
        if leaves_grid(p, h, k, l):
            state[0] = p.keep_interpolating
            latch[0], latch[1], latch[2], latch[3], latch[4], latch[5] = h, k, l, h0, k0, l0
        else:
            return tricubic_amplitude(p, amplitudes, h, k, l)
    return nearest_amplitude(p, amplitudes, h0, k0, l0)


@inlined
def note_step(record, row, cell, h, k, l, h0, k0, l0):
    """Record the lattice of the first step of a sub-pixel."""
    for i in range(9):
        record[row, SUB_CELL + i] = cell[i]
    note3(record, row, SUB_HKL, h, k, l)
    note3(record, row, SUB_NEAREST, h0, k0, l0)


@inlined
def note_last_step(record, row, cell, h, k, l, h0, k0, l0, F_latt):
    """Record what the latest step of a pixel saw (what -printout shows)."""
    for i in range(9):
        record[row, PIX_CELL + i] = cell[i]
    note3(record, row, PIX_HKL, h, k, l)
    note3(record, row, PIX_NEAREST, h0, k0, l0)
    record[row, PIX_LATTICE] = F_latt


@compiled
def add_orientations(
    p, cells, domains, amplitudes, intensity, sx, sy, sz, weight, factor_c, factor_p, factor_o,
    state, latch, record, row,
):  # fmt: skip
    """The running sum of a pixel after all spindle steps and mosaic domains of one source.

    `row` is the record's row of this sub-pixel for the first source, -1 for the others.
    """
    last = record.shape[0] - 1
    phase = state[1]
    for phi_step in range(p.phi_steps):
        for domain in range(p.mosaic_domains):
            cell = turned_cell(p, cells, phase, phi_step, domains, domain)
            h = physics.dot(cell[0], cell[1], cell[2], sx, sy, sz)
            k = physics.dot(cell[3], cell[4], cell[5], sx, sy, sz)
            l = physics.dot(cell[6], cell[7], cell[8], sx, sy, sz)
            h0, k0, l0 = physics.nearest_index(h), physics.nearest_index(k), physics.nearest_index(l)
            noting = row >= 0 and phi_step == 0 and domain == 0
            F_latt = lattice_factor(p, h, k, l, h0, k0, l0, record, row if noting else -1)
            if last >= 0:
                note_last_step(record, last, cell, h, k, l, h0, k0, l0, F_latt)
            if noting:
                note_step(record, row, cell, h, k, l, h0, k0, l0)
                record[row, SUB_LATTICE] = F_latt
            if F_latt == 0.0 and p.water == 0:
                continue
            interpolating = state[0]
            F_cell = unit_cell_amplitude(p, amplitudes, h, k, l, h0, k0, l0, state, latch)
            if last >= 0:
                record[last, PIX_CELL_F] = F_cell
            if noting:
                record[row, SUB_CELL_F] = F_cell
                record[row, SUB_LEFT] = interpolating - state[0]
            term = F_cell * F_cell * F_latt * F_latt * weight
            if p.per_term:
                intensity += (term + p.step_background * weight) * factor_c * factor_p * factor_o
            else:
                # The factors multiply the sum so far and not the term: see docs/differences.md.
                intensity = (intensity + term) * factor_c * factor_p * factor_o
    state[1] = 0
    return intensity


@compiled
def pixel_photons(p, sources, cells, domains, amplitudes, spixel, fpixel, state, latch, omega_sum, record):
    """Photons in one pixel, in the reference's order of steps.

    state      int64 (2,): [0] interpolation is still on, [1] the run's very first step is still to come; updated.
    latch      float64 (6,): where interpolation left the grid (h, k, l, h0, k0, l0), when it did.
    omega_sum  float64 (1,): the solid angles of all sub-pixels are added to it.
    record     float64 (rows, columns): a row for each layer and sub-pixel and one for the pixel (layout.py);
               of zero rows when nothing is to be recorded.
    """
    last = record.shape[0] - 1
    row = -1
    intensity = p.background
    polarization = 1.0 if p.nopolar else 0.0
    omega, capture, cos_2theta = 0.0, 0.0, 0.0
    for layer in range(p.layers):
        capture = 1.0 if p.thickness_m == 0.0 else 0.0
        for sub_slow in range(p.oversample):
            for sub_fast in range(p.oversample):
                x, y, z = subpixel_position(p, spixel, fpixel, layer, sub_slow, sub_fast)
                dx, dy, dz, airpath = physics.unit(x, y, z)
                if omega == 0.0 or p.oversample_omega:
                    omega = physics.solid_angle(p.pixel_size_m, airpath, p.close_distance_m, p.point_pixel)
                omega_sum[0] += omega
                if capture == 0.0 or p.oversample_thick:
                    parallax = physics.dot(dx, dy, dz, p.odet[0], p.odet[1], p.odet[2])
                    capture = physics.capture_fraction(layer, p.layer_depth_m, p.attenuation_per_m, parallax)
                if last >= 0:
                    row += 1
                    note3(record, row, SUB_POSITION, x, y, z)
                    note3(record, last, PIX_POSITION, x, y, z)
                    note3(record, row, SUB_DIFFRACTED, dx, dy, dz)
                    record[row, SUB_AIRPATH] = airpath
                    record[row, SUB_OMEGA] = omega
                for source in range(p.sources):
                    ix, iy, iz = sources[source, 0], sources[source, 1], sources[source, 2]
                    wavelength = sources[source, 3]
                    sx, sy, sz = (dx - ix) / wavelength, (dy - iy) / wavelength, (dz - iz) / wavelength
                    stol = 0.5 * math.sqrt(sx * sx + sy * sy + sz * sz)
                    if last >= 0:
                        cos_2theta = physics.dot(ix, iy, iz, dx, dy, dz)
                        record[last, PIX_STOL] = stol
                        if source == 0:
                            note3(record, row, SUB_INCIDENT, ix, iy, iz)
                            note3(record, row, SUB_SCATTERING, sx, sy, sz)
                            record[row, SUB_WAVELENGTH] = wavelength
                    seen = not (p.dmin_m > 0.0 and stol > 0.0 and p.dmin_m > 0.5 / stol)
                    if not seen and not p.water_beyond_dmin:
                        continue
                    if polarization == 0.0 or p.oversample_polar:
                        ix, iy, iz, _ = physics.unit(ix, iy, iz)
                        # The ray stays renormalized for the sources that follow.
                        dx, dy, dz, _ = physics.unit(dx, dy, dz)
                        polarization = polarization_factor(p, ix, iy, iz, dx, dy, dz)
                        cos_2theta = physics.dot(ix, iy, iz, dx, dy, dz)
                    factor_c = capture if p.oversample_thick else 1.0
                    factor_p = polarization if p.oversample_polar else 1.0
                    factor_o = omega if p.oversample_omega else 1.0
                    if not seen:
                        orientations = p.phi_steps * p.mosaic_domains
                        background = orientations * p.step_background * sources[source, 4]
                        intensity += background * factor_c * factor_p * factor_o
                        continue
                    interpolating = state[0]
                    intensity = add_orientations(
                        p, cells, domains, amplitudes, intensity, sx, sy, sz, sources[source, 4],
                        factor_c, factor_p, factor_o, state, latch, record, row if source == 0 else -1,
                    )  # fmt: skip
                    if last >= 0 and state[0] != interpolating:
                        record[last, PIX_LEFT] = row
    photons = physics.photons(
        p,
        intensity,
        1.0 if p.oversample_thick else capture,
        1.0 if p.oversample_polar else polarization,
        1.0 if p.oversample_omega else omega,
    )
    if last >= 0:
        note3(record, last, PIX_INTENSITY, intensity, capture, polarization)
        note3(record, last, PIX_OMEGA, omega, cos_2theta, photons)
    return photons


@compiled
def solid_angle_sum(p, mask):
    """Solid angles of all sub-pixels added up one by one in the reference's order: slow, and right to the last bit."""
    total = 0.0
    for spixel in range(p.roi_slow_first, p.roi_slow_last + 1):
        for fpixel in range(p.roi_fast_first, p.roi_fast_last + 1):
            if p.masked and mask[spixel * p.fpixels + fpixel] == 0:
                continue
            omega = 0.0
            for layer in range(p.layers):
                for sub_slow in range(p.oversample):
                    for sub_fast in range(p.oversample):
                        if omega == 0.0 or p.oversample_omega:
                            x, y, z = subpixel_position(p, spixel, fpixel, layer, sub_slow, sub_fast)
                            _, _, _, airpath = physics.unit(x, y, z)
                            omega = physics.solid_angle(p.pixel_size_m, airpath, p.close_distance_m, p.point_pixel)
                        total += omega
    return total
