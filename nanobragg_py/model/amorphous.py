"""Amorphous materials: how much of them is in the beam, and how one molecule scatters."""

from __future__ import annotations

import numpy as np

from ..base.c_numbers import divide
from ..base.records import record
from .background import AVOGADRO

# Where the C program puts the points that it adds at both ends, so that four are always found.
FAR, FARTHER = 1e98, 1e99


@record
class ScatteringTable:
    """F of one molecule (electrons) against stol = sin(theta)/lambda (1/m): float64 (points,), float64 (points,).

    With two points added at either end, which repeat the F there.
    """

    stol_per_m: np.ndarray
    F: np.ndarray

    @property
    def points(self) -> int:
        """How many there are, with those added."""
        return len(self.F)

    @property
    def ascends(self) -> bool:
        """Whether each point is above the one before: then the way to a place in it does not matter."""
        return bool(np.all(self.stol_per_m[1:] > self.stol_per_m[:-1]) and np.all(np.isfinite(self.stol_per_m)))


@record
class AmorphousLayer:
    """A material in the beam: how one molecule scatters, and how many there are."""

    name: str
    table: ScatteringTable
    molecules: float


def scattering_table(stol_per_m: np.ndarray, F: np.ndarray) -> ScatteringTable:
    """A table of measured or calculated points, float64 (n,) each; nan is an F that is missing, and becomes 0.

    The points added repeat the first and the last F that is not missing. Raises ValueError when all are.
    """
    there = F[~np.isnan(F)]
    if not len(there):
        raise ValueError("no point has an F")
    stol = np.concatenate(([-FARTHER, -FAR], stol_per_m, [FAR, FARTHER]))
    filled = np.concatenate((there[[0, 0]], np.nan_to_num(F, nan=0.0), there[[-1, -1]]))
    return ScatteringTable(np.ascontiguousarray(stol), np.ascontiguousarray(filled))


def molecules_in(volume_m3: float, density_g_per_m3: float, molecular_weight: float) -> float:
    """Number of molecules in a volume; molecular weight in g/mol."""
    return divide(volume_m3 * density_g_per_m3 * AVOGADRO, molecular_weight)


def density_of(molecules: float, volume_m3: float, molecular_weight: float) -> float:
    """Density in g/m³ of a number of molecules in a volume; molecular weight in g/mol."""
    return divide(divide(molecules, volume_m3), AVOGADRO) * molecular_weight
