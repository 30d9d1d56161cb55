"""Random numbers by counter: each pixel's depend on a key, the pixel's number and the attempt, and on nothing else.

The generator is Philox4x64-10 (Salmon, Moraes, Dror & Shaw, Proc. SC11 (2011), doi:10.1145/2063384.2063405), NumPy's
`Philox` bit for bit: four words of 64 bits for each counter. The key is two words, a seed and the number of an effect.
"""

from __future__ import annotations

import math

import numpy as np

from ..jit import compiled, high_product, inlined
from ..layout import GUIDE, LAYERS, TABLE_COUNTS, TABLE_MEANS

# Where a pixel's word does not decide, the effect's number has this bit, too: those words are no other pixel's.
EXTRA = np.uint64(1 << 32)
# Of the paper: multipliers of the two products, and what the key grows by from round to round.
MULTIPLY_0, MULTIPLY_2 = np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157)
GROW_0, GROW_1 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B)
ROUNDS = 10
# Halves of a word.
HALF, LOW = np.uint64(32), np.uint64(0xFFFFFFFF)
HALF_STEP = 1.0 / 4294967296.0
# The highest 53 bits of a word.
SHIFT, STEP = np.uint64(11), 1.0 / 9007199254740992.0
# The table of Poisson probabilities has a row for each mean in steps of 1/8; the guide tells by a number's upper bits
# where in the row to look.
MEANS_PER_1 = 8
LARGEST_TABLE_MEAN = TABLE_MEANS / MEANS_PER_1
GUIDE_SHIFT = np.int64(24)
# No sum of probabilities is larger than this, in units of 2^-32, and no uniform number is as large.
CERTAIN = np.int64(4294967295)
# Above this mean a deviate is Gaussian, rounded: the two differ in skewness, by 1/sqrt(mean).
MEAN_OF_GAUSSIAN = 1e9
# The ziggurat of Marsaglia & Tsang, J. Statistical Software 5(8) (2000), with 256 layers: where its tail begins, and
# the area of each layer.
TAIL, LAYER_AREA = 3.6541528853610088, 0.00492867323399


@inlined
def words(seed, effect, number, attempt):
    """Four words, uint64, for a key (seed, effect) and a counter (number, attempt, 0, 0), all uint64."""
    c0, c1, c2, c3 = number, attempt, np.uint64(0), np.uint64(0)
    k0, k1 = seed, effect
    for _ in range(ROUNDS):
        high_0, low_0 = high_product(MULTIPLY_0, c0), MULTIPLY_0 * c0
        high_2, low_2 = high_product(MULTIPLY_2, c2), MULTIPLY_2 * c2
        c0, c1, c2, c3 = high_2 ^ c1 ^ k0, low_2, high_0 ^ c3 ^ k1, low_0
        k0, k1 = k0 + GROW_0, k1 + GROW_1
    return c0, c1, c2, c3


@inlined
def uniform(word):
    """A number above 0 and below 1 of a word: one of 2^53, all equally likely."""
    return (np.float64(word >> SHIFT) + 0.5) * STEP


@inlined
def half_uniforms(word):
    """Two numbers above 0 and below 1, each one of 2^32, of a word's upper and lower half."""
    return (np.float64(word >> HALF) + 0.5) * HALF_STEP, (np.float64(word & LOW) + 0.5) * HALF_STEP


@compiled
def fill_tables(sums, guide, ziggurat):
    """Fill what normal() and poisson() look up.

    sums uint32 (TABLE_MEANS, TABLE_COUNTS): probability of at most k counts, times 2^32, by mean and k. guide uint8
    (TABLE_MEANS, GUIDE): the least k that a uniform number with these upper bits can give. ziggurat float64
    (2, LAYERS + 1): edges of its layers, outermost first, and the Gaussian there.
    """
    for row in range(TABLE_MEANS):
        mean = np.float64(row) / MEANS_PER_1
        term, total = math.exp(-mean), 0.0
        for k in range(TABLE_COUNTS):
            total += term
            sums[row, k] = np.uint32(min(np.int64(np.rint(total * 4294967296.0)), CERTAIN))
            term *= mean / (k + 1.0)
        sums[row, TABLE_COUNTS - 1] = np.uint32(CERTAIN)
        k = 0
        for step in range(GUIDE):
            while np.int64(step) << GUIDE_SHIFT >= np.int64(sums[row, k]):
                k += 1
            guide[row, step] = k
    edges, heights = ziggurat[0], ziggurat[1]
    edges[0], edges[1], edges[LAYERS] = LAYER_AREA / math.exp(-0.5 * TAIL * TAIL), TAIL, 0.0
    for layer in range(1, LAYERS - 1):
        above = LAYER_AREA / edges[layer] + math.exp(-0.5 * edges[layer] * edges[layer])
        edges[layer + 1] = math.sqrt(-2.0 * math.log(above))
    for layer in range(LAYERS + 1):
        heights[layer] = math.exp(-0.5 * edges[layer] * edges[layer])


