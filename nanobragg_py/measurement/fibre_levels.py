"""A fibre's point spread without a radius, on grids of half, a quarter, ... as many lines.

As in Ewald's sums, the spread s(r) = g/(2 pi) (g^2 + r^2)^(-3/2) is split into a part that falls off like a Gaussian
and a smooth one, P(3/2, a^2 (g^2 + r^2)) s(r), where P is the incomplete gamma function (regularized):

    s = [1 - P_a] s + [P_a - P_(a/2)] s + [P_(a/2) - P_(a/4)] s + ... + P_(last) s

Each bracket is negligible beyond some radius, and summed over neighbours on a grid as fine as it needs; what remains
on the last grid is convolved by Fourier transforms. Between grids: Lagrange's interpolation over eight points
(Skeel, Tezcan & Hardy, J. Comput. Chem. 23 (2002), 673, have the same for electrostatics).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..kernels.library import address, kernel
from .neighbours import Neighbours
from .sharing import Share, chunks_of
from .transforms import Convolution

KERNELS = ("spread_neighbours", "spread_coarsen", "spread_refine")
# Lines of a grid within which a bracket is summed, and the fall-off: a times this radius.
RADIUS, FALL_OFF = 9, 2.5
# Lines before the first and after the last of a coarser grid, and room that the kernels need; see quick_spread.py.
MARGIN, POINTS = 4, 8
# The last grid has at most so many pixels.
SMALL = 30000
# Nodes and weights of Gauss and Legendre's integration over a pixel.
_NODES, _WEIGHTS = (values / 2.0 for values in np.polynomial.legendre.leggauss(6))


class FibreLevels:
    """The point spread of a fibre for images of one shape."""

    def __init__(self, shape: tuple[int, int], g: float, near: NDArray[np.float64]):
        """g in pixels. near: the whole spread, integrated over pixels dy, dx away, float64, up to RADIUS along both."""
        scale = FALL_OFF / RADIUS
        self._shapes = [shape]
        self._near = [Neighbours(near - _integrated(RADIUS + 1, g, scale), RADIUS)]
        self._step = 2
        while True:
            shape = (-(-shape[0] // 2) + 2 * MARGIN, -(-shape[1] // 2) + 2 * MARGIN)
            self._shapes.append(shape)
            if shape[0] * shape[1] <= SMALL:
                break
            between = _integrated(RADIUS + 1, g, scale, self._step) - _integrated(
                RADIUS + 1, g, scale / 2.0, self._step
            )
            self._near.append(Neighbours(between, RADIUS))
            scale /= 2.0
            self._step *= 2
        y, x = (self._step * np.arange(n, dtype=np.float64) for n in shape)
        self._far = Convolution(_smooth_over_pixels(y, x, g, scale), max(shape))

    def apply(self, image: NDArray[np.float32], share: Share) -> NDArray[np.float32]:
        """The image, float32 (slow, fast), after the spread."""
        return self._from_level(0, np.ascontiguousarray(image), share)

    def _from_level(self, level: int, image: NDArray[np.float32], share: Share) -> NDArray[np.float32]:
        if level == len(self._near):
            return self._far.apply(image, share)
        result = self._near[level].apply(image, share)
        far = self._from_level(level + 1, self._coarsened(level, image, share), share)
        self._add_refined(level, far, result, share)
        return result

    def _coarsened(self, level: int, image: NDArray[np.float32], share: Share) -> NDArray[np.float32]:
        (slow, fast), (coarse_slow, coarse_fast) = self._shapes[level : level + 2]
        coarse = np.empty((coarse_slow, coarse_fast), dtype=np.float32)
        coarsen = kernel("spread_coarsen")

        def work(first: int, last: int) -> None:
            line = np.empty(2 * (coarse_fast + POINTS), dtype=np.float32)
            coarsen(
                address(image), address(coarse), address(line), fast, slow, coarse_fast, coarse_slow, first, last
            )  # fmt: skip

        share(work, chunks_of(coarse_slow))
        return coarse

    def _add_refined(self, level: int, coarse: NDArray[np.float32], fine: NDArray[np.float32], share: Share) -> None:
        (slow, fast), (coarse_slow, coarse_fast) = self._shapes[level : level + 2]
        refine = kernel("spread_refine")

        def work(first: int, last: int) -> None:
            line = np.empty(2 * coarse_fast, dtype=np.float32)
            refine(
                address(coarse), address(fine), address(line), fast, slow, coarse_fast, coarse_slow, first, last
            )  # fmt: skip

        share(work, chunks_of(slow))


def _smooth(square: NDArray[np.float64], g: float, scale: float) -> NDArray[np.float64]:
    """P(3/2, scale^2 (g^2 + r^2)) g/(2 pi) (g^2 + r^2)^(-3/2) for squares of distances, pixels^2."""
    u = scale * scale * (g * g + square)
    # P(3/2, u) = erf(sqrt(u)) - 2/sqrt(pi) sqrt(u) exp(-u), which is 1 from u = 40 on; and its series for small u.
    part = np.ones_like(u)
    near = u < 40.0
    few = u[near]
    root = np.sqrt(few)
    erf = np.array([math.erf(value) for value in root.tolist()])
    slope = 2.0 / math.sqrt(math.pi) * root
    part[near] = np.where(
        few < 1e-2,
        slope * few * (2.0 / 3.0 - few * (2.0 / 5.0 - few * (1.0 / 7.0 - few / 27.0))),
        erf - slope * np.exp(-few),
    )
    return g / (2.0 * math.pi) * (g * g + square) ** -1.5 * part


def _integrated(side: int, g: float, scale: float, step: int = 1) -> NDArray[np.float64]:
    """The smooth part integrated over pixels that are dy, dx steps away, float64 (side, side)."""
    y = step * np.arange(side)[:, None] + _NODES
    square = (y * y)[:, None, :, None] + (y * y)[None, :, None, :]
    return np.asarray(np.einsum("yxij,i,j->yx", _smooth(square, g, scale), _WEIGHTS, _WEIGHTS))


def _smooth_over_pixels(y: NDArray[np.float64], x: NDArray[np.float64], g: float, scale: float) -> NDArray[np.float64]:
    """The smooth part integrated over pixels at y, x, by two points along each edge, which is enough for it."""
    node = 0.5 / math.sqrt(3.0)
    total = np.zeros((y.size, x.size))
    for dy in (-node, node):
        for dx in (-node, node):
            total += _smooth(((y + dy) ** 2)[:, None] + ((x + dx) ** 2)[None, :], g, scale)
    return total / 4.0
