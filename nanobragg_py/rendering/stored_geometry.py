"""The detector's geometry computed once, for many orientations of the crystal (kernels/simd/stored.py)."""

from __future__ import annotations

from ..base.memory import most_bytes
from ..model.experiment import Experiment

# Wider than the two roundings that stored factors add.
ERROR_SCALE = 1.25
BYTES_PER_PIXEL = 32
# Of the memory there is, at most this part is taken.
SHARE_OF_MEMORY = 0.25


def can_be_stored(experiment: Experiment) -> bool:
    """Whether every pixel has one scattering vector, whatever the crystal's orientation, and there is room."""
    detector = experiment.detector
    one = experiment.oversampling.used == detector.layers.count == experiment.sources.count == 1
    room = BYTES_PER_PIXEL * detector.pixels < SHARE_OF_MEMORY * most_bytes()
    simple = one and not experiment.factors.any and not experiment.interpolation.used
    return simple and room and len(experiment.structure_factors.amplitudes) <= 2**31
