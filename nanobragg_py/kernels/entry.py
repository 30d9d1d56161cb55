"""The kernels as C functions: pointers and sizes in, nothing allocated inside, nothing raised.

Each has its C prototype in library/signatures.py, and is called through library/load.py. KERNELS names them all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..base.shapes import SHAPES
from . import layout, physics, pixel
from .jit import carray, inlined
from .passes import amorphous, measuring, philox, point_spread, quick_spread, random, readout, reduction, spots, text
from .simd import blocks, stored


@inlined
def unpack(p, sources, cells, domains, amplitudes, mask, image):
    """Arrays over the caller's memory, with the sizes that the record of parameters gives."""
    pixels = p.fpixels * p.spixels
    return (
        carray(sources, (p.sources, 5)),
        carray(cells, (2, p.phi_steps, 9)),
        carray(domains, (p.mosaic_domains, 9)),
        carray(amplitudes, (p.outside + 1,)),
        carray(mask, (pixels if p.masked else 1,)),
        carray(image, (pixels,)),
    )


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
        p = carray(parameters, (1,))[0]
        sources, cells, domains, amplitudes, mask, image = unpack(p, sources, cells, domains, amplitudes, mask, image)
        w = carray(scratch, (layout.SCRATCH,))
        omega_of_row = carray(omega, (p.spixels,))
        pixels = carray(open_pixels, (3 * p.fpixels * (last - first),))
        left_at = carray(left, (1,))
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
    p = carray(parameters, (1,))[0]
    sources, cells, domains, amplitudes, mask, image = unpack(p, sources, cells, domains, amplitudes, mask, image)
    state = carray(walk, (1,))[0]
    omega_of_row = carray(omega, (p.spixels,))
    noted = carray(record, (rows, layout.RECORD_COLUMNS))
    listed = carray(chosen, (count,))
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
    p = carray(parameters, (1,))[0]
    return pixel.solid_angle_sum(p, carray(mask, (p.fpixels * p.spixels if p.masked else 1,)))


def add_up(image, mask, masked, fpixels, spixels, roi, totals):
    """See reduction.add_up; roi int64 (4,): first and last fast, first and last slow pixel."""
    pixels = fpixels * spixels
    reduction.add_up(
        carray(image, (pixels,)),
        carray(mask, (pixels if masked else 1,)),
        masked,
        fpixels,
        carray(roi, (4,)),
        carray(totals, (5,)),
    )


def squared_deviations(image, fpixels, spixels, roi, average):
    """See reduction.squared_deviations."""
    return reduction.squared_deviations(carray(image, (fpixels * spixels,)), fpixels, carray(roi, (4,)), average)


def scale_to_words(values, words, count, scale, offset):
    """See reduction.scale_to_words."""
    reduction.scale_to_words(carray(values, (count,)), carray(words, (count,)), scale, offset)


def scale_to_bytes(values, grey, count, scale):
    """See reduction.scale_to_bytes."""
    reduction.scale_to_bytes(carray(values, (count,)), carray(grey, (count,)), scale)


def add_scaled(image, shape, first, last, factor):
    """See reduction.add_scaled; pixels first..last-1."""
    reduction.add_scaled(carray(image, (last,))[first:last], carray(shape, (last,))[first:last], factor)


def poisson_deviates(values, deviates, count, table, stream, singles):
    """See reduction.poisson_deviates; singles as in poisson_words."""
    kept = carray(singles, (6,))
    reduction.poisson_deviates(
        carray(values, (count,)),
        carray(deviates, (count,)),
        carray(table, (33,)),
        carray(stream, (1,)),
        kept[0:2],
        kept[2:6],
    )


def poisson_words(values, words, count, offset, table, stream, singles, totals):
    """See reduction.poisson_words; singles float32 (6,): the Gaussian's spare, then poisson's memory."""
    kept = carray(singles, (6,))
    reduction.poisson_words(
        carray(values, (count,)),
        carray(words, (count,)),
        offset,
        carray(table, (33,)),
        carray(stream, (1,)),
        kept[0:2],
        kept[2:6],
        carray(totals, (2,)),
    )


