"""The crystal: cell and orientation, in the reference's order of operations, and its size in cells."""

from __future__ import annotations

from ..base.records import record
from ..base.vectors import Vector, length
from .cell import Angles, CellSteps


@record
class Crystal:
    """The resolved crystal. real: a, b, c in Å; reciprocal: a*, b*, c* in Å⁻¹; real_m: a, b, c in metres."""

    real: tuple[Vector, Vector, Vector]
    reciprocal: tuple[Vector, Vector, Vector]
    real_m: tuple[Vector, Vector, Vector]
    real_angles: Angles
    reciprocal_angles: Angles
    volume_A3: float
    constructed_angles: Angles | None
    misset: Vector | None
    misset_was_random: bool
    mat_file: str | None
    Na: float
    Nb: float
    Nc: float
    lengths_before_misset: Vector
    steps: CellSteps

    @property
    def size_m(self) -> Vector:
        """Width of the crystal along a, b, c in metres."""
        a, b, c = self.real_m
        return (length(a) * self.Na, length(b) * self.Nb, length(c) * self.Nc)
