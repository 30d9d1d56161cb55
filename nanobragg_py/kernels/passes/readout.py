"""A detector's noise, pixel by pixel in the C program's order: flicker, calibration, photons, readout."""

from __future__ import annotations

import numpy as np

from ..jit import compiled
from .random import gaussian_from, poisson_from


@compiled
def draw_photons(
    photons, flicker, calibration, table, stream, spare, memory, own, calibration_table, calibration_stream,
    calibration_spare,
):  # fmt: skip
    """Draw photon counts in place (float32); returns their sum.

    flicker, calibration: relative rms errors, not drawn where they are not above 0. In the C program the calibration's
    table and spare deviate are those of everything else, and only its stream is another; here they are if not `own`.
    """
    total = 0.0
    shuffled, counter, last = table[1:], stream[0], table[0]
    own_shuffled, calibration_counter, own_last = calibration_table[1:], calibration_stream[0], calibration_table[0]
    for i in range(photons.size):
        mean = np.float64(photons[i])
        if flicker > 0.0:
            deviate, counter, last = gaussian_from(shuffled, counter, last, spare)
            mean *= 1.0 + flicker * np.float64(deviate)
        if calibration > 0.0:
            if own:
                deviate, calibration_counter, own_last = gaussian_from(
                    own_shuffled, calibration_counter, own_last, calibration_spare
                )
            else:
                deviate, calibration_counter, last = gaussian_from(shuffled, calibration_counter, last, spare)
            mean *= 1.0 + calibration * np.float64(deviate)
        photons[i], counter, last = poisson_from(np.float32(mean), shuffled, counter, last, spare, memory)
        total += np.float64(photons[i])
    stream[0], calibration_stream[0], table[0] = counter, calibration_counter, last
    if own:
        calibration_table[0] = own_last
    return total


@compiled
def read_out(photons, words, long_words, gain, offset, readout, limit, rounded, lowest, table, stream, spare, totals):
    """photons*gain + offset + readout noise, as integers of 16 and of 32 bits.

    limit: the largest integer of 32 bits. Fractions are cut off, or `rounded` to the nearest. Below `lowest` counts are
    that; without such a limit, minus infinity, they wrap, as in C.
    totals float64 (5,), added to: photons, pixels cut off at 32 and at 16 bits, pixels that wrap, and pixels whose
    integer is not the nearest.
    """
    shuffled, counter, last = table[1:], stream[0], table[0]
    total = 0.0
    # Numbers in place of branches, which no processor could foresee.
    cut_at_limit = cut_at_65535 = wrapped = not_nearest = np.int64(0)
    together_up_to = photons.size // 8 * 8 if limit <= 65535.0 else 0
    for i in range(photons.size):
        total += np.float64(photons[i])
        counts = np.float64(photons[i]) * gain + offset
        if readout > 0.0:
            deviate, counter, last = gaussian_from(shuffled, counter, last, spare)
            counts += readout * np.float64(deviate)
        nearest = np.rint(counts)
        # Cut off, a count loses its fraction; the nearest integer is then further from 0 than the count.
        not_nearest += np.int64(abs(nearest) > abs(counts)) & np.int64(counts <= limit)
        if rounded:
            counts = nearest
        cut_at_limit += np.int64(counts > limit)
        counts = limit if counts > limit else counts
        counts = counts if counts >= lowest else lowest
        wrapped += np.int64(counts <= -1.0)
        # Not-a-number, and what is too far below 0, becomes what the conversions on x86 make of it: the C program's
        # compiler takes that of 32 bits for eight pixels at once where it knows that nothing is larger than 65535.
        least, otherwise = (-2147483649.0, 0x80000000) if i < together_up_to else (-9.2e18, 0)
        long_words[i] = np.uint32(np.int64(counts) & 0xFFFFFFFF) if counts > least else np.uint32(otherwise)
        cut_at_65535 += np.int64(counts > 65535.0)
        counts = 65535.0 if counts > 65535.0 else counts
        words[i] = np.uint16(np.int64(counts) & 65535) if counts > -2147483649.0 else 0
    totals[0] += total
    totals[1] += cut_at_limit
    totals[2] += cut_at_65535
    totals[3] += wrapped
    totals[4] += 0 if rounded else not_nearest
    stream[0], table[0] = counter, last
