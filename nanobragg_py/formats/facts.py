"""What headers say of a run, in plain words and units."""

from __future__ import annotations

import numpy as np

from ..base.records import record
from ..model.counts import Counts
from ..model.detector import beam_spot
from ..model.experiment import Experiment

# What pixels get that were not rendered, in formats whose counts are signed.
NOT_RENDERED = -1


@record
class SavedImage:
    """An image on its way to a file: photons, float32 (slow, fast), or what a detector counted of them."""

    photons: np.ndarray
    experiment: Experiment
    counts: Counts | None = None

    @property
    def pixels(self) -> np.ndarray:
        """Photons; or counts, int32, with NOT_RENDERED where there are none."""
        return self.photons if self.counts is None else self.counts.marked(NOT_RENDERED)


def facts(image: SavedImage) -> dict[str, str]:
    """What headers say of a run: names with units, twelve digits.

    Beam centre and near point count pixels from the outer edge of the first one, so that its middle is 0.5.
    """
    experiment = image.experiment
    detector, beam, spindle = experiment.detector, experiment.beam, experiment.spindle
    pixel = detector.pixel_size_m
    centre_fast, centre_slow, distance = beam_spot(detector)
    numbers = {
        "wavelength_A": beam.wavelength_m * 1e10,
        "distance_mm": distance * 1e3,
        "close_distance_mm": detector.close_distance_m * 1e3,
        "pixel_mm": pixel * 1e3,
        "beam_center_fast_px": centre_fast,
        "beam_center_slow_px": centre_slow,
        "near_point_fast_px": detector.Fclose_m / pixel,
        "near_point_slow_px": detector.Sclose_m / pixel,
        "twotheta_deg": np.degrees(detector.twotheta),
        "phi_start_deg": np.degrees(spindle.start_rad),
        "osc_deg": np.degrees(spindle.range_rad),
        "fluence_photons_per_m2": beam.intensity.fluence_per_m2,
        "polarization": beam.kahn_factor if beam.polarized else 0.0,
    }
    shown = {name: number(value) for name, value in numbers.items()}
    counted = {} if image.counts is None else counted_facts(image.counts)
    return {"program": "nanobragg_py"} | shown | counted | directions(experiment)


def counted_facts(counts: Counts) -> dict[str, str]:
    """What there is to say of counts."""
    return {
        "saturation_counts": str(counts.saturation),
        "underload_counts": str(counts.underload),
        "not_rendered": str(NOT_RENDERED),
        "noise_seed": str(counts.seed),
    } | response_facts(counts, seed=False)


def response_facts(counts: Counts, seed: bool = True) -> dict[str, str]:
    """What there is to say of the detector that counted, if it is not a bare counter of photons; its seeds."""
    response = counts.response
    if response is None:
        return {}
    spread = {} if response.psf is None else {
        "psf": response.psf,
        "psf_fwhm_um": number(response.psf_fwhm_um),
        **({"psf_radius_px": str(response.psf_radius)} if response.psf_radius else {}),
    }  # fmt: skip
    return spread | {
        "gain": number(response.gain),
        "offset_counts": number(response.offset),
        "readout_noise_counts": number(response.readout_noise),
        "calibration_rms": number(response.calibration),
        "calibration_seed": str(response.calibration_seed),
        "flicker_rms": number(response.flicker),
        **({"saturation_counts": str(counts.saturation), "noise_seed": str(counts.seed)} if seed else {}),
    }


def directions(experiment: Experiment) -> dict[str, str]:
    """Vectors for headers, in the laboratory's frame as in the run log; the crystal's before the spindle turns it."""
    detector, crystal = experiment.detector, experiment.crystal
    axes = detector.axes
    vectors = {
        "fast_axis": axes.fdet,
        "slow_axis": axes.sdet,
        "origin_mm": tuple(1e3 * v for v in detector.pix0_m),
        "beam_axis": axes.beam,
        "spindle_axis": axes.spindle,
        "polarization_axis": axes.polar,
        "a_A": crystal.real[0],
        "b_A": crystal.real[1],
        "c_A": crystal.real[2],
    }
    return {name: " ".join(number(v) for v in vector) for name, vector in vectors.items()}


def number(value: float) -> str:
    """A number for a header."""
    return f"{value:.12g}"
