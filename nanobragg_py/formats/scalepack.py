"""Merged data of SCALEPACK (HKL-2000, HKL-3000): a header of three lines, then h k l I sigma, in fixed columns.

With ANOMALOUS, each line has I(+) sigma(+) I(-) sigma(-). https://www.hkl-xray.com, manual of SCALEPACK, output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from ..base.errors import InputError, shown
from .merged_reflections import Item, Merged, amplitudes, choose, make_cell, merged
from .symmetry import Remarks, Stated

HEADER = re.compile(rb"[ \t]*+1[ \t]*+\r?\n[ \t]*+-\d+[ \t]*+\r?\n[ \t]*+(?:\d+\.\d*[ \t]+){6}[a-zA-Z][^\n]*+\n")
INDICES = (slice(0, 4), slice(4, 8), slice(8, 12))
VALUES = (slice(12, 20), slice(20, 28), slice(28, 36), slice(36, 44))  # I, sigma, and those of -h -k -l


def read_scalepack(path: str, text: bytes, column: str | None, remarks: Remarks) -> Merged:
    """Merged intensities; a sigma of -1 marks what was not measured. Raises InputError."""
    lines = text.replace(b"\r", b"").split(b"\n")
    header = lines[2].decode("latin-1").split()
    rows = np.array(list(_rows(path, lines[3:])), dtype=np.float64).reshape(-1, 7)
    both = bool(np.isfinite(rows[:, 5]).any())
    items = [*(Item(axis, "H") for axis in "hkl"), Item("I(+)" if both else "I", "K" if both else "J")]
    items += [Item("sigma(+)", "Q"), Item("I(-)", "K"), Item("sigma(-)", "Q")] if both else [Item("sigma", "Q")]
    for place in (3, 5):
        rows[rows[:, place + 1] < 0, place] = np.nan
    chosen = choose(path, items, column, lambda place: bool(np.isfinite(rows[:, place]).any()), remarks)
    F = amplitudes(chosen, [rows[:, place] for place in chosen.places], np.nan, remarks)
    cell = make_cell([float(word) for word in header[:6]])
    return merged(path, "SCALEPACK", chosen, rows[:, :3], F, cell, Stated(names=[" ".join(header[6:])]))


def _rows(path: str, lines: list[bytes]) -> Iterator[tuple[float, ...]]:
    """Three indices and four values of each line, NaN for what is blank."""
    for number, line in enumerate(lines, 4):
        if not line.strip():
            continue
        text = line.decode("latin-1")
        try:
            indices = [float(text[place]) for place in INDICES]
            yield (*indices, *(float(text[place]) if text[place].strip() else np.nan for place in VALUES))
        except ValueError:
            found = shown(text.strip())
            raise InputError(f"{path}: line {number}: expected h k l I sigma of SCALEPACK, found '{found}'") from None
