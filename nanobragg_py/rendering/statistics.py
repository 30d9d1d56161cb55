"""Sums over a finished image, in the reference's order and precision."""

from __future__ import annotations

import math

import numpy as np

from ..base.records import record
from ..kernels.library.load import address, kernel
from ..model.detector import Detector


@record
class Statistics:
    """Brightest pixel (photons; position in metres along the fast and slow axis), mean, rms, rms deviation."""

    largest: float
    largest_fast_m: float
    largest_slow_m: float
    mean: float
    rms: float
    rmsd: float


def image_statistics(
    image: np.ndarray, mask: np.ndarray | None, region: tuple[int, int, int, int], detector: Detector, oversample: int
) -> Statistics:  # fmt: skip
    """Statistics over a float32 image (slow, fast) within a region of interest."""
    spixels, fpixels = image.shape
    roi = np.array(region, dtype=np.int64)
    totals = np.zeros(5)
    some_mask = np.zeros(1, dtype=np.uint16) if mask is None else mask
    kernel("add_up")(
        address(image), address(some_mask), mask is not None, fpixels, spixels, address(roi), address(totals)
    )
    total, squares, count, largest, where = totals.tolist()
    mean = total / max(count, 1)
    rms = _root(squares / (max(count, 2) - 1 if count > 1 else 1))
    deviations = kernel("squared_deviations")(address(image), fpixels, spixels, address(roi), mean)
    in_region = max(region[1] - region[0] + 1, 0) * max(region[3] - region[2] + 1, 0)
    rmsd = _root(deviations / (in_region - 1 if in_region > 1 else 1))
    fast = slow = 0.0
    if where >= 0:
        fast = _last_subpixel(int(where) % fpixels, detector, oversample)
        slow = _last_subpixel(int(where) // fpixels, detector, oversample)
    return Statistics(largest, fast, slow, mean, rms, rmsd)


def _root(value: float) -> float:
    return math.sqrt(value) if value >= 0.0 else value


def _last_subpixel(pixel: int, detector: Detector, oversample: int) -> float:
    """The reference reports where the last sub-pixel is."""
    size = detector.pixel_size_m / oversample
    return size * (pixel * oversample + oversample - 1) + size / 2.0
