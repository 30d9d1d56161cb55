"""Where the spots of an image are: Miller indices, and the pixels where a crystal's transform is largest."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from .base.errors import InputError
from .base.optional import require
from .kernels.library import address, kernel
from .model.experiment import Experiment
from .model.main_lobe import MainLobe, main_lobe
from .model.structure_factors import Grid
from .resolve.crystal_data import finest_resolution_A

MOST_INDICES = 5_000_000


# Fields of Spots.table().
COLUMNS = [
    ("h", np.int32), ("k", np.int32), ("l", np.int32), ("fast", np.float64), ("slow", np.float64),
    ("pixel_fast", np.int32), ("pixel_slow", np.int32), ("peak", np.float32), ("intensity", np.float64),
]  # fmt: skip


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

    def __repr__(self) -> str:
        if not len(self.hkl):
            return "<Spots: none>"
        h, k, l = self.hkl[0].tolist()
        return f"<Spots: {len(self.hkl)}, the brightest {h} {k} {l} with {self.peak[0]:g} photons in its pixel>"

    def table(self) -> np.ndarray:
        """The same as one structured array (n,): h, k, l, fast, slow, pixel_fast, pixel_slow, peak, intensity.

        fast and slow are those of position.
        """
        table = np.empty(len(self.hkl), dtype=COLUMNS)
        columns = (*self.hkl.T, *self.position.T, *self.pixel.T, self.peak, self.intensity)
        for (name, _), column in zip(COLUMNS, columns, strict=True):
            table[name] = column
        return table

    def to_dataframe(self) -> Any:
        """The table as a DataFrame. Raises InputError if pandas is not installed."""
        require("pandas", "Spots.to_dataframe")
        import pandas  # which takes long, and few want

        return pandas.DataFrame(self.table())


class Limits(NamedTuple):
    """Which reflections are labelled.

    weakest: spots whose brightest pixel has fewer photons are not. reach: how much of the way from the middle of a
    reflection's main lobe to its edge the Ewald sphere may cut it, above 0 and up to 1.
    """

    weakest: float = 1.0
    reach: float = 1.0

    @classmethod
    def of(cls, weakest: Any, reach: Any) -> Limits:
        """Limits as a caller gives them. Raises InputError."""
        try:
            limits = cls(float(weakest), float(reach))
        except (TypeError, ValueError) as error:
            raise InputError(f"weakest, reach: expected numbers, got {weakest!r}, {reach!r}") from error
        if not 0.0 < limits.reach <= 1.0:
            raise InputError(f"reach: expected a number above 0 and up to 1, got {reach!r}")
        if not limits.weakest >= 0.0:
            raise InputError(f"weakest: expected a number of photons, 0 or more, got {weakest!r}")
        return limits


NO_LIMITS = Limits()


class Indices(NamedTuple):
    """Reflections that can be seen at all: h, k, l as rows of float64 (3, n)."""

    hkl: np.ndarray


def indices_of(experiment: Experiment) -> Indices:
    """All indices whose F is not 0, but 0 0 0, of which some part may reach the detector in some orientation.

    Raises InputError if that is too many, which needs default_F and a large cell; and for a curved detector.
    """
    if experiment.detector.curved:
        raise InputError("labels are for flat detectors only")
    grid, lobe = experiment.structure_factors, main_lobe(experiment.crystal)
    stars = np.array(experiment.crystal.reciprocal)
    finest_A = finest_resolution_A(experiment.sources, experiment.detector)
    beyond = min(lobe.edge * float(np.linalg.norm(lobe.axes(stars))), 0.5 * float(np.linalg.norm(stars, axis=1).sum()))
    furthest = 1.0 / finest_A + beyond
    found = _listed(grid) if grid.reflections else np.empty((3, 0))
    if grid.default_F != 0.0:
        edges_A = np.linalg.norm(np.array(experiment.crystal.real), axis=1)
        everything = _all_within(np.floor(edges_A * furthest).astype(np.int64))
        found = np.concatenate([found, everything[:, ~_in_box(grid, everything)]], axis=1)
    seen = np.linalg.norm(stars.T @ found, axis=0) <= furthest
    return Indices(np.ascontiguousarray(found[:, seen & np.any(found != 0.0, axis=0)]))


def _listed(grid: Grid) -> np.ndarray:
    """Indices of a list's box whose F is not 0: float64 (3, n)."""
    first = np.array(grid.ranges[::2], dtype=np.float64)
    box = grid.amplitudes[:-1].reshape(grid.shape)[:-1, :-1, :-1]
    found: np.ndarray = np.array(np.nonzero(box), dtype=np.float64) + first[:, None]
    return found


