"""noisify --fix: each correction against plain NumPy, and the line that tells of defects that an image has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nanobragg_py.base import process
from nanobragg_py.base.errors import speak_as
from nanobragg_py.kernels.jit import for_python
from nanobragg_py.kernels.passes import random
from nanobragg_py.noisify import command
from nanobragg_py.noisify.fixes import CORRECTIONS, NAMES

SLOW, FAST = 11, 17
SHAPE = f"-detpixels_x {FAST} -detpixels_y {SLOW}"
KNOWN = "noisify: warning: known defects of the C program change this image: "


@pytest.fixture(autouse=True)
def as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """A folder to work in; streams that stay open after an error; messages from nanoBragg again."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(process, "_silence", lambda stream: None)
    yield
    speak_as("nanoBragg")


@pytest.fixture
def image(tmp_path: Path) -> np.ndarray:
    """Photons per pixel, written to image.bin."""
    photons = np.random.default_rng(5).gamma(0.4, 3000.0, (SLOW, FAST)).astype(np.float32)
    photons[2, 3], photons[4, 5] = 1e5, 3e5
    (tmp_path / "image.bin").write_bytes(photons.tobytes())
    return photons


def run(line: str, capfd: pytest.CaptureFixture[str]) -> str:
    """Standard error of a run that succeeds."""
    status = command.run(f"-floatfile image.bin {SHAPE} {line}".split())
    err = capfd.readouterr().err
    assert status == 0, err
    return err


