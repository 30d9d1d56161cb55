"""EDF images (ESRF data format): the first block's header and pixels, where they are not compressed within.

Geometry is read in the names that --save writes (a name and a unit), and else in those of small-angle programs:
PSize_1, PSize_2, SampleDistance and WaveLength in metres, Center_1 and Center_2 in pixels.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from ..base.errors import InputError, shown
from .image_header import ImageHeader, check_size, number, own_directions, own_facts, pair, positive
from .input_file import InputFile

_MOST_HEADER = 2**22
_TYPES = {
    "signedbyte": "i1", "unsignedbyte": "u1", "signedshort": "i2", "unsignedshort": "u2",
    "signedinteger": "i4", "unsignedinteger": "u4", "signedlong": "i4", "unsignedlong": "u4",
    "signed64": "i8", "unsigned64": "u8", "floatvalue": "f4", "float": "f4", "real": "f4", "floatieee32": "f4",
    "doublevalue": "f8", "double": "f8", "doubleieee64": "f8",
}  # fmt: skip
_LENGTHS = (
    ("pixel_size_m", "psize_1"),
    ("pixel_slow_m", "psize_2"),
    ("distance_m", "sampledistance"),
    ("wavelength_m", "wavelength"),
)


def read_edf(file: InputFile, want_pixels: bool) -> tuple[ImageHeader, np.ndarray | None]:
    """Header, and pixels (slow, fast) if they are wanted. Raises InputError."""
    text, start = _first_header(file)
    facts = _facts(text)
    width, height, dtype = _described(facts, file.where)
    size = check_size(width, height, dtype.itemsize, file.where)
    header = edf_header(facts, width, height)
    content = file.content(start + size + 1)
    if len(content) < start + size:
        raise InputError(f"{file.where}: the EDF is cut short: {len(content) - start} bytes of {size}")
    if want_pixels and bytes(content[start + size :]) == b"{":
        raise InputError(f"{file.where}: several images in one file; expected one")
    pixels = np.frombuffer(content, dtype, offset=start, count=width * height).reshape(height, width)
    return header, pixels if want_pixels else None


def _first_header(file: InputFile) -> tuple[str, int]:
    """Text of the first header, and where the pixels start."""
    size = 1 << 12
    while True:
        head = file.head(size)
        end = re.search(rb"\}\r?\n", head)
        if end is not None:
            return head[: end.start()].decode("latin-1"), end.end()
        if len(head) < size or size >= _MOST_HEADER:
            raise InputError(f"{file.where}: the header of the EDF does not end")
        size *= 4


def _facts(text: str) -> dict[str, str]:
    """Names and values of a header, as they stand there."""
    found: dict[str, str] = {}
    for line in text.partition("{")[2].split(";"):
        name, equals, value = line.partition("=")
        if equals:
            found[name.strip()] = value.strip()
    return found


def _described(facts: dict[str, str], where: str) -> tuple[int, int, np.dtype[Any]]:
    """Width, height and type of the pixels."""
    lower = {name.lower(): value for name, value in facts.items()}
    if lower.get("compression", "none").lower() not in ("none", ""):
        raise InputError(f"{where}: EDF compressed by {shown(lower['compression'])}; expected it uncompressed")
    width, height, depth = (
        int(text) if (text := lower.get(name, "0")).isdecimal() and len(text) < 16 else 0
        for name in ("dim_1", "dim_2", "dim_3")
    )
    if depth > 1:
        raise InputError(f"{where}: {depth} images in one file; expected one")
    kind = lower.get("datatype", "").lower()
    if kind not in _TYPES:
        raise InputError(f"{where}: EDF of type '{shown(lower.get('datatype', ''))}'; expected whole or real numbers")
    order = ">" if lower.get("byteorder", "").lower().startswith("high") else "<"
    return width, height, np.dtype(order + _TYPES[kind])


def edf_header(facts: dict[str, str], width: int, height: int) -> ImageHeader:
    """What a header says of the geometry."""
    lower = {name.lower(): (name, value) for name, value in facts.items()}
    found: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for field, keyword in _LENGTHS:
        name, text = lower.get(keyword, ("", ""))
        value = number(text.removesuffix("m").strip())
        if value is not None:
            found[field], spelled[field] = value, f"{name} = {shown(text, 24)}"
    found["beam_px"] = pair(lower.get("center_1", ("", ""))[1], lower.get("center_2", ("", ""))[1])
    own, own_spelled = own_facts(facts)
    found |= own
    spelled |= own_spelled
    if "pixel_size_m" in own:
        found["pixel_slow_m"] = found["pixel_size_m"]
    remarks = positive(found, spelled)
    found |= own_directions(facts, found.get("pixel_size_m"))
    return ImageHeader(width, height, **found, spelled=spelled, remarks=remarks)
