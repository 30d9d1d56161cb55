"""What the kernels are given, from an experiment."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..base.shapes import SHAPES
from ..base.vectors import Vector, unit
from ..kernels import layout
from ..model.beam import R_E_SQR_M2
from ..model.experiment import Experiment


class KernelInputs(NamedTuple):
    """What the kernels are given; see kernels/layout.py."""

    parameters: np.ndarray
    sources: np.ndarray
    cells: np.ndarray
    domains: np.ndarray
    amplitudes: np.ndarray
    mask: np.ndarray


def kernel_inputs(
    experiment: Experiment, error_scale: float = 1.0, earlier: KernelInputs | None = None
) -> KernelInputs:
    """Arrays and scalars of an experiment.

    error_scale widens the bound that asks for a second look. earlier: those of another experiment with the same
    structure factors, whose extremes then need not be looked for again.
    """
    values = {
        **_detector_values(experiment),
        **_beam_values(experiment),
        **(_grid_values(experiment) if earlier is None else {}),
        **_sampling_values(experiment),
        **_crystal_values(experiment),
        "error_scale": error_scale,
    }
    parameters = np.zeros(1, dtype=layout.PARAMETERS) if earlier is None else earlier.parameters.copy()
    unset = set(layout.PARAMETERS.names or ()) ^ set(values)
    if unset and earlier is None:
        raise AssertionError(f"kernels/layout.py and this file disagree on {sorted(unset)}")
    for name, value in values.items():
        parameters[name] = value
    sources = experiment.sources
    incident = np.column_stack((-sources.direction, sources.wavelength_m, sources.share))
    return KernelInputs(
        parameters,
        np.ascontiguousarray(incident),
        np.ascontiguousarray(experiment.cells),
        np.ascontiguousarray(experiment.domains),
        experiment.structure_factors.amplitudes,
        np.zeros(1, dtype=np.uint16) if experiment.mask is None else experiment.mask,
    )


def _detector_values(experiment: Experiment) -> dict[str, Any]:
    detector, axes = experiment.detector, experiment.detector.axes
    fast_first, fast_last, slow_first, slow_last = experiment.rendered.region.limits
    return {
        "pixel_size_m": detector.pixel_size_m,
        "distance_m": detector.distance_m,
        "close_distance_m": detector.close_distance_m,
        "fdet": axes.fdet,
        "sdet": axes.sdet,
        "odet": axes.odet,
        "pix0_m": detector.pix0_m,
        "beam": axes.beam,
        "polarization_axis": _settled(axes.polar),
        "thickness_m": detector.thickness_m,
        "layer_depth_m": detector.layers.step,
        "attenuation_per_m": detector.attenuation_per_m,
        "layers": detector.layers.count,
        "curved": detector.curved,
        "point_pixel": detector.point_pixel,
        "fpixels": detector.fpixels,
        "spixels": detector.spixels,
        "roi_fast_first": fast_first,
        "roi_fast_last": fast_last,
        "roi_slow_first": slow_first,
        "roi_slow_last": slow_last,
        "masked": experiment.mask is not None,
    }


def _beam_values(experiment: Experiment) -> dict[str, Any]:
    beam, background = experiment.beam, experiment.background
    return {
        "kahn": beam.kahn_factor,
        "nopolar": not beam.polarized,
        "r_e_sqr_m2": R_E_SQR_M2,
        "fluence_per_m2": beam.intensity.fluence_per_m2,
        "sources": experiment.sources.count,
        "background": background.at_start,
        "step_background": background.each_step,
        "water": background.edge_m != 0.0,
        "water_beyond_dmin": background.beyond_dmin,
    }


def _grid_values(experiment: Experiment) -> dict[str, Any]:
    grid = experiment.structure_factors
    h0, h1, k0, k1, l0, l1 = grid.ranges
    _, k_size, l_size = grid.shape
    return {
        "largest_F": float(np.abs(grid.amplitudes).max()),
        "hkls": grid.reflections,
        "h_min": h0,
        "k_min": k0,
        "l_min": l0,
        "h_max": h1,
        "k_max": k1,
        "l_max": l1,
        "h_stride": k_size * l_size,
        "k_stride": l_size,
        "outside": len(grid.amplitudes) - 1,
    }


def _sampling_values(experiment: Experiment) -> dict[str, Any]:
    factors = experiment.factors
    return {
        "dmin_m": experiment.dmin_m,
        "keep_interpolating": experiment.interpolation.keep,
        "phi_steps": experiment.spindle.steps.count,
        "mosaic_domains": experiment.mosaic.domains,
        "mosaic": experiment.mosaic.spread_rad > 0.0,
        "oversample_thick": factors.thick,
        "oversample_polar": factors.polar,
        "oversample_omega": factors.omega,
        "per_term": factors.per_term,
        "by_source": factors.any or bool(np.any(experiment.sources.share != 1.0)),
    }


def _crystal_values(experiment: Experiment) -> dict[str, Any]:
    """Scalars that change with the crystal."""
    crystal, oversample = experiment.crystal, experiment.oversampling.used
    node_a, node_b, node_c = crystal.node_vectors
    return {
        "shape": SHAPES.index(crystal.shape),
        "fudge": crystal.fudge,
        "subpixel_size_m": experiment.detector.pixel_size_m / oversample,
        "oversample": oversample,
        "steps": experiment.steps,
        "Na": crystal.Na,
        "Nb": crystal.Nb,
        "Nc": crystal.Nc,
        "node_a": node_a,
        "node_b": node_b,
        "node_c": node_c,
    }


def turned_inputs(inputs: KernelInputs, experiment: Experiment) -> KernelInputs:
    """The inputs for another orientation of the crystal, all else being equal."""
    parameters = inputs.parameters.copy()
    row = parameters[0]
    for name, value in _crystal_values(experiment).items():
        row[name] = value
    return inputs._replace(parameters=parameters, cells=np.ascontiguousarray(experiment.cells))


def _settled(axis: Vector) -> Vector:
    """The polarization axis after the C program has normalised it over and over."""
    for _ in range(8):
        again = unit(axis)
        if again == axis:
            break
        axis = again
    return axis
