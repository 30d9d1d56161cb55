"""Coordinates of a crystal structure (PDB, mmCIF) as others write them: what is missing, odd or improbable in them.

PDB format: https://www.wwpdb.org/documentation/file-format-content/format33/v3.3.html, in fixed columns.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..base.errors import InputError, shown
from .gemmi_library import gemmi_module
from .mmcif import parse_cif, read_blocks
from .symmetry import Remarks

MAX_COORDINATE = 1e6  # [Å]
MAX_OCCUPANCY = 100.0
MIN_B, MAX_B = -10.0, 10000.0  # [Å²]
DEFAULT_B = 20.0  # of an atom without one [Å²]; gemmi's
X, Y, Z, OCCUPANCY, B_FACTOR = slice(30, 38), slice(38, 46), slice(46, 54), slice(54, 60), slice(60, 66)
ELEMENT = slice(76, 78)
SCALES = ("SCALE1", "SCALE2", "SCALE3")
COLUMNS_IN_WORDS = {"x": X, "y": Y, "z": Z, "occupancy": OCCUPANCY, "B factor": B_FACTOR}
# Elements of the standard residues, by gemmi's kinds of them, and of modified ones.
ELEMENTS = {"AA": {"C", "N", "O", "S", "H", "D"}, "NA": {"C", "N", "O", "P", "H", "D"}, "WATER": {"O", "H", "D"}}
MODIFIED = {"P", "Se", "F", "Cl", "Br", "I", "B"}
COMMON = {"H", "D", "C", "N", "O", "F", "B", "Si", "P", "S", "Cl", "Br", "I", "Se"}
# How far the axes of SCALE may be from those of CRYST1 before the two contradict each other (share of an edge, [°]).
EDGE_TOLERANCE, ANGLE_TOLERANCE = 0.01, 1.0
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?(inf|nan)", re.IGNORECASE)


def read_structure(path: str, kind: str, content: bytes, remarks: Remarks) -> Any:
    """The structure in a file (gemmi.Structure), as far as its atoms can be used; its cell may be missing.

    kind: 'pdb' or 'mmcif-model'. Blank occupancies are 1, as the formats' readers take them; elements that standard
    residues cannot have are put right. Raises InputError for coordinates that are no numbers, and naming the atom.
    """
    structure = _read_pdb(path, content, remarks) if kind == "pdb" else _read_mmcif(path, content, remarks)
    if not len(structure) or not structure[0].count_atom_sites():
        raise InputError(f"{path}: has no atoms")
    _check_atoms(path, structure[0])
    _repair_elements(structure[0], remarks)
    if not any(site.atom.occ for site in structure[0].all()):
        remarks.warnings.append("all occupancies are zero")
    return structure


def _read_pdb(path: str, content: bytes, remarks: Remarks) -> Any:
    """Files from before 1997 have the entry's name in columns 73-80, where later ones have the element: what cannot
    be read otherwise is read without these."""
    gemmi = gemmi_module()
    lines = _lines(content)
    first = [line[:6].strip() for line in lines]
    atoms = [i for i, record in enumerate(first) if record in ("ATOM", "HETATM")]
    remarks_of_atoms = _complete_atoms(path, lines, atoms)
    scale_counts = _check_scale(lines, first, remarks)
    kept = [line for line, record in zip(lines, first, strict=True) if scale_counts or record not in SCALES]
    text = "\n".join(kept) + "\n"
    without_elements = any(not lines[i][ELEMENT].strip() for i in atoms)
    try:
        structure = gemmi.read_pdb_string(text)
    except (RuntimeError, ValueError):
        structure = gemmi.read_pdb_string(text, max_line_length=72)
        without_elements = True
    remarks.warnings += remarks_of_atoms
    if without_elements and len(structure):
        _tell_of_improbable(structure[0], remarks)
    return structure


def _lines(content: bytes) -> list[str]:
    return [line.rstrip("\r") for line in content.decode("latin-1").split("\n")]


def _complete_atoms(path: str, lines: list[str], atoms: Sequence[int]) -> list[str]:
    """Fill in what atoms leave blank, in place; what was filled in, in words. Raises InputError for no numbers."""
    without_occupancy = without_B = 0
    for i in atoms:
        line = lines[i].expandtabs().rstrip()
        for name, place in COLUMNS_IN_WORDS.items():
            word = line[place].strip()
            if NUMBER.fullmatch(word) or (not word and name in ("occupancy", "B factor")):
                continue
            what = f"expected {name} in columns {place.start + 1} to {place.stop}, found '{shown(word)}'"
            raise InputError(f"{path}: line {i + 1}: atom {_atom_of(line)}: {what}")
        if not line[OCCUPANCY].strip():
            line = f"{line[: OCCUPANCY.start]:{OCCUPANCY.start}}{1:6.2f}{line[OCCUPANCY.stop :]}"
            without_occupancy += 1
        if not line[B_FACTOR].strip():
            line = f"{line[: B_FACTOR.start]:{B_FACTOR.start}}{DEFAULT_B:6.2f}{line[B_FACTOR.stop :]}"
            without_B += 1
        lines[i] = line
    said = []
    if without_occupancy:
        said.append(f"{without_occupancy} of {len(atoms)} atoms have no occupancy: 1 is taken")
    if without_B:
        said.append(f"{without_B} of {len(atoms)} atoms have no B factor: {DEFAULT_B:g} Å² is taken")
    return said


def _atom_of(line: str) -> str:
    """The atom of a PDB line, for messages."""
    return shown(" ".join(line[6:27].split()))


def _check_scale(lines: Sequence[str], first: Sequence[str], remarks: Remarks) -> bool:
    """Whether SCALE records, if there are any, go with the cell of CRYST1."""
    cell = _cryst1(lines, first)
    rows = [_numbers(lines[i], (10, 20, 30, 40)) for i, record in enumerate(first) if record in SCALES]
    if cell is None or len(rows) != 3 or any(row is None for row in rows):
        return True
    matrix = np.array(rows, dtype=float)
    if np.abs(np.linalg.det(matrix)) < 1e-12:
        remarks.warnings.append("its SCALE records have no inverse: left out")
        return False
    if np.array_equal(matrix, np.eye(3)):
        remarks.warnings.append("its SCALE records are the identity, which is not that of its cell: left out")
        return False
    axes = np.linalg.inv(matrix)
    edges = np.linalg.norm(axes, axis=0)
    cosines = [axes[:, i] @ axes[:, j] / (edges[i] * edges[j]) for i, j in ((1, 2), (0, 2), (0, 1))]
    angles = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    apart = np.abs(edges / np.array(cell[:3]) - 1).max() > EDGE_TOLERANCE
    if apart or np.abs(angles - cell[3:]).max() > ANGLE_TOLERANCE:
        found = " ".join(f"{value:.6g}" for value in (*edges, *angles))
        remarks.warnings.append(f"its SCALE records are of another cell than CRYST1, {found}: left out")
        return False
    return True


def _cryst1(lines: Sequence[str], first: Sequence[str]) -> list[float] | None:
    """The cell of a CRYST1 record, None if there is none but the placeholder of models that are of no crystal."""
    line = next((line for line, record in zip(lines, first, strict=True) if record == "CRYST1"), "")
    cell = _numbers(line, (6, 15, 24, 33, 40, 47, 54))
    return cell if cell is not None and min(cell) > 0 and cell[:3] != [1.0, 1.0, 1.0] else None


def _numbers(line: str, edges: Sequence[int]) -> list[float] | None:
    """The numbers between columns of a line, None if one is none."""
    words = [line[start:end].strip() for start, end in pairwise(edges)]
    numbers = [float(word) for word in words if NUMBER.fullmatch(word)]
    return numbers if len(numbers) == len(words) and all(map(math.isfinite, numbers)) else None


def why_no_cell(kind: str, content: bytes) -> str:
    """Why a coordinate file has no unit cell."""
    if kind != "pdb":
        return "has no unit cell (_cell.length_a and the rest)"
    lines = _lines(content)
    line = next((line for line in lines if line.startswith("CRYST1")), None)
    if line is None:
        return "has no unit cell: there is no CRYST1 record"
    return f"has no unit cell: its record '{shown(line.strip())}' is none, or a placeholder"


def _read_mmcif(path: str, content: bytes, remarks: Remarks) -> Any:
    gemmi = gemmi_module()
    document = parse_cif(content)
    with_atoms = [block for block in document if block.find_values("_atom_site.Cartn_x")]
    if not with_atoms:
        small = any(block.has("_atom_site_fract_x") for block in read_blocks(content))
        what = "coordinates of a small molecule (_atom_site_fract_x), which are not read" if small else "has no atoms"
        raise InputError(f"{path}: {what} (a CIF must be mmCIF, with _atom_site.Cartn_x, or have _refln items)")
    block = with_atoms[0]
    if len(with_atoms) > 1:
        remarks.warnings.append(f"data block {shown(block.name)} is taken, of {len(with_atoms)} with atoms")
    _check_mmcif_numbers(path, block)
    unknown = sum(word in ("?", ".") for word in block.find_values("_atom_site.occupancy"))
    if unknown:
        remarks.warnings.append(f"{unknown} atoms have no occupancy: 1 is taken")
    return gemmi.make_structure_from_block(block)


def _check_mmcif_numbers(path: str, block: Any) -> None:
    """Raise InputError, naming the atom, for coordinates, occupancies and B factors that are no numbers."""
    as_number = gemmi_module().cif.as_number
    names = [list(block.find_values(f"_atom_site.{item}")) for item in ("id", "label_atom_id", "label_comp_id")]
    for item in ("Cartn_x", "Cartn_y", "Cartn_z", "occupancy", "B_iso_or_equiv"):
        for row, word in enumerate(block.find_values(f"_atom_site.{item}")):
            may_be_blank = word in ("?", ".") and not item.startswith("Cartn")
            if not may_be_blank and math.isnan(as_number(word)) and word.lower() != "nan":
                atom = " ".join(column[row] for column in names if row < len(column))
                raise InputError(f"{path}: atom {shown(atom)}: expected a number for {item}, found '{shown(word)}'")


def _check_atoms(path: str, model: Any) -> None:
    """Raise InputError for atoms whose density would take for ever or mean nothing, as in damaged files."""
    for site in model.all():
        atom = site.atom
        B = [atom.b_iso]
        if atom.aniso.nonzero():
            B += [8 * math.pi**2 * U for U in atom.aniso.calculate_eigenvalues()]
        place = all(abs(x) < MAX_COORDINATE for x in atom.pos.tolist())
        if not (place and abs(atom.occ) <= MAX_OCCUPANCY and all(MIN_B <= one <= MAX_B for one in B)):
            raise InputError(f"{path}: atom {site}: position, occupancy or B factor out of range")


def _repair_elements(model: Any, remarks: Remarks) -> None:
    """Put elements right that a standard residue cannot have: names that begin in column 13 instead of 14 make
    calcium of the alpha carbon CA, mercury of the hydrogen HG, cadmium of CD, neon of NE."""
    gemmi = gemmi_module()
    repaired: Counter[str] = Counter()
    unknown = 0
    for chain in model:
        for residue in chain:
            allowed = _allowed(gemmi.find_tabulated_residue(residue.name))
            for atom in residue:
                symbol = atom.element.name
                if residue.name in ("MSE", "SEC") and atom.name.upper() == "SE":
                    right = "Se"
                elif len(residue) == 1 and atom.name.upper() == residue.name and not allowed:
                    right = gemmi.Element(residue.name).name  # an ion, whose name began in column 14
                    right = right if right.upper() == residue.name else symbol
                elif allowed and symbol not in allowed:
                    right = next((letter for letter in atom.name.upper() if letter.isalpha()), "")
                    right = right if right in allowed else symbol
                else:
                    right = symbol
                if right != symbol:
                    repaired[f"{atom.name} of {residue.name}: {right}, not {symbol}"] += 1
                    atom.element = gemmi.Element(right)
                unknown += right == "X"
    if repaired:
        listed = ", ".join(shown(text) for text, _ in repaired.most_common(5))
        more = ", ..." if len(repaired) > 5 else ""
        remarks.warnings.append(
            f"{repaired.total()} atoms have improbable elements (names that begin a column too early?) and get those "
            f"of their residues: {listed}{more}"
        )
    if unknown:
        remarks.warnings.append(f"{unknown} atoms are of no known element")


def _allowed(residue: Any) -> set[str]:
    """Elements that a residue in gemmi's table can have; none if that is not known."""
    kind = "AA" if residue.is_amino_acid() else "NA" if residue.is_nucleic_acid() else ""
    kind = "WATER" if residue.is_water() else kind
    if not kind:
        return set()
    return ELEMENTS[kind] if residue.is_standard() or kind == "WATER" else ELEMENTS[kind] | MODIFIED


def _tell_of_improbable(model: Any, remarks: Remarks) -> None:
    """Warn of rare elements that were guessed from the names of atoms in molecules that gemmi's table does not know."""
    gemmi = gemmi_module()
    found: Counter[str] = Counter()
    for residue in _molecules(model):
        if _allowed(gemmi.find_tabulated_residue(residue.name)):
            continue
        for atom in residue:
            if atom.element.name not in COMMON:
                found[f"{atom.name} of {residue.name} as {atom.element.name}"] += 1
    if found:
        listed = ", ".join(shown(text) for text, _ in found.most_common(10))
        remarks.warnings.append(f"no elements are given, and improbable ones follow from the atoms' names: {listed}")


def _molecules(model: Any) -> Iterable[Any]:
    """Residues of more than one atom: an ion's name is its element."""
    return (residue for chain in model for residue in chain if len(residue) > 1)
