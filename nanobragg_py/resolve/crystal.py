"""The crystal from cell or matrix, orientation and size."""

from __future__ import annotations

import math

import numpy as np

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..base.vectors import Vector, angles_of, length, scaled, turned
from ..formats.matrix import read_matrix
from ..model.cell import _angles, _complete_cell, _construct_cell
from ..model.crystal import Crystal
from ..options.config import Config
from .random import RandomTable, random_rotation

# A crystal's "random" orientation is drawn from a cap of 90 radians in the reference.
RANDOM_CAP = 90.0


def resolve_crystal(
    config: Config, wavelength_m: float, sample_m: Vector, random: RandomTable, clock_seed: int,
    matrix: tuple[Vector, Vector, Vector] | None = None,
) -> Crystal:  # fmt: skip
    """Cell, orientation and size. Raises InputError for an impossible cell or matrix.

    matrix: a*, b*, c* times the wavelength in Å, as in a matrix file; read from config.mat_file if None.
    """
    user_cell = None
    constructed = None
    vectors: tuple[Vector, Vector, Vector] = ((0.0,) * 3,) * 3
    lengths = (0.0, 0.0, 0.0)
    if config.cell is not None:
        user_cell, vectors, lengths, constructed = _construct_cell(config.cell, config.fixes.cell)
    raw = by_wavelength = None
    if config.mat_file is not None or matrix is not None:
        raw = read_matrix(config.mat_file) if matrix is None else matrix
        by_wavelength = tuple(scaled(v, 1e-10 / wavelength_m) for v in raw)
        vectors = by_wavelength
        lengths = tuple(length(v) for v in vectors)
    misset = config.misset
    if config.misset_random:
        seed = clock_seed if config.misset_seed is None else config.misset_seed
        if config.fixes.misset:
            misset = angles_of(tuple(random_rotation(np.random.Generator(np.random.PCG64(abs(seed)))).ravel().tolist()))
        else:
            misset = angles_of(tuple(random.rotations(seed, RANDOM_CAP, 1)[0][0].tolist()))
    before = vectors
    if misset is not None:
        vectors = tuple(turned(v, *misset) for v in vectors)
    cell_steps, reciprocal = _complete_cell(vectors, user_cell, config, raw, by_wavelength, before)
    real = cell_steps.real
    real_angles = _angles(real, reciprocal, cell_steps.V_cell)
    reciprocal_angles = _angles(reciprocal, real, cell_steps.V_star)
    real_m = tuple(scaled(v, 1e-10) for v in real)
    counts = _cells(config, sample_m, real_m)
    return Crystal(
        real, reciprocal, real_m, real_angles, reciprocal_angles, cell_steps.V_cell, constructed,
        misset, config.misset_random, config.mat_file, *counts, lengths, cell_steps,
    )  # fmt: skip


def _cells(config: Config, sample_m: Vector, real_m: tuple[Vector, ...]) -> tuple[float, float, float]:
    """Number of cells along a, b, c: from the sample's size where given, else as said; at least 1."""
    said = (config.Na, config.Nb, config.Nc)
    counts = []
    for size, vector, count in zip(sample_m, real_m, said, strict=True):
        cells = divide(size, length(vector)) if size > 0 else float(1 if count is None else count)
        if not math.isfinite(cells):
            raise InputError(f"-samplesize: a crystal of {size * 1e3:g} mm has more unit cells than can be counted")
        counts.append(max(float(math.ceil(cells)), 1.0))
    return tuple(counts)
