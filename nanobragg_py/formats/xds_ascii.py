"""XDS_ASCII.HKL, of XDS (CORRECT) and XSCALE: https://xds.mr.mpg.de/html_doc/xds_files.html."""

from __future__ import annotations

import re

import numpy as np

from ..base.errors import InputError, shown
from .merged_reflections import Item, Merged, amplitudes, choose, make_cell, merged
from .number_rows import number_rows
from .symmetry import Remarks, Stated

FORMAT = "XDS_ASCII file"
START = b"!FORMAT=XDS_ASCII"
INDEX_ITEMS = ("H", "K", "L")


def read_xds_ascii(path: str, text: bytes, column: str | None, remarks: Remarks) -> Merged:
    """Merged intensities of a file of XSCALE or XDS with MERGE=TRUE; misfits, of negative sigma, are left out.

    Friedel mates have rows of their own with FRIEDEL'S_LAW=FALSE. Raises InputError for unmerged data and for what
    cannot be read.
    """
    lines = text.split(b"\n")
    header = [line.decode("latin-1").strip() for line in lines if line.startswith(b"!")]
    first = next((i for i, line in enumerate(lines) if not line.startswith(b"!")), len(lines))
    fields = dict(line[1:].split("=", 1) for line in header if "=" in line)
    if re.search(r"MERGE\s*=\s*TRUE", header[0]) is None:
        raise InputError(
            f"{path}: unmerged data of XDS; merge it first (XSCALE with MERGE=TRUE, aimless, or XDSCONV to MTZ)"
        )
    places = {name[5:]: fields[name].strip() for name in fields if name.startswith("ITEM_")}
    if not all(word.isdigit() and 0 < int(word) < 100 for word in places.values()) or not places:
        raise InputError(f"{path}: not a readable {FORMAT} (its !ITEM_ lines do not say which column is which)")
    at = {name: int(word) - 1 for name, word in places.items()}
    if any(name not in at for name in (*INDEX_ITEMS, "IOBS")):
        raise InputError(f"{path}: not a readable {FORMAT} (there is no !ITEM_ of H, K, L and IOBS)")
    end = next((i for i in range(first, len(lines)) if lines[i].startswith(b"!")), len(lines))
    rows = number_rows(path, lines[first:end], max(at.values()) + 1, first + 1, f"{max(at.values()) + 1} numbers")
    names = list(at)
    items = [Item(name, "J" if name == "IOBS" else "H" if name in INDEX_ITEMS else "Q") for name in names]
    chosen = choose(path, items, column, lambda place: bool(np.isfinite(rows[:, at[names[place]]]).any()), remarks)
    values = rows[:, at[chosen.labels[0]]].copy()
    misfits = rows[:, at["SIGMA(IOBS)"]] < 0 if "SIGMA(IOBS)" in at else np.zeros(len(rows), bool)
    if misfits.any():
        remarks.notes.append(f"{misfits.sum()} reflections that XDS marks as misfits (negative sigma) left out")
    values[misfits] = np.nan
    F = amplitudes(chosen, [values], np.nan, remarks)
    hkl = rows[:, [at[name] for name in INDEX_ITEMS]]
    number = fields.get("SPACE_GROUP_NUMBER", "").strip()
    stated = Stated(number=int(number) if number.isdigit() and len(number) < 4 else 0)
    return merged(path, "XDS_ASCII", chosen, hkl, F, _cell(path, fields), stated)


def _cell(path: str, fields: dict[str, str]) -> object:
    """gemmi.UnitCell of !UNIT_CELL_CONSTANTS=, None if there is no such line."""
    words = fields.get("UNIT_CELL_CONSTANTS", "").split()
    if not words:
        return None
    try:
        numbers = [float(word) for word in words]
        if len(numbers) != 6 or not np.isfinite(numbers).all():
            raise ValueError
    except ValueError:
        found = shown(" ".join(words))
        raise InputError(f"{path}: UNIT_CELL_CONSTANTS: expected six numbers, found '{found}'") from None
    return make_cell(numbers)
