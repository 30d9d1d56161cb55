"""F against stol from an image: each pixel's F goes to the nearest point of the table, and is averaged there.

In single precision, and with the C program's ways: with a region of interest, pixels outside it are written where the
first point's begin, and run over into those of the points after it.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..base.c_numbers import c_format
from ..base.files import whole_file
from ..model.amorphous import ScatteringTable
from ..rendering.amorphous import SEEN

# A point with fewer pixels is left out.
FEWEST = 100
STOL, _, POLARIZATION, OMEGA, PLACE = range(len(SEEN))


def amplitudes(
    counts: np.ndarray, offset: float, gain: float, seen: np.ndarray, fluence_per_m2: float, r_e_sqr_m2: float,
    molecules: float, steps: int,
) -> np.ndarray:  # fmt: skip
    """F of each pixel, float32 (n,), with the sign of its photons: counts, float32 (n,), less the offset over the gain.

    seen: see AmorphousRenderer; polarization and solid angle are those of the last step.
    """
    with np.errstate(all="ignore"):
        photons = ((counts.astype(np.float64) - offset) / gain).astype(np.float32)
        size = np.abs(photons).astype(np.float64)
        square = size / seen[:, POLARIZATION] / seen[:, OMEGA] / fluence_per_m2 / r_e_sqr_m2 / molecules * steps
        F: np.ndarray = np.where(photons < 0.0, -1.0, 1.0) * np.sqrt(square)
        return F.astype(np.float32)


def nearest_points(table: ScatteringTable, seen: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Place of the point of the table that is nearest to each pixel's stol, int64 (n,); 0 where it does not count."""
    place = seen[:, PLACE].astype(np.int64)
    stol = table.stol_per_m
    above = seen[:, STOL] > (stol[place] + stol[np.minimum(place + 1, table.points - 1)]) / 2.0
    nearest: np.ndarray = np.where(valid, place + above, 0)
    return nearest


def sorted_by_point(
    F: np.ndarray, nearest: np.ndarray, counted: np.ndarray, points: int, apart: bool
) -> list[np.ndarray]:
    """The F, float32, of the pixels of each point of the table.

    counted: which pixels are in the region of interest. Those that are not (nearest to point 0) have no room of their
    own: they overwrite, or are overwritten by, what lies behind point 0, pixel by pixel; unless they are to be kept
    apart.
    """
    if apart:
        F, nearest = F[counted], nearest[counted]
        counted = np.ones(len(F), dtype=bool)
    pixels = np.bincount(nearest[counted], minlength=points)
    begin = np.concatenate(([1], 1 + np.cumsum(2 * pixels[:-1] + 2)))
    order = np.argsort(nearest, kind="stable")
    before = np.concatenate(([0], np.cumsum(np.bincount(nearest, minlength=points))[:-1]))
    at = np.empty(len(F), dtype=np.int64)
    at[order] = begin[nearest[order]] + np.arange(len(F)) - before[nearest[order]]
    memory = np.zeros(int(max(begin[-1] + 2 * pixels[-1], at.max(initial=0))) + 2, dtype=np.float32)
    # Of two at the same place, the later pixel's stays: one at a time.
    for place, value in zip(at.tolist(), F.tolist(), strict=True) if len(np.unique(at)) < len(at) else ():
        memory[place] = value
    if len(np.unique(at)) == len(at):
        memory[at] = F
    return [memory[begin[point] : begin[point] + pixels[point]] for point in range(points)]


def mean_and_deviation(F: np.ndarray) -> tuple[np.float32, np.float32]:
    """Mean and rms deviation, float32, added up one by one in single precision; 0 of none."""
    zero = np.float32(0.0)
    if not len(F):
        return zero, zero
    with np.errstate(all="ignore"):
        count = np.float32(len(F))
        mean = np.float32(np.cumsum(F, dtype=np.float32)[-1]) / count
        away = F - mean
        squares = np.float32(np.cumsum(away * away, dtype=np.float32)[-1]) / count
        return mean, np.float32(math.sqrt(squares) if squares >= 0.0 else squares)


def write_curve(
    path: str, table: ScatteringTable, stol_scale: float, by_point: list[np.ndarray], say: Callable[[str], None]
) -> int:
    """Write the points that have more than FEWEST pixels; tell of the others. Returns the last point's pixels.

    stol_scale: what makes the table's stol of 1/m; the file has its unit. Median and its deviation are never computed,
    and are 0.
    """
    lines, count = [], 0
    for point in range(2, table.points - 2):
        F = by_point[point]
        mean, rmsd = mean_and_deviation(F)
        stol, count = float(table.stol_per_m[point]) / stol_scale, len(F)
        if count > FEWEST:
            values = (stol, float(mean), float(rmsd), 0.0, 0.0, count)
            lines.append(c_format("%g %g %g   %g %g  %d\n", *values))
        else:
            say(c_format("WARNING: not enough pixels in bin= %d n=%d stol= %g", point, count, stol))
            say(c_format(" median= %g avg_arej= %g\n", 0.0, float(mean)))
    with whole_file(path, "-stolout") as file:
        file.write("".join(lines).encode("ascii"))
    say(f"wrote {path} as {len(lines)} lines of text\n")
    return count
