"""Stages of the walk in blocks that know no crystal: where pixels are, their rays, and the factors of their photons."""

from __future__ import annotations

import math

from .. import physics
from ..jit import inlined
from ..pixel import polarization_factor
from . import scratch as rows


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
        w[rows.DX + i] = physics.laboratory_coordinate(fast, slow, depth, fx, rx, ox, px)
        w[rows.DY + i] = physics.laboratory_coordinate(fast, slow, depth, fy, ry, oy, py)
        w[rows.DZ + i] = physics.laboratory_coordinate(fast, slow, depth, fz, rz, oz, pz)
    if p.curved:
        for i in range(count):
            w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i] = physics.bend_onto_sphere(p, w[rows.DY + i], w[rows.DZ + i])
    for i in range(count):
        x, y, z = w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i]
        length = math.sqrt(x * x + y * y + z * z)
        w[rows.AIRPATH + i] = length
        w[rows.DX + i] = x / length
        w[rows.DY + i] = y / length
        w[rows.DZ + i] = z / length


@inlined
def see_block(p, w, count):
    """SEEN is 0 where dmin cuts a pixel off, else 1; not set where dmin cuts nothing."""
    dmin = p.dmin_m
    if dmin > 0.0:
        for i in range(count):
            x, y, z = w[rows.SX + i], w[rows.SY + i], w[rows.SZ + i]
            stol = 0.5 * math.sqrt(x * x + y * y + z * z)
            w[rows.SEEN + i] = 0.0 if stol > 0.0 and dmin > 0.5 / stol else 1.0


@inlined
def scatter_block(p, w, count, ix, iy, iz, wavelength):
    """Scattering vectors of the block for one source, and what dmin leaves of it."""
    for i in range(count):
        w[rows.SX + i] = (w[rows.DX + i] - ix) / wavelength
        w[rows.SY + i] = (w[rows.DY + i] - iy) / wavelength
        w[rows.SZ + i] = (w[rows.DZ + i] - iz) / wavelength
    see_block(p, w, count)


@inlined
def polarize_block(p, w, count, ix, iy, iz):
    """Polarization factors of pixels that have none yet; True when every pixel then has one.

    The C program renormalizes the ray when it computes the factor, and later sources see that ray.
    """
    ix, iy, iz, _ = physics.unit(ix, iy, iz)
    plain = p.kahn == 0.0 and p.dmin_m <= 0.0
    kahn = p.kahn
    if plain:
        for i in range(count):
            x, y, z = w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i]
            length = math.sqrt(x * x + y * y + z * z)
            x, y, z = x / length, y / length, z / length
            w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i] = x, y, z
            w[rows.POLARIZATION + i] = physics.kahn_polarization(kahn, physics.dot(ix, iy, iz, x, y, z), 1.0)
        return True
    everywhere = True
    for i in range(count):
        if w[rows.POLARIZATION + i] == 0.0 and (p.dmin_m <= 0.0 or p.water_beyond_dmin or w[rows.SEEN + i] != 0.0):
            x, y, z, _ = physics.unit(w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i])
            w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i] = x, y, z
            w[rows.POLARIZATION + i] = polarization_factor(p, ix, iy, iz, x, y, z)
        everywhere = everywhere and w[rows.POLARIZATION + i] != 0.0
    return everywhere


@inlined
def first_factors(p, w, count, layer, first_layer):
    """Solid angle (once a pixel) and capture fraction (of the last layer), from its first sub-pixel."""
    size, close, point = p.pixel_size_m, p.close_distance_m, p.point_pixel
    if first_layer:
        for i in range(count):
            w[rows.OMEGA + i] = physics.solid_angle(size, w[rows.AIRPATH + i], close, point)
    if p.thickness_m != 0.0 and layer == p.layers - 1:
        for i in range(count):
            parallax = physics.dot(w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i], p.odet[0], p.odet[1], p.odet[2])
            w[rows.CAPTURE + i] = physics.capture_fraction(layer, p.layer_depth_m, p.attenuation_per_m, parallax)


@inlined
def subpixel_factors(p, w, count, layer):
    """Factors that each sub-pixel has of its own: solid angle and capture fraction."""
    if p.oversample_omega:
        for i in range(count):
            w[rows.OMEGA + i] = physics.solid_angle(
                p.pixel_size_m, w[rows.AIRPATH + i], p.close_distance_m, p.point_pixel
            )
            w[rows.TOTAL_OMEGA + i] += w[rows.OMEGA + i]
    if p.oversample_thick:
        for i in range(count):
            parallax = physics.dot(w[rows.DX + i], w[rows.DY + i], w[rows.DZ + i], p.odet[0], p.odet[1], p.odet[2])
            w[rows.CAPTURE + i] = physics.capture_fraction(layer, p.layer_depth_m, p.attenuation_per_m, parallax)
