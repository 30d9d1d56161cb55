"""A detector's point spread, in the C program's precision and order of additions.

The C program gives each source pixel's photons to its neighbours, source by source, into a float32 image. Here each
row of the result collects what it gets, from the sources in the same order: the same bits, and rows do not wait for
each other. A term that falls just beyond the last pixel of a row comes to lie in the first one of the next row, as it
does there.

Fibre: g/(2 pi) (g^2 + r^2)^(-3/2), g = 0.652383 FWHM (Holton, Nielsen & Frankel, J. Synchrotron Rad. 19 (2012), 1006).
"""

from __future__ import annotations

import math

import numpy as np

from ..jit import compiled, inlined

GAUSSIAN, FIBRE = 1, 2
PI = 3.141592653589793
LOG_16 = math.log(16.0)
# Of a Gaussian of FWHM 1: scales of the two arguments, and the square root of log 16 / log 2.
ALONG_X, ALONG_Y, RATIO = math.sqrt(math.log(2.0)), math.sqrt(LOG_16), math.sqrt(LOG_16 / math.log(2.0))
# The photons that may be lost are the photon noise over this.
LOSS = 10.0
NO_INT32 = -2147483648
# Pixels of a row that are passed over together.
BLOCK = 16
# Numbers of a row that are added to at once.
AT_ONCE = 16


@compiled
def gaussian_integral(x, y):
    """Integral of a Gaussian of FWHM 1 and volume 1 over a rectangle with one corner in the origin."""
    return 0.125 * (math.erf(2.0 * x * ALONG_X) * math.erf(y * ALONG_Y) * RATIO)


@compiled
def fibre_integral(x, y, g):
    """Integral of a fibre's spread, volume 1, over a rectangle with one corner in the origin."""
    return math.atan((x * y) / (g * math.sqrt(g * g + x * x + y * y))) / 2.0 / PI


@compiled
def fraction(kind, dx, dy, fwhm, g):
    """Part of the photons that fall on the pixel dx, dy away; lengths in pixels."""
    if kind == GAUSSIAN:
        x, y, half = dx / fwhm, dy / fwhm, (1.0 / fwhm) / 2.0
        return (
            gaussian_integral(x + half, y + half)
            - gaussian_integral(x + half, y - half)
            - gaussian_integral(x - half, y + half)
            + gaussian_integral(x - half, y - half)
        )
    return (
        fibre_integral(dx + 0.5, dy + 0.5, g)
        - fibre_integral(dx + 0.5, dy - 0.5, g)
        - fibre_integral(dx - 0.5, dy + 0.5, g)
        + fibre_integral(dx - 0.5, dy - 0.5, g)
    )


@compiled
def fill_fractions(table, kind, radius, fwhm, g):
    """Table float64 (2 radius + 1, the same): fractions by dy and dx, 0 beyond the radius."""
    for dy in range(-radius, radius + 1):
        for dx in range(-radius, radius + 1):
            inside = dx * dx + dy * dy <= radius * radius
            value = fraction(kind, np.float64(dx), np.float64(dy), fwhm, g) if inside else 0.0
            table[radius + dy, radius + dx] = value


@compiled
def automatic_radius(kind, photons, fwhm, g):
    """Radius (pixels) beyond which a tenth of the photon noise is lost; NO_INT32 where the formula has no answer."""
    lost = math.sqrt(photons) / LOSS
    reach = math.sqrt(-math.log(lost / photons) / LOG_16) * fwhm if kind == GAUSSIAN else g * (photons / lost)
    # NumPy's ceil is a float64, as in C.
    reach = 1.0 + np.ceil(reach)
    radius = np.int64(reach) if -2147483649.0 < reach < 2147483648.0 else NO_INT32
    return 1 if radius == 0 else radius


