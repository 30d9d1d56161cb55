"""The quick point spread: against plain sums over pixels, and against integrals of the published formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nanobragg_py.base.errors import InputError
from nanobragg_py.measurement.fibre_levels import FibreLevels
from nanobragg_py.measurement.point_spread import PointSpread

# Nodes and weights of Gauss and Legendre's integration over a pixel.
NODES, WEIGHTS = (values / 2.0 for values in np.polynomial.legendre.leggauss(24))


def density(kind: str, fwhm: float, square: np.ndarray) -> np.ndarray:
    """Photons per square pixel at the square of a distance, as published."""
    if kind == "gauss":
        return math.log(16.0) / (math.pi * fwhm**2) * np.exp(-math.log(16.0) * square / fwhm**2)
    # (g^2 + r^2)^(-3/2) is half of its largest value at half of the FWHM.
    g = fwhm / 2.0 / math.sqrt(2.0 ** (2.0 / 3.0) - 1.0)
    return g / (2.0 * math.pi) * (g**2 + square) ** -1.5


def fractions(shape: tuple[int, int], kind: str, fwhm: float, radius: int = 0) -> np.ndarray:
    """Photons on the pixel dy, dx away, by numerical integration of the density."""
    y = np.arange(shape[0])[:, None, None, None] + NODES[:, None]
    x = np.arange(shape[1])[:, None, None] + NODES
    part = np.einsum("yxij,i,j->yx", density(kind, fwhm, y**2 + x**2), WEIGHTS, WEIGHTS)
    dy, dx = np.mgrid[: shape[0], : shape[1]]
    return np.where((radius > 0) & (dy**2 + dx**2 > radius**2), 0.0, part)


def corner_differences(y: np.ndarray, x: np.ndarray, fwhm: float) -> np.ndarray:
    """A fibre's photons on pixels at y, x, by the published integral over a rectangle; see test_the_integral."""
    g = fwhm / 2.0 / math.sqrt(2.0 ** (2.0 / 3.0) - 1.0)
    edge_y = np.append(y - 0.5, y[-1] + 0.5)[:, None]
    edge_x = np.append(x - 0.5, x[-1] + 0.5)
    solid = np.arctan2(edge_y * edge_x, g * np.sqrt(g**2 + edge_y**2 + edge_x**2)) / (2.0 * math.pi)
    return np.diff(np.diff(solid, axis=0), axis=1)


@pytest.mark.parametrize("fwhm", [0.46, 9.0])
def test_the_integral(fwhm: float) -> None:
    """The integral over a rectangle, which other tests use, is that of the density."""
    wanted = fractions((60, 40), "fiber", fwhm)
    np.testing.assert_allclose(corner_differences(np.arange(60), np.arange(40), fwhm), wanted, rtol=1e-9)


