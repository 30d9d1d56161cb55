"""A detector's noise, pixel by pixel in the C program's order: flicker, calibration, photons, readout."""

from __future__ import annotations

import numpy as np

from ..jit import compiled
from .random import gaussian, poisson


@compiled
def draw_photons(photons, flicker, calibration, table, stream, calibration_stream, spare, memory):
    """Draw photon counts in place (float32); returns their sum.

    flicker, calibration: relative rms errors, not drawn where they are not above 0. All streams share table and spare.
    """
    total = 0.0
    for i in range(photons.size):
        mean = np.float64(photons[i])
        if flicker > 0.0:
            mean *= 1.0 + flicker * np.float64(gaussian(table, stream, spare))
        if calibration > 0.0:
            mean *= 1.0 + calibration * np.float64(gaussian(table, calibration_stream, spare))
        photons[i] = poisson(np.float32(mean), table, stream, spare, memory)
        total += np.float64(photons[i])
    return total


@compiled
def read_out(photons, words, long_words, gain, offset, readout, limit, table, stream, spare, totals):
    """photons*gain + offset + readout noise, as integers of 16 and of 32 bits.

    limit: the largest integer of 32 bits. totals float64 (3,), added to: photons, and pixels cut off at 32 and 16 bits.
    Fractions are cut off, and what is below 0 wraps, as in C.
    """
    for i in range(photons.size):
        totals[0] += np.float64(photons[i])
        counts = np.float64(photons[i]) * gain + offset
        if readout > 0.0:
            counts += readout * np.float64(gaussian(table, stream, spare))
        if counts > limit:
            counts = limit
            totals[1] += 1.0
        # Not-a-number, and what is too far below 0, becomes what the conversions on x86 make of it: the C program's
        # compiler takes that of 32 bits where it knows that nothing is larger than 65535.
        least, otherwise = (-9.2e18, 0) if limit > 65535.0 else (-2147483649.0, 0x80000000)
        long_words[i] = np.uint32(np.int64(counts) & 0xFFFFFFFF) if counts > least else np.uint32(otherwise)
        if counts > 65535.0:
            counts = 65535.0
            totals[2] += 1.0
        words[i] = np.uint16(np.int64(counts) & 65535) if counts > -2147483649.0 else 0
