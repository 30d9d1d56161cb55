"""Fluence, flux, exposure and beam size reconciled."""

from __future__ import annotations

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..model.beam import Intensity
from ..options.config import Config

DEFAULT_FLUENCE_PER_M2 = 125932015286227086360700780544.0


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
