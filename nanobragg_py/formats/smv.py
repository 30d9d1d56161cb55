"""SMV (ADSC) images: the header in the C program's way, other programs' dialects of it, and the pixels.

The C program takes a file for SMV if it begins with `{`, a line's end and HEADER_BYT. It finds a keyword at the last
place where its letters stand in a row, also inside another keyword, and reads 16-bit pixels whatever the header says.
"""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from ..base.c_numbers import leading_real
from ..base.errors import InputError, shown
from ..base.records import record
from ..base.vectors import RADIAN_IN_DEGREES
from .image_header import ImageHeader, check_size
from .input_file import InputFile

C_PROGRAMS_START = b"{\nHEADER_BYT"
FIRST_BYTES = 512
_MOST_HEADER_BYTES = 2**24
_DIALECT = re.compile(rb"\s{0,8}\{\s{0,8}HEADER_BYTES\s{0,8}=")
# Keyword, field of ImageHeader, and how many of the header's unit go into ours.
KEYWORDS = (
    ("PIXEL_SIZE", "pixel_size_m", 1000.0),
    ("DISTANCE", "distance_m", 1000.0),
    ("CLOSE_DISTANCE", "close_distance_m", 1000.0),
    ("WAVELENGTH", "wavelength_m", 1e10),
    ("BEAM_CENTER_X", "Xbeam_m", 1000.0),
    ("BEAM_CENTER_Y", "Ybeam_m", 1000.0),
    ("ORGX", "ORGX", 1.0),
    ("ORGY", "ORGY", 1.0),
    ("PHI", "phi", RADIAN_IN_DEGREES),
    ("OSC_RANGE", "osc", RADIAN_IN_DEGREES),
)
# What TYPE (ADSC) and Data_type (d*TREK) call pixels that are not unsigned and of 16 bits.
_TYPES = {
    "unsigned_char": "u1", "unsigned char": "u1", "signed char": "i1", "char": "i1",
    "signed_short": "i2", "short int": "i2", "short": "i2",
    "long_integer": "i4", "signed_long": "i4", "long int": "i4", "long": "i4", "signed_int": "i4",
    "unsigned_long": "u4", "unsigned long int": "u4", "unsigned long": "u4", "unsigned_int": "u4",
    "float": "f4", "float ieee": "f4", "double": "f8",
}  # fmt: skip


@record
class Layout:
    """Where the pixels of an SMV image are, what they are, and the text of the header."""

    text: str
    width: int
    height: int
    start: int
    dtype: np.dtype[Any]
    remarks: tuple[str, ...] = ()


def keyword_value(header: str, keyword: str) -> float | None:
    """Number after the last place where `keyword` occurs, also inside another keyword.

    None if it never does, and for not-a-number, which to the C program is no value either.
    """
    value, _ = _found(header, keyword)
    return value


def _found(header: str, keyword: str) -> tuple[float | None, str]:
    """Value of a keyword, and what stands in the header."""
    at = header.rfind(keyword)
    if at < 0:
        return None, ""
    _, equals, rest = header[at + len(keyword) :].partition("=")
    value, used = leading_real(rest) if equals else (0.0, 0)
    return (None if math.isnan(value) else value), f"{keyword}={shown(rest[:used].strip(), 24)}"


def _whole(header: str, keyword: str) -> int:
    """A keyword's value cut to a whole number; 0 where it is missing or no number."""
    value = keyword_value(header, keyword) or 0.0
    return int(max(min(value, 2**40), -(2**40))) if math.isfinite(value) else 0


def frame_size(header: str) -> tuple[int, int]:
    """Width and height in pixels."""
    width, height = _whole(header, "SIZE1"), _whole(header, "SIZE2")
    if width == 0:
        width = height = _whole(header, "DETECTOR_DIMENSIONS")
    return width, height


def is_smv(start: bytes) -> bool:
    """Whether a file of any program that begins like this is SMV."""
    return start.startswith(C_PROGRAMS_START) or _DIALECT.match(start) is not None


