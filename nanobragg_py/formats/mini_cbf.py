"""CBF images of one frame: the MIME header, byte-offset compression, and the header text of Dectris detectors.

Sources: the CBF definition (International Tables for Crystallography G, 2.3 and 5.6: byte-offset compression);
Dectris, "CBF header for Pilatus and Eiger". Beam centres are counted from the outer corner of the first pixel.
"""

from __future__ import annotations

import re
import time
from typing import Any

import numpy as np

from ..base.errors import InputError, shown
from .image_header import (
    ImageHeader,
    check_size,
    metres,
    number,
    own_directions,
    pair,
    positive,
    radians,
    wavelength_in_metres,
)
from .input_file import InputFile

START = b"###CBF"
_SECTION = b"--CIF-BINARY-FORMAT-SECTION--"
_BINARY = b"\x0c\x1a\x04\xd5"
_MOST_TEXT = 2**24
_MOST_MIME = 2**14
_TYPES = {
    "signed 8-bit integer": "i1", "unsigned 8-bit integer": "u1", "signed 16-bit integer": "i2",
    "unsigned 16-bit integer": "u2", "signed 32-bit integer": "i4", "unsigned 32-bit integer": "u4",
    "signed 64-bit integer": "i8", "unsigned 64-bit integer": "u8",
    "signed 32-bit real ieee": "f4", "signed 64-bit real ieee": "f8",
}  # fmt: skip
# Characters that stand for blanks in the header of a Dectris detector.
_AS_BLANKS = str.maketrans("#:=,()[]", " " * 8)
# What a damaged file may take (s).
_LONGEST_s = 60.0
_ESCAPES_BETWEEN_LOOKS = 1 << 16
_OWN = "nanobragg_py_"


