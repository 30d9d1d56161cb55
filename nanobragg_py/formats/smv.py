"""SMV images read for their header (-img, -mask) and their mask; fabio reads the pixels."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from ..base.c_numbers import leading_real
from ..base.errors import InputError
from ..base.files import read_bytes
from ..base.records import record
from ..base.vectors import RADIAN_IN_DEGREES


@record
class HeaderDefaults:
    """What headers say, in metres, radians and pixels; options override it. None where nothing is said."""

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


def keyword_value(header: str, keyword: str) -> float | None:
    """Number after the last place where `keyword` occurs, also inside another keyword; None if it never does."""
    at = header.rfind(keyword)
    if at < 0:
        return None
    _, equals, rest = header[at + len(keyword) :].partition("=")
    return leading_real(rest)[0] if equals else 0.0


def read_header(path: str, option: str) -> str:
    """Text of an SMV header. Raises InputError, naming the file, when it is not one."""
    return parse_header(read_bytes(path, option), path, option)


def parse_header(content: bytes, path: str, option: str) -> str:
    """Text of the header of an SMV file's content."""
    if content[:12] != b"{\nHEADER_BYT":
        raise InputError(f"{path}: {option} expects an SMV (ADSC) image, which starts with '{{' and HEADER_BYTES")
    text = content[:512].split(b"\0")[0].decode("latin-1")
    size = _whole(text, "HEADER_BYTES")
    if not 0 < size <= len(content):
        raise InputError(f"{path}: header says HEADER_BYTES={size}, the file has {len(content)} bytes")
    text = content[:size].split(b"\0")[0].decode("latin-1")
    width, height = frame_size(text)
    if width <= 0 or height <= 0:
        raise InputError(f"{path}: header says SIZE1={width}, SIZE2={height}; expected positive numbers of pixels")
    if size + 2 * width * height > len(content):
        raise InputError(
            f"{path}: header promises {width} x {height} pixels of 2 bytes after {size} bytes of header, "
            f"{size + 2 * width * height} bytes in all; the file has {len(content)}"
        )
    return text


def frame_size(header: str) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = _whole(header, "SIZE1"), _whole(header, "SIZE2")
    if width == 0:
        width = height = _whole(header, "DETECTOR_DIMENSIONS")
    return width, height


def _whole(header: str, keyword: str) -> int:
    """A keyword's value cut to a whole number; 0 where it is missing or no number."""
    value = keyword_value(header, keyword) or 0.0
    return int(max(min(value, 2**40), -(2**40))) if math.isfinite(value) else 0


def add_header(defaults: HeaderDefaults, header: str, flip_Y: bool) -> HeaderDefaults:
    """Defaults with what one more header says on top; a mask's beam centre Y counts from the other edge."""
    width, height = frame_size(header)
    pixel = keyword_value(header, "PIXEL_SIZE")
    size = pixel / 1000.0 if pixel is not None else (defaults.pixel_size_m or 0.1e-3)
    slow = size * height
    found = {
        "fpixels": width,
        "spixels": height,
        "pixel_size_m": size,
        "detsize_fast_m": size * width,
        "detsize_slow_m": slow,
    }
    for keyword, name, scale in (
        ("DISTANCE", "distance_m", 1000.0),
        ("CLOSE_DISTANCE", "close_distance_m", 1000.0),
        ("WAVELENGTH", "wavelength_m", 1e10),
        ("BEAM_CENTER_X", "Xbeam_m", 1000.0),
        ("BEAM_CENTER_Y", "Ybeam_m", 1000.0),
        ("ORGX", "ORGX", 1.0),
        ("ORGY", "ORGY", 1.0),
        ("PHI", "phi", RADIAN_IN_DEGREES),
        ("OSC_RANGE", "osc", RADIAN_IN_DEGREES),
    ):
        value = keyword_value(header, keyword)
        if value is not None:
            found[name] = value / scale
    if flip_Y and "Ybeam_m" in found:
        found["Ybeam_m"] = slow - found["Ybeam_m"]
    return replace(defaults, **found)


def read_mask(path: str) -> np.ndarray:
    """Pixels of a mask, uint16 (slow, fast); 0 means skip."""
    return parse_mask(read_bytes(path, "-mask"), path)


def parse_mask(content: bytes, path: str) -> np.ndarray:
    """Pixels of a mask file's content. fabio gets the content and not the name: it would act on some suffixes."""
    header = parse_header(content, path, "-mask")
    width, height = frame_size(header)
    start = _whole(header, "HEADER_BYTES")
    content = content[: start + 2 * width * height]
    pixels = _pixels_by_fabio(content)
    if pixels is None or pixels.shape != (height, width):
        # A dialect that fabio does not know, such as the older one that gives only DETECTOR_DIMENSIONS.
        pixels = np.frombuffer(content, dtype=np.uint16, offset=start).reshape(height, width)
    return np.ascontiguousarray(pixels)


def _pixels_by_fabio(content: bytes) -> np.ndarray | None:
    """Pixels as fabio reads them; None where it cannot."""
    from fabio.dtrekimage import DtrekImage
    from fabio.fabioutils import BytesIO

    try:
        pixels = DtrekImage().read(BytesIO(content, "mask")).data
    except Exception:
        return None
    return pixels if pixels is not None and pixels.dtype == np.uint16 else None
