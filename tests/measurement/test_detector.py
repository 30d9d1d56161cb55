"""What a detector reports: every term's mean, variance and correlation against its formula; limits; threads."""

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanobragg_py import Detector, InputError
from nanobragg_py.measurement.detector import Measurement, Measurements
from nanobragg_py.model.region import Region, RenderedPixels
from nanobragg_py.model.response import LARGEST, PRESETS

SHAPE = (500, 400)
PIXELS = SHAPE[0] * SHAPE[1]
PIXEL_M = 1e-4
SIGMAS = 5.3
ALL = RenderedPixels(SHAPE, Region(0, SHAPE[1] - 1, 0, SHAPE[0] - 1), None)


def counts(detector, mean=20.0, seed=1, rendered=ALL, **more):
    """Counts, float64 (slow, fast), of an image of one mean, or of an image."""
    image = np.broadcast_to(np.asarray(mean, np.float32), SHAPE).copy()
    return Measurement(detector, SHAPE, PIXEL_M).counts(image, rendered, seed, **more).pixels.astype(np.float64)


def assert_near(value, expected, sigma):
    assert abs(value - expected) < SIGMAS * sigma, f"{value} is no {expected} +- {sigma}"


@pytest.mark.parametrize("mean", [0.5, 20.0, 700.0])
def test_bare_photons(mean):
    """Without anything else a pixel counts photons: mean and variance are the mean."""
    seen = counts(Detector(), mean)
    assert_near(seen.mean(), mean, math.sqrt(mean / PIXELS))
    assert_near(seen.var(), mean, math.sqrt((2.0 * mean**2 + mean) / PIXELS))


def test_gain_and_offset():
    """Counts are gain times photons plus offset, of the same photons, rounded to the nearest."""
    photons = counts(Detector())
    assert np.array_equal(counts(Detector(gain=2.5, offset=40)), np.rint(photons * 2.5 + 40.0))


def test_readout_noise():
    """The variance that it adds is its square, and a twelfth for rounding; of the same photons."""
    noise = counts(Detector(gain=3.0, offset=200.0, readout_noise=4.0)) - counts(Detector(gain=3.0, offset=200.0))
    assert_near(noise.mean(), 0.0, 4.0 / math.sqrt(PIXELS))
    assert_near(noise.var(), 16.0 + 1.0 / 12.0, 16.0 * math.sqrt(2.0 / PIXELS))


def test_calibration_is_the_detectors():
    """The map is the same in every image, another with another seed, and has the rms that was asked for."""
    rms, mean, images = 0.05, 5000.0, 30
    detector = Detector(calibration=rms)
    stack = np.array([counts(detector, mean, seed) for seed in range(1, images + 1)])
    average = stack.mean(axis=0) / mean - 1.0
    photon_noise = 1.0 / (mean * images)
    assert_near(average.mean(), 0.0, math.sqrt((rms**2 + photon_noise) / PIXELS))
    assert_near(average.var(), rms**2 + photon_noise, rms**2 * math.sqrt(2.0 / PIXELS) * 1.1)
    first, last = stack[0] / mean - 1.0, stack[-1] / mean - 1.0
    # What two images have in common is the map.
    correlation = (first * last).mean() / rms**2
    assert_near(correlation, 1.0, 2.0 / math.sqrt(PIXELS))
    other = counts(Detector(calibration=rms, calibration_seed=2), mean, 40) / mean - 1.0
    assert_near((first * other).mean() / rms**2, 0.0, 1.1 / math.sqrt(PIXELS))


def test_flicker_is_the_images():
    """All pixels of an image vary together, from image to image by the rms that was asked for."""
    rms, mean, images = 0.1, 1000.0, 300
    small = RenderedPixels((20, 20), Region(0, 19, 0, 19), None)
    measurement = Measurement(Detector(flicker=rms), (20, 20), PIXEL_M)
    image = np.full((20, 20), mean, np.float32)
    levels = np.array([measurement.counts(image, small, seed).pixels.mean() for seed in range(1, images + 1)]) / mean
    assert_near(levels.mean(), 1.0, rms / math.sqrt(images))
    assert_near(levels.var(), rms**2 + 1.0 / (mean * 400), rms**2 * math.sqrt(2.0 / images))


@pytest.mark.parametrize(("kind", "fwhm_um"), [("gauss", 150.0), ("fiber", 120.0)])
def test_point_spread_correlates_neighbours(kind, fwhm_um):
    """The autocorrelation of photon noise after the spread is that of the spread of one pixel's photons."""
    detector = Detector(psf=kind, psf_fwhm_um=fwhm_um, psf_radius=12, gain=100.0)
    point = np.zeros(SHAPE, np.float32)
    point[250, 200] = 1e6
    spread = Measurement(Detector(psf=kind, psf_fwhm_um=fwhm_um, psf_radius=12), SHAPE, PIXEL_M)
    share = spread._point_spread(kind).apply(point)[235:266, 185:216].astype(np.float64) / 1e6
    mean = 400.0
    noise = counts(detector, mean)[20:-20, 20:-20] / 100.0
    noise -= noise.mean()
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 3), (4, 2)):
        expected = mean * (share[dy:, dx:] * share[: 31 - dy, : 31 - dx]).sum()
        rows, columns = noise.shape
        found = (noise[dy:, dx:] * noise[: rows - dy, : columns - dx]).mean()
        # Neighbours are not independent: as many times fewer pixels as the spread is wide.
        assert_near(found, expected, mean * (share**2).sum() * math.sqrt(2.0 * 10.0 / noise.size))