def mosaic_rotations(table, stream, spread_rad, count, matrices):
    """Rotation matrices (count, 9) of mosaic domains, see random.mosaic_rotation."""
    shuffle, counter = carray(table, (33,)), carray(stream, (1,))
    out = carray(matrices, (count, 9))
    for domain in range(count):
        random.mosaic_rotation(shuffle, counter, spread_rad, out[domain])


def read_plain_list(characters, size, rows, hkl, F):
    """See text.read_plain_list; room for `rows` reflections, which must be at least size // 8 + 1."""
    return text.read_plain_list(carray(characters, (size,)), carray(hkl, (rows, 3)), carray(F, (rows,)))


def store_geometry(parameters, sources, geometry, scratch, first, last):
    """Fill rows first..last-1 of geometry, float64 (slow, 4, fast), see stored.py; scratch float64 (SCRATCH)."""
    p = carray(parameters, (1,))[0]
    kept = carray(geometry, (p.spixels, 4, p.fpixels))
    beams, w = carray(sources, (p.sources, 5)), carray(scratch, (layout.SCRATCH,))
    for spixel in range(first, last):
        stored.store_row(p, beams, kept, spixel, w)


def render_stored_rows(shape):
    """Kernel that renders rows first..last-1 for one shape of crystal (a constant) from stored geometry.

    The arguments are those of render_rows, with geometry for omega and left.
    """

    def render(
        parameters, sources, cells, domains, amplitudes, mask, image, scratch, open_pixels, geometry, first, last
    ):
        p = carray(parameters, (1,))[0]
        sources, cells, domains, amplitudes, mask, image = unpack(p, sources, cells, domains, amplitudes, mask, image)
        w = carray(scratch, (layout.SCRATCH,))
        kept = carray(geometry, (p.spixels, 4, p.fpixels))
        pixels = carray(open_pixels, (2 * p.fpixels * (last - first),))
        found = np.int64(0)
        for spixel in range(first, last):
            found = stored.render_stored_row(
                p, shape, kept, cells, domains, amplitudes, mask, image, spixel, w, pixels, found
            )
        return found

    return render


def near_sphere(hkl, size, metric, along, limit, index):
    """See passes/spots.py; hkl float64 (3, size), index int64 (size,)."""
    return spots.near_sphere(
        carray(hkl, (3, size)), carray(metric, (6,)), carray(along, (3,)), limit,
        carray(index, (size,)),
    )  # fmt: skip


def climb(image, spixels, fpixels, position, size, steps, pixel, top):
    """See passes/spots.py; position float64 (size, 2), pixel int64 (size, 2), top uint8 (size,)."""
    spots.climb(
        carray(image, (spixels, fpixels)), carray(position, (size, 2)), steps, carray(pixel, (size, 2)),
        carray(top, (size,)),
    )  # fmt: skip


def draw_photons(
    photons, count, flicker, calibration, table, stream, singles, own, calibration_table, calibration_stream,
    calibration_singles,
):  # fmt: skip
    """See readout.draw_photons; singles as in poisson_words."""
    kept = carray(singles, (6,))
    return readout.draw_photons(
        carray(photons, (count,)), flicker, calibration, carray(table, (33,)), carray(stream, (1,)), kept[0:2],
        kept[2:6], own, carray(calibration_table, (33,)), carray(calibration_stream, (1,)),
        carray(calibration_singles, (6,))[0:2],
    )  # fmt: skip


def read_out(
    photons, words, long_words, count, gain, offset, noise, limit, rounded, lowest, table, stream, singles, totals
):
    """See readout.read_out; singles as in poisson_words."""
    readout.read_out(
        carray(photons, (count,)), carray(words, (count,)), carray(long_words, (count,)), gain, offset, noise, limit,
        rounded, lowest, carray(table, (33,)), carray(stream, (1,)), carray(singles, (6,))[0:2], carray(totals, (5,)),
    )  # fmt: skip


def spread_radius(kind, photons, fwhm, g):
    """See point_spread.automatic_radius."""
    return point_spread.automatic_radius(kind, photons, fwhm, g)


def spread_radii(image, radii, count, kind, wanted, most, fwhm, g):
    """See point_spread.choose_radii."""
    return point_spread.choose_radii(carray(image, (count,)), carray(radii, (count,)), kind, wanted, most, fwhm, g)


