"""An image from the textbook: plain NumPy, nothing of the package, slow, to check corrected images against.

Geometry: beam along z, fast axis x, slow axis y, spindle x (what -xds means), detector normal to the beam.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

CLASSICAL_ELECTRON_RADIUS_SQUARED_M2 = 7.94079248018965e-30
WATER_ELECTRONS, WATER_G_PER_MOL, AVOGADRO = 2.57, 18.0, 6.02214179e23


@dataclass
class Setup:
    """What is seen by what. Lengths of the cell in Å, of the detector in mm, angles in degrees, sensor in µm."""

    cell: tuple[float, ...] = (50.0, 60.0, 70.0, 80.0, 90.0, 100.0)
    N: tuple[int, int, int] = (3, 4, 5)
    amplitude: Callable[[np.ndarray], np.ndarray] = lambda hkl: np.full(hkl.shape[:-1], 100.0)
    shape: str = "square"
    wavelength_A: float = 1.0
    distance_mm: float = 100.0
    pixel_mm: float = 2.0
    pixels: int = 32
    corner_mm: tuple[float, float] | None = None
    fluence_per_m2: float = 1.25e28
    kahn: float = 0.0
    oversample: int = 1
    sources: tuple[tuple[tuple[float, float, float], float, float], ...] = (((0.0, 0.0, -10.0), 1.0, 1.0),)
    phis_deg: tuple[float, ...] = (0.0,)
    thickness_um: float = 0.0
    depth_um: float = 0.0
    layers: int = 1
    water_um: float = 0.0
    one_solid_angle: bool = False  # and one polarization: those of the first layer for all


def reciprocal_vectors(cell: tuple[float, ...]) -> np.ndarray:
    """Columns a*, b*, c* in 1/Å, a* along x, b* in the xy plane: the Cholesky factor of the reciprocal metric."""
    edges, cosines = np.array(cell[:3]), np.cos(np.radians(cell[3:]))
    ca, cb, cg = cosines
    metric = np.outer(edges, edges) * np.array([[1, cg, cb], [cg, 1, ca], [cb, ca, 1]])
    return np.linalg.cholesky(np.linalg.inv(metric)).T


def interference(setup: Setup, hkl: np.ndarray) -> np.ndarray:
    """The transform of the crystal's lattice and shape."""
    N = np.array(setup.N)
    if setup.shape == "square":
        sine = np.sin(np.pi * hkl)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.where(sine == 0.0, N, np.sin(np.pi * hkl * N) / sine)
        return np.prod(ratio, axis=-1)
    squared = np.sum(((hkl - np.round(hkl)) * N) ** 2, axis=-1)
    if setup.shape == "gauss":
        return np.prod(N) * np.exp(-squared / 0.63)
    return np.prod(N) * (squared < 0.3969)


def polarization(kahn: float, incident: np.ndarray, ray: np.ndarray) -> np.ndarray:
    """Kahn et al. (1982), the E vector near x: cos 2ψ from the ray's parts along E and across."""
    across = np.cross([1.0, 0.0, 0.0], incident)
    across /= np.linalg.norm(across)
    along = np.cross(incident, across)
    e, b = (ray @ along) ** 2, (ray @ across) ** 2
    cos2 = (ray @ incident) ** 2
    with np.errstate(invalid="ignore"):
        cos_2psi = np.where(e + b > 0, (e - b) / (e + b), 1.0)
    return 0.5 * (1.0 + cos2 - kahn * cos_2psi * (1.0 - cos2))


def image(setup: Setup) -> np.ndarray:
    """Photons in each pixel, float64 (slow, fast)."""
    s = setup
    n, size = s.pixels * s.oversample, s.pixel_mm / s.oversample
    corner = s.corner_mm or (-s.pixels * s.pixel_mm / 2,) * 2
    real = np.linalg.inv(reciprocal_vectors(s.cell))
    water = s.water_um**3 * 1e-18 * 1e6 / WATER_G_PER_MOL * AVOGADRO * WATER_ELECTRONS**2
    weights = np.array([weight for _, _, weight in s.sources])
    total = np.zeros((n, n))
    for layer in range(s.layers):
        slow, fast = np.meshgrid((np.arange(n) + 0.5) * size, (np.arange(n) + 0.5) * size, indexing="ij")
        z = s.distance_mm + layer * s.thickness_um / 1000 / s.layers
        place = np.stack((fast + corner[0], slow + corner[1], np.full_like(fast, z)), axis=-1)
        path = np.linalg.norm(place, axis=-1)
        ray = place / path[..., None]
        if layer == 0 or not s.one_solid_angle:
            solid_angle, seen = s.pixel_mm**2 / path**2 * s.distance_mm / path, ray
        caught = 1.0
        if s.thickness_um:
            edges = [np.exp(-(layer + i) * s.thickness_um / s.layers / s.depth_um / ray[..., 2]) for i in (0, 1)]
            caught = edges[0] - edges[1]
        for (position, wavelength_A, _), weight in zip(s.sources, weights / weights.sum(), strict=True):
            incident = -np.array(position) / np.linalg.norm(position)
            q = (ray - incident) / wavelength_A
            terms = np.zeros((n, n))
            for phi in np.radians(s.phis_deg):
                turn = np.array([[1, 0, 0], [0, np.cos(phi), -np.sin(phi)], [0, np.sin(phi), np.cos(phi)]])
                hkl = q @ (real @ turn.T).T
                terms += (s.amplitude(hkl) * interference(s, hkl)) ** 2
            terms = terms / len(s.phis_deg) + water
            total += weight * terms * polarization(s.kahn, incident, seen) * solid_angle * caught
    binned = total.reshape(s.pixels, s.oversample, s.pixels, s.oversample).mean(axis=(1, 3))
    return CLASSICAL_ELECTRON_RADIUS_SQUARED_M2 * s.fluence_per_m2 * binned
