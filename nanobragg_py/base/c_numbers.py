"""Numbers as C's library reads and prints them."""

from __future__ import annotations

import math
import re

_REAL = re.compile(
    r"[ \t\n\v\f\r]*[+-]?(?:0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)(?:[pP][+-]?\d+)?"
    r"|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?|[nN][aA][nN](?:\(\w*\))?)",
    re.ASCII,
)


_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?)0*(\d*)", re.ASCII)
_CONVERSION = re.compile(r"(%%|%[-+ #0]*\d*(?:\.\d+)?[a-zA-Z])")
# No 64-bit integer has as many digits.
_MANY_DIGITS = 20


def leading_real(text: str, start: int = 0) -> tuple[float, int]:
    """Value and length of the number that `text` has at `start` (strtod); length 0 when there is none."""
    match = _REAL.match(text, start)
    if match is None:
        return 0.0, 0
    word = match.group().strip().lower()
    used = match.end() - start
    if word.lstrip("+-").startswith("0x"):
        try:
            return float.fromhex(word), used
        except OverflowError:
            return math.copysign(math.inf, -1.0 if word.startswith("-") else 1.0), used
    return float(word.partition("(")[0]), used


def leading_integer(text: str) -> tuple[int, int]:
    """Value, wrapped to 32 bits, and length of the integer that `text` starts with (atoi)."""
    match = _INTEGER.match(text)
    if match is None or not text[match.end() - 1 : match.end()].isdigit():
        return 0, 0
    sign, digits = match.groups()
    value = int(sign + (digits[:_MANY_DIGITS] or "0"))
    clamped = min(max(value, -(2**63)), 2**63 - 1)
    return wrap32(clamped), match.end()


def wrap32(value: int) -> int:
    """An integer as C's 32-bit int holds it."""
    return (value + 2**31) % 2**32 - 2**31


def to_int32(value: float) -> int:
    """A real number as C makes an int of it on x86: cut off, and -2^31 where it does not fit or is not a number."""
    return int(value) if -(2.0**31) - 1.0 < value < 2.0**31 else -(2**31)


def c_format(template: str, *values: object) -> str:
    """printf with C's spelling of negative not-a-number, which Python drops."""
    text = template % values
    if "nan" in text and any(isinstance(v, float) and math.isnan(v) and math.copysign(1.0, v) < 0 for v in values):
        return _negative_nans(template, values)
    return text


def _negative_nans(template: str, values: tuple[object, ...]) -> str:
    pieces = _CONVERSION.split(template)
    remaining = list(values)
    out = []
    for piece in pieces:
        if piece.startswith("%") and len(piece) > 1 and not piece.startswith("%%"):
            value = remaining.pop(0)
            shown = piece % value
            if isinstance(value, float) and math.isnan(value) and math.copysign(1.0, value) < 0:
                width = len(shown)
                shown = "-nan".rjust(width)
            out.append(shown)
        else:
            out.append(piece.replace("%%", "%"))
    return "".join(out)


def divide(numerator: float, denominator: float) -> float:
    """Division with C's answers where Python raises."""
    try:
        return numerator / denominator
    except ZeroDivisionError:
        if numerator == 0.0 or math.isnan(numerator):
            return -math.nan if not math.isnan(numerator) else numerator
        return math.copysign(math.inf, math.copysign(1.0, numerator) * math.copysign(1.0, denominator))
