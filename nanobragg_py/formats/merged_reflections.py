"""Merged reflections of MTZ and mmCIF files: the column that is read, and its amplitudes, before symmetry."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, NamedTuple

import numpy as np

from ..base.errors import InputError

# A simulation wants amplitudes that are complete, free of noise and in electrons: calculated ones come first,
# those with bulk solvent and scale before those of the atoms alone (Phenix; Refmac; mmCIF; anything else).
CALCULATED = (
    r"F-?MODEL",
    r"FC_ALL$",
    r"FC_ALL_LS$",
    r"PDBX_F_CALC_WITH_SOLVENT$",
    r"F[_-]?C(ALC)?([_-]?AU)?\b",
    r"(F_SQUARED|INTENSITY|I)[_-]?CALC\b",
)


NOT_DATA = re.compile(r"WT|FOFC|(?<!MO)DEL|FAN|FEM|FDM|DANO|PART", re.IGNORECASE)  # map coefficients and parts of F
OBSERVED_ORDER = ("G", "F", "K", "J")  # anomalous amplitudes, amplitudes, anomalous intensities, intensities
INTENSITY_TYPES = "JK"
WORDS = {"F": "amplitudes", "J": "intensities", "G": "anomalous amplitudes", "K": "anomalous intensities"}
MMCIF_TYPES = {  # item of category _refln: MTZ column type
    "pdbx_F_calc_with_solvent": "F",
    "F_calc": "F",
    "F_calc_au": "F",
    "F_squared_calc": "J",
    "intensity_calc": "J",
    "pdbx_F_plus": "G",
    "pdbx_F_minus": "G",
    "F_meas": "F",
    "F_meas_au": "F",
    "pdbx_I_plus": "K",
    "pdbx_I_minus": "K",
    "intensity_meas": "J",
    "F_squared_meas": "J",
    "pdbx_FWT": "F",
    "pdbx_DELFWT": "F",
}


MIN_EDGE, MAX_EDGE = 1.0, 1e5  # [Å]
MAX_INDEX = 1 << 17  # of a file; after symmetry at most three times that
HALF = 1 << 19  # a Miller index of -HALF..HALF-1 fits in a packed one
SPAN = 1 << 20


class Merged(NamedTuple):
    """Reflections as a file gives them, one of each set of symmetry equivalents.

    hkl: int32 (n, 3). plus: float64 (n,), F in electrons of hkl, NaN where missing. minus: the same of -hkl,
    or None where Friedel mates are equal. cell: gemmi.UnitCell. space_group: gemmi.SpaceGroup.
    """

    hkl: np.ndarray
    plus: np.ndarray
    minus: np.ndarray | None
    cell: Any
    space_group: Any
    description: str
    column: str


@dataclass(frozen=True)
class Column:
    """A column that can be read, or an anomalous pair; rank orders the default, None: only by name."""

    labels: tuple[str, ...]
    type: str
    rank: int | None
    calculated: bool

    @property
    def name(self) -> str:
        return ", ".join(self.labels)

    def answers_to(self, name: str) -> int:
        """How well name means this column: 3 a label, 2 in other case, 1 what a pair has in common, 0 not."""
        wanted = name.split(",")[0].strip().removeprefix("_refln.")
        common = re.sub(r"\(\+\)|_?plus$|\+", "", self.labels[0], flags=re.IGNORECASE)
        if wanted in self.labels:
            return 3
        if wanted.lower() in (label.lower() for label in self.labels):
            return 2
        return int(wanted.lower() == common.lower())


def gemmi_module() -> ModuleType:
    """gemmi, which only this kind of input needs; InputError says how to install it."""
    try:
        import gemmi
    except ImportError as error:
        raise InputError("reading MTZ, mmCIF and PDB files needs gemmi: pip install 'nanobragg_py[mtz]'") from error
    return gemmi


@contextmanager
def explained(path: str, what: str) -> Iterator[None]:
    """Turn whatever gemmi or the system raises while reading path into an InputError that names the file."""
    try:
        yield
    except MemoryError as error:
        raise InputError(f"{path}: not enough memory to read this {what}") from error
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except (RuntimeError, ValueError, IndexError, TypeError, KeyError, EOFError) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: not a readable {what} ({reason})") from error


def columns_of(typed: Sequence[tuple[str, str]]) -> list[Column]:
    """The columns that can be read, best first: calculated in the order of CALCULATED, then OBSERVED_ORDER.

    typed: (label, MTZ column type) in file order. Anomalous types are read in pairs, never alone.
    """
    labels = {label for label, _ in typed}
    found = []
    for label, kind in typed:
        if kind in "FJ":
            members: tuple[str, ...] = (label,)
        elif kind in "GK" and (mate := _mate(label, labels)):
            members = (label, mate)
        else:
            continue
        calculated = next((i for i, pattern in enumerate(CALCULATED) if re.match(pattern, label, re.I)), None)
        if NOT_DATA.search(label):
            rank = None
        elif calculated is not None:
            rank = calculated
        else:
            rank = len(CALCULATED) + OBSERVED_ORDER.index(kind)
        found.append(Column(members, kind, rank, calculated is not None))
    return sorted(found, key=lambda column: (column.rank is None, column.rank))


def _mate(label: str, labels: set[str]) -> str | None:
    """The label for -hkl that goes with that for hkl (F(+) F(-), I+ I-, F_plus F_minus), or None."""
    for plus, minus in (("(+)", "(-)"), ("+", "-"), ("plus", "minus"), ("PLUS", "MINUS"), ("Plus", "Minus")):
        if plus in label and label.replace(plus, minus) in labels:
            return label.replace(plus, minus)
    return None


def choose(path: str, columns: Sequence[Column], wanted: str | None, filled: Any) -> Column:
    """The column that wanted names, or the best one for which filled(column) is true.

    Raises InputError, with the names there are, if there is none.
    """
    if wanted is not None:
        named = sorted(columns, key=lambda column: -column.answers_to(wanted))
        named = named if named and named[0].answers_to(wanted) else []
    else:
        named = [column for column in columns if column.rank is not None and filled(column)]
    if named:
        return named[0]
    names = "; ".join(column.name for column in columns) or "none"
    if wanted is not None:
        raise InputError(f"{path}: no amplitudes or intensities in a column '{wanted}' (there are: {names})")
    raise InputError(f"{path}: no column of amplitudes or intensities with values in it (there are: {names})")


def amplitudes(column: Column, values: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Amplitudes of a column's values, float64 (n,): |F|, or sqrt(max(I, 0)); NaN where missing."""
    result = []
    for one in values:
        one = np.where(np.isfinite(one), one, np.nan).astype(np.float64)
        result.append(np.sqrt(np.maximum(one, 0.0)) if column.type in INTENSITY_TYPES else np.abs(one))
    return result