def spread_fractions(fractions, kind, radius, fwhm, g):
    """See point_spread.fill_fractions."""
    side = 2 * radius + 1
    point_spread.fill_fractions(carray(fractions, (side, side)), kind, radius, fwhm, g)


def spread_rows(image, radii, farthest, fractions, spread, line, fast, slow, radius, wraps, first, last):
    """Rows first..last-1 of the spread image; line: float32 (fast + AT_ONCE,). See point_spread.collect_row."""
    sources, reaches = carray(image, (slow, fast)), carray(radii, (slow, fast))
    side = 2 * radius + 1
    table, out = carray(fractions, (side * side + point_spread.AT_ONCE,)), carray(spread, (slow, fast))
    collected = carray(line, (fast + point_spread.AT_ONCE,))
    blocks = carray(farthest, (slow, -(-fast // point_spread.BLOCK)))
    beyond = 0.0
    for row in range(first, last):
        for x in range(fast + point_spread.AT_ONCE):
            collected[x] = np.float32(0.0)
        beyond += point_spread.collect_row(sources, reaches, blocks, table, radius, wraps, row, collected)
        for x in range(fast):
            out[row, x] = collected[x]
    return beyond


def amorphous_pixels(
    parameters, sources, stol, F, points, molecules, image, place, axis, omega, seen, keep_seen, chosen, count,
    first, last,
):  # fmt: skip
    """Pixels first..last-1 by the definition, see amorphous.pixel_sum: flat indices, or numbers of `chosen`, int64.

    Those outside the region are left alone. omega: float64 (1,). seen: float64 (pixels, SEEN_COLUMNS) if keep_seen,
    else (1, SEEN_COLUMNS).
    """
    p = carray(parameters, (1,))[0]
    beams, out = carray(sources, (p.sources, 5)), carray(image, (p.fpixels * p.spixels,))
    stol_of, F_of = carray(stol, (points,)), carray(F, (points,))
    at, axis_now, omega_sum = carray(place, (1,)), carray(axis, (3,)), carray(omega, (1,))
    kept = carray(seen, (p.fpixels * p.spixels if keep_seen else 1, amorphous.SEEN_COLUMNS))
    listed = carray(chosen, (count,))
    for number in range(first, last):
        i = listed[number] if count else number
        spixel, fpixel = i // p.fpixels, i % p.fpixels
        if amorphous.in_region(p, spixel, fpixel):
            total = amorphous.pixel_sum(
                p, beams, stol_of, F_of, spixel, fpixel, at, axis_now, omega_sum, kept[i if keep_seen else 0]
            )
            out[i] = physics.added_to_blank(amorphous.scaled_photons(p, total, molecules))


def amorphous_rows(
    parameters, sources, axis, table, table_rows, starts, slots, slots_per_stol, molecules, image, scratch, open_pixels,
    omega, first, last,
):  # fmt: skip
    """Rows first..last-1 in blocks, see amorphous.walk_row; returns how many pixels are listed in open_pixels.

    table: float64 (table_rows, TABLE_COLUMNS). starts: int32 (slots,). axis: float64 (3,), settled. scratch: float64
    (SCRATCH,). open_pixels: int64 (fpixels*rows,). omega: float64 (spixels,), sums of solid angles by row.
    """
    p = carray(parameters, (1,))[0]
    beams, out = carray(sources, (p.sources, 5)), carray(image, (p.fpixels * p.spixels,))
    prepared, started = carray(table, (table_rows * amorphous.TABLE_COLUMNS,)), carray(starts, (slots,))
    settled, w = carray(axis, (3,)), carray(scratch, (layout.SCRATCH,))
    listed = carray(open_pixels, (p.fpixels * (last - first),))
    omega_of_row = carray(omega, (p.spixels,))
    found = np.int64(0)
    for spixel in range(max(first, p.roi_slow_first), min(last, p.roi_slow_last + 1)):
        omega_of_row[spixel], found = amorphous.walk_row(
            p, beams, (settled[0], settled[1], settled[2]), prepared, started, slots_per_stol, molecules, spixel, w,
            out, listed, found,
        )  # fmt: skip
    return found


def spread_neighbours(image, fractions, spread, sums, fast, slow, radius, taps, first, last):
    """Rows first..last-1 of the spread image, from neighbours; see quick_spread.add_neighbours."""
    sources, out = carray(image, (slow, fast)), carray(spread, (slow, fast))
    table, room = carray(fractions, (radius + 1, taps)), carray(sums, (fast + taps,))
    for row in range(first, last):
        for x in range(fast):
            out[row, x] = np.float32(0.0)
        quick_spread.add_neighbours(sources, table, radius, row, room, out[row])


def spread_coarsen(fine, coarse, line, fast, slow, coarse_fast, coarse_slow, first, last):
    """Rows first..last-1 of the coarser grid; see quick_spread.coarsen_row."""
    sources, out = carray(fine, (slow, fast)), carray(coarse, (coarse_slow, coarse_fast))
    room = carray(line, (2 * (coarse_fast + quick_spread.POINTS),))
    for row in range(first, last):
        quick_spread.coarsen_row(sources, row, room, out[row])


def spread_refine(coarse, fine, line, fast, slow, coarse_fast, coarse_slow, first, last):
    """Add to rows first..last-1 of the finer grid; see quick_spread.add_refined_row."""
    sources, out = carray(coarse, (coarse_slow, coarse_fast)), carray(fine, (slow, fast))
    room = carray(line, (2, coarse_fast))
    for row in range(first, last):
        quick_spread.add_refined_row(sources, row, room[0], room[1], out[row])


@inlined
def poisson_tables(sums, guide):
    """Tables of philox.fill_tables over the caller's memory."""
    shape = (layout.TABLE_MEANS, layout.TABLE_COUNTS)
    return carray(sums, shape), carray(guide, (layout.TABLE_MEANS, layout.GUIDE))


def random_tables(sums, guide, ziggurat):
    """See philox.fill_tables."""
    counts, steps = poisson_tables(sums, guide)
    philox.fill_tables(counts, steps, carray(ziggurat, (2, layout.LAYERS + 1)))


def calibration_errors(errors, size, first, last, seed, ziggurat):
    """See measuring.calibration_errors; `size` pixels."""
    measuring.calibration_errors(
        carray(errors, (size,)), first, last, seed, carray(ziggurat, (2, layout.LAYERS + 1))
    )  # fmt: skip


def flicker_deviate(seed, ziggurat):
    """See measuring.flicker_deviate."""
    return measuring.flicker_deviate(seed, carray(ziggurat, (2, layout.LAYERS + 1)))


def count_photons(means, errors, photons, size, first, last, factor, calibration, seed, sums, guide):
    """See measuring.count_photons; `size` pixels."""
    counts, steps = poisson_tables(sums, guide)
    measuring.count_photons(
        carray(means, (size,)), carray(errors, (size,)), carray(photons, (size,)), first, last, factor, calibration,
        seed, counts, steps,
    )  # fmt: skip


def report_counts(photons, counts, size, first, last, gain, offset, readout, largest, seed, ziggurat, totals):
    """See measuring.report_counts; `size` pixels."""
    measuring.report_counts(
        carray(photons, (size,)), carray(counts, (size,)), first, last, gain, offset, readout, largest, seed,
        carray(ziggurat, (2, layout.LAYERS + 1)), carray(totals, (2,)),
    )  # fmt: skip


KERNELS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        render_pixels,
        store_geometry,
        solid_angle_sum,
        add_up,
        squared_deviations,
        scale_to_words,
        scale_to_bytes,
        add_scaled,
        poisson_deviates,
        poisson_words,
        mosaic_rotations,
        read_plain_list,
        near_sphere,
        climb,
        draw_photons,
        read_out,
        spread_radius,
        spread_radii,
        spread_fractions,
        spread_rows,
        amorphous_pixels,
        amorphous_rows,
        spread_neighbours,
        spread_coarsen,
        spread_refine,
        random_tables,
        calibration_errors,
        flicker_deviate,
        count_photons,
        report_counts,
    )
}
for number, shape in enumerate(SHAPES):
    KERNELS[f"render_{shape.name}"] = render_rows(number, False)
    KERNELS[f"render_{shape.name}_tricubic"] = render_rows(number, True)
    KERNELS[f"render_stored_{shape.name}"] = render_stored_rows(number)
