"""Pieces of the quick point spread: what is near by sums over neighbours, what is far on grids of half as many lines.

Single precision; not the C program's order of additions, which passes/point_spread.py has.
"""

from __future__ import annotations

import numpy as np

from ..jit import compiled

# Points of Lagrange's interpolation half way between two lines of the coarser grid, and their weights.
POINTS = 8
WEIGHTS = tuple(np.float32(number / 2048.0) for number in (-5, 49, -245, 1225, 1225, -245, 49, -5))
# Lines of the coarser grid before the first, and after the last one, of the finer grid.
MARGIN = POINTS // 2
# Fractions of neighbours that are summed at once.
TAPS = 4


@compiled
def copy(source, target):
    """Put source into target, which is as long."""
    for at in range(target.size):
        target[at] = source[at]


@compiled
def add_neighbours(image, fractions, radius, row, sums, out):
    """Add to `out` (fast,) what row `row` gets from its neighbours in image (slow, fast) up to `radius` away.

    fractions (radius + 1, TAPS*n): by |dy|, and by dx from -radius on. sums: room for fast + 2*radius + TAPS numbers,
    0 but for the middle.
    """
    slow, fast = image.shape
    middle = sums[radius : radius + fast]
    for dy in range(radius + 1):
        above, below = row - dy, row + dy
        if dy > 0 and above >= 0 and below < slow:
            for x in range(fast):
                middle[x] = image[above, x] + image[below, x]
        elif below < slow:
            copy(image[below], middle)
        elif above >= 0:
            copy(image[above], middle)
        else:
            break
        for group in range(fractions.shape[1] // TAPS):
            tap = TAPS * group
            a, b, c, d = fractions[dy, tap], fractions[dy, tap + 1], fractions[dy, tap + 2], fractions[dy, tap + 3]
            if a == 0.0 and b == 0.0 and c == 0.0 and d == 0.0:
                continue
            near = sums[tap : tap + fast + TAPS]
            for x in range(fast):
                out[x] += (a * near[x] + b * near[x + 1]) + (c * near[x + 2] + d * near[x + 3])


@compiled
def coarsen_row(fine, row, line, coarse):
    """Row `row` of the coarser grid: what lies on its lines, and shares of what lies between them.

    line: room for 2*coarse.size + 2*POINTS numbers.
    """
    slow, fast = fine.shape
    first = 2 * MARGIN + POINTS
    for at in range(line.size):
        line[at] = np.float32(0.0)
    middle = line[first : first + fast]
    y = 2 * (row - MARGIN)
    if 0 <= y < slow:
        copy(fine[y], middle)
    for point in range(POINTS):
        between = y + 2 * point - (POINTS - 1)
        if 0 <= between < slow:
            weight = WEIGHTS[point]
            for x in range(fast):
                middle[x] += weight * fine[between, x]
    for c in range(coarse.size):
        at = POINTS + 2 * c
        total = line[at]
        for point in range(POINTS):
            total += WEIGHTS[point] * line[at + 2 * point - (POINTS - 1)]
        coarse[c] = total


@compiled
def add_refined_row(coarse, row, line, between, out):
    """Add to `out` (fast,) row `row` of the finer grid, interpolated.

    line, between: room for as many numbers as coarse (slow, fast) has in a row.
    """
    first = row // 2 + MARGIN
    if row % 2 == 0:
        copy(coarse[first], line)
    else:
        for c in range(line.size):
            line[c] = np.float32(0.0)
        for point in range(POINTS):
            weight = WEIGHTS[point]
            source = coarse[first - MARGIN + 1 + point]
            for c in range(line.size):
                line[c] += weight * source[c]
    pairs = (out.size + 1) // 2
    near = line[1 : pairs + POINTS]
    for k in range(pairs):
        total = np.float32(0.0)
        for point in range(POINTS):
            total += WEIGHTS[point] * near[k + point]
        between[k] = total
    for k in range(out.size // 2):
        out[2 * k] += line[k + MARGIN]
        out[2 * k + 1] += between[k]
    if out.size % 2 == 1:
        out[out.size - 1] += line[pairs - 1 + MARGIN]
