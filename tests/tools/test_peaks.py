"""The brightest peaks of an image and their displacement: against a plain search, ties and edges included."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nanobragg_py.tools.compare import peaks as module
from nanobragg_py.tools.compare.peaks import brightest_peaks, peak_shifts

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=14)
few_levels = st.sampled_from([0.0, 1.0, 2.0, 3.0, float("nan"), float("inf"), -float("inf")])
images = shapes.flatmap(
    lambda shape: (
        hnp.arrays(np.float32, shape, elements=few_levels)
        | hnp.arrays(np.float64, shape, elements=st.floats(-9.0, 9.0))
        | hnp.arrays(np.uint16, shape, elements=st.integers(0, 4))
        | hnp.arrays(np.int32, shape, elements=st.integers(2**24, 2**24 + 3))
    )  # apart in float64 only
)


def plain_peaks(image: np.ndarray, radius: int = 3) -> list[tuple[int, int]]:
    """Every peak by its definition, brightest first, of equal ones the first in the image first."""
    found = []
    for slow, fast in np.ndindex(image.shape):
        value = float(image[slow, fast])
        around = [
            (float(image[i, j]), (i, j))
            for i in range(max(0, slow - radius), min(image.shape[0], slow + radius + 1))
            for j in range(max(0, fast - radius), min(image.shape[1], fast + radius + 1))
            if (i, j) != (slow, fast) and not math.isnan(image[i, j])
        ]
        highest = all(value > other or (value == other and (slow, fast) < place) for other, place in around)
        if highest and any(value > other for other, _ in around):
            found.append((-value, slow, fast))
    return [(slow, fast) for _, slow, fast in sorted(found)]


@pytest.mark.parametrize("rows", [1, 5, 32])
def test_peaks_are_found_by_their_definition(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_AT_A_TIME", rows)

    @settings(deadline=None, max_examples=100)
    @given(images, st.integers(0, 9))
    def check(image: np.ndarray, count: int) -> None:
        assert brightest_peaks(image, count) == plain_peaks(image)[:count]

    check()


def test_a_plateau_that_fills_the_window_is_no_peak() -> None:
    for axis in (0, 1):
        wide, narrow = (np.ones((size, size)) for size in (5, 4))
        for image in (wide, narrow):
            image.swapaxes(0, axis)[-1] = 0.0
        assert brightest_peaks(wide, 9) == plain_peaks(wide) == []
        assert brightest_peaks(narrow, 9) == plain_peaks(narrow) == [(0, 0)]


def test_an_image_without_peaks_is_done_soon() -> None:
    assert brightest_peaks(np.full((2000, 2000), 3.0, np.float32), 20) == []


def spots(shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Eight spots of different height, 18 pixels apart or more, displaced as a whole."""
    slow, fast = np.mgrid[:64, :64]
    image = np.ones((64, 64))
    for i, (s, f) in enumerate([(12, 15), (12, 40), (30, 12), (30, 33), (31, 52), (48, 14), (48, 30), (50, 50)]):
        image += (100 + 13 * i) * np.exp(-((slow - s - shift[0]) ** 2 + (fast - f - shift[1]) ** 2) / 3.0)
    return image.astype(np.float32)


@settings(deadline=None)
@given(st.integers(-6, 6), st.integers(-6, 6))
def test_a_shift_of_the_peaks_is_found(slow: int, fast: int) -> None:
    a, b = spots(), spots((slow, fast))
    there, back = peak_shifts(a, b, 8, 12.0), peak_shifts(b, a, 8, 12.0)
    assert there.shifts == [math.hypot(slow, fast)] * 8
    assert all((q[0] - p[0], q[1] - p[1]) == (slow, fast) for p, q in there.pairs)
    assert sorted((q, p) for p, q in back.pairs) == sorted(there.pairs)
    facts = there.as_dict()
    assert facts["mean_shift_slow_fast"] == [slow, fast]
    assert [facts["mean_shift_pixels"], facts["max_shift_pixels"]] == pytest.approx([math.hypot(slow, fast)] * 2)
    assert (facts["wanted"], facts["matched"], facts["unmatched_a"], facts["unmatched_b"]) == (8, 8, 0, 0)


def points(*peaks: tuple[int, int, float]) -> np.ndarray:
    """An image of 60 x 60 pixels with a few bright ones: slow, fast, value."""
    image = np.zeros((60, 60))
    for slow, fast, value in peaks:
        image[slow, fast] = value
    return image


def test_peaks_are_matched_one_to_one_nearest_first() -> None:
    shifts = peak_shifts(points((10, 10, 5), (10, 16, 4)), points((10, 13, 5)), 2, 10.0)
    assert (len(shifts.pairs), shifts.unmatched_a, shifts.unmatched_b) == (1, 1, 0)
    # The pair 4 pixels apart goes before the one 5 apart, though the latter has the brighter peak of A.
    shifts = peak_shifts(points((10, 10, 9), (10, 19, 4)), points((10, 15, 5)), 2, 10.0)
    assert shifts.pairs == [((10, 19), (10, 15))]
    # And what is left is matched within the reach only.
    b = points((10, 15, 5), (10, 30, 3))
    assert peak_shifts(points((10, 10, 9), (10, 19, 4)), b, 2, 20.0).pairs == [
        ((10, 10), (10, 30)), ((10, 19), (10, 15)),
    ]  # fmt: skip
    assert peak_shifts(points((10, 10, 9), (10, 19, 4)), b, 2, 19.9).unmatched_a == 1


def test_means_are_over_all_pairs_and_have_a_direction() -> None:
    facts = peak_shifts(points((10, 10, 9), (30, 30, 8)), points((10, 13, 9), (34, 30, 8)), 2, 5.0).as_dict()
    assert facts["pairs"] == [{"a": [10, 10], "b": [10, 13]}, {"a": [30, 30], "b": [34, 30]}]
    assert (facts["mean_shift_pixels"], facts["max_shift_pixels"]) == (3.5, 4.0)
    assert facts["mean_shift_slow_fast"] == [2.0, 1.5]


def test_reach_is_inclusive_and_nothing_matched_has_no_mean() -> None:
    a, b = points((10, 10, 5)), points((13, 14, 5))
    assert peak_shifts(a, b, 1, 5.0).shifts == [5.0]
    facts = peak_shifts(a, b, 1, 4.9).as_dict()
    assert facts["mean_shift_pixels"] is facts["max_shift_pixels"] is facts["mean_shift_slow_fast"] is None
    assert (facts["matched"], facts["unmatched_a"], facts["unmatched_b"]) == (0, 1, 1)


def test_partners_are_looked_for_among_twice_as_many() -> None:
    """Two peaks of nearly equal height at the end of the list may change places; a third may not appear."""
    a = points((10, 10, 9), (30, 30, 5.1), (50, 50, 5.0))
    b = points((10, 10, 9), (30, 30, 5.0), (50, 50, 5.1))
    shifts = peak_shifts(a, b, 2, 3.0)
    assert shifts.shifts == [0.0, 0.0, 0.0] and shifts.unmatched_a == shifts.unmatched_b == 0
    assert len(peak_shifts(a, b, 1, 3.0).pairs) == 1
    assert len(peak_shifts(a, a, 1, 3.0).pairs) == 1  # what is beyond the list on both sides is not reported
    assert peak_shifts(a, points((50, 50, 5.1)), 1, 3.0).unmatched_a == 1
