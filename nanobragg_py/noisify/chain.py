"""From photons per pixel to counts: point spread and noise, as the C program noisify has them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..base.c_numbers import c_format
from ..base.errors import InputError
from ..base.memory import require_memory
from ..kernels.library import address, kernel
from ..rendering.threads import finished_chunks

# The FWHM of a fibre's spread times this is its g.
G_OF_FWHM = 0.652383013252053
KINDS = {"gauss": 1, "fiber": 2}
# Integers of 32 bits are cut off there; those without noise already at 65535.
MOST_32, MOST_16 = 2147483647.0, 65535.0
# Pieces of the image for each thread, so that none waits long for the last one.
PIECES = 8

Say = Callable[[str], None]


class Generator:
    """The C program's random numbers: two streams that share one table and a spare Gaussian deviate."""

    def __init__(self, stream: int, calibration_stream: int):
        self.table = np.zeros(33, dtype=np.int64)
        self.stream = np.array([stream], dtype=np.int64)
        self.calibration_stream = np.array([calibration_stream], dtype=np.int64)
        self.singles = np.array([0, 0, -1, 0, 0, 0], dtype=np.float32)


def draw_photons(photons: np.ndarray, flicker: float, calibration: float, generator: Generator) -> float:
    """Put photon counts in place of their means, float32; returns their sum."""
    g = generator
    total: float = kernel("draw_photons")(
        address(photons), photons.size, flicker, calibration, address(g.table), address(g.stream),
        address(g.calibration_stream), address(g.singles),
    )  # fmt: skip
    return total


@dataclass(frozen=True)
class Counts:
    """What the detector reports, uint16 and uint32 (slow, fast); the photons; pixels cut off, by bits."""

    words: np.ndarray
    long_words: np.ndarray
    photons: float
    overloads: dict[int, int]

    def of_bits(self, bits: int) -> bytes:
        """The pixels of an SMV file; none for a number of bits that is not known."""
        return {16: self.words.tobytes, 32: self.long_words.tobytes}.get(bits, bytes)()


def read_out(photons: np.ndarray, gain: float, offset: float, readout: float, limit: float, g: Generator) -> Counts:
    """photons*gain + offset + noise of rms `readout`, as integers: `limit` is the largest of 32 bits."""
    words, long_words = np.empty(photons.shape, np.uint16), np.empty(photons.shape, np.uint32)
    totals = np.zeros(3)
    kernel("read_out")(
        address(photons), address(words), address(long_words), photons.size, gain, offset, readout, limit,
        address(g.table), address(g.stream), address(g.singles), address(totals),
    )  # fmt: skip
    return Counts(words, long_words, float(totals[0]), {32: int(totals[1]), 16: int(totals[2])})


def spread(image: np.ndarray, name: str, fwhm: float, wanted_radius: int, threads: int, say: Say) -> np.ndarray:
    """An image, float32 (slow, fast), after the point spread function of this name.

    fwhm and wanted_radius in pixels; a radius of 0 is chosen by each pixel's photons. Raises InputError.
    """
    if not fwhm > 0.0:
        say("WARNING: apply_psf function has zero size\n")
        return image
    kind, g = KINDS[name], fwhm * G_OF_FWHM
    if not math.isfinite(g):
        raise InputError(f"a point spread function {fwhm:g} pixels wide: expected a finite width")
    result = np.zeros_like(image)
    radius = wanted_radius
    if radius <= 0:
        largest = float(np.fmax.reduce(image, axis=None, initial=np.float32(0.0)))
        say(c_format("  maximum input photon/pixel: %g\n", largest))
        if largest <= 0.0:
            say("WARNING: no photons, PSF skipped\n")
            return result
        radius = kernel("spread_radius")(kind, largest, fwhm, g)
        say(f"  auto-selected psf_radius = {radius} pixels\n")
    most = max(image.shape)
    radius = max(min(radius, most), 0)
    side = 2 * radius + 1
    require_memory(8 * side * side, f"a point spread function of {side} x {side} pixels")
    fractions = np.zeros((side, side))
    if radius:
        kernel("spread_fractions")(address(fractions), kind, radius, fwhm, g)
    radii = np.empty(image.shape, dtype=np.int32)
    lost: float = kernel("spread_radii")(
        address(image), address(radii), image.size, kind, wanted_radius, most, fwhm, g
    )  # fmt: skip
    _collect(image, radii, fractions, result, radius, threads)
    say(c_format("adding back %g lost photons\n", lost))
    result[:] = result.astype(np.float64) + lost / image.size
    return result


def _collect(
    image: np.ndarray, radii: np.ndarray, fractions: np.ndarray, result: np.ndarray, radius: int, threads: int
) -> None:
    """Fill the result, row by row."""
    slow, fast = image.shape
    collect = kernel("spread_rows")

    def work(first: int, last: int) -> None:
        collect(
            address(image), address(radii), address(fractions), address(result), fast, slow, radius, first, last
        )  # fmt: skip

    rows = max(1, -(-slow // (PIECES * threads)))
    chunks = [(first, min(first + rows, slow)) for first in range(0, slow, rows)]
    for _ in finished_chunks(work, chunks, threads):
        pass
