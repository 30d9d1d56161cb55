"""How much two images differ: against plain formulas on whole images, for every type of pixel and any blocks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nanobragg_py.tools.compare import statistics as module
from nanobragg_py.tools.compare.statistics import Extreme, Moments, ratio, statistics

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=12)
# The smallest float32, as a number that both kinds of floats can be.
SMALLEST = float(np.float32(1e-45))
special = st.sampled_from([0.0, -0.0, 1.0, 2.0, float("nan"), float("inf"), -float("inf"), SMALLEST])
ELEMENTS = {
    "float32": st.floats(-(2.0**60), 2.0**60, width=32) | special,
    "float64": st.floats(-1e30, 1e30) | special,
    "uint16": st.integers(0, 2**16 - 1),
    "int32": st.integers(-5, 5) | st.integers(-(2**31), 2**31 - 1),
    "bool": st.booleans(),
}


@st.composite
def two_images(draw: st.DrawFn, types: tuple[str, ...] = tuple(ELEMENTS)) -> tuple[np.ndarray, np.ndarray]:
    """Two images of one shape: of any two types, or the second the first with a few pixels changed."""
    shape = draw(shapes)
    one = draw(st.sampled_from(types))
    a = draw(hnp.arrays(one, shape, elements=ELEMENTS[one]))
    if draw(st.booleans()):
        other = draw(st.sampled_from(types))
        return a, draw(hnp.arrays(other, shape, elements=ELEMENTS[other]))
    b = a.copy()
    for _ in range(draw(st.integers(0, 3))):
        b[draw(st.integers(0, shape[0] - 1)), draw(st.integers(0, shape[1] - 1))] = draw(ELEMENTS[one])
    return a, b


def order(value: np.float32) -> int:
    """How many float32 numbers lie between 0 and a value, with its sign."""
    bits = int(value.view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def same(x: Any, y: Any) -> bool:
    """Whether two pixels count as equal: their bits in one floating type, else their values, NaN being one value."""
    if x.dtype == y.dtype and x.dtype.kind == "f":
        return x.tobytes() == y.tobytes()
    return bool(x == y) or (x != x and y != y)


def plain(a: np.ndarray, b: np.ndarray) -> dict[str, Any]:
    """What statistics() is to find, pixel after pixel, without regard to time."""
    pairs = list(zip(a.ravel(), b.ravel(), strict=True))
    finite = [i for i, (x, y) in enumerate(pairs) if np.isfinite(x) and np.isfinite(y)]
    differing = [i for i, (x, y) in enumerate(pairs) if not same(x, y)]
    lost = set(differing) - set(finite)
    x, y = np.array([pairs[i] for i in finite], dtype=float).reshape(-1, 2).T
    both = (x > 0) & (y > 0)
    size = np.maximum(np.abs(x), np.abs(y))
    with np.errstate(over="ignore"):  # in float32, and of ratios to very small numbers
        steps = [abs(order(np.float32(p)) - order(np.float32(q))) for p, q in pairs]
        ratios = y[both] / x[both]
    return {
        "identical": not differing,
        "pixels": a.size,
        "differing_pixels": len(differing),
        "not_finite_pixels": a.size - len(finite),
        "not_finite_differing_pixels": sum(not (np.isnan(pairs[i][0]) and np.isnan(pairs[i][1])) for i in lost),
        "sum_a": math.fsum(x),
        "sum_b": math.fsum(y),
        "ratio_of_maxima": ratio(float(y.max()), float(x.max())) if x.size else None,
        "pixel_ratio_mean": float(ratios.mean()) if both.any() else None,
        "pixel_ratio_max": float(ratios.max()) if both.any() else None,
        "rms_difference": math.sqrt(np.mean((y - x) ** 2)) if x.size else None,
        "max_absolute_difference": float(np.abs(y - x).max(initial=0.0)),
        "max_relative_difference": max((abs(q - p) / s for p, q, s in zip(x, y, size, strict=True) if s), default=0.0),
        "max_ulp_difference": max((s for i, s in enumerate(steps) if i in differing), default=0),
    }


def rounding_of_sum(image: np.ndarray) -> float:
    """n u sum |x| (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 4.2)."""
    sizes = np.abs(np.nan_to_num(image.astype(float), posinf=0, neginf=0))
    return max(image.size * 2.0**-53 * float(sizes.sum()), 1e-300)


@pytest.mark.parametrize("block", [1, 7, 1 << 14])
def test_everything_agrees_with_plain_formulas(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK_PIXELS", block)

    @settings(deadline=None, max_examples=150)
    @given(two_images())
    def check(images: tuple[np.ndarray, np.ndarray]) -> None:
        a, b = images
        facts, expected = statistics(a, b).as_dict(), plain(a, b)
        # What a sum in double precision may be off by, in whatever order it is done.
        rounding = {"sum_a": rounding_of_sum(a), "sum_b": rounding_of_sum(b)}
        for name, value in expected.items():
            found = facts[name]
            if name.startswith("max_"):
                place = found["pixel_slow_fast"]
                assert (place is None) == (value == 0)
                found = found["value"]
            if value is None or isinstance(value, bool | int):
                assert found == value, name
            else:
                assert found == pytest.approx(value, rel=1e-9, abs=rounding.get(name, 1e-300)), name
        assert facts["sum_ratio"] == ratio(facts["sum_b"], facts["sum_a"])

    check()


@settings(deadline=None)
@given(two_images())
def test_the_named_pixel_has_the_named_difference(images: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = images
    facts = statistics(a, b).as_dict()
    if pixel := facts["max_absolute_difference"]["pixel_slow_fast"]:
        x, y = float(a[*pixel]), float(b[*pixel])
        assert facts["max_absolute_difference"]["value"] == abs(y - x) > 0
    if pixel := facts["max_relative_difference"]["pixel_slow_fast"]:
        x, y = float(a[*pixel]), float(b[*pixel])
        assert facts["max_relative_difference"]["value"] == abs(y - x) / max(abs(x), abs(y))
    if pixel := facts["max_ulp_difference"]["pixel_slow_fast"]:
        with np.errstate(over="ignore"):
            x, y = (order(np.float32(image[*pixel])) for image in (a, b))
        assert facts["max_ulp_difference"]["value"] == abs(y - x) > 0


@settings(deadline=None)
@given(two_images(("float32", "float64")))
def test_an_image_is_identical_to_itself(images: tuple[np.ndarray, np.ndarray]) -> None:
    facts = statistics(images[0], images[0].copy()).as_dict()
    assert facts["identical"] and facts["correlation"] == 1.0
    assert facts["differing_pixels"] == facts["not_finite_differing_pixels"] == 0
    for name in ("max_absolute_difference", "max_relative_difference", "max_ulp_difference"):
        assert facts[name] == {"value": 0.0, "pixel_slow_fast": None}


@settings(deadline=None)
@given(two_images())
def test_what_has_no_direction_is_the_same_both_ways(images: tuple[np.ndarray, np.ndarray]) -> None:
    a, b = images
    there, back = statistics(a, b).as_dict(), statistics(b, a).as_dict()
    for name in ("identical", "differing_pixels", "not_finite_pixels", "not_finite_differing_pixels", "rms_difference",
                 "max_absolute_difference", "max_relative_difference", "max_ulp_difference"):  # fmt: skip
        assert there[name] == back[name]
    assert (there["sum_a"], there["sum_b"]) == (back["sum_b"], back["sum_a"])


@pytest.mark.parametrize("size", [2, 1000, 210_000])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_the_correlation_is_pearsons_whatever_the_blocks(size: int, offset: float) -> None:
    generator = np.random.default_rng(5)
    a = (offset + generator.gamma(1.0, 100.0, (size // 2, 2))).astype(np.float32)
    b = (a + generator.normal(0.0, 50.0, a.shape)).astype(np.float32)
    x, y = a.astype(float).ravel(), b.astype(float).ravel()
    assert statistics(a, b).as_dict()["correlation"] == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-9)
    assert statistics(a, -b).as_dict()["correlation"] == pytest.approx(-np.corrcoef(x, y)[0, 1], rel=1e-9)


def test_moments_are_those_of_all_blocks_together() -> None:
    generator = np.random.default_rng(6)
    x, y = generator.normal(3.0, 1.0, (2, 50))
    moments = Moments()
    for part in (slice(0, 1), slice(1, 20), slice(20, 20), slice(20, 50)):
        moments.add(x[part], y[part])
    assert moments.n == 50
    assert moments.sums == pytest.approx([x.sum(), y.sum()])
    assert moments.products / 49 == pytest.approx(np.cov(x, y))


def test_a_constant_image_has_no_correlation() -> None:
    a = np.arange(6.0).reshape(2, 3)
    assert statistics(a, np.full((2, 3), 7.0)).as_dict()["correlation"] is None
    assert statistics(np.full((2, 3), 7.0), a).as_dict()["correlation"] is None
    assert statistics(a, 3.0 * a + 1.0).as_dict()["correlation"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("b", "a", "expected"),
    [(3.0, 2.0, 1.5), (-3.0, 2.0, -1.5), (0.0, 2.0, 0.0), (0.0, 0.0, 1.0), (0.0, -0.0, 1.0), (1.0, 0.0, None),
     (math.inf, 1.0, None), (1.0, math.inf, None), (-math.inf, -math.inf, None), (math.nan, 1.0, None)],
)  # fmt: skip
def test_ratios(b: float, a: float, expected: float | None) -> None:
    assert ratio(b, a) == expected


def test_the_first_of_equal_extremes_is_named() -> None:
    extreme = Extreme()
    extreme.take(np.array([0.0, 0.0]), np.array([3, 7]), 0, 5)
    assert (extreme.value, extreme.pixel) == (0.0, None)
    extreme.take(np.array([1.0, 2.0, 2.0]), np.array([3, 7, 9]), 10, 5)
    assert (extreme.value, extreme.pixel) == (2.0, (11, 2))
    extreme.take(np.array([2.0]), np.array([0]), 20, 5)
    assert extreme.pixel == (11, 2)
    extreme.take(np.array([2.5]), np.array([0]), 20, 5)
    assert (extreme.value, extreme.pixel) == (2.5, (20, 0))


@settings(deadline=None)
@given(st.integers(1, 4000), st.integers(0, 59), st.integers(0, 59))
def test_ulps_are_counted_where_they_are(ulps: int, slow: int, fast: int) -> None:
    a = np.random.default_rng(7).gamma(1.0, 100.0, (60, 60)).astype(np.float32)
    b = a.copy()
    b.view(np.int32)[slow, fast] += ulps
    facts = statistics(a, b).as_dict()
    assert facts["max_ulp_difference"] == {"value": ulps, "pixel_slow_fast": [slow, fast]}
    assert facts["differing_pixels"] == 1


def test_ulps_across_zero() -> None:
    tiny = np.float32(1e-45)
    a, b = np.array([[tiny, 0.0]], np.float32), np.array([[-tiny, -0.0]], np.float32)
    facts = statistics(a, b).as_dict()
    assert facts["max_ulp_difference"]["value"] == 2
    assert facts["differing_pixels"] == 2
    largest = np.array([[np.finfo(np.float32).max]], np.float32)
    assert statistics(largest, -largest).as_dict()["max_ulp_difference"]["value"] == 2 * 0x7F7FFFFF


def test_nan_equals_nan_of_another_type() -> None:
    a, b = np.array([[np.nan, 1.0]], np.float32), np.array([[np.nan, 1.0]], np.float64)
    assert statistics(a, b).identical and statistics(b, a).identical
    assert not statistics(a, np.array([[0, 1]])).identical
    assert not statistics(a, np.array([[5.0, np.nan]], np.float64)).identical


def test_infinities_that_both_images_have_are_not_lost() -> None:
    """Also where many other pixels differ."""
    a = np.array([[np.inf, -np.inf, np.nan, 1.0, 2.0, 3.0]], np.float32)
    b = a + np.float32(1.0)
    facts = statistics(a, b).as_dict()
    assert (facts["differing_pixels"], facts["not_finite_pixels"], facts["not_finite_differing_pixels"]) == (3, 3, 0)
    b[0, 0] = 5.0
    b[0, 2] = 5.0
    assert statistics(a, b).as_dict()["not_finite_differing_pixels"] == 2


def test_images_of_other_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes \(2, 3\) and \(3, 2\)"):
        statistics(np.zeros((2, 3)), np.zeros((3, 2)))
