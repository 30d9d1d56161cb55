"""The kernels as C functions: pointers and sizes in, nothing allocated inside, nothing raised.

Each has its C signature in library.py, through which everything else calls them.
"""

from __future__ import annotations

import numba
import numpy as np
from numba import types

from . import layout, physics, pixel
from .jit import inlined
from .passes import near_sphere as sphere
from .passes import random, reduction, text
from .simd import blocks, stored

FLOATS = types.CPointer(types.float64)
SINGLES = types.CPointer(types.float32)
INTEGERS = types.CPointer(types.int64)
WORDS = types.CPointer(types.uint16)
BYTES = types.CPointer(types.uint8)
PARAMETERS = types.CPointer(numba.from_dtype(layout.PARAMETERS))
WALK = types.CPointer(numba.from_dtype(layout.WALK))
INT = types.int64
REAL = types.float64
VOID = types.void


@inlined
def unpack(p, sources, cells, domains, amplitudes, mask, image):
    """Arrays over the caller's memory, with the sizes that the record of parameters gives."""
    pixels = p.fpixels * p.spixels
    return (
        numba.carray(sources, (p.sources, 5)),
        numba.carray(cells, (2, p.phi_steps, 9)),
        numba.carray(domains, (p.mosaic_domains, 9)),
        numba.carray(amplitudes, (p.outside + 1,)),
        numba.carray(mask, (pixels if p.masked else 1,)),
        numba.carray(image, (pixels,)),
    )


SCENE = (PARAMETERS, FLOATS, FLOATS, FLOATS, FLOATS, WORDS, SINGLES)
FAST_ROWS = INT(*SCENE, FLOATS, INTEGERS, FLOATS, INTEGERS, INT, INT, INT)
PIXELS = INT(*SCENE, WALK, FLOATS, FLOATS, INT, INTEGERS, INT, INT, INT)


def render_rows(shape, tricubic):
    """Kernel that renders rows first..last-1 for one shape of crystal (a constant).

    One that is `tricubic` (a constant, too) can interpolate, and does it while `interpolating`.

    scratch float64 (SCRATCH), open_pixels int64 (3*fpixels*rows), omega float64 (spixels): sums of solid angles by row,
    left int64 (1,): flat index of the block in which interpolation leaves the list, which ends the work; else -1.
    Returns how many pixels (flat indices, in `open_pixels`) must be looked at again by render_pixels.
    """

    def render(
        parameters, sources, cells, domains, amplitudes, mask, image,
        scratch, open_pixels, omega, left, interpolating, first, last,
    ):  # fmt: skip
        p = numba.carray(parameters, (1,))[0]
        sources, cells, domains, amplitudes, mask, image = unpack(p, sources, cells, domains, amplitudes, mask, image)
        w = numba.carray(scratch, (layout.SCRATCH,))
        omega_of_row = numba.carray(omega, (p.spixels,))
        pixels = numba.carray(open_pixels, (3 * p.fpixels * (last - first),))
        left_at = numba.carray(left, (1,))
        found = np.int64(0)
        for spixel in range(first, last):
            omega_of_row[spixel], found, left_at[0] = blocks.render_row(
                p, shape, tricubic, interpolating, sources, cells, domains, amplitudes, mask, image, spixel, w, pixels,
                found,
            )  # fmt: skip
            if left_at[0] >= 0:
                break
        return found

    return render


render_square = render_rows(0, False)


render_round = render_rows(1, False)


render_gauss = render_rows(2, False)


render_tophat = render_rows(3, False)


render_square_tricubic = render_rows(0, True)


render_round_tricubic = render_rows(1, True)


render_gauss_tricubic = render_rows(2, True)


render_tophat_tricubic = render_rows(3, True)


