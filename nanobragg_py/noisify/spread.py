"""noisify's point spread: exact, with the C program's bytes, or quick, by Fourier transforms."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ..base.c_numbers import c_format
from ..base.errors import InputError
from ..base.memory import require_memory
from ..kernels.library import address, kernel
from ..measurement.point_spread import G_OF_FWHM, PointSpread
from ..measurement.sharing import Work
from ..rendering.threads import finished_chunks

KINDS = {"gauss": 1, "fiber": 2}
# Pieces of the image for each thread, so that none waits long for the last one.
PIECES = 8
# Pixels of a row that the kernel passes over together, and adds to at once; see kernels/passes/point_spread.py.
BLOCK, AT_ONCE = 16, 16

Say = Callable[[str], None]


def largest_of(image: np.ndarray) -> float:
    """The largest value of an image, not-a-number left out; 0 if none is above it."""
    # Of two zeros the maximum is either; plus 0 it is the positive one.
    return float(np.fmax.reduce(image, axis=None, initial=np.float32(0.0))) + 0.0


@dataclass(frozen=True)
class Spreader:
    """A point spread function: its name, width and radius (pixels, 0 for an automatic one), and how it is applied."""

    name: str
    fwhm_pixels: float
    wanted_radius: int
    threads: int
    method: str = "exact"
    wraps: bool = True

    def apply(self, image: np.ndarray, say: Say) -> tuple[np.ndarray, float]:
        """An image, float32 (slow, fast), after the spread, and the photons that wrap to a next row.

        An automatic radius is chosen by each pixel's photons. By Fourier transforms there is none: each pixel's photons
        reach the whole image. Raises InputError.
        """
        if not self.fwhm_pixels > 0.0:
            say("WARNING: apply_psf function has zero size\n")
            return image, 0.0
        if not math.isfinite(self.fwhm_pixels * G_OF_FWHM):
            raise InputError(f"a point spread function {self.fwhm_pixels:g} pixels wide: expected a finite width")
        most = max(image.shape)
        radius = self.wanted_radius
        if radius <= 0:
            largest = largest_of(image)
            say(c_format("  maximum input photon/pixel: %g\n", largest))
            if largest <= 0.0:
                say("WARNING: no photons, PSF skipped\n")
                return np.zeros_like(image), 0.0
            radius = most if self.method == "fft" else self._automatic_radius(largest)
            say(f"  auto-selected psf_radius = {radius} pixels\n")
            if radius < 0:
                raise InputError(f"-psf: {largest:g} photons: too many for an automatic radius (-psf_radius)")
        radius = max(min(radius, most), 0)
        if self.method == "fft":
            return self._by_transforms(image, radius if self.wanted_radius > 0 else 0, say), 0.0
        return self._exactly(image, radius, most, say)

    def _automatic_radius(self, photons: float) -> int:
        g = self.fwhm_pixels * G_OF_FWHM
        return int(kernel("spread_radius")(KINDS[self.name], photons, self.fwhm_pixels, g))

    def _exactly(self, image: np.ndarray, radius: int, most: int, say: Say) -> tuple[np.ndarray, float]:
        kind, fwhm, g = KINDS[self.name], self.fwhm_pixels, self.fwhm_pixels * G_OF_FWHM
        side = 2 * radius + 1
        require_memory(8 * side * side, f"a point spread function of {side} x {side} pixels")
        fractions = np.zeros(side * side + AT_ONCE)
        if radius:
            kernel("spread_fractions")(address(fractions), kind, radius, fwhm, g)
        radii = np.empty(image.shape, dtype=np.int32)
        lost: float = kernel("spread_radii")(
            address(image), address(radii), image.size, kind, self.wanted_radius, most, fwhm, g
        )  # fmt: skip
        result = np.empty_like(image)
        wrapped = self._collect(image, radii, fractions, result, radius)
        say(c_format("adding back %g lost photons\n", lost))
        result[:] = result.astype(np.float64) + lost / image.size
        return result, wrapped if self.wraps else 0.0

    def _collect(
        self, image: np.ndarray, radii: np.ndarray, fractions: np.ndarray, result: np.ndarray, radius: int
    ) -> float:
        """Fill the result, row by row; returns the photons that fall just beyond the last pixel of a row."""
        slow, fast = image.shape
        collect = kernel("spread_rows")
        farthest = np.ascontiguousarray(np.maximum.reduceat(radii, np.arange(0, fast, BLOCK), axis=1))
        beyond: list[float] = []

        def work(first: int, last: int) -> None:
            line = np.empty(fast + AT_ONCE, dtype=np.float32)
            beyond.append(
                collect(
                    address(image), address(radii), address(farthest), address(fractions), address(result),
                    address(line), fast, slow, radius, self.wraps, first, last,
                )
            )  # fmt: skip

        rows = max(1, -(-slow // (PIECES * self.threads)))
        self._share(work, [(first, min(first + rows, slow)) for first in range(0, slow, rows)])
        return math.fsum(beyond)

    def _by_transforms(self, image: np.ndarray, radius: int, say: Say) -> np.ndarray:
        if not np.isfinite(image).all():
            raise InputError("--psf-method fft: pixels that are not finite; expected photons (--psf-method exact)")
        # The C program spreads no photons below 0.
        photons = np.maximum(image, np.float32(0.0))
        spread = PointSpread((image.shape[0], image.shape[1]), self.name, self.fwhm_pixels, radius)
        lost = spread.beyond_radius * float(np.sum(photons, dtype=np.float64))
        result = spread.apply(photons, self._share)
        say(c_format("adding back %g lost photons\n", lost))
        result += np.float32(lost / image.size)
        return result

    def _share(self, work: Work, chunks: Sequence[tuple[int, int]]) -> None:
        for _ in finished_chunks(work, chunks, self.threads):
            pass
