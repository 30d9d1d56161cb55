"""Reflections in CIF: mmCIF structure factors (_refln.index_h) and those of small molecules (_refln_index_h).

Items: https://mmcif.wwpdb.org/dictionaries/mmcif_pdbx_v50.dic/Categories/refln.html and
https://www.iucr.org/resources/cif/dictionaries (cif_core, category REFLN).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from ..base.errors import InputError, shown
from .gemmi_library import explained, gemmi_module
from .merged_reflections import Column, Item, Merged, amplitudes, choose, columns_of, merged
from .symmetry import Remarks, Stated

TYPES = {  # item of category _refln: MTZ column type; among equals, the order here decides
    "pdbx_F_calc_with_solvent": "F",
    "F_calc": "F",
    "F_calc_au": "F",
    "F_squared_calc": "J",
    "intensity_calc": "J",
    "pdbx_F_plus": "G",
    "pdbx_F_minus": "G",
    "F_meas": "F",
    "F_meas_au": "F",
    "pdbx_anom_difference": "D",
    "pdbx_I_plus": "K",
    "pdbx_I_minus": "K",
    "intensity_meas": "J",
    "F_squared_meas": "J",
    "pdbx_FWT": "F",
    "pdbx_DELFWT": "F",
}
# Endings of items that --column may not name, and their MTZ types.
OTHER_TYPES = {"index_h": "H", "index_k": "H", "index_l": "H", "sigma": "Q", "sigma_au": "Q", "fom": "W", "weight": "W"}
CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
NAME_ITEMS = (
    "_symmetry.space_group_name_H-M", "_space_group.name_H-M_alt", "_space_group.name_H-M_full",
    "_space_group.name_H-M_ref", "_symmetry.pdbx_full_space_group_name_H-M",
)  # fmt: skip
HALL_ITEMS = ("_space_group.name_Hall", "_symmetry.space_group_name_Hall")
NUMBER_ITEMS = ("_space_group.IT_number", "_symmetry.Int_Tables_number", "_symmetry.int_tables_number")
OPERATION_ITEMS = ("_space_group_symop.operation_xyz", "_symmetry_equiv.pos_as_xyz")
UNMEASURED = ("x", "-")  # in a reflection's status: unreliable, systematically absent
AS_ASCII = bytes(range(128)) + b"?" * 128
# Items that tell the measurements apart that one list may hold.
SET_ITEMS = ("wavelength_id", "crystal_id", "scale_group_code")


class Block:
    """A data block, its items found by name whatever their case and whether a dot or an underscore separates them."""

    def __init__(self, block: Any):
        self.name = str(block.name)
        self._block = block
        self._tags: dict[str, str] = {}
        for entry in block:
            tags = [entry.pair[0]] if entry.pair is not None else entry.loop.tags if entry.loop is not None else ()
            for tag in tags:
                self._tags.setdefault(_plain(tag), tag)

    def has(self, item: str) -> bool:
        return _plain(item) in self._tags

    def values(self, item: str) -> list[str]:
        """The words of an item; none if it is not there, "" for what is unknown."""
        tag = self._tags.get(_plain(item))
        words = () if tag is None else self._block.find_values(tag)
        return ["" if word in ("?", ".") else gemmi_module().cif.as_string(word) for word in words]

    def first(self, items: Iterable[str]) -> str:
        """The first word that any of the items has, or ""."""
        return next((values[0] for item in items if (values := self.values(item)) and values[0]), "")

    def reflection_items(self) -> list[str]:
        """What category _refln has, in file order."""
        prefix = "_refln_"
        return [tag[len(prefix) :] for plain, tag in self._tags.items() if plain.startswith(prefix)]


def _plain(tag: str) -> str:
    return tag.lower().replace(".", "_")


def parse_cif(text: bytes) -> Any:
    """gemmi's document of a CIF; letters beyond ASCII, which no item needs that is read here, become '?'."""
    return gemmi_module().cif.read_string(text.translate(AS_ASCII))


def read_blocks(text: bytes) -> list[Block]:
    """The data blocks of a CIF. Raises what gemmi raises if it is none."""
    return [Block(block) for block in parse_cif(text)]


def read_mmcif(path: str, text: bytes, column: str | None, remarks: Remarks) -> Merged:
    """Merged reflections of the first data block of a CIF that has the column (category _refln).

    column: an item of the category, with or without `_refln.`; None: choose's best with any value. Observed values
    are missing where the reflection's status is x (unreliable, not measured) or - (absent). Raises InputError for
    unmerged or unreadable files and unknown columns.
    """
    with explained(path, "mmCIF file"):
        blocks = read_blocks(text)
        with_data = [block for block in blocks if block.has("_refln.index_h")]
        if not with_data:
            unmerged = any(block.has("_diffrn_refln.index_h") for block in blocks)
            why = "unmerged data; merge it first" if unmerged else "no reflections in this mmCIF file"
            raise InputError(f"{path}: {why}")
        block = _block_with(with_data, column)
        if len(with_data) > 1:
            others = ", ".join(shown(one.name) for one in with_data[:10] if one is not block)
            remarks.warnings.append(
                f"data block {shown(block.name)} is taken, of {len(with_data)} with reflections; others: {others}"
            )
        return _read_block(path, block, blocks, column, remarks)


