"""From a configuration, and arrays in place of files, to the complete experiment: a run's stages without its log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from . import experiment as stages
from . import structure_factors
from .config import Config, Vector
from .crystal import RandomTable
from .crystal_input import take_crystal_data
from .errors import InputError
from .experiment import Camera, Experiment
from .structure_factors import Grid

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
    matrix: tuple[Vector, Vector, Vector] | None = None


def resolve(config: Config, arrays: Arrays = Arrays(), grid: Grid | None = None) -> Experiment:
    """The experiment of a configuration. grid: structure factors that are loaded already.

    Nothing is printed on standard output, and no file is written. Raises InputError.
    """
    header, _ = stages.resolve_headers(config)
    if arrays.mask is not None:
        header = replace(header, fpixels=arrays.mask.shape[1], spixels=arrays.mask.shape[0])
    camera = stages.resolve_camera(config, header)
    data = None
    if arrays.reflections is None and grid is None:
        config, data = take_crystal_data(config, camera)
    _check_there_is_enough(config, arrays, grid)
    clock = stages.clock_seed()
    random = RandomTable()
    crystal = stages.make_crystal(config, camera, random, clock, arrays.matrix)
    oversampling = stages.resolve_oversampling(config, camera, crystal)
    grid = grid or _grid(config, arrays, data)
    return stages.complete(
        config, camera, crystal, stages.resolve_interpolation(config), oversampling, grid,
        _sources(config, camera, arrays), random, clock if config.seed is None else config.seed, arrays.mask,
    )  # fmt: skip


def _check_there_is_enough(config: Config, arrays: Arrays, grid: Grid | None) -> None:
    """Raise InputError where the program would print its usage."""
    no_list = grid is None and arrays.reflections is None and config.hkl_file is None
    if no_list and config.default_F == 0.0 and not structure_factors.file_is_there(config.dump_file):
        raise InputError("no structure factors: give hkl (a file or an array), or default_F")
    if arrays.matrix is None and config.mat_file is None and not (config.cell and config.cell[0] != 0.0):
        raise InputError("no unit cell: give cell, or matrix")


def _grid(config: Config, arrays: Arrays, data: Any) -> Grid:
    """Structure factors, without the dump that a run of the program leaves behind."""
    if arrays.reflections is not None:
        return structure_factors.grid_of(*arrays.reflections, config.default_F, "hkl")
    if data is not None:
        return structure_factors.grid_of(data.hkl, data.F, config.default_F, config.hkl_file or "")
    if config.hkl_file is not None:
        return structure_factors.read_list(config.hkl_file, config.default_F)
    return stages.load_grid(config, lambda text: None)


def _sources(config: Config, camera: Camera, arrays: Arrays) -> Any:
    if arrays.sources is None:
        return stages.resolve_sources(config, camera)
    return stages.checked_sources(arrays.sources, "sources", camera, "weights" in config.fixes)


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
    """A mask, uint16 (slow, fast), of any array of numbers or booleans of that shape; 0 or False means skip."""
    mask = np.asarray(value)
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


def matrix_of(value: Any) -> tuple[Vector, Vector, Vector]:
    """a*, b*, c* of an array (3, 3) whose columns they are, times the wavelength in Å, as in a matrix file."""
    matrix = _numbers("matrix", value)
    if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
        raise InputError(f"matrix: expected a finite array (3, 3), got shape {matrix.shape}")
    return tuple(tuple(column) for column in matrix.T.tolist())


def _numbers(name: str, value: Any) -> np.ndarray:
    """A float64 array; InputError for anything that is none."""
    try:
        array = np.asarray(value)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"it has elements of {array.dtype}")
        return array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: expected an array of numbers: {error}") from error
