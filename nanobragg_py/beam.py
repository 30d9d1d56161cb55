"""The beam: wavelength, intensity, polarization, and the sources that make up divergence and dispersion."""

from __future__ import annotations

import numpy as np

from .c_numbers import divide
from .config import Config, Vector
from .errors import InputError
from .records import record
from .sampling import Steps
from .vectors import scaled, turned_about, unit

DEFAULT_FLUENCE_PER_M2 = 125932015286227086360700780544.0
# Squared classical electron radius (Thomson cross section per steradian at full polarization), m².
R_E_SQR_M2 = 7.94079248018965e-30
SOURCE_DISTANCE_M = 10.0


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


def resolve_intensity(config: Config) -> Intensity:
    """The one place where fluence, flux, exposure and beam size are reconciled; flux wins over fluence."""
    size, exposure = config.beamsize_m, config.exposure_s
    fluence = DEFAULT_FLUENCE_PER_M2 if config.fluence_per_m2 is None else config.fluence_per_m2
    flux = config.flux_per_s
    if flux != 0.0 and exposure > 0.0 and size >= 0:
        if size == 0.0:
            raise InputError("-beamsize 0 with -flux: the fluence would be infinite; expected a beam size above 0 mm")
        fluence = divide(divide(flux * exposure, size), size)
    x, y, z = (value or 0.0 for value in (config.sample_x_m, config.sample_y_m, config.sample_z_m))
    height = y if 0 <= size < y else None
    width = z if 0 <= size < z else None
    if exposure > 0.0:
        flux = fluence / exposure * size * size
    sample = (x, size if height is not None else y, size if width is not None else z)
    return Intensity(fluence, flux, exposure, size, sample, height, width)


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


def generate_sources(
    beam_vector: Vector, polar_vector: Vector, vertical: Vector, wavelength_m: float,
    horizontal: Steps, upright: Steps, dispersion: Steps, rounded: bool,
) -> Sources:  # fmt: skip
    """A grid of directions (an ellipse of them, if rounded) times a row of wavelengths."""
    deviations = [
        (hdiv, vdiv)
        for hdiv in horizontal.positions(-horizontal.range / 2.0)
        for vdiv in upright.positions(-upright.range / 2.0)
        if not (rounded and _outside_ellipse(hdiv, vdiv, horizontal, upright))
    ]
    wavelengths = [
        wavelength_m * (1.0 + dispersion.step * tic - dispersion.range / 2.0) for tic in range(dispersion.count)
    ]
    back = scaled(beam_vector, -SOURCE_DISTANCE_M)
    points = [turned_about(turned_about(back, polar_vector, vdiv), vertical, hdiv) for hdiv, vdiv in deviations]
    count = len(points) * len(wavelengths)
    position = np.repeat(np.array(points, dtype=np.float64).reshape(-1, 3), len(wavelengths), axis=0)
    return Sources(
        position,
        _directions(position),
        np.full(count, 1.0 / count if count else 0.0),
        np.tile(np.array(wavelengths), len(points)),
        tuple(deviations),
        tuple(wavelengths),
        len(deviations),
    )


def _outside_ellipse(hdiv: float, vdiv: float, horizontal: Steps, upright: Steps) -> bool:
    """Whether a direction lies in a corner; a range of 0 gives not-a-number, which is inside."""
    test = _squared_fraction(hdiv, horizontal) + _squared_fraction(vdiv, upright)
    return test * 4.0 > 1.1


def _squared_fraction(angle: float, steps: Steps) -> float:
    centred = angle * angle - steps.step * steps.step / 4.0 * (1 - steps.count % 2)
    return divide(divide(centred, steps.range), steps.range)


def listed_sources(rows: np.ndarray, beam_vector: Vector, wavelength_m: float) -> Sources:
    """Sources from a file's rows (n, 5), nan where a column was missing: x, y, z in metres, weight, wavelength."""
    defaults = (*scaled(beam_vector, -SOURCE_DISTANCE_M), 1.0, wavelength_m)
    filled = np.where(np.isnan(rows), np.array(defaults), rows)
    position = np.ascontiguousarray(filled[:, :3])
    return Sources(position, _directions(position), filled[:, 3].copy(), filled[:, 4].copy())


def _directions(position_m: np.ndarray) -> np.ndarray:
    return np.array([unit((x, y, z)) for x, y, z in position_m.tolist()], dtype=np.float64).reshape(-1, 3)
