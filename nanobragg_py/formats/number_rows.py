"""Rows of numbers in the text of reflection files, each line with as many as its format says."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ..base.errors import InputError, shown

ODD = re.compile(rb"[^-+0-9.eE \t\r]")


def number_rows(path: str, lines: Sequence[bytes], columns: int, first_line: int, what: str) -> np.ndarray:
    """The first `columns` numbers of each line that is not blank, float64 (n, columns); a lone - is NaN.

    first_line: number of the first line, for messages. Raises InputError, naming line and file.
    """
    rows = []
    for number, line in enumerate(lines, first_line):
        words = line.split(maxsplit=columns)
        if not words:
            continue
        try:
            if len(words) < columns:
                raise ValueError
            row = [np.nan if word == b"-" else float(word) for word in words[:columns]]
            if b"_" in line:
                raise ValueError
        except ValueError:
            found = shown(line.decode("latin-1").strip())
            raise InputError(f"{path}: line {number}: expected {what}, found '{found}'") from None
        rows.append(row)
    return np.array(rows, dtype=np.float64).reshape(-1, columns)
