"""The crystal from cell or matrix, orientation and size."""

from __future__ import annotations

import math

import numpy as np

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..base.shapes import shape_named
from ..base.vectors import Triad, Vector, angles_of, length, lengths, scaled_all, turned_all
from ..model.cell import angles_between, complete_cell, direct_cell, reciprocal_cell
from ..model.crystal import Crystal, Setting
from ..options.config import Config
from .random import RandomTable, random_rotation

# A crystal's "random" orientation is drawn from a cap of 90 radians in the C program.
RANDOM_CAP = 90.0
NOWHERE: Triad = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0))


def resolve_crystal(
    config: Config, wavelength_m: float, random: RandomTable, clock_seed: int,
    cell: tuple[float, ...] | None, matrix: Triad | None, sample_m: Vector,
) -> Crystal:  # fmt: skip
    """Cell, orientation and size. Raises InputError for an impossible cell or matrix.

    cell: as Config has it (Å, radians), matrix: a*, b*, c* times the wavelength in Å, as in a matrix file; with both,
    the vectors are the matrix's, stretched to the edges of the cell. sample_m: size along a, b, c, 0 where not given.
    """
    setting = _setting(config, wavelength_m, cell, matrix, _misset(config, random, clock_seed))
    vectors = setting.unturned if setting.misset is None else turned_all(setting.unturned, setting.misset)
    steps = complete_cell(vectors, setting.given_cell, config.mat_file or "-cell")
    real_m = scaled_all(steps.real, 1e-10)
    Na, Nb, Nc = _cells(config, sample_m, real_m)
    return Crystal(
        shape=shape_named(config.shape),
        fudge=config.fudge,
        Na=Na,
        Nb=Nb,
        Nc=Nc,
        real=steps.real,
        reciprocal=steps.reciprocal,
        real_m=real_m,
        real_angles=angles_between(steps.real, steps.reciprocal, steps.V_cell),
        reciprocal_angles=angles_between(steps.reciprocal, steps.real, steps.V_star),
        volume_A3=steps.V_cell,
        setting=setting,
        steps=steps,
        own_widths=config.fixes.spot_width,
    )


def _setting(
    config: Config, wavelength_m: float, cell: tuple[float, ...] | None, matrix: Triad | None, misset: Vector | None
) -> Setting:
    """Reciprocal vectors before misset."""
    given = None if cell is None else direct_cell(cell)
    reciprocal = None if given is None else reciprocal_cell(given, exact=config.fixes.cell)
    by_wavelength = None if matrix is None else scaled_all(matrix, 1e-10 / wavelength_m)
    if by_wavelength is not None:
        unturned, sizes = by_wavelength, lengths(by_wavelength)
    elif reciprocal is not None:
        unturned, sizes = reciprocal.vectors, reciprocal.lengths
    else:
        unturned, sizes = NOWHERE, (0.0, 0.0, 0.0)
    constructed = None if reciprocal is None else reciprocal.angles
    return Setting(given, constructed, matrix, by_wavelength, unturned, sizes, misset, config.misset_random)


def _misset(config: Config, random: RandomTable, clock_seed: int) -> Vector | None:
    """Angles about x, y, z in radians: as given, or drawn."""
    if not config.misset_random:
        return config.misset
    seed = clock_seed if config.misset_seed is None else config.misset_seed
    if config.fixes.misset:
        generator = np.random.Generator(np.random.PCG64(abs(seed)))
        return angles_of(tuple(random_rotation(generator).ravel().tolist()))
    return angles_of(tuple(random.rotations(seed, RANDOM_CAP, 1)[0].tolist()))


def _cells(config: Config, sample_m: Vector, real_m: Triad) -> Vector:
    """Number of cells along a, b, c: from the sample's size where given, else as said; at least 1."""

    def count(size: float, vector: Vector, said: int | None) -> float:
        cells = divide(size, length(vector)) if size > 0 else float(1 if said is None else said)
        if not math.isfinite(cells):
            raise InputError(f"-samplesize: a crystal of {size * 1e3:g} mm has more unit cells than can be counted")
        return max(float(math.ceil(cells)), 1.0)

    (x, y, z), (a, b, c) = sample_m, real_m
    return (count(x, a, config.Na), count(y, b, config.Nb), count(z, c, config.Nc))
