"""How much two images differ: one pass over blocks of rows, in float64, exact about bits."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[Any]  # an image of real numbers, (slow, fast)

# Small enough that the float64 copies of a block stay in the processor's cache.
BLOCK_PIXELS = 1 << 14
ALL_BUT_SIGN = 0x7FFFFFFF


@dataclass
class Extreme:
    """A largest value with its (slow, fast) pixel; None where nothing differs."""

    value: float = 0.0
    pixel: tuple[int, int] | None = None

    def take(self, values: Pixels, places: npt.NDArray[np.intp], first_row: int, width: int) -> None:
        """Look at the values of a block that starts at first_row; places are flat positions in it."""
        best = int(values.argmax())
        if float(values[best]) > self.value:
            row, column = divmod(int(places[best]), width)
            self.value, self.pixel = float(values[best]), (first_row + row, column)


@dataclass
class Moments:
    """Sums of A and B, and of products about their means, merged block by block (Chan, Golub and LeVeque 1979)."""

    n: int = 0
    sums: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros(2))
    products: npt.NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 2)))

    def add(self, a: Pixels, b: Pixels) -> None:
        """Add a block of finite float64 values."""
        if not a.size:
            return
        values = np.stack((a, b))
        sums = values.sum(axis=1)
        values -= sums[:, None] / a.size
        # Not `@`: its threads wait for each other, and ten times longer on a busy machine.
        self.products += np.einsum("in,jn", values, values)
        if self.n:
            step = sums / a.size - self.sums / self.n
            self.products += np.outer(step, step) * (self.n * a.size / (self.n + a.size))
        self.sums += sums
        self.n += a.size

    def correlation(self) -> float | None:
        """Pearson's coefficient; None where an image is constant."""
        scale = math.sqrt(self.products[0, 0]) * math.sqrt(self.products[1, 1])
        if not scale > 0.0 or not math.isfinite(scale):
            return None
        return max(-1.0, min(1.0, float(self.products[0, 1]) / scale))


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
        """Whether no pixel differs."""
        return self.differing == 0

    def as_dict(self) -> dict[str, Any]:
        """The statistics under the names that the JSON file has; None is `not defined`."""
        m = self.moments
        sum_a, sum_b = m.sums.tolist()
        return {
            "identical": self.identical,
            "pixels": self.pixels,
            "differing_pixels": self.differing,
            "not_finite_pixels": self.not_finite,
            "not_finite_differing_pixels": self.not_finite_differing,
            "sum_a": sum_a,
            "sum_b": sum_b,
            "correlation": 1.0 if self.identical else m.correlation(),
            "sum_ratio": ratio(sum_b, sum_a),
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
    """The largest value and its pixel, for JSON."""
    return {"value": extreme.value, "pixel_slow_fast": extreme.pixel and list(extreme.pixel)}


def row_blocks(shape: tuple[int, int]) -> Iterator[tuple[int, int]]:
    """First row and last row + 1 of blocks of about BLOCK_PIXELS pixels."""
    rows = max(1, BLOCK_PIXELS // max(1, shape[1]))
    for first in range(0, shape[0], rows):
        yield first, min(first + rows, shape[0])


def statistics(a: Pixels, b: Pixels) -> Statistics:
    """Compare two real images of equal shape (slow, fast). Raises ValueError for unequal shapes."""
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape}")
    result = Statistics(shape=a.shape)
    with np.errstate(all="ignore"):
        for first, last in row_blocks(a.shape):
            add_block(result, np.ascontiguousarray(a[first:last]), np.ascontiguousarray(b[first:last]), first)
    return result


def add_block(result: Statistics, a: Pixels, b: Pixels, first_row: int) -> None:
    """Add one block of rows."""
    unequal = differs(a, b).ravel()
    x, y = a.astype(np.float64).ravel(), b.astype(np.float64).ravel()
    finite = np.isfinite(x) & np.isfinite(y)
    lost = unequal & ~finite & ~(np.isnan(x) & np.isnan(y))
    result.pixels += a.size
    result.differing += int(np.count_nonzero(unequal))
    result.not_finite_differing += int(np.count_nonzero(lost))
    places = np.flatnonzero(finite)
    if places.size < x.size:
        result.not_finite += x.size - places.size
        x, y = x[places], y[places]
    result.moments.add(x, y)
    result.largest_a = max(result.largest_a, float(x.max(initial=-math.inf)))
    result.largest_b = max(result.largest_b, float(y.max(initial=-math.inf)))
    both = (x > 0.0) & (y > 0.0)
    positive = int(np.count_nonzero(both))
    result.positive += positive
    if not unequal.any():
        result.ratio_sum += positive
        result.ratio_largest = max(result.ratio_largest, 1.0 if positive else -math.inf)
        return
    result.ulp.take(ulp_distance(a, b).ravel(), np.arange(a.size), first_row, a.shape[1])
    if x.size:
        ratios = y[both] / x[both]
        result.ratio_sum += float(ratios.sum())
        result.ratio_largest = max(result.ratio_largest, float(ratios.max(initial=-math.inf)))
        add_differences(result, x, y, places, first_row)


def add_differences(result: Statistics, x: Pixels, y: Pixels, places: npt.NDArray[np.intp], first_row: int) -> None:
    """Add the differences of a block's finite pixels; places are their flat positions in it."""
    difference = np.abs(y - x)
    result.squares += float(np.einsum("i,i", difference, difference))
    result.absolute.take(difference, places, first_row, result.shape[1])
    # Where both are 0 (of unequal sign), so is the relative difference.
    size = np.maximum(np.abs(x), np.abs(y))
    relative = np.divide(difference, size, out=np.zeros_like(difference), where=size > 0.0)
    result.relative.take(relative, places, first_row, result.shape[1])


def differs(a: Pixels, b: Pixels) -> npt.NDArray[np.bool_]:
    """Where pixels differ: in their bits if both are of one floating type, else in value (NaN equals NaN)."""
    if a.dtype == b.dtype and a.dtype.kind == "f" and a.itemsize in (4, 8):
        bits = f"u{a.itemsize}"
        return np.asarray(a.view(bits) != b.view(bits))
    unequal = np.asarray(a != b)
    if a.dtype.kind == b.dtype.kind == "f":
        unequal &= ~(np.isnan(a) & np.isnan(b))
    return unequal


def ulp_distance(a: Pixels, b: Pixels) -> npt.NDArray[np.int64]:
    """How many float32 numbers lie between the values (plus one); -0 and 0 are 0 apart."""
    x, y = (order_of_float32(v.astype(np.float32)) for v in (a, b))
    return np.asarray(np.abs(x - y))


def order_of_float32(values: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """The place of each value among all float32 numbers, counted from 0 at 0."""
    bits = values.view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & ALL_BUT_SIGN), bits)
