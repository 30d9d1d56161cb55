"""Random deviates in the C program's order and precision.

The generator is Park and Miller's minimal standard with a Bays-Durham shuffle ("ran1", Press et al., Numerical
Recipes, 2nd ed., section 7.1), in single precision. All streams share one shuffle table; a stream is a counter of
its own, and a counter that is not positive refills the table.

table  int64 (33,): the last value drawn, then 32 shuffled values; zeros before the first use.
stream int64 (1,): the counter.
"""

from __future__ import annotations

import math

import numpy as np

from ..jit import compiled, inlined

MULTIPLIER = 16807
MODULUS = 2147483647
QUOTIENT = 127773
REMAINDER = 2836
ENTRIES = 32
BIN = 1 + (MODULUS - 1) // ENTRIES
LARGEST = np.float32(1.0 - 1.2e-7)
PI = 3.141592653589793
THIRD = np.float32(1.0 / 3.0)


@inlined
def advance(value):
    """Next value of the minimal standard generator, by Schrage's method."""
    high = value // QUOTIENT
    value = MULTIPLIER * (value - high * QUOTIENT) - REMAINDER * high
    return value + MODULUS if value < 0 else value


@compiled
def uniform(table, stream):
    """Uniform deviate in (0, 1), float32."""
    value = stream[0]
    if value <= 0 or table[0] == 0:
        value = 1 if -value < 1 else -value
        for entry in range(ENTRIES + 7, -1, -1):
            value = advance(value)
            if entry < ENTRIES:
                table[1 + entry] = value
        table[0] = table[1]
    value = advance(value)
    stream[0] = value
    slot = 1 + table[0] // BIN
    table[0] = table[slot]
    table[slot] = value
    deviate = np.float32((1.0 / MODULUS) * table[0])
    return min(deviate, LARGEST)


@compiled
def mosaic_rotation(table, stream, spread_rad, matrix):
    """Fill `matrix` (9,) with a random rotation by up to about `spread_rad` (float32) about a random axis."""
    r1 = 2.0 * np.float64(uniform(table, stream)) - 1.0
    r2 = 2.0 * np.float64(uniform(table, stream)) - 1.0
    r3 = 2.0 * np.float64(uniform(table, stream)) - 1.0
    radius = math.sqrt(1.0 - r2 * r2)
    angle = np.float64(np.float32(spread_rad) * np.float32(1.0 - r3 * r3) ** THIRD)
    x, y, z = radius * math.sin(PI * r1), radius * math.cos(PI * r1), r2
    cosine, sine = math.cos(angle), math.sin(angle)
    versine = 1.0 - cosine
    xy, xz = versine * x * y, versine * x * z
    yz = versine * y * z
    matrix[0] = cosine + versine * (x * x)
    matrix[1] = xy - sine * z
    matrix[2] = xz + sine * y
    matrix[3] = xy + sine * z
    matrix[4] = cosine + versine * (y * y)
    matrix[5] = yz - sine * x
    matrix[6] = xz - sine * y
    matrix[7] = yz + sine * x
    matrix[8] = cosine + versine * (z * z)


@compiled
def gaussian(table, stream, spare):
    """Normal deviate by the polar Box-Muller method; spare float32 (2,) keeps [have one, its value]."""
    if spare[0] != 0.0:
        spare[0] = 0.0
        return spare[1]
    square = np.float32(0.0)
    v1 = v2 = np.float32(0.0)
    while square >= 1.0 or square == 0.0:
        v1 = np.float32(2.0 * uniform(table, stream) - 1.0)
        v2 = np.float32(2.0 * uniform(table, stream) - 1.0)
        square = v1 * v1 + v2 * v2
    factor = np.float32(math.sqrt(-2.0 * math.log(np.float64(square)) / np.float64(square)))
    spare[0] = 1.0
    spare[1] = v1 * factor
    return v2 * factor


@compiled
def log_gamma(x32):
    """ln Gamma(x) by Lanczos' series (Numerical Recipes, section 6.1), float32 in and out."""
    x = np.float64(x32)
    t = x + 5.5
    t -= (x + 0.5) * math.log(t)
    series = 1.000000000190015
    series += 76.18009172947146 / (x + 1.0)
    series += -86.50532032941677 / (x + 2.0)
    series += 24.01409824083091 / (x + 3.0)
    series += -1.231739572450155 / (x + 4.0)
    series += 0.1208650973866179e-2 / (x + 5.0)
    series += -0.5395239384953e-5 / (x + 6.0)
    return np.float32(-t + math.log(2.5066282746310005 * series / x))


@compiled
def poisson(mean, table, stream, spare, memory):
    """Poisson deviate (float32) for a float32 mean: products below 12, rejection to 1e6, Gaussian above.

    memory float32 (4,): [mean of the call before, and what was worked out for it]; starts with a mean of -1.
    """
    if mean > np.float32(1.0e6):
        return np.float32(np.float64(mean) + math.sqrt(np.float64(mean)) * np.float64(gaussian(table, stream, spare)))
    if mean < np.float32(12.0):
        if mean != memory[0]:
            memory[0] = mean
            memory[3] = np.float32(math.exp(-np.float64(mean)))
        count = np.float32(-1.0)
        product = np.float32(1.0)
        while True:
            count += np.float32(1.0)
            product *= uniform(table, stream)
            if not product > memory[3]:
                return count
    if mean != memory[0]:
        memory[0] = mean
        memory[1] = np.float32(math.sqrt(2.0 * np.float64(mean)))
        memory[2] = np.float32(math.log(np.float64(mean)))
        memory[3] = mean * memory[2] - log_gamma(np.float32(mean + np.float32(1.0)))
    while True:
        while True:
            y = np.float32(math.tan(PI * np.float64(uniform(table, stream))))
            count = memory[1] * y + mean
            if not count < np.float32(0.0):
                break
        # NumPy's floor is a float64, as in C: math.floor is an integer here, which a tangent next to pi/2 overflows.
        count = np.float32(np.floor(np.float64(count)))
        exponent = count * memory[2] - log_gamma(np.float32(count + np.float32(1.0))) - memory[3]
        # 0.9 keeps the ratio of the two distributions below 1.
        ratio = np.float32(0.9 * (1.0 + np.float64(y * y)) * math.exp(np.float64(exponent)))
        if not uniform(table, stream) > ratio:
            return count
