"""The symmetry that a file states: names, numbers and lists of operations, and which of them count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..base.errors import InputError, shown
from .gemmi_library import gemmi_module

MOST_OPERATIONS = 192  # of the largest space groups, F m -3 c and its like
# A cell whose metric an operation changes by more than this share does not go with its symmetry.
METRIC_TOLERANCE = 0.02


@dataclass
class Remarks:
    """What is to be said of a file beside its description: what was chosen, and what may be wrong."""

    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Symmetry:
    """name: a Hermann-Mauguin or other name, for messages. operations: gemmi.GroupOps."""

    name: str
    operations: Any

    def rotations(self) -> np.ndarray:
        """The different rotation parts R of its operations x' = Rx + t, integers (n, 3, 3)."""
        return np.unique([np.array(op.rot) // op.DEN for op in self.operations.sym_ops], axis=0)


@dataclass(frozen=True)
class Stated:
    """What a file, or the user, says of symmetry: names in order of trust, a Hall symbol, a number, triplets x,y,z."""

    names: Sequence[str] = ()
    hall: str = ""
    number: int = 0
    triplets: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(any(self.names) or self.hall or self.number or self.triplets)


def symmetry_of(stated: Stated, angles: Sequence[float], remarks: Remarks) -> Symmetry | None:
    """The symmetry stated, or None if nothing that is known is.

    The name counts, with the operations listed as a check. Operations count where the name is missing, not known, or
    no more than a dummy (P 1), and where the two disagree; then a Hall symbol; then a number, in its standard
    setting. angles: alpha, beta, gamma [°] of the cell, which tell the two settings of rhombohedral groups apart.
    """
    named = _by_name(stated.names, angles)
    listed = _by_operations(stated.triplets, stated.names, remarks)
    if named is None or _is_trivial(named):
        named = _by_hall(stated.hall) or named
    numbered = _by_number(stated.number, angles)
    if listed is None:
        if named is None or (numbered is not None and _is_trivial(named)):
            return numbered or named
        if numbered is not None and _number_of(named) != stated.number:
            remarks.warnings.append(f"its space group {named.name} is taken; the number beside it is {stated.number}")
        return named
    if named is None or _triplets(named.operations) == _triplets(listed.operations):
        return named or listed
    if _is_trivial(listed):
        remarks.notes.append(f"symmetry {named.name}, by its name; of its operations only the identity is listed")
        return named
    if not _is_trivial(named):
        remarks.warnings.append(
            f"its space group {named.name} is not that of its list of {len(_triplets(listed.operations))} symmetry "
            f"operations ({listed.name}); the list is taken"
        )
    return listed


def cell_fits(symmetry: Symmetry, cell: Any) -> bool:
    """Whether a cell (gemmi.UnitCell) has the metric that the symmetry asks for."""
    a, b, c = cell.parameters[:3]
    cosines = np.cos(np.radians(cell.parameters[3:]))
    metric = np.array([[a * a, a * b * cosines[2], a * c * cosines[1]], [0, b * b, b * c * cosines[0]], [0, 0, c * c]])
    metric = np.triu(metric) + np.triu(metric, 1).T
    scale = np.sqrt(np.outer(np.diag(metric), np.diag(metric)))
    turned = np.swapaxes(symmetry.rotations(), 1, 2) @ metric @ symmetry.rotations()
    return bool((np.abs(turned - metric) <= METRIC_TOLERANCE * scale).all())


def user_symmetry(text: str, angles: Sequence[float]) -> Symmetry:
    """What --symmetry says: a space group's name or number. Raises InputError if it is not known."""
    number = int(text) if text.strip().isdigit() else 0
    found = _by_number(number, angles) if number else _by_name([text], angles) or _by_hall(text)
    if found is None:
        raise InputError(f"--symmetry: expected the name or number of a space group, got '{shown(text)}'")
    return found


def _by_name(names: Iterable[str], angles: Sequence[float]) -> Symmetry | None:
    gemmi = gemmi_module()
    for name in names:
        group = gemmi.find_spacegroup_by_name(name.strip(), angles[0], angles[2]) if name.strip() else None
        if group is not None:
            return Symmetry(group.xhm(), group.operations())
    return None


def _by_number(number: int, angles: Sequence[float]) -> Symmetry | None:
    gemmi = gemmi_module()
    group = gemmi.find_spacegroup_by_number(number) if 1 <= number <= 230 else None
    if group is None:
        return None
    # Rhombohedral groups by number have hexagonal axes; a rhombohedral cell asks for the other setting.
    return (
        _by_name([group.hm], angles) if group.ext in "HR" and group.ext else Symmetry(group.xhm(), group.operations())
    )


def _by_hall(hall: str) -> Symmetry | None:
    if not hall.strip() or len(hall) > 100:
        return None
    try:
        operations = gemmi_module().symops_from_hall(hall)
    except (RuntimeError, ValueError):
        return None
    group = gemmi_module().find_spacegroup_by_ops(operations)
    return Symmetry(group.xhm() if group is not None else f"Hall {shown(hall)}", operations)


def _by_operations(triplets: Sequence[str], names: Sequence[str], remarks: Remarks) -> Symmetry | None:
    """The group of listed operations; None if there is none, or if they are none."""
    gemmi = gemmi_module()
    if not triplets:
        return None
    try:
        if len(triplets) > MOST_OPERATIONS:
            raise ValueError
        # Some writers number their operations.
        operations = [gemmi.Op(re.sub(r"^\s*\d+\s+", "", triplet.strip(" '\""))).wrap() for triplet in triplets]
        group = gemmi.GroupOps(operations)
        if not _is_group(group):
            raise ValueError
    except (RuntimeError, ValueError):
        remarks.warnings.append(f"its list of {len(triplets)} symmetry operations is not a group, and left out")
        return None
    known = gemmi.find_spacegroup_by_ops(group)
    given = next((shown(name.strip()) for name in names if name.strip()), "no name")
    return Symmetry(known.xhm() if known is not None else f"{len(_triplets(group))} operations ({given})", group)


def _is_group(operations: Any) -> bool:
    """Whether operations are closed under multiplication, have the identity and turn a lattice into itself."""
    all_of_them = _triplets(operations)
    rotations = np.array([op.rot for op in operations]) / operations.sym_ops[0].DEN
    if "x,y,z" not in all_of_them or len(all_of_them) > MOST_OPERATIONS:
        return False
    if not np.allclose(np.abs(np.linalg.det(rotations)), 1.0) or not np.array_equal(rotations, np.rint(rotations)):
        return False
    listed = list(operations)
    return all((a * b).wrap().triplet() in all_of_them for a in listed for b in listed)


def _number_of(symmetry: Symmetry) -> int:
    """The number of a space group, 0 if it is in no table."""
    group = gemmi_module().find_spacegroup_by_ops(symmetry.operations)
    return 0 if group is None else int(group.number)


def _triplets(operations: Any) -> set[str]:
    return {op.wrap().triplet() for op in operations}


def _is_trivial(symmetry: Symmetry) -> bool:
    return len(_triplets(symmetry.operations)) == 1
