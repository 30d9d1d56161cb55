"""-img and -mask in formats other than the C program's SMV: whatever fabio reads, NPY and PGM, told by content.

Of miniCBF (Pilatus, Eiger) the header gives detector, distance, wavelength, beam centre and spindle angles, in its own
units and conventions (Dectris, "CBF header for Pilatus and Eiger"; beam centres are counted from the outer corner of
the first pixel, as dxtbx does). SMV files that do not begin as the C program wants it are read by their keywords. Of
anything else only the number of pixels is known.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace

import numpy as np

from ..base.errors import InputError, note
from ..base.vectors import RADIAN_IN_DEGREES
from .any_image import read_npy, read_pgm, read_with_fabio, two_dimensional
from .smv import HeaderDefaults, add_header

C_PROGRAMS_START = b"{\nHEADER_BYT"
_NUMBER = r"([-+]?[\d.]+(?:[eE][-+]?\d+)?)"
_PAIR = r"\(?\s*" + _NUMBER + r"\s*,\s*" + _NUMBER
# Keyword of a miniCBF header, what follows it, and how many of the unit's go into ours.
MINI_CBF = {
    "pixel_size_m": (r"Pixel_size\s+" + _NUMBER + r"\s*m\b", 1.0),
    "distance_m": (r"Detector_distance\s+" + _NUMBER + r"\s*m\b", 1.0),
    "wavelength_m": (r"Wavelength\s+" + _NUMBER + r"\s*A", 1e10),
    "phi": (r"Start_angle\s+" + _NUMBER + r"\s*deg", RADIAN_IN_DEGREES),
    "osc": (r"Angle_increment\s+" + _NUMBER + r"\s*deg", RADIAN_IN_DEGREES),
}


BEAM_XY = re.compile(r"Beam_xy\s+" + _PAIR)


@dataclass(frozen=True)
class Geometry:
    """What a header says: SI units and radians, None where it says nothing; beam in pixels from the outer corner."""

    pixel_size_m: float | None = None
    distance_m: float | None = None
    wavelength_m: float | None = None
    phi: float | None = None
    osc: float | None = None
    beam_px: tuple[float, float] | None = None


def is_foreign(path: str) -> bool:
    """Whether a file is a regular one that does not begin as the C program's SMV."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            start = file.read(len(C_PROGRAMS_START))
    except (OSError, ValueError):
        return False
    return bool(start) and start != C_PROGRAMS_START


def read_pixels(path: str, option: str) -> tuple[np.ndarray, str]:
    """Pixels (slow, fast) and the format's name. Raises InputError for what is no image."""
    with open(path, "rb") as file:
        start = file.read(16)
    if start.startswith(b"\x93NUMPY"):
        return two_dimensional(path, read_npy(path)), "NPY"
    if re.match(rb"P[25]\s", start):
        return read_pgm(path), "PGM"
    try:
        image = read_with_fabio(path)
    except InputError as error:
        raise InputError(
            f"{path}: {option} expects an SMV (ADSC) image, which starts with '{{' and HEADER_BYTES, "
            f"or another format that fabio reads: {str(error).removeprefix(f'{path}: ')}"
        ) from error
    return image.pixels, image.format


def add_foreign_header(defaults: HeaderDefaults, path: str, option: str, convention: str) -> HeaderDefaults:
    """Defaults with what a foreign image says on top; what was taken is said on standard error."""
    pixels, form = read_pixels(path, option)
    height, width = pixels.shape
    if form == "SMV":
        note(f"{path}: {option}: SMV, by its keywords, {width} x {height} pixels")
        return add_header(defaults, _smv_text(path, width, height), flip_Y=False)
    geometry = mini_cbf_geometry(_text_of(path)) if form == "CBF" else Geometry()
    size = geometry.pixel_size_m or defaults.pixel_size_m or 0.1e-3
    found = {
        "fpixels": width, "spixels": height, "pixel_size_m": size,
        "detsize_fast_m": size * width, "detsize_slow_m": size * height,
    }  # fmt: skip
    for name in ("distance_m", "wavelength_m", "phi", "osc"):
        value = getattr(geometry, name)
        if value is not None:
            found[name] = value
    if geometry.beam_px is not None:
        found |= beam_centre(geometry.beam_px, size, height, convention)
    note(f"{path}: {option}: {form}, {width} x {height} pixels{_in_words(geometry)}")
    return replace(defaults, **found)


