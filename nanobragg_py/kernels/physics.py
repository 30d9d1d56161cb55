"""The formula of one step, in pieces: each a small function of scalars, units in SI unless named otherwise.

A step is one sub-pixel seen by one source from one mosaic domain at one spindle angle. Both walks over these pieces
(pixel.py: a pixel with the C library's functions; simd/blocks.py: a row of pixels at a time) take them from here; the
crystal's transform, in which they differ, is in shapes.py. The order of operations is the C program's: sums of three
products run left to right, and nothing is fused, because the last bit of h, k and l decides bits of the image.
"""

from __future__ import annotations

import math

import numpy as np

from .jit import inlined

PI = 3.141592653589793


@inlined
def dot(ax, ay, az, bx, by, bz):
    """Scalar product of two vectors."""
    return ax * bx + ay * by + az * bz


@inlined
def unit(x, y, z):
    """(x, y, z, length): the unit vector and the length it had; the zero vector stays zero."""
    length = math.sqrt(x * x + y * y + z * z)
    if length != 0.0:
        return x / length, y / length, z / length, length
    return 0.0, 0.0, 0.0, length


@inlined
def turn_about_axis(vx, vy, vz, ux, uy, uz, angle):
    """Rodrigues' rotation of v about the unit vector u by `angle` radians, right-handed."""
    sine = math.sin(angle)
    cosine = math.cos(angle)
    along = (ux * vx + uy * vy + uz * vz) * (1.0 - cosine)
    x = ux * along + vx * cosine + (-uz * vy + uy * vz) * sine
    y = uy * along + vy * cosine + (uz * vx - ux * vz) * sine
    z = uz * along + vz * cosine + (-uy * vx + ux * vy) * sine
    return x, y, z


@inlined
def detector_coordinate(pixel, part, oversample, subpixel_size):
    """Distance in metres along a detector axis from the corner to the middle of a sub-pixel."""
    return subpixel_size * (pixel * oversample + part) + subpixel_size / 2.0


@inlined
def laboratory_coordinate(fast, slow, depth, fdet, sdet, odet, origin):
    """One laboratory component of a point given by its distances along the detector's three axes."""
    return fast * fdet + slow * sdet + depth * odet + origin


@inlined
def bend_onto_sphere(p, y, z):
    """Position on a detector curved about the sample: flat y and z become angles about the slow and fast axes."""
    d = p.distance_m
    bx, by, bz = d * p.beam[0], d * p.beam[1], d * p.beam[2]
    sx, sy, sz = turn_about_axis(bx, by, bz, p.sdet[0], p.sdet[1], p.sdet[2], y / d)
    return turn_about_axis(sx, sy, sz, p.fdet[0], p.fdet[1], p.fdet[2], z / d)


@inlined
def solid_angle(pixel_size, airpath, close_distance, point_pixel):
    """Steradians of a pixel: area / r^2 * cos(obliquity); a point pixel has no area and no obliquity."""
    if point_pixel:
        return 1.0 / airpath / airpath
    return pixel_size * pixel_size / airpath / airpath * close_distance / airpath


@inlined
def capture_fraction(layer, layer_depth, attenuation, cosine):
    """Fraction of photons absorbed in sensor layer number `layer` (Beer-Lambert along the slanted path)."""
    before = math.exp(-layer * layer_depth * attenuation / cosine)
    after = math.exp(-(layer + 1) * layer_depth * attenuation / cosine)
    return before - after


@inlined
def kahn_polarization(kahn, cos_2theta, cos_2psi):
    """Kahn, Fourme, Gadet, Janin, Dumas & Andre (1982) J. Appl. Cryst. 15, 330: polarization factor."""
    cos_squared = cos_2theta * cos_2theta
    sin_squared = 1.0 - cos_squared
    return 0.5 * (1.0 + cos_squared - kahn * cos_2psi * sin_squared)


@inlined
def cosine_of_twice_psi(ix, iy, iz, dx, dy, dz, ax, ay, az):
    """cos(2 psi), psi the azimuth of the diffracted ray d about the incident ray i from the E vector near a."""
    bx, by, bz, _ = unit(ay * iz - az * iy, az * ix - ax * iz, ax * iy - ay * ix)
    ex, ey, ez, _ = unit(iy * bz - iz * by, iz * bx - ix * bz, ix * by - iy * bx)
    e_out = dot(dx, dy, dz, ex, ey, ez)
    b_out = dot(dx, dy, dz, bx, by, bz)
    return math.cos(2.0 * -math.atan2(b_out, e_out))


@inlined
def nearest_index(h):
    """Nearest integer of a fractional Miller index, as a float64; halves go down.

    What does not fit into 32 bits is -2^31, as where the C program makes an int of it.
    """
    nearest = np.ceil(h - 0.5)
    return nearest if -2147483648.0 <= nearest <= 2147483647.0 else -2147483648.0


@inlined
def photons(p, intensity, capture, polarization, omega):
    """Photons in a pixel from its summed |F_cell F_latt|^2; factors applied per step arrive here as 1."""
    return p.r_e_sqr_m2 * p.fluence_per_m2 * intensity / p.steps * capture * polarization * omega


@inlined
def added_to_blank(photons):
    """A pixel's value in the image, float32; added to a blank one, so that a negative zero becomes zero."""
    return np.float32(photons + 0.0)
