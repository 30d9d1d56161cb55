"""The detector from what was said: conventions, beam centre, pivot and rotations."""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from typing import TypeVar

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..base.memory import require_memory, require_room, size_text
from ..base.records import record
from ..base.vectors import Vector, combined, cross, dot, length, turned, turned_about, unit
from ..formats.image_header import HeaderDefaults
from ..model.detector import Axes, Detector, PivotInputs
from ..model.steps import Steps
from ..options.config import Config
from .sampling import RangeRules, range_from_parts, usable

T = TypeVar("T")
# What one layer of the sensor, and its line in the run log, takes while it is worked out (bytes).
LAYER_BYTES = 1200
# The image; what is written is converted piece by piece.
BYTES_PER_PIXEL = 4
# Where nothing else is said with custom axes.
PROGRAM_AXES = Axes(
    fdet=(0.0, 0.0, 1.0),
    sdet=(0.0, -1.0, 0.0),
    odet=(1.0, 0.0, 0.0),
    beam=(1.0, 0.0, 0.0),
    polar=(0.0, 0.0, 1.0),
    spindle=(0.0, 0.0, 1.0),
    twotheta=(0.0, 1.0, 0.0),
)


MOSFLM_AXES = replace(PROGRAM_AXES, twotheta=(0.0, 0.0, -1.0))


_X, _Y, _Z = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
CONVENTION_AXES = {
    "adxv": Axes(fdet=_X, sdet=(0.0, -1.0, 0.0), odet=_Z, beam=_Z, polar=_X, spindle=_X, twotheta=(-1.0, 0.0, 0.0)),
    "mosflm": MOSFLM_AXES,
    "denzo": MOSFLM_AXES,
    "xds": Axes(fdet=_X, sdet=_Y, odet=_Z, beam=_Z, polar=_X, spindle=_X, twotheta=_X),
    "dials": Axes(fdet=_X, sdet=_Y, odet=_Z, beam=_Z, polar=_Y, spindle=_Y, twotheta=_Y),
}


@record
class _Frame:
    """Size in pixels and metres."""

    fpixels: int
    spixels: int
    pixel_size_m: float
    fast_m: float
    slow_m: float


def resolve_detector(config: Config, header: HeaderDefaults) -> Detector:
    """Everything about the detector, in the C program's order. Raises InputError for an impossible one."""
    frame = _resolve_frame(config, header)
    near = _resolve_near_point(config, header, frame)
    axes, made = _resolve_axes(config)
    centre = _resolve_beam_centre(config, header, frame, near)
    distance = _first_or(100.0e-3, config.distance_m, header.distance_m)
    _require(distance, "-distance", "mm", 1e3)
    placed = _place(config, header, axes, centre, distance)
    layers, attenuation, assumed = _resolve_sensor(config)
    return Detector(
        convention=config.convention,
        pivot=centre.pivot,
        normal_was_made=made,
        fpixels=frame.fpixels,
        spixels=frame.spixels,
        pixel_size_m=frame.pixel_size_m,
        detsize_fast_m=frame.fast_m,
        detsize_slow_m=frame.slow_m,
        Xbeam_m=centre.Xbeam,
        Ybeam_m=centre.Ybeam,
        Xclose_m=near.Xclose,
        Yclose_m=near.Yclose,
        ORGX=placed.Fclose / frame.pixel_size_m + 0.5,
        ORGY=placed.Sclose / frame.pixel_size_m + 0.5,
        rotx=config.detector_rotx,
        roty=config.detector_roty,
        rotz=config.detector_rotz,
        twotheta=config.twotheta,
        thickness_m=layers.range,
        layers=layers,
        attenuation_per_m=attenuation,
        attenuation_was_assumed=assumed,
        curved=config.curved_detector,
        point_pixel=config.point_pixel,
        axes=placed.axes,
        unturned=axes,
        distance_m=placed.distance,
        close_distance_m=placed.close_distance,
        Fbeam_m=placed.Fbeam,
        Sbeam_m=placed.Sbeam,
        Fclose_m=placed.Fclose,
        Sclose_m=placed.Sclose,
        pix0_m=placed.pix0,
        dials_origin_mm=_dials_origin(placed.pix0),
        incident_in_detector=_seen_by_detector(placed.axes),
        given_pix0_m=config.pix0_vector,
        pivot_inputs=placed.pivot_inputs,
    )


def _first(*values: T | None) -> T | None:
    """The first value that was given."""
    return next((value for value in values if value is not None), None)


def _first_or(default: T, *values: T | None) -> T:
    """The first value that was given, or the default."""
    return next((value for value in values if value is not None), default)


def _require(value: float, option: str, unit_name: str, per_unit: float) -> None:
    if not value > 0.0 or math.isinf(value):
        raise InputError(f"{option}: expected a size above 0 {unit_name}, got {value * per_unit:g}")


