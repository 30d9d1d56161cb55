"""The picture of nb-compare: colours where they belong, scales and their marks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image, ImageDraw

from nanobragg_py.tools.compare import picture
from nanobragg_py.tools.compare.command import draw
from nanobragg_py.tools.compare.picture import (
    DIFFERENCE,
    INTENSITY,
    colours,
    difference_ticks,
    intensity_range,
    intensity_ticks,
    log_level,
    reduce,
    save_picture,
    symmetric_level,
)

floats = st.floats(-1e6, 1e6, width=32) | st.sampled_from([float("nan"), float("inf"), -float("inf")])
two_images = hnp.array_shapes(min_dims=2, max_dims=2, max_side=9).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.float32, shape, elements=floats)] * 2)
)


def test_the_difference_is_drawn_where_it_is(tmp_path: Path) -> None:
    a = np.ones((52, 52), np.float32)
    b = a.copy()
    b[10, 40] = 0.0
    save_picture(str(tmp_path / "p.png"), a, b, ("a", "b"), (0, 0))
    image = np.asarray(Image.open(tmp_path / "p.png"))
    slow, fast = np.nonzero((image[70:600] == DIFFERENCE[0]).all(axis=-1))
    panel = fast[slow < 500]
    # One pixel of the image is 10 of the picture; the third panel starts after two panels and their gaps.
    assert np.ptp(panel) == 9
    assert panel.min() == 64 + 2 * (520 + 64) + 40 * 10


def test_panels_show_a_b_and_the_difference(tmp_path: Path) -> None:
    a, b = np.full((52, 52), 1.0, np.float32), np.full((52, 52), 1.0, np.float32)
    a[20, 30], b[20, 30] = 100.0, 1000.0
    save_picture(str(tmp_path / "p.png"), a, b, ("a", "b"), (0, 0))
    image = np.asarray(Image.open(tmp_path / "p.png"))
    centre = 76 + 20 * 10 + 5
    at = [tuple(image[centre, 64 + panel * (520 + 64) + 30 * 10 + 5]) for panel in range(3)]
    # The scale goes from 1 to 1000: 100 is two thirds up.
    assert at[0] == tuple(colours(np.array([2 / 3]), INTENSITY)[0])
    assert (at[1], at[2]) == (INTENSITY[-1], DIFFERENCE[-1])
    assert tuple(image[76 + 5, 64 + 5]) == INTENSITY[0]
    assert tuple(image[76 + 5, 64 + 2 * (520 + 64) + 5]) == DIFFERENCE[3]


def test_titles_pixel_numbers_and_marks_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[int, int, str]] = []
    write = ImageDraw.ImageDraw.text

    def text(self: ImageDraw.ImageDraw, at: tuple[float, float], text: str, *how: Any, **named: Any) -> None:
        written.append((int(at[0]), int(at[1]), text))
        write(self, at, text, *how, **named)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    a = np.geomspace(1.0, 100.0, 52 * 26).reshape(52, 26).astype(np.float32)
    save_picture(str(tmp_path / "p.png"), a, 2 * a, ("first", "x" * 99), (7, 5))
    titles = [text for _, slow, text in written if slow == 76 - 50]
    assert titles[0] == "A: first" and titles[2] == "B - A"
    assert titles[1].startswith("B: x") and "..." in titles[1] and len(titles[1]) < 60
    for name in ("fast 5", "30", "slow\n7", "58"):
        assert sum(text == name for *_, text in written) == 3, name
    texts = [text for *_, text in written]
    assert "intensity, log scale" in texts and "B - A, log scale on both sides of 0" in texts
    for mark in ("10", "100", "200", "-100", "-1", "0", "+1", "+100"):
        assert mark in texts
    image = np.asarray(Image.open(tmp_path / "p.png").convert("L"))
    # A grey line around each panel and each bar.
    for left, right in ((64, 64 + 260), (64 + 364, 64 + 364 + 260), (64 + 2 * 364, 64 + 2 * 364 + 260)):
        assert (image[76 : 76 + 520, [left - 1, right]] == 110).all()
    bars = 76 + 520 + 48
    assert (image[bars : bars + 14, 63] == 110).all() and (image[bars : bars + 14, 63 + 2 * 364] == 110).all()
    colour = np.asarray(Image.open(tmp_path / "p.png"))[bars + 7]
    intensity, difference = 64, 64 + 2 * 364
    for place, expected in (
        (intensity, INTENSITY[0]), (intensity + 663, INTENSITY[-1]), (difference, DIFFERENCE[0]),
        (difference + 299, DIFFERENCE[-1]),
    ):  # fmt: skip
        assert tuple(colour[place]) == expected
    assert np.ptp(colour[difference + 149].astype(int)) <= 2  # nearly white at 0
    marks = {text: fast for fast, slow, text in written if slow == bars + 14 + 6}
    assert {text: marks[text] - difference for text in ("-100", "0", "+100")} == {"-100": 0, "0": 150, "+100": 299}
    assert marks["200"] == intensity + 663 and intensity + 280 < marks["10"] < intensity + 300 < marks["100"]
    labels = [(fast, slow) for fast, slow, text in written if text in ("intensity, log scale", "fast 5")]
    assert labels == [(64, 76 - 22), (64 + 364, 76 - 22), (difference, 76 - 22), (intensity, bars - 22)]
    # Marks below the bar at its ends.
    assert (image[bars + 15 : bars + 18, 64] == 110).all()


@settings(deadline=None)
@given(two_images, st.integers(1, 4))
def test_no_spot_gets_lost_when_a_large_image_is_reduced(pair: tuple[np.ndarray, np.ndarray], cell: int) -> None:
    a, b = (np.nan_to_num(image.astype(float), posinf=0.0, neginf=0.0) for image in pair)
    small = reduce(*pair, cell)
    for slow, fast in np.ndindex(small[0].shape):
        part = np.s_[slow * cell : (slow + 1) * cell, fast * cell : (fast + 1) * cell]
        assert small[0][slow, fast] == a[part].max() and small[1][slow, fast] == b[part].max()
        difference = (b - a)[part]
        assert abs(small[2][slow, fast]) == np.abs(difference).max()
        assert small[2][slow, fast] in difference
    assert small[0].shape == tuple(-(-size // cell) for size in a.shape)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.0, -5.0], (0.1, 1.0)),  # nothing to show
        ([7.0, 7.0], (0.7, 7.0)),  # a constant image gets a decade
        ([1.0, 10.0, 100.0], (1.0, 100.0)),
        ([1e-9, 1e-9, 100.0], (1e-4, 100.0)),  # six decades at most
        ([1e-3, *[1.0] * 999, 100.0], (1.0, 100.0)),  # but for the last half percent
    ],
)
def test_a_scale_reaches_from_the_faintest_to_the_brightest(values: list[float], expected: tuple[float, float]) -> None:
    low, high = intensity_range(np.array([values]), np.array([[0.0]]))
    assert (low, high) == (pytest.approx(expected[0], rel=0.1), expected[1])
    assert intensity_range(np.array([[0.0]]), np.array([values])) == (low, high)


def test_levels() -> None:
    assert log_level(np.array([0.0, 1.0, 10.0, 100.0, 999.0]), 1.0, 100.0) == pytest.approx([0, 0, 0.5, 1, 1])
    levels = symmetric_level(np.array([-8.0, 0.0, 8.0, 0.08, -0.08]), 8.0)
    assert levels[:3] == pytest.approx([0.0, 0.5, 1.0])
    assert levels[3] + levels[4] == pytest.approx(1.0)
    assert 0.7 < levels[3] < 0.8  # a hundredth of the largest: half of four decades
    assert (symmetric_level(np.zeros((2, 3)), 0.0) == np.full((2, 3), 0.5)).all()


def test_colours_go_through_the_table() -> None:
    table = ((0, 0, 0), (100, 50, 0), (200, 255, 3))
    found = colours(np.array([[0.0, 0.25, 0.5, 1.0]]), table)
    assert found.dtype == np.uint8
    assert found.tolist() == [[[0, 0, 0], [50, 25, 0], [100, 50, 0], [200, 255, 3]]]


def test_marks_of_the_scales() -> None:
    marks = dict(intensity_ticks(0.5, 2000.0))
    assert marks[0.0] == "0.5" and marks[1.0] == "2e+03"
    assert list(marks.values())[2:] == ["1", "10", "100", "1000"]
    for at, text in marks.items():
        assert log_level(np.array([float(text)]), 0.5, 2000.0)[0] == pytest.approx(at, abs=1e-9)
    assert [text for _, text in intensity_ticks(1.0, 10.0)] == ["1", "10"]
    assert [(round(at, 3), text) for at, text in difference_ticks(50.0)] == [
        (0.0, "-50"), (0.249, "-0.5"), (0.5, "0"), (0.751, "+0.5"), (1.0, "+50"),
    ]  # fmt: skip
    assert difference_ticks(0.0) == [(0.5, "0: no difference")]


def test_the_region_is_drawn_with_the_numbers_of_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []
    monkeypatch.setattr(picture, "save_picture", lambda *arguments: drawn.append(arguments))
    a = np.arange(600.0).reshape(20, 30)
    draw("p.png", a, -a, ("one", "two"), [3, 8, 12, 19])
    ((path, x, y, titles, origin),) = drawn
    assert (path, titles, origin) == ("p.png", ("one", "two"), (12, 3))
    assert np.array_equal(x, a[12:20, 3:9]) and np.array_equal(y, -a[12:20, 3:9])
