"""Random numbers by counter: NumPy's Philox bit for bit, and deviates whose distributions are what they should be."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanobragg_py.kernels.jit import for_python
from nanobragg_py.kernels.library import address, kernel
from nanobragg_py.kernels.passes import philox
from nanobragg_py.measurement.detector import random_tables

WORD = st.integers(0, 2**64 - 1)
PIXELS = 400_000
# Standard deviations that a sum may be off: once in 10^7 tries by chance, and the seeds are fixed.
SIGMAS = 5.3

words = for_python(philox.words)


@settings(deadline=None)
@given(WORD, WORD, WORD, WORD)
def test_words_are_those_of_numpy(seed, effect, number, attempt):
    """The same key and counter give the same four words: NumPy counts on by one before it draws."""
    counter = (number | attempt << 64) - 1
    before = [(counter >> shift) & (2**64 - 1) for shift in (0, 64, 128, 192)]
    bits = np.random.Philox(key=np.array([seed, effect], np.uint64), counter=np.array(before, np.uint64))
    ours = words(*(np.uint64(value) for value in (seed, effect, number, attempt)))
    assert [int(word) for word in ours] == bits.random_raw(4).tolist()


def poisson_deviates(mean, seed=1):
    """Deviates of many pixels of one mean."""
    means = np.full(PIXELS, mean, np.float32)
    counted, tables = np.empty(PIXELS, np.float32), random_tables()
    kernel("count_photons")(
        address(means), address(means), address(counted), PIXELS, 0, PIXELS, 1.0, 0.0, seed, address(tables.sums),
        address(tables.guide),
    )  # fmt: skip
    return counted


def poisson_probabilities(mean, most):
    """Of 0..most-1 counts."""
    k = np.arange(most)
    return np.exp(k * math.log(mean) - mean - np.array([math.lgamma(n + 1.0) for n in k]))


@pytest.mark.parametrize("mean", [0.01, 0.24, 0.26, 1, 3.7, 11.99, 12.01, 40.3, 63.99, 64.01, 150, 900])
def test_poisson_deviates_follow_their_distribution(mean):
    """Chi-square over all counts that are expected often, and the moments."""
    mean = float(np.float32(mean))
    drawn = poisson_deviates(mean)
    expected = poisson_probabilities(mean, int(mean + 12.0 * math.sqrt(mean) + 30.0)) * PIXELS
    found = np.bincount(drawn.astype(np.int64), minlength=len(expected))
    assert len(found) == len(expected)
    often = expected > 25.0
    chi_square = float(((found - expected)[often] ** 2 / expected[often]).sum())
    freedom = int(often.sum())
    assert chi_square < freedom + SIGMAS * math.sqrt(2.0 * freedom) + 10.0
    rare = expected[~often].sum()
    assert abs(found[~often].sum() - rare) < SIGMAS * math.sqrt(rare) + 5.0
    assert abs(drawn.mean(dtype=np.float64) - mean) < SIGMAS * math.sqrt(mean / PIXELS)


@pytest.mark.parametrize("mean", [1e4, 1e6, 5e8, 2e9, 1e12])
def test_poisson_deviates_of_large_means(mean):
    """Mean and variance, in units of their errors; float32 holds whole numbers up to 2^24."""
    drawn = poisson_deviates(mean).astype(np.float64)
    mean = float(np.float32(mean))
    assert abs(drawn.mean() - mean) < SIGMAS * math.sqrt(mean / PIXELS) + 1e-8 * mean
    grain = np.spacing(np.float32(mean)) ** 2 / 12.0
    assert abs(drawn.var() / (mean + grain) - 1.0) < SIGMAS * math.sqrt(2.0 / PIXELS)


@pytest.mark.parametrize("mean", [0.0, -1.0, math.nan])
def test_no_photons_of_no_mean(mean):
    assert not poisson_deviates(mean).any()


def gaussian_deviates(seed):
    errors = np.empty(PIXELS, np.float32)
    kernel("calibration_errors")(address(errors), PIXELS, 0, PIXELS, seed, address(random_tables().ziggurat))
    return errors.astype(np.float64)


def test_gaussian_deviates_follow_their_distribution():
    """Chi-square over forty intervals and both tails; moments."""
    drawn = gaussian_deviates(5)
    edges = np.concatenate(([-np.inf], np.linspace(-4.0, 4.0, 41), [np.inf]))
    below = [0.5 * math.erfc(-edge / math.sqrt(2.0)) for edge in edges]
    expected = PIXELS * np.array([high - low for low, high in pairwise(below)])
    found = np.histogram(drawn, edges)[0]
    assert ((found - expected) ** 2 / expected).sum() < 42 + SIGMAS * math.sqrt(84)
    for power, moment, variance in ((1, 0.0, 1.0), (2, 1.0, 2.0), (3, 0.0, 15.0), (4, 3.0, 96.0)):
        assert abs((drawn**power).mean() - moment) < SIGMAS * math.sqrt(variance / PIXELS)


def test_the_tail_is_there():
    """Beyond the ziggurat's last layer there are as many as there should be, on both sides."""
    drawn = np.concatenate([gaussian_deviates(seed) for seed in range(6)])
    for side in (drawn, -drawn):
        expected = 0.5 * math.erfc(3.6541528853610088 / math.sqrt(2.0)) * len(drawn)
        assert abs((side > 3.6541528853610088).sum() - expected) < SIGMAS * math.sqrt(expected)


def test_layers_of_the_ziggurat_have_equal_areas():
    """Each is LAYER_AREA, the last one's top is the Gaussian's."""
    edges, heights = random_tables().ziggurat
    areas = edges[1:-1] * np.diff(heights)[1:]
    assert np.allclose(areas, philox.LAYER_AREA, rtol=1e-6)
    assert np.allclose(heights, np.exp(-0.5 * edges**2), rtol=1e-14)
    assert edges[-1] == 0.0


def test_neighbours_are_not_correlated():
    """Pixels share blocks of words, and attempts have words of their own."""
    for drawn in (gaussian_deviates(3), (poisson_deviates(100.0).astype(np.float64) - 100.0) / 10.0):
        for step in (1, 2, 3, 4, 8):
            assert abs((drawn[step:] * drawn[:-step]).mean()) < SIGMAS / math.sqrt(PIXELS)
