"""Sums over a finished image, in the C program's order and precision."""

from __future__ import annotations

import math

import numpy as np

from ..base.records import record
from ..kernels.library import address, kernel
from ..model.detector import Detector
from ..model.experiment import Experiment

KERNELS = ("add_up", "squared_deviations")


@record
class Statistics:
    """Brightest pixel (photons; position in metres along the fast and slow axis), mean, rms, rms deviation."""

    largest: float
    largest_fast_m: float
    largest_slow_m: float
    mean: float
    rms: float
    rmsd: float


def image_statistics(image: np.ndarray, experiment: Experiment) -> Statistics:
    """Statistics over an image, float32 (slow, fast), within its region of interest."""
    spixels, fpixels = image.shape
    detector, oversample, mask = experiment.detector, experiment.oversampling.used, experiment.mask
    region = experiment.rendered.region
    roi = np.array(region.limits, dtype=np.int64)
    totals = np.zeros(5)
    some_mask = np.zeros(1, dtype=np.uint16) if mask is None else mask
    kernel("add_up")(
        address(image), address(some_mask), mask is not None, fpixels, spixels, address(roi), address(totals)
    )
    total, squares, count, largest, where = totals.tolist()
    mean = total / max(count, 1)
    rms = _root(squares / (max(count, 2) - 1 if count > 1 else 1))
    deviations = kernel("squared_deviations")(address(image), fpixels, spixels, address(roi), mean)
    fast, slow = region.fast_last - region.fast_first + 1, region.slow_last - region.slow_first + 1
    in_region = max(fast, 0) * max(slow, 0)
    rmsd = _root(deviations / (in_region - 1 if in_region > 1 else 1))
    fast_m = slow_m = 0.0
    if where >= 0:
        fast_m = _last_subpixel(int(where) % fpixels, detector, oversample)
        slow_m = _last_subpixel(int(where) // fpixels, detector, oversample)
    return Statistics(largest, fast_m, slow_m, mean, rms, rmsd)


def _root(value: float) -> float:
    return math.sqrt(value) if value >= 0.0 else value


def _last_subpixel(pixel: int, detector: Detector, oversample: int) -> float:
    """The C program reports where the last sub-pixel is."""
    size = detector.pixel_size_m / oversample
    return size * (pixel * oversample + oversample - 1) + size / 2.0


def integer_scale(said: float, found: Statistics) -> float:
    """Factor of the integer image: as said, if above 0, or the brightest pixel at 55000."""
    if said > 0.0:
        return said
    return 55000.0 / found.largest if found.largest > 0.0 else 1.0


def grey_scale(said: float, found: Statistics, integer_scale: float) -> float:
    """Factor of the PGM: as said, if above 0, or five rms deviations at 250."""
    if said > 0.0:
        return said
    return 250.0 / (5.0 * found.rmsd) if found.rmsd > 0.0 else integer_scale
