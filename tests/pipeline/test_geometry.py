"""The laboratory position of a pixel, as dxtbx reads it from our files, is ours, for every convention.

Needs the programs of DIALS (Debian: apt-get install --no-install-recommends dials); `make test-pipeline`.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from nanobragg_py import simulate
from nanobragg_py.options.config import scan

# Debian's DIALS belongs to Debian's Python.
SYSTEM_PYTHON = "/usr/bin/python3"
FAST, SLOW = 60, 44
BASE = (
    f"-default_F 10 -cell 40 50 60 -N 3 -detpixels_x {FAST} -detpixels_y {SLOW} -pixel 0.5 "
    "-oversample 1 -phi 3 -osc 0.5"
)
CONVENTIONS = {
    "mosflm": "-mosflm -distance 100 -Xbeam 12 -Ybeam 9",
    "xds": "-xds -distance 100 -ORGX 31 -ORGY 20",
    "adxv": "-adxv -distance 100 -Xbeam 12 -Ybeam 9",
    "denzo": "-denzo -distance 100 -Xbeam 12 -Ybeam 9",
    "dials": "-dials -distance 100 -Xbeam 12 -Ybeam 9",
}
TILTS = {
    "upright": "",
    "two-theta": "-twotheta 20",
    "about the sample": "-twotheta 20 -pivot sample",
    "about the beam": "-twotheta 20 -pivot beam",
    "turned": "-detector_rotx 3 -detector_roty -5 -detector_rotz 7",
}
PIXELS = [(0, 0), (FAST - 1, 0), (0, SLOW - 1), (FAST - 1, SLOW - 1), (17, 30)]
CASES = [(".nxs", convention, tilt) for convention in CONVENTIONS for tilt in TILTS]
# What CBF's header has no place for is warned of, and not told to dxtbx.
CASES += [(".cbf", convention, "upright") for convention in CONVENTIONS]
WARNED_OF = {"adxv": "an image that is mirrored", "dials": "a spindle that is not along the fast axis"}
pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(
        shutil.which("dials.import") is None, reason="DIALS is not installed (Debian: apt-get install dials)"
    ),
]


@pytest.mark.parametrize(("ending", "convention", "tilt"), CASES)
def test_pixels_are_where_we_have_them(
    ending: str, convention: str, tilt: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = f"{BASE} {CONVENTIONS[convention]} {TILTS[tilt]}".split()
    result = simulate(scan(words)[0])
    image = tmp_path / f"image_0001{ending}"
    capsys.readouterr()
    result.save(image)
    said = capsys.readouterr().err
    if ending == ".cbf" and convention in WARNED_OF:
        assert WARNED_OF[convention] in said
        return
    assert "no place" not in said
    pixels = [str(number) for pixel in PIXELS for number in pixel]
    script = str(Path(__file__).with_name("lab_positions.py"))
    done = subprocess.run(
        [SYSTEM_PYTHON, script, str(image), *pixels], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    read = json.loads(done.stdout.splitlines()[-1])
    detector, axes = result.experiment.detector, result.experiment.detector.axes
    beam, spindle = np.array(axes.beam), np.array(result.experiment.spindle.axis)
    frame = np.array([beam, spindle, np.cross(beam, spindle)])
    fast, slow = (np.array(PIXELS).T + 0.5)[:, :, None] * detector.pixel_size_m
    expected = (np.array(detector.pix0_m) + fast * np.array(axes.fdet) + slow * np.array(axes.sdet)) @ frame.T
    np.testing.assert_allclose(read["positions_m"], expected, rtol=0.0, atol=1e-6)
    assert read["wavelength_A"] == pytest.approx(result.experiment.beam.wavelength_m * 1e10, rel=1e-6)
