"""Merged reflections of any format: which columns can be read, which one is, and its amplitudes, before symmetry."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

from ..base.errors import InputError, shown
from .gemmi_library import gemmi_module
from .symmetry import Remarks, Stated

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
# Observed: anomalous amplitudes, amplitudes, anomalous intensities, intensities.
OBSERVED_ORDER = (("pair", False), ("difference", False), ("single", False), ("pair", True), ("single", True))
# What programs of other fields put into columns of type R (any real number), by their names.
REAL_AMPLITUDE = re.compile(r"F(P|O|C|OBS|MEAS|MEAN|CALC|MODEL|NAT)?([-_(+[ ].*)?$", re.IGNORECASE)
REAL_INTENSITY = re.compile(r"(I(MEAN|OBS|MEAS|CALC|MERGE)?|INTENSITY)([-_(+[ ].*)?$", re.IGNORECASE)
NAMES_INTENSITY = re.compile(r"I(?!D)|.*(INTENSITY|SQUARED)", re.IGNORECASE)
# MTZ column types, https://www.ccp4.ac.uk/html/mtzformat.html: what --column may name, and what it may not.
TYPE_NAMES = {
    "J": "an intensity", "F": "an amplitude", "D": "an anomalous difference", "Q": "a standard deviation",
    "G": "an anomalous amplitude", "K": "an anomalous intensity", "L": "a standard deviation of F(+) or F(-)",
    "M": "a standard deviation of I(+) or I(-)", "E": "a normalized amplitude", "W": "a weight", "I": "an integer",
    "R": "any real number", "H": "an index", "P": "a phase", "A": "a phase's coefficients", "B": "a batch number",
    "Y": "M/ISYM",
}  # fmt: skip
NEVER_READ = "HPABY"
AMPLITUDE_TYPES, INTENSITY_TYPES = "FG", "JK"
SIGNS = (("(+)", "(-)"), ("[+]", "[-]"), ("+", "-"), ("plus", "minus"), ("PLUS", "MINUS"), ("Plus", "Minus"))
MISSING_FLAG = -999.0  # of older programs

NEEDS_CELL = "expected -cell (of nb-hkl: --cell) beside it"
NEEDS_SYMMETRY = "expected --symmetry with a space group's name or number beside it"
MIN_EDGE, MAX_EDGE = 1.0, 1e5  # [Å]
MAX_INDEX = 1 << 17  # of a file; after symmetry at most three times that


class Said(NamedTuple):
    """What the user says beside a file. cell: a, b, c [Å], alpha, beta, gamma [°]. symmetry: a name or number."""

    cell: tuple[float, ...] | None = None
    symmetry: str | None = None


class Item(NamedTuple):
    """A column of a file: its label, its MTZ type (of other formats, what it would be) and its data set's name."""

    label: str
    type: str
    dataset: str = ""


class Merged(NamedTuple):
    """Reflections as a file gives them, one of each set of symmetry equivalents.

    hkl: int32 (n, 3). plus: float64 (n,), F in electrons of hkl, NaN where missing. minus: the same of -hkl,
    or None where Friedel mates are equal. cell: gemmi.UnitCell, or None. stated: symmetry, as the file says it.
    """

    hkl: np.ndarray
    plus: np.ndarray
    minus: np.ndarray | None
    cell: Any
    stated: Stated
    description: str
    column: str


@dataclass(frozen=True)
class Column:
    """What can be read: a column, an anomalous pair (F of hkl and -hkl), or a mean and an anomalous difference.

    places: of labels, in the file. rank orders the default, None: only by name.
    """

    labels: tuple[str, ...]
    places: tuple[int, ...]
    form: Literal["single", "pair", "difference"]
    intensity: bool
    rank: int | None
    calculated: bool
    dataset: str = ""

    @property
    def name(self) -> str:
        return ", ".join(self.labels)

    @property
    def words(self) -> str:
        """What it is, for people."""
        origin = "calculated" if self.calculated else "observed"
        kind = "intensities" if self.intensity else "amplitudes"
        return f"{origin} {'' if self.form == 'single' else 'anomalous '}{kind} {self.name}"

    def answers_to(self, name: str) -> int:
        """How well name means this column: 3 a label, 2 in other case, 1 what a pair has in common, 0 not.

        F of F and D is the column F alone; "D" or "F, D" is both.
        """
        wanted = name.strip().removeprefix("_refln.").removeprefix("_refln_")
        if self.dataset and wanted.lower().startswith(self.dataset.lower() + "/"):
            wanted = wanted[len(self.dataset) + 1 :]
        if wanted.replace(" ", "") == self.name.replace(" ", ""):
            return 4
        labels = self.labels[1:] if self.form == "difference" else self.labels
        common = re.sub(r"\(\+\)|\[\+\]|_?plus$|\+", "", self.labels[0], flags=re.IGNORECASE)
        first = wanted.split(",")[0].strip()
        if first in labels:
            return 3
        if first.lower() in (label.lower() for label in labels):
            return 2
        return int(self.form == "pair" and first.lower() == common.lower())


