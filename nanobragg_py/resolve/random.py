"""Random numbers of a run."""

from __future__ import annotations

import numpy as np

from ..kernels.library.load import address, kernel


class RandomTable:
    """The shuffle table that all random streams of a run share (kernels/random.py)."""

    def __init__(self) -> None:
        self.table = np.zeros(33, dtype=np.int64)

    def rotations(self, seed: int, spread_rad: float, count: int) -> tuple[np.ndarray, int]:
        """`count` random rotation matrices, float64 (count, 9), and where the stream then stands."""
        stream = np.array([seed], dtype=np.int64)
        matrices = np.empty((count, 9))
        kernel("mosaic_rotations")(address(self.table), address(stream), spread_rad, count, address(matrices))
        return matrices, int(stream[0])


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