def _in_box(grid: Grid, hkl: np.ndarray) -> np.ndarray:
    """Which of the indices (3, n) lie in a list's box."""
    first, last = np.array(grid.ranges[::2])[:, None], np.array(grid.ranges[1::2])[:, None]
    return np.asarray(((hkl >= first) & (hkl <= last)).all(axis=0))


def _all_within(most: np.ndarray) -> np.ndarray:
    """All indices up to the largest along each axis, int64 (3,): float64 (3, n). Raises InputError for too many."""
    if np.prod(2.0 * most + 1.0) > MOST_INDICES:
        raise InputError("labels with default_F: the cell has too many reflections; give hkl, without default_F")
    axes = [np.arange(-n, n + 1, dtype=np.float64) for n in most]
    return np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])


class _View(NamedTuple):
    """One source with one orientation: incident wave vector (3,), 1/lambda, and a, b, c as rows (3, 3); in Å."""

    k0: np.ndarray
    radius: float
    cell_A: np.ndarray


class _Cut(NamedTuple):
    """Reflections that a view shows: columns of Indices (n,), and rays (3, n) to the middles of their spots."""

    column: np.ndarray
    ray: np.ndarray


class _Candidates(NamedTuple):
    """Spots that may get a label, n of them.

    column: of Indices (n,). view: number of the view (n,). position: see Spots. pixel: where the image was found to
    have its maximum (n, 2), or whichever pixel is asked about.
    """

    column: np.ndarray
    view: np.ndarray
    position: np.ndarray
    pixel: np.ndarray

    def some(self, which: np.ndarray) -> _Candidates:
        """Some of them, by their numbers."""
        return _Candidates(self.column[which], self.view[which], self.position[which], self.pixel[which])

    @property
    def distance(self) -> np.ndarray:
        """How far a pixel's middle is from the spot's, (n,): the larger of the ways along fast and slow."""
        return np.asarray(np.abs(self.position - self.pixel).max(axis=1, initial=0.0))


def find_spots(experiment: Experiment, indices: Indices, image: np.ndarray, limits: Limits = NO_LIMITS) -> Spots:
    """Label the local maxima of a rendered image, float32 (slow, fast), that belong to reflections.

    A reflection h, with reciprocal lattice vector q, shows where the Ewald sphere cuts the main lobe of its shape
    transform, made smaller by the factor limits.reach. Its excitation error is e = |k0 + q| - 1/lambda, and near q
    the sphere is a plane; with d the brightest place of the lobe on it (MainLobe.brightest), the spot's middle is where
    k0 + q + d meets the detector. From there the image is followed uphill, no further than the lobe is wide. Left out
    is what is no local maximum, is weaker than limits.weakest, or is another reflection's or a side lobe: see _own.
    Where several views show a reflection, its brightest pixel is labelled.
    """
    lobe, views = main_lobe(experiment.crystal), list(_views(experiment))
    radius = box_radius(experiment)
    found = _candidates(experiment, views, [_cut(lobe, indices, view, limits.reach) for view in views])
    pixel, top = _uphill(image, found.position, radius + 1)
    peak = image[pixel[:, 1], pixel[:, 0]]
    tops = np.flatnonzero(top & (peak >= limits.weakest) & (peak > 0.0))
    found, peak = found._replace(pixel=pixel).some(tops), peak[tops]
    good = np.flatnonzero(_own(experiment, lobe, views, indices, found))
    if len(views) > 1:
        good = good[_first_of_each(found.column[good], -peak[good])]
        good = good[_first_of_each(_flat(found.pixel[good], image.shape), found.distance[good])]
    good = good[np.argsort(-peak[good], kind="stable")]
    found = found.some(good)
    hkl, pixel = indices.hkl[:, found.column].T.astype(np.int32), found.pixel.astype(np.int32)
    return Spots(hkl, found.position, pixel, peak[good], _box_sums(image, pixel, radius))


