"""The brightest peaks of an image, and which peak of one image is which of another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from .statistics import Pixels

# A peak is brighter than every pixel up to this many rows and columns away.
RADIUS = 3
ROWS_AT_A_TIME = 32

Pixel = tuple[int, int]  # slow, fast


@dataclass(frozen=True)
class PeakShifts:
    """Pairs of peaks (pixel of A, pixel of B), and how many of the brightest have no partner."""

    wanted: int
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


def peak_shifts(a: Pixels, b: Pixels, count: int, reach: float) -> PeakShifts:
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


def brightest_peaks(image: Pixels, count: int) -> list[Pixel]:
    """(slow, fast) of the brightest local maxima, brightest first; fewer where the image has fewer.

    Of equal neighbours the first in the image is the peak; a pixel of flat surroundings is none. NaN is no value.
    """
    if not count:
        return []
    where, value = local_maxima(image)
    peaks: list[Pixel] = []
    # A stable sort by falling value: of equal peaks the first in the image comes first.
    for index in np.argsort(-value, kind="stable"):
        slow, fast = map(int, where[index])
        if not is_flat(image, slow, fast):
            peaks.append((slow, fast))
            if len(peaks) == count:
                break
    return peaks


def local_maxima(image: Pixels) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.floating[Any]]]:
    """Pixels (n, 2) that no pixel up to RADIUS rows and columns away exceeds, in the order of the image; their values.

    Taken in strips of rows, so that what is looked at stays in the processor's cache.
    """
    places, values = [], []
    dtype = np.result_type(image.dtype, np.float32)
    for first in range(0, image.shape[0], ROWS_AT_A_TIME):
        last = min(first + ROWS_AT_A_TIME, image.shape[0])
        top, bottom = max(0, first - RADIUS), min(last + RADIUS, image.shape[0])
        strip = np.full((last - first + 2 * RADIUS, image.shape[1] + 2 * RADIUS), -np.inf, dtype)
        np.fmax(image[top:bottom], -np.inf, out=strip[top - first + RADIUS :][: bottom - top, RADIUS:-RADIUS])
        found = np.argwhere(is_maximum(strip))
        values.append(strip[RADIUS:-RADIUS, RADIUS:-RADIUS][tuple(found.T)])
        places.append(found + np.array((first, 0)))
    return np.concatenate(places), np.concatenate(values)


def is_maximum(framed: Pixels) -> npt.NDArray[np.bool_]:
    """Where a pixel exceeds all that come before it in its window, and none that comes after it exceeds it.

    framed has RADIUS more rows and columns on each side than the result.
    """
    height, width = (size - 2 * RADIUS for size in framed.shape)
    centre = framed[RADIUS:-RADIUS, RADIUS:-RADIUS]
    before, after = range(RADIUS), range(RADIUS + 1, 2 * RADIUS + 1)
    in_row = largest([framed[:, k : k + width] for k in range(2 * RADIUS + 1)])
    earlier = largest(
        [framed[RADIUS:-RADIUS, k : k + width] for k in before] + [in_row[k : k + height] for k in before]
    )
    later = largest([framed[RADIUS:-RADIUS, k : k + width] for k in after] + [in_row[k : k + height] for k in after])
    return np.asarray((centre > earlier) & (centre >= later))


def largest(arrays: Sequence[Pixels]) -> Pixels:
    """The largest value at each place."""
    result = arrays[0].copy()
    for array in arrays[1:]:
        np.maximum(result, array, out=result)
    return result


def is_flat(image: Pixels, slow: int, fast: int) -> bool:
    """Whether no pixel around is darker."""
    window = image[max(0, slow - RADIUS) : slow + RADIUS + 1, max(0, fast - RADIUS) : fast + RADIUS + 1]
    return not bool((window < image[slow, fast]).any())
