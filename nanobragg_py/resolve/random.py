"""Random numbers of a run: the C program's generator, its seeds, and uniform rotations."""

from __future__ import annotations

import time

import numpy as np

from ..base.c_numbers import wrap32
from ..kernels.library import address, kernel

KERNELS = ("mosaic_rotations",)
# What -mosaic_seed is when it is not said.
DEFAULT_MOSAIC_SEED = 12345678


class RandomTable:
    """The shuffle table that all random streams of a run share (kernels/passes/random.py)."""

    def __init__(self) -> None:
        self.table = np.zeros(33, dtype=np.int64)

    def rotations(self, seed: int, spread_rad: float, count: int) -> np.ndarray:
        """`count` random rotation matrices by up to about `spread_rad`, float64 (count, 9), row by row."""
        stream = np.array([stream_of(seed)], dtype=np.int64)
        matrices = np.empty((count, 9))
        kernel("mosaic_rotations")(address(self.table), address(stream), spread_rad, count, address(matrices))
        return matrices


def stream_of(seed: int) -> int:
    """Where a seed's stream begins: the generator starts afresh at a number that is not positive (32 bits)."""
    return wrap32(-seed)


def clock_seed() -> int:
    """Seed of a run that gives none."""
    return int(time.time())


def random_rotation(random: np.random.Generator) -> np.ndarray:
    """A rotation matrix, float64 (3, 3), uniform over all rotations: that of a random unit quaternion.

    Shoemake, "Uniform random rotations", Graphics Gems III (1992), 124; the quaternion is a normalised vector of four
    Gaussian numbers.
    """
    w, x, y, z = (q := random.standard_normal(4)) / np.sqrt(q @ q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
