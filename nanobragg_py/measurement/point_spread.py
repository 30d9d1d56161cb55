"""A detector's point spread by Fourier transforms: quick, and equal to the C program's but for rounding and radius.

The C program gives each pixel's photons to its neighbours, within a radius that follows from that pixel's photons,
and adds what all pixels lose beyond it evenly to the image. Here one kernel serves all pixels.

Fibre: g/(2 pi) (g^2 + r^2)^(-3/2), g = 0.652383 FWHM (Holton, Nielsen & Frankel, J. Synchrotron Rad. 19 (2012), 1006);
Gaussian: of this FWHM. Both have volume 1, and are integrated over pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError

# The FWHM of a fibre's spread times this is its g.
G_OF_FWHM = 0.652383013252053
KINDS = ("gauss", "fiber")
# Rows or columns that are transformed at once.
LINES = 128

Work = Callable[[int, int], None]
# Calls work(first, last) for each pair, on threads or one after the other; returns when all are done.
Share = Callable[[Work, Sequence[tuple[int, int]]], object]


def one_after_the_other(work: Work, chunks: Sequence[tuple[int, int]]) -> None:
    """The way to share work that needs no threads."""
    for first, last in chunks:
        work(first, last)


class PointSpread:
    """A point spread function for images of one shape; made once, applied to any number of images, from any thread."""

    def __init__(self, shape: tuple[int, int], kind: str, fwhm_pixels: float, radius: int = 0):
        """shape: (slow, fast) pixels. kind: gauss or fiber. radius: pixels beyond which there is nothing; 0: no limit.

        Raises InputError.
        """
        if kind not in KINDS:
            raise InputError(f"no point spread function '{kind}': expected {' or '.join(KINDS)}")
        if not (fwhm_pixels > 0.0 and math.isfinite(fwhm_pixels)):
            raise InputError(f"a point spread function {fwhm_pixels:g} pixels wide: expected a finite width above 0")
        if radius < 0 or min(shape) < 1:
            raise InputError(f"radius {radius} in an image of {shape[0]} x {shape[1]} pixels: expected none below 0")
        self.shape = shape
        self.kind = kind
        self.fwhm_pixels = fwhm_pixels
        self.radius = radius
        reach = min(radius, max(shape)) if radius else max(shape)
        self._padded = [_fast_length(n + min(reach, n - 1)) for n in shape]
        self._transform = _even_transform(_quadrant(shape, kind, fwhm_pixels, radius), self._padded)

    @property
    def beyond_radius(self) -> float:
        """The share of a pixel's photons that falls beyond the radius, which is left out; 0 without a radius."""
        if not self.radius:
            return 0.0
        if self.kind == "gauss":
            return math.exp(-math.log(16.0) * (self.radius / self.fwhm_pixels) ** 2)
        g = self.fwhm_pixels * G_OF_FWHM
        return g / math.hypot(g, self.radius)

    def apply(self, image: NDArray[np.float32], share: Share = one_after_the_other) -> NDArray[np.float32]:
        """The image, float32 (slow, fast), after the spread; what falls beside it is lost. The given one stays."""
        if image.shape != self.shape:
            raise ValueError(f"an image of shape {image.shape}; this point spread is for {self.shape}")
        slow, fast = self.shape
        padded_slow, padded_fast = self._padded
        # Columns lie one after the other in memory, so that both passes read whole lines.
        columns = np.empty((padded_fast // 2 + 1, slow), dtype=np.complex128)
        result = np.empty(self.shape, dtype=np.float32)

        def along_rows(first: int, last: int) -> None:
            columns[:, first:last] = np.fft.rfft(image[first:last].astype(np.float64), n=padded_fast).T

        def along_columns(first: int, last: int) -> None:
            lines = np.fft.fft(columns[first:last], n=padded_slow)
            lines *= self._transform[first:last]
            columns[first:last] = np.fft.ifft(lines)[:, :slow]

        def back_along_rows(first: int, last: int) -> None:
            result[first:last] = np.fft.irfft(columns[:, first:last].T, n=padded_fast)[:, :fast]

        share(along_rows, _chunks(slow))
        share(along_columns, _chunks(len(columns)))
        share(back_along_rows, _chunks(slow))
        # Rounding leaves values just below 0 where nothing falls.
        return np.maximum(result, np.float32(0.0), out=result)


def _chunks(lines: int) -> list[tuple[int, int]]:
    return [(first, min(first + LINES, lines)) for first in range(0, lines, LINES)]


def _quadrant(shape: tuple[int, int], kind: str, fwhm: float, radius: int) -> NDArray[np.float64]:
    """Part of the photons that fall on the pixel dy, dx away, float64 (slow, fast)."""
    edges = [np.arange(n + 1) - 0.5 for n in shape]
    if kind == "gauss":
        wide = 2.0 * math.sqrt(math.log(2.0)) / fwhm
        along = [np.diff([math.erf(wide * edge) for edge in edges_1d]) / 2.0 for edges_1d in edges]
        part = np.outer(*along)
    else:
        g = fwhm * G_OF_FWHM
        y, x = edges[0][:, None], edges[1][None, :]
        corner = np.arctan(y * x / (g * np.sqrt(g * g + y * y + x * x))) / (2.0 * math.pi)
        part = np.diff(np.diff(corner, axis=0), axis=1)
    if radius:
        dy, dx = np.ogrid[: shape[0], : shape[1]]
        part[dy * dy + dx * dx > radius * radius] = 0.0
    return part


def _even_transform(quadrant: NDArray[np.float64], padded: Sequence[int]) -> NDArray[np.float64]:
    """Fourier transform, real, (padded fast / 2 + 1, padded slow), of the function that is even along both edges."""
    whole = np.zeros(padded)
    # Two pixels of an image are never further apart than its edge; beyond half of the padded edge come negative steps.
    slow, fast = (min(n, size // 2 + 1) for n, size in zip(quadrant.shape, padded, strict=True))
    part = quadrant[:slow, :fast]
    whole[:slow, :fast] = part
    whole[padded[0] - slow + 1 :, :fast] = part[:0:-1]
    whole[:, padded[1] - fast + 1 :] = whole[:, fast - 1 : 0 : -1]
    return np.ascontiguousarray(np.fft.rfft2(whole).real.T)


def _fast_length(least: int) -> int:
    """The smallest even length from `least` on that is a product of powers of 2, 3 and 5."""
    length = least + least % 2
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 2