def _candidates(experiment: Experiment, views: list[_View], cuts: list[_Cut]) -> _Candidates:
    """Spots whose middle is predicted within the rendered pixels; as pixel, the one with the middle."""
    column = np.concatenate([cut.column for cut in cuts])
    view = np.repeat(np.arange(len(views)), [len(cut.column) for cut in cuts])
    position = _on_detector(experiment, np.concatenate([cut.ray for cut in cuts], axis=1))
    seen = np.flatnonzero(experiment.rendered.contain(position))
    places = position[:, seen].T
    return _Candidates(column[seen], view[seen], places, np.rint(places).astype(np.int64))


def _views(experiment: Experiment) -> Iterator[_View]:
    """Every source with every spindle step and mosaic domain."""
    domains = experiment.domains if experiment.mosaic.spread_rad > 0.0 else experiment.domains[:1]
    for direction, wavelength_m in zip(experiment.sources.direction, experiment.sources.wavelength_m, strict=True):
        radius = 1e-10 / float(wavelength_m)
        for cell in experiment.cells[0]:
            for domain in domains:
                yield _View(-direction * radius, radius, cell.reshape(3, 3) @ domain.reshape(3, 3).T * 1e10)


def _cut(lobe: MainLobe, indices: Indices, view: _View, reach: float) -> _Cut:
    """Reflections whose lobes, made smaller by `reach`, the Ewald sphere cuts."""
    k0, radius, cell_A = view
    stars = np.linalg.inv(cell_A).T
    axes = lobe.axes(stars)
    furthest = lobe.edge * reach * float(np.linalg.norm(axes))
    column = _near_sphere(indices, stars, k0, furthest * (2.0 * radius + furthest))
    out = stars.T @ indices.hkl.take(column, axis=1) + k0[:, None]
    size = np.sqrt(np.einsum("ij,ij->j", out, out))
    error, normal = size - radius, axes @ (out / size)
    half_width = lobe.half_width(normal)
    near = np.flatnonzero(np.abs(error) < reach * half_width)
    step = axes.T @ lobe.brightest(-error[near], normal[:, near], half_width[near])
    column, ray = column[near], out[:, near] + step
    if lobe.reaches_half_way:
        nearest = np.abs(cell_A @ step).max(axis=0, initial=0.0) < 0.5
        column, ray = column[nearest], ray[:, nearest]
    return _Cut(column, ray)


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


# Fast and slow offsets (m,) of pixels from some pixel.
_Offsets = tuple[np.ndarray, np.ndarray]
_CORNERS: _Offsets = (np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1]))


@cache
def _box(radius: int) -> _Offsets:
    """Offsets (side²,) of the pixels of a box."""
    offsets = np.arange(-radius, radius + 1)
    return np.tile(offsets, len(offsets)), np.repeat(offsets, len(offsets))