def _block_with(blocks: Sequence[Block], column: str | None) -> Block:
    """The first block that has the column, or else any column that can be read, or else the first."""
    offered = [(block, columns_of(_items(block))) for block in blocks]
    named = [block for block, columns in offered if any(one.answers_to(column or "") for one in columns)]
    usable = [block for block, columns in offered if any(one.rank is not None for one in columns)]
    return (named or usable or list(blocks))[0]


def _items(block: Block) -> list[Item]:
    """The columns of category _refln, those of TYPES first and in its order."""
    known = {label.lower(): (place, kind) for place, (label, kind) in enumerate(TYPES.items())}
    items = [Item(label, known.get(label.lower(), (0, _other_type(label)))[1]) for label in block.reflection_items()]
    return sorted(items, key=lambda item: known.get(item.label.lower(), (len(known), ""))[0])


def _other_type(label: str) -> str:
    """The MTZ type of what is neither amplitude nor intensity."""
    lower = label.lower()
    if "phase" in lower or "_id" in lower or lower.endswith(("status", "code")):
        return "P"
    return next((kind for ending, kind in OTHER_TYPES.items() if lower.endswith(ending)), "R?")


def _read_block(path: str, block: Block, blocks: Sequence[Block], column: str | None, remarks: Remarks) -> Merged:
    items = _items(block)
    columns: dict[str, np.ndarray] = {}

    def numbers(label: str) -> np.ndarray:
        if label not in columns:
            columns[label] = _numbers(path, f"_refln.{label}", block.values(f"_refln.{label}"))
        return columns[label]

    chosen = choose(path, items, column, lambda place: bool(np.isfinite(numbers(items[place].label)).any()), remarks)
    values = [numbers(label).copy() for label in chosen.labels]
    indices = [numbers(f"index_{axis}") for axis in "hkl"]
    if len({len(one) for one in (*indices, *values)}) != 1:
        raise InputError(f"{path}: not a readable mmCIF file (its reflections' items are not all in one loop)")
    hkl = np.stack(indices, axis=1)
    if not chosen.calculated:
        _leave_out_unmeasured(block, values)
    _take_one_set(block, chosen, values, remarks)
    F = amplitudes(chosen, values, np.nan, remarks)
    cell = next((found for one in (block, *blocks) if (found := _cell(path, one)) is not None), None)
    stated = next((found for one in (block, *blocks) if (found := _stated(one))), Stated())
    return merged(path, "mmCIF" if "." in block._tags["_refln_index_h"] else "CIF", chosen, hkl, F, cell, stated)


def _numbers(path: str, item: str, words: Sequence[str]) -> np.ndarray:
    """Words as float64 (n,), NaN for unknown ones, without standard uncertainties in brackets."""
    try:
        return np.array([float(word) if word else np.nan for word in words])
    except ValueError:
        pass
    as_number = gemmi_module().cif.as_number
    values = [as_number(word) if word else np.nan for word in words]
    wrong = next((word for word, value in zip(words, values, strict=True) if word and np.isnan(value)), None)
    if wrong is not None and wrong.lower() != "nan":
        raise InputError(f"{path}: {item}: expected numbers, found '{shown(wrong)}'")
    return np.array(values)


def _leave_out_unmeasured(block: Block, values: Sequence[np.ndarray]) -> None:
    """Make NaN of what a reflection's status calls unmeasured."""
    for item in ("_refln.status", "_refln.observed_status", "_refln.include_status"):
        status = block.values(item)
        if status:
            unmeasured = np.array([word in UNMEASURED for word in status], bool)
            for one in values:
                if len(one) == len(unmeasured):
                    one[unmeasured] = np.nan
            return


def _take_one_set(block: Block, column: Column, values: Sequence[np.ndarray], remarks: Remarks) -> None:
    """Of several wavelengths, crystals or scale groups in one list, keep the first with values; the rest gets NaN."""
    present = ~np.isnan(values[0])
    for item in SET_ITEMS:
        words = block.values(f"_refln.{item}")
        if len(words) != len(present):
            continue
        sets = np.array(words, dtype=np.str_)
        names, first, counts = np.unique(sets[present], return_index=True, return_counts=True)
        if len(names) < 2:
            continue
        taken = int(np.argmin(first))
        listed = ", ".join(f"{shown(str(name))}: {count}" for name, count in zip(names[:10], counts, strict=False))
        remarks.warnings.append(
            f"{column.name} of {item} {shown(str(names[taken]))} is taken, of {len(names)} (reflections of {listed})"
        )
        for one in values:
            one[sets != names[taken]] = np.nan
        present = ~np.isnan(values[0])


def _cell(path: str, block: Block) -> Any:
    """gemmi.UnitCell of a data block, or None."""
    as_number = gemmi_module().cif.as_number
    words = [block.first([f"_cell.{item}"]) for item in CELL]
    if not all(words):
        return None
    numbers = [as_number(word) for word in words]
    for item, word, value in zip(CELL, words, numbers, strict=True):
        if np.isnan(value):
            raise InputError(f"{path}: _cell.{item}: expected a number, found '{shown(word)}'")
    cell = gemmi_module().UnitCell(*numbers)
    return cell if cell.is_crystal() else None


def _stated(block: Block) -> Stated:
    """Symmetry as a data block has it."""
    number = block.first(NUMBER_ITEMS)
    triplets = next((found for item in OPERATION_ITEMS if (found := [w for w in block.values(item) if w])), [])
    return Stated(
        names=[value for item in NAME_ITEMS if (value := block.first([item]))],
        hall=block.first(HALL_ITEMS),
        number=int(number) if number.isdigit() and len(number) < 4 else 0,
        triplets=triplets,
    )
