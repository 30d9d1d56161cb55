"""A pixel, step by step, with the C library's functions: the definition of the image, and of the trace.

Everything that the C program carries from one step to the next is explicit here: which cell a phi of exactly 0 sees
and whether interpolation has been switched off (walk, see layout.WALK), and which factors are computed only once a
pixel. What is written down on the way (record) is recording.py's.
"""

from __future__ import annotations

import math

from . import physics, recording
from .amplitudes import unit_cell_amplitude
from .jit import compiled, inlined
from .shapes import lattice_factor


@inlined
def is_rendered(p, mask, spixel, fpixel):
    """Whether a pixel is in the region of interest and not masked; model/region.py has the same rule."""
    inside = p.roi_fast_first <= fpixel <= p.roi_fast_last and p.roi_slow_first <= spixel <= p.roi_slow_last
    return inside and (not p.masked or mask[spixel * p.fpixels + fpixel] != 0)


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


@compiled
def add_orientations(p, cells, domains, amplitudes, intensity, scattering, weight, factors, walk, record, row):
    """The running sum of a pixel after all spindle steps and mosaic domains of one source.

    scattering: vector in 1/m. weight: the source's share. factors: capture fraction, polarization and solid angle
    where they are sampled anew, else 1. row: the record's row of this sub-pixel for the first source, -1 for others.
    """
    sx, sy, sz = scattering
    factor_c, factor_p, factor_o = factors
    phase = walk.first_step
    for phi_step in range(p.phi_steps):
        for domain in range(p.mosaic_domains):
            cell = turned_cell(p, cells, phase, phi_step, domains, domain)
            h = physics.dot(cell[0], cell[1], cell[2], sx, sy, sz)
            k = physics.dot(cell[3], cell[4], cell[5], sx, sy, sz)
            l = physics.dot(cell[6], cell[7], cell[8], sx, sy, sz)
            h0, k0, l0 = physics.nearest_index(h), physics.nearest_index(k), physics.nearest_index(l)
            noted = row if phi_step == 0 and domain == 0 else -1
            F_latt = lattice_factor(p, h, k, l, h0, k0, l0, record, noted)
            recording.note_lattice(record, noted, cell, h, k, l, h0, k0, l0, F_latt)
            if F_latt == 0.0 and p.water == 0:
                continue
            interpolating = walk.interpolating
            F_cell = unit_cell_amplitude(p, amplitudes, h, k, l, h0, k0, l0, walk)
            recording.note_amplitude(record, noted, F_cell, interpolating - walk.interpolating)
            term = F_cell * F_cell * F_latt * F_latt * weight
            if p.per_term:
                intensity += (term + p.step_background * weight) * factor_c * factor_p * factor_o
            else:
                # The factors multiply the sum so far and not the term: see docs/differences.md.
                intensity = (intensity + term) * factor_c * factor_p * factor_o
    walk.first_step = 0
    return intensity


@compiled
def add_sources(
    p, sources, cells, domains, amplitudes, intensity, polarization, ray, capture, omega, walk, record, row
):  # fmt: skip
    """Running sum, polarization factor and cos(2 theta) of a pixel after all sources of one sub-pixel.

    ray: unit vector from the sample to the sub-pixel. polarization: 0 until the pixel's first ray that dmin lets
    through has given it one.
    """
    dx, dy, dz = ray
    cos_2theta = 0.0
    for source in range(p.sources):
        ix, iy, iz, wavelength = sources[source, 0], sources[source, 1], sources[source, 2], sources[source, 3]
        sx, sy, sz = (dx - ix) / wavelength, (dy - iy) / wavelength, (dz - iz) / wavelength
        stol = 0.5 * math.sqrt(sx * sx + sy * sy + sz * sz)
        cos_2theta = physics.dot(ix, iy, iz, dx, dy, dz)
        recording.note_source(record, row, source, (ix, iy, iz), wavelength, (sx, sy, sz), stol)
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
        interpolating = walk.interpolating
        intensity = add_orientations(
            p, cells, domains, amplitudes, intensity, (sx, sy, sz), sources[source, 4],
            (factor_c, factor_p, factor_o), walk, record, row if source == 0 else -1,
        )  # fmt: skip
        if walk.interpolating != interpolating:
            recording.note_left_row(record, row)
    return intensity, polarization, cos_2theta


@compiled
def pixel_photons(p, sources, cells, domains, amplitudes, spixel, fpixel, walk, omega_sum, record):
    """Photons in one pixel, in the C program's order of steps.

    walk: what the pixel before left to it, see layout.WALK; updated. omega_sum float64 (1,): the solid angles of all
    sub-pixels are added to it. record: see recording.py.
    """
    recorded = record.shape[0] > 0
    row = -1
    intensity = p.background
    polarization = 1.0 if p.nopolar else 0.0
    omega, capture, cos_2theta = 0.0, 0.0, 0.0
    for layer in range(p.layers):
        capture = 1.0 if p.thickness_m == 0.0 else 0.0
        for sub_slow in range(p.oversample):
            for sub_fast in range(p.oversample):
                row += recorded
                x, y, z = subpixel_position(p, spixel, fpixel, layer, sub_slow, sub_fast)
                dx, dy, dz, airpath = physics.unit(x, y, z)
                if omega == 0.0 or p.oversample_omega:
                    omega = physics.solid_angle(p.pixel_size_m, airpath, p.close_distance_m, p.point_pixel)
                omega_sum[0] += omega
                if capture == 0.0 or p.oversample_thick:
                    parallax = physics.dot(dx, dy, dz, p.odet[0], p.odet[1], p.odet[2])
                    capture = physics.capture_fraction(layer, p.layer_depth_m, p.attenuation_per_m, parallax)
                recording.note_ray(record, row, (x, y, z), (dx, dy, dz), airpath, omega)
                intensity, polarization, cos_2theta = add_sources(
                    p, sources, cells, domains, amplitudes, intensity, polarization, (dx, dy, dz), capture, omega,
                    walk, record, row,
                )  # fmt: skip
    photons = physics.photons(
        p,
        intensity,
        1.0 if p.oversample_thick else capture,
        1.0 if p.oversample_polar else polarization,
        1.0 if p.oversample_omega else omega,
    )
    recording.note_pixel(record, intensity, capture, polarization, omega, cos_2theta, photons)
    return photons


@compiled
def solid_angle_sum(p, mask):
    """Solid angles of all sub-pixels added up one by one in the C program's order: slow, and right to the last bit."""
    total = 0.0
    for spixel in range(p.roi_slow_first, p.roi_slow_last + 1):
        for fpixel in range(p.roi_fast_first, p.roi_fast_last + 1):
            if not is_rendered(p, mask, spixel, fpixel):
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
