"""nb-compare as a whole: every format, every threshold, its files and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from fabio.adscimage import AdscImage
from fabio.cbfimage import CbfImage
from fabio.edfimage import EdfImage
from fabio.tifimage import TifImage
from running import Done, within

from nanobragg_py.formats.any_image import read_image
from nanobragg_py.tools.compare.command import write_json
from nanobragg_py.tools.compare.statistics import statistics


def tool(*arguments: object, cwd: Path | None = None) -> Done:
    """Run nb-compare."""
    return within("nb-compare", arguments, cwd)


def spots(shape: tuple[int, int], shift: tuple[int, int] = (0, 0)) -> np.ndarray:
    """Eight spots of different height, 18 pixels apart or more, displaced as a whole."""
    slow, fast = np.mgrid[: shape[0], : shape[1]]
    image = np.ones(shape)
    for i, (s, f) in enumerate([(12, 15), (12, 40), (30, 12), (30, 33), (31, 52), (48, 14), (48, 30), (50, 50)]):
        image += (100 + 13 * i) * np.exp(-((slow - s - shift[0]) ** 2 + (fast - f - shift[1]) ** 2) / 3.0)
    return image.astype(np.float32)


def write_pgm(path: Path, image: np.ndarray) -> None:
    header = b"P5\n%d %d\n# a comment\n%d\n" % (image.shape[1], image.shape[0], np.iinfo(image.dtype).max)
    path.write_bytes(header + image.astype(image.dtype.newbyteorder(">")).tobytes())


def write_plain_pgm(path: Path, image: np.ndarray) -> None:
    path.write_text(f"P2 {image.shape[1]} {image.shape[0]} 65535\n" + " ".join(map(str, image.ravel())))


FORMATS = {
    "smv.img": lambda path, image: AdscImage(data=image).write(str(path)),
    "cbf.cbf": lambda path, image: CbfImage(data=image.astype(np.int32)).write(str(path)),
    "edf.edf": lambda path, image: EdfImage(data=image).write(str(path)),
    "float.edf": lambda path, image: EdfImage(data=image.astype(np.float32)).write(str(path)),
    "tiff.tif": lambda path, image: TifImage(data=image).write(str(path)),
    "npy.npy": lambda path, image: np.save(path, image),
    "big_endian.npy": lambda path, image: np.save(path, image.astype(">f8")),
    "raw.bin": lambda path, image: image.astype(np.float32).tofile(path),
    "pgm.pgm": write_pgm,
    "plain.pgm": write_plain_pgm,
    "bytes.pgm": lambda path, image: write_pgm(path, (image % 256).astype(np.uint8)),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_read_as_it_was_written(name: str, tmp_path: Path) -> None:
    image = np.random.default_rng(1).integers(0, 60000, (14, 20)).astype(np.uint16)
    FORMATS[name](tmp_path / name, image)
    expected = image % 256 if name.startswith("bytes") else image
    found = read_image(str(tmp_path / name), shape=(14, 20))
    assert found.pixels.shape == (14, 20)
    assert statistics(found.pixels, expected).identical


def test_the_shape_of_a_raw_image(tmp_path: Path) -> None:
    raw = tmp_path / "floatimage.bin"
    image = np.arange(64, dtype=np.float32)
    image.tofile(raw)
    assert read_image(str(raw)).pixels.shape == (8, 8)
    assert read_image(str(raw), other=(2, 32)).pixels.shape == (2, 32)
    header = b"{\nHEADER_BYTES=512;\nTYPE=unsigned_short;\nSIZE1=16;\nSIZE2=4;\n}\f"
    (tmp_path / "intimage.img").write_bytes(header.ljust(512) + bytes(128))
    assert read_image(str(raw)).pixels.shape == (4, 16)
    (tmp_path / "floatimage.img").write_bytes(header.replace(b"=16", b"=32").replace(b"=4;", b"=2;"))
    assert read_image(str(raw)).pixels.shape == (2, 32)
    assert read_image(str(raw), shape=(16, 4)).pixels.shape == (16, 4)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    """An image, and one 2 % brighter but for its first row."""
    a = spots((64, 64))
    b = a * np.float32(1.02)
    b[0] = a[0]
    paths = tmp_path / "a.bin", tmp_path / "b.bin"
    for path, image in zip(paths, (a, b), strict=True):
        image.tofile(path)
    return paths


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        ("", 1),
        ("--identical", 1),
        ("--roi 0 63 0 0 --identical", 0),
        ("--min-corr 0.999", 0),
        ("--min-corr 0.99999999999", 1),
        ("--sum-ratio 1.01 1.03", 0),
        ("--sum-ratio 0.999 1.001", 1),
        ("--max-rel 0.02", 0),
        ("--max-rel 0.01", 1),
        ("--max-ulp 1000000", 0),
        ("--max-ulp 1000", 1),
        ("--max-differing 4032", 0),
        ("--max-differing 4031", 1),
        ("--max-shift 0 --peaks 8", 0),
        ("--max-abs 1e-9", 1),
        ("--max-abs 0", 1),
        ("--max-differing 0 --roi 0 63 0 0", 0),
        ("--max-rms 1e-9", 1),
        ("--min-corr 0.9 --max-ulp 1", 1),
    ],
)
def test_thresholds_decide_the_exit_status(pair: tuple[Path, Path], arguments: str, status: int) -> None:
    result = tool(*pair, *arguments.split())
    assert (result.returncode, result.stderr) == (status, "")
    assert f"verdict: {'FAILED' if status else 'passed'}" in result.stdout


@pytest.mark.parametrize("threshold", ["--max-abs 1", "--max-rel 1", "--max-rms 1", "--min-corr 0", "--max-ulp 9"])
def test_a_lost_pixel_passes_no_threshold(pair: tuple[Path, Path], threshold: str) -> None:
    a = np.fromfile(pair[0], np.float32)
    a[5] = np.nan
    a.tofile(pair[1])
    assert tool(*pair, *threshold.split()).returncode == 1


def test_images_without_peaks_pass_no_threshold_on_their_displacement(tmp_path: Path) -> None:
    for name in "ab":
        np.full((9, 9), 3.0, np.float32).tofile(tmp_path / f"{name}.bin")
    assert tool(tmp_path / "a.bin", tmp_path / "b.bin", "--max-shift", 5).returncode == 1
    assert tool(tmp_path / "a.bin", tmp_path / "b.bin", "--max-abs", 5).returncode == 0


def test_json_has_null_for_what_is_no_number(tmp_path: Path) -> None:
    values = {"a": [1, 2.5, float("nan"), (float("inf"), -float("inf"))], "b": {"c": None, "d": "inf"}, "e": True}
    write_json(str(tmp_path / "r.json"), values)
    text = (tmp_path / "r.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"a": [1, 2.5, None, [None, None]], "b": {"c": None, "d": "inf"}, "e": True}
    assert "NaN" not in text and "Infinity" not in text


def test_a_file_compared_with_itself_is_said(pair: tuple[Path, Path], tmp_path: Path) -> None:
    link = tmp_path / "link.bin"
    link.symlink_to(pair[0])
    for other, said in ((pair[0], f"{pair[0]}\n"), (link, f"{pair[0]} and {link}\n")):
        result = tool(pair[0], other)
        assert result.returncode == 0
        assert result.stderr == f"nb-compare: warning: A and B are the same file: {said}"
    copy = tmp_path / "copy.bin"
    copy.write_bytes(pair[0].read_bytes())
    assert tool(pair[0], copy).stderr == ""


def test_frames_of_one_file_are_compared_and_not_taken_for_one(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "many.h5", "w") as file:
        file["entry/data/data"] = np.stack([spots((32, 32)), spots((32, 32)), 2 * spots((32, 32))])
    many = tmp_path / "many.h5"
    same = tool(f"{many}::1", f"{many}::2")
    assert (same.returncode, same.stderr) == (0, "")
    assert "files byte for byte    not compared: only a part of a file is" in same.stdout
    assert tool(f"{many}::1", f"{many}::3").returncode == 1
    assert "A and B are the same file" in tool(f"{many}::1", f"{many}::1").stderr


def test_how_the_shape_was_found_is_said(pair: tuple[Path, Path], tmp_path: Path) -> None:
    lines = tool(*pair).stdout.splitlines()
    assert lines[0].endswith("(raw, float32, 64 x 64, taken to be square)")
    assert lines[1].endswith("(raw, float32, 64 x 64, shape from the other image)")
    wide = np.fromfile(pair[0], np.float32).reshape(32, 128)
    np.save(tmp_path / "wide.npy", wide)
    lines = tool(pair[0], tmp_path / "wide.npy").stdout.splitlines()
    assert lines[0].endswith("(raw, float32, 32 x 128, shape from the other image)")
    assert lines[1].endswith("(NPY, float32, 32 x 128)")
    assert "--shape is for raw images" in tool(tmp_path / "wide.npy", tmp_path / "wide.npy", "--shape", 1, 1).stderr


def test_json_and_picture(pair: tuple[Path, Path], tmp_path: Path) -> None:
    png = tmp_path / "p.png"
    result = tool(*pair, "--json", "-", "--png", png, "--roi", 5, 60, 7, 63)
    facts = json.loads(result.stdout)
    assert (facts["identical"], facts["passed"], facts["pixels"]) == (False, False, 56 * 57)
    assert facts["sum_ratio"] == pytest.approx(1.02, rel=1e-6)
    assert facts["max_absolute_difference"]["pixel_slow_fast"] == [50, 50]
    assert {"a": [50, 50], "b": [50, 50]} in facts["peaks"]["pairs"]
    assert png.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "expected two images"),
        (("a.bin",), "expected two images"),
        (("a.bin", "missing.bin"), "missing.bin: cannot be read: no such file"),
        (("a.bin", "odd.bin"), "13 bytes are no square"),
        (("a.bin", "empty.bin"), "empty.bin: an empty file"),
        (("a.bin", "small.bin"), "different shapes"),
        (("a.bin", "b.bin", "--shape", "3", "5"), "16384 bytes are not 3 x 5 float32 pixels"),
        (("a.bin", "b.bin", "--roi", "0", "64", "0", "1"), "--roi 0 64 0 1: not inside"),
        (("a.bin", "pickle.npy"), "cannot be read as NPY"),
        (("a.bin", "cube.npy"), "two-dimensional"),
        (("a.bin", "broken.cbf"), "broken.cbf: cannot be read as an image"),
        (("a.bin", "short.pgm"), "cut short"),
        (("a.bin", "b.bin", "--min-corr", "nan"), "--min-corr: not a number"),
        (("a.bin", "b.bin", "--sum-ratio", "0", "nan"), "--sum-ratio: not a number"),
        (("a.bin", "b.bin", "--sum-ratio", "2", "1"), "--sum-ratio: expected the lower limit"),
        (("a.bin", "b.bin", "--max-abs", "-1"), "--max-abs -1: expected a number of at least 0"),
        (("a.bin", "b.bin", "--keep", "x"), "--ignore-line, --keep and --timeout go with --a and --b"),
        (("--a", "true", "--b", "true", "--keep", "."), ".: --keep names what exists already"),
        (("a.bin", "b.bin", "--json", "no/folder/x.json"), "no/folder/x.json: --json cannot be written"),
        (("a.bin", "b.bin", "--png", "no/folder/x.png"), "--png cannot be written"),
        (("--a", "true", "--", "x"), "--a and --b go together"),
        (("--a", "no_such_program", "--b", "true"), "no_such_program: no such program"),
        (("--a", "true", "--b", "true", "--ignore-line", "("), "--ignore-line"),
    ],
)
def test_errors_are_one_line_and_status_2(
    pair: tuple[Path, Path], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "odd.bin").write_bytes(b"thirteen byte")
    (tmp_path / "empty.bin").write_bytes(b"")
    (tmp_path / "small.bin").write_bytes(bytes(16))
    np.save(tmp_path / "pickle.npy", np.array([{}, {}], dtype=object))
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2)))
    (tmp_path / "broken.cbf").write_bytes(b"###CBF: VERSION 1.5\nnothing\n")
    (tmp_path / "short.pgm").write_bytes(b"P5 10 10 255\n123")
    result = tool(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert result.stderr.startswith("nb-compare: error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_help_is_complete() -> None:
    result = tool("--help")
    assert result.returncode == 0
    for word in ("Examples:", "Exit status:", "--min-corr", "--sum-ratio", "--roi", "pixels", "--png"):
        assert word in result.stdout