def columns_of(items: Sequence[Item]) -> list[Column]:
    """The columns that can be read, best first: calculated in the order of CALCULATED, then OBSERVED_ORDER.

    items: in file order. Anomalous types are read in pairs, never alone; pairs are known by their names.
    """
    found = []
    mates = {place: mate for place, item in enumerate(items) if (mate := _mate(item, items)) is not None}
    for place, item in enumerate(items):
        if place in mates.values() or (item.type in "GK" and place not in mates):
            continue
        intensity = _is_intensity(item)
        if intensity is None:
            continue
        form: Literal["single", "pair"] = "pair" if place in mates else "single"
        places = (place, mates[place]) if place in mates else (place,)
        calculated = next((i for i, pattern in enumerate(CALCULATED) if re.match(pattern, item.label, re.I)), None)
        rank = len(CALCULATED) + OBSERVED_ORDER.index((form, intensity)) if calculated is None else calculated
        labels = tuple(items[place].label for place in places)
        hidden = NOT_DATA.search(item.label) is not None
        found.append(
            Column(labels, places, form, intensity, None if hidden else rank, calculated is not None, item.dataset)
        )
    found += _differences(items, found)
    # What is known to be an amplitude or intensity comes before what only has its name.
    found.sort(key=lambda column: (column.rank is None, items[column.places[0]].type == "R", column.rank or 0))
    return found


def _is_intensity(item: Item) -> bool | None:
    """Whether a column holds intensities (or else amplitudes), None if neither."""
    if item.type in AMPLITUDE_TYPES or (item.type == "R" and REAL_AMPLITUDE.match(item.label)):
        return False
    if item.type in INTENSITY_TYPES or (item.type == "R" and REAL_INTENSITY.match(item.label)):
        return True
    return None


def _mate(item: Item, items: Sequence[Item]) -> int | None:
    """The place of the column for -hkl that goes with that for hkl (F(+) F(-), I+ I-, F_plus F_minus), or None."""
    if _is_intensity(item) is None:
        return None
    for plus, minus in SIGNS:
        if plus in item.label:
            label = item.label.replace(plus, minus)
            for place, other in enumerate(items):
                if other.label == label and other.dataset == item.dataset and other.type in "FGJKR":
                    return place
    return None


def _differences(items: Sequence[Item], columns: Sequence[Column]) -> list[Column]:
    """Each anomalous difference (type D) with the observed amplitudes that it belongs to, by name or by place."""
    found = []
    rank = len(CALCULATED) + OBSERVED_ORDER.index(("difference", False))
    for place, item in enumerate(items):
        of_set = [c for c in columns if c.dataset == item.dataset and c.form == "single" and not c.intensity]
        of_set = [c for c in of_set if c.rank is not None and not c.calculated]
        if item.type != "D" or not of_set:
            continue
        ending = _ending(item.label)
        before = next((i for i in range(place - 1, -1, -1) if items[i].type != "Q"), None)
        mean = next((c for c in of_set if _ending(c.labels[0]) == ending), None)
        mean = mean or next((c for c in of_set if c.places[0] == before), None)
        if mean is None:
            continue
        labels, places = (mean.labels[0], item.label), (mean.places[0], place)
        found.append(Column(labels, places, "difference", False, rank, False, item.dataset))
    return found


def _ending(label: str) -> str:
    """What a label has after the kind of quantity: of F_peak and DANO_peak, 'peak'."""
    return re.sub(r"^(F(MEAN|OBS|MEAS|P|O)?|DANO|DELANO?M?|ANOM|DF?)(?![A-Z])[-_]?", "", label, flags=re.I).lower()


def choose(
    path: str, items: Sequence[Item], wanted: str | None, filled: Callable[[int], bool], remarks: Remarks
) -> Column:
    """The column that wanted names, or the best one with values; what else there is, is noted.

    filled: whether a place has any value. Raises InputError, with the names there are, if there is none.
    """
    columns = columns_of(items)
    named: list[Column] = []
    if wanted is not None:
        named = sorted(columns, key=lambda column: -column.answers_to(wanted or ""))
        if named and named[0].answers_to(wanted):
            return named[0]
        odd = _any_column(items, wanted, remarks)
        if odd is not None:
            return odd
    else:
        ranked = [column for column in columns if column.rank is not None]
        named = [column for column in ranked if all(map(filled, column.places))]
        named = named or [column for column in ranked if any(map(filled, column.places))]
    names = "; ".join(shown(column.name) for column in columns[:20]) or "none"
    if wanted is not None:
        wanted = shown(wanted)
        raise InputError(f"{path}: no amplitudes or intensities in a column '{wanted}' (there are: {names})")
    if not named:
        raise InputError(f"{path}: no column of amplitudes or intensities with values in it (there are: {names})")
    _tell_of_others(named[0], named[1:], remarks)
    return named[0]


