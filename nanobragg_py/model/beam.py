"""The beam: wavelength, intensity, polarization, and the sources that make up divergence and dispersion."""

from __future__ import annotations

import numpy as np

from ..base.records import record
from ..base.vectors import Vector

# Squared classical electron radius (Thomson cross section per steradian at full polarization), m².
R_E_SQR_M2 = 7.94079248018965e-30


@record
class Intensity:
    """Photons per m² and how they come about; sample sizes after clipping by the beam (metres, 0 = not given)."""

    fluence_per_m2: float
    flux_per_s: float
    exposure_s: float
    beamsize_m: float
    sample_m: Vector
    clipped_height_m: float | None
    clipped_width_m: float | None


@record
class Sources:
    """Points that the beam comes from.

    position_m: (n, 3) as given or made; direction: (n, 3) unit vectors from the sample to each; weight: (n,),
    which nothing uses; wavelength_m: (n,). deviations_rad and wavelengths_m are what a generated beam was made of.
    """

    position_m: np.ndarray
    direction: np.ndarray
    weight: np.ndarray
    wavelength_m: np.ndarray
    deviations_rad: tuple[tuple[float, float], ...] = ()
    wavelengths_m: tuple[float, ...] = ()
    divergence_steps: int = -1
