"""Values that are possible, and more likely a slip: another unit, radians for degrees, limits in the wrong order."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ..base.vectors import RADIAN_IN_DEGREES
from ..model.beam import Beam
from ..model.detector import Detector
from ..model.region import Region
from ..options.config import Config

# What X-ray diffraction of crystals is done with, generously.
WAVELENGTHS_A = (0.02, 50.0)
DISTANCES_MM = (1.0, 1e5)
PIXELS_MM = (5e-4, 20.0)
# Planck's constant times the speed of light, as -energy has it.
KEV_A = 12.39842
# No angle of a cell is as small in degrees; the angles of any cell are, in radians (degrees).
SMALLEST_CELL_ANGLE = 3.3
# How near an angle in degrees must be to a right or a straight angle in radians (degrees).
LIKE_RADIANS = 1e-3


def doubts(config: Config, beam: Beam, detector: Detector, region: Region) -> Iterator[str]:
    """Lines that tell of them."""
    wavelength_A = beam.wavelength_m * 1e10
    if not _within(wavelength_A, WAVELENGTHS_A):
        energy = f"{KEV_A / wavelength_A:.4g} keV"
        yield f"the wavelength is {wavelength_A:g} Å ({energy}): -lambda takes Å, -energy eV"
    distance_mm, pixel_mm = detector.distance_m * 1e3, detector.pixel_size_m * 1e3
    if not _within(abs(distance_mm), DISTANCES_MM):
        yield f"the detector is {distance_mm:g} mm from the sample: -distance takes mm"
    if not _within(pixel_mm, PIXELS_MM):
        yield f"a pixel measures {pixel_mm:g} mm: -pixel takes mm"
    yield from _angles(config)
    yield from _cells(config)
    inside = region.clipped(detector.fpixels, detector.spixels)
    if inside.fast_first > inside.fast_last or inside.slow_first > inside.slow_last:
        limits = " ".join(str(limit) for limit in region.limits)
        yield (
            f"-roi {limits} leaves none of the {detector.fpixels} x {detector.spixels} pixels: it takes the first and "
            "the last fast, the first and the last slow one"
        )


def _within(value: float, limits: tuple[float, float]) -> bool:
    return limits[0] <= value <= limits[1]


def _angles(config: Config) -> Iterator[str]:
    """Angles that look like radians."""
    degrees = [angle * RADIAN_IN_DEGREES for angle in (config.cell or ())[3:]]
    if degrees and max(degrees) < SMALLEST_CELL_ANGLE:
        yield f"the cell's angles are {_shown(degrees)} degrees: -cell takes degrees, and these look like radians"
    turns = {
        "-misset": config.misset or (),
        "-phi": (config.phi,),
        "-twotheta": (config.twotheta,),
        "-detector_rotx": (config.detector_rotx,),
        "-detector_roty": (config.detector_roty,),
        "-detector_rotz": (config.detector_rotz,),
    }
    for option, angles in turns.items():
        degrees = [angle * RADIAN_IN_DEGREES for angle in angles if angle is not None]
        if any(abs(abs(angle) - turn) < LIKE_RADIANS for angle in degrees for turn in (math.pi / 2.0, math.pi)):
            yield f"{option} {_shown(degrees)} is in degrees, and looks like radians"


def _cells(config: Config) -> Iterator[str]:
    """Numbers of cells below one."""
    counts = {"-Na": config.Na, "-Nb": config.Nb, "-Nc": config.Nc}
    few = {option: count for option, count in counts.items() if count is not None and count < 1}
    if few:
        given = f"-N {config.Na}" if len(few) == 3 and len(set(few.values())) == 1 else _listed(few)
        yield f"{given}: a crystal has at least one cell along each axis, and gets one"


def _listed(counts: dict[str, int]) -> str:
    return " ".join(f"{option} {count}" for option, count in counts.items())


def _shown(degrees: list[float]) -> str:
    return " ".join(f"{angle:g}" for angle in degrees)
