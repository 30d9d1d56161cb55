"""Arrays in place of files, as Python callers give them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..base.errors import InputError
from ..base.vectors import Triad

LARGEST_INDEX = 2**30


@dataclass(frozen=True, eq=False)
class Arrays:
    """Arrays that stand for files; None where there is none.

    reflections: (hkl int64 (n, 3), F float64 (n,)). mask: uint16 (slow, fast), 0 = skip. sources: float64 (n, 5).
    matrix: a*, b*, c*, each times the wavelength in Å.
    """

    reflections: tuple[np.ndarray, np.ndarray] | None = None
    mask: np.ndarray | None = None
    sources: np.ndarray | None = None
    matrix: Triad | None = None


NO_ARRAYS = Arrays()


def reflections_of(value: Any) -> tuple[np.ndarray, np.ndarray]:
    """Reflections given as one array (n, 4) of h, k, l, F, or as a pair: hkl (n, 3) and F (n,).

    Returns hkl int64 (n, 3) and F float64 (n,). Raises InputError for other shapes, indices that are not whole
    numbers below 2^30, and F that are not finite real numbers.
    """
    if isinstance(value, (tuple, list)) and len(value) == 2 and np.ndim(value[0]) == 2:
        hkl, F = _numbers("hkl", value[0]), _numbers("hkl (F)", value[1])
    else:
        both = _numbers("hkl", value)
        if both.ndim != 2 or both.shape[1] != 4:
            raise InputError(
                f"hkl: expected an array (n, 4) of h k l F, or a pair (n, 3), (n,); got shape {both.shape}"
            )
        hkl, F = both[:, :3], both[:, 3]
    if hkl.ndim != 2 or hkl.shape[1] != 3 or F.shape != hkl.shape[:1] or not len(F):
        raise InputError(f"hkl: expected indices (n, 3) and F (n,) with n > 0; got {hkl.shape} and {F.shape}")
    if not (np.isfinite(hkl).all() and (hkl == np.rint(hkl)).all() and np.abs(hkl).max() < LARGEST_INDEX):
        raise InputError("hkl: expected whole numbers below 2^30 for h k l")
    if not np.isfinite(F).all():
        raise InputError(f"hkl: expected finite F, got {F[~np.isfinite(F)][0]} at row {np.argmin(np.isfinite(F))}")
    return hkl.astype(np.int64), np.ascontiguousarray(F)


def mask_of(value: Any) -> np.ndarray:
    """A mask, uint16 (slow, fast), of any array of numbers or booleans of that shape; 0 or False means skip.

    Of NumPy's masked arrays the mask is taken, in its own meaning: what is masked is skipped, whatever the data.
    """
    mask = ~np.ma.getmaskarray(value) if isinstance(value, np.ma.MaskedArray) else np.asarray(value)
    if mask.ndim != 2 or mask.dtype.kind not in "biuf" or not mask.size:
        raise InputError(f"mask: expected an array (slow, fast) of numbers; got shape {mask.shape} of {mask.dtype}")
    return np.ascontiguousarray(mask != 0).astype(np.uint16)


def sources_of(value: Any) -> np.ndarray:
    """Sources, float64 (n, 5): x, y, z in metres, weight (not used), wavelength in metres.

    Columns that are missing at the end, or nan, get the defaults that a source file's missing columns get.
    """
    rows = _numbers("sources", value)
    if rows.ndim != 2 or not 3 <= rows.shape[1] <= 5 or not len(rows) or np.isinf(rows).any():
        raise InputError(f"sources: expected a finite array (n, 5) of x y z weight wavelength; got shape {rows.shape}")
    full = np.full((len(rows), 5), np.nan)
    full[:, : rows.shape[1]] = rows
    return full


def matrix_of(value: Any) -> Triad:
    """a*, b*, c* of an array (3, 3) whose columns they are, times the wavelength in Å, as in a matrix file."""
    matrix = _numbers("matrix", value)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        raise InputError(f"matrix: expected a finite array (3, 3), got shape {matrix.shape}")
    a, b, c = (tuple(column) for column in matrix.T.tolist())
    return (a, b, c)


def array_of_rotation(value: Any) -> Any:
    """The matrix of SciPy's Rotation, or of anything with its as_matrix(); any other value as it is."""
    return value.as_matrix() if hasattr(value, "as_matrix") else value


def _numbers(name: str, value: Any) -> np.ndarray:
    """A float64 array; InputError for anything that is none."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"it has elements of {array.dtype}")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected an array of numbers: {error}") from error
