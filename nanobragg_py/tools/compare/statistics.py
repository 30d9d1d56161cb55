"""How much two images differ: one pass over blocks of rows, in float64, exact about bits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

# Small enough that the float64 copies of a block stay in the processor's cache.
BLOCK_PIXELS = 1 << 14
ULP_MASK = np.int32(0x7FFFFFFF)
TINY = np.finfo(np.float64).tiny


@dataclass
class Extreme:
    """A largest value with its (slow, fast) pixel; (None) where nothing differs."""

    value: float = 0.0
    pixel: tuple[int, int] | None = None

    def take(self, values: np.ndarray, index: np.ndarray, first_row: int, width: int) -> None:
        """Look at values at flat positions `index` of a block that starts at first_row."""
        best = int(values.argmax())
        if float(values[best]) > self.value:
            row, column = divmod(int(index[best]), width)
            self.value, self.pixel = float(values[best]), (first_row + row, column)


def dot(x: np.ndarray, y: np.ndarray) -> float:
    """Sum of products. Not `@`: its threads wait for each other, and ten times longer on a busy machine."""
    return float(np.einsum("i,i", x, y))


@dataclass
class Moments:
    """Means, squares and products about the means, merged block by block (Chan, Golub and LeVeque)."""

    n: int = 0
    mean_a: float = 0.0
    mean_b: float = 0.0
    aa: float = 0.0
    bb: float = 0.0
    ab: float = 0.0

    def add(self, a: np.ndarray, b: np.ndarray) -> None:
        """Add a block of finite float64 values."""
        n = a.size
        if not n:
            return
        mean_a, mean_b = float(a.sum()) / n, float(b.sum()) / n
        x, y = a - mean_a, b - mean_b
        total = self.n + n
        step_a, step_b, weight = mean_a - self.mean_a, mean_b - self.mean_b, self.n * n / total
        self.aa += dot(x, x) + step_a * step_a * weight
        self.bb += dot(y, y) + step_b * step_b * weight
        self.ab += dot(x, y) + step_a * step_b * weight
        self.mean_a += step_a * n / total
        self.mean_b += step_b * n / total
        self.n = total

    def correlation(self) -> float | None:
        """Pearson's coefficient; None where an image is constant."""
        scale = math.sqrt(self.aa) * math.sqrt(self.bb)
        if not scale > 0.0 or not math.isfinite(scale):
            return None
        return max(-1.0, min(1.0, self.ab / scale))


@dataclass
class Statistics:
    """What is known after all blocks; ratios are B over A."""

    shape: tuple[int, int]
    pixels: int = 0
    differing: int = 0
    not_finite: int = 0
    not_finite_differing: int = 0
    moments: Moments = field(default_factory=Moments)
    largest_a: float = -math.inf
    largest_b: float = -math.inf
    squares: float = 0.0
    absolute: Extreme = field(default_factory=Extreme)
    relative: Extreme = field(default_factory=Extreme)
    ulp: Extreme = field(default_factory=Extreme)
    positive: int = 0
    ratio_sum: float = 0.0
    ratio_largest: float = -math.inf

    @property
    def identical(self) -> bool:
        return self.differing == 0

    def as_dict(self) -> dict[str, Any]:
        """The statistics under the names that the JSON file has; None is `not defined`."""
        m = self.moments
        return {
            "identical": self.identical,
            "pixels": self.pixels,
            "differing_pixels": self.differing,
            "not_finite_pixels": self.not_finite,
            "not_finite_differing_pixels": self.not_finite_differing,
            "sum_a": m.mean_a * m.n,
            "sum_b": m.mean_b * m.n,
            "correlation": 1.0 if self.identical else m.correlation(),
            "sum_ratio": ratio(m.mean_b, m.mean_a),
            "ratio_of_maxima": ratio(self.largest_b, self.largest_a),
            "pixel_ratio_mean": self.ratio_sum / self.positive if self.positive else None,
            "pixel_ratio_max": self.ratio_largest if self.positive else None,
            "rms_difference": math.sqrt(self.squares / m.n) if m.n else None,
            "max_absolute_difference": extreme_dict(self.absolute),
            "max_relative_difference": extreme_dict(self.relative),
            "max_ulp_difference": extreme_dict(self.ulp),
        }


def ratio(b: float, a: float) -> float | None:
    """b/a; 1 where both are 0, None where only a is (or one is unknown)."""
    if a == b == 0.0:
        return 1.0
    return b / a if a != 0.0 and math.isfinite(a) and math.isfinite(b) else None


