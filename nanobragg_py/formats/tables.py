"""Text files of columns: sources, and tables of structure factors against angle."""

from __future__ import annotations

import io
import math
from array import array

import numpy as np

from ..base.c_numbers import leading_real
from ..base.errors import InputError, shown, warn
from ..base.files import read_bytes
from ..base.memory import size_text

DELIMITERS = b" \t,;:!"
_AS_SPACES = bytes.maketrans(DELIMITERS, b" " * len(DELIMITERS))
# What a row and its line in the run log take while they are worked out (bytes), and how many rows are too many.
ROW_BYTES = 1000
MOST_ROWS = 10_000_000
# The C program reads a line in pieces of this many bytes.
LONGEST_LINE = 10239


def read_columns(path: str, columns: int, option: str) -> np.ndarray:
    """Rows of up to `columns` numbers, float64 (n, columns), nan where a row is shorter.

    Separators are blanks, tabs and any of , ; : !; blank lines are skipped. In a line that does not end in a plain
    newline (the file's last one, or one with a Windows line end) what is missing is 0, and a blank one is a row of
    zeros, as in the C program; a warning says so. Raises InputError, naming the line.
    """
    return parse_columns(read_bytes(path, option), path, columns, option)


def parse_columns(content: bytes, path: str, columns: int, option: str) -> np.ndarray:
    """Rows of a text's numbers, see read_columns."""
    if b"\0" in content:
        raise InputError(f"{path}: {option} expects a text file of numbers; this one is binary")
    lines = content.count(b"\n")
    if lines >= MOST_ROWS:
        needed = size_text(lines * ROW_BYTES)
        raise InputError(
            f"{path}: {option} has {lines} lines, which would need {needed} of memory; expected fewer than {MOST_ROWS}"
        )
    values = array("d")
    extra, first_zeroed = 0, ""
    for number, line in enumerate(io.BytesIO(content), 1):
        where = f"{path}: line {number}"
        if len(line) > LONGEST_LINE:
            raise InputError(f"{where}: longer than {LONGEST_LINE} bytes, which the C program takes for two lines")
        text = line.rstrip(b"\r\n")
        words = [word for word in text.translate(_AS_SPACES).split(b" ") if word]
        plain = line[len(text) :] == b"\n"
        if not words and plain:
            continue
        if len(words) < columns and not plain:
            first_zeroed = first_zeroed or where
        values.extend([_value(word, where, columns) for word in words[:columns]])
        values.extend([math.nan if plain else 0.0] * (columns - len(words)))
        extra += len(words) > columns
    if not values:
        raise InputError(f"{path}: {option} holds no data: expected rows of up to {columns} numbers")
    if first_zeroed:
        warn(f"{first_zeroed}: columns missing before a Windows line end, or none, are 0, as in the C program")
    if extra:
        warn(f"{path}: only the first {columns} columns are used ({extra} rows have more)")
    return np.frombuffer(values, dtype=np.float64).reshape(-1, columns)


def _value(word: bytes, where: str, columns: int) -> float:
    try:
        value = float(word)
    except ValueError:
        value = math.nan
    if math.isfinite(value) and b"_" not in word:
        return value
    text = word.decode("latin-1")
    value, used = leading_real(text)
    if used != len(text) or not math.isfinite(value):
        raise InputError(f"{where}: expected up to {columns} numbers, found '{shown(text)}'")
    return value