def _resolve_frame(config: Config, header: HeaderDefaults) -> _Frame:
    size = _first_or(0.1e-3, config.pixel_size_m, header.pixel_size_m)
    _require(size, "-pixel", "mm", 1e3)
    fpixels = _first_or(0, config.detpixels_fast, header.fpixels)
    spixels = _first_or(0, config.detpixels_slow, header.spixels)
    for count in (fpixels, spixels):
        if count < 0:
            raise InputError(f"-detpixels: expected a positive number of pixels, got {count}")
    fast = size * fpixels if fpixels else _first_or(102.4e-3, config.detsize_fast_m, header.detsize_fast_m)
    slow = size * spixels if spixels else _first_or(102.4e-3, config.detsize_slow_m, header.detsize_slow_m)
    _require(fast, "-detsize", "mm", 1e3)
    _require(slow, "-detsize", "mm", 1e3)
    counts = [fast / size - 0.5, slow / size - 0.5]
    if max(counts) >= 2**31:
        needed = size_text(max(counts[0], 1.0) * max(counts[1], 1.0) * BYTES_PER_PIXEL)
        raise InputError(f"a detector of {counts[0]:.3g} x {counts[1]:.3g} pixels would need {needed} of memory")
    fpixels, spixels = (math.ceil(count) for count in counts)
    if fpixels < 1 or spixels < 1:
        raise InputError(f"the detector has {fpixels} x {spixels} pixels: expected at least one; see -detsize, -pixel")
    require_memory(fpixels * spixels * BYTES_PER_PIXEL, f"a detector of {fpixels} x {spixels} pixels")
    if fpixels * spixels >= 2**31:
        raise InputError(f"a detector of {fpixels} x {spixels} pixels: expected fewer than 2^31 pixels")
    return _Frame(fpixels, spixels, size, fast, slow)


@record
class _NearPoint:
    Fclose: float
    Sclose: float
    Xclose: float
    Yclose: float


def _resolve_near_point(config: Config, header: HeaderDefaults, frame: _Frame) -> _NearPoint:
    orgx, orgy = _first(config.ORGX, header.ORGX), _first(config.ORGY, header.ORGY)
    fclose = frame.fast_m / 2.0 if orgx is None else (orgx - 0.5) * frame.pixel_size_m
    sclose = frame.slow_m / 2.0 if orgy is None else (orgy - 0.5) * frame.pixel_size_m
    return _NearPoint(fclose, sclose, _first_or(fclose, config.Xclose_m), _first_or(sclose, config.Yclose_m))


def _resolve_axes(config: Config) -> tuple[Axes, bool]:
    """Unit vectors before any rotation of the detector, and whether the normal had to be made."""
    axes = CONVENTION_AXES.get(config.convention)
    if axes is None:
        axes = Axes(
            fdet=config.fdet_vector or PROGRAM_AXES.fdet,
            sdet=config.sdet_vector or PROGRAM_AXES.sdet,
            odet=config.odet_vector or PROGRAM_AXES.odet,
            beam=config.beam_vector or PROGRAM_AXES.beam,
            polar=config.polar_vector or PROGRAM_AXES.polar,
            spindle=config.spindle_axis or PROGRAM_AXES.spindle,
            twotheta=config.twotheta_axis or PROGRAM_AXES.twotheta,
        )
    fdet, sdet = unit(axes.fdet), unit(axes.sdet)
    made = length(axes.odet) != 1.0
    odet = unit(cross(fdet, sdet)) if made else unit(axes.odet)
    for name, vector in (("fdet", fdet), ("sdet", sdet), ("beam", axes.beam)):
        if not 0.0 < length(vector) < math.inf:
            shown = " ".join(f"{component:g}" for component in getattr(axes, name))
            raise InputError(f"-{name}_vector: expected a direction, got {shown}")
    if not length(odet) > 0.0:
        raise InputError("-fdet_vector and -sdet_vector are parallel: expected two directions that span the detector")
    return Axes(fdet, sdet, odet, unit(axes.beam), unit(axes.polar), unit(axes.spindle), axes.twotheta), made


@record
class _Centre:
    pivot: str
    Xbeam: float
    Ybeam: float
    Fbeam: float
    Sbeam: float
    Fclose: float
    Sclose: float


