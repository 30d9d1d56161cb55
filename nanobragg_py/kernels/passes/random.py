"""Random deviates in the C program's order and precision.

The generator is Park and Miller's minimal standard with a Bays-Durham shuffle ("ran1", Press et al., Numerical
Recipes, 2nd ed., section 7.1), in single precision. All streams share one shuffle table; a stream is a counter of
its own, and a counter that is not positive refills the table.

table  int64 (33,): the last value drawn, then 32 shuffled values; zeros before the first use.
stream int64 (1,): the counter.

Loops over many deviates keep the counter and the last value drawn in registers, where each step waits for the one
before: functions with `_from` in their names take and return them, and have the 32 values as an array of their own.
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
    """Next value of the minimal standard generator, for 0 to 2^31: the product modulo 2^31 - 1."""
    product = np.uint64(value) * np.uint64(MULTIPLIER)
    folded = (product & np.uint64(MODULUS)) + (product >> np.uint64(31))
    return np.int64(folded - np.uint64(MODULUS) if folded >= np.uint64(MODULUS) else folded)


@compiled
def refill(values, counter):
    """Fill the shuffled values (32,) from a counter that is not positive; returns the counter."""
    counter = 1 if -counter < 1 else -counter
    for entry in range(ENTRIES + 7, -1, -1):
        counter = advance(counter)
        if entry < ENTRIES:
            values[entry] = counter
    return counter


@inlined
def uniform_from(values, counter, last):
    """Uniform deviate in (0, 1), float32; the counter and the last value drawn after it."""
    if counter <= 0 or last == 0:
        counter = refill(values, counter)
        last = values[0]
    counter = advance(counter)
    # A 32nd of the range: 2^26.
    slot = np.uint64(last) >> np.uint64(26)
    last = values[slot]
    values[slot] = counter
    return min(np.float32((1.0 / MODULUS) * last), LARGEST), counter, last


@compiled
def uniform(table, stream):
    """Uniform deviate in (0, 1), float32."""
    deviate, stream[0], table[0] = uniform_from(table[1:], stream[0], table[0])
    return deviate


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


@inlined
def gaussian_from(values, counter, last, spare):
    """Normal deviate by the polar Box-Muller method, and the generator after it.

    spare float32 (2,) keeps [have one, its value].
    """
    if spare[0] != 0.0:
        spare[0] = 0.0
        return spare[1], counter, last
    square = np.float32(0.0)
    v1 = v2 = np.float32(0.0)
    while square >= 1.0 or square == 0.0:
        first, counter, last = uniform_from(values, counter, last)
        second, counter, last = uniform_from(values, counter, last)
        v1 = np.float32(2.0 * first - 1.0)
        v2 = np.float32(2.0 * second - 1.0)
        square = v1 * v1 + v2 * v2
    factor = np.float32(math.sqrt(-2.0 * math.log(np.float64(square)) / np.float64(square)))
    spare[0] = 1.0
    spare[1] = v1 * factor
    return v2 * factor, counter, last


@compiled
def gaussian(table, stream, spare):
    """Normal deviate."""
    deviate, stream[0], table[0] = gaussian_from(table[1:], stream[0], table[0], spare)
    return deviate


def log_gamma_in_python(x32):
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


log_gamma = compiled(log_gamma_in_python)
# Of the counts that come most often: log_gamma(count + 1).
LOG_FACTORIALS = np.array([log_gamma_in_python(np.float32(count + 1)) for count in range(2048)], dtype=np.float32)


@inlined
def log_factorial(count):
    """log_gamma(count + 1) for a count, float32 without a fraction."""
    if count < np.float32(LOG_FACTORIALS.size):
        return LOG_FACTORIALS[np.uint64(count)]
    return log_gamma(np.float32(count + np.float32(1.0)))


@compiled
def large_poisson_from(mean, values, counter, last, memory):
    """poisson_from for means from 12 to 1e6, by rejection."""
    if mean != memory[0]:
        memory[0] = mean
        memory[1] = np.float32(math.sqrt(2.0 * np.float64(mean)))
        memory[2] = np.float32(math.log(np.float64(mean)))
        memory[3] = mean * memory[2] - log_gamma(np.float32(mean + np.float32(1.0)))
    width, log_mean, offset = memory[1], memory[2], memory[3]
    while True:
        while True:
            deviate, counter, last = uniform_from(values, counter, last)
            y = np.float32(math.tan(PI * np.float64(deviate)))
            count = width * y + mean
            if not count < np.float32(0.0):
                break
        # NumPy's floor is a float64, as in C: math.floor is an integer here, which a tangent next to pi/2 overflows.
        count = np.float32(np.floor(np.float64(count)))
        exponent = count * log_mean - log_factorial(count) - offset
        # 0.9 keeps the ratio of the two distributions below 1.
        ratio = np.float32(0.9 * (1.0 + np.float64(y * y)) * math.exp(np.float64(exponent)))
        deviate, counter, last = uniform_from(values, counter, last)
        if not deviate > ratio:
            return count, counter, last


@inlined
def poisson_from(mean, values, counter, last, spare, memory):
    """Poisson deviate (float32) for a float32 mean, and the generator after it.

    Products below 12, rejection to 1e6, Gaussian above. memory float32 (4,): [mean of the call before, and what was
    worked out for it]; starts with a mean of -1.
    """
    if mean > np.float32(1.0e6):
        deviate, counter, last = gaussian_from(values, counter, last, spare)
        count = np.float32(np.float64(mean) + math.sqrt(np.float64(mean)) * np.float64(deviate))
        return count, counter, last
    if mean < np.float32(12.0):
        if mean != memory[0]:
            memory[0] = mean
            memory[3] = np.float32(math.exp(-np.float64(mean)))
        least = memory[3]
        count = np.float32(-1.0)
        product = np.float32(1.0)
        while True:
            count += np.float32(1.0)
            deviate, counter, last = uniform_from(values, counter, last)
            product *= deviate
            if not product > least:
                return count, counter, last
    return large_poisson_from(mean, values, counter, last, memory)
