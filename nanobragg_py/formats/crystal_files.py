"""Real crystallographic data as reflection lists of P1: what a file is, and its amplitudes after symmetry."""

from __future__ import annotations

import math
import os
import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.errors import InputError
from ..base.opening import Opened, open_input
from . import crystfel, scalepack, shelx, xds_ascii
from .expansion import expand_to_p1, tell_of_rows
from .gemmi_library import explained, gemmi_module
from .merged_reflections import (
    NEEDS_CELL,
    NEEDS_SYMMETRY,
    Merged,
    Said,
    cell_text,
    check_cell,
    make_cell,
)
from .mmcif import read_mmcif
from .model_amplitudes import model_amplitudes
from .mtz import read_mtz
from .symmetry import Remarks, Symmetry, cell_fits, symmetry_of, user_symmetry

FIRST_BYTES = 4096
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
CIF_BYTES = 4 << 20  # how far to look for the first reflection or atom of a CIF
COORDINATES = ("pdb", "mmcif-model")
CIF_START = re.compile(rb"(?:\s++|#[^\n]*+\n)*+data_", re.IGNORECASE)
CIF_CATEGORY = re.compile(rb"^[ \t]*+_(diffrn_refln[._]index|refln[._]index|atom_site[._])", re.I | re.MULTILINE)
PDB_RECORD = re.compile(
    rb"\s*(?:HEADER|OBSLTE|TITLE|SPLIT|CAVEAT|COMPND|SOURCE|KEYWDS|EXPDTA|NUMMDL|MDLTYP|AUTHOR|REVDAT|SPRSDE|JRNL|"
    rb"REMARK|DBREF|SEQRES|HET|HELIX|SHEET|SSBOND|LINK|CISPEP|CRYST1|ORIGX\d|SCALE\d|MTRIX\d|MODEL|ATOM|HETATM|USER)"
    rb"(?:[ \d]|\r?\n)"
)
# What is recognised only to say what it is: a name, and how it can be had in a format that is read.
NOT_READ = (
    (re.compile(rb"CrystFEL stream format"), "a stream of CrystFEL: merge it with process_hkl or partialator"),
    (re.compile(rb"!OUTPUT_FILE=INTEGRATE"), "INTEGRATE.HKL of XDS, unmerged: take what CORRECT and XSCALE make of it"),
    (re.compile(rb"!FORMAT=|!OUTPUT_FILE="), "a file of XDS that is not read: take XDS_ASCII.HKL, merged"),
    (re.compile(rb"\s*+(\{[^}]*+\}\s*+)*+(NREF|INDE|DECL)", re.I), "a reflection file of CNS: convert it to MTZ"),
    (re.compile(rb"\s*<(!doctype|html|\?xml)", re.IGNORECASE), "a web page, or XML: was it downloaded whole?"),
    (re.compile(rb"\x89HDF\r\n\x1a\n"), "HDF5, which holds no reflections that are read here"),
)