def render_pixels(
    parameters, sources, cells, domains, amplitudes, mask, image,
    walk, omega, record, rows, chosen, count, first, last,
):  # fmt: skip
    """Render pixels with the C library's functions, one after the other: the image, the second look and the trace.

    Pixels first..last-1 of the image (flat indices), or of the `count` listed in `chosen`, int64. Those outside the
    region or masked are left alone. Stops after the pixel in which interpolation left the grid, or which was the
    first to see the crystal while the walk asked for that; returns the number of the next one. Solid angles are
    added to omega, float64 (spixels,). For walk and record (rows, RECORD_COLUMNS) see pixel.pixel_photons.
    """
    p = numba.carray(parameters, (1,))[0]
    sources, cells, domains, amplitudes, mask, image = unpack(p, sources, cells, domains, amplitudes, mask, image)
    state = numba.carray(walk, (1,))[0]
    omega_of_row = numba.carray(omega, (p.spixels,))
    noted = numba.carray(record, (rows, layout.RECORD_COLUMNS))
    listed = numba.carray(chosen, (count,))
    interpolating, first_step = state.interpolating, state.first_step
    for number in range(first, last):
        i = listed[number] if count else number
        spixel, fpixel = i // p.fpixels, i % p.fpixels
        if not pixel.is_rendered(p, mask, spixel, fpixel):
            continue
        photons = pixel.pixel_photons(
            p, sources, cells, domains, amplitudes, spixel, fpixel,
            state, omega_of_row[spixel : spixel + 1], noted,
        )  # fmt: skip
        image[i] = physics.added_to_blank(photons)
        if state.interpolating != interpolating or state.first_step != first_step:
            return number + 1
    return last


def solid_angle_sum(parameters, mask):
    """See pixel.solid_angle_sum."""
    p = numba.carray(parameters, (1,))[0]
    return pixel.solid_angle_sum(p, numba.carray(mask, (p.fpixels * p.spixels if p.masked else 1,)))


def add_up(image, mask, masked, fpixels, spixels, roi, totals):
    """See reduction.add_up; roi int64 (4,): first and last fast, first and last slow pixel."""
    pixels = fpixels * spixels
    reduction.add_up(
        numba.carray(image, (pixels,)),
        numba.carray(mask, (pixels if masked else 1,)),
        masked,
        fpixels,
        numba.carray(roi, (4,)),
        numba.carray(totals, (5,)),
    )


def squared_deviations(image, fpixels, spixels, roi, average):
    """See reduction.squared_deviations."""
    return reduction.squared_deviations(
        numba.carray(image, (fpixels * spixels,)), fpixels, numba.carray(roi, (4,)), average
    )


def scale_to_words(values, words, count, scale, offset):
    """See reduction.scale_to_words."""
    reduction.scale_to_words(numba.carray(values, (count,)), numba.carray(words, (count,)), scale, offset)


def scale_to_bytes(values, grey, count, scale):
    """See reduction.scale_to_bytes."""
    reduction.scale_to_bytes(numba.carray(values, (count,)), numba.carray(grey, (count,)), scale)


def poisson_words(values, words, count, offset, table, stream, singles, totals):
    """See reduction.poisson_words; singles float32 (6,): the Gaussian's spare, then poisson's memory."""
    kept = numba.carray(singles, (6,))
    reduction.poisson_words(
        numba.carray(values, (count,)),
        numba.carray(words, (count,)),
        offset,
        numba.carray(table, (33,)),
        numba.carray(stream, (1,)),
        kept[0:2],
        kept[2:6],
        numba.carray(totals, (2,)),
    )


def mosaic_rotations(table, stream, spread_rad, count, matrices):
    """Rotation matrices (count, 9) of mosaic domains, see random.mosaic_rotation."""
    shuffle, counter = numba.carray(table, (33,)), numba.carray(stream, (1,))
    out = numba.carray(matrices, (count, 9))
    for domain in range(count):
        random.mosaic_rotation(shuffle, counter, spread_rad, out[domain])


def read_plain_list(characters, size, rows, hkl, F):
    """See text.read_plain_list; room for `rows` reflections, which must be at least size // 8 + 1."""
    return text.read_plain_list(
        numba.carray(characters, (size,)), numba.carray(hkl, (rows, 3)), numba.carray(F, (rows,))
    )


