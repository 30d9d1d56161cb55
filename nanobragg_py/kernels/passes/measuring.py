"""What a detector makes of photons, pixel by pixel: calibration error, photon counts, gain, readout noise, limits.

Holton, Classen, Frankel & Tainer, FEBS J. 281 (2014), 4046. Each effect draws its numbers by a counter, see philox.py:
pixels can be worked on in any order, by any number of threads. Four pixels share a block of four words.
"""

from __future__ import annotations

import numpy as np

from ..jit import compiled
from .philox import normal, poisson, words

# Numbers of the effects, the second word of the generator's key.
PHOTONS, READOUT, FLICKER, CALIBRATION = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(4)
NO_WORDS = (np.uint64(0), np.uint64(0), np.uint64(0), np.uint64(0))


@compiled
def gaussian(number, seed, effect, ziggurat):
    """The Gaussian deviate of a pixel, or of whatever else is numbered, all uint64."""
    w = words(seed, effect, number >> np.uint64(2), np.uint64(0))
    return normal(w[number & np.uint64(3)], seed, effect, number, ziggurat)


@compiled
def calibration_errors(errors, first, last, seed, ziggurat):
    """Gaussian deviates, float32, of pixels first..last-1 (flat indices): a panel's errors of calibration."""
    for i in range(first, last):
        errors[i] = np.float32(gaussian(np.uint64(i), np.uint64(seed), CALIBRATION, ziggurat))


@compiled
def flicker_deviate(seed, ziggurat):
    """The Gaussian deviate by which the whole image's photons vary."""
    return gaussian(np.uint64(0), np.uint64(seed), FLICKER, ziggurat)


@compiled
def count_photons(means, errors, photons, first, last, factor, calibration, seed, sums, guide):
    """Poisson deviates, float32, of pixels first..last-1 of `means`, float32; where a mean is none, of nothing.

    factor: on all means. errors: see calibration_errors; calibration: their rms, relative; 0 without errors.
    """
    noise = np.uint64(seed)
    w = NO_WORDS
    block = -1
    for i in range(first, last):
        if i >> 2 != block:
            block = i >> 2
            w = words(noise, PHOTONS, np.uint64(block), np.uint64(0))
        mean = np.float64(means[i]) * factor
        if calibration > 0.0:
            mean *= 1.0 + calibration * np.float64(errors[i])
        photons[i] = np.float32(poisson(mean, w[i & 3], noise, PHOTONS, np.uint64(i), sums, guide))


@compiled
def report_counts(photons, counts, first, last, gain, offset, readout, largest, seed, ziggurat, totals):
    """Counts, int32, of pixels first..last-1; totals float64 (2,): photons, and pixels cut off at the largest count.

    Counts are photons*gain + offset + readout noise, rounded to the nearest, not below 0.
    """
    noise = np.uint64(seed)
    w = NO_WORDS
    block = -1
    total, overloads = 0.0, 0.0
    for i in range(first, last):
        total += np.float64(photons[i])
        value = np.float64(photons[i]) * gain + offset
        if readout > 0.0:
            if i >> 2 != block:
                block = i >> 2
                w = words(noise, READOUT, np.uint64(block), np.uint64(0))
            value += readout * normal(w[i & 3], noise, READOUT, np.uint64(i), ziggurat)
        value = np.rint(value)
        if value > largest:
            value = largest
            overloads += 1.0
        counts[i] = np.int32(value) if value > 0.0 else np.int32(0)
    totals[0], totals[1] = total, overloads
