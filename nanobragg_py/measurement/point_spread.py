"""A detector's point spread, quickly: the C program's but for errors below 1 %, and but for its radius.

The C program gives each pixel's photons to its neighbours, within a radius that follows from that pixel's photons,
and adds what all pixels lose beyond it evenly to the image. Here one function serves all pixels.

Fibre: g/(2 pi) (g^2 + r^2)^(-3/2), g = 0.652383 FWHM (Holton, Nielsen & Frankel, J. Synchrotron Rad. 19 (2012), 1006);
Gaussian: of this FWHM. Both have volume 1, and are integrated over pixels.

Errors, relative to the exact sum at any pixel of any image: below 0.8 % for a fibre without a radius (its tails from
isolated bright pixels; much less where there is a background), of rounding in single precision for everything else.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..base.errors import InputError
from . import fibre_levels, neighbours
from .sharing import Share, one_after_the_other
from .transforms import Convolution

KERNELS = fibre_levels.KERNELS
# The FWHM of a fibre's spread times this is its g.
G_OF_FWHM = 0.652383013252053
KINDS = ("gauss", "fiber")
# A Gaussian's photons beyond this multiple of its FWHM are 16^-(3.2^2) of all.
REACH_OF_GAUSSIAN = 3.2
# Up to this radius sums over neighbours are quicker than transforms.
SMALL_RADIUS = 20
# Up to so many pixels transforms are quick enough for a fibre without a radius.
FEW_PIXELS = 65536


class _Way(Protocol):
    def apply(self, image: NDArray[np.float32], share: Share) -> NDArray[np.float32]: ...


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
        self._way = self._chosen_way()

    def _chosen_way(self) -> _Way:
        """How it is applied: by sums over neighbours, on grids of several levels, or by Fourier transforms."""
        reach = self.radius
        if not reach and self.kind == "gauss":
            reach = math.ceil(REACH_OF_GAUSSIAN * self.fwhm_pixels)
        if 0 < reach <= SMALL_RADIUS:
            return neighbours.Neighbours(self._fractions((reach + 1, reach + 1)), reach)
        if not self.radius and self.kind == "fiber" and self.shape[0] * self.shape[1] > FEW_PIXELS:
            near = self._fractions((fibre_levels.RADIUS + 1, fibre_levels.RADIUS + 1))
            return fibre_levels.FibreLevels(self.shape, self.fwhm_pixels * G_OF_FWHM, near)
        part = self._fractions(self.shape)
        if self.radius:
            dy, dx = np.ogrid[: part.shape[0], : part.shape[1]]
            part[dy * dy + dx * dx > self.radius * self.radius] = 0.0
        return Convolution(part, min(self.radius or max(self.shape), max(self.shape)))

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
        """The image, float32 (slow, fast), after the spread; what falls beside it is lost. The given one stays.

        share: how work on runs of lines is shared among threads; the result does not depend on it.
        """
        if image.shape != self.shape:
            raise ValueError(f"an image of shape {image.shape}; this point spread is for {self.shape}")
        result = self._way.apply(image, share)
        # Rounding and interpolation leave values just below 0 where hardly anything falls.
        return np.maximum(result, np.float32(0.0), out=result)

    def _fractions(self, shape: tuple[int, int]) -> NDArray[np.float64]:
        """Part of the photons that fall on the pixel dy, dx away, float64 of this shape."""
        edges = [np.arange(n + 1) - 0.5 for n in shape]
        if self.kind == "gauss":
            wide = 2.0 * math.sqrt(math.log(2.0)) / self.fwhm_pixels
            along = [np.diff([math.erf(wide * edge) for edge in edges_1d]) / 2.0 for edges_1d in edges]
            return np.outer(*along)
        g = self.fwhm_pixels * G_OF_FWHM
        y, x = edges[0][:, None], edges[1][None, :]
        corner = np.arctan(y * x / (g * np.sqrt(g * g + y * y + x * x))) / (2.0 * math.pi)
        return np.diff(np.diff(corner, axis=0), axis=1)
