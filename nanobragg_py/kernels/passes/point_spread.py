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

from ..jit import compiled

GAUSSIAN, FIBRE = 1, 2
PI = 3.141592653589793
LOG_16 = math.log(16.0)
# Of a Gaussian of FWHM 1: scales of the two arguments, and the square root of log 16 / log 2.
ALONG_X, ALONG_Y, RATIO = math.sqrt(math.log(2.0)), math.sqrt(LOG_16), math.sqrt(LOG_16 / math.log(2.0))
# The photons that may be lost are the photon noise over this.
LOSS = 10.0
NO_INT32 = -2147483648


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


@compiled
def add_photons(target, fractions, photons):
    """Add photons*fractions (float64) to target (float32), in double precision and rounded each time."""
    if math.isfinite(photons):
        for at in range(target.size):
            target[at] = np.float32(np.float64(target[at]) + photons * fractions[at])
        return
    # A fraction of 0 adds nothing to the C program's image, and would be not-a-number here.
    for at in range(target.size):
        if fractions[at] != 0.0:
            target[at] = np.float32(np.float64(target[at]) + photons * fractions[at])


@compiled
def collect_row(image, radii, table, radius, wraps, row, out):
    """Add to `out` float32 (fast,), row `row` of the result, what it gets from image (slow, fast).

    Returns the photons that fall on the pixel after the last one of the row before; if `wraps`, they come to lie in
    the first one of this row.
    """
    slow, fast = image.shape
    beyond = 0.0
    for y in range(max(row - 1 - radius, 0), min(row + radius + 1, slow)):
        for x in range(fast):
            reach = np.int64(radii[y, x])
            if reach < 0:
                continue
            photons = np.float64(image[y, x])
            dy = row - y
            if abs(dy) <= reach:
                width = np.int64(math.sqrt(np.float64(reach * reach - dy * dy)))
                first, last = max(x - width, 0), min(x + width, fast - 1)
                fractions = table[radius + dy, radius + first - x : radius + last - x + 1]
                add_photons(out[first : last + 1], fractions, photons)
            dx, dy = fast - x, row - 1 - y
            if row > 0 and dx <= reach and abs(dy) <= reach and dx * dx + dy * dy <= reach * reach:
                part = table[radius + dy, radius + dx]
                if part != 0.0:
                    beyond += photons * part
                    if wraps:
                        out[0] = np.float32(np.float64(out[0]) + photons * part)
    return beyond
