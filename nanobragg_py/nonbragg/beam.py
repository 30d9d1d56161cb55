"""nonBragg's beam and sample: sources, fluence, how many molecules the beam sees."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..base.memory import require_room
from ..formats.tables import read_columns
from ..model.amorphous import density_of, molecules_in
from ..model.beam import Beam, Intensity, Sources
from ..model.detector import Axes
from ..resolve.sampling import resolve_phi, resolve_range
from ..resolve.sources import SOURCE_BYTES, generated_sources, listed_sources
from .geometry import Geometry, first, first_or
from .input_image import Header
from .options import Settings

DEFAULT_WAVELENGTH_M = 1e-10


@dataclass(frozen=True)
class Sample:
    """Size in metres after the beam has clipped it; density in g/m³.

    clipped: height and width (m) that were clipped, None where they were not.
    """

    x_m: float
    y_m: float
    z_m: float
    density_g_per_m3: float
    molecular_weight: float
    molecules: float
    clipped: tuple[float | None, float | None]


def resolve_sample(s: Settings) -> Sample:
    """The part of the sample that is in the beam, and its molecules. Raises InputError for an impossible one."""
    height, width, size = s.sample_y_m, s.sample_z_m, s.beamsize_m
    clipped = (height if 0 <= size < height else None, width if 0 <= size < width else None)
    y, z = height if clipped[0] is None else size, width if clipped[1] is None else size
    volume = s.sample_x_m * y * z
    density = s.density_g_per_m3
    if s.molecules != 0.0:
        density = density_of(s.molecules, volume, s.molecular_weight)
    molecules = molecules_in(volume, density, s.molecular_weight)
    if not math.isfinite(molecules):
        raise InputError(f"{molecules:g} molecules in the beam: expected sizes and a weight above 0: -samplesize, -MW")
    return Sample(s.sample_x_m, y, z, density, s.molecular_weight, molecules, clipped)


def resolve_fluence(s: Settings) -> float:
    """Photons per m²; the flux wins. Raises InputError for an infinite one."""
    size = s.beamsize_m
    if s.flux_per_s != 0.0 and s.exposure_s > 0.0 and size >= 0:
        fluence = divide(divide(s.flux_per_s * s.exposure_s, size), size)
        if not math.isfinite(fluence):
            raise InputError(f"-beamsize {size * 1e3:g} with -flux: the fluence would be infinite")
        return fluence
    return s.fluence_per_m2


def resolve_beam(s: Settings, header: Header) -> Beam:
    """Wavelength, divergence and dispersion. Raises InputError for an impossible wavelength."""
    wavelength = first_or(DEFAULT_WAVELENGTH_M, s.wavelength_m, header.wavelength_m)
    if not 0.0 < wavelength < 1.0:
        raise InputError(f"-lambda: expected a wavelength above 0 Å, got {wavelength * 1e10:g}")
    fluence = resolve_fluence(s)
    return Beam(
        wavelength_m=wavelength,
        intensity=Intensity(fluence, s.flux_per_s, s.exposure_s, s.beamsize_m, None, None),
        kahn_factor=s.polarization,
        polarized=not s.nopolar,
        horizontal=resolve_range(s.hdiv_range, s.hdiv_step, s.hdiv_steps),
        vertical=resolve_range(s.vdiv_range, s.vdiv_step, s.vdiv_steps),
        dispersion=resolve_range(s.dispersion, None, s.dispersion_steps),
    )


def resolve_osc(s: Settings, header: Header) -> float:
    """The oscillation range of the header, radians."""
    return resolve_phi(first(s.osc, header.osc), s.phi_step, s.phi_steps).range


def resolve_sources(s: Settings, beam: Beam, g: Geometry) -> Sources:
    """Sources of a list, or a grid of divergence and dispersion. Raises InputError."""
    # Of the axes, sources know the beam's and the polarization's only.
    axes = Axes(g.fdet, g.sdet, g.odet, g.beam, g.polar, g.polar, s.twotheta_axis)
    if s.source_file is not None:
        rows = read_columns(s.source_file, 5, "-sourcefile")
        return listed_sources(rows, s.source_file, beam, axes, distance_m=s.source_distance_m)
    require_room(beam.horizontal.count * beam.vertical.count * beam.dispersion.count, SOURCE_BYTES, "sources")
    sources = generated_sources(beam, axes, s.round_divergence, s.source_distance_m)
    if not sources.count:
        raise InputError("the divergence steps leave no source inside the ellipse: give more steps, or -square_div")
    if not min(sources.wavelengths_m) > 0.0:
        raise InputError(f"-dispersion {100 * beam.dispersion.range:g} %: expected wavelengths above 0 only")
    if not np.any(sources.direction != 0.0, axis=1).all():
        raise InputError("-source_distance 0: expected sources elsewhere than at the sample")
    return sources


def weights(sources: Sources) -> np.ndarray:
    """What each source's scattering is multiplied by, float64 (n,): its weight in a list, 1 of a grid."""
    return sources.weight if sources.listed else sources.share
