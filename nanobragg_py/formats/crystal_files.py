"""Real crystallographic data as reflection lists of P1: what a file is, and its amplitudes after symmetry."""

from __future__ import annotations

import gzip
import math
import os
import re
import shutil
import stat
import tempfile
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.errors import InputError
from .merged_reflections import Merged, explained, gemmi_module, packed, read_mmcif, read_mtz, unpacked
from .model_amplitudes import model_amplitudes

FIRST_BYTES = 4096
CIF_BYTES = 4 << 20  # how far to look for the first reflection or atom of an mmCIF file
GZIP_MAGIC = b"\x1f\x8b"
CIF_START = re.compile(rb"(?:\s*#[^\n]*\n|\s)*data_", re.IGNORECASE)
CIF_CATEGORY = re.compile(rb"^[ \t]*_(diffrn_refln|refln|atom_site)\.", re.IGNORECASE | re.MULTILINE)
PDB_RECORD = re.compile(
    rb"\s*(?:HEADER|OBSLTE|TITLE|SPLIT|CAVEAT|COMPND|SOURCE|KEYWDS|EXPDTA|NUMMDL|MDLTYP|AUTHOR|REVDAT|SPRSDE|JRNL|"
    rb"REMARK|DBREF|SEQRES|HET|HELIX|SHEET|SSBOND|LINK|CISPEP|CRYST1|ORIGX\d|SCALE\d|MTRIX\d|MODEL|ATOM|HETATM|USER)"
    rb"(?:[ \d]|\r?\n)"
)


@dataclass(frozen=True, eq=False)
class CrystalData:
    """Amplitudes of all of P1, each hkl once, sorted, without F000 and systematic absences.

    hkl: int32 (n, 3). F: float64 (n,), in electrons (observed data: in the file's own scale).
    cell: a, b, c [Å], alpha, beta, gamma [°]. space_group: Hermann-Mauguin name of the merged data.
    resolution_A: the smallest d [Å]. column: what was read. description: all this in words, for the log.
    """

    hkl: np.ndarray
    F: np.ndarray
    cell: tuple[float, float, float, float, float, float]
    space_group: str
    resolution_A: float
    column: str
    description: str


def recognise(path: str | os.PathLike[str]) -> str | None:
    """What a file is, by its first bytes: 'mtz', 'mmcif-reflections', 'pdb', 'mmcif-model', or None.

    None also for what is missing, unreadable or not a regular file (a pipe must not lose its first bytes):
    that is for the reader of plain lists. Files compressed with gzip are recognised by what is inside.
    """
    path = os.fspath(path)
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return None
        with open(path, "rb") as file:
            opened: Any = gzip.GzipFile(fileobj=file) if file.read(2) == GZIP_MAGIC else file
            file.seek(0)
            head = opened.read(FIRST_BYTES).removeprefix(b"\xef\xbb\xbf")
            if head.startswith(b"MTZ "):
                return "mtz"
            if PDB_RECORD.match(head):
                return "pdb"
            if not CIF_START.match(head):
                return None
            found = CIF_CATEGORY.search(head + opened.read(CIF_BYTES))
    except (OSError, ValueError, EOFError, zlib.error):
        return None
    return "mmcif-reflections" if found and b"refln" in found[1].lower() else "mmcif-model"