def _around(pixel: np.ndarray, offsets: _Offsets, shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Fast and slow indices (n, m) of the pixels at offsets (m,) from pixels (n, 2), kept within the image."""
    fast, slow = pixel[:, :1] + offsets[0], pixel[:, 1:] + offsets[1]
    return np.minimum(np.maximum(fast, 0), shape[1] - 1), np.minimum(np.maximum(slow, 0), shape[0] - 1)


def _uphill(image: np.ndarray, position: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixels (n, 2) of the maxima uphill from positions (n, 2), by so many steps, and whether they are maxima."""
    image, start, n = np.ascontiguousarray(image), np.ascontiguousarray(position), len(position)
    pixel, top = np.empty((n, 2), dtype=np.int64), np.empty(n, dtype=np.uint8)
    kernel("climb")(address(image), *image.shape, address(start), n, steps, address(pixel), address(top))
    return pixel, top != 0


def _own(
    experiment: Experiment, lobe: MainLobe, views: list[_View], indices: Indices, found: _Candidates
) -> np.ndarray:  # fmt: skip
    """Whether candidates' pixels are their own reflection's, bool (n,).

    No other node is as near to the pixel's middle, in the candidate's view; and that lies in the main lobe. Where
    pixels are wider than lobes, it need not: then the pixel must hold the spot's middle, or, if none of the four pixels
    about the middle has its own in the lobe, be one of these.
    """
    distance, size = found.distance, len(found.column)
    beside = np.flatnonzero((distance > 0.5) & (distance < 1.0))
    four = found.some(np.repeat(beside, 4))
    corners = np.floor(four.position) + np.tile(np.transpose(_CORNERS), (len(beside), 1))
    all_of_them = found.some(np.concatenate([np.arange(size), np.repeat(beside, 4)]))
    away = _away(experiment, views, indices, all_of_them._replace(pixel=np.concatenate([found.pixel, corners])))
    in_lobe = lobe.holds(lobe.coordinates(away, views[0].cell_A))
    own = in_lobe[:size] | (distance <= 0.5)
    own[beside] |= ~in_lobe[size:].reshape(-1, 4).any(axis=1)
    # Halves go down, as in the kernels.
    nearest = ((away[:, :size] > -0.5) & (away[:, :size] <= 0.5)).all(axis=0)
    return np.asarray(nearest & own)


def _away(experiment: Experiment, views: list[_View], indices: Indices, found: _Candidates) -> np.ndarray:
    """Fractional indices at the middles of candidates' pixels less the reflections', float64 (3, n)."""
    detector = experiment.detector
    axes = np.array([detector.axes.fdet, detector.axes.sdet, detector.pix0_m])
    ones = np.ones((1, len(found.column)))
    place = axes.T @ np.concatenate([(found.pixel.T + 0.5) * detector.pixel_size_m, ones])
    out = place / np.sqrt(np.einsum("ij,ij->j", place, place))
    if len(views) == 1:
        k0, radius, cell_A = views[0]
        at = cell_A @ (out * radius - k0[:, None])
    else:
        radii, k0 = np.array([view.radius for view in views]), np.array([view.k0 for view in views])
        cells = np.array([view.cell_A for view in views])
        at = np.einsum("nij,jn->in", cells[found.view], out * radii[found.view] - k0[found.view].T)
    return np.asarray(at - indices.hkl.take(found.column, axis=1))


def _first_of_each(group: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Of each group, integers (n,), the member that is first in an order (n,): indices into the arrays."""
    sorted_members = np.lexsort((order, group))
    first: np.ndarray = sorted_members[np.unique(group[sorted_members], return_index=True)[1]]
    return first


def _flat(pixel: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Flat indices, int64 (n,), of pixels (n, 2), fast and slow."""
    flat: np.ndarray = pixel[:, 1].astype(np.int64) * shape[1] + pixel[:, 0]
    return flat


def box_radius(experiment: Experiment) -> int:
    """Pixels from a spot's middle to the edge of its main lobe, 1 to 10: half the side of its box."""
    detector, crystal = experiment.detector, experiment.crystal
    width_m = main_lobe(crystal).width_per_A(crystal.reciprocal) * experiment.beam.wavelength_m * 1e10
    return math.ceil(min(max(width_m * detector.distance_m / detector.pixel_size_m, 1.0), 10.0))


def _box_sums(image: np.ndarray, pixel: np.ndarray, radius: int) -> np.ndarray:
    """Photons in boxes about pixels, float64 (n,); what lies beyond the edge counts as 0."""
    fast, slow = _around(pixel, _box(radius), image.shape)
    values = image[slow, fast].astype(np.float64)
    beside, above = _box(radius)
    values[(fast != pixel[:, :1] + beside) | (slow != pixel[:, 1:] + above)] = 0.0
    sums: np.ndarray = values.sum(axis=1)
    return sums
