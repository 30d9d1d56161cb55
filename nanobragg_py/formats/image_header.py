"""What the headers of images say, whatever their format, and numbers and units in their text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from ..base.c_numbers import leading_real
from ..base.errors import InputError, shown
from ..base.memory import require_memory
from ..base.records import record
from ..base.vectors import RADIAN_IN_DEGREES, Vector, cross, dot, length

# As of option -energy: a header's energy gives the wavelength that the option gives.
_ENERGY_TIMES_WAVELENGTH_eV_A = 12398.42
# Units in headers, in metres.
_LENGTHS = {
    "m": 1.0, "metre": 1.0, "meter": 1.0, "metres": 1.0, "meters": 1.0, "cm": 1e-2, "mm": 1e-3, "um": 1e-6,
    "µm": 1e-6, "μm": 1e-6, "micron": 1e-6, "microns": 1e-6, "nm": 1e-9,
    "a": 1e-10, "å": 1e-10, "ang": 1e-10, "angstrom": 1e-10, "angstroms": 1e-10,
}  # fmt: skip
_ENERGIES_eV = {"ev": 1.0, "kev": 1e3, "mev": 1e6, "j": 1.0 / 1.602176634e-19}
_ANGLES_deg = {
    "deg": 1.0, "deg.": 1.0, "degree": 1.0, "degrees": 1.0, "°": 1.0,
    "rad": RADIAN_IN_DEGREES, "radian": RADIAN_IN_DEGREES, "radians": RADIAN_IN_DEGREES,
    "mrad": RADIAN_IN_DEGREES / 1000.0,
}  # fmt: skip
# An angle between detector and beam that is the rounding of a header and no tilt.
_UPRIGHT_deg = 1e-3
LARGEST_IMAGE = 2**31


@record
class ImageHeader:
    """What one image says of its size and geometry: metres, radians, pixels; None where it says nothing.

    beam_px, near_px: fast and slow of the direct beam, and of the point nearest to the sample, from the outer corner
    of the first pixel. Xbeam_m ... ORGY: the same as an SMV file says it, in the way of the run's convention.
    pixel_slow_m: the pixel's other side, where it differs. tilt_deg: between the detector's normal and the beam.
    spelled: field, and what stands in the file for it. remarks: what was read in part, or not at all.
    """

    fpixels: int
    spixels: int
    pixel_size_m: float | None = None
    pixel_slow_m: float | None = None
    distance_m: float | None = None
    close_distance_m: float | None = None
    wavelength_m: float | None = None
    phi: float | None = None
    osc: float | None = None
    beam_px: tuple[float, float] | None = None
    near_px: tuple[float, float] | None = None
    Xbeam_m: float | None = None
    Ybeam_m: float | None = None
    ORGX: float | None = None
    ORGY: float | None = None
    tilt_deg: float = 0.0
    spelled: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@record
class HeaderDefaults:
    """What headers say, in metres, radians and pixels, as defaults of options. None where nothing is said."""

    fpixels: int | None = None
    spixels: int | None = None
    pixel_size_m: float | None = None
    detsize_fast_m: float | None = None
    detsize_slow_m: float | None = None
    distance_m: float | None = None
    close_distance_m: float | None = None
    wavelength_m: float | None = None
    Xbeam_m: float | None = None
    Ybeam_m: float | None = None
    ORGX: float | None = None
    ORGY: float | None = None
    phi: float | None = None
    osc: float | None = None


def number(text: str) -> float | None:
    """The number that a text is, as C reads it; None for any other text, and for not-a-number, which is no value."""
    text = text.strip()
    value, used = leading_real(text)
    return None if used == 0 or used != len(text) or math.isnan(value) else value


def metres(value: float, unit: str, default: str = "m") -> float | None:
    """A length in metres; None if the unit is none of length."""
    scale = _LENGTHS.get((unit or default).lower())
    return None if scale is None else value * scale


def wavelength_in_metres(value: float, unit: str, default: str = "A") -> float | None:
    """Wavelength in metres, of a length or a photon energy; None if the unit is neither."""
    energy = _ENERGIES_eV.get((unit or default).lower())
    if energy is None:
        return metres(value, unit, default)
    return (_ENERGY_TIMES_WAVELENGTH_eV_A / (value * energy)) / 1.0e10 if value != 0.0 else None


def radians(value: float, unit: str = "deg") -> float | None:
    """An angle in radians; None if the unit is none of angle."""
    scale = _ANGLES_deg.get((unit or "deg").lower())
    return None if scale is None else value * scale / RADIAN_IN_DEGREES


def check_size(width: int, height: int, pixel_bytes: int, where: str) -> int:
    """Bytes of an image's pixels. Raises InputError for sizes that no image has, and that do not fit into memory."""
    if width <= 0 or height <= 0:
        raise InputError(f"{where}: it says {width} x {height} pixels; expected positive numbers")
    if width * height >= LARGEST_IMAGE:
        raise InputError(f"{where}: it says {width} x {height} pixels; expected fewer than 2^31")
    require_memory(width * height * pixel_bytes, f"{where}: an image of {width} x {height} pixels")
    return width * height * pixel_bytes


