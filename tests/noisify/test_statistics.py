"""Statistics of noisify's noise against the formulas of its terms.

Each test states a significance: were the noise as it should be, other seeds would fail it with about that probability.
Seeds are fixed, so a test that passes always passes.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from nanobragg_py.base import process
from nanobragg_py.base.errors import speak_as
from nanobragg_py.noisify import command

SIDE = 160
PIXELS = SIDE * SIDE
# Two-sided significance of 1e-4: deviations of a normal distribution.
SIGMAS = 3.9


@pytest.fixture(autouse=True)
def as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A folder to work in; streams that stay open after an error; messages from nanoBragg again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(process, "_silence", lambda stream: None)
    yield
    speak_as("nanoBragg")


def noisy(image: np.ndarray | float, line: str) -> np.ndarray:
    """Counts of a noise image of 32 bits, float64, without offset."""
    photons = np.broadcast_to(np.asarray(image, np.float32), (SIDE, SIDE))
    Path("image.bin").write_bytes(photons.tobytes())
    words = f"-floatfile image.bin -detpixels {SIDE} -bits 32 -adc 1000000 -nopgm --fix rounding --fix none {line}"
    assert command.run(words.split()) == 0
    counts = np.frombuffer(Path("noiseimage.img").read_bytes()[512:], np.int32).reshape(SIDE, SIDE)
    return counts.astype(np.float64) - 1e6


def check_moments(values: np.ndarray, mean: float, variance: float, kurtosis: float = 0.0) -> None:
    """Mean and variance of independent values, at SIGMAS. kurtosis: excess of the fourth moment of one value."""
    n = values.size
    assert abs(values.mean() - mean) < SIGMAS * math.sqrt(variance / n)
    spread = variance * math.sqrt((2.0 + kurtosis) / n)
    assert abs(values.var(ddof=1) - variance) < SIGMAS * spread


@pytest.mark.parametrize("mean", [0.3, 2.5, 11.9, 12.5, 60.0, 4000.0, 9e5, 3e6])
def test_photons(mean: float) -> None:
    """Poisson: mean and variance are the mean, the third moment too (1e-4 each)."""
    counts = noisy(mean, "-seed 31 -calibration 0")
    check_moments(counts, mean, mean, 1.0 / mean)
    third = ((counts - mean) ** 3).mean()
    # The sixth moment of Poisson's law, less the square of the third.
    variance_of_third = 15.0 * mean**3 + 25.0 * mean**2 + mean - mean**2
    # Above 1e6 the C program's deviates are Gaussian: no third moment.
    expected = mean if mean <= 1e6 else 0.0
    assert abs(third - expected) < SIGMAS * math.sqrt(variance_of_third / PIXELS)
    assert np.array_equal(counts, np.rint(counts))


def test_photons_follow_the_distribution() -> None:
    """Each count as often as Poisson's law says: chi squared of its classes (1e-4)."""
    for mean in (3.0, 20.0):
        counts = noisy(mean, "-seed 77 -calibration 0")
        most = int(mean + 6.0 * math.sqrt(mean))
        law = np.array([math.exp(-mean + k * math.log(mean) - math.lgamma(k + 1)) for k in range(most)])
        expected = np.append(law, 1.0 - law.sum()) * PIXELS
        seen = np.bincount(np.minimum(counts, most).astype(int).ravel(), minlength=most + 1)
        few = expected < 8.0
        expected = np.append(expected[~few], expected[few].sum())
        seen = np.append(seen[~few], seen[few].sum())
        chi2 = float(((seen - expected) ** 2 / expected).sum())
        freedom = expected.size - 1
        # Wilson and Hilferty's approximation.
        deviation = ((chi2 / freedom) ** (1 / 3) - 1.0 + 2.0 / (9.0 * freedom)) / math.sqrt(2.0 / (9.0 * freedom))
        assert abs(deviation) < SIGMAS


@pytest.mark.parametrize(
    ("option", "part"), [("-flicker 0.1 -calibration 0", 0.1), ("-calibration 0.07", 0.07), ("-flicker 0.04", 0.05)]
)
def test_relative_errors(option: str, part: float) -> None:
    """A relative error s on top of photons: the variance is mean + (s mean)^2 (1e-4); together squares add up."""
    mean = 20000.0
    counts = noisy(mean, f"-seed 5 -calib_seed 8 {option}")
    check_moments(counts, mean, mean + (part * mean) ** 2, 0.1)


