"""Photon counts of 32 bits: the C program's deviates before the clip to 16."""

from __future__ import annotations

import numpy as np

from ..model.counts import LARGEST_COUNT, Counts
from ..model.experiment import Experiment, NoiseSeed
from .poisson import PoissonNoise

BEYOND = np.float32(2.0**31)


def poisson_counts(image: np.ndarray, experiment: Experiment, start: NoiseSeed) -> Counts:
    """Poisson deviates about an image, float32 (slow, fast): those of the C program's noise image.

    That one adds the ADC offset and is cut off at 65535; here there is no offset, and the limit is LARGEST_COUNT.
    Above 1e6 photons the C program's deviates are no whole numbers; they are rounded to the nearest.
    """
    noise = PoissonNoise(image, experiment.rendered.region, 0.0, start)
    pixels = np.empty(image.shape, dtype=np.int32)
    first, overloads = 0, 0
    for deviates in noise.deviates():
        part = pixels[first : first + len(deviates)]
        # LARGEST_COUNT as a number of 32 bits is 2^31, the first that does not fit.
        above = deviates >= BEYOND
        count = int(np.count_nonzero(above))
        if count:
            overloads += count
            deviates[above] = 0.0
        part[...] = np.rint(deviates, out=deviates)
        if count:
            part[above] = LARGEST_COUNT
        first += len(part)
    return Counts(pixels, experiment.rendered.as_array(), LARGEST_COUNT, 0, overloads, -start.stream)