def read_smv(file: InputFile) -> tuple[Layout, bytearray]:
    """Layout and content of a file that begins as SMV. Raises InputError."""
    header_bytes = min(_whole(_header_text(file.head(FIRST_BYTES)), "HEADER_BYTES"), _MOST_HEADER_BYTES)
    text = _header_text(file.head(max(header_bytes, FIRST_BYTES))[: max(header_bytes, 0)])
    width, height = (max(count, 0) for count in frame_size(text))
    pixel_bytes = max(_pixel_type(text)[0].itemsize, 2)
    if not file.on_disk and width and height:
        check_size(width, height, pixel_bytes, file.where)
    content = file.content(max(header_bytes + pixel_bytes * width * height, FIRST_BYTES))
    return layout(content, file.path), content


def layout(content: bytes | bytearray, path: str) -> Layout:
    """Where the pixels of an SMV file are. Raises InputError, naming the file, when they are not all there.

    They are of the type that the header says if so many bytes are there, else of 16 bits, as the C program reads any.
    """
    size = len(content)
    header_bytes = _whole(_header_text(content[:FIRST_BYTES]), "HEADER_BYTES")
    if header_bytes > _MOST_HEADER_BYTES:
        raise InputError(f"{path}: header says HEADER_BYTES={header_bytes}; expected at most {_MOST_HEADER_BYTES}")
    if not 0 < header_bytes <= size:
        raise InputError(f"{path}: header says HEADER_BYTES={header_bytes}, the file has {size} bytes")
    text = _header_text(content[:header_bytes])
    width, height = frame_size(text)
    if width <= 0 or height <= 0:
        raise InputError(f"{path}: header says SIZE1={width}, SIZE2={height}; expected positive numbers of pixels")
    dtype, said = _pixel_type(text)
    if said and header_bytes + dtype.itemsize * width * height <= size:
        remark = f"{said}: pixels of {8 * dtype.itemsize} bits are read as such; the C program takes any for 16 bits"
        return Layout(text, width, height, header_bytes, dtype, (remark,))
    # The C program counts the header, too, in words of two bytes.
    end = header_bytes // 2 * 2 + 2 * width * height
    if end > size:
        raise InputError(
            f"{path}: header promises {width} x {height} pixels of 2 bytes after {header_bytes} bytes of header, "
            f"{end} bytes in all; the file has {size}"
        )
    remark = f"{said}, but there is room for pixels of 16 bits only, and so they are read, as by the C program"
    if said:
        dtype = np.dtype("<u2")
    return Layout(text, width, height, header_bytes // 2 * 2, dtype, (remark,) if said else ())


def _header_text(content: bytes | bytearray) -> str:
    """Text of a header, which ends where C's strings end."""
    return bytes(content).partition(b"\0")[0].decode("latin-1")


def _pixel_type(text: str) -> tuple[np.dtype[Any], str]:
    """What a header says that pixels are, and its words for it where they are not of 16 bits."""
    order = ">" if "big" in text.rpartition("BYTE_ORDER")[2][:20].lower() else "<"
    words = {name: value.strip() for name, value in re.findall(r"\b(Data_type|TYPE)\s*=\s*([^;\r\n]{1,40})", text)}
    for keyword in ("Data_type", "TYPE"):
        code = _TYPES.get(words.get(keyword, "").lower())
        if code is not None:
            dtype = np.dtype(order + code)
            return dtype, "" if dtype.itemsize == 2 else f"{keyword}={shown(words[keyword])}"
    return np.dtype(order + "u2"), ""


def smv_header_of(layout: Layout, remarks: tuple[str, ...] = ()) -> ImageHeader:
    """What the header says, in the C program's way of finding it; remarks: on the pixels."""
    found: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for keyword, name, scale in KEYWORDS:
        value, words = _found(layout.text, keyword)
        if value is not None:
            found[name], spelled[name] = value / scale, words
    twotheta, words = _found(layout.text, "TWOTHETA")
    tilt_deg = abs(twotheta) if twotheta is not None and math.isfinite(twotheta) else 0.0
    spelled["tilt_deg"] = words
    return ImageHeader(
        layout.width, layout.height, **found, tilt_deg=tilt_deg, spelled=spelled, remarks=remarks
    )  # fmt: skip


def smv_pixels(layout: Layout, content: bytes | bytearray) -> np.ndarray:
    """Pixels (slow, fast), of the type that the layout says."""
    count = layout.width * layout.height
    pixels = np.frombuffer(content, dtype=layout.dtype, offset=layout.start, count=count)
    return pixels.reshape(layout.height, layout.width)