def store_geometry(parameters, sources, geometry, scratch, first, last):
    """Fill rows first..last-1 of geometry, float64 (slow, 4, fast), see stored.py; scratch float64 (SCRATCH)."""
    p = numba.carray(parameters, (1,))[0]
    kept = numba.carray(geometry, (p.spixels, 4, p.fpixels))
    beams, w = numba.carray(sources, (p.sources, 5)), numba.carray(scratch, (layout.SCRATCH,))
    for spixel in range(first, last):
        stored.store_row(p, beams, kept, spixel, w)


def render_stored_rows(shape):
    """Kernel that renders rows first..last-1 for one shape of crystal (a constant) from stored geometry.

    The arguments are those of render_rows, with geometry for omega and left.
    """

    def render(
        parameters, sources, cells, domains, amplitudes, mask, image, scratch, open_pixels, geometry, first, last
    ):
        p = numba.carray(parameters, (1,))[0]
        sources, cells, domains, amplitudes, mask, image = unpack(p, sources, cells, domains, amplitudes, mask, image)
        w = numba.carray(scratch, (layout.SCRATCH,))
        kept = numba.carray(geometry, (p.spixels, 4, p.fpixels))
        pixels = numba.carray(open_pixels, (2 * p.fpixels * (last - first),))
        found = np.int64(0)
        for spixel in range(first, last):
            found = stored.render_stored_row(
                p, shape, kept, cells, domains, amplitudes, mask, image, spixel, w, pixels, found
            )
        return found

    return render


render_stored_square = render_stored_rows(0)


render_stored_round = render_stored_rows(1)


render_stored_gauss = render_stored_rows(2)


render_stored_tophat = render_stored_rows(3)


def near_sphere(hkl, size, metric, along, limit, index):
    """See passes/near_sphere.py; hkl float64 (3, size), index int64 (size,)."""
    return sphere.near_sphere(
        numba.carray(hkl, (3, size)), numba.carray(metric, (6,)), numba.carray(along, (3,)), limit,
        numba.carray(index, (size,)),
    )  # fmt: skip


STORED_ROWS = INT(*SCENE, FLOATS, INTEGERS, FLOATS, INT, INT)
SIGNATURES = {
    "store_geometry": VOID(PARAMETERS, FLOATS, FLOATS, FLOATS, INT, INT),
    "render_stored_square": STORED_ROWS,
    "render_stored_round": STORED_ROWS,
    "render_stored_gauss": STORED_ROWS,
    "render_stored_tophat": STORED_ROWS,
    "near_sphere": INT(FLOATS, INT, FLOATS, FLOATS, REAL, INTEGERS),
    "read_plain_list": INT(BYTES, INT, INT, types.CPointer(types.int32), FLOATS),
    "render_square": FAST_ROWS,
    "render_round": FAST_ROWS,
    "render_gauss": FAST_ROWS,
    "render_tophat": FAST_ROWS,
    "render_square_tricubic": FAST_ROWS,
    "render_round_tricubic": FAST_ROWS,
    "render_gauss_tricubic": FAST_ROWS,
    "render_tophat_tricubic": FAST_ROWS,
    "render_pixels": PIXELS,
    "solid_angle_sum": REAL(PARAMETERS, WORDS),
    "add_up": VOID(SINGLES, WORDS, INT, INT, INT, INTEGERS, FLOATS),
    "squared_deviations": REAL(SINGLES, INT, INT, INTEGERS, REAL),
    "scale_to_words": VOID(SINGLES, WORDS, INT, REAL, REAL),
    "scale_to_bytes": VOID(SINGLES, BYTES, INT, REAL),
    "poisson_words": VOID(SINGLES, WORDS, INT, REAL, INTEGERS, INTEGERS, SINGLES, FLOATS),
    "mosaic_rotations": VOID(INTEGERS, INTEGERS, REAL, INT, FLOATS),
}
