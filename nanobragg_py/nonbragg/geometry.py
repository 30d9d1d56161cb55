"""Where nonBragg's detector is, in the C program's order of operations; lengths in metres, angles in radians."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..base.memory import require_memory
from ..base.vectors import Vector, combined, cross, dot, turned, turned_about, unit
from ..model.region import Region
from .input_image import Header
from .options import Settings

DEFAULT_PIXEL_SIZE_M = 0.1e-3
DEFAULT_DETSIZE_M = 102.4e-3
DEFAULT_DISTANCE_M = 100.0e-3
# Image, conversions and what else is kept of a pixel.
BYTES_PER_PIXEL = 8
MOST_PIXELS = 2**31 - 11


@dataclass(frozen=True)
class Frame:
    """Size in pixels and metres. more_than_asked: whether rounding gave more pixels than the size over a pixel's."""

    fpixels: int
    spixels: int
    pixel_size_m: float
    fast_m: float
    slow_m: float
    more_than_asked: bool

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.fpixels * self.spixels


@dataclass(frozen=True)
class Geometry:
    """The detector after all turns; near point and beam centre as in the log and the header.

    away_from_spots_m: how far the beam centre lies from nanoBragg's for the same words, fast and slow.
    """

    frame: Frame
    region: Region
    pivot: str
    fdet: Vector
    sdet: Vector
    odet: Vector
    beam: Vector
    polar: Vector
    pix0_m: Vector
    distance_m: float
    close_distance_m: float
    Xbeam_m: float
    Ybeam_m: float
    Xclose_m: float
    Yclose_m: float
    away_from_spots_m: tuple[float, float]


def first(*values: float | None) -> float | None:
    """The first value that was given."""
    return next((value for value in values if value is not None), None)


def first_or(default: float, *values: float | None) -> float:
    """The first value that was given, or the default."""
    found = first(*values)
    return default if found is None else found


def resolve_frame(s: Settings, header: Header) -> Frame:
    """Size of the detector. Raises InputError for an impossible one."""
    pixel = first_or(DEFAULT_PIXEL_SIZE_M, s.pixel_size_m, header.pixel_size_m)
    if not 0.0 < pixel < math.inf:
        raise InputError(f"-pixel: expected a size above 0 mm, got {pixel * 1e3:g}")
    lengths = []
    said = ((s.fpixels, header.fpixels, s.detsize_fast_m), (s.spixels, header.spixels, s.detsize_slow_m))
    for own, of_header, size in said:
        count = int(first_or(0, own, of_header))
        if count < 0:
            raise InputError(f"-detpixels: expected a positive number of pixels, got {count}")
        header_size = None if of_header is None else of_header * (header.pixel_size_m or DEFAULT_PIXEL_SIZE_M)
        lengths.append(pixel * count if count else first_or(DEFAULT_DETSIZE_M, size, header_size))
    fast, slow = lengths
    if not (0.0 < fast < math.inf and 0.0 < slow < math.inf):
        raise InputError(f"-detsize: expected sizes above 0 mm, got {fast * 1e3:g} x {slow * 1e3:g}")
    counts = (fast / pixel, slow / pixel)
    if not max(counts) < 2.0**31:
        raise InputError(f"a detector of {counts[0]:.3g} x {counts[1]:.3g} pixels: expected fewer than 2^31")
    rounded_up, nearest = ([math.ceil(count - part) for count in counts] for part in (0.0, 0.5))
    fpixels, spixels = nearest if s.fixes.pixels else rounded_up
    if fpixels < 1 or spixels < 1:
        raise InputError(f"the detector has {fpixels} x {spixels} pixels: expected at least one; see -detsize, -pixel")
    if fpixels * spixels > MOST_PIXELS:
        raise InputError(f"a detector of {fpixels} x {spixels} pixels: expected fewer than 2^31 pixels")
    require_memory(fpixels * spixels * BYTES_PER_PIXEL, f"a detector of {fpixels} x {spixels} pixels")
    return Frame(fpixels, spixels, pixel, fast, slow, rounded_up != nearest)