def test_point_spread_keeps_photons():
    """Those of a bright pixel in the middle are all there, but for the few that fall beside the image."""
    point = np.zeros(SHAPE)
    point[250, 200] = 1e8
    seen = counts(Detector(psf="gauss", psf_fwhm_um=200.0, saturation=10**9), point)
    assert abs(seen.sum() / 1e8 - 1.0) < 1e-3


@pytest.mark.parametrize("bits", [16, 32])
def test_saturation(bits):
    """Nothing is above the largest count; what is, is counted."""
    made = Measurement(Detector(bits=bits, saturation=25), SHAPE, PIXEL_M).counts(
        np.full(SHAPE, 20.0, np.float32), ALL, 1
    )
    free = counts(Detector())
    assert np.array_equal(made.pixels, np.minimum(free, 25))
    assert made.overloads == (free > 25).sum()
    assert made.saturation == 25
    assert Detector(bits=bits).largest_count == LARGEST[bits]


def test_nothing_is_below_zero():
    """Readout noise without an offset is cut off, not wrapped."""
    seen = counts(Detector(readout_noise=5.0), 0.0)
    assert seen.min() == 0.0
    assert seen.max() < 5.0 * 7.0


@settings(max_examples=15, deadline=None)
@given(
    st.integers(1, 5), st.integers(0, 2**40), st.sampled_from([None, "gauss", "fiber"]), st.floats(0.0, 5.0),
    st.floats(0.0, 0.1), st.floats(0.0, 0.1),
)  # fmt: skip
def test_threads_do_not_matter(threads, seed, psf, readout, calibration, flicker):
    """However the image is shared among threads, the counts are the same."""
    detector = Detector(psf=psf, readout_noise=readout, calibration=calibration, flicker=flicker, offset=10.0)
    mean = np.random.default_rng(seed).exponential(30.0, SHAPE)

    def share(work, chunks):
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda chunk: work(*chunk), chunks))

    assert np.array_equal(counts(detector, mean, seed), counts(detector, mean, seed, share=share))


def test_effects_do_not_share_their_numbers():
    """Switching one effect on leaves the deviates of the others as they are."""
    mean = 20.1
    quiet = counts(Detector(gain=10.0, offset=100.0), mean)
    noisy = counts(Detector(gain=10.0, offset=100.0, readout_noise=1.0), mean)
    assert abs(noisy - quiet).max() <= 7.0
    calibrated = counts(Detector(gain=10.0, offset=100.0, calibration=1e-9), mean)
    # Means that are this near to each other give other photons hardly anywhere.
    assert (calibrated != quiet).mean() < 1e-4
    assert not np.array_equal(counts(Detector(), mean, 1), counts(Detector(), mean, 2))


def test_pixels_that_are_not_rendered_report_nothing():
    mask = np.ones(SHAPE, np.uint16)
    mask[:, 7] = 0
    rendered = RenderedPixels(SHAPE, Region(5, 300, 10, 400), mask)
    seen = counts(Detector(offset=40.0), rendered=rendered)
    there = rendered.as_array()
    assert (seen[there] >= 40.0).all()
    assert not seen[~there].any()


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name):
    """Each is a detector, and can be changed in parts."""
    detector = Detector.preset(name, gain=3.5)
    assert detector.gain == 3.5
    assert counts(detector).max() <= detector.largest_count


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"psf": "box"}, "'gauss', 'fiber' or None"),
        ({"gain": 0.0}, "gain: expected a number above 0"),
        ({"gain": math.nan}, "gain: expected a number above 0"),
        ({"readout_noise": -1.0}, "readout_noise: expected a number of 0 or more"),
        ({"bits": 8}, "16 or 32"),
        ({"saturation": 70000, "bits": 16}, "do not fit into 16 bits"),
        ({"saturation": 1.5}, "saturation: expected a whole number"),
        ({"calibration_seed": -1}, "calibration_seed: expected a whole number"),
        ({"psf_fwhm_um": "46"}, "psf_fwhm_um: expected a number above 0"),
    ],
)
def test_impossible_detectors(values, words):
    with pytest.raises(InputError, match=words):
        Detector(**values)


def test_unknown_presets_and_properties():
    with pytest.raises(InputError, match="pilatus, eiger, jungfrau, ccd"):
        Detector.preset("pilatos")
    with pytest.raises(InputError, match="no property 'gian'"):
        Detector.preset("ccd", gian=2.0)


def test_measurements_are_kept():
    """The same detector is prepared once; of many, the last ones stay."""
    kept = Measurements()
    first = kept.of(Detector(), SHAPE, PIXEL_M)
    assert kept.of(Detector(), SHAPE, PIXEL_M) is first
    for gain in (2.0, 3.0, 4.0):
        kept.of(Detector(gain=gain), SHAPE, PIXEL_M)
    assert kept.of(Detector(), SHAPE, PIXEL_M) is not first
