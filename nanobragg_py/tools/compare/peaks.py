"""The brightest peaks of an image, and which peak of one image is which of another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

# A peak is brighter than every pixel up to this many rows and columns away.
RADIUS = 3
TILE = RADIUS + 1
ROWS_AT_A_TIME = 32 * TILE
MOST_TILES = 1 << 17
TILES_AT_A_TIME = 1 << 13


Pixel = tuple[int, int]


@dataclass(frozen=True)
class PeakShifts:
    """Pairs of peaks (pixel of A, pixel of B), and how many of the brightest have no partner."""

    wanted: int
    found_a: int
    found_b: int
    pairs: list[tuple[Pixel, Pixel]]
    unmatched_a: int
    unmatched_b: int

    @property
    def shifts(self) -> list[float]:
        """Displacement of each pair [pixel]."""
        return [math.dist(a, b) for a, b in self.pairs]

    def as_dict(self) -> dict[str, Any]:
        """The displacements under the names that the JSON file has."""
        shifts = self.shifts
        steps = [(b[0] - a[0], b[1] - a[1]) for a, b in self.pairs]
        count = len(self.pairs)
        return {
            "wanted": self.wanted,
            "matched": count,
            "unmatched_a": self.unmatched_a,
            "unmatched_b": self.unmatched_b,
            "mean_shift_pixels": sum(shifts) / count if count else None,
            "max_shift_pixels": max(shifts, default=None),
            "mean_shift_slow_fast": [sum(step[i] for step in steps) / count for i in (0, 1)] if count else None,
            "pairs": [{"a": list(a), "b": list(b)} for a, b in self.pairs],
        }


def peak_shifts(a: np.ndarray, b: np.ndarray, count: int, reach: float) -> PeakShifts:
    """Match the `count` brightest peaks of each image one to one, nearest pairs first, within reach [pixel].

    A partner is looked for among twice as many peaks, so that the order of two peaks of nearly equal height
    at the end of the list does not matter. The result does not depend on which image is A.
    """
    peaks_a, peaks_b = brightest_peaks(a, 2 * count), brightest_peaks(b, 2 * count)
    pairs = match(peaks_a, peaks_b, reach)
    kept = sorted((i, j) for i, j in pairs if min(i, j) < count)
    matched_a, matched_b = {i for i, _ in kept}, {j for _, j in kept}
    return PeakShifts(
        wanted=count,
        found_a=min(count, len(peaks_a)),
        found_b=min(count, len(peaks_b)),
        pairs=[(peaks_a[i], peaks_b[j]) for i, j in kept],
        unmatched_a=sum(i not in matched_a for i in range(min(count, len(peaks_a)))),
        unmatched_b=sum(j not in matched_b for j in range(min(count, len(peaks_b)))),
    )


def match(peaks_a: list[Pixel], peaks_b: list[Pixel], reach: float) -> list[tuple[int, int]]:
    """Greedy matching: of all pairs within reach the nearest is taken, then the nearest of what is left."""
    near = [
        (distance, i + j, abs(i - j), i, j)
        for i, a in enumerate(peaks_a)
        for j, b in enumerate(peaks_b)
        if (distance := math.dist(a, b)) <= reach
    ]
    pairs: list[tuple[int, int]] = []
    free_a, free_b = set(range(len(peaks_a))), set(range(len(peaks_b)))
    for *_, i, j in sorted(near):
        if i in free_a and j in free_b:
            pairs.append((i, j))
            free_a.remove(i)
            free_b.remove(j)
    return pairs


def brightest_peaks(image: np.ndarray, count: int) -> list[Pixel]:
    """(slow, fast) of the brightest local maxima, brightest first; fewer where the image has fewer.

    Each peak is the largest value of its tile of TILE x TILE pixels, so only those are looked at, the
    brightest MOST_TILES of them at most, which bounds the time for an image without peaks.
    """
    tiles = tile_maxima(image)
    flat = tiles.ravel()
    brightest = np.arange(flat.size)
    if flat.size > MOST_TILES:
        brightest = np.sort(np.argpartition(-flat, MOST_TILES)[:MOST_TILES])
    # A stable sort by falling value: of equal values the first in the image comes first.
    brightest = brightest[np.argsort(-flat[brightest], kind="stable")]
    peaks: list[Pixel] = []
    for first in range(0, brightest.size, TILES_AT_A_TIME):
        if len(peaks) >= count:
            break
        peaks += peaks_of_tiles(image, brightest[first : first + TILES_AT_A_TIME], tiles.shape[1])
    return peaks[:count]


def tile_maxima(image: np.ndarray) -> np.ndarray:
    """Largest value of each tile; NaN counts as nothing."""
    height, width = (-(-size // TILE) for size in image.shape)
    result = np.empty((height, width), dtype=np.float64 if image.dtype.itemsize > 4 else np.float32)
    columns = width * TILE - image.shape[1]
    for first in range(0, image.shape[0], ROWS_AT_A_TIME):
        block = image[first : first + ROWS_AT_A_TIME].astype(result.dtype, copy=False)
        rows = -block.shape[0] % TILE
        if rows or columns:
            block = np.pad(block, ((0, rows), (0, columns)), mode="edge")
        highest = np.fmax.reduce(block.reshape(-1, TILE, block.shape[1]), axis=1)
        narrow = highest[:, 0::TILE]
        for step in range(1, TILE):
            narrow = np.fmax(narrow, highest[:, step::TILE])
        result[first // TILE : first // TILE + narrow.shape[0]] = narrow
    result[np.isnan(result)] = -np.inf
    return result


def peaks_of_tiles(image: np.ndarray, tiles: np.ndarray, tiles_in_row: int) -> list[Pixel]:
    """Those tiles' brightest pixels that are peaks, in the order of the tiles.

    Of equal neighbours the first in the image is the peak; a pixel of flat surroundings is none.
    """
    corner_s, corner_f = tiles // tiles_in_row * TILE, tiles % tiles_in_row * TILE
    values, _ = gather(image, corner_s, corner_f, range(TILE))
    best = values.argmax(axis=1)
    slow, fast = corner_s + best // TILE, corner_f + best % TILE
    # The next neighbours rule most of them out, at a fifth of the cost.
    for radius in (1, RADIUS):
        window, valid = gather(image, slow, fast, range(-radius, radius + 1))
        centre = window.shape[1] // 2
        value = window[:, centre : centre + 1]
        peak = (value > window[:, :centre]).all(axis=1) & (value >= window[:, centre + 1 :]).all(axis=1)
        peak &= (radius < RADIUS) | (value[:, 0] > np.where(valid, window, np.inf).min(axis=1))
        slow, fast = slow[peak], fast[peak]
    return [(int(s), int(f)) for s, f in zip(slow, fast, strict=True)]


def gather(image: np.ndarray, slow: np.ndarray, fast: np.ndarray, offsets: range) -> tuple[np.ndarray, np.ndarray]:
    """Values (pixels, offsets²) around each pixel; -inf where not valid: outside the image, or NaN."""
    step = np.array(offsets)
    rows = (slow[:, None, None] + step[:, None]) + np.zeros_like(step)
    columns = (fast[:, None, None] + step) + np.zeros_like(step)[:, None]
    inside = (rows >= 0) & (rows < image.shape[0]) & (columns >= 0) & (columns < image.shape[1])
    values = image[np.where(inside, rows, 0), np.where(inside, columns, 0)].astype(np.float64)
    valid = inside & ~np.isnan(values)
    values[~valid] = -np.inf
    return values.reshape(-1, step.size**2), valid.reshape(-1, step.size**2)
