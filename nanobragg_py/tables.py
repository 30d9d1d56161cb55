"""Text files of columns: sources, and tables of structure factors against angle."""

from __future__ import annotations

import numpy as np

from .c_numbers import leading_real
from .errors import InputError, warn
from .files import read_bytes

DELIMITERS = " \t,;:!"
_AS_SPACES = str.maketrans(DELIMITERS, " " * len(DELIMITERS))
MOST_ROWS = 10_000_000


def read_columns(path: str, columns: int, option: str) -> np.ndarray:
    """Rows of up to `columns` numbers, float64 (n, columns), nan where a row is shorter.

    Separators are blanks, tabs and any of , ; : !; blank lines are skipped. Raises InputError, naming the line.
    """
    content = read_bytes(path, option)
    if b"\0" in content:
        raise InputError(f"{path}: {option} expects a text file of numbers; this one is binary")
    rows = []
    extra = 0
    for number, line in enumerate(content.decode("latin-1").splitlines(), 1):
        words = line.translate(_AS_SPACES).split()
        if not words:
            continue
        values = [_value(word, f"{path}: line {number}", columns) for word in words[:columns]]
        extra += len(words) > columns
        rows.append(values + [np.nan] * (columns - len(values)))
        if len(rows) > MOST_ROWS:
            raise InputError(f"{path}: {option} has more than {MOST_ROWS} rows, which would need {MOST_ROWS * 80} bytes")
    if not rows:
        raise InputError(f"{path}: {option} holds no data: expected rows of up to {columns} numbers")
    if extra:
        warn(f"{path}: only the first {columns} columns are used ({extra} rows have more)")
    return np.array(rows, dtype=np.float64)


def _value(word: str, where: str, columns: int) -> float:
    value, used = leading_real(word)
    if used != len(word) or np.isinf(value):
        raise InputError(f"{where}: expected up to {columns} numbers, found '{word}'")
    return value