def check_cell(path: str, cell: Any) -> None:
    """Raise InputError unless a gemmi.UnitCell is one that crystals have."""
    edges, angles = cell.parameters[:3], cell.parameters[3:]
    if not cell.is_crystal():
        raise InputError(f"{path}: has no unit cell (is it of a crystal?)")
    possible = all(MIN_EDGE <= edge <= MAX_EDGE for edge in edges) and all(5 <= angle <= 175 for angle in angles)
    if not (possible and cell.volume >= 1e-3 * math.prod(edges)):
        text = " ".join(f"{value:g}" for value in (*edges, *angles))
        raise InputError(f"{path}: its unit cell {text} is not possible")


def _merged(
    path: str, form: str, column: Column, hkl: np.ndarray, values: list[np.ndarray], cell: Any, group: Any
) -> Merged:
    """Check what every reflection file must have, and describe it; raises InputError."""
    check_cell(path, cell)
    if group is None:
        raise InputError(f"{path}: has no space group that is known")
    if hkl.size and not (np.isfinite(hkl).all() and np.abs(hkl).max() < MAX_INDEX):
        raise InputError(f"{path}: not a readable {form} (Miller indices out of range)")
    F = amplitudes(column, values)
    origin = "calculated" if column.calculated else "observed"
    count = int(np.isfinite(F).any(axis=0).sum())
    text = f"{form}, {origin} {WORDS[column.type]} {column.name}, {count} merged reflections"
    minus = F[1] if len(F) == 2 else None
    return Merged(hkl.astype(np.int32), F[0], minus, cell, group, text, column.name)