@dataclass(frozen=True, eq=False)
class CrystalData:
    """Amplitudes of all of P1, each hkl once, sorted, without F000 and systematic absences.

    hkl: int32 (n, 3). F: float64 (n,), in electrons (observed data: in the file's own scale).
    cell: a, b, c [Å], alpha, beta, gamma [°]. space_group: Hermann-Mauguin name of the merged data.
    resolution_A: the smallest d [Å]. column: what was read. description: all this in words, for the log.
    notes, warnings: what else is to be said: what was chosen, left out or filled in, and what may be wrong.
    """

    hkl: np.ndarray
    F: np.ndarray
    cell: tuple[float, float, float, float, float, float]
    space_group: str
    resolution_A: float
    column: str
    description: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def recognise(path: str | os.PathLike[str]) -> str | None:
    """What a file is, by its first bytes, see kind_of; None also for what is missing, unreadable or no regular file."""
    path = os.fspath(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open_input(path, "file") as opened:
            return kind_of(opened)
    except (OSError, ValueError, InputError):
        return None


def kind_of(opened: Opened) -> str | None:
    """What an input holds: 'mtz', 'mmcif-reflections', 'pdb', 'mmcif-model', 'xds', 'crystfel', 'shelx', 'scalepack'.

    None for everything else: that is for the reader of plain lists. Raises InputError for what is recognised, but not
    read, and for what cannot be decompressed.
    """
    head = opened.head(FIRST_BYTES).removeprefix(BYTE_ORDER_MARK)
    kind = next((kind for kind, is_it in KINDS if is_it(head)), None)
    if kind == "none":
        what = next(text for start, text in NOT_READ if start.match(head))
        raise InputError(f"{opened.path}: this is {what}")
    if kind != "cif":
        return kind
    found = CIF_CATEGORY.search(opened.head(CIF_BYTES))
    return "mmcif-reflections" if found and b"refln" in found[1].lower() else "mmcif-model"


KINDS: tuple[tuple[str, Callable[[bytes], object]], ...] = (
    ("mtz", lambda head: head.startswith(b"MTZ ")),
    ("pdb", PDB_RECORD.match),
    ("cif", CIF_START.match),
    ("xds", lambda head: head.startswith(xds_ascii.START)),
    ("crystfel", lambda head: head.startswith(crystfel.START)),
    ("none", lambda head: any(start.match(head) for start, _ in NOT_READ)),
    ("scalepack", scalepack.HEADER.match),
    ("shelx", shelx.is_shelx),
)


def read_reflections(
    source: str | os.PathLike[str] | Opened, column: str | None = None, resolution_A: float | None = None,
    cell: tuple[float, ...] | None = None, symmetry: str | None = None,
) -> CrystalData:  # fmt: skip
    """Amplitudes of a file in all of P1.

    Reflections (MTZ, CIF, XDS_ASCII, CrystFEL, SHELX HKLF 4, SCALEPACK) are merged amplitudes, intensities or
    anomalous pairs: the column named, or the first that has values of calculated amplitudes, calculated intensities,
    observed anomalous amplitudes, amplitudes, anomalous intensities, intensities: complete and noiseless before
    measured. Coordinates (PDB, mmCIF) give amplitudes calculated with bulk solvent.
    resolution_A: leave out d below it [Å]; None: all there is, or, of coordinates, to what the file states. cell: a,
    b, c [Å], alpha, beta, gamma [°] of a file that states none. symmetry: name or number of a space group, of a file
    that states none. Raises InputError, whose message names the file and what is wrong with it.
    """
    if resolution_A is not None and not (math.isfinite(resolution_A) and resolution_A > 0):
        raise InputError(f"resolution {resolution_A:g} Å: expected a positive number")
    if not isinstance(source, Opened):
        path = os.fspath(source)
        with explained(path, "file"):
            if not stat.S_ISREG(os.stat(path).st_mode) and not stat.S_ISFIFO(os.stat(path).st_mode):
                raise InputError(f"{path}: not a regular file")
        source = open_input(path, "file")
    with source:
        if not source.head(1):
            raise InputError(f"{source.path}: is empty")
        kind = kind_of(source)
        if kind is None:
            raise InputError(
                f"{source.path}: neither an MTZ file, nor reflections in CIF, XDS_ASCII, SHELX HKLF 4 or a list of "
                "CrystFEL or SCALEPACK, nor coordinates (PDB, mmCIF)"
            )
        gemmi_module()
        remarks = Remarks()
        said = Said(cell, symmetry)
        found = _read(source, kind, column, resolution_A, said, remarks)
    return _expanded(source.path, found, resolution_A, said, remarks)


def _read(
    opened: Opened, kind: str, column: str | None, resolution_A: float | None, said: Said, remarks: Remarks
) -> Merged:
    """The merged reflections of a file of this kind."""
    path = opened.path
    if kind == "mtz":
        with opened.named() as name:
            try:
                return read_mtz(name, column, remarks)
            except InputError as error:
                raise InputError(str(error).replace(name, path)) from error
    if kind in COORDINATES:
        if column is not None:
            raise InputError(f"{path}: coordinates have no column '{column}'")
        return model_amplitudes(path, kind, _text(opened), resolution_A, said, remarks)
    read, what = READERS[kind]
    with explained(path, what):
        return read(path, _text(opened), column, remarks)


def _text(opened: Opened) -> bytes:
    return opened.content().removeprefix(BYTE_ORDER_MARK)


READERS: dict[str, tuple[Callable[[str, bytes, str | None, Remarks], Merged], str]] = {
    "mmcif-reflections": (read_mmcif, "mmCIF file"),
    "xds": (xds_ascii.read_xds_ascii, "XDS_ASCII file"),
    "crystfel": (crystfel.read_crystfel, "CrystFEL list"),
    "shelx": (shelx.read_shelx, "SHELX HKLF 4 list"),
    "scalepack": (scalepack.read_scalepack, "SCALEPACK file"),
}


def _expanded(path: str, found: Merged, resolution_A: float | None, said: Said, remarks: Remarks) -> CrystalData:
    """All of P1 of what a file gave, to a resolution [Å]; InputError if nothing is left."""
    cell = _cell_of(path, found.cell, said, remarks)
    symmetry = _symmetry_of(path, found, cell, said, remarks)
    if not cell_fits(symmetry, cell):
        remarks.warnings.append(f"its cell {cell_text(cell)} has not the symmetry of {symmetry.name}")
    rows = (found.hkl, found.plus, found.minus, symmetry)
    tell_of_rows(*rows, remarks)
    hkl, F = expand_to_p1(*rows)
    d = np.array(cell.calculate_d_array(hkl), np.float64)
    if resolution_A is not None:
        within = d >= resolution_A * (1 - 1e-6)
        hkl, F, d = hkl[within], F[within], d[within]
    if not len(hkl):
        limit = "" if resolution_A is None else f" to {resolution_A:g} Å"
        raise InputError(f"{path}: {found.column} has no reflection with a value{limit}")
    if not F.any():
        remarks.warnings.append(f"all {len(F)} structure factors are zero")
    resolution = float(d.min())
    text = f"{found.description}, {symmetry.name}; {len(hkl)} reflections of P1 to {resolution:.2f} Å"
    return CrystalData(
        hkl, F, tuple(cell.parameters), symmetry.name, resolution, found.column, text, tuple(remarks.notes),
        tuple(remarks.warnings),
    )  # fmt: skip


def _cell_of(path: str, cell: Any, said: Said, remarks: Remarks) -> Any:
    """The file's cell, or what the user says of a file without one."""
    if cell is None:
        if said.cell is None:
            raise InputError(f"{path}: has no unit cell; {NEEDS_CELL}")
        cell = make_cell(said.cell)
        remarks.notes.append(f"has no unit cell; the cell given beside it is taken, {cell_text(cell)}")
    check_cell(path, cell)
    return cell


def _symmetry_of(path: str, found: Merged, cell: Any, said: Said, remarks: Remarks) -> Symmetry:
    """The file's symmetry, or what the user says of a file without any."""
    angles = cell.parameters[3:]
    symmetry = symmetry_of(found.stated, angles, remarks)
    if said.symmetry is None:
        if symmetry is None:
            known = " that is known" if found.stated else ""
            raise InputError(f"{path}: has no space group{known}; {NEEDS_SYMMETRY}")
        return symmetry
    wanted = user_symmetry(said.symmetry, angles)
    if symmetry is not None:
        remarks.notes.append(f"{wanted.name} as --symmetry says, not its own {symmetry.name}")
    return wanted
