"""A row of pixels at a time: the same steps as pixel.py, arranged so that LLVM makes SIMD of them.

A block of BLOCK neighbouring pixels walks through each stage together, on float64 rows of one scratch array.
Everything up to h, k, l is computed with the same pieces in the same order as in pixel.py, so those bits are
the same (addition, product, division and square root round alike in SIMD and scalar code). Only the crystal's
transform uses the sines of trig.py. Their error bounds make a bound for the pixel; wherever a value that close
could round to another float32, the pixel is handed back to pixel.py. So the image is the C program's by
construction, and the quick sine only decides how often a second look is needed.

The bound, for a pixel of n steps, with u = 2^-53: what the crystal's transform adds is in shapes.py, what the sum adds
in sum_error, what interpolation adds in lattice.py. Terms are never negative, so relative errors do not grow in the
sum. Interpolated structure factors are sums of 64 products in another order than the C program's, and may cancel, so
their error is absolute (LOOSE). All are bounds to first order; what products of errors add is in finish_block. What
is assumed of signs, arguments and products is checked before this walk is chosen (rendering/fast_walk.py): among it,
that terms which underflow are photons that are 0 as float32.

Served here: every shape, source, spindle step, mosaic domain, sensor layer, oversampling, polarization and mask,
curved or flat, nearest reflection or tricubic interpolation (up to the first block in which a neighbourhood leaves
the list). Not served: `-oversample_thick/_polar/_omega`; there the running sum is multiplied as it grows, so that
the order of steps within a pixel matters, and all goes through pixel.py. Where corrections have them multiply the
new terms, or weigh the sources, the terms of each source are summed apart (by_source).
"""

from __future__ import annotations

import numpy as np

from .. import physics
from ..jit import inlined, merged
from ..layout import BLOCK
from ..pixel import turned_cell
from ..shapes import RELATIVE_ERROR, ROUNDING, SLACK
from . import scratch as rows
from .lattice import (
    any_leaves,
    close_lattice,
    gather_block,
    interpolate_block,
    lattice_block,
    neighbourhood_block,
)
from .rays import first_factors, place_block, polarize_block, scatter_block, subpixel_factors


@inlined
def sum_error(terms, by_source):
    """Relative error bound, to first order, of a pixel's photons from its terms' transforms and amplitudes.

    On either side three roundings of a term (|F_cell|^2 |F_latt|^2), `terms` of their sum and five of the final
    factors; by source two more, of its share and of its background, wherever the factors multiply.
    """
    return (2.0 * terms + (20.0 if by_source else 16.0)) * ROUNDING


@inlined
def finish_block(p, shape, tricubic, w, spixel, first, count, image, open_pixels, found):
    """Write the block's photons; list in `open_pixels` the pixels whose float32 the error bound leaves open."""
    terms = np.float64(p.steps) * np.float64(p.layers)
    relative = RELATIVE_ERROR[shape] + sum_error(terms, p.by_source)
    # Products of errors, and roundings of the bound itself; the bounds in LOOSE are wide enough to hold their own.
    relative = relative * (1.0 + 2.0 * relative + 8.0 * ROUNDING) * p.error_scale
    at = spixel * p.fpixels + first
    for i in range(count):
        intensity = w[rows.INTENSITY + i]
        photons = physics.photons(p, intensity, w[rows.CAPTURE + i], w[rows.POLARIZATION + i], w[rows.OMEGA + i])
        w[rows.SX + i] = photons
        slack = relative * abs(photons)
        if SLACK[shape] > 0.0 or tricubic:
            # An error of its own, and not a part of the sum, which may be 0.
            loose = w[rows.LOOSE + i]
            slack += p.error_scale * abs(
                physics.photons(p, loose, w[rows.CAPTURE + i], w[rows.POLARIZATION + i], w[rows.OMEGA + i])
            )
        w[rows.SY + i] = slack
    left_open = 0
    for i in range(count):
        image[at + i] = physics.added_to_blank(w[rows.SX + i])
        left_open += np.float32(w[rows.SX + i] - w[rows.SY + i]) != np.float32(w[rows.SX + i] + w[rows.SY + i])
    if left_open == 0:
        return found
    for i in range(count):
        if np.float32(w[rows.SX + i] - w[rows.SY + i]) != np.float32(w[rows.SX + i] + w[rows.SY + i]):
            open_pixels[found] = at + i
            found += 1
    return found


@inlined
def start_block(p, w, count):
    """Fill the sums and the factors that are computed once a pixel."""
    for i in range(count):
        w[rows.INTENSITY + i] = p.background
        w[rows.LOOSE + i] = 0.0
        w[rows.CAPTURE + i] = 1.0
        w[rows.POLARIZATION + i] = 1.0 if p.nopolar else 0.0
    if p.by_source or p.keep_interpolating:
        for i in range(count):
            w[rows.TOTAL + i] = p.background
            w[rows.TOTAL_LOOSE + i] = 0.0
            w[rows.TOTAL_OMEGA + i] = 0.0
            w[rows.LEFT + i] = 0.0


