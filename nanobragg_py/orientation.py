"""--save-orientation FILE: the crystal as a matrix file that -mat of this program and of the C program reads back."""

from __future__ import annotations

from fractions import Fraction

from .config import Vector
from .crystal import Crystal
from .files import whole_file
from .vectors import cross, dot

OPTION = "--save-orientation"


def write_orientation(path: str, crystal: Crystal, wavelength_m: float) -> None:
    """Write a*, b*, c* as columns, times the wavelength in Å; they must be read back at the same wavelength."""
    columns = matrix_columns(crystal.real, wavelength_m)
    lines = (" ".join(f"{column[row]: .17g}" for column in columns) for row in range(3))
    with whole_file(path, OPTION) as file:
        file.write("".join(f"{line}\n" for line in lines).encode("ascii"))


def matrix_columns(real: tuple[Vector, Vector, Vector], wavelength_m: float) -> tuple[Vector, Vector, Vector]:
    """a*, b*, c* times the wavelength, from a, b, c in Å (before the spindle turns them).

    They are the inverse of the real axes, exact but for the last rounding: an image depends on the real axes, and
    those of a triclinic -cell are not the inverse of the reciprocal ones in the log (docs/differences.md).
    """
    a, b, c = (tuple(Fraction(v) for v in vector) for vector in real)
    # -mat multiplies by this number, rounded as it is.
    volume = dot(a, cross(b, c)) * Fraction(1e-10 / wavelength_m)
    return tuple(tuple(float(v / volume) for v in product) for product in (cross(b, c), cross(c, a), cross(a, b)))
