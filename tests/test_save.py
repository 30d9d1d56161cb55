"""--save, --save-orientation, progress bar: files read back by other readers, geometry that predicts spots."""

from __future__ import annotations

import os
import pty
import resource
import signal
import subprocess
import sys
from pathlib import Path

import fabio
import h5py
import numpy as np
import pytest
from forked import BASE, LIST, OUTPUTS, run_forked

FORMATS = ("npy", "edf", "tif", "cbf", "nxs")
SAVES = [word for ending in FORMATS for word in ("--save", f"a.{ending}")]
OFF_CENTRE = "-Xbeam 9 -Ybeam 6.5 -phi 10 -osc 2 -phisteps 3 -detpixels_f 20 -fluence 1e28".split()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "P1.hkl").write_text(LIST)
    return tmp_path


def run(folder: Path, *words: str):
    result = run_forked(["-hkl", "P1.hkl", *BASE, *words], folder)
    assert result.status == 0, result.err
    return result


def float_image(folder: Path, fast: int) -> np.ndarray:
    return np.fromfile(folder / "floatimage.bin", np.float32).reshape(-1, fast)


def test_formats_give_back_image_and_header(folder):
    plain = run(folder, *OFF_CENTRE)
    saved = run(folder, *OFF_CENTRE, *SAVES)
    assert saved.out == plain.out
    assert all(saved.files[name] == plain.files[name] for name in OUTPUTS)
    assert set(saved.files) == {*plain.files, *(f"a.{ending}" for ending in FORMATS)}
    image = float_image(folder, 20)
    for ending in ("npy", "edf", "tif", "nxs"):
        read = fabio.open(str(folder / f"a.{ending}")).data
        assert read.dtype == np.float32 and np.array_equal(read, image), ending
    cbf = fabio.open(str(folder / "a.cbf"))
    assert np.array_equal(cbf.data, np.rint(image.astype(float))) and image.max() > 1
    for line in ("Wavelength 1 A", "Detector_distance 0.05 m", "Beam_xy (7, 9.5) pixels", "Start_angle 10 deg."):
        assert f"# {line}" in cbf.header["_array_data.header_contents"]
    edf = fabio.open(str(folder / "a.edf")).header
    assert [float(edf[name]) for name in ("Center_1", "Center_2", "SampleDistance", "PSize_1", "WaveLength")] == (
        pytest.approx([7, 9.5, 0.05, 1e-3, 1e-10])
    )
    assert edf["fast_axis"] == "0 0 1"
    assert "slow_axis=0 -1 0\n" in fabio.open(str(folder / "a.tif")).header["imageDescription"]


def chain(file: h5py.File, path: str) -> np.ndarray:
    """The 4 x 4 matrix of a NeXus depends_on chain, lengths in metres."""
    total = np.eye(4)
    while path != ".":
        field = file[path]
        value, axis = float(np.ravel(field[()])[0]), field.attrs["vector"]
        step = np.eye(4)
        if field.attrs["transformation_type"] == "translation":
            step[:3, 3] = value * axis
        else:
            angle = np.radians(value)
            skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
            step[:3, :3] += np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew
        step[:3, 3] += field.attrs.get("offset", 0.0)
        total = step @ total
        path = field.attrs["depends_on"]
    return total


@pytest.mark.parametrize(
    "geometry",
    [
        "-mosflm -detector_rotx 5 -detector_roty -12 -detector_rotz 20",
        "-xds -twotheta 15 -Xclose 9",
        "-dials -phi 70",
        "-adxv -Xbeam 5 -phi -30",
        "-fdet_vector 0 1 0 -sdet_vector 0 0 1 -odet_vector 1 0 0 -beam_vector 1 0.1 0 -polar_vector 0 1 0 "
        "-spindle_axis 0 0.6 0.8 -phi 40",
    ],
)
def test_nexus_alone_predicts_the_spots(folder, geometry):
    """hkl of the brightest pixels are whole numbers, from nothing but the file's geometry and orientation."""
    crystal = "-default_F 10 -cell 31 42 53 80 95 105 -misset 12 34 56 -N 25 -nonoise -nopgm".split()
    camera = "-detpixels 300 -pixel 0.2 -distance 60 -lambda 1.1 -oversample 2".split()
    run_forked([*crystal, *camera, *geometry.split(), "--save", "a.nxs"], folder)
    with h5py.File(folder / "a.nxs") as file:
        image = file["entry/data/data"][0]
        module = file["entry/instrument/detector/module"]
        corner = chain(file, "/entry/instrument/detector/module/module_offset")[:3, 3]
        fast, slow = (module[f"{name}_pixel_direction"] for name in ("fast", "slow"))
        assert fast.attrs["depends_on"] == slow.attrs["depends_on"] == module["module_offset"].name
        spindle = chain(file, file["entry/sample/depends_on"].asstr()[()])[:3, :3]
        ub = spindle @ file["entry/sample/ub_matrix"][0]
        wavelength_A = file["entry/instrument/beam/incident_wavelength"][()]
        s, f = np.unravel_index(np.argsort(image, axis=None)[-12:], image.shape)
        points = corner + np.outer(f + 0.5, fast[()] * fast.attrs["vector"])
        points += np.outer(s + 0.5, slow[()] * slow.attrs["vector"])
        centre = [file["entry/instrument/detector"][f"beam_center_{axis}"][()] for axis in "xy"]
        beam_spot = corner + sum(
            c * axis[()] * axis.attrs["vector"] for c, axis in zip(centre, (fast, slow), strict=True)
        )
    rays = points / np.linalg.norm(points, axis=1)[:, None]
    hkl = np.linalg.solve(ub, ((rays - (0, 0, 1)) / wavelength_A).T).T
    assert np.abs(hkl).max() > 3
    assert np.abs(hkl - np.rint(hkl)).max() < 0.1
    assert beam_spot[:2] == pytest.approx([0, 0], abs=1e-9)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("a.jpg", "--save a.jpg: expected a name that ends in .cbf, .edf, .tif"),
        ("noending", "--save noending: expected a name that ends in"),
        ("no/a.nxs", "no/a.nxs: --save cannot be written: the folder no does not exist"),
    ],
)
def test_bad_names_stop_before_rendering(folder, name, says):
    result = run_forked(["-hkl", "P1.hkl", *BASE, "--save", name], folder)
    assert result.status == 9 and result.complaint.startswith(says)
    assert set(result.files) == {"P1.hkl"}


