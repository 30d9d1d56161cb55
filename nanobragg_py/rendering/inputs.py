"""What the kernels are given, from an experiment."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..base.vectors import Vector, unit
from ..kernels import layout
from ..model.beam import R_E_SQR_M2
from ..model.experiment import Experiment

SHAPES = {"square": layout.SQUARE, "round": layout.ROUND, "gauss": layout.GAUSS, "tophat": layout.TOPHAT}


class KernelInputs(NamedTuple):
    """What the kernels are given; see kernels/layout.py."""

    parameters: np.ndarray
    sources: np.ndarray
    cells: np.ndarray
    domains: np.ndarray
    amplitudes: np.ndarray
    mask: np.ndarray


def kernel_inputs(experiment: Experiment, error_scale: float = 1.0) -> KernelInputs:
    """Arrays and scalars of an experiment. error_scale widens the bound that asks for a second look (for tests)."""
    config, camera = experiment.config, experiment.camera
    detector, axes = camera.detector, camera.detector.axes
    h0, h1, k0, k1, l0, l1 = experiment.grid.ranges
    _, k_size, l_size = experiment.grid.shape
    region = experiment.region
    weights = relative_weights(experiment)
    values = {
        "pixel_size_m": detector.pixel_size_m,
        "distance_m": detector.distance_m,
        "close_distance_m": detector.close_distance_m,
        "fdet": axes.fdet,
        "sdet": axes.sdet,
        "odet": axes.odet,
        "pix0_m": detector.pix0_m,
        "beam": axes.beam,
        "polarization_axis": _settled(axes.polar),
        "kahn": config.polarization,
        "thickness_m": detector.thickness_m,
        "layer_depth_m": detector.layers.step,
        "attenuation_per_m": detector.attenuation_per_m,
        "dmin_m": config.dmin_m,
        "background": experiment.background.at_start,
        "step_background": experiment.background.each_step,
        "r_e_sqr_m2": R_E_SQR_M2,
        "fluence_per_m2": camera.intensity.fluence_per_m2,
        "fudge": config.fudge,
        "largest_F": float(np.abs(experiment.grid.amplitudes).max()),
        "error_scale": error_scale,
        "fpixels": detector.fpixels,
        "spixels": detector.spixels,
        "roi_fast_first": region[0],
        "roi_fast_last": region[1],
        "roi_slow_first": region[2],
        "roi_slow_last": region[3],
        "layers": detector.layers.count,
        "sources": len(experiment.sources.weight),
        "phi_steps": camera.phi.count,
        "mosaic_domains": camera.mosaic.domains,
        "shape": SHAPES[config.shape],
        "mosaic": camera.mosaic.spread > 0.0,
        "water": config.water_m != 0.0,
        "curved": detector.curved,
        "point_pixel": detector.point_pixel,
        "nopolar": config.nopolar,
        "oversample_thick": experiment.factors.thick,
        "oversample_polar": experiment.factors.polar,
        "oversample_omega": experiment.factors.omega,
        "per_term": experiment.factors.per_term,
        "by_source": experiment.factors.any or bool(np.any(weights != 1.0)),
        "keep_interpolating": config.fixes.interpolation,
        "water_beyond_dmin": config.fixes.water and config.water_m != 0.0,
        "hkls": experiment.grid.reflections,
        "h_min": h0,
        "k_min": k0,
        "l_min": l0,
        "h_max": h1,
        "k_max": k1,
        "l_max": l1,
        "h_stride": k_size * l_size,
        "k_stride": l_size,
        "outside": len(experiment.grid.amplitudes) - 1,
        "masked": experiment.mask is not None,
        **_crystal_values(experiment),
    }
    parameters = np.zeros(1, dtype=layout.PARAMETERS)
    for name, value in values.items():
        parameters[name] = value
    incident = np.column_stack((-experiment.sources.direction, experiment.sources.wavelength_m, weights))
    return KernelInputs(
        parameters,
        np.ascontiguousarray(incident),
        np.ascontiguousarray(experiment.cells),
        np.ascontiguousarray(experiment.domains),
        experiment.grid.amplitudes,
        np.zeros(1, dtype=np.uint16) if experiment.mask is None else experiment.mask,
    )


def relative_weights(experiment: Experiment) -> np.ndarray:
    """Weights of the sources, 1 on average, float64 (n,); all 1 as in the reference, unless they are to be used."""
    weight = experiment.sources.weight
    if not experiment.config.fixes.weights or np.all(weight == weight[0]):
        return np.ones(len(weight))
    return weight * (len(weight) / np.sum(weight))


def _node_vectors(experiment: Experiment) -> tuple[Vector, Vector, Vector]:
    """Whose sum, times the number of cells, is the distance to a node that a spot's profile depends on.

    In the reference a*, b*, c* (1/Å): the width depends on the product of Na, Nb, Nc, and on the cell.
    """
    crystal = experiment.crystal
    if not experiment.config.fixes.spot_width:
        return crystal.reciprocal
    Na, Nb, Nc = crystal.Na, crystal.Nb, crystal.Nc
    return ((1.0 / (Nb * Nc), 0.0, 0.0), (0.0, 1.0 / (Na * Nc), 0.0), (0.0, 0.0, 1.0 / (Na * Nb)))


def _crystal_values(experiment: Experiment) -> dict:
    """Scalars that change with the crystal's orientation."""
    crystal, oversample = experiment.crystal, experiment.oversampling.used
    return {
        "subpixel_size_m": experiment.camera.detector.pixel_size_m / oversample,
        "oversample": oversample,
        "steps": experiment.steps,
        "Na": crystal.Na,
        "Nb": crystal.Nb,
        "Nc": crystal.Nc,
        **dict(zip(("node_a", "node_b", "node_c"), _node_vectors(experiment), strict=True)),
    }


def turned_inputs(inputs: KernelInputs, experiment: Experiment) -> KernelInputs:
    """The inputs for another orientation of the crystal, all else being equal."""
    parameters = inputs.parameters.copy()
    row = parameters[0]
    for name, value in _crystal_values(experiment).items():
        row[name] = value
    return inputs._replace(parameters=parameters, cells=np.ascontiguousarray(experiment.cells))


def _settled(axis):
    """The polarization axis after the reference has normalised it over and over."""
    for _ in range(8):
        again = unit(axis)
        if again == axis:
            break
        axis = again
    return axis
