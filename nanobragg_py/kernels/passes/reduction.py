"""Passes over a finished image: sums in pixel order, and scaling to integers, in the C program's precision."""

from __future__ import annotations

import numpy as np

from ..jit import compiled
from .random import poisson_from


@compiled
def add_up(image, mask, masked, fpixels, roi, totals):
    """Sums over the region of interest, in pixel order.

    totals float64 (5,): sum, sum of squares (taken in single precision, as the C program does), number of
    pixels computed, largest value (0 if none is above), and the index of its first occurrence (-1 if none).
    """
    total, squares, largest = 0.0, 0.0, 0.0
    count, where = 0, -1
    for spixel in range(roi[2], roi[3] + 1):
        for i in range(spixel * fpixels + roi[0], spixel * fpixels + roi[1] + 1):
            value = image[i]
            total += np.float64(value)
            squares += np.float64(value * value)
            if value > largest:
                largest = np.float64(value)
                where = i
            if not masked or mask[i] != 0:
                count += 1
    totals[0], totals[1], totals[2], totals[3], totals[4] = total, squares, count, largest, where


@compiled
def squared_deviations(image, fpixels, roi, average):
    """Sum of (value - average)^2 over the region of interest, in pixel order."""
    squares = 0.0
    for spixel in range(roi[2], roi[3] + 1):
        for i in range(spixel * fpixels + roi[0], spixel * fpixels + roi[1] + 1):
            deviation = np.float64(image[i]) - average
            squares += deviation * deviation
    return squares


@compiled
def scale_to_words(values, words, scale, offset):
    """16-bit integers of value*scale + offset, clipped, rounded through a single-precision floor."""
    for i in range(values.size):
        scaled = np.float64(values[i]) * scale + offset
        scaled = 65535.0 if scaled > 65535.0 else scaled
        # Not-a-number becomes 0, as the conversion makes it on x86.
        scaled = scaled if scaled >= 0.0 else 0.0
        # Not negative, so that cutting off is what the C program's floor does.
        words[i] = np.uint16(np.int32(np.float32(scaled + 0.5)))


@compiled
def scale_to_bytes(values, grey, scale):
    """8-bit integers of value*scale, cut off at 255, truncated; negative values wrap as in C."""
    for i in range(values.size):
        scaled = np.float64(values[i]) * scale
        if scaled > 255.0:
            scaled = 255.0
        grey[i] = np.uint8(np.int32(scaled) & 255) if scaled > -2147483648.0 else 0


@compiled
def poisson_deviates(values, deviates, table, stream, spare, memory):
    """Photon counts drawn about `values`, as they are drawn (float32)."""
    shuffled, counter, last = table[1:], stream[0], table[0]
    for i in range(values.size):
        deviates[i], counter, last = poisson_from(values[i], shuffled, counter, last, spare, memory)
    stream[0], table[0] = counter, last


@compiled
def poisson_words(values, words, offset, table, stream, spare, memory, totals):
    """Photon counts drawn about `values`, plus offset, as 16-bit integers.

    totals float64 (2,): photons and overloads, added to.
    """
    shuffled, counter, last = table[1:], stream[0], table[0]
    for i in range(values.size):
        deviate, counter, last = poisson_from(values[i], shuffled, counter, last, spare, memory)
        photons = np.float64(deviate)
        totals[0] += photons
        counts = photons + offset
        if counts > 65535.0:
            counts = 65535.0
            totals[1] += 1.0
        words[i] = np.uint16(np.int64(counts) & 65535) if counts > -2147483648.0 else 0
    stream[0], table[0] = counter, last


@compiled
def add_scaled(image, shape, factor):
    """Add shape times factor to an image, both float32; each sum is rounded once."""
    for i in range(image.size):
        image[i] = np.float32(np.float64(image[i]) + np.float64(shape[i]) * factor)
