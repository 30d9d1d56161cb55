"""Photon counts of 32 bits: the C program's deviates before the clip to 16."""

from __future__ import annotations

import numpy as np

from ..model.counts import LARGEST_COUNT, Counts
from ..model.experiment import Experiment, NoiseSeed
from .poisson import PoissonNoise


def poisson_counts(image: np.ndarray, experiment: Experiment, start: NoiseSeed) -> Counts:
    """Poisson deviates about an image, float32 (slow, fast): those of the C program's noise image.

    That one adds the ADC offset and is cut off at 65535; here there is no offset, and the limit is LARGEST_COUNT.
    Above 1e6 photons the C program's deviates are no whole numbers; they are rounded to the nearest.
    """
    noise = PoissonNoise(image, experiment.rendered.region, 0.0, start)
    pixels = np.empty(image.shape, dtype=np.int32)
    first, overloads = 0, 0
    for deviates in noise.deviates():
        above = deviates > LARGEST_COUNT
        overloads += int(np.count_nonzero(above))
        part = np.rint(np.where(above, np.float32(0.0), deviates)).astype(np.int32)
        part[above] = LARGEST_COUNT
        pixels[first : first + len(part)] = part
        first += len(part)
    return Counts(pixels, experiment.rendered.as_array(), LARGEST_COUNT, 0, overloads, -start.stream)