@inlined
def normal(word, seed, effect, number, ziggurat):
    """A standard Gaussian deviate of a word; where that does not decide, words of further attempts at `number` do.

    seed, effect: the key. ziggurat: see fill_tables.
    """
    layer = np.int64(word & np.uint64(LAYERS - 1))
    x = uniform(word) * ziggurat[0, layer]
    if x >= ziggurat[0, layer + 1]:
        x = beside_layer(layer, x, seed, effect | EXTRA, number, ziggurat[0], ziggurat[1])
    return -x if (word & np.uint64(LAYERS)) != 0 else x


@compiled
def beside_layer(layer, x, seed, effect, number, edges, heights):
    """The absolute value of a deviate where a word's does not lie within the next layer: one time in a hundred."""
    attempt = np.uint64(0)
    while x >= edges[layer + 1]:
        attempt += np.uint64(1)
        word, other, third, _ = words(seed, effect, number, attempt)
        if layer == 0:
            beyond = -math.log(uniform(other)) / TAIL
            if -2.0 * math.log(uniform(third)) >= beyond * beyond:
                return TAIL + beyond
        else:
            low, high = heights[layer], heights[layer + 1]
            if low + uniform(other) * (high - low) < math.exp(-0.5 * x * x):
                return x
        layer = np.int64(word & np.uint64(LAYERS - 1))
        x = uniform(word) * edges[layer]
    return x


@compiled
def log_probability(k, mean):
    """Logarithm of a Poisson deviate's probability to be k, by Stirling's series: for k above 9 to 1e-9."""
    if k < 10.0:
        factorial = 1.0
        for factor in range(2, np.int64(k) + 1):
            factorial *= factor
        return k * math.log(mean) - mean - math.log(factorial)
    inverse = 1.0 / k
    correction = (1.0 / 12.0 - (1.0 / 360.0 - inverse * inverse / 1260.0) * inverse * inverse) * inverse
    return k * math.log(mean / k) + (k - mean) - 0.5 * math.log(2.0 * math.pi * k) - correction


@inlined
def poisson(mean, word, seed, effect, number, sums, guide):
    """A Poisson deviate, a whole float64, of a word; 0 for a mean that is not above 0. Probabilities are to 2^-32.

    Small means: the deviate of the mean in whole steps, from the table, and that of the rest, by adding up
    probabilities. seed, effect: the key. sums, guide: see fill_tables.
    """
    if not mean < LARGEST_TABLE_MEAN:
        return large_poisson(mean, word, seed, effect | EXTRA, number)
    if not mean > 0.0:
        return 0.0
    row = np.int64(mean * MEANS_PER_1)
    upper = min(np.int64(word >> HALF), CERTAIN - 1)
    k = np.int64(guide[row, upper >> GUIDE_SHIFT])
    # One step without a branch that the processor would have to foresee; more are rare.
    k += np.int64(upper >= np.int64(sums[row, k]))
    while upper >= np.int64(sums[row, k]):
        k += 1
    return np.float64(k) + small_poisson(mean - np.float64(row) / MEANS_PER_1, half_uniforms(word)[1])


@compiled
def large_poisson(mean, word, seed, effect, number):
    """A Poisson deviate of a larger mean by Hoermann's transformed rejection PTRS (Insurance: Mathematics and Economics
    12 (1993), 39), which NumPy uses, too; where the word does not decide, words of further attempts at `number` do.
    """
    if not mean > 0.0:
        return 0.0
    if mean > MEAN_OF_GAUSSIAN:
        return np.rint(mean + math.sqrt(mean) * far_normal(word))
    b = 0.931 + 2.53 * math.sqrt(mean)
    a = -0.059 + 0.02483 * b
    squeeze = 0.9277 - 3.6224 / (b - 2.0)
    attempt = np.uint64(0)
    while True:
        u, v = half_uniforms(word)
        u -= 0.5
        us = 0.5 - abs(u)
        k = math.floor((2.0 * a / us + b) * u + mean + 0.43)
        if us >= 0.07 and v <= squeeze:
            return k
        if k >= 0.0 and (us >= 0.013 or v <= us):
            inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
            left = math.log(v * inverse_alpha / (a / (us * us) + b))
            if left <= log_probability(k, mean):
                return k
        attempt += np.uint64(1)
        word = words(seed, effect, number, attempt)[0]


@inlined
def small_poisson(mean, u):
    """A Poisson deviate for a mean below 1 of a uniform number: the first sum of probabilities that exceeds it."""
    k = 0.0
    # exp(-x) is at least 1 - x.
    if u > 1.0 - mean:
        probability = math.exp(-mean)
        while u > probability and k < 20.0:
            u -= probability
            k += 1.0
            probability *= mean / k
    return k


@compiled
def far_normal(word):
    """A Gaussian deviate of a word by Box and Muller (Ann. Math. Stat. 29 (1958), 610), where speed does not matter."""
    u, v = half_uniforms(word)
    return math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)
