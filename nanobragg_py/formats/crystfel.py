"""Reflection lists of CrystFEL (process_hkl, partialator): https://www.desy.de/~twhite/crystfel/."""

from __future__ import annotations

import numpy as np

from ..base.errors import InputError, shown
from .gemmi_library import gemmi_module
from .merged_reflections import Item, Merged, amplitudes, choose, merged
from .number_rows import number_rows
from .symmetry import Remarks, Stated

START = b"CrystFEL reflection list version"
END = b"End of reflections"
# Point groups in CrystFEL's words, unique axis c: the symmorphic space group of each, primitive.
POINT_GROUPS = {
    "1": "P 1", "-1": "P -1", "2/m": "P 1 1 2/m", "2": "P 1 1 2", "m": "P 1 1 m",
    "mmm": "P m m m", "222": "P 2 2 2", "mm2": "P m m 2",
    "4/m": "P 4/m", "4": "P 4", "-4": "P -4", "4/mmm": "P 4/m m m", "422": "P 4 2 2", "-42m": "P -4 2 m",
    "-4m2": "P -4 m 2", "4mm": "P 4 m m",
    "3_R": "R 3:R", "-3_R": "R -3:R", "32_R": "R 3 2:R", "3m_R": "R 3 m:R", "-3m_R": "R -3 m:R",
    "3_H": "P 3", "-3_H": "P -3", "321_H": "P 3 2 1", "312_H": "P 3 1 2", "3m1_H": "P 3 m 1", "31m_H": "P 3 1 m",
    "-3m1_H": "P -3 m 1", "-31m_H": "P -3 1 m",
    "6/m": "P 6/m", "6": "P 6", "-6": "P -6", "6/mmm": "P 6/m m m", "622": "P 6 2 2", "-62m": "P -6 2 m",
    "-6m2": "P -6 m 2", "6mm": "P 6 m m",
    "23": "P 2 3", "m-3": "P m -3", "432": "P 4 3 2", "-43m": "P -4 3 m", "m-3m": "P m -3 m",
}  # fmt: skip
# What a unique axis other than c exchanges.
AXES = {"_uaa": "z,y,-x", "_uab": "x,z,-y", "_uac": "x,y,z"}


def read_crystfel(path: str, text: bytes, column: str | None, remarks: Remarks) -> Merged:
    """Merged intensities of a list of version 2, which states its point group, but no cell. Raises InputError."""
    lines = text.split(b"\n")
    symmetry, first = "", len(lines)
    for i, line in enumerate(lines[:1000]):
        word = line.decode("latin-1").strip()
        if word.startswith("Symmetry:"):
            symmetry = word.partition(":")[2].strip()
        if word.split()[:4] == ["h", "k", "l", "I"]:
            first = i + 1
            break
    if first == len(lines):
        raise InputError(f"{path}: not a readable CrystFEL list (there is no line h k l I)")
    end = next((i for i in range(first, len(lines)) if lines[i].startswith(END)), len(lines))
    if end == len(lines):
        raise InputError(f"{path}: not a readable CrystFEL list (it is truncated: no line '{END.decode()}')")
    rows = number_rows(path, lines[first:end], 4, first + 1, "h k l I")
    items = [*(Item(axis, "H") for axis in "hkl"), Item("I", "J")]
    chosen = choose(path, items, column, lambda place: bool(np.isfinite(rows[:, place]).any()), remarks)
    F = amplitudes(chosen, [rows[:, 3]], np.nan, remarks)
    return merged(path, "CrystFEL list", chosen, rows[:, :3], F, None, _stated(path, symmetry, remarks))


def _stated(path: str, symmetry: str, remarks: Remarks) -> Stated:
    """The operations of a point group in CrystFEL's words. Raises InputError if it is not known."""
    gemmi = gemmi_module()
    axis = next((ending for ending in AXES if symmetry.endswith(ending)), "_uac")
    name = POINT_GROUPS.get(symmetry.removesuffix(axis))
    if not symmetry:
        return Stated()
    if name is None:
        raise InputError(f"{path}: expected a point group of CrystFEL, found Symmetry: '{shown(symmetry)}'")
    remarks.notes.append(f"point group {symmetry}: what is absent by a screw axis or centring is taken as listed")
    change = gemmi.Op(AXES[axis])
    operations = gemmi.SpaceGroup(name).operations()
    triplets = [(change * op * change.inverse()).wrap().triplet() for op in operations.sym_ops]
    return Stated(triplets=triplets)
