"""nonBragg: the C program's bytes, bad input, threads, and its corrections against plain NumPy."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from nonbragg_cases import CASES, FAST, SLOW, SMALL, START, files, write_inputs
from nonbragg_differential import ADDRESS, image_of_pgm

from nanobragg_py.base import process
from nanobragg_py.base.errors import speak_as
from nanobragg_py.commandline import cli as nanobragg
from nanobragg_py.nonbragg import command
from nanobragg_py.nonbragg.table import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = json.loads((ROOT / "golden" / "nonbragg.json").read_text())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the inputs, as the working one."""
    write_inputs(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> object:
    """Keep the streams that pytest reads open after an error; let messages come from nanoBragg again."""
    monkeypatch.setattr(process, "_silence", lambda stream: None)
    yield
    speak_as("nanoBragg")


def run(line: str, capfd: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit status and both streams."""
    status = command.run(line.split())
    return status, *capfd.readouterr()


def smv(path: Path) -> np.ndarray:
    """Pixels of an SMV image."""
    return np.frombuffer(path.read_bytes()[512:], dtype="<u2").reshape(SLOW, FAST)


def floats(folder: Path) -> np.ndarray:
    """The float image."""
    return np.fromfile(folder / "floatimage.bin", dtype=np.float32).reshape(SLOW, FAST)


@pytest.mark.parametrize("name", CASES)
def test_identical(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Status, standard output and every file are the C program's; of the PGM, the image."""
    wanted = EXPECTED[name]
    status, out, err = run(CASES[name], capfd)
    assert (status, ADDRESS.sub(r"\1ADDRESS", out)) == (wanted["status"], wanted["stdout"]), err
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name not in files():
            content = path.read_bytes()
            found[path.name] = hashlib.sha256(image_of_pgm(content) if path.suffix == ".pgm" else content).hexdigest()
    assert found == wanted["files"]
    assert ("nonBragg: error: " in err) == (status == 9)


def test_every_option_has_a_case() -> None:
    """The golden cases use each name of the C program."""
    words = {word for line in CASES.values() for word in line.split()}
    assert not [name for row in OPTIONS for name in row.names if not any(name in word for word in words)]


@pytest.mark.parametrize("extra", ["", "-polar 0.7 -oversample 2", "-Fmap", "-sourcefile sources.txt"])
@pytest.mark.parametrize("threads", [2, 5])
def test_same_files_for_any_number_of_threads(
    extra: str, threads: int, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Rows may be rendered by anybody; standard output too stays the same."""
    one = run(f"{START} {extra} --threads 1", capfd), floats(folder).tobytes()
    many = run(f"{START} {extra} --threads {threads}", capfd), floats(folder).tobytes()
    assert one == many


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("-stol water.stol -adc", "option -adc needs a value"),
        ("-stol water.stol -roi 1 2 3", "option -roi needs 4 values"),
        (f"{START} -gain much", "option -gain: expected a number (counts), got 'much'"),
        (f"{START} -gain nan", "option -gain: expected a finite number"),
        (f"{START} -ignore x", "option -ignore: expected a number, got 'x'"),
        (f"{START} --oversampel 3", "no option --oversampel"),
        (f"{START} --threads 0", "option --threads: expected a positive whole number"),
        (f"{START} --fix center", "--fix: no correction 'center'"),
        (f"{START} --fix", "option --fix needs a value"),
        ("-stol none.stol", "none.stol: -stol cannot be read"),
        (f"{START} -stol words.stol", "words.stol: line 2: expected up to 2 numbers, found 'low'"),
        (f"{START} -sourcefile none.txt", "none.txt: -sourcefile cannot be read"),
        (f"{START} -img none.img", "none.img: -img cannot be read"),
        (f"{START} -img water.stol", "water.stol: -img is no SMV image"),
        (f"{START} -img short.img", "short.img: -img has 3 bytes"),
        (f"{START} -img in.img -detpixels 33", "-img has 768 pixels; expected no fewer than the detector's 33 x 33"),
        (f"{START} -detpixels -3", "-detpixels: expected a positive number"),
        (f"{START} -detpixels 99999999", "expected fewer than 2^31"),
        (f"{START} -pixel 0", "-pixel: expected a size above 0 mm"),
        (f"{START} -lambda 0", "-lambda: expected a wavelength above 0"),
        (f"{START} -dispersion 300", "expected wavelengths above 0 only"),
        (f"{START} -MW 0", "molecules in the beam"),
        (f"{START} -flux 1e12 -beamsize 0", "the fluence would be infinite"),
        (f"{START} -beam_vector 0 0 0", "-beam_vector: expected a direction"),
        (f"{START} -fdet_vector 0 1 0", "two directions that span the detector"),
        (f"{START} -source_distance 0", "expected sources elsewhere than at the sample"),
        (f"{START} -oversample 99999", "expected fewer than 2^31; see -oversample"),
        (f"{START} -floatfile nowhere/a.bin", "nowhere/a.bin: -floatfile cannot be written"),
        ("-stol water.stol -img in.img -stolout nowhere/a", "nowhere/a: -stolout cannot be written"),
    ],
)
def test_bad_input(line: str, says: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One line on standard error, status 9, no file."""
    (folder / "short.img").write_bytes(b"{\nH")
    (folder / "words.stol").write_text("0 1\nlow high\n")
    before = set(folder.iterdir())
    status, _, err = run(line, capfd)
    complaints = [text for text in err.splitlines() if text.startswith("nonBragg: error: ")]
    assert status == 9 and len(complaints) == 1 and says in complaints[0], err
    assert set(folder.iterdir()) == before


def test_as_a_process(folder: Path) -> None:
    """bin/nonBragg starts, and warns under its own name."""
    program = [sys.executable, str(ROOT / "bin" / "nonBragg")]
    done = subprocess.run([*program, *START.split(), "-gian", "2"], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0 and done.stdout == EXPECTED["plain"]["stdout"]
    assert "nonBragg: warning: unknown option '-gian' is ignored" in done.stderr
    for words, start in (
        (["-h"], "usage: nonBragg"),
        (["--help"], "usage: nonBragg"),
        (["--version"], "nonBragg (nanobragg_py)"),
        (["--fix", "list"], "Known defects"),
    ):
        assert subprocess.run([*program, *words], capture_output=True, text=True).stdout.startswith(start)


# --- corrections ---


def complaint(line: str, capfd: pytest.CaptureFixture[str]) -> str:
    """What a run says of known defects."""
    _, _, err = run(line, capfd)
    return "".join(text for text in err.splitlines() if "known defects" in text)


def test_defects_are_told_of_when_an_image_has_them(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each by name; not those that are corrected or accepted, nor those that do not matter."""
    said = complaint(f"{START} -gain 3 -Xbeam 20 -Ybeam 30", capfd)
    assert "centre (fast -11.2 mm, slow +8.8 mm from nanoBragg's)" in said and "gain (-gain 3)" in said
    assert "pixels (" not in said and "mean (" not in said and "bins (" not in said
    assert "gain (" not in complaint(START, capfd)
    assert not complaint(f"{START} -gain 3 --fix none", capfd)
    assert not complaint(f"{START} -gain 3 --fix all", capfd)
    assert "pixels (14 x 14 for 13 x 13)" in complaint(CASES["one_pixel_more"], capfd)
    said = complaint(CASES["image_region"], capfd)
    assert "bins (255 pixels outside -roi)" in said and "mean (divided by" in said


@pytest.mark.parametrize("centre", ["", "-Xbeam 20 -Ybeam 30", "-Xbeam 20"])
def test_centre_of_the_spots(centre: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--fix centre: the beam meets the detector where nanoBragg says that it does, for the same words."""
    out = run(f"{START} {centre} --fix centre", capfd)[1]
    spots = f"-default_F 1 -cell 50 50 50 90 90 90 -N 2 {SMALL} {centre} -nonoise"
    nanobragg.run(spots.split())
    log = capfd.readouterr().out
    fast, slow = out.split("Xbeam=")[1].split()[0], out.split("Ybeam=")[1].split()[0]
    assert (fast, slow) == (log.split("Fbeam=")[1].split()[0], log.split("Sbeam=")[1].split()[0])


def test_pixels_as_asked_for(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--fix pixels: thirteen are thirteen."""
    out = run(f"{CASES['one_pixel_more']} --fix pixels", capfd)[1]
    assert "(13x13 pixels)" in out and (folder / "floatimage.bin").stat().st_size == 4 * 13 * 13


@pytest.mark.parametrize("region", ["", "-roi 3 20 5 15"])
def test_rmsd(region: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--fix rmsd: NumPy's standard deviation of the pixels in the region."""
    out = run(f"{START} {region} --fix rmsd", capfd)[1]
    image = floats(folder).astype(np.float64)
    part = image[5:16, 3:21] if region else image
    found = float(out.split("rmsd= ")[1].split()[0])
    assert np.isclose(found, part.std(ddof=1), rtol=1e-5)
    assert np.isclose(float(out.split("pgm_scale = ")[1].split()[0]), 250.0 / (5.0 * found), rtol=1e-5)


def test_pgm_that_ends_with_its_image(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--fix pgm: one byte a pixel, as Pillow reads it; none with -nopgm. Without it, as many zeros follow."""
    image_module = pytest.importorskip("PIL.Image")
    run(f"{START} -pgmscale 1e-4", capfd)
    long = (folder / "image.pgm").read_bytes()
    out = run(f"{START} -pgmscale 1e-4 --fix pgm", capfd)[1]
    short = (folder / "image.pgm").read_bytes()
    assert long == short + bytes(FAST * SLOW) and "writing image.pgm" in out
    with image_module.open(folder / "image.pgm") as picture:
        grey = np.asarray(picture)
    wanted = np.minimum(floats(folder).astype(np.float64) * 1e-4, 255.0).astype(np.uint8)
    assert np.array_equal(grey, wanted) and grey.max() > 20
    (folder / "image.pgm").unlink()
    out = run(f"{START} -nopgm --fix pgm", capfd)[1]
    assert not (folder / "image.pgm").exists() and "writing image.pgm" not in out


def test_gain_of_the_noise_image(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--fix gain: the same photons, times the gain."""
    line = f"{START} -fluence 1e18 -adc 10 -roi 3 20 5 15"
    run(line, capfd)
    photons = smv(folder / "noiseimage.img").astype(np.float64)[5:16, 3:21] - 10
    assert photons.max() > 50
    run(f"{line} -gain 2.5 --fix gain", capfd)
    counts = smv(folder / "noiseimage.img")
    assert np.array_equal(counts[5:16, 3:21], np.floor(photons * 2.5 + 10).astype(np.uint16))
    assert np.count_nonzero(counts) <= 11 * 18


def test_mean_with_an_image(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--fix mean: over all pixels rendered."""
    out = run(f"{CASES['image']} --fix mean", capfd)[1]
    assert np.isclose(float(out.split("mean= ")[1].split()[0]), floats(folder).astype(float).mean(), rtol=1e-5)


def test_bins_without_pixels_outside(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--fix bins: the F of the pixels in the region of interest alone, by NumPy from the image that F gives."""
    table = "-stol coarse.stol -fluence 1e22 -seed 3 -noprogress -nopolar"
    run(f"{table} -img in.img -roi 0 31 0 17 -stolout part.txt --fix bins", capfd)
    run(f"{table} -img in.img -Fmap", capfd)
    counts = smv(folder / "in.img").astype(float)[:18]
    run(f"{table} -img in.img", capfd)
    model = floats(folder).astype(float)[:18]
    run(f"{table} -img in.img -Fmap -floatfile F.bin", capfd)
    F_model = np.fromfile(folder / "F.bin", dtype=np.float32).reshape(SLOW, FAST).astype(float)[:18]
    F = np.sqrt((counts - 40) / model) * F_model
    rows = np.loadtxt(folder / "part.txt", ndmin=2)
    assert len(rows) and rows[:, 5].sum() <= F.size
    for _, mean, rmsd, *_, pixels in rows:
        assert pixels > 100 and 0.0 < mean < F.max() and rmsd < F.std() * 3
    weighted = (rows[:, 1] * rows[:, 5]).sum() / rows[:, 5].sum()
    assert abs(weighted / F.mean() - 1.0) < 0.5