def positive(found: dict[str, Any], spelled: Mapping[str, str]) -> tuple[str, ...]:
    """Take out sizes that are not above 0, with which headers say that they do not know; what was taken out."""
    names = ("pixel_size_m", "pixel_slow_m", "distance_m", "close_distance_m", "wavelength_m")
    refused = [name for name in names if found.get(name) is not None and found[name] <= 0.0]
    for name in refused:
        del found[name]
    return tuple(f"'{spelled[name]}' is no value" for name in refused if name in spelled)


def placed(fast: Vector, slow: Vector, origin_m: Vector, beam: Vector, pixel_m: float) -> dict[str, Any]:
    """Near point, its distance and the tilt of a detector that lies at origin (first pixel's corner).

    Fields of ImageHeader; none for directions that are no axes of a detector.
    """
    normal = cross(fast, slow)
    size = length(normal) * length(beam)
    if not 0.0 < size < math.inf or not 0.0 < pixel_m < math.inf:
        return {}
    height = dot(origin_m, normal) / length(normal)
    towards = abs(dot(normal, beam)) / size
    tilt_deg = math.acos(min(towards, 1.0)) * RADIAN_IN_DEGREES
    near = (-dot(origin_m, fast) / length(fast) / pixel_m, -dot(origin_m, slow) / length(slow) / pixel_m)
    if not all(map(math.isfinite, (*near, height))) or height == 0.0:
        return {}
    return {
        "near_px": near,
        "close_distance_m": abs(height),
        "tilt_deg": tilt_deg if tilt_deg > _UPRIGHT_deg else 0.0,
    }


def own_facts(facts: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Fields of ImageHeader that an image written by --save says, in the names of its header; and their spelling."""
    found: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for name, keyword, scale in (
        ("wavelength_m", "wavelength_A", 1e-10),
        ("distance_m", "distance_mm", 1e-3),
        ("pixel_size_m", "pixel_mm", 1e-3),
        ("phi", "phi_start_deg", 1.0 / RADIAN_IN_DEGREES),
        ("osc", "osc_deg", 1.0 / RADIAN_IN_DEGREES),
    ):
        value = number(facts.get(keyword, ""))
        if value is not None:
            found[name], spelled[name] = value * scale, f"{keyword} = {shown(facts[keyword])}"
    beam = pair(facts.get("beam_center_fast_px", ""), facts.get("beam_center_slow_px", ""))
    if beam is not None:
        found["beam_px"] = beam
    return found, spelled


def own_directions(facts: Mapping[str, str], pixel_m: float | None) -> dict[str, Any]:
    """Near point, its distance and the tilt, from the vectors in the header of an image written by --save."""
    fast, slow, origin, beam = (
        _vector(facts.get(name, "")) for name in ("fast_axis", "slow_axis", "origin_mm", "beam_axis")
    )
    if fast is None or slow is None or origin is None or beam is None or pixel_m is None:
        return {}
    return placed(fast, slow, (origin[0] / 1000.0, origin[1] / 1000.0, origin[2] / 1000.0), beam, pixel_m)


def _vector(text: str) -> Vector | None:
    values = [number(word) for word in text.split()]
    if len(values) != 3 or any(value is None or math.isinf(value) for value in values):
        return None
    x, y, z = (value for value in values if value is not None)
    return (x, y, z)


def pair(first: str, second: str) -> tuple[float, float] | None:
    """Two numbers, or None if one is none."""
    a, b = number(first), number(second)
    return None if a is None or b is None else (a, b)
