"""Rendering with the detector's geometry computed once: kernels/stored.py, for images that differ in orientation."""

from __future__ import annotations

import numpy as np

from ..base.memory import most_bytes
from ..kernels import layout
from ..kernels.library.load import address, kernel
from ..model.experiment import Experiment
from .inputs import KernelInputs
from .renderer import Renderer

# Wider than the two roundings that stored factors add (kernels/stored.py).
ERROR_SCALE = 1.25
BYTES_PER_PIXEL = 32
# Of the memory there is, at most this part is taken.
SHARE_OF_MEMORY = 0.25


def can_be_stored(experiment: Experiment) -> bool:
    """Whether every pixel has one scattering vector, whatever the crystal's orientation, and there is room."""
    detector = experiment.camera.detector
    one = experiment.oversampling.used == detector.layers.count == len(experiment.sources.weight) == 1
    room = BYTES_PER_PIXEL * detector.pixels < SHARE_OF_MEMORY * most_bytes()
    simple = one and not experiment.factors.any and not experiment.interpolate
    return simple and room and len(experiment.grid.amplitudes) <= 2**31


def store_geometry(experiment: Experiment, inputs: KernelInputs) -> np.ndarray:
    """Scattering vectors [1/m] and product of factors, float64 (slow, 4, fast)."""
    detector = experiment.camera.detector
    geometry = np.zeros((detector.spixels, 4, detector.fpixels))
    scratch = np.empty(layout.SCRATCH)
    region = experiment.region
    kernel("store_geometry")(
        address(inputs.parameters), address(inputs.sources), address(geometry), address(scratch),
        region[2], max(region[3] + 1, region[2]),
    )  # fmt: skip
    return geometry


class StoredRenderer(Renderer):
    """A Renderer that takes the geometry from memory."""

    shares = 4

    def __init__(
        self, experiment: Experiment, threads: int, inputs: KernelInputs, image: np.ndarray | None, geometry: np.ndarray
    ):
        super().__init__(experiment, threads, inputs=inputs, image=image)
        self.geometry = geometry

    def _blocks(self, first: int, last: int, interpolating: bool = False) -> int:
        """Rows in blocks, and a second look where it is due; the flat index where the work ended."""
        scratch = np.empty(layout.SCRATCH)
        again = np.empty(2 * self.fpixels * (last - first), dtype=np.int64)
        render = kernel(f"render_stored_{self.experiment.config.shape}")
        found = render(*self.scene, address(scratch), address(again), address(self.geometry), first, last)
        self._second_look(again[:found], False)
        return last * self.fpixels
