"""Many orientations of one crystal: what does not change with the orientation is computed once and kept.

For one source, one sub-pixel and one layer, a pixel's scattering vector and the product of its solid angle,
polarization and capture fraction are the same in every image. Kept in memory, 32 bytes a pixel, they leave only the
crystal's transform to be computed: half the work at one step per pixel. The vectors have the bits that blocks.py
gives them. The product of factors is rounded in another order than the C program's, so callers widen the error bound
of the second look by a quarter (error_scale), which is more than these two roundings.
"""

from __future__ import annotations

from ..jit import inlined, merged
from ..layout import BLOCK
from ..pixel import turned_cell
from . import blocks, lattice, rays
from . import scratch as rows


@inlined
def store_row(p, sources, geometry, spixel, w):
    """Fill a row of geometry, float64 (slow, 4, fast): scattering vector in 1/m, and product of factors."""
    first = p.roi_fast_first
    ix, iy, iz, wavelength = sources[0, 0], sources[0, 1], sources[0, 2], sources[0, 3]
    while first <= p.roi_fast_last:
        count = min(BLOCK, p.roi_fast_last + 1 - first)
        blocks.start_block(p, w, count)
        rays.place_block(p, w, spixel, first, count, 0, 0, 0)
        rays.first_factors(p, w, count, 0, True)
        rays.scatter_block(p, w, count, ix, iy, iz, wavelength)
        if p.nopolar == 0:
            rays.polarize_block(p, w, count, ix, iy, iz)
        for i in range(count):
            geometry[spixel, 0, first + i] = w[rows.SX + i]
            geometry[spixel, 1, first + i] = w[rows.SY + i]
            geometry[spixel, 2, first + i] = w[rows.SZ + i]
            geometry[spixel, 3, first + i] = w[rows.CAPTURE + i] * w[rows.POLARIZATION + i] * w[rows.OMEGA + i]
        first += count


@inlined
def recall_block(p, geometry, w, spixel, first, count):
    """Put a block's stored values where the stages of blocks.py expect them."""
    background = p.background
    for i in range(count):
        w[rows.SX + i] = geometry[spixel, 0, first + i]
        w[rows.SY + i] = geometry[spixel, 1, first + i]
        w[rows.SZ + i] = geometry[spixel, 2, first + i]
    for i in range(count):
        w[rows.OMEGA + i] = geometry[spixel, 3, first + i]
        w[rows.POLARIZATION + i] = 1.0
        w[rows.CAPTURE + i] = 1.0
        w[rows.INTENSITY + i] = background
        w[rows.LOOSE + i] = 0.0
    rays.see_block(p, w, count)


@merged
def render_stored_row(p, shape, geometry, cells, domains, amplitudes, mask, image, spixel, w, open_pixels, found):
    """One row of pixels from stored geometry; the new length of the list for a second look."""
    first = p.roi_fast_first
    while first <= p.roi_fast_last:
        count = min(BLOCK, p.roi_fast_last + 1 - first)
        at = spixel * p.fpixels + first
        if blocks.any_unmasked(p, mask, at, count):
            recall_block(p, geometry, w, spixel, first, count)
            for phi_step in range(p.phi_steps):
                for domain in range(p.mosaic_domains):
                    cell = turned_cell(p, cells, 0, phi_step, domains, domain)
                    lattice.lattice_block(p, shape, w, count, cell)
                    lattice.gather_block(p, shape, w, count, amplitudes)
            start = found
            found = blocks.finish_block(p, shape, False, w, spixel, first, count, image, open_pixels, found)
            if p.masked:
                found = blocks.blank_masked(p, mask, image, w, at, count, open_pixels, start, found)
        first += count
    return found
