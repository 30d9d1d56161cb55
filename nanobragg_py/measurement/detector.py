"""Counts that a detector reports of an image of photons; see model/response.py for what it does to them.

All random numbers are counted, not drawn in order (kernels/passes/philox.py): the counts depend on the seeds alone,
not on the number of threads.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from ..base.errors import InputError
from ..kernels.layout import GUIDE, LAYERS, TABLE_COUNTS, TABLE_MEANS
from ..kernels.library import address, kernel
from ..model.counts import Counts
from ..model.region import RenderedPixels
from ..model.response import Detector
from .point_spread import PointSpread
from .sharing import Share, one_after_the_other

# Pixels that a thread works on before it looks for more work.
PIXELS_AT_A_TIME = 1 << 16


class RandomTables(NamedTuple):
    """What the kernels look up: see fill_tables in kernels/passes/philox.py."""

    sums: np.ndarray
    guide: np.ndarray
    ziggurat: np.ndarray


@cache
def random_tables() -> RandomTables:
    """The tables, the same for everyone: 0.5 MB."""
    tables = RandomTables(
        np.empty((TABLE_MEANS, TABLE_COUNTS), np.uint32),
        np.empty((TABLE_MEANS, GUIDE), np.uint8),
        np.empty((2, LAYERS + 1)),
    )
    kernel("random_tables")(*(address(table) for table in tables))
    return tables


class Measurement:
    """A detector of one size, ready to measure any number of images, from any number of threads.

    What does not change from image to image is computed at the first one that needs it, and kept.
    """

    def __init__(self, detector: Detector, shape: tuple[int, int], pixel_size_m: float):
        """shape: (slow, fast) pixels."""
        self.detector = detector
        self.shape = shape
        self.pixel_size_m = pixel_size_m
        self._lock = threading.Lock()
        self._spread: PointSpread | None = None
        self._errors: np.ndarray | None = None

    def counts(
        self, photons: np.ndarray, rendered: RenderedPixels, seed: int, share: Share = one_after_the_other
    ) -> Counts:
        """What the detector reports of an image, float32 (slow, fast), of photons expected in each pixel.

        rendered: pixels that there are; others report 0. seed: a whole number, as -seed takes it. share: calls work on
        parts of the image, see point_spread.py.
        """
        if photons.shape != self.shape or photons.dtype != np.float32:
            raise InputError(f"expected an image float32 {self.shape}, got {photons.dtype} {photons.shape}")
        counted = self._counted(np.ascontiguousarray(photons), seed, share)
        pixels, total, overloads = self._reported(counted, seed, share)
        there = rendered.as_array()
        if not there.all():
            overloads -= int(np.count_nonzero(pixels[~there] == self.detector.largest_count)) if overloads else 0
            pixels[~there] = 0
        return Counts(pixels, there, self.detector.largest_count, 0, overloads, seed, self.detector, total)

    def _counted(self, photons: np.ndarray, seed: int, share: Share) -> np.ndarray:
        """Photons where they are absorbed, then where their light comes out: float32 (slow, fast)."""
        d, tables = self.detector, random_tables()
        factor = 1.0
        if d.flicker > 0.0:
            factor += d.flicker * kernel("flicker_deviate")(seed, address(tables.ziggurat))
        errors = self._calibration_errors(share) if d.calibration > 0.0 else np.zeros(photons.size and 1, np.float32)
        counted = np.empty(self.shape, dtype=np.float32)
        count = kernel("count_photons")

        def work(first: int, last: int) -> None:
            count(
                address(photons), address(errors), address(counted), photons.size, first, last, factor, d.calibration,
                seed, address(tables.sums), address(tables.guide),
            )  # fmt: skip

        share(work, _pieces(photons.size))
        return counted if d.psf is None else self._point_spread(d.psf).apply(counted, share)

    def _reported(self, counted: np.ndarray, seed: int, share: Share) -> tuple[np.ndarray, float, int]:
        """Counts, int32 (slow, fast); all photons; and how many pixels are cut off."""
        d, tables = self.detector, random_tables()
        pixels = np.empty(self.shape, dtype=np.int32)
        report = kernel("report_counts")
        pieces = _pieces(counted.size)
        # Added up in order, whichever is done first.
        totals = np.zeros((len(pieces), 2))

        def work(first: int, last: int) -> None:
            report(
                address(counted), address(pixels), counted.size, first, last, d.gain, d.offset, d.readout_noise,
                float(d.largest_count), seed, address(tables.ziggurat), address(totals[first // PIXELS_AT_A_TIME]),
            )  # fmt: skip

        share(work, pieces)
        photons, overloads = totals.sum(axis=0).tolist()
        return pixels, photons, int(overloads)

    def _calibration_errors(self, share: Share) -> np.ndarray:
        """Gaussian deviates of the pixels, float32 (slow, fast)."""
        with self._lock:
            if self._errors is None:
                errors = np.empty(self.shape, dtype=np.float32)
                draw, ziggurat = kernel("calibration_errors"), random_tables().ziggurat

                def work(first: int, last: int) -> None:
                    draw(address(errors), errors.size, first, last, self.detector.calibration_seed, address(ziggurat))

                # Under a lock that others may wait for with work of their own to share: not shared.
                one_after_the_other(work, _pieces(errors.size))
                self._errors = errors
            return self._errors

    def _point_spread(self, kind: str) -> PointSpread:
        with self._lock:
            if self._spread is None:
                fwhm_pixels = self.detector.psf_fwhm_um * 1e-6 / self.pixel_size_m
                self._spread = PointSpread(self.shape, kind, fwhm_pixels, self.detector.psf_radius)
            return self._spread


def _pieces(pixels: int) -> Sequence[tuple[int, int]]:
    return [(first, min(first + PIXELS_AT_A_TIME, pixels)) for first in range(0, pixels, PIXELS_AT_A_TIME)]


class Measurements:
    """Measurements of detectors of one size, made when they are first asked for, and kept."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[tuple[Detector, tuple[int, int], float], Measurement] = {}

    def of(self, detector: Detector, shape: tuple[int, int], pixel_size_m: float) -> Measurement:
        """The measurement of a detector; of several, the ones asked for last are kept."""
        key = (detector, shape, pixel_size_m)
        with self._lock:
            made = self._kept.pop(key, None) or Measurement(*key)
            self._kept[key] = made
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            return made


# Each may hold a transform of four times the image's size.
MOST_KEPT = 2