def resolve_geometry(s: Settings, header: Header) -> Geometry:
    """Everything about the detector. Raises InputError for an impossible one."""
    frame = resolve_frame(s, header)
    pixel = frame.pixel_size_m
    beam, polar = unit(s.beam_vector), unit(s.polar_vector)
    fdet, sdet = unit(s.fdet_vector), unit(s.sdet_vector)
    odet = unit(cross(fdet, sdet))
    if not any(beam):
        raise InputError("-beam_vector: expected a direction, got 0 0 0")
    if not any(odet):
        raise InputError("-fdet_vector and -sdet_vector: expected two directions that span the detector")
    orgx, orgy = first(s.ORGX, header.ORGX), first(s.ORGY, header.ORGY)
    Xclose = s.Xclose_m if orgx is None else orgx * pixel
    Yclose = s.Yclose_m if orgy is None else orgy * pixel
    near = (first_or((frame.fast_m - pixel) / 2.0, Xclose), first_or((frame.slow_m + pixel) / 2.0, Yclose))
    as_said = (first(s.Xbeam_m, header.Xbeam_m), first(s.Ybeam_m, header.Ybeam_m))
    centre = (first_or(near[0], as_said[0]), first_or(near[1], as_said[1]))
    spots = centre_of_spots(frame, *as_said)
    away = (0.0, 0.0)
    if s.pivot == "beam":
        away = (centre[0] - spots[0], centre[1] - spots[1])
        centre = spots if s.fixes.centre else centre
    distance = first_or(DEFAULT_DISTANCE_M, s.distance_m, header.distance_m)
    close = first(s.close_distance_m, header.close_distance_m)
    angles = (s.rotx, s.roty, s.rotz)
    ratio = dot(beam, turned(odet, *angles)) or sys.float_info.min
    close = ratio * distance if close is None else close
    distance = close / ratio

    def swing(vector: Vector) -> Vector:
        return turned_about(turned(vector, *angles), s.twotheta_axis, s.twotheta)

    pix0 = swing(combined(*_pairs(near, fdet, sdet), close, odet))
    fdet, sdet, odet = swing(fdet), swing(sdet), swing(odet)
    if s.pivot == "beam":
        pix0 = combined(*_pairs(centre, fdet, sdet), distance, beam)
    close = dot(pix0, odet)
    distance = divide(close, ratio)
    impact = (distance * beam[0] - pix0[0], distance * beam[1] - pix0[1], distance * beam[2] - pix0[2])
    if not all(map(math.isfinite, (*fdet, *sdet, *odet, *pix0, *impact, distance, close))):
        raise InputError("the detector's position is beyond what can be computed: see -distance, -twotheta_axis")
    return Geometry(
        frame, _region(s, frame), s.pivot, fdet, sdet, odet, beam, polar, pix0, distance, close,
        dot(fdet, impact), dot(sdet, impact), -dot(pix0, fdet), -dot(pix0, sdet), away,
    )  # fmt: skip


def _pairs(at: tuple[float, float], fdet: Vector, sdet: Vector) -> tuple[float, Vector, float, Vector]:
    return at[0], fdet, at[1], sdet


def centre_of_spots(frame: Frame, Xbeam: float | None, Ybeam: float | None) -> tuple[float, float]:
    """Where nanoBragg puts the beam for the same words, in its default convention: fast and slow, metres."""
    pixel = frame.pixel_size_m
    x = (frame.slow_m + pixel) / 2.0 if Xbeam is None else Xbeam
    y = (frame.fast_m + pixel) / 2.0 if Ybeam is None else Ybeam
    return y + 0.5 * pixel, x + 0.5 * pixel


def _region(s: Settings, frame: Frame) -> Region:
    """Limits that are negative or not given become the detector's, one pixel more at the ends."""
    return Region(
        max(s.roi_fast_first, 0),
        frame.fpixels if s.roi_fast_last < 0 else s.roi_fast_last,
        max(s.roi_slow_first, 0),
        frame.spixels if s.roi_slow_last < 0 else s.roi_slow_last,
    )
