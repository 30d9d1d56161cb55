"""How much known defects are said to change an image, against how much their correction does change it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanobragg_py.api import simulate
from nanobragg_py.options.config import scan
from nanobragg_py.options.fixes import NAMES, Corrections
from nanobragg_py.resolve.defects import Defect, defects_of, remark, warning

# A crystal of one cell without interpolation scatters into every pixel.
BASE = "-cell 50 60 70 -default_F 100 -N 1 -nointerpolate -detpixels 24 -pixel 4 -dump".split()


def largest_change(words: list[str], name: str) -> tuple[float, dict[str, float]]:
    """The largest relative change of any pixel that a correction makes; and what was said of each defect."""
    plain = simulate(scan([*BASE, "", *words])[0])
    fixed = simulate(scan([*BASE, "", *words, "--fix", name])[0])
    a, b = (result.image.astype(np.float64) for result in (plain, fixed))
    lit = (a > 0.0) | (b > 0.0)
    with np.errstate(divide="ignore"):
        changes = np.maximum(a[lit] / b[lit], b[lit] / a[lit]) - 1.0
    said = {defect.name: defect.change for defect in defects_of(plain.experiment, Corrections())}
    return float(changes.max(initial=0.0)), said


def geometries(closest_mm: float = 30.0) -> st.SearchStrategy[list[str]]:
    """Detectors 96 mm wide."""
    conventions = ["-mosflm", "-xds -twotheta 20", "-dials", "-mosflm -detector_roty 25", "-mosflm -curved_det"]
    return st.tuples(
        st.sampled_from(conventions),
        st.floats(closest_mm, 300.0),
        st.sampled_from(["", "-point_pixel"]),
        st.floats(-1.0, 1.0),
    ).map(lambda g: f"{g[0]} -distance {g[1]} {g[2]} -polar {g[3]}".split())


@settings(max_examples=20, deadline=None)
@given(geometries(), st.integers(2, 4))
def test_subpixel(geometry: list[str], oversample: int) -> None:
    """No pixel changes by more than is said, and what is said is not many times as much."""
    change, said = largest_change([*geometry, "-oversample", str(oversample)], "subpixel")
    assert change <= 1.001 * said["subpixel"] + 1e-6
    assert said["subpixel"] < 6.0 * change + 1e-3


@settings(max_examples=8, deadline=None)
@given(geometries(), st.floats(0.0, 20.0))
def test_subpixel_of_sources(geometry: list[str], divergence_mrad: float) -> None:
    words = [*geometry, "-oversample", "1", "-hdivrange", str(divergence_mrad), "-hdivsteps", "3", "-dispersion", "2"]
    change, said = largest_change([*words, "-dispsteps", "3"], "subpixel")
    assert change <= 1.001 * said.get("subpixel", 0.0) + 1e-6


@settings(max_examples=12, deadline=None)
@given(geometries(80.0), st.floats(1.0, 1000.0), st.floats(50.0, 1000.0), st.integers(1, 6))
def test_layers(geometry: list[str], thickness_um: float, depth_um: float, layers: int) -> None:
    """What is absorbed is known, up to where within a pixel its first sub-pixel is."""
    words = [*geometry, "-oversample", "1", "-detector_thick", str(thickness_um), "-detector_abs", str(depth_um)]
    change, said = largest_change([*words, "-thicksteps", str(layers)], "layers")
    assert change <= 1.001 * said["layers"] + 1e-6
    assert math.log1p(said["layers"]) <= 1.1 * math.log1p(change) + 2e-3


@settings(max_examples=12, deadline=None)
@given(st.floats(24.0, 30.0), st.integers(1, 4), st.integers(1, 3))
def test_water(log_fluence: float, oversample: int, steps: int) -> None:
    """Of an image of nothing but water."""
    words = ["-default_F", "1e-9", "-water", "50", "-fluence", f"1e{log_fluence}", "-nopolar", "-point_pixel"]
    words += ["-distance", "1000", "-pixel", "0.1", "-oversample", str(oversample), "-phi", "5", "-osc", "1"]
    change, said = largest_change([*words, "-phisteps", str(steps)], "water")
    assert change == pytest.approx(said["water"], rel=1e-4)


def test_water_where_nothing_else_is() -> None:
    """Right in scale, and missing beyond -dmin."""
    right = ["-water", "50", "-oversample", "1", "-fluence", "125932015286227086360700780544"]
    assert "water" not in largest_change(right, "water")[1]
    assert largest_change([*right, "-dmin", "4"], "water") == (math.inf, {"water": math.inf})
    assert "water" not in largest_change([*right, "-dmin", "0.6"], "water")[1]


def test_pixel_corner_that_is_where_it_is_anyway() -> None:
    """-pix0_vector is not used; where it says what is so anyway, that does not matter."""
    words = ["-fdet_vector", "0", "0", "1", "-oversample", "1"]
    corner = simulate(scan([*BASE, "", *words])[0]).experiment.detector.pix0_m
    there = [*words, "-pix0_vector", *(repr(v) for v in corner)]
    assert largest_change(there, "pix0")[1] == {}
    assert largest_change([*words, "-pix0_vector", "0.1", "0", "0"], "pix0")[1] == {"pix0": math.inf}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("", set()),
        ("-oversample 3", set()),
        ("-phi 0 -osc 1", {"upstream"}),
        ("-phi 1 -osc 1", set()),
        ("-oversample 2 -oversample_omega", {"upstream"}),
        ("-cell 50 60 70 80 90 100", {"cell"}),
        ("-cell 50 60 70 90 100 90", set()),
        ("-cell 50 50 70 90 90 120", set()),
        ("-misset random -misset_seed 1", {"misset"}),
        ("-gauss_xtal", {"spot-width"}),
        ("-round_xtal", set()),
        ("-water 1", {"water"}),
        ("-detector_thick 450 -detector_abs 235", {"layers"}),
        ("-detector_thick 1 -detector_abs 235 -detector_thicksteps 1", {"layers"}),
    ],
)
def test_which_are_warned_of(words: str, names: set[str]) -> None:
    """On an ordinary detector; the sub-pixel's is too small there."""
    line = f"-distance 100 -pixel 0.1 -oversample 1 -fluence 1e24 {words}".split()
    experiment = simulate(scan([*BASE, "", *line])[0]).experiment
    text = warning(defects_of(experiment, Corrections()))
    assert {name for name in NAMES if f"--fix {name} " in text or f"{name}," in text or f",{name} " in text} == names
    assert warning(defects_of(experiment, Corrections().and_named("all"))) == ""


def test_words() -> None:
    found = (Defect("cell", math.inf), Defect("water", 15_999.0), Defect("layers", 0.066), Defect("subpixel", 0.0034))
    assert warning(found) == (
        "known defects of the C program change this image: cell, water (a factor of 1.6e+04), layers (6.6 %); --fix "
        "cell,water,layers corrects them, --fix none accepts the image as it is, --fix list explains"
    )
    assert remark(found) == (
        "known defects of the C program that change no pixel by 1 %: subpixel (0.34 %); --fix corrects them"
    )
    assert warning(found[3:]) == remark(found[:3]) == ""
    assert warning((Defect("water", math.nan),)) != ""
