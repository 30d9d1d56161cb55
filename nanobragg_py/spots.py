"""Where the spots of an image are: Miller indices, and the pixels where a crystal's transform is largest."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from .base.errors import InputError
from .kernels.library import address, kernel
from .model.experiment import Experiment
from .model.structure_factors import Grid

STEPS_TO_MAXIMUM = 3
MOST_INDICES = 5_000_000


class Spots(NamedTuple):
    """Spots of an image, brightest first, n of them.

    hkl: int32 (n, 3). position: float64 (n, 2), fast and slow, where the spot's centre is predicted, in pixels;
    whole numbers are the centres of pixels. pixel: int32 (n, 2), fast and slow, of the local maximum there.
    peak: float32 (n,), photons in that pixel. intensity: float64 (n,), photons in the box of pixels about it.
    """

    hkl: np.ndarray
    position: np.ndarray
    pixel: np.ndarray
    peak: np.ndarray
    intensity: np.ndarray


class Indices(NamedTuple):
    """Reflections that can be seen at all: h, k, l as rows of float64 (3, n)."""

    hkl: np.ndarray


def indices_of(grid: Grid, cell_A: np.ndarray, finest_A: float) -> Indices:
    """All indices of a list whose F is not 0; without a list, all to the finest resolution [Å] of a cell (3, 3)."""
    if grid.reflections:
        h0, _, k0, _, l0, _ = grid.ranges
        box = grid.amplitudes[:-1].reshape(grid.shape)[:-1, :-1, :-1]
        found = np.array(np.nonzero(box), dtype=np.float64) + np.array([[h0], [k0], [l0]], dtype=np.float64)
    else:
        most = np.floor(np.linalg.norm(cell_A, axis=1) / finest_A).astype(np.int64)
        if np.prod(2.0 * most + 1.0) > MOST_INDICES:
            raise InputError("labels without a reflection list: the cell has too many reflections; give hkl")
        axes = [np.arange(-n, n + 1, dtype=np.float64) for n in most]
        found = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])
    return Indices(np.ascontiguousarray(found[:, np.any(found != 0.0, axis=0)]))


class _View(NamedTuple):
    """One source with one orientation: incident wave vector (3,), 1/lambda, and a, b, c as rows (3, 3); in Å."""

    k0: np.ndarray
    radius: float
    cell_A: np.ndarray


class _Found(NamedTuple):
    """Candidates of one view: columns of Indices, distance from the middle of the transform, rays (3, n)."""

    column: np.ndarray
    distance: np.ndarray
    ray: np.ndarray


def find_spots(experiment: Experiment, indices: Indices, image: np.ndarray, weakest: float = 1.0) -> Spots:
    """Label the local maxima of a rendered image, float32 (slow, fast), that belong to reflections.

    A reflection h, with reciprocal lattice vector q, is seen where the Ewald sphere cuts its shape transform: the
    excitation error e = |k0 + q| - 1/lambda is made up by the smallest step d = -e M n / (n M n) in the metric of
    the transform, M = sum of a*a*/N² over the three axes (of a sphere for Gaussian and flat-topped spots), n the
    direction of k0 + q; the spot is where k0 + q + d meets the detector. From there the image is followed uphill for
    up to three pixels. What is no local maximum, weaker than `weakest` photons, or another reflection's, is left out.
    """
    views = list(_views(experiment))
    found = [_cut(experiment, indices, view) for view in views]
    index = np.concatenate([one.column for one in found])
    ray = np.concatenate([one.ray for one in found], axis=1)
    which = np.repeat(np.arange(len(found)), [len(one.column) for one in found])
    if len(found) > 1:
        order = np.lexsort((np.concatenate([one.distance for one in found]), index))
        index, first = np.unique(index[order], return_index=True)
        ray, which = ray[:, order[first]], which[order[first]]
    position = _on_detector(experiment, ray)
    seen = np.flatnonzero(experiment.rendered.contain(position))
    hkl, position, which = indices.hkl[:, index[seen]].T, position[:, seen].T, which[seen]
    pixel, top = _uphill(image, position)
    peak = image[pixel[:, 1], pixel[:, 0]]
    top &= _nearest_node_is(experiment, views, which, pixel, hkl)
    good = np.flatnonzero(top & (peak >= weakest))
    good = good[_nearest_to(position[good], pixel[good], image.shape[1])]
    good = good[np.argsort(-peak[good], kind="stable")]
    pixel, position, peak = pixel[good], position[good], peak[good]
    return Spots(hkl[good].astype(np.int32), position, pixel, peak, _box_sums(image, pixel, box_radius(experiment)))


def _views(experiment: Experiment) -> Iterator[_View]:
    """Every source with every spindle step and mosaic domain."""
    domains = experiment.domains if experiment.mosaic.spread_rad > 0.0 else experiment.domains[:1]
    for direction, wavelength_m in zip(experiment.sources.direction, experiment.sources.wavelength_m, strict=True):
        radius = 1e-10 / float(wavelength_m)
        for cell in experiment.cells[0]:
            for domain in domains:
                yield _View(-direction * radius, radius, cell.reshape(3, 3) @ domain.reshape(3, 3).T * 1e10)


def _cut(experiment: Experiment, indices: Indices, view: _View) -> _Found:
    """Reflections whose transform the Ewald sphere cuts."""
    k0, radius, cell_A = view
    crystal, shape = experiment.crystal, experiment.crystal.shape
    stars = np.linalg.inv(cell_A).T
    counts = np.array([crystal.Na, crystal.Nb, crystal.Nc])
    if shape.along_axes or crystal.own_widths:
        metric = (stars.T / counts**2) @ stars
    else:
        metric = np.eye(3) / np.prod(counts) ** 2
    reach = (shape.label_reach_squared / (crystal.fudge if shape.heeds_fudge else 1.0)) ** 0.5
    furthest = reach * np.trace(metric) ** 0.5
    index = _near_sphere(indices, stars, k0, furthest * (2.0 * radius + furthest))
    out = stars.T @ indices.hkl[:, index] + k0[:, None]
    size = np.sqrt(np.einsum("ij,ij->j", out, out))
    error = size - radius
    step = metric @ (out / size)
    stiffness = np.einsum("ij,ij->j", out, step) / size
    distance = np.abs(error) / np.sqrt(stiffness)
    ray = out - step * (error / stiffness)
    kept = (distance < reach) & (np.abs(cell_A @ (ray - out)).max(axis=0, initial=0.0) < 0.5)
    return _Found(index[kept], distance[kept], ray[:, kept])


def _near_sphere(indices: Indices, stars: np.ndarray, k0: np.ndarray, limit: float) -> np.ndarray:
    """Columns of the indices for which | |k0 + q|² - |k0|² | is below a limit [Å⁻²]; stars has rows a*, b*, c*."""
    size = indices.hkl.shape[1]
    mixed = stars @ stars.T
    off = 2.0 * mixed
    metric = np.array([mixed[0, 0], mixed[1, 1], mixed[2, 2], off[1, 2], off[0, 2], off[0, 1]])
    along, index = 2.0 * (stars @ k0), np.empty(size, dtype=np.int64)
    hkl = indices.hkl
    found = kernel("near_sphere")(address(hkl), size, address(metric), address(along), limit, address(index))
    return index[:found]


def _on_detector(experiment: Experiment, ray: np.ndarray) -> np.ndarray:
    """Where rays (3, n) from the sample meet the detector: float64 (2, n), fast and slow, in pixels; nan if nowhere."""
    detector = experiment.detector
    axes = np.array([detector.axes.fdet, detector.axes.sdet, detector.axes.odet])
    corner = axes @ np.array(detector.pix0_m)
    fast, slow, out = axes @ ray
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = corner[2] / out
        position = np.stack([fast * scale - corner[0], slow * scale - corner[1]]) / detector.pixel_size_m - 0.5
    position[:, ~(scale > 0.0)] = np.nan
    return position


@cache
def _box(radius: int) -> tuple[np.ndarray, np.ndarray]:
    """Fast and slow offsets (side²,) of the pixels of a box."""
    offsets = np.arange(-radius, radius + 1)
    return np.tile(offsets, len(offsets)), np.repeat(offsets, len(offsets))


def _around(pixel: np.ndarray, radius: int, shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Fast and slow indices (n, side²) of the boxes about pixels (n, 2), kept within the image."""
    fast, slow = _box(radius)
    fast, slow = pixel[:, :1] + fast, pixel[:, 1:] + slow
    return np.minimum(np.maximum(fast, 0), shape[1] - 1), np.minimum(np.maximum(slow, 0), shape[0] - 1)