def read_reflections(
    path: str | os.PathLike[str], column: str | None = None, resolution_A: float | None = None
) -> CrystalData:
    """Amplitudes of a file in all of P1.

    MTZ and mmCIF structure factors are merged amplitudes, intensities or anomalous pairs: the column named,
    or the first that has values of calculated amplitudes, calculated intensities, observed anomalous
    amplitudes, amplitudes, anomalous intensities, intensities: complete and noiseless before measured.
    Coordinates (PDB, mmCIF) give amplitudes calculated with bulk solvent.
    resolution_A: leave out d below it [Å]; None: all there is, or, of coordinates, to what the file states.
    Raises InputError, whose message names the file and what is wrong with it.
    """
    path = os.fspath(path)
    if resolution_A is not None and not (math.isfinite(resolution_A) and resolution_A > 0):
        raise InputError(f"resolution {resolution_A:g} Å: expected a positive number")
    with explained(path, "file"), open(path, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise InputError(f"{path}: not a regular file")
        start = file.read(2)
        if not start:
            raise InputError(f"{path}: is empty")
    kind = recognise(path)
    if kind is None:
        raise InputError(f"{path}: neither an MTZ file, mmCIF structure factors nor coordinates (PDB, mmCIF)")
    gemmi_module()
    if start != GZIP_MAGIC:
        return _expanded(path, _read(path, path, kind, column, resolution_A), resolution_A)
    with tempfile.TemporaryDirectory(prefix="nanobragg_py-") as folder:
        inside = os.path.join(folder, "inside")
        try:
            with gzip.open(path) as packed, open(inside, "wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path}: cannot be decompressed ({error})") from error
        return _expanded(path, _read(path, inside, kind, column, resolution_A), resolution_A)


def _read(path: str, inside: str, kind: str, column: str | None, resolution_A: float | None) -> Merged:
    """The merged reflections of a file of this kind; inside is what is opened, path its name in messages."""
    try:
        if kind == "mtz":
            return read_mtz(inside, column)
        if kind == "mmcif-reflections":
            return read_mmcif(inside, column)
        if column is not None:
            raise InputError(f"{path}: coordinates have no column '{column}'")
        return model_amplitudes(inside, kind, resolution_A)
    except InputError as error:
        if inside == path:
            raise
        raise InputError(str(error).replace(inside, path)) from error


def _expanded(path: str, merged: Merged, resolution_A: float | None) -> CrystalData:
    """All of P1 of what a file gave, to a resolution [Å]; InputError if nothing is left."""
    hkl, F = expand_to_p1(merged.hkl, merged.plus, merged.minus, merged.space_group.operations())
    d = np.array(merged.cell.calculate_d_array(hkl), np.float64)
    if resolution_A is not None:
        within = d >= resolution_A * (1 - 1e-6)
        hkl, F, d = hkl[within], F[within], d[within]
    if not len(hkl):
        limit = "" if resolution_A is None else f" to {resolution_A:g} Å"
        raise InputError(f"{path}: {merged.column} has no reflection with a value{limit}")
    group = merged.space_group.xhm()
    resolution = float(d.min())
    text = f"{merged.description}, {group}; {len(hkl)} reflections of P1 to {resolution:.2f} Å"
    return CrystalData(hkl, F, tuple(merged.cell.parameters), group, resolution, merged.column, text)


def expand_to_p1(
    hkl: np.ndarray, plus: np.ndarray, minus: np.ndarray | None, operations: Any
) -> tuple[np.ndarray, np.ndarray]:
    """Equivalents and Friedel mates of merged reflections: hkl, int32 (m, 3), sorted, and F, float64 (m,).

    hkl: integers (n, 3). plus: F of hkl, float64 (n,), NaN where missing. minus: F of -hkl, or None; then
    -hkl has the F of hkl (Friedel's law) unless the list has its own value for it. operations: GroupOps.
    An operation x' = Rx + t takes h to hR. What several rows give a value for gets their mean; F000 and
    systematic absences are left out.
    """
    allowed = hkl.any(axis=1) & ~operations.systematic_absences(np.ascontiguousarray(hkl, dtype=np.int32))
    signed = [(1, plus)] if minus is None else [(1, plus), (-1, minus)]
    rotations = np.unique([np.array(op.rot) // op.DEN for op in operations.sym_ops], axis=0)
    keys, values = [], []
    for sign, F in signed:
        present = allowed & ~np.isnan(F)
        chosen = sign * hkl[present].astype(np.int64)
        for rotation in rotations:
            keys.append(packed(chosen @ rotation))
            values.append(F[present])
    key, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    F = np.bincount(inverse, np.concatenate(values), len(key)) / np.bincount(inverse, minlength=len(key))
    if minus is None:
        mate = 2 * packed(np.zeros((1, 3), np.int64)) - key
        alone = ~np.isin(mate, key)
        key, F = np.concatenate([key, mate[alone]]), np.concatenate([F, F[alone]])
        order = np.argsort(key)
        key, F = key[order], F[order]
    return unpacked(key), F
