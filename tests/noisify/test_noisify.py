"""noisify: the C program's bytes, bad input, threads, and what it has beyond."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from noisify_cases import CASES, FAST, SLOW, START, images, write_inputs

from nanobragg_py.base import process
from nanobragg_py.base.errors import InputError, speak_as
from nanobragg_py.noisify import command
from nanobragg_py.noisify import run as noisify_run
from nanobragg_py.noisify.options import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = json.loads((ROOT / "golden" / "noisify.json").read_text())


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


def new_files(folder: Path) -> dict[str, bytes]:
    """Files that are no inputs."""
    return {
        path.name: path.read_bytes()
        for path in sorted(folder.iterdir())
        if path.name not in images() and path.name != "header.img"
    }


@pytest.mark.parametrize("name", CASES)
def test_identical(name: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Status, standard output and every file are the C program's."""
    wanted = EXPECTED[name]
    status, out, err = run(CASES[name], capfd)
    assert (status, out) == (wanted["status"], wanted["stdout"]), err
    found = {file: hashlib.sha256(content).hexdigest() for file, content in new_files(folder).items()}
    assert found == wanted["files"]
    assert ("noisify: error: " in err) == (status == 9)


def test_every_option_has_a_case() -> None:
    """The golden cases use each name of the C program."""
    words = {word for line in CASES.values() for word in line.split()}
    assert not [name for row in OPTIONS for name in row.names if not any(name in word for word in words)]


@pytest.mark.parametrize("kind", ["gauss", "fiber"])
@pytest.mark.parametrize("threads", [1, 2, 3, 7])
def test_same_image_for_any_number_of_threads(
    kind: str, threads: int, folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The point spread gives the same bits however rows are shared."""
    line = f"-floatfile edges.bin -detpixels_x {FAST} -seed 4 -psf {kind} -psf_fwhm 300 -bits 32"
    run(f"{line} --threads 1 -noisefile one.img", capfd)
    run(f"{line} --threads {threads} -noisefile many.img", capfd)
    assert (folder / "one.img").read_bytes() == (folder / "many.img").read_bytes()


def test_added_images(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """--add is NumPy's sum, in order, in single precision."""
    every = images()
    total = every["image.bin"] + every["negative.bin"] + every["edges.bin"]
    (folder / "sum.bin").write_bytes(total.tobytes())
    assert run(f"{START} -floatfile sum.bin -noisefile a.img", capfd)[0] == 0
    assert run(f"{START} --add negative.bin --add=edges.bin -noisefile b.img", capfd)[0] == 0
    assert (folder / "a.img").read_bytes() == (folder / "b.img").read_bytes()
    counts = np.frombuffer((folder / "intimage.img").read_bytes()[512:], dtype=np.uint16).reshape(SLOW, FAST)
    assert counts[5, 4] == int(total[5, 4] + 40)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("-floatfile image.bin -adc", "option -adc needs a value"),
        (f"{START} -gain much", "option -gain: expected a number, got 'much'"),
        (f"{START} -gain nan", "option -gain: expected a finite number"),
        (f"{START} -psf", "option -psf needs a value"),
        (f"{START} --readnoise 3 --nothing", "no option --nothing"),
        (f"{START} --threads 0", "option --threads: expected a positive whole number"),
        (f"{START} --add", "option --add needs a value"),
        (f"{START} --add square.bin", "square.bin: --add has 1024 bytes; expected 3072"),
        (f"{START} --add none.bin", "none.bin: --add cannot be read"),
        (f"{START} -detpixels -3", "expected none below 0"),
        (f"{START} -detpixels 99999", "and at most"),
        (f"{START} -intfile nowhere/a.img", "nowhere/a.img: -intfile cannot be written"),
        (f"{START} -header none.img", "none.img: -header cannot be read"),
        (f"{START} -header image.bin", "image.bin: -header is no SMV image"),
        (f"{START} -header short.img", "short.img: -header has 3 bytes"),
        (f"{START} -psf fiber -pixel 0", "-psf needs a pixel size"),
        ("-floatfile empty.bin", "empty.bin: -floatfile holds no pixels"),
    ],
)
def test_bad_input(line: str, says: str, folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """One line on standard error, status 9, no noise image."""
    (folder / "short.img").write_bytes(b"{\nH")
    (folder / "empty.bin").write_bytes(b"")
    status, _, err = run(line, capfd)
    complaints = [text for text in err.splitlines() if text.startswith("noisify: error: ")]
    assert status == 9 and len(complaints) == 1 and says in complaints[0], err
    assert not (folder / "noiseimage.img").exists()


def test_as_a_process(folder: Path) -> None:
    """bin/noisify starts, and warns under its own name."""
    program = [sys.executable, str(ROOT / "bin" / "noisify")]
    done = subprocess.run([*program, *START.split(), "-gian", "2"], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0 and done.stdout == EXPECTED["plain"]["stdout"]
    assert "noisify: warning: unknown option '-gian' is ignored" in done.stderr
    for word, start in (
        ("-h", "usage: noisify"),
        ("--help", "usage: noisify"),
        ("--version", "noisify (nanobragg_py)"),
    ):
        assert subprocess.run([*program, word], capture_output=True, text=True).stdout.startswith(start)


def test_large_image_is_written_meanwhile(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Where files are written on another thread, they are those of one thread; what goes wrong there is said."""
    side = 520
    image = np.random.default_rng(2).gamma(1.0, 5.0, (side, side)).astype(np.float32)
    (folder / "large.bin").write_bytes(image.tobytes())
    line = f"-floatfile large.bin -detpixels {side} -seed 3 -readout 2"
    run(f"{line} --threads 1", capfd)
    alone = new_files(folder)
    for name in ("intimage.img", "image.pgm", "noiseimage.img"):
        (folder / name).unlink()
    assert run(f"{line} --threads 2", capfd)[0] == 0
    assert new_files(folder) == alone and len(alone) == 4
    (folder / "intimage.img").unlink()
    with pytest.MonkeyPatch.context() as patch:

        def full_disk(*arguments: object) -> None:
            raise InputError("no space left")

        patch.setattr(noisify_run, "write_smv", full_disk)
        status, _, err = run(f"{line} --threads 2", capfd)
    assert status == 9 and err.endswith("noisify: error: no space left\n")
