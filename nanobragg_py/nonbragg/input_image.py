"""The image that -img names: SMV of 16 bits, read as the C program reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..base.errors import InputError, warn
from ..base.files import read_bytes
from ..formats.smv import C_PROGRAMS_START, FIRST_BYTES, KEYWORDS, frame_size, keyword_value

MOST_HEADER_BYTES = 2**24
MOST_PIXELS = 2**31 - 11
# Pixels that the C program has memory for beyond the image's, all 0.
SPARE_PIXELS = 10


@dataclass(frozen=True)
class Header:
    """What an image's header says, in metres, radians and pixels; None where it says nothing.

    Ybeam_m: from the other edge than in the header.
    """

    fpixels: int | None = None
    spixels: int | None = None
    pixel_size_m: float | None = None
    distance_m: float | None = None
    close_distance_m: float | None = None
    wavelength_m: float | None = None
    Xbeam_m: float | None = None
    Ybeam_m: float | None = None
    ORGX: float | None = None
    ORGY: float | None = None
    phi: float | None = None
    osc: float | None = None


@dataclass(frozen=True)
class InputImage:
    """Pixels, float32 (n,), row after row, and the header."""

    pixels: np.ndarray
    header: Header


def read_image(path: str, default_pixel_size_m: float, say: Callable[[str], None]) -> InputImage:
    """Read an SMV image; `say` writes to standard output. Raises InputError.

    What a file lacks of its pixels is 0, as in the C program; a warning says so.
    """
    content = read_bytes(path, "-img")
    if len(content) < FIRST_BYTES:
        raise InputError(f"{path}: -img has {len(content)} bytes; expected an SMV image, of at least {FIRST_BYTES}")
    if not content.startswith(C_PROGRAMS_START):
        say(f"ERROR: {path} does not look like an ADSC frame!\n")
        raise InputError(f"{path}: -img is no SMV image: expected it to begin with {{, a new line and HEADER_BYTES")
    size = keyword_value(_text(content[:FIRST_BYTES]), "HEADER_BYTES") or 0.0
    if not 0 < size <= min(len(content), MOST_HEADER_BYTES):
        raise InputError(f"{path}: header says HEADER_BYTES={size:g}, the file has {len(content)} bytes")
    text = _text(content[: int(size)])
    if "BYTE_ORDER=" not in text:
        raise InputError(f"{path}: -img has no BYTE_ORDER")
    fpixels, spixels = frame_size(text)
    if fpixels <= 0 or spixels <= 0 or fpixels * spixels > MOST_PIXELS:
        raise InputError(f"{path}: header says {fpixels} x {spixels} pixels; expected positive numbers")
    say(f"reading {path}\nmmap({path}) = 0x5555555592a0\n")
    start, wanted = int(size) // 2 * 2, 2 * fpixels * spixels
    words = content[start : start + wanted]
    if len(words) < wanted:
        warn(f"{path}: the header promises {wanted} bytes of pixels, there are {len(words)}: those missing are 0")
    padded = words.ljust(wanted + 2 * SPARE_PIXELS, b"\0")
    pixels = np.frombuffer(padded, dtype="<u2").astype(np.float32)
    return InputImage(pixels, _header(text, fpixels, spixels, default_pixel_size_m))


def _header(text: str, fpixels: int, spixels: int, default_pixel_size_m: float) -> Header:
    found = {}
    for keyword, field, divisor in KEYWORDS:
        value = keyword_value(text, keyword)
        if value is not None:
            found[field] = value / divisor
    if "Ybeam_m" in found:
        found["Ybeam_m"] = found.get("pixel_size_m", default_pixel_size_m) * spixels - found["Ybeam_m"]
    return Header(fpixels, spixels, **found)


def _text(header: bytes) -> str:
    """A header's text, which ends where C's strings end."""
    return header.partition(b"\0")[0].decode("latin-1")
