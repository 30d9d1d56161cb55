"""MTZ files, of CCP4 and whoever else writes them: https://www.ccp4.ac.uk/html/mtzformat.html."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from ..base.errors import InputError, shown
from .expansion import packed
from .gemmi_library import explained, gemmi_module
from .merged_reflections import Item, Merged, amplitudes, choose, merged
from .symmetry import Remarks, Stated

UNMERGED = "unmerged data; merge it first (aimless, dials.merge)"
MOST_COLUMNS = 10_000
RECORD = 80  # bytes of a header record


def read_mtz(path: str, column: str | None, remarks: Remarks) -> Merged:
    """Merged reflections of an MTZ file.

    column: label of a column or an anomalous pair; None: choose's best. Columns are found by their labels. Raises
    InputError for unmerged, truncated or otherwise unreadable files and unknown columns.
    """
    gemmi = gemmi_module()
    with explained(path, "MTZ file"):
        records = _header_records(path)
        header = gemmi.read_mtz_file(path, with_data=False)
        needed = 80 + 4 * header.nreflections * len(header.columns)
        if header.nreflections < 0 or needed > os.path.getsize(path) or len(header.columns) > MOST_COLUMNS:
            raise ValueError("it is truncated")
        mtz = gemmi.read_mtz_file(path)
        names = {one.id: _name_of(one) for one in mtz.datasets}
        items = [Item(one.label, one.type, names.get(one.dataset_id, "")) for one in mtz.columns]
        with np.errstate(invalid="ignore"):  # any NaN means missing
            data = np.array(mtz.array, dtype=np.float64)
        hkl = data[:, _index_columns(items)]
        hkl = hkl * _friedel_signs(path, mtz, items, data, hkl, remarks)[:, None]
        chosen = choose(path, items, column, lambda place: bool(_has_value(data[:, place], mtz.valm)), remarks)
        F = amplitudes(chosen, [data[:, place] for place in chosen.places], mtz.valm, remarks)
        cell, whence = _dataset(mtz, mtz.columns[chosen.places[0]].dataset_id)
        return merged(path, "MTZ", chosen, hkl, F, cell, _stated(mtz, records), whence)


def _name_of(dataset: Any) -> str:
    try:
        return str(dataset.dataset_name)
    except UnicodeDecodeError:  # letters of an encoding that the file does not name
        return f"set {dataset.id}"


def _has_value(values: np.ndarray, flag: float) -> bool:
    with np.errstate(invalid="ignore"):
        return bool((np.isfinite(values) & (values != flag) & (values != -999.0)).any())


def _index_columns(items: Sequence[Item]) -> list[int]:
    """The places of h, k and l: by their labels, or the first three of type H. Raises ValueError."""
    labelled = [next((i for i, one in enumerate(items) if one.label.upper() == name), None) for name in "HKL"]
    typed = [place for place, item in enumerate(items) if item.type == "H"]
    places = [place for place in labelled if place is not None]
    if len(places) < 3 or any(items[place].type not in "HIR" for place in places):
        places = typed[:3]
    if len(places) < 3:
        raise ValueError("it has no columns h k l")
    return places


def _friedel_signs(
    path: str, mtz: Any, items: Sequence[Item], data: np.ndarray, hkl: np.ndarray, remarks: Remarks
) -> np.ndarray:
    """1 or -1 for each row, -1 where M/ISYM says that it is of -hkl; raises InputError for unmerged data.

    Data are unmerged if they are in batches, or if M/ISYM, which then says how each measurement was brought to the
    asymmetric unit, is there and reflections repeat. Writers of merged files leave dummies in such a column.
    """
    signs = np.ones(len(hkl))
    batches = [data[:, i] for i, item in enumerate(items) if item.type == "B"]
    if len(mtz.batches) or any(len(np.unique(one[np.isfinite(one)])) > 1 for one in batches):
        raise InputError(f"{path}: {UNMERGED}")
    place = next((i for i, one in enumerate(items) if one.type == "Y" and one.label.upper().startswith("M")), None)
    if place is None:
        return signs
    symmetry_number = np.nan_to_num(data[:, place], posinf=0.0, neginf=0.0).astype(np.int64) % 256
    if not (symmetry_number > 0).any():
        return signs
    signs[(symmetry_number > 0) & (symmetry_number % 2 == 0)] = -1.0
    if not np.isfinite(hkl).all() or np.abs(hkl).max(initial=0) >= 2**19:
        return signs  # an error of its own, later
    key = 2 * packed(hkl) + (signs > 0)
    if len(np.unique(key)) < len(key):
        raise InputError(f"{path}: {UNMERGED}")
    if (signs < 0).any():
        remarks.notes.append(f"column {items[place].label}: {(signs < 0).sum()} rows are of -h -k -l")
    return signs


def _dataset(mtz: Any, number: int) -> tuple[Any, str]:
    """The cell of a data set (None if there is none), and which one it is, in words, if there are several."""
    cell = mtz.get_cell(number)
    cell = cell if cell.is_crystal() else mtz.cell
    measured = [one for one in mtz.datasets if one.id != 0 and _name_of(one) != "HKL_base"]
    whence = ""
    if len(measured) > 1:
        for one in measured:
            if one.id == number:
                wavelength = f" ({one.wavelength:g} Å)" if one.wavelength > 0 else ""
                whence = f" of data set {shown(_name_of(one))}{wavelength}, one of {len(measured)}"
    return (cell if cell.is_crystal() else None), whence


def _stated(mtz: Any, records: Sequence[str]) -> Stated:
    """Symmetry as the header has it."""
    triplets = [record[4:].strip() for record in records if record.upper().startswith("SYMM ")]
    return Stated(names=[mtz.spacegroup_name], number=mtz.spacegroup_number, triplets=triplets)


def _header_records(path: str) -> list[str]:
    """The header's records of 80 characters. Raises ValueError unless it is where the file says.

    Bytes 4-7: the header's place in words of 4 bytes, from 1, or -1 and then it is in 12-19. Byte 9: 1 in the
    high half if integers are big-endian. gemmi looks for a header at any length.
    """
    with open(path, "rb") as file:
        start = file.read(20)
        if len(start) == 20:
            order: Literal["big", "little"] = "big" if start[9] & 0xF0 == 0x10 else "little"
            place = int.from_bytes(start[4:8], order, signed=True)
            if place == -1:
                place = int.from_bytes(start[12:20], order, signed=True)
            if 20 < place <= os.path.getsize(path) // 4:
                file.seek(4 * (place - 1))
                header = file.read()
                if header.startswith(b"VERS") and b"MTZENDOFHEADERS" in header:
                    text = header[: header.index(b"MTZENDOFHEADERS")].decode("latin-1")
                    return [text[at : at + RECORD] for at in range(0, len(text), RECORD)]
    raise ValueError("it is truncated: no complete header where it should be")