def _resolve_beam_centre(config: Config, header: HeaderDefaults, frame: _Frame, near: _NearPoint) -> _Centre:
    """Beam centre on the fast and slow axis; the convention decides the pivot, except with custom axes."""
    pixel = frame.pixel_size_m
    x, y = _first(config.Xbeam_m, header.Xbeam_m), _first(config.Ybeam_m, header.Ybeam_m)
    fclose, sclose = near.Fclose, near.Sclose
    if config.convention == "adxv":
        x = (frame.fast_m + pixel) / 2.0 if x is None else x
        y = (frame.slow_m - pixel) / 2.0 if y is None else y
        return _Centre("beam", x, y, x, frame.slow_m - y, fclose, sclose)
    if config.convention in ("mosflm", "denzo"):
        x = (frame.slow_m + pixel) / 2.0 if x is None else x
        y = (frame.fast_m + pixel) / 2.0 if y is None else y
        shift = (0.5 if config.convention == "mosflm" else 0.0) * pixel
        return _Centre("beam", x, y, y + shift, x + shift, fclose, sclose)
    x = near.Xclose if x is None else x
    y = near.Yclose if y is None else y
    if config.convention == "custom":
        return _Centre(config.pivot or "beam", x, y, x, y, x, y)
    return _Centre("sample", x, y, x, y, fclose, sclose)


@record
class _Placed:
    axes: Axes
    pix0: Vector
    distance: float
    close_distance: float
    Fbeam: float
    Sbeam: float
    Fclose: float
    Sclose: float
    pivot_inputs: PivotInputs


def _place(config: Config, header: HeaderDefaults, axes: Axes, centre: _Centre, distance: float) -> _Placed:
    """Turn the detector about its pivot, and find beam centre and nearest point of where it then is."""
    angles = (config.detector_rotx, config.detector_roty, config.detector_rotz)
    ratio = dot(axes.beam, turned(axes.odet, *angles)) or sys.float_info.min
    close = _first(config.close_distance_m, header.close_distance_m)
    if close is None:
        close = abs(ratio * distance)
    _require(close, "-close_distance", "mm", 1e3)
    distance = close / ratio

    def swing(vector: Vector) -> Vector:
        return turned_about(turned(vector, *angles), axes.twotheta, config.twotheta)

    fdet, sdet, odet = swing(axes.fdet), swing(axes.sdet), swing(axes.odet)
    if not all(map(math.isfinite, (*fdet, *sdet, *odet))):
        shown = " ".join(f"{component:g}" for component in axes.twotheta)
        raise InputError(f"-twotheta_axis {shown}: expected a direction of unit length")
    if centre.pivot == "sample":
        pix0 = swing(combined(centre.Fclose, axes.fdet, centre.Sclose, axes.sdet, close, axes.odet))
    else:
        pix0 = combined(centre.Fbeam, fdet, centre.Sbeam, sdet, distance, axes.beam)
    if config.fixes.pix0 and config.pix0_vector is not None:
        pix0 = config.pix0_vector
        if not dot(pix0, odet) > 0.0:
            shown = " ".join(f"{component:g}" for component in pix0)
            raise InputError(
                f"-pix0_vector {shown}: expected a point (m) on the side that the detector's normal points to"
            )
    start = PivotInputs(centre.Fbeam, centre.Sbeam, distance)
    fclose, sclose, close = -dot(pix0, fdet), -dot(pix0, sdet), dot(pix0, odet)
    distance = close / ratio
    (bx, by, bz), (px, py, pz) = axes.beam, pix0
    impact = (distance * bx - px, distance * by - py, distance * bz - pz)
    return _Placed(
        replace(axes, fdet=fdet, sdet=sdet, odet=odet),
        pix0,
        distance,
        close,
        dot(fdet, impact),
        dot(sdet, impact),
        fclose,
        sclose,
        start,
    )


def _dials_origin(pix0: Vector) -> Vector:
    """First pixel's corner in DIALS' laboratory axes, mm (sums written out: they decide the sign of zero)."""
    return (
        1000.0 * dot(pix0, (0.0, 0.0, 1.0)),
        1000.0 * dot(pix0, (0.0, 1.0, 0.0)),
        1000.0 * dot(pix0, (-1.0, 0.0, 0.0)),
    )


def _seen_by_detector(axes: Axes) -> Vector:
    return (dot(axes.beam, axes.fdet), dot(axes.beam, axes.sdet), dot(axes.beam, axes.odet))


def _resolve_sensor(config: Config) -> tuple[Steps, float, bool]:
    """Layers of the sensor, 1/attenuation length, and whether that had to be assumed."""
    thickness = config.thickness_m or 0.0
    attenuation = -1.0 if config.attenuation_per_m is None else config.attenuation_per_m
    rules = RangeRules(halves_the_range=True, range_for_count=0.5e-6)
    asked_for = range_from_parts(thickness, -1.0, config.thickness_steps or -1, rules)
    layers = usable(asked_for)
    require_room(layers.count, LAYER_BYTES, "layers of the sensor")
    if config.fixes.layers and layers.range > 0.0:
        # The C program puts them T/(N-1) apart, so that the last one lies behind the sensor.
        layers = replace(layers, step=layers.range / layers.count)
    # The C program assumes a depth before it finds out that there may be no layers.
    assumed = asked_for.range > 0.0 and attenuation < 0.0
    if assumed:
        attenuation = divide(1.0, asked_for.range)
    return layers, attenuation, assumed
