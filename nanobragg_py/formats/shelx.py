"""Reflections of SHELX, HKLF 4: h k l F² sigma (and a batch) in fixed columns, https://shelx.uni-goettingen.de."""

from __future__ import annotations

import re

import numpy as np

from ..base.errors import InputError, shown
from .merged_reflections import Item, Merged, amplitudes, choose, merged
from .symmetry import Remarks, Stated

# 3I4, 2F8.2, I4; whatever follows is comment.
LINE = re.compile(rb"([ \d-]{3}\d)([ \d-]{3}\d)([ \d-]{3}\d)([ \d.-]{8})([ \d.-]{8})([ \d-]{3}\d)?\s*$")
LOOKED_AT = 20  # lines


def is_shelx(head: bytes) -> bool:
    """Whether a text has the columns of HKLF 4 in its first lines, and could not be a plain list."""
    lines = [line for line in head.split(b"\n")[:-1] if line.strip()][:LOOKED_AT]
    ends = (i for i, line in enumerate(lines) if (_numbers(line) or (1,))[:3] == (0, 0, 0))
    lines = lines[: next(ends, len(lines))]
    if not lines or all(len(line.split()) % 4 == 0 and _all_numbers(line) for line in lines):
        return False
    return all(_numbers(line) is not None and b"." in line for line in lines)


def _all_numbers(line: bytes) -> bool:
    try:
        return all(np.isfinite(float(word)) for word in line.split())
    except ValueError:
        return False


def _numbers(line: bytes) -> tuple[int, int, int, float, float, int] | None:
    """A line's numbers, the batch 0 where there is none; None if it is no such line."""
    match = LINE.match(line)
    if match is None:
        return None
    try:
        h, k, ell = (int(match[i]) for i in (1, 2, 3))
        return h, k, ell, float(match[4]), float(match[5]), int(match[6] or 0)
    except ValueError:
        return None


def read_shelx(path: str, text: bytes, column: str | None, remarks: Remarks) -> Merged:
    """Intensities of a list that ends with 0 0 0; it states neither cell nor symmetry. Raises InputError."""
    rows = []
    for number, line in enumerate(text.split(b"\n"), 1):
        if not line.strip():
            continue
        row = _numbers(line)
        if row is None:
            found = shown(line.decode("latin-1").strip())
            raise InputError(f"{path}: line {number}: expected h k l F² sigma in columns of HKLF 4, found '{found}'")
        if row[:3] == (0, 0, 0):
            break
        if row[5] < 0:
            raise InputError(f"{path}: line {number}: a negative batch: data of a twin (HKLF 5), which are not read")
        rows.append(row[:5])
    table = np.array(rows, dtype=np.float64).reshape(-1, 5)
    items = [*(Item(axis, "H") for axis in "hkl"), Item("F2", "J"), Item("sigma", "Q")]
    chosen = choose(path, items, column, lambda place: bool(np.isfinite(table[:, place]).any()), remarks)
    F = amplitudes(chosen, [table[:, chosen.places[0]]], np.nan, remarks)
    return merged(path, "SHELX HKLF 4 list", chosen, table[:, :3], F, None, Stated())