def _uphill(image: np.ndarray, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 2) of the maxima uphill from positions (n, 2), and whether they are local maxima."""
    pixel = np.rint(position).astype(np.int32)
    top = np.zeros(len(pixel), dtype=bool)
    walking = np.arange(len(pixel))
    for _ in range(STEPS_TO_MAXIMUM + 1):
        fast, slow = _around(pixel[walking], 1, image.shape)
        values = image[slow, fast]
        best = values.argmax(axis=1)
        n = np.arange(len(walking))
        there = values[n, best] == values[:, 4]
        top[walking[there]] = True
        n, best, walking = n[~there], best[~there], walking[~there]
        if not len(walking):
            break
        pixel[walking, 0], pixel[walking, 1] = fast[n, best], slow[n, best]
    return pixel, top


def _nearest_node_is(
    experiment: Experiment, views: list[_View], which: np.ndarray, pixel: np.ndarray, hkl: np.ndarray
) -> np.ndarray:  # fmt: skip
    """Whether the reflections hkl (n, 3) are the nodes nearest to the middles of pixels (n, 2), each in its view."""
    detector = experiment.detector
    axes = detector.axes
    place = (pixel + 0.5) * detector.pixel_size_m @ np.array([axes.fdet, axes.sdet]) + np.array(detector.pix0_m)
    out = place / np.sqrt(np.einsum("ij,ij->i", place, place))[:, None]
    if len(views) == 1:
        k0, radius, cell_A = views[0]
        found = (out * radius - k0) @ cell_A.T
    else:
        radii, k0 = np.array([view.radius for view in views]), np.array([view.k0 for view in views])
        cells = np.array([view.cell_A for view in views])
        found = np.einsum("nij,nj->ni", cells[which], out * radii[which, None] - k0[which])
    nearest: np.ndarray = np.abs(found - hkl).max(axis=1, initial=0.0) <= 0.5
    return nearest


def _nearest_to(position: np.ndarray, pixel: np.ndarray, width: int) -> np.ndarray:
    """Of those that share a pixel, the one whose position is nearest to it: indices into the arrays (n, 2)."""
    away = ((position - pixel) ** 2).sum(axis=1)
    flat = pixel[:, 1].astype(np.int64) * width + pixel[:, 0]
    order = np.lexsort((away, flat))
    _, first = np.unique(flat[order], return_index=True)
    nearest: np.ndarray = order[first]
    return nearest


def box_radius(experiment: Experiment) -> int:
    """Pixels from a spot's middle to the first zero of its transform, 1 to 10: half the side of its box."""
    detector, crystal = experiment.detector, experiment.crystal
    width_m = experiment.beam.wavelength_m * detector.distance_m / min(crystal.size_m)
    return int(min(max(np.ceil(width_m / detector.pixel_size_m), 1), 10))


def _box_sums(image: np.ndarray, pixel: np.ndarray, radius: int) -> np.ndarray:
    """Photons in boxes about pixels, float64 (n,); what lies beyond the edge counts as 0."""
    fast, slow = _around(pixel, radius, image.shape)
    values = image[slow, fast].astype(np.float64)
    beside, above = _box(radius)
    values[(fast != pixel[:, :1] + beside) | (slow != pixel[:, 1:] + above)] = 0.0
    sums: np.ndarray = values.sum(axis=1)
    return sums