@inlined
def open_source(p, w, count, ix, iy, iz):
    """Begin a sum of one source's terms, with the polarization that it has of its own."""
    for i in range(count):
        w[rows.INTENSITY + i] = 0.0
        w[rows.LOOSE + i] = 0.0
    if p.oversample_polar:
        for i in range(count):
            w[rows.POLARIZATION + i] = 0.0
        polarize_block(p, w, count, ix, iy, iz)


@inlined
def close_source(p, w, count, weight):
    """Add one source's terms to the total, multiplied by their factors."""
    background = p.step_background * (p.phi_steps * p.mosaic_domains)
    for i in range(count):
        factor = w[rows.CAPTURE + i] if p.oversample_thick else 1.0
        factor *= w[rows.POLARIZATION + i] if p.oversample_polar else 1.0
        factor *= w[rows.OMEGA + i] if p.oversample_omega else 1.0
        w[rows.TOTAL + i] += (w[rows.INTENSITY + i] + background) * weight * factor
        w[rows.TOTAL_LOOSE + i] += w[rows.LOOSE + i] * weight * factor


@inlined
def close_pixels(p, w, count):
    """Leave totals where finish_block expects them, and the factors that they have already as 1."""
    for i in range(count):
        w[rows.INTENSITY + i] = w[rows.TOTAL + i]
        w[rows.LOOSE + i] = w[rows.TOTAL_LOOSE + i]
        if p.oversample_thick:
            w[rows.CAPTURE + i] = 1.0
        if p.oversample_polar:
            w[rows.POLARIZATION + i] = 1.0
        if p.oversample_omega:
            w[rows.OMEGA + i] = 1.0


@inlined
def list_left(p, w, at, count, open_pixels, found):
    """List pixels with a step outside the list of reflections, where that step alone is not interpolated."""
    if p.keep_interpolating:
        for i in range(count):
            if w[rows.LEFT + i] != 0.0:
                open_pixels[found] = at + i
                found += 1
    return found


@merged
def render_block(p, shape, tricubic, interpolating, sources, cells, domains, amplitudes, w, spixel, first, count):
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
                            if tricubic and interpolating:
                                neighbourhood_block(p, w, count, cell)
                                if any_leaves(p, shape, w, count):
                                    return False
                                close_lattice(p, shape, w, count)
                                interpolate_block(p, shape, w, count, amplitudes)
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
    unmasked = 0
    for i in range(count):
        unmasked += mask[at + i] != 0
    return unmasked > 0


@inlined
def blank_masked(p, mask, image, w, at, count, open_pixels, start, found):
    """Zero the pixels that the mask leaves out, here and in the solid angles, and drop them from the list."""
    for i in range(count):
        if mask[at + i] == 0:
            image[at + i] = 0.0
            w[rows.OMEGA + i] = 0.0
    kept = start
    for j in range(start, found):
        if mask[open_pixels[j]] != 0:
            open_pixels[kept] = open_pixels[j]
            kept += 1
    return kept


@inlined
def list_lost_captures(p, w, at, count, open_pixels, found):
    """List pixels whose capture fraction is exactly 0: it is then computed anew for each sub-pixel."""
    if p.thickness_m != 0.0 and p.attenuation_per_m != 0.0 and p.oversample > 1 and not p.oversample_thick:
        for i in range(count):
            if w[rows.CAPTURE + i] == 0.0:
                open_pixels[found] = at + i
                found += 1
    return found


@merged
def render_row(
    p, shape, tricubic, interpolating, sources, cells, domains, amplitudes, mask, image, spixel, w, open_pixels, found
):  # fmt: skip
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
            inside = render_block(
                p, shape, tricubic, interpolating, sources, cells, domains, amplitudes, w, spixel, first, count
            )
            if not inside:
                left = at
                break
            start = found
            found = finish_block(p, shape, tricubic, w, spixel, first, count, image, open_pixels, found)
            found = list_lost_captures(p, w, at, count, open_pixels, found)
            found = list_left(p, w, at, count, open_pixels, found)
            if p.oversample_omega:
                for i in range(count):
                    w[rows.OMEGA + i] = w[rows.TOTAL_OMEGA + i]
            if p.masked:
                found = blank_masked(p, mask, image, w, at, count, open_pixels, start, found)
            for i in range(count):
                omega_sum += w[rows.OMEGA + i]
        first += count
    subpixels = 1 if p.oversample_omega else p.layers * p.oversample * p.oversample
    return omega_sum * np.float64(subpixels), found, left
