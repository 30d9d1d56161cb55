"""Geometry from what --save writes: -img gives the detector, beam and spindle that the image was rendered with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nanobragg_py import simulate
from nanobragg_py.formats.save import save_image
from nanobragg_py.result import Result

CRYSTAL = dict(cell=(40, 50, 60, 80, 95, 105), default_F=10, N=3, oversample=1)
CAMERA = dict(detpixels=(24, 20), pixel_mm=0.75, distance_mm=61.5, wavelength_A=1.234, phi_deg=-12.5, osc_deg=0.75)
CONVENTIONS: dict[str, dict[str, Any]] = {
    "mosflm": dict(convention="mosflm", Xbeam_mm=5.5, Ybeam_mm=7.25),
    "denzo": dict(convention="denzo", Xbeam_mm=5.5, Ybeam_mm=7.25),
    "adxv": dict(convention="adxv", Xbeam_mm=5.5, Ybeam_mm=7.25),
    "xds": dict(convention="xds", ORGX=9.5, ORGY=11.25),
    "dials": dict(convention="dials", ORGX=9.5, ORGY=11.25),
    "custom": dict(
        fdet_vector=(0, 1, 0), sdet_vector=(0, 0, 1), odet_vector=(1, 0, 0), beam_vector=(1, 0, 0),
        polar_vector=(0, 0, 1), spindle_axis=(0, 0, 1), Xbeam_mm=5.5, Ybeam_mm=7.25,
    ),
}  # fmt: skip
TURNS: dict[str, dict[str, float]] = {
    "upright": {},
    "two-theta": dict(twotheta_deg=12.0),
    "turned": dict(detector_rotx_deg=3.0, detector_roty_deg=-7.0, detector_rotz_deg=11.0),
    "both": dict(twotheta_deg=-9.0, detector_rotx_deg=2.0, detector_roty_deg=4.0),
}
# Digits that a format's header has.
DIGITS = {"nxs": 1e-9, "edf": 1e-9, "tif": 1e-9, "cbf": 1e-5}


def saved(path: Path, **said: Any) -> Result:
    result = simulate(**CAMERA, **CRYSTAL, **said)
    save_image(str(path), result.image, result.experiment)
    return result


@pytest.mark.parametrize("turn", TURNS)
@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("ending", ["nxs", "edf"])
def test_the_same_detector(ending: str, convention: str, turn: str, tmp_path: Path) -> None:
    """With the same convention and the same turns, every pixel is where it was."""
    axes = {name: value for name, value in CONVENTIONS[convention].items() if name[:3] not in ("Xbe", "Ybe", "ORG")}
    # An option for the swing chooses the pivot of custom axes, as it did when the image was made.
    first = saved(tmp_path / f"a.{ending}", **CONVENTIONS[convention], **TURNS[turn]).experiment
    again = simulate(img=tmp_path / f"a.{ending}", **axes, **TURNS[turn], **CRYSTAL).experiment
    close = lambda value: pytest.approx(value, rel=DIGITS[ending], abs=1e-12)  # noqa: E731
    assert (again.detector.fpixels, again.detector.spixels) == (24, 20)
    for name in ("pixel_size_m", "distance_m", "close_distance_m", "Fbeam_m", "Sbeam_m", "pix0_m"):
        assert getattr(again.detector, name) == close(getattr(first.detector, name)), name
    assert again.beam.wavelength_m == close(first.beam.wavelength_m)
    assert (again.spindle.start_rad, again.spindle.range_rad) == close(
        (first.spindle.start_rad, first.spindle.range_rad)
    )


@pytest.mark.parametrize("ending", DIGITS)
def test_every_format_that_has_a_header(ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is missing."""
    first = saved(tmp_path / f"a.{ending}", **CONVENTIONS["xds"]).experiment
    capsys.readouterr()
    again = simulate(img=tmp_path / f"a.{ending}", convention="xds", **CRYSTAL)
    assert again.experiment.detector.pix0_m == pytest.approx(first.detector.pix0_m, rel=DIGITS[ending])
    assert again.experiment.spindle.start_rad == pytest.approx(first.spindle.start_rad, rel=DIGITS[ending])
    assert (
        np.corrcoef(again.image.ravel(), simulate(**CAMERA, **CONVENTIONS["xds"], **CRYSTAL).image.ravel())[0, 1]
        > 0.999
    )
    err = capsys.readouterr().err
    assert "warning" not in err and err.count("\n") == 1 and "distance 61.5 mm" in err


@pytest.mark.parametrize("ending", DIGITS)
def test_a_tilt_that_no_option_gives_is_warned_of(
    ending: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved(tmp_path / f"a.{ending}", convention="xds", twotheta_deg=12)
    capsys.readouterr()
    simulate(img=tmp_path / f"a.{ending}", convention="xds", **CRYSTAL)
    assert "the detector is tilted by 12°" in capsys.readouterr().err
    simulate(img=tmp_path / f"a.{ending}", convention="xds", twotheta_deg=12, **CRYSTAL)
    assert "tilted" not in capsys.readouterr().err


def test_a_distance_wins_over_the_header(tmp_path: Path) -> None:
    """Also where the header gives the distance of the nearest point."""
    saved(tmp_path / "a.nxs", **CONVENTIONS["xds"])
    assert (
        simulate(img=tmp_path / "a.nxs", convention="xds", distance_mm=200, **CRYSTAL).experiment.detector.distance_m
        == 0.2
    )


def test_pixels_that_were_left_out_are_skipped(tmp_path: Path) -> None:
    """The pixel_mask that --save writes, read as a mask; of a whole image the pixels are taken."""
    keep = np.arange(480).reshape(20, 24) % 5 > 0
    first = saved(tmp_path / "a.nxs", mask=keep, convention="xds")
    again = simulate(mask=tmp_path / "a.nxs", convention="xds", **CRYSTAL)
    assert np.array_equal(again.experiment.mask != 0, keep)
    assert again.experiment.detector.pix0_m == pytest.approx(first.experiment.detector.pix0_m)
