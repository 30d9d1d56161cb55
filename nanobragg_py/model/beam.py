"""The beam: wavelength, intensity, polarization, and the points that it comes from."""

from __future__ import annotations

import numpy as np

from ..base.records import record
from .steps import Steps

# Squared classical electron radius (Thomson cross section per steradian at full polarization), m².
R_E_SQR_M2 = 7.94079248018965e-30


@record
class Intensity:
    """Photons per m² and how they come about.

    clipped_height_m, clipped_width_m: what the sample measured before the beam clipped it; None where it did not.
    """

    fluence_per_m2: float
    flux_per_s: float
    exposure_s: float
    beamsize_m: float
    clipped_height_m: float | None
    clipped_width_m: float | None


@record
class Beam:
    """The beam as a whole.

    kahn_factor: degree of polarization of Kahn et al. (1982), -1 to 1; polarized: whether the polarization factor is
    applied at all. horizontal, vertical: divergence in radians; dispersion: width of the spectrum over the wavelength.
    """

    wavelength_m: float
    intensity: Intensity
    kahn_factor: float
    polarized: bool
    horizontal: Steps
    vertical: Steps
    dispersion: Steps


@record
class Sources:
    """Points that the beam comes from.

    position_m: float64 (n, 3), as given or made. direction: float64 (n, 3), unit vectors from the sample to each.
    weight: float64 (n,), as given. share: float64 (n,), what multiplies each one's photons, 1 on average.
    wavelength_m: float64 (n,). deviations_rad and wavelengths_m are what a generated beam was made of;
    divergence_steps is -1 for a list.
    """

    position_m: np.ndarray
    direction: np.ndarray
    weight: np.ndarray
    share: np.ndarray
    wavelength_m: np.ndarray
    deviations_rad: tuple[tuple[float, float], ...] = ()
    wavelengths_m: tuple[float, ...] = ()
    divergence_steps: int = -1

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.weight)

    @property
    def listed(self) -> bool:
        """Whether they came from a list."""
        return self.divergence_steps < 0
