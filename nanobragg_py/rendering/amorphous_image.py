"""Photons of materials without order, for an experiment's camera: computed once, added to any number of images.

The camera, the sources and the polarization are those of the crystal's image; sub-pixels and sensor layers count, too.
"""

from __future__ import annotations

import numpy as np

from ..base.records import record
from ..kernels.library import address, kernel
from ..model.beam import R_E_SQR_M2
from ..model.experiment import Experiment
from .amorphous import AmorphousRenderer
from .inputs import KernelInputs, kernel_inputs

# Sub-pixels along each edge: a background is smooth, and a pixel's middle is not quite its mean near the beam.
OVERSAMPLE = 2


@record
class BackgroundImage:
    """What materials add to the images of an experiment: shape, float32 (slow, fast), times r_e² fluence is photons."""

    shape: np.ndarray
    experiment: Experiment

    def fits(self, other: Experiment) -> bool:
        """Whether it is the background of another experiment, too, whose beam may have another fluence."""
        mine = self.experiment
        return (
            mine.region == other.region
            and mine.mask is other.mask
            and (mine.beam.kahn_factor, mine.beam.polarized) == (other.beam.kahn_factor, other.beam.polarized)
            and (mine.detector is other.detector or repr(mine.detector) == repr(other.detector))
            and all(
                np.array_equal(getattr(mine.sources, name), getattr(other.sources, name))
                for name in ("direction", "wavelength_m", "share")
            )
            and [(layer.table, layer.molecules) for layer in mine.amorphous]
            == [(layer.table, layer.molecules) for layer in other.amorphous]
        )

    def add_to(self, image: np.ndarray, experiment: Experiment, first: int, last: int) -> None:
        """Add it to pixels first..last-1 (flat indices) of an image of an experiment that it fits, float32."""
        factor = R_E_SQR_M2 * experiment.beam.intensity.fluence_per_m2
        kernel("add_scaled")(address(image), address(self.shape), first, last, factor)


def background_image(experiment: Experiment, threads: int, inputs: KernelInputs | None = None) -> BackgroundImage:
    """The background of an experiment that has one. inputs: those of the experiment, if they are there already."""
    inputs = kernel_inputs(experiment) if inputs is None else inputs
    parameters = inputs.parameters.copy()
    # The fluence is left for later, so that one image serves a beam that varies.
    parameters["fluence_per_m2"] = parameters["r_e_sqr_m2"] = 1.0
    parameters["oversample"] = OVERSAMPLE
    parameters["subpixel_size_m"] = parameters["pixel_size_m"] / OVERSAMPLE
    total = np.zeros((experiment.detector.spixels, experiment.detector.fpixels), dtype=np.float32)
    for layer in experiment.amorphous:
        total += AmorphousRenderer(parameters, inputs.sources, layer.table, layer.molecules, threads).render()
    if experiment.mask is not None:
        total[experiment.mask == 0] = 0.0
    return BackgroundImage(total, experiment)


def background_of(experiment: Experiment, threads: int) -> np.ndarray:
    """The background's photons, float64 (slow, fast)."""
    factor = R_E_SQR_M2 * experiment.beam.intensity.fluence_per_m2
    return background_image(experiment, threads).shape.astype(np.float64) * factor
