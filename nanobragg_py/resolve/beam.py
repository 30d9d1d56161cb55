"""The beam from what was said: wavelength, and fluence, flux, exposure and beam size reconciled."""

from __future__ import annotations

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..base.vectors import Vector
from ..formats.image_header import HeaderDefaults
from ..model.beam import Beam, Intensity
from ..options.config import Config
from .sampling import resolve_range

DEFAULT_FLUENCE_PER_M2 = 125932015286227086360700780544.0
DEFAULT_WAVELENGTH_M = 1e-10


def resolve_beam(config: Config, header: HeaderDefaults) -> Beam:
    """The beam; its sources are resolved by sources.py. Raises InputError for an impossible wavelength or size."""
    said = (config.wavelength_m, header.wavelength_m)
    wavelength = next((value for value in said if value is not None), DEFAULT_WAVELENGTH_M)
    if not 0.0 < wavelength < 1.0:
        raise InputError(f"-lambda: expected a wavelength above 0 Å, got {wavelength * 1e10:g}")
    return Beam(
        wavelength_m=wavelength,
        intensity=resolve_intensity(config),
        kahn_factor=config.polarization,
        polarized=not config.nopolar,
        horizontal=resolve_range(config.hdiv_range, config.hdiv_step, config.hdiv_steps),
        vertical=resolve_range(config.vdiv_range, config.vdiv_step, config.vdiv_steps),
        dispersion=resolve_range(config.dispersion, None, config.dispersion_steps),
    )


def resolve_intensity(config: Config) -> Intensity:
    """The one place where fluence, flux, exposure and beam size are reconciled; flux wins over fluence."""
    size, exposure = config.beamsize_m, config.exposure_s
    fluence = DEFAULT_FLUENCE_PER_M2 if config.fluence_per_m2 is None else config.fluence_per_m2
    flux = config.flux_per_s
    if flux != 0.0 and exposure > 0.0 and size >= 0:
        if size == 0.0:
            raise InputError("-beamsize 0 with -flux: the fluence would be infinite; expected a beam size above 0 mm")
        fluence = divide(divide(flux * exposure, size), size)
    if exposure > 0.0:
        flux = fluence / exposure * size * size
    _, height, width = _given_sample(config)
    return Intensity(
        fluence_per_m2=fluence,
        flux_per_s=flux,
        exposure_s=exposure,
        beamsize_m=size,
        clipped_height_m=height if 0 <= size < height else None,
        clipped_width_m=width if 0 <= size < width else None,
    )


def sample_size(config: Config, intensity: Intensity) -> Vector:
    """Size of the sample along a, b, c in metres, clipped by the beam; 0 where not given."""
    x, y, z = _given_sample(config)
    size = intensity.beamsize_m
    return (
        x,
        y if intensity.clipped_height_m is None else size,
        z if intensity.clipped_width_m is None else size,
    )


def _given_sample(config: Config) -> Vector:
    return (config.sample_x_m or 0.0, config.sample_y_m or 0.0, config.sample_z_m or 0.0)