def read_cbf(file: InputFile, want_pixels: bool) -> tuple[ImageHeader, np.ndarray | None]:
    """Header, and pixels (slow, fast) if they are wanted. Raises InputError."""
    text, mime, start = _sections(file)
    width, height, dtype, stored, packed = _described(mime, file.where)
    check_size(width, height, dtype.itemsize, file.where)
    header = dectris_header(text, width, height)
    content = file.content(start + stored)
    if len(content) < start + stored:
        raise InputError(f"{file.where}: the CBF is cut short: {len(content)} bytes of {start + stored}")
    if not want_pixels:
        return header, None
    data = content[start:]
    if packed:
        pixels = byte_offset(data, width * height, dtype, file.where)
    else:
        pixels = np.frombuffer(data, dtype, count=len(data) // dtype.itemsize)
    if pixels.size < width * height:
        raise InputError(f"{file.where}: the CBF has fewer pixels than the {width} x {height} that it says")
    return header, pixels[: width * height].reshape(height, width)


def _sections(file: InputFile) -> tuple[str, str, int]:
    """Text before the binary section, its MIME header, and where the binary data start."""
    size = 1 << 16
    while (at := (head := file.head(size)).find(_SECTION)) < 0:
        if len(head) < size or size >= _MOST_TEXT:
            raise InputError(f"{file.where}: the CBF has no binary section")
        size *= 4
    head = file.head(at + _MOST_MIME)
    start = head.find(_BINARY, at)
    if start < 0:
        raise InputError(f"{file.where}: the CBF is cut short in the header of its binary section, or damaged there")
    return head[:at].decode("latin-1"), head[at:start].decode("latin-1"), start + len(_BINARY)


def _described(mime: str, where: str) -> tuple[int, int, np.dtype[Any], int, bool]:
    """Width, height, type of the pixels, bytes stored, and whether they are packed by byte offsets."""
    fields = {name.lower(): value.strip().strip('"') for name, value in re.findall(r"^([\w-]+):([^\r\n]*)", mime, re.M)}
    width, height, stored, third = (
        int(text) if (text := fields.get(f"x-binary-{name}", "")).isdecimal() and len(text) < 16 else 0
        for name in ("size-fastest-dimension", "size-second-dimension", "size", "size-third-dimension")
    )
    if width <= 0 or height <= 0 or stored <= 0:
        raise InputError(f"{where}: the CBF does not say how many pixels and bytes it has")
    if third > 1:
        raise InputError(f"{where}: {third} images in one file; expected one")
    kind = fields.get("x-binary-element-type", "signed 32-bit integer").lower()
    if kind not in _TYPES:
        raise InputError(f"{where}: CBF of elements '{shown(kind)}'; expected whole or real numbers")
    order = ">" if fields.get("x-binary-element-byte-order", "").upper().startswith("BIG") else "<"
    conversion = re.search(r'conversions\s{0,9}=\s{0,9}"?([\w-]{1,40})', mime)
    name = conversion[1].lower() if conversion else "x-cbf_none"
    if name not in ("x-cbf_byte_offset", "x-cbf_none"):
        raise InputError(f"{where}: CBF compressed by {shown(name)}; expected x-CBF_BYTE_OFFSET")
    return width, height, np.dtype(order + _TYPES[kind]), stored, name == "x-cbf_byte_offset"


def byte_offset(data: bytes | bytearray, count: int, dtype: np.dtype[Any], where: str) -> np.ndarray:
    """Numbers stored as differences of one byte, or of 2, 4, 8 after the smallest number of the size before.

    Returns at most `count` numbers. Raises InputError for data that end within a number, or take a minute.
    """
    check_size(count, 1, 8, where)
    differences = np.empty(min(count, len(data)), dtype=np.int64)
    done = at = escapes = 0
    deadline = time.monotonic() + _LONGEST_s
    while done < len(differences) and at < len(data):
        escape = data.find(b"\x80", at)
        run = min((len(data) if escape < 0 else escape) - at, len(differences) - done)
        if run:
            differences[done : done + run] = np.frombuffer(data, np.int8, run, at)
            done, at = done + run, at + run
            continue
        value, at = _escaped(data, at + 1, where)
        differences[done] = value
        done += 1
        escapes += 1
        if escapes % _ESCAPES_BETWEEN_LOOKS == 0 and time.monotonic() > deadline:
            raise InputError(f"{where}: decompressing takes more than {_LONGEST_s:g} s; expected an image")
    # Sums wrap around as the numbers of the image do.
    return np.cumsum(differences[:done]).astype(dtype, copy=False)


def _escaped(data: bytes | bytearray, at: int, where: str) -> tuple[int, int]:
    """The difference after an escape, and where the next one starts."""
    for size in (2, 4, 8):
        word = data[at : at + size]
        if len(word) < size:
            raise InputError(f"{where}: the CBF is damaged: it ends within a pixel")
        value = int.from_bytes(word, "little", signed=True)
        at += size
        if size == 8 or value != -(1 << (8 * size - 1)):
            break
    return value, at


def dectris_header(text: str, width: int, height: int) -> ImageHeader:
    """What the lines '# Keyword value unit' of a header say."""
    lines: dict[str, list[str]] = {}
    own: dict[str, str] = {}
    for line in text.splitlines():
        words = line.translate(_AS_BLANKS).split() if line.startswith("#") else []
        if words and words[0].startswith(_OWN):
            own[words[0].removeprefix(_OWN)] = " ".join(words[1:])
        elif words:
            lines[words[0].lower()] = words
    found: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    remarks: list[str] = []
    for name, keywords, convert in _QUANTITIES:
        for keyword in keywords:
            words = lines.get(keyword, [])
            value = _quantity(words, convert)
            if value is not None:
                found[name], spelled[name] = value, shown(" ".join(words), 40)
                break
            if len(words) > 1 and number(words[1]) is not None:
                remarks.append(f"'{shown(' '.join(words), 40)}' is not understood")
    sides = _pixel_sides(lines.get("pixel_size", []))
    if sides:
        found["pixel_size_m"], found["pixel_slow_m"] = sides
        spelled["pixel_size_m"] = spelled["pixel_slow_m"] = shown(" ".join(lines["pixel_size"]), 40)
    remarks += positive(found, spelled)
    beam = lines.get("beam_xy", [])
    found["beam_px"] = _beam(beam, found.get("pixel_size_m")) if len(beam) > 2 else None
    spelled["beam_px"] = shown(" ".join(beam), 40)
    found |= own_directions(own, found.get("pixel_size_m"))
    if "tilt_deg" not in found:
        twotheta = number(lines.get("detector_2theta", ["", ""])[1]) if len(lines.get("detector_2theta", [])) > 1 else 0
        found["tilt_deg"] = abs(twotheta or 0.0)
        spelled["tilt_deg"] = shown(" ".join(lines.get("detector_2theta", [])), 40)
    return ImageHeader(width, height, **found, spelled=spelled, remarks=tuple(remarks))


# Field, keywords that may say it, the best one first, and how the number and its unit become ours.
_QUANTITIES: tuple[tuple[str, tuple[str, ...], Any], ...] = (
    ("distance_m", ("detector_distance", "distance"), metres),
    ("wavelength_m", ("wavelength", "photon_energy", "energy", "x-ray_energy"), None),
    ("phi", ("start_angle", "omega", "phi"), radians),
    ("osc", ("angle_increment", "omega_increment", "phi_increment"), radians),
)


def _quantity(words: list[str], convert: Any) -> float | None:
    """Value in our unit of the words keyword, number, unit; None if they are nothing of the kind."""
    value = number(words[1]) if len(words) > 1 else None
    if value is None:
        return None
    unit = words[2] if len(words) > 2 else ""
    if convert is None:
        default = "eV" if "energy" in words[0].lower() else "A"
        return wavelength_in_metres(value, unit, default) if value != 0.0 else 0.0
    result: float | None = convert(value, unit)
    return result


def _pixel_sides(words: list[str]) -> tuple[float, float] | None:
    """Width and height of a pixel in metres, of the words Pixel_size 172e-6 m x 172e-6 m."""
    sides: list[float] = []
    for at, word in enumerate(words[1:], 1):
        value = number(word)
        if value is not None:
            unit = words[at + 1] if len(words) > at + 1 and words[at + 1] not in "xX" else ""
            side = metres(value, unit)
            if side is not None:
                sides.append(side)
    return (sides[0], sides[min(1, len(sides) - 1)]) if sides else None


def _beam(words: list[str], pixel_m: float | None) -> tuple[float, float] | None:
    """Beam centre in pixels, of the words Beam_xy, two numbers, unit."""
    beam = pair(words[1], words[2])
    unit = words[3] if len(words) > 3 else "pixels"
    if beam is None or unit.lower().startswith(("px", "pix")):
        return beam
    scale = metres(1.0, unit)
    return None if scale is None or not pixel_m else (beam[0] * scale / pixel_m, beam[1] * scale / pixel_m)
