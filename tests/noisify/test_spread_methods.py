"""--psf-method fft against exact: how far apart they are, with a radius and without, in the middle and at the edges."""

from __future__ import annotations

import numpy as np
import pytest

from nanobragg_py.base.errors import InputError
from nanobragg_py.noisify.spread import Spreader

SHAPE = (290, 270)


def spots(background: float) -> np.ndarray:
    """Photons: background, and spots up to 10,000 times that of a dim image, some of them at the edges; float32."""
    generator = np.random.default_rng(3)
    image = generator.poisson(background, SHAPE).astype(np.float64)
    bright = generator.random(SHAPE) < 1e-3
    bright[0, 5] = bright[-1, -1] = bright[100, 0] = bright[200, -1] = True
    image[bright] += generator.exponential(5000.0, bright.sum())
    return image.astype(np.float32)


def both(image: np.ndarray, name: str, fwhm: float, radius: int) -> tuple[np.ndarray, np.ndarray]:
    """The image spread exactly, but for the wrap at the right edge, and quickly."""
    exact, quick = (
        Spreader(name, fwhm, radius, 2, method, wraps=False).apply(image, lambda text: None)[0].astype(np.float64)
        for method in ("exact", "fft")
    )
    return exact, quick


@pytest.mark.parametrize(
    ("name", "fwhm", "radius"),
    [("fiber", 0.46, 5), ("fiber", 3.0, 60), ("gauss", 0.8, 3), ("gauss", 5.0, 14), ("gauss", 30.0, 70)],
)
def test_with_a_radius(name: str, fwhm: float, radius: int) -> None:
    """The same sums, but for the single precision in which the C program adds: 1e-4 of each pixel, at edges too."""
    exact, quick = both(spots(4.0), name, fwhm, radius)
    np.testing.assert_allclose(quick, exact, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "fwhm", "background", "inside", "at_edges"),
    [
        ("fiber", 0.46, 4.0, 0.03, 0.10),
        ("fiber", 0.46, 100.0, 0.01, 0.015),
        ("fiber", 3.0, 100.0, 0.015, 0.035),
        ("gauss", 2.0, 4.0, 0.005, 0.005),
        ("gauss", 2.0, 100.0, 0.001, 0.001),
    ],
)
def test_with_the_automatic_radius(name: str, fwhm: float, background: float, inside: float, at_edges: float) -> None:
    """The C program spreads what a pixel loses beyond its own radius evenly; here it falls where it falls.

    By up to so much of a pixel, 20 pixels from the edges and everywhere; the totals agree to 2 %.
    """
    exact, quick = both(spots(background), name, fwhm, 0)
    ratio = np.abs(quick / exact - 1.0)
    assert ratio[20:-20, 20:-20].max() < inside and ratio.max() < at_edges, (ratio[20:-20, 20:-20].max(), ratio.max())
    assert quick.sum() == pytest.approx(exact.sum(), rel=0.02)


def test_what_is_no_number() -> None:
    """Transforms would spread it over the whole image."""
    image = spots(1.0)
    image[3, 4] = np.inf
    with pytest.raises(InputError, match="pixels that are not finite"):
        Spreader("fiber", 1.0, 300, 1, "fft").apply(image, lambda text: None)