def pixels(name: str, bits: int = 16) -> np.ndarray:
    """The integers of an SMV image, int64 (slow, fast)."""
    words = np.frombuffer(Path(name).read_bytes()[512:], np.uint16 if bits == 16 else np.uint32)
    return words.reshape(SLOW, FAST).astype(np.int64)


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("names", ["", "underflow", "rounding", "int32", "rounding,underflow", "all"])
def test_integers_without_noise(names: str, bits: int, image: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    """Counts below 0, fractions and large ones, with and without each correction."""
    fix = f"--fix {names}" if names else ""
    run(f"-nonoise -bits {bits} -gain 1.3 -adc -900.4 {fix}", capfd)
    counts = image.astype(np.float64) * 1.3 - 900.4
    said = NAMES if names == "all" else names.split(",")
    counts = np.rint(counts) if "rounding" in said else np.trunc(counts)
    if "underflow" in said:
        counts = np.maximum(counts, 0.0)
    if bits == 16 or "int32" not in said:
        counts = np.minimum(counts, 65535.0)
    wanted = counts.astype(np.int64) % 2**bits
    assert np.count_nonzero(image * 1.3 < 900.4) > 20
    np.testing.assert_array_equal(pixels("intimage.img", bits), wanted)
    grey = np.frombuffer(Path("image.pgm").read_bytes()[-FAST * SLOW :], np.uint8).reshape(SLOW, FAST)
    words = np.minimum(counts, 65535.0).astype(np.int64) % 65536
    np.testing.assert_array_equal(grey, np.minimum(words, 255))


def test_integers_with_noise(image: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    """Fractions and counts below 0 of the noise image; its photons are those of a gain of 1."""
    run("-seed 7 -adc 0 -bits 32", capfd)
    photons = pixels("noiseimage.img", 32)
    run("-seed 7 -adc -80.1 -gain 0.37 -bits 32 --fix rounding --fix underflow", capfd)
    counts = np.maximum(np.rint(photons * 0.37 - 80.1), 0.0)
    np.testing.assert_array_equal(pixels("noiseimage.img", 32), counts)
    run("-seed 7 -adc 0 -readout 30", capfd)
    wrapped = pixels("noiseimage.img")
    run("-seed 7 -adc 0 -readout 30 --fix=underflow", capfd)
    below = wrapped > 60000
    below[4, 5] = below[2, 3] = False
    assert below.sum() > 5
    np.testing.assert_array_equal(pixels("noiseimage.img"), np.where(below, 0, wrapped))


@pytest.mark.parametrize("seed", [None, 1, 0, -31])
def test_calibration_map(seed: int | None, image: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    """The map follows from -calib_seed by the published generator, and is the same for all images."""
    table, spare = np.zeros(33, np.int64), np.zeros(2, np.float32)
    stream = np.array([-abs(123456789 if seed is None else seed)])
    gaussian = for_python(random.gaussian)
    wanted = 1.0 + 0.1 * np.array([gaussian(table, stream, spare) for _ in range(image.size)]).reshape(image.shape)
    photons, images = 4e6, 12
    Path("image.bin").write_bytes(np.full(image.shape, photons, np.float32).tobytes())
    said = "" if seed is None else f"-calib_seed {seed}"
    total = np.zeros(image.shape)
    for number in range(1, images + 1):
        run(f"-calibration 0.1 {said} -seed {123457 * number} -adc 0 -bits 32 -flicker 1e-9 --fix calibration", capfd)
        total += pixels("noiseimage.img", 32)
    deviations = (total / images / photons / wanted - 1.0) * np.sqrt(photons * images)
    # Deviates of photon noise alone: their largest, and their spread.
    assert np.abs(deviations).max() < 5.0 and 0.8 < deviations.std() < 1.2


def test_spread_at_the_edge(image: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    """What spreads beyond the right edge is lost, or lies in the next row's first pixel."""
    arguments = "-nonoise -bits 32 -gain 1000 -adc 0 -psf gauss -psf_fwhm 250 -psf_radius 4 --fix int32"
    run(arguments, capfd)
    wrapping = pixels("intimage.img", 32)
    run(f"{arguments},psf-edge", capfd)
    corrected = pixels("intimage.img", 32)
    # A Gaussian, by its integral over each pixel: 1000 points along each edge.
    points = ((np.arange(-4000, 5000) + 0.5) / 1000.0 - 0.5) ** 2
    along = np.exp(-np.log(16.0) * points / 2.5**2).reshape(9, 1000).sum(axis=1)
    along /= np.sqrt(np.pi / np.log(16.0)) * 2.5 * 1000.0
    radius = np.hypot(*np.mgrid[-4:5, -4:5])
    part = np.where(radius <= 4.0, np.outer(along, along), 0.0)
    whole = np.zeros((SLOW + 8, FAST + 8))
    for dy in range(9):
        for dx in range(9):
            whole[dy : dy + SLOW, dx : dx + FAST] += image * part[dy, dx]
    lost = image.sum(dtype=np.float64) * 16.0 ** -(4.0**2 / 2.5**2) / image.size
    wanted = 1000.0 * (whole[4:-4, 4:-4] + lost)
    np.testing.assert_allclose(corrected, wanted, rtol=1e-6, atol=2.0)
    wanted[1:, 0] += 1000.0 * whole[4:-5, 4 + FAST]
    np.testing.assert_allclose(wrapping, wanted, rtol=1e-6, atol=2.0)
    assert np.abs(wrapping - corrected)[1:, 0].min() > 100.0


@pytest.mark.parametrize(
    ("arguments", "affected"),
    [
        ("-seed 1", ["calibration (another map with each -seed)", "rounding (", "intimage.img"]),
        ("-seed 1 -calibration 0 --fix rounding", []),
        ("-nonoise --fix rounding", []),
        ("-nonoise -scale 0", []),
        ("-nonoise -scale 0 -adc -3", [f"underflow ({SLOW * FAST} pixels of intimage.img wrapped)"]),
        ("-nonoise --fix rounding -bits 32 -gain 0.3", ["int32 (1 pixel of intimage.img cut off at 65535)"]),
        ("-nonoise --fix rounding -bits 32 -gain 0.3 --fix int32", []),
        ("-nonoise --fix rounding -psf fiber", ["psf-edge (", "photons spread to the other edge)"]),
        ("-nonoise --fix rounding -psf fiber --psf-method fft", []),
        ("-nonoise --fix rounding,psf-edge -psf fiber", []),
        ("-seed 1 -readout 9 -adc -90 -psf fiber", ["calibration (", "underflow (", "rounding (", "psf-edge ("]),
        ("-seed 1 -readout 9 -adc 0 -psf fiber --fix none", []),
        ("-seed 1 -readout 9 -adc 0 -psf fiber --fix all", []),
    ],
)
def test_line_on_standard_error(
    arguments: str, affected: list[str], image: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    """One line names the defects that the image has and that were not corrected; without any there is none."""
    lines = [line for line in run(arguments, capfd).splitlines() if line.startswith("noisify: warning: ")]
    assert len(lines) == bool(affected), lines
    for line in lines:
        assert line.startswith(KNOWN) and all(text in line for text in affected)
        names = [text.partition(" (")[0] for text in affected if not text.startswith(("photons", "intimage"))]
        assert f"--fix {','.join(names)} corrects" in line


def test_names(capfd: pytest.CaptureFixture[str], image: np.ndarray) -> None:
    """An unknown name is an error that suggests another; the list tells of all."""
    assert command.run(["-floatfile", "image.bin", "--fix", "calibration,psfedge"]) == 9
    assert "--fix: no correction 'psfedge'; did you mean psf-edge?" in capfd.readouterr().err
    for words in (["--fix", "list"], ["--fix=list"]):
        assert command.run(words) == 0
        out = capfd.readouterr().out
        assert all(row.name in out and row.defect in out and row.correction in out for row in CORRECTIONS)


@pytest.mark.parametrize(
    "kind, bits, warned", [("unsigned_short", 32, True), ("unsigned_short", 16, False), ("long_integer", 16, True),
                           ("long_integer", 32, False), ("something", 32, False)],
)  # fmt: skip
def test_a_header_of_other_bits(
    kind: str, bits: int, warned: bool, image: np.ndarray, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is copied, as by the C program; who reads the image would take it for what it is not."""
    text = f"{{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE={kind};\nSIZE1={FAST};\nSIZE2={SLOW};\n"
    text += "PIXEL_SIZE=0.1;\nDISTANCE=100;\n}\f"
    Path("other.img").write_bytes(text.encode().ljust(512) + bytes(2 * SLOW * FAST))
    err = run(f"-header other.img -bits {bits} -seed 1 -calibration 0 --fix all", capfd)
    assert Path("noiseimage.img").read_bytes()[:512] == text.encode().ljust(512)
    message = f"other.img: -header says TYPE={kind}, {48 - bits} bits; the pixels have {bits} (-bits)"
    assert err == (f"noisify: warning: {message}\n" if warned else "")
