"""The main lobe of a crystal's shape transform: what of reciprocal space about a node belongs to one spot."""

from __future__ import annotations

import math

import numpy as np

from ..base.records import record
from ..base.vectors import Triad, length
from .crystal import Crystal


@record
class MainLobe:
    """The main lobe about every node: a box along the crystal's axes, or an ellipsoid.

    Places in it are given by coordinates along three axes of one width of the transform each, which is 1/N of a
    reciprocal lattice vector (for the spots whose width the C program makes depend on all of N, the same in all
    directions). counts: float64 (3,), N along each axis, or None for those spots, with across_per_A: their width.
    edge: where the lobe ends, in widths. box: whether it ends there along each axis by itself.
    """

    counts: np.ndarray | None
    across_per_A: float
    edge: float
    box: bool

    @property
    def reaches_half_way(self) -> bool:
        """Whether it may reach as far as another node's."""
        return self.counts is None or self.edge >= 0.5 * float(self.counts.min())

    def axes(self, stars: np.ndarray) -> np.ndarray:
        """The axes as rows, float64 (3, 3), in 1/Å, for a*, b*, c* as rows (3, 3)."""
        if self.counts is None:
            return np.eye(3) * self.across_per_A
        axes: np.ndarray = stars / self.counts[:, None]
        return axes

    def coordinates(self, away: np.ndarray, cell_A: np.ndarray) -> np.ndarray:
        """Coordinates (3, n) of fractional Miller indices less those of the node (3, n); a, b, c as rows (3, 3)."""
        if self.counts is None:
            return np.linalg.solve(cell_A * self.across_per_A, away)
        along: np.ndarray = away * self.counts[:, None]
        return along

    def holds(self, place: np.ndarray) -> np.ndarray:
        """Which of the places, coordinates (3, n), lie in the lobe."""
        if self.box:
            return np.asarray(np.abs(place).max(axis=0, initial=0.0) < self.edge)
        return np.asarray(np.einsum("ij,ij->j", place, place) < self.edge * self.edge)

    def width_per_A(self, stars: Triad) -> float:
        """How far it reaches along the longest of its axes, in 1/Å, for a*, b*, c*."""
        if self.counts is None:
            return self.edge * self.across_per_A
        return self.edge * max(length(star) / float(N) for star, N in zip(stars, self.counts, strict=True))

    def half_width(self, normal: np.ndarray) -> np.ndarray:
        """How far the lobe reaches to either side, float64 (n,) in 1/Å, along a direction (unit vectors).

        normal: the direction's scalar products with the axes, float64 (3, n), in 1/Å.
        """
        if self.box:
            return np.asarray(self.edge * np.abs(normal).sum(axis=0))
        return np.asarray(self.edge * np.sqrt(np.einsum("ij,ij->j", normal, normal)))

    def brightest(self, distance: np.ndarray, normal: np.ndarray, half_width: np.ndarray) -> np.ndarray:
        """Where the transform is largest on planes that cut the lobe: coordinates, float64 (3, n).

        distance: of the planes from the node [1/Å], float64 (n,), along their normals, given as for half_width.

        In an ellipsoid that is the middle of the plane's part of it. In a box the product of sinc²(x) is largest where
        the slopes of ln sinc² along the axes are proportional to the normal. With ln sinc²(x) close to
        (pi²/3) ln(1 - x²), that is x/(1 - x²) = s normal; s = distance / (normal·normal (1 - t²)), with t the distance
        as a part of the half-width, is right for small t, and for any t if all axes count alike or only one does. Off
        by 0.03 of an edge in the median, by 0.2 at most.
        """
        scale = distance / np.einsum("ij,ij->j", normal, normal)
        if not self.box:
            return np.asarray(scale * normal)
        part = distance / half_width
        slope = 2.0 * scale / (1.0 - part * part) / self.edge * normal
        return np.asarray(self.edge * slope / (1.0 + np.sqrt(1.0 + slope * slope)))


def main_lobe(crystal: Crystal) -> MainLobe:
    """The main lobe of a crystal; the same for all its reflections."""
    shape = crystal.shape
    counts = np.array([crystal.Na, crystal.Nb, crystal.Nc])
    edge = shape.lobe_edge
    if shape.heeds_fudge:
        edge = edge / crystal.fudge**0.5 if crystal.fudge > 0.0 else math.inf
    own_axes = shape.along_axes or crystal.own_widths
    return MainLobe(counts if own_axes else None, float(1.0 / np.prod(counts)), edge, shape.separable)