def _any_column(items: Sequence[Item], wanted: str, remarks: Remarks) -> Column | None:
    """A column by its label that is neither amplitude nor intensity by its type, if it could be one."""
    for place, item in enumerate(items):
        names = {item.label.lower(), f"{item.dataset}/{item.label}".lower()}
        if wanted.strip().removeprefix("_refln.").lower() in names and item.type not in NEVER_READ:
            intensity = item.type in INTENSITY_TYPES or NAMES_INTENSITY.match(item.label) is not None
            kind = "intensities" if intensity else "amplitudes"
            what = TYPE_NAMES.get(item.type, "nothing that is known")
            remarks.warnings.append(f"column {item.label} is {what} by its type; read as {kind}, as --column asks")
            return Column((item.label,), (place,), "single", intensity, None, False, item.dataset)
    return None


def _tell_of_others(column: Column, others: Sequence[Column], remarks: Remarks) -> None:
    """Note what else there was to choose from, with the data sets where there are several."""
    if not others:
        return
    several = len({one.dataset for one in (column, *others)}) > 1

    def called(one: Column) -> str:
        return shown(f"{one.name} of {one.dataset}" if several and one.dataset else one.name)

    more = f" and {len(others) - 10} more" if len(others) > 10 else ""
    text = f"{called(column)} is taken; --column names another: {'; '.join(map(called, others[:10]))}{more}"
    if several:
        remarks.warnings.append(f"several data sets: {text}")
    else:
        remarks.notes.append(text)


def amplitudes(
    column: Column, values: Sequence[np.ndarray], flag: float, remarks: Remarks
) -> tuple[np.ndarray, np.ndarray | None]:
    """F of hkl, float64 (n,), and of -hkl, or None where mates are equal; NaN where missing.

    values: of the column's places. flag: what the file writes for what is missing, beside NaN and -999. |F|, or
    sqrt(max(I, 0)); of a mean and an anomalous difference, F + D/2 and F - D/2 (a missing D is 0).
    """
    present = [_without_missing(one, flag, remarks) for one in values]
    if column.form == "difference":
        half = np.nan_to_num(present[1]) / 2
        return np.abs(present[0] + half), np.abs(present[0] - half)
    with np.errstate(invalid="ignore"):
        below = int(sum((one < 0).sum() for one in present))
    found = [np.sqrt(np.maximum(one, 0.0)) if column.intensity else np.abs(one) for one in present]
    if below:
        kind, what = ("intensities", "F = 0") if column.intensity else ("amplitudes", "their absolute values")
        remarks.notes.append(f"{below} {kind} below zero: {what} taken")
    return found[0], found[1] if len(found) == 2 else None


def _without_missing(values: np.ndarray, flag: float, remarks: Remarks) -> np.ndarray:
    """Values with NaN for what is missing."""
    values = np.array(values, dtype=np.float64)
    infinite, flagged = np.isinf(values), values == MISSING_FLAG
    if np.isfinite(flag) and flag != MISSING_FLAG:
        values[values == flag] = np.nan
    if flagged.any():
        remarks.notes.append(f"{flagged.sum()} values of {MISSING_FLAG:g} are missing values")
    if infinite.any():
        remarks.warnings.append(f"{infinite.sum()} values are infinite, and left out")
    values[infinite | flagged] = np.nan
    return values


def make_cell(parameters: Sequence[float]) -> Any:
    """gemmi.UnitCell of six numbers [Å, °]."""
    return gemmi_module().UnitCell(*parameters)


def check_cell(path: str, cell: Any) -> None:
    """Raise InputError unless a gemmi.UnitCell is one that crystals have."""
    edges, angles = cell.parameters[:3], cell.parameters[3:]
    possible = all(MIN_EDGE <= edge <= MAX_EDGE for edge in edges) and all(5 <= angle <= 175 for angle in angles)
    if not (possible and cell.volume >= 1e-3 * math.prod(edges)):
        raise InputError(f"{path}: its unit cell {cell_text(cell)} is not possible")


def cell_text(cell: Any) -> str:
    """A cell's six numbers."""
    return " ".join(f"{value:g}" for value in cell.parameters)


def merged(
    path: str, form: str, column: Column, hkl: np.ndarray, F: tuple[np.ndarray, np.ndarray | None], cell: Any,
    stated: Stated, whence: str = "",
) -> Merged:  # fmt: skip
    """Check the indices and describe what was read. whence: more about its origin. Raises InputError."""
    if hkl.size and not (np.isfinite(hkl).all() and np.abs(hkl).max() < MAX_INDEX):
        raise InputError(f"{path}: not a readable {form} (Miller indices out of range)")
    indices = hkl.astype(np.int32)
    if not np.array_equal(indices, hkl):
        raise InputError(f"{path}: not a readable {form} (Miller indices that are not whole numbers)")
    has_value = ~np.isnan(F[0]) if F[1] is None else ~(np.isnan(F[0]) & np.isnan(F[1]))
    text = f"{form}, {column.words}, {has_value.sum()} merged reflections{whence}"
    return Merged(indices, F[0], F[1], cell, stated, text, column.name)