STRANGE = (
    "\N{LATIN SMALL LETTER U WITH DIAERESIS}",
    "\N{HIRAGANA LETTER A} \N{DEGREE SIGN}",
    os.fsdecode(b"\xff"),
)


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("name", STRANGE, ids=ascii)
def test_names_in_any_alphabet(folder, name, ending):
    """The content is that of a file with a plain name, also where the name is no text in any encoding."""
    run(folder, "--save", f"{name}.{ending}", "--save", f"plain.{ending}")
    os.rename(folder / f"{name}.{ending}", folder / f"named.{ending}")
    named, plain = (fabio.open(str(folder / f"{stem}.{ending}")) for stem in ("named", "plain"))
    assert np.array_equal(named.data, plain.data)
    if ending not in ("nxs", "cbf"):  # in which the time stands
        assert (folder / f"named.{ending}").read_bytes() == (folder / f"plain.{ending}").read_bytes()


@pytest.mark.parametrize("ending", ["npy", "edf", "tif", "nxs"])
def test_full_disk_leaves_the_old_file(folder, ending):
    """The four standard files fit, the fifth does not."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16400, 16400))

    (folder / f"a.{ending}").write_bytes(b"old")
    words = ["-hkl", "P1.hkl", *BASE, "-detpixels", "64", "--save", f"a.{ending}"]
    result = run_forked(words, folder, before=limit)
    assert result.status == 9 and f"a.{ending}: --save cannot be written" in result.complaint, result.err
    assert result.files[f"a.{ending}"] == b"old"
    assert set(result.files) == {*OUTPUTS, "P1.hkl", "Fdump.bin", f"a.{ending}"}


def test_pixels_left_out_are_marked(folder):
    run(folder, "-roi", "2", "9", "3", "12", "--save", "a.nxs")
    with h5py.File(folder / "a.nxs") as file:
        mask = file["entry/instrument/detector/pixel_mask"][()]
    assert np.count_nonzero(mask == 0) == 8 * 10 and not mask[3:13, 2:10].any()


@pytest.mark.parametrize(
    "orientation",
    [
        "-misset 20 35 50",
        "-misset random -misset_seed 5",
        "-cell 31 42 53 70 95 115 -misset 5 6 7",
        "-mat start.mat -misset 3 2 1",
    ],
)
def test_orientation_can_be_read_back(folder, orientation):
    """Also of a triclinic cell, whose axes in the log are not each other's inverse; float32 leaves no difference."""
    (folder / "start.mat").write_text("0.03 0.002 0.001\n0.001 0.02 0.003\n-0.002 0.001 0.017 0 0 0\n")
    rest = "-hkl P1.hkl -N 7 -detpixels 48 -pixel 0.5 -distance 50 -lambda 0.9768 -oversample 1 -phi 5 -osc 1".split()
    words = orientation.split()
    if "-mat" not in words and "-cell" not in words:
        words += "-cell 30 40 50".split()
    first = run_forked([*words, *rest, "--save-orientation", "saved.mat"], folder)
    image = float_image(folder, 48)
    second = run_forked(["-mat", "saved.mat", *rest], folder)
    assert (first.status, second.status) == (0, 0), first.err + second.err
    again = float_image(folder, 48)
    assert image.max() > 0
    assert np.abs(image - again).max() <= 1e-6 * image.max()
    assert np.count_nonzero(image != again) <= 5


@pytest.mark.parametrize(("extra", "shown"), [((), True), (("-noprogress",), False)])
def test_progress_bar_only_for_a_terminal(folder, extra, shown):
    words = [sys.executable, "-m", "nanobragg_py", "-hkl", "P1.hkl", *BASE, *extra]
    piped = subprocess.run(words, cwd=folder, capture_output=True, check=True)
    controller, terminal = pty.openpty()
    with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        out = process.stdout.read()
        seen = b""
        while chunk := read_terminal(controller):
            seen += chunk
    os.close(controller)
    assert process.returncode == 0
    assert out == piped.stdout
    assert piped.stderr == b""
    assert (b"rendering" in seen and b"100%" in seen) if shown else seen == b""


def read_terminal(controller: int) -> bytes:
    """What came through a terminal; nothing once the other side has closed it."""
    try:
        return os.read(controller, 4096)
    except OSError:
        return b""
