"""What nb-compare says of two images, number by number, and each threshold exactly at its limit."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nanobragg_py.base.errors import InputError
from nanobragg_py.formats.any_image import read_image
from nanobragg_py.tools.compare.checks import Settings, Thresholds, checks_text, compare_images, same_bytes, text

A = [[1.0, 2.0, 0.0], [3.0, 4.0, 0.0]]
B = [[1.0, 2.0, 0.0], [3.0, 5.0, 0.0]]
ULP = 0x40A00000 - 0x40800000  # from 4 to 5
CORRELATION = float(np.corrcoef(np.ravel(A), np.ravel(B))[0, 1])


def compared(folder: Path, a: Any = A, b: Any = B, **settings: Any) -> dict[str, Any]:
    """The comparison of two small images."""
    images = []
    for name, pixels in (("a.npy", a), ("b.npy", b)):
        np.save(folder / name, np.array(pixels, np.float32))
        images.append(read_image(str(folder / name)))
    thresholds = Thresholds(**{name: settings.pop(name) for name in [*settings] if hasattr(Thresholds, name)})
    return compare_images(*images, Settings(thresholds=thresholds, **settings))


def test_everything_that_is_said(tmp_path: Path) -> None:
    said = text(compared(tmp_path, reach=5.0)).replace(f"{tmp_path}/", "").splitlines()
    assert said == [
        "A                      a.npy (NPY, float32, 2 x 3)",
        "B                      b.npy (NPY, float32, 2 x 3)",
        "region                 fast 0 to 2, slow 0 to 1",
        "identical              no",
        "files byte for byte    different",
        "differing pixels       1 of 6 (16.67 %)",
        f"correlation            {CORRELATION:.9g}",
        "sum ratio B/A          1.1 (sums 10, 11)",
        "pixel ratio B/A, mean  1.0625",
        "pixel ratio B/A, max   1.25",
        "ratio of maxima B/A    1.25",
        "RMS difference         0.40824829",
        "largest absolute       1 at slow 1, fast 1",
        "largest relative       0.2 at slow 1, fast 1",
        f"largest ulp            {ULP} ulp at slow 1, fast 1",
        "brightest peaks        1 matched, displaced by 0 pixels on average, 0 at most (mean step slow +0, fast +0); "
        "without partner: 0 of A, 0 of B",
    ]


def test_what_is_not_finite_or_has_no_peak_is_said(tmp_path: Path) -> None:
    said = text(compared(tmp_path, [[np.nan, np.inf, 1.0]], [[np.nan, 1.0, 1.0]])).splitlines()
    assert "not finite             2 pixels, in the counts and ulp only; 1 of them differ" in said
    assert "correlation            not defined" in said
    said = text(compared(tmp_path, [[1.0, 1.0]], [[1.0, 1.0]])).splitlines()
    assert said[-1] == "brightest peaks        none matched (without partner: 0 of A, 0 of B)"
    assert "files byte for byte    equal" in said and "identical              yes" in said


def test_positions_are_those_of_the_whole_image(tmp_path: Path) -> None:
    a = np.zeros((20, 30))
    a[12, 21] = 9.0
    b = np.zeros((20, 30))
    b[13, 23] = 8.0
    result = compared(tmp_path, a, b, roi=(20, 29, 10, 19))
    assert result["roi_fast_slow"] == [20, 29, 10, 19] and result["pixels"] == 100
    assert result["max_absolute_difference"]["pixel_slow_fast"] == [12, 21]
    assert result["peaks"]["pairs"] == [{"a": [12, 21], "b": [13, 23]}]
    assert compared(tmp_path, a, b, roi=(0, 20, 0, 19))["identical"]


@pytest.mark.parametrize("roi", [(-1, 2, 0, 1), (0, 3, 0, 1), (0, 2, -1, 1), (0, 2, 0, 2), (2, 1, 0, 1), (0, 2, 1, 0)])
def test_a_region_must_lie_inside(tmp_path: Path, roi: tuple[int, int, int, int]) -> None:
    with pytest.raises(InputError, match="not inside an image of 2 x 3 pixels"):
        compared(tmp_path, roi=roi)


@pytest.mark.parametrize("roi", [(0, 2, 0, 1), (2, 2, 1, 1), (0, 0, 0, 0)])
def test_limits_of_a_region_are_included(tmp_path: Path, roi: tuple[int, int, int, int]) -> None:
    assert compared(tmp_path, roi=roi)["pixels"] == (roi[1] - roi[0] + 1) * (roi[3] - roi[2] + 1)


@pytest.mark.parametrize(
    ("threshold", "passing", "failing"),
    [
        ("max_ulp", ULP, ULP - 1),
        ("max_abs", 1.0, math.nextafter(1.0, 0.0)),
        ("max_rel", 0.2, math.nextafter(0.2, 0.0)),
        ("max_rms", 0.4082483, 0.4082482),
        ("max_differing", 1, 0),
        ("min_corr", CORRELATION - 1e-12, CORRELATION + 1e-12),
        ("sum_ratio", (1.1, 9.0), (1.2, 9.0)),
        ("sum_ratio", (0.0, 1.1), (0.0, 1.0)),
        ("max_shift", 0.0, None),
    ],
)
def test_each_threshold_holds_up_to_its_limit(tmp_path: Path, threshold: str, passing: Any, failing: Any) -> None:
    result = compared(tmp_path, peaks=1, **{threshold: passing})
    assert result["passed"] is True and [check["name"] for check in result["checks"]] == [threshold]
    if failing is not None:
        result = compared(tmp_path, peaks=1, **{threshold: failing})
        assert result["passed"] is False and len(result["checks"]) == 1


def test_all_thresholds_must_pass_and_identity_is_one_of_them(tmp_path: Path) -> None:
    assert compared(tmp_path, max_abs=1.0, max_differing=1)["passed"]
    assert not compared(tmp_path, max_abs=1.0, max_differing=0)["passed"]
    assert not compared(tmp_path, max_abs=1.0, identical=True)["passed"]
    assert compared(tmp_path, A, A)["passed"] and not compared(tmp_path)["passed"]
    result = compared(tmp_path, A, A, identical=True, max_abs=0.0)
    assert result["checks"] == [
        {"name": "identical", "limit": True, "value": True, "passed": True},
        {"name": "max_abs", "limit": 0.0, "value": 0.0, "passed": True},
    ]


def test_a_peak_without_partner_fails_the_displacement(tmp_path: Path) -> None:
    one, two = np.zeros((9, 20)), np.zeros((9, 20))
    one[4, 4] = two[4, 4] = 9.0
    two[4, 15] = 8.0
    assert compared(tmp_path, one, one, max_shift=0.0)["passed"]
    for a, b in ((one, two), (two, one)):
        assert not compared(tmp_path, a, b, max_shift=9.0)["passed"]
        assert compared(tmp_path, a, b, max_shift=9.0, peaks=1)["passed"]
    shifted = np.zeros((9, 20))
    shifted[4, 7] = 9.0
    assert compared(tmp_path, one, shifted, max_shift=3.0)["passed"]
    assert not compared(tmp_path, one, shifted, max_shift=2.9)["passed"]
    assert not compared(tmp_path, one, shifted, max_shift=3.0, reach=2.9)["passed"]


def test_as_many_peaks_without_partner_in_b_as_in_a_fail_all_the_same(tmp_path: Path) -> None:
    a, b = np.zeros((9, 40)), np.zeros((9, 40))
    a[4, 4] = b[4, 4] = 9.0
    a[4, 15] = b[4, 30] = 8.0
    result = compared(tmp_path, a, b, max_shift=9.0, reach=9.0)
    assert (result["peaks"]["matched"], result["peaks"]["unmatched_a"], result["peaks"]["unmatched_b"]) == (1, 1, 1)
    assert not result["passed"]


def test_files_of_one_size_and_time_are_compared_byte_by_byte(tmp_path: Path) -> None:
    compared(tmp_path)
    for name in ("a.npy", "b.npy"):
        os.utime(tmp_path / name, (1.0, 1.0))
    assert same_bytes(str(tmp_path / "a.npy"), str(tmp_path / "b.npy")) is False
    assert same_bytes(str(tmp_path / "a.npy"), str(tmp_path / "a.npy")) is True
    assert same_bytes(str(tmp_path / "a.npy"), f"{tmp_path}/b.npy::frame") is None


def test_a_value_that_is_not_defined_passes_nothing(tmp_path: Path) -> None:
    flat, sloping = [[1.0, 1.0]], [[1.0, 2.0]]
    assert not compared(tmp_path, flat, sloping, min_corr=-1.0)["passed"]
    assert not compared(tmp_path, [[0.0, 0.0]], sloping, sum_ratio=(-9.0, 1e9))["passed"]
    assert not compared(tmp_path, flat, flat, max_shift=9.0)["passed"]
    nothing = [[np.nan, np.nan]]
    assert not compared(tmp_path, nothing, nothing, max_rms=9.0)["passed"]


def test_a_pixel_that_is_lost_in_one_image_passes_only_what_counts_it(tmp_path: Path) -> None:
    b = [[1.0, 2.0, np.nan], [3.0, 4.0, 0.0]]
    wide = {"min_corr": -1.0, "sum_ratio": (0.0, 9.0), "max_abs": 9.0, "max_rel": 9.0, "max_rms": 9.0}
    for name, limit in wide.items():
        assert not compared(tmp_path, A, b, **{name: limit})["passed"], name
        assert compared(tmp_path, b, b, **{name: limit})["passed"], name
    assert compared(tmp_path, A, b, max_differing=1)["passed"]
    assert compared(tmp_path, A, b, max_ulp=2**32)["passed"]


def test_checks_in_words(tmp_path: Path) -> None:
    result = compared(tmp_path, identical=True, max_abs=1.0, sum_ratio=(0.5, 1.0), min_corr=0.25)
    assert checks_text(result["checks"]).splitlines() == [
        "FAILED: identical",
        f"passed: min_corr 0.25 (found {CORRELATION:.9g})",
        "FAILED: sum_ratio 0.5 to 1 (found 1.1)",
        "passed: max_abs 1 (found 1)",
    ]
    assert checks_text(compared(tmp_path, A, A)["checks"]) == "passed: identical"
    assert checks_text(compared(tmp_path, [[1.0]], [[2.0]], min_corr=0.5)["checks"]).endswith("(found not defined)")