def beam_centre(beam_px: tuple[float, float], size_m: float, height: int, convention: str) -> dict[str, float]:
    """Beam centre (fast, slow, in pixels from the outer corner) as a convention's Xbeam and Ybeam, and XDS's origin."""
    fast, slow = (value * size_m for value in beam_px)
    half = 0.5 * size_m
    x, y = {
        "adxv": (fast, height * size_m - slow),
        "mosflm": (slow - half, fast - half),
        "denzo": (slow, fast),
    }.get(convention, (fast, slow))
    return {"Xbeam_m": x, "Ybeam_m": y, "ORGX": beam_px[0] + 0.5, "ORGY": beam_px[1] + 0.5}


def mini_cbf_geometry(header: str) -> Geometry:
    """What the text of a miniCBF header says; numbers that cannot be (a wavelength of 0) are left out."""
    found: dict[str, float] = {}
    for name, (pattern, scale) in MINI_CBF.items():
        match = re.search(pattern, header)
        value = _number(match[1]) if match else None
        if value is not None and (name in ("phi", "osc") or value > 0.0):
            found[name] = value / scale
    match = BEAM_XY.search(header)
    beam = (_number(match[1]), _number(match[2])) if match else None
    return Geometry(**found, beam_px=None if beam is None or None in beam else beam)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _text_of(path: str) -> str:
    """The header of a CBF: what stands before the binary section."""
    with open(path, "rb") as file:
        return file.read(1 << 16).partition(b"--CIF-BINARY-FORMAT-SECTION--")[0].decode("latin-1")


def _smv_text(path: str, width: int, height: int) -> str:
    """Keywords of an SMV header, one `NAME=value;` each, without blanks and carriage returns."""
    with open(path, "rb") as file:
        text = file.read(1 << 14).partition(b"}")[0].decode("latin-1")
    pairs = re.findall(r"^\s*(\w+)\s*=\s*([^;\n]*)", text, re.MULTILINE)
    known = {name: value.strip() for name, value in pairs} | {"SIZE1": str(width), "SIZE2": str(height)}
    return "".join(f"{name}={value};\n" for name, value in known.items())


def _in_words(g: Geometry) -> str:
    """Geometry for people."""
    parts = (
        ("pixel %g mm", g.pixel_size_m, 1e3),
        ("distance %g mm", g.distance_m, 1e3),
        ("wavelength %g Å", g.wavelength_m, 1e10),
        ("start angle %g°", g.phi, RADIAN_IN_DEGREES),
        ("width %g°", g.osc, RADIAN_IN_DEGREES),
    )
    words = [template % (value * scale) for template, value, scale in parts if value is not None]
    if g.beam_px is not None:
        words.append("beam at fast %g slow %g px" % g.beam_px)
    return "".join(f", {word}" for word in words)


def foreign_mask(path: str) -> np.ndarray:
    """A mask, uint16 (slow, fast), 0 = skip: pixels that are 0, not a number, or marked as no data by their detector.

    Detectors mark gaps and bad pixels with negative numbers, or with the largest of an unsigned 32- or 64-bit type.
    """
    pixels, _ = read_pixels(path, "-mask")
    keep = pixels > 0
    if pixels.dtype.kind == "u" and pixels.dtype.itemsize >= 4:
        keep &= pixels != np.iinfo(pixels.dtype).max
    return np.ascontiguousarray(keep).astype(np.uint16)
