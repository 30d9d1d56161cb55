"""--save-orientation FILE: the crystal as a matrix file that -mat of this program and of the C program reads back."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..base.c_numbers import leading_real
from ..base.errors import InputError, shown
from ..base.files import read_bytes, whole_file
from ..base.vectors import Triad, Vector
from ..model.crystal import Crystal

if TYPE_CHECKING:
    from fractions import Fraction

OPTION = "--save-orientation"

ExactVector: TypeAlias = "tuple[Fraction, Fraction, Fraction]"


def write_orientation(path: str, crystal: Crystal, wavelength_m: float) -> None:
    """Write a*, b*, c* as columns, times the wavelength in Å; they must be read back at the same wavelength."""
    columns = matrix_columns(crystal.real, wavelength_m)
    lines = (" ".join(f"{column[row]: .17g}" for column in columns) for row in range(3))
    with whole_file(path, OPTION) as file:
        file.write("".join(f"{line}\n" for line in lines).encode("ascii"))


def matrix_columns(real: Triad, wavelength_m: float) -> Triad:
    """a*, b*, c* times the wavelength, from a, b, c in Å (before the spindle turns them).

    They are the inverse of the real axes, exact but for the last rounding: an image depends on the real axes, and
    those of a triclinic -cell are not the inverse of the reciprocal ones in the log (docs/differences.md).
    """
    # Not at the top: it takes 3 ms, and few runs write a matrix.
    from fractions import Fraction

    def exact(v: Vector) -> ExactVector:
        return (Fraction(v[0]), Fraction(v[1]), Fraction(v[2]))

    a, b, c = (exact(vector) for vector in real)
    products = (_cross(b, c), _cross(c, a), _cross(a, b))
    # -mat multiplies by this number, rounded as it is.
    volume = sum((x * y for x, y in zip(a, products[0], strict=True)), Fraction(0)) * Fraction(1e-10 / wavelength_m)

    def rounded(product: ExactVector) -> Vector:
        return (float(product[0] / volume), float(product[1] / volume), float(product[2] / volume))

    return (rounded(products[0]), rounded(products[1]), rounded(products[2]))


def _cross(a: ExactVector, b: ExactVector) -> ExactVector:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def read_matrix(path: str) -> Triad:
    """a*, b*, c* from the first nine numbers of a file: one component of all three in each row."""
    return parse_matrix(read_bytes(path, "-mat"), path)


def parse_matrix(content: bytes, path: str) -> Triad:
    """a*, b*, c* of a matrix file's text."""
    if b"\0" in content:
        raise InputError(f"{path}: -mat expects a text file with nine numbers; this one is binary")
    numbers: list[float] = []
    for line_number, line in enumerate(io.BytesIO(content), 1):
        # Nine numbers are wanted: more words than that are not looked at.
        for word in line.split(maxsplit=9)[:9]:
            numbers += _numbers_in(word.decode("latin-1"), f"{path}: line {line_number}")
            if len(numbers) >= 9:
                return _triad(numbers[:9])
    raise InputError(f"{path}: -mat expects nine numbers (a* b* c*, one component in each row); found {len(numbers)}")


def read_matrices(path: str, option: str) -> list[Triad]:
    """Matrices of a file: nine numbers each, as -mat reads them, or an array (n, 3, 3) of a NumPy file.

    In text, blank lines between matrices are allowed, and lines that begin with #. Raises InputError.
    """
    content = read_bytes(path, option)
    if content.startswith(b"\x93NUMPY"):
        return _matrices_of_array(content, path, option)
    numbers: list[float] = []
    for line_number, line in enumerate(io.BytesIO(content), 1):
        for word in line.partition(b"#")[0].split():
            numbers += _numbers_in(word.decode("latin-1"), f"{path}: line {line_number}")
    if not numbers or len(numbers) % 9:
        raise InputError(f"{path}: {option} expects nine numbers for each matrix; found {len(numbers)}")
    return [_triad(numbers[first : first + 9]) for first in range(0, len(numbers), 9)]


def _matrices_of_array(content: bytes, path: str, option: str) -> list[Triad]:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError, SyntaxError) as error:
        raise InputError(f"{path}: {option} cannot be read as NPY: {shown(str(error))}") from error
    if array.ndim != 3 or array.shape[1:] != (3, 3) or not len(array) or array.dtype.kind not in "iuf":
        raise InputError(f"{path}: {option} expects an array (n, 3, 3) of numbers, found shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"{path}: {option} expects finite numbers")
    return [_triad(matrix.ravel().tolist()) for matrix in array.astype(np.float64)]


def _triad(numbers: list[float]) -> Triad:
    """a*, b*, c* of nine numbers, one component of all three in each row."""
    ax, bx, cx, ay, by, cy, az, bz, cz = numbers
    return ((ax, ay, az), (bx, by, bz), (cx, cy, cz))


def _numbers_in(word: str, where: str) -> list[float]:
    """Numbers of a word; fixed-width matrix files run them together where all places are used (0.01-0.02)."""
    numbers: list[float] = []
    at = 0
    while at < len(word) and len(numbers) < 9:
        value, used = leading_real(word, at)
        if used == 0 or not math.isfinite(value):
            raise InputError(f"{where}: expected a number of the matrix, got '{shown(word)}'")
        numbers.append(value)
        at += used
    return numbers