@compiled
def choose_radii(image, radii, kind, wanted, most, fwhm, g):
    """Radius of each pixel's spread, int32 (-1 for none), and the photons that all of them lose beyond it.

    wanted: the radius that was asked for, 0 for an automatic one; most: what it is limited to.
    """
    total = 0.0
    for i in range(image.size):
        photons = np.float64(image[i])
        radii[i] = -1
        if photons <= 0.0:
            continue
        radius = wanted
        if radius == 0:
            radius = automatic_radius(kind, photons, fwhm, g)
        radius = min(radius, most)
        if kind == GAUSSIAN:
            part = np.float64(radius) / fwhm
            total += photons * math.exp(-LOG_16 * (part * part))
        else:
            # The square is a 32-bit integer in C.
            square = np.float64(np.int32(radius * radius))
            total += photons * g / math.sqrt(g * g + square)
        radii[i] = max(radius, -1)
    return total


@inlined
def add_photons(out, table, first, at, count, photons):
    """Add photons*table[at...] (float64) to count numbers of `out` from `first` on (float32), rounded each time.

    Always a multiple of AT_ONCE numbers, which leaves no rest for a slow loop: those beyond get 0. photons: finite.
    """
    rounded = (count + AT_ONCE - 1) // AT_ONCE * AT_ONCE
    target, fractions = out[first : first + rounded], table[at : at + rounded]
    for k in range(target.size):
        part = photons * fractions[k] if k < count else 0.0
        target[k] = np.float32(np.float64(target[k]) + part)


@compiled
def add_endless_photons(out, table, first, at, count, photons):
    """The same for photons that are infinite or not-a-number, of which a fraction of 0 is nothing, as in C."""
    for k in range(count):
        if table[at + k] != 0.0:
            out[first + k] = np.float32(np.float64(out[first + k]) + photons * table[at + k])


@compiled
def collect_row(image, radii, farthest, table, radius, wraps, row, out):
    """Add to `out`, row `row` of the result, what it gets from image (slow, fast).

    out: float32 (fast + AT_ONCE,). table: float64, (2 radius + 1)^2 numbers and AT_ONCE more. farthest: int32 (slow,
    blocks), the largest of each BLOCK radii of a row, so that blocks which do not reach here are passed over. Returns
    the photons that fall on the pixel after the last one of the row before; if `wraps`, they come to lie in the first
    one of this row.
    """
    slow, fast = image.shape
    side = 2 * radius + 1
    beyond = 0.0
    for y in range(max(row - 1 - radius, 0), min(row + radius + 1, slow)):
        dy = row - y
        least = min(abs(dy), abs(dy - 1))
        middle = (radius + dy) * side + radius
        for block in range(farthest.shape[1]):
            if farthest[y, block] < least:
                continue
            for x in range(BLOCK * block, min(BLOCK * (block + 1), fast)):
                reach = np.int64(radii[y, x])
                if reach < least:
                    continue
                photons = np.float64(image[y, x])
                if abs(dy) <= reach:
                    width = np.int64(math.sqrt(np.float64(reach * reach - dy * dy)))
                    first, last = max(x - width, 0), min(x + width, fast - 1)
                    if math.isfinite(photons):
                        add_photons(out, table, first, middle + first - x, last - first + 1, photons)
                    else:
                        add_endless_photons(out, table, first, middle + first - x, last - first + 1, photons)
                if fast - x <= reach and row > 0:
                    beyond += wrapped_photons(photons, reach, fast - x, dy - 1, middle - side, table, wraps, out)
    return beyond


@compiled
def wrapped_photons(photons, reach, dx, dy, middle, table, wraps, out):
    """Photons on the pixel after the last one of a row, dx, dy away; if `wraps`, added to the first number of `out`.

    middle: where in the table the fractions for dy and dx = 0 are.
    """
    if abs(dy) > reach or dx * dx + dy * dy > reach * reach:
        return 0.0
    part = table[middle + dx]
    if part == 0.0:
        return 0.0
    if wraps:
        out[0] = np.float32(np.float64(out[0]) + photons * part)
    return photons * part
