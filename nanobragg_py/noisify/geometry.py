"""Size and geometry of noisify's image: from options, from a header, or guessed from the number of pixels."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..base.c_numbers import c_format, divide, wrap32
from ..base.errors import InputError, warn
from ..base.files import read_bytes
from ..formats.smv import C_PROGRAMS_START, FIRST_BYTES, frame_size, keyword_value
from .options import Settings

MOST_PIXELS = 2**31 - 11
# Bits of a pixel by what SMV headers call its type.
BITS = {
    "unsigned_short": 16, "short_int": 16, "long_integer": 32, "unsigned_long": 32, "signed_long": 32, "float": 32,
    "unsigned_byte": 8, "signed_byte": 8,
}  # fmt: skip
MOST_HEADER_BYTES = 2**24


@dataclass(frozen=True)
class Geometry:
    """Detector of the image (metres), and the header of another image if one was given."""

    fpixels: int
    spixels: int
    pixel_size_m: float
    detsize_fast_m: float
    detsize_slow_m: float
    distance_m: float
    Xbeam_m: float
    Ybeam_m: float
    spread_fwhm_m: float
    header: bytes | None

    @property
    def pixels(self) -> int:
        """Pixels of the image."""
        return self.fpixels * self.spixels


def read_geometry(s: Settings, file_bytes: int, say: Callable[[str], None]) -> Geometry:
    """The image's geometry; file_bytes: size of the float image. Raises InputError."""
    fpixels, spixels = s.fpixels, s.spixels
    # The C program counts bytes with 32 bits.
    pixels = wrap32((wrap32(file_bytes) % 2**64) // 4)
    pixel, distance = s.pixel_size_m, s.distance_m
    fast, slow = s.detsize_fast_m, s.detsize_slow_m
    Xbeam, Ybeam = s.Xbeam_m, s.Ybeam_m
    header: bytes | None = None
    if s.header_file is not None:
        say(f"taking header from {s.header_file}\n")
        header, text = _read_header(s.header_file, say)
        _check_type(text, s)
        fpixels, spixels = frame_size(text)
        pixels = fpixels * spixels
        pixel = _length(text, "PIXEL_SIZE", pixel)
        fast, slow = pixel * fpixels, pixel * spixels
        distance = _length(text, "DISTANCE", distance)
        beam = keyword_value(text, "BEAM_CENTER_X"), keyword_value(text, "BEAM_CENTER_Y")
        Xbeam = Xbeam if beam[0] is None else beam[0] / 1000.0
        Ybeam = Ybeam if beam[1] is None else slow - beam[1] / 1000.0
    _check_counts(fpixels, spixels)
    if not fpixels and not spixels:
        say("WARNING: guessing xy pixel dimensions.\n")
        fpixels, spixels = _guessed(pixels, s)
    if fpixels and not spixels:
        spixels = pixels // fpixels
    if not fpixels and spixels:
        fpixels = pixels // spixels
    if fpixels:
        fast = pixel * fpixels
    else:
        fpixels = _pixels(fast, pixel)
    if spixels:
        slow = pixel * spixels
    else:
        spixels = _pixels(slow, pixel)
    _check_counts(fpixels, spixels)
    return Geometry(
        fpixels, spixels, pixel, fast, slow, distance,
        fast / 2.0 if Xbeam is None or Xbeam <= -1e99 else Xbeam,
        slow / 2.0 if Ybeam is None or Ybeam <= -1e99 else Ybeam,
        float(np.float32(s.spread_fwhm_m)), header,
    )  # fmt: skip


def _length(text: str, keyword: str, otherwise: float) -> float:
    value = keyword_value(text, keyword)
    return otherwise if value is None else value / 1000.0


def _check_counts(fpixels: int, spixels: int) -> None:
    if fpixels < 0 or spixels < 0 or fpixels * spixels > MOST_PIXELS:
        raise InputError(f"{fpixels} x {spixels} pixels: expected none below 0, and at most {MOST_PIXELS} in all")


def _guessed(pixels: int, s: Settings) -> tuple[int, int]:
    """Edges of the image that is nearest to a square."""
    if pixels <= 0:
        raise InputError(f"{s.float_file}: -floatfile holds no pixels that a size could be guessed from")
    fpixels = int(math.sqrt(pixels))
    while pixels % fpixels:
        fpixels -= 1
    return fpixels, pixels // fpixels


def _pixels(length_m: float, pixel_m: float) -> int:
    count = divide(length_m, pixel_m) - 0.5
    if not math.isfinite(count):
        raise InputError(f"a pixel size of {pixel_m * 1000.0:g} mm gives no number of pixels")
    return math.ceil(count)


def _read_header(path: str, say: Callable[[str], None]) -> tuple[bytes, str]:
    """The header's bytes, and its text, which ends where C's strings end. Raises InputError."""
    content = read_bytes(path, "-header")
    if len(content) < FIRST_BYTES:
        raise InputError(f"{path}: -header has {len(content)} bytes; expected an SMV image, of at least {FIRST_BYTES}")
    if not content.startswith(C_PROGRAMS_START):
        say(f"ERROR: {path} does not look like an ADSC frame!\n")
        raise InputError(f"{path}: -header is no SMV image: expected it to begin with {{, a new line and HEADER_BYTES")
    size = keyword_value(_text(content[:FIRST_BYTES]), "HEADER_BYTES") or 0.0
    if not 0 < size <= min(len(content), MOST_HEADER_BYTES):
        raise InputError(f"{path}: header says HEADER_BYTES={size:g}, the file has {len(content)} bytes")
    header = content[: int(size)]
    text = _text(header)
    if "BYTE_ORDER=" not in text:
        raise InputError(f"{path}: -header has no BYTE_ORDER")
    say(f"reading {path}\n")
    return header, text


def _check_type(text: str, s: Settings) -> None:
    """Warn where a header is copied that says another number of bits than the pixels have: readers believe it."""
    said = re.findall(r"\bTYPE=(\w+)", text)
    bits = BITS.get(said[-1]) if said else None
    if bits is not None and bits != s.bits:
        warn(f"{s.header_file}: -header says TYPE={said[-1]}, {bits} bits; the pixels have {s.bits} (-bits)")


def _text(header: bytes) -> str:
    return header.partition(b"\0")[0].decode("latin-1")


def smv_header(s: Settings, g: Geometry) -> bytes:
    """What stands before the pixels: the given header, or 512 bytes of the C program's.

    With a number of bits other than 16 and 32 its first lines are missing, as there.
    """
    if g.header is not None:
        return g.header
    kind = {16: "unsigned_short", 32: "long_integer"}.get(s.bits)
    rows: list[tuple[str, tuple[object, ...]]] = []
    if kind:
        rows.append(("{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=%s;\nTYPE=%s;\n", (f"{sys.byteorder}_endian", kind)))
    beam = (g.Xbeam_m * 1000.0, (g.detsize_slow_m - g.Ybeam_m) * 1000)
    rows += [
        ("SIZE1=%d;\nSIZE2=%d;\n", (g.fpixels, g.spixels)),
        ("PIXEL_SIZE=%g;\nDISTANCE=%g;\n", (g.pixel_size_m * 1000.0, g.distance_m * 1000.0)),
        ("WAVELENGTH=%g;\nBEAM_CENTER_X=%g;\nBEAM_CENTER_Y=%g;\n", (s.wavelength_A, *beam)),
        ("PHI=%g;\nOSC_START=%g;\nOSC_RANGE=%g;\n", (s.phi_deg, s.phi_deg, s.osc_deg)),
        ("DETECTOR_SN=000;\nBEAMLINE=fake;\n}\f", ()),
    ]
    return "".join(c_format(template, *values) for template, values in rows).encode("ascii").ljust(512)
