"""Photons per pixel that noisify's workloads start from: a ring of background, and spots; the same in every run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

# The brightest pixel (photons): a fibre of 46 µm on pixels of 100 µm has an automatic radius of 781 pixels from it.
BRIGHTEST = 69000.0


def write_photons(path: Path, side: int, ring: float) -> None:
    """A float image of side x side pixels; ring: photons per pixel where the background is strongest."""
    generator = np.random.default_rng(1)
    y, x = np.ogrid[:side, :side]
    radius = np.hypot(x - side / 2.0, y - side / 2.0) / side
    image = ring * np.exp(-((radius - 0.2) ** 2) / 0.03) + 2.0
    spots = side * side // 500
    at = generator.integers(0, side, (2, spots))
    image[at[0], at[1]] += generator.exponential(2000.0, spots)
    image[side // 2, side // 3] = BRIGHTEST
    np.minimum(image, BRIGHTEST).astype(np.float32).tofile(path)