def read_mtz(path: str, column: str | None = None) -> Merged:
    """Merged reflections of an MTZ file.

    column: label of an amplitude (type F), intensity (J) or anomalous pair (G, K); None: columns_of's best.
    Raises InputError for unmerged, truncated or otherwise unreadable files and unknown columns.
    Format: https://www.ccp4.ac.uk/html/mtzformat.html
    """
    gemmi = gemmi_module()
    with explained(path, "MTZ file"):
        _check_header_offset(path)
        header = gemmi.read_mtz_file(path, with_data=False)
        needed = 80 + 4 * header.nreflections * len(header.columns)
        if header.nreflections < 0 or needed > os.path.getsize(path):
            raise ValueError("it is truncated")
        mtz = gemmi.read_mtz_file(path)
        types = [item.type for item in mtz.columns]
        if types[:3] != ["H", "H", "H"]:
            raise ValueError("its first columns are not h k l")
        if len(mtz.batches) or "Y" in types:
            raise InputError(f"{path}: unmerged data; merge it first (aimless, dials.merge)")
        with np.errstate(invalid="ignore"):  # any NaN means missing
            data = np.array(mtz.array, dtype=np.float64)
        if np.isfinite(mtz.valm):
            data[data == mtz.valm] = np.nan
        index: dict[str, int] = {}
        for number, item in enumerate(mtz.columns):
            index.setdefault(item.label, number)
        columns = columns_of([(item.label, item.type) for item in mtz.columns])
        chosen = choose(path, columns, column, lambda one: np.isfinite(data[:, index[one.labels[0]]]).any())
        cell = mtz.get_cell(mtz.columns[index[chosen.labels[0]]].dataset_id)
        values = [data[:, index[label]] for label in chosen.labels]
        cell = cell if cell.is_crystal() else mtz.cell
        return _merged(path, "MTZ", chosen, data[:, :3], values, cell, mtz.spacegroup)


def _check_header_offset(path: str) -> None:
    """Raise ValueError unless an MTZ file has its header where it says; gemmi looks for it at any length.

    Bytes 4-7: the header's place in words of 4 bytes, from 1, or -1 and then it is in 12-19. Byte 9: 1 in the
    high half if integers are big-endian.
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
                    return
    raise ValueError("it is truncated: no complete header where it should be")


def read_mmcif(path: str, column: str | None = None) -> Merged:
    """Merged reflections of the first data block of an mmCIF file that has the column (category _refln).

    column: an item of MMCIF_TYPES, with or without `_refln.`; None: the best of columns_of with any value.
    Observed values are missing where _refln.status is x (unreliable, not measured) or - (absent).
    Raises InputError for unmerged or unreadable files and unknown columns.
    Items: https://mmcif.wwpdb.org/dictionaries/mmcif_pdbx_v50.dic/Categories/refln.html
    """
    gemmi = gemmi_module()
    with explained(path, "mmCIF file"):
        with open(path, "rb") as file:
            document = gemmi.cif.read_string(file.read())
        blocks = [one for one in gemmi.as_refln_blocks(document) if one.default_loop is not None]
        merged = [one for one in blocks if not one.is_unmerged()]
        if not merged:
            why = "unmerged data; merge it first" if blocks else "no reflections in this mmCIF file"
            raise InputError(f"{path}: {why}")
        offered = [(block, _mmcif_columns(block)) for block in merged]
        usable = [pair for pair in offered if any(one.answers_to(column or "") for one in pair[1])]
        usable = usable or [pair for pair in offered if any(one.rank is not None for one in pair[1])] or offered
        block, columns = usable[0]
        chosen = choose(path, columns, column, lambda one: np.isfinite(block.make_float_array(one.labels[0])).any())
        values = [np.array(block.make_float_array(label), np.float64) for label in chosen.labels]
        if not chosen.calculated and "status" in block.column_labels():
            status = block.block.find_values(block.default_loop.tags[0].split(".")[0] + ".status")
            unmeasured = np.array([gemmi.cif.as_string(word) in ("x", "-") for word in status], bool)
            for one in values:
                one[unmeasured] = np.nan
        hkl = np.array(block.make_miller_array())
        return _merged(path, "mmCIF", chosen, hkl, values, block.cell, block.spacegroup)


def _mmcif_columns(block: Any) -> list[Column]:
    """What columns_of says of a gemmi.ReflnBlock; among equals, the order of MMCIF_TYPES."""
    present = set(block.column_labels())
    return columns_of([(label, kind) for label, kind in MMCIF_TYPES.items() if label in present])


def packed(hkl: np.ndarray) -> np.ndarray:
    """One integer, int64 (n,), for each hkl, integers (n, 3), that sorts like it; -hkl mirrors hkl at 000."""
    h, k, ell = hkl.astype(np.int64).T + HALF
    return (h * SPAN + k) * SPAN + ell


def unpacked(key: np.ndarray) -> np.ndarray:
    """What packed was given, int32 (n, 3)."""
    return np.stack([key // SPAN**2, key // SPAN % SPAN, key % SPAN], axis=1).astype(np.int32) - HALF