@pytest.mark.parametrize(("rms", "gain"), [(3.0, 1.0), (25.0, 2.5)])
def test_readout(rms: float, gain: float) -> None:
    """Readout noise is added in counts; rounding adds 1/12; the gain multiplies photons only (1e-4)."""
    mean = 40.0
    counts = noisy(mean, f"-seed 6 -calibration 0 -readout {rms} -gain {gain}")
    check_moments(counts, gain * mean, gain**2 * mean + rms**2 + 1.0 / 12.0, 1.0 / mean)
    blank = noisy(0.0, f"-seed 7 -calibration 0 -readout {rms}")
    check_moments(blank, 0.0, rms**2 + 1.0 / 12.0)
    beyond = np.count_nonzero(np.abs(blank) > 2.0 * rms) / PIXELS
    # Rounding moves the edge by half a count.
    share = math.erfc((2.0 * rms + (0.5 if (2.0 * rms) % 1 == 0 else 0.0)) / math.sqrt(2.0) / rms)
    assert abs(beyond - share) < SIGMAS * math.sqrt(share / PIXELS)


def test_pixels_are_independent() -> None:
    """No correlation of neighbours in any direction (1e-4, by eight neighbours)."""
    counts = noisy(50.0, "-seed 9 -calibration 0.05 -flicker 0.03 -readout 2 -calib_seed 3")
    noise = (counts - counts.mean()) / counts.std()
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1), (0, 2), (2, 0), (0, 7), (5, 3)):
        correlation = (noise * np.roll(noise, (dy, dx), (0, 1))).mean()
        assert abs(correlation) < (SIGMAS + 0.6) / math.sqrt(PIXELS)


def correlated_calibration(fix: str) -> float:
    """Correlation of images with one -calib_seed and two -seeds, whose calibration error is large."""
    first, second = (noisy(1e5, f"-calibration 0.1 -calib_seed 4 -seed {seed} {fix}") for seed in (12, 13))
    return float(np.corrcoef(first.ravel(), second.ravel())[0, 1])


def test_calibration_is_constant_when_corrected() -> None:
    """Two images share their map with --fix calibration, and are uncorrelated without (1e-4)."""
    assert abs(correlated_calibration("")) < SIGMAS / math.sqrt(PIXELS)
    # What is not shared is photon noise: 1e5 of a variance of 1e8 + 1e5.
    assert abs(correlated_calibration("--fix calibration") - 1.0 / 1.001) < 1e-4


@pytest.mark.parametrize("method", ["exact", "fft"])
@pytest.mark.parametrize(("kind", "fwhm_pixels"), [("gauss", 2.0), ("fiber", 1.5)])
def test_autocorrelation_of_the_point_spread(kind: str, fwhm_pixels: float, method: str) -> None:
    """Photon noise after the spread is correlated as the spread is with itself (1e-4, by lag)."""
    radius = 8
    line = f"-psf {kind} -psf_fwhm {100 * fwhm_pixels} -psf_radius {radius} --psf-method {method}"
    counts = noisy(400.0, f"-seed 21 -calibration 0 -gain 1000 {line}")
    inner = (counts / 1000.0 - 400.0)[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    # The function over pixels, by its density at 40 x 40 points of each.
    points = (np.arange(-radius * 40, radius * 40 + 40) + 0.5) / 40.0 - 0.5
    square = points[:, None] ** 2 + points[None, :] ** 2
    if kind == "gauss":
        density = math.log(16.0) / (math.pi * fwhm_pixels**2) * 16.0 ** (-square / fwhm_pixels**2)
    else:
        g = fwhm_pixels / 2.0 / math.sqrt(2.0 ** (2.0 / 3.0) - 1.0)
        density = g / (2.0 * math.pi) * (g**2 + square) ** -1.5
    side = 2 * radius + 1
    part = density.reshape(side, 40, side, 40).mean(axis=(1, 3))
    part[np.hypot(*np.mgrid[-radius : radius + 1, -radius : radius + 1]) > radius] = 0.0
    padded = np.pad(part, (0, side))
    power = np.abs(np.fft.rfft2(padded)) ** 2
    lags = np.fft.irfft2(power, padded.shape)
    # Deviations of estimated covariances come from the sum of squares of all covariances (Bartlett).
    deviation = 400.0 * math.sqrt(2.0 * float((np.fft.irfft2(power, padded.shape) ** 2).sum()) / inner.size)
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 1), (3, 3), (0, 6)):
        shifted = inner[dy:, dx:] * inner[: inner.shape[0] - dy, : inner.shape[1] - dx]
        assert abs(shifted.mean() - 400.0 * lags[dy, dx]) < SIGMAS * deviation, (dy, dx)
