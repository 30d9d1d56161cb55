"""What a newcomer does first: the demo and the commands it prints, the README's Python, other programs' headers."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from nanobragg_py.api import simulate
from nanobragg_py.base.vectors import cross, dot
from nanobragg_py.formats.smv_writer import smv_header
from nanobragg_py.model.detector import beam_spot
from nanobragg_py.options.config import scan

ROOT = Path(__file__).resolve().parents[1]
ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line as a user does who pastes it."""
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )


@pytest.mark.parametrize("name", ["demo", "first images"])
def test_demo(name: str, tmp_path: Path) -> None:
    """No defect is warned of, and every command that it prints runs where it was printed."""
    done = shell(f"sh '{ROOT / 'bin' / 'demo'}' '{name}'", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    folder = tmp_path / name
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    named = set(re.findall(r"\b[\w]+\.(?:png|bin|img|pgm|log)\b", done.stdout.partition("Done in")[2]))
    assert named <= set(files) and len(named) == 6
    printed = re.findall(r"^  (\S(?:.*\\\n)*.*)$", done.stdout, re.MULTILINE)
    commands = [command for command in printed if "nanoBragg" in command and not command.startswith("nanoBragg.log")]
    assert len(commands) == 2 and commands[1].endswith(" -h")
    # A quicker one in place of the same again.
    assert commands[0].count("-detpixels 1024 ") == 1
    again = shell(commands[0].replace("-detpixels 1024 ", "-detpixels 64 "), tmp_path)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert (folder / "floatimage.bin").stat().st_size == 4 * 64**2
    assert shell(commands[1], tmp_path).stdout.startswith("usage: nanoBragg ")


def test_python_of_the_readme(tmp_path: Path) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    check = "assert result.image.shape == (512, 512) and result.image.dtype == 'float32' and result.image.max() > 0\n"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code + check], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.iterdir())


# How far off DIALS takes the beam centre to be, fast and slow (pixels): docs/tutorial.md.
OFF = {"-mosflm": (0.5, -0.5), "-xds": (1.0, 1.0), "-denzo": (1.0, 0.0), "-adxv": (1.0, 1.0)}


def read_as_dials_does(header: str, height_mm: float) -> np.ndarray:
    """Fast and slow beam centre, mm, from the corner of the first pixel: that of ADXV and a pixel more."""
    values = {key: float(value) for key, value in re.findall(r"(\w+)=([-+\d.e]+);", header)}
    pixel = values["PIXEL_SIZE"]
    return np.array([values["BEAM_CENTER_X"] + pixel, height_mm - values["BEAM_CENTER_Y"] + pixel])


def setting(words: str) -> tuple[np.ndarray, np.ndarray, object]:
    """Beam centre as DIALS reads it and as it is (pixels), and the detector."""
    line = f"-cell 50 -default_F 1 -detpixels 64 -pixel 0.25 -oversample 1 {words}".split()
    experiment = simulate(scan([*line, "-dump", ""])[0]).experiment
    detector = experiment.detector
    header = smv_header(detector, experiment.beam, experiment.spindle).decode()
    read = read_as_dials_does(header, detector.detsize_slow_m * 1e3) / 0.25
    return read, np.array(beam_spot(detector)[:2]), detector


@pytest.mark.parametrize("convention", OFF)
def test_beam_centre_that_dials_reads(convention: str) -> None:
    read, true, _ = setting(convention)
    assert read - true == pytest.approx(OFF[convention], abs=1e-6)


@pytest.mark.parametrize(
    ("words", "right"),
    [
        ("-adxv -Xbeam 3 -Ybeam 5", True),
        ("-mosflm -Xbeam 3 -Ybeam 5", False),
        ("-denzo -Xbeam 3 -Ybeam 5", False),
        ("-xds -ORGX 9 -ORGY 20", False),
    ],
)
def test_beam_centre_elsewhere(words: str, right: bool) -> None:
    read, true, _ = setting(words)
    assert (np.abs(read - true).max() < 1.5) == right


@pytest.mark.parametrize(
    ("convention", "right"),
    [("-mosflm", True), ("-xds", True), ("-denzo", True), ("-adxv", False), ("-dials", False)],
)
def test_spindle_that_dials_takes(convention: str, right: bool) -> None:
    """Along the fast axis, with fast x slow along the beam."""
    detector = setting(convention)[2]
    axes = detector.axes
    along = dot(axes.spindle, axes.fdet)
    handed = dot(cross(axes.fdet, axes.sdet), axes.beam)
    assert (along == pytest.approx(1.0) and handed == pytest.approx(1.0)) == right