def extreme_dict(extreme: Extreme) -> dict[str, Any]:
    return {"value": extreme.value, "pixel_slow_fast": extreme.pixel and list(extreme.pixel)}


def row_blocks(shape: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """First row and last row + 1 of blocks of about BLOCK_PIXELS pixels."""
    rows = max(1, BLOCK_PIXELS // max(1, shape[1]))
    for first in range(0, shape[0], rows):
        yield first, min(first + rows, shape[0])


def statistics(a: np.ndarray, b: np.ndarray) -> Statistics:
    """Compare two real images of equal shape (slow, fast). Raises ValueError for unequal shapes."""
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape}")
    result = Statistics(shape=a.shape, pixels=a.size)
    with np.errstate(all="ignore"):
        for first, last in row_blocks(a.shape):
            add_block(result, np.ascontiguousarray(a[first:last]), np.ascontiguousarray(b[first:last]), first)
    return result


def add_block(result: Statistics, a: np.ndarray, b: np.ndarray, first_row: int) -> None:
    """Add one block of rows."""
    width = a.shape[1]
    a, b = a.ravel(), b.ravel()
    index = np.flatnonzero(differs(a, b))
    x, y = a.astype(np.float64), b.astype(np.float64)
    all_x, all_y, finite = x, y, None
    if not math.isfinite(float(x.sum()) + float(y.sum())):
        finite = np.isfinite(x) & np.isfinite(y)
        all_x, all_y = x[finite], y[finite]
        result.not_finite += x.size - all_x.size
    result.moments.add(all_x, all_y)
    result.differing += index.size
    if all_x.size:
        result.largest_a = max(result.largest_a, float(all_x.max()))
        result.largest_b = max(result.largest_b, float(all_y.max()))
    positive = all_x.size
    if positive and not min(all_x.min(), all_y.min()) > 0.0:
        positive = int(np.count_nonzero((all_x > 0.0) & (all_y > 0.0)))
    if index.size:
        if 4 * index.size > a.size:
            # Picking out so many costs more than looking at the equal ones too.
            index = np.arange(a.size)
        result.ulp.take(ulp_distance(at(a, index), at(b, index)), index, first_row, width)
        if finite is not None:
            lost = index[~finite[index]]
            result.not_finite_differing += int(np.count_nonzero(~(np.isnan(x[lost]) & np.isnan(y[lost]))))
            index = index[finite[index]]
        positive -= add_differences(result, at(x, index), at(y, index), index, first_row)
    # Pixels that are equal have the ratio 1.
    if positive:
        result.positive += positive
        result.ratio_sum += positive
        result.ratio_largest = max(result.ratio_largest, 1.0)


def at(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """values[index] of a rising index, without a copy where it names all."""
    return values if index.size == values.size else values[index]


def add_differences(result: Statistics, x: np.ndarray, y: np.ndarray, index: np.ndarray, first_row: int) -> int:
    """Add the finite pixels of a block that may differ; how many of them are positive in both images."""
    if not index.size:
        return 0
    width = result.shape[1]
    difference = np.abs(y - x)
    result.squares += dot(difference, difference)
    result.absolute.take(difference, index, first_row, width)
    # Where both are 0 (of unequal sign) the tiny number makes the relative difference 0.
    size = np.maximum(np.maximum(np.abs(x), np.abs(y)), TINY)
    result.relative.take(difference / size, index, first_row, width)
    ratios = y / x
    count = x.size
    if not min(x.min(), y.min()) > 0.0:
        both = (x > 0.0) & (y > 0.0)
        count = int(np.count_nonzero(both))
        ratios = np.where(both, ratios, 0.0)
    if count:
        result.positive += count
        result.ratio_sum += float(ratios.sum())
        result.ratio_largest = max(result.ratio_largest, float(ratios.max()))
    return count


def differs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where pixels differ: in their bits if both are of one floating type, else in value (NaN equals NaN)."""
    if a.dtype == b.dtype and a.dtype.kind == "f" and a.itemsize in (4, 8):
        bits = f"u{a.itemsize}"
        return a.view(bits) != b.view(bits)
    unequal = a != b
    if a.dtype.kind == b.dtype.kind == "f":
        unequal &= ~(np.isnan(a) & np.isnan(b))
    return unequal


def ulp_distance(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How many float32 numbers lie between the values (plus one), as integers; -0 and 0 are 0 apart."""
    x, y = (v.astype(np.float32, copy=False).view(np.int32) for v in (a, b))
    if min(x.min(), y.min()) >= 0:
        return np.abs(x - y)
    x, y = (np.where(v < 0, -(v & ULP_MASK), v).astype(np.int64) for v in (x, y))
    return np.abs(x - y)