def plain_sum(image: np.ndarray, part: np.ndarray) -> np.ndarray:
    """What each pixel gets from all others, float64."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    total = np.zeros(image.shape)
    for i, j in zip(*np.nonzero(image), strict=True):
        total += float(image[i, j]) * part[abs(y - i), abs(x - j)]
    return total


def spots(shape: tuple[int, int], seed: int = 7) -> np.ndarray:
    """A few bright pixels, one of them in a corner, on a dim background, float32."""
    generator = np.random.default_rng(seed)
    image = generator.random(shape)
    image[generator.random(shape) < 0.05] *= 1e4
    image[-1, 0] = 5e4
    return image.astype(np.float32)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (24, 3), (17, 26), (40, 40)])
@pytest.mark.parametrize(("kind", "fwhm"), [("gauss", 1.3), ("gauss", 6.0), ("fiber", 0.8), ("fiber", 5.0)])
@pytest.mark.parametrize("radius", [0, 1, 4, 11, 60])
def test_against_a_plain_sum(shape: tuple[int, int], kind: str, fwhm: float, radius: int) -> None:
    """Each pixel, those at the edges too, has the sum over all sources within the radius, to single precision."""
    image = spots(shape)
    wanted = plain_sum(image, fractions(shape, kind, fwhm, radius))
    given = image.copy()
    found = PointSpread(shape, kind, fwhm, radius).apply(image)
    assert found.dtype == np.float32 and np.array_equal(image, given)
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-12 * image.sum(dtype=np.float64))


@pytest.mark.parametrize("fwhm", [0.05, 0.46, 2.0, 9.0, 40.0])
@pytest.mark.parametrize("shape", [(290, 241), (23, 3000)])
def test_fibre_on_large_images(fwhm: float, shape: tuple[int, int]) -> None:
    """Everything that a pixel of a large image gives to any other is right to 0.8 %, and its sum to 0.1 %."""
    slow, fast = shape
    spread = PointSpread(shape, "fiber", fwhm)
    assert isinstance(spread._way, FibreLevels)
    y, x = np.arange(1 - slow, slow), np.arange(1 - fast, fast)
    pixels = [(0, 0), (slow - 1, 7), (slow // 2, fast // 3), (slow // 3 + 1, fast - 2), (2, fast // 2 + 5)]
    for at in pixels:
        image = np.zeros(shape, np.float32)
        image[at] = 1e6
        wanted = 1e6 * corner_differences(y[slow - 1 - at[0] :][:slow], x[fast - 1 - at[1] :][:fast], fwhm)
        found = spread.apply(image)
        np.testing.assert_allclose(found, wanted, rtol=0.008)
        assert found.sum(dtype=np.float64) == pytest.approx(wanted.sum(), rel=1e-3)


@pytest.mark.parametrize("fwhm", [0.46, 3.0])
def test_fibre_on_an_image_of_spots(fwhm: float) -> None:
    """Spots on a background, up to the edges: right to 0.5 %, and an even image to 0.1 %."""
    shape = (301, 340)
    generator = np.random.default_rng(8)
    image = generator.poisson(3.0, shape).astype(np.float32)
    bright = generator.random(shape) < 2e-3
    image[bright] += generator.exponential(3000.0, bright.sum()).astype(np.float32)
    wanted = np.zeros(shape)
    part = corner_differences(np.arange(1 - shape[0], shape[0]), np.arange(1 - shape[1], shape[1]), fwhm)
    padded = [2 * n for n in shape]
    product = np.fft.rfft2(image.astype(np.float64), padded) * np.fft.rfft2(part, padded)
    wanted = np.fft.irfft2(product, padded)[shape[0] - 1 :, shape[1] - 1 :][: shape[0], : shape[1]]
    spread = PointSpread(shape, "fiber", fwhm)
    np.testing.assert_allclose(spread.apply(image), wanted, rtol=0.005)
    product = np.fft.rfft2(np.ones(shape), padded) * np.fft.rfft2(part, padded)
    even = np.fft.irfft2(product, padded)[shape[0] - 1 :, shape[1] - 1 :][: shape[0], : shape[1]]
    np.testing.assert_allclose(spread.apply(np.ones(shape, np.float32)), even, rtol=0.001)


@pytest.mark.parametrize(("kind", "fwhm"), [("gauss", 3.0), ("fiber", 0.46)])
@pytest.mark.parametrize("radius", [2, 5])
def test_share_beyond_the_radius(kind: str, fwhm: float, radius: int) -> None:
    """What is said to lie beyond a circle is what lies outside of it."""
    count = 200000
    r = (np.arange(count) + 0.5) * (radius / count)
    inside = float(np.sum(2.0 * math.pi * r * density(kind, fwhm, r**2)) * (radius / count))
    assert PointSpread((9, 9), kind, fwhm, radius).beyond_radius == pytest.approx(1.0 - inside, abs=1e-8)
    assert PointSpread((9, 9), kind, fwhm).beyond_radius == 0.0


def test_same_image_however_the_work_is_shared() -> None:
    """The order of the chunks does not count."""
    image = spots((300, 250))

    def backwards(work, chunks):
        for chunk in reversed(chunks):
            work(*chunk)

    for kind, radius in (("fiber", 0), ("fiber", 90), ("gauss", 0)):
        spread = PointSpread(image.shape, kind, 2.0, radius)
        assert spread.apply(image).tobytes() == spread.apply(image, backwards).tobytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (((4, 4), "cone", 1.0), "expected gauss or fiber"),
        (((4, 4), "fiber", 0.0), "expected a finite width"),
        (((4, 4), "fiber", math.inf), "expected a finite width"),
        (((4, 4), "gauss", 1.0, -1), "expected none below 0"),
        (((0, 4), "gauss", 1.0), "expected none below 0"),
    ],
)
def test_what_cannot_be(arguments: tuple, says: str) -> None:
    """Wrong arguments are named."""
    with pytest.raises(InputError, match=says):
        PointSpread(*arguments)


def test_image_of_another_shape() -> None:
    """An image that the kernel was not made for."""
    with pytest.raises(ValueError, match="this point spread is for"):
        PointSpread((4, 4), "gauss", 1.0).apply(np.zeros((4, 5), np.float32))
