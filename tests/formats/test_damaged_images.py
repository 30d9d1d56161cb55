"""Every format, cut short and with bytes changed: an image or a message, soon, in our words, without a traceback."""

from __future__ import annotations

import io
import random
import re
import time
from functools import cache
from pathlib import Path

import fabio
import h5py
import numpy as np
import pytest
from forked import run_forked
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nanobragg_py import InputError
from nanobragg_py.formats.input_file import InputFile
from nanobragg_py.formats.input_image import open_image
from nanobragg_py.formats.mini_cbf import byte_offset
from nanobragg_py.formats.pgm_reader import pgm_header, read_pgm

IMAGE = np.random.default_rng(3).integers(-300, 70000, (16, 20)).astype(np.int32)
LINE = "-cell 40 50 60 -default_F 100 -N 5 -oversample 1 -seed 1 -nonoise -nopgm -noprogress".split()
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@cache
def sample(kind: str) -> bytes:
    """A small, good file of a format."""
    if kind == "smv":
        text = b"{\nHEADER_BYTES=512;\nTYPE=long_integer;\nSIZE1=20;\nSIZE2=16;\nDISTANCE=100;\nPHI=1;\n}\f"
        return text.ljust(512) + IMAGE.tobytes()
    if kind == "npy":
        stream = io.BytesIO()
        np.save(stream, IMAGE)
        return stream.getvalue()
    if kind == "pgm":
        return b"P5\n# a comment\n20 16\n255\n" + IMAGE.astype(np.uint8).tobytes()
    if kind == "plain pgm":
        return b"P2 20 16 65535\n" + " ".join(map(str, np.abs(IMAGE).ravel() % 65536)).encode()
    path = Path("/dev/shm" if Path("/dev/shm").is_dir() else ".") / f"sample-{time.monotonic_ns()}"
    try:
        return written(kind, path)
    finally:
        path.unlink(missing_ok=True)


def written(kind: str, path: Path) -> bytes:
    """What another library writes."""
    if kind == "hdf5":
        with h5py.File(path, "w") as file:
            file.create_dataset("entry/data/data", data=IMAGE[None], chunks=(1, 16, 20), compression="gzip")
            file["entry/instrument/beam/incident_wavelength"] = 1.0
            file["entry/instrument/detector/x_pixel_size"] = 1e-4
    else:
        header = {"_array_data.header_contents": "# Pixel_size 1e-4 m x 1e-4 m\n# Wavelength 1.0 A"}
        classes = {
            "cbf": lambda: fabio.cbfimage.CbfImage(data=IMAGE, header=header),
            "edf": lambda: fabio.edfimage.EdfImage(data=IMAGE, header={"PSize_1": "1e-4"}),
            "tiff": lambda: fabio.tifimage.TifImage(data=IMAGE),
            "fit2d mask": lambda: fabio.fit2dmaskimage.Fit2dMaskImage(data=(IMAGE > 0).astype(np.uint8)),
            "bruker": lambda: fabio.bruker100image.Bruker100Image(data=IMAGE),
        }
        classes[kind]().write(str(path))
    return path.read_bytes()


def damaged(content: bytes, cut: float, flips: list[tuple[float, int]]) -> bytes:
    """Some bytes changed, then cut; places are parts of the length."""
    changed = bytearray(content)
    for place, value in flips:
        changed[int(place * (len(changed) - 1))] ^= value
    return bytes(changed[: max(1, int(cut * len(changed)))])


def read_or_refuse(path: Path, content: bytes) -> np.ndarray | None:
    """Pixels of an image, or None if it is refused in one short line that names the file."""
    path.write_bytes(content)
    begun = time.perf_counter()
    try:
        pixels = open_image(str(path), "-mask", want_pixels=True, as_mask=True).pixels
    except InputError as error:
        assert re.match(rf"{re.escape(str(path))}: ", str(error)) and len(str(error)) < 600, error
        assert not re.search(r"Traceback|Image\b.*object|Error\(|fabio\.|h5py\.|numpy\.", str(error)), error
        pixels = None
    assert time.perf_counter() - begun < 20
    return pixels


# Places near the beginning, where headers are, as often as all others.
PLACES = st.one_of(st.floats(0, 1), st.floats(0, 0.1))
FLIPS = st.lists(st.tuples(PLACES, st.integers(1, 255)), max_size=4)
CUTS = st.one_of(st.just(1.0), st.floats(0, 1))
OURS = ("smv", "cbf", "edf", "npy", "pgm", "plain pgm", "fit2d mask")
OTHERS = ("tiff", "hdf5", "bruker")


@pytest.mark.parametrize("kind", (*OURS, *OTHERS))
def test_the_sample_is_read(kind: str, tmp_path: Path) -> None:
    """As its writer meant it."""
    expected = {"pgm": IMAGE.astype(np.uint8), "plain pgm": np.abs(IMAGE) % 65536, "fit2d mask": IMAGE > 0}
    pixels = read_or_refuse(tmp_path / "a", sample(kind))
    assert np.array_equal(pixels, expected.get(kind, IMAGE))


@pytest.mark.parametrize("kind", OURS)
@FUZZ
@given(cut=CUTS, flips=FLIPS)
def test_our_readers(kind: str, cut: float, flips: list[tuple[float, int]], tmp_path_factory) -> None:
    read_or_refuse(
        tmp_path_factory.getbasetemp() / f"damaged-{kind.replace(' ', '-')}", damaged(sample(kind), cut, flips)
    )


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("seed", range(6))
def test_readers_in_a_process_of_their_own(kind: str, seed: int, tmp_path: Path) -> None:
    rng = random.Random(f"{kind} {seed}")
    cut = 1.0 if seed % 2 else rng.random()
    flips = [(rng.random() * rng.choice([1, 0.1]), rng.randint(1, 255)) for _ in range(4)]
    read_or_refuse(tmp_path / "a", damaged(sample(kind), cut, flips))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (
            b"###CBF: VERSION 1.5\n--CIF-BINARY-FORMAT-SECTION--\nX-Binary-Size: 6247567",
            "cut short in the header of its",
        ),
        (b"\x93NUMPY\x01\0v\0{'descr': '<i4', 'fortran_order': Fals\0", "its header is damaged, or of another kind"),
        (b"\x93NUMPY\x01\0\x10\0" + b"(" * 16, "its header is damaged"),
        (b"II*\0\x08\0\0\0\xff\xff" + b"\1" * 90, "it is damaged, or of a kind that is not known here"),
        (b"\x89HDF\r\n\x1a\n" + bytes(200), "it is damaged, or of a kind that is not known here"),
    ],
)
def test_files_that_other_readers_hang_or_fail_on(content: bytes, says: str, tmp_path: Path) -> None:
    """One line on standard error, exit status 9."""
    (tmp_path / "a.img").write_bytes(content)
    run = run_forked(["-mask", "a.img", *LINE], tmp_path)
    assert run.status == 9 and run.complaint.startswith("a.img: -mask: ") and says in run.complaint
    assert run.err.count("\n") == 1, run.err


# --- PGM headers, from left to right ----


@pytest.mark.parametrize(
    "content",
    [
        b"P5" + b" #" * 15,
        b"P5" + b"#\n " * 20000,
        b"P5 " + b"1" * 60000,
        b"P5" + b"\n" * 65000,
        b"P5 #" + b" " * 1000000,
    ],
)
def test_a_long_header_is_refused_soon(content: bytes, tmp_path: Path) -> None:
    begun = time.perf_counter()
    assert read_or_refuse(tmp_path / "a", content) is None
    assert time.perf_counter() - begun < 2


@given(
    st.lists(st.sampled_from([b" ", b"\n", b"\t", b"\r\n", b"# text 1 2\n", b"#\n"]), min_size=3, max_size=3),
    st.integers(1, 20), st.integers(1, 20), st.integers(1, 65535),
)  # fmt: skip
@example([b" ", b"#\n", b"#\n"], 3, 2, 255)
def test_any_pgm_header(blanks: list[bytes], width: int, height: int, largest: int) -> None:
    first, second, third = blanks
    head = b"P5" + first + b"%d" % width + second + b"%d" % height + third + b"%d\n" % largest
    found = pgm_header(head, "file")
    assert (found.width, found.height, found.largest, found.end) == (width, height, largest, len(head) - 1)


@pytest.mark.parametrize(
    "content", [b"P5 3 2 0\n", b"P5 3 2 65536\n", b"P5 3 x 255\n", b"P5 0 2 255\n", b"P5 -3 2 9\n"]
)
def test_headers_that_cannot_be(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.pgm").write_bytes(content + bytes(99))
    with InputFile(str(tmp_path / "a.pgm"), "-mask") as file, pytest.raises(InputError, match=r"a\.pgm: -mask: "):
        read_pgm(file)


# --- byte offsets ----


@given(st.lists(st.integers(-(2**29), 2**29) | st.integers(-300, 300), min_size=1, max_size=60))
@example([-(2**29), 2**29, -(2**29)])
@example([127, -1, -129, -128, 0, 128])
def test_byte_offsets_are_what_fabio_writes(values: list[int]) -> None:
    pixels = np.array(values, dtype=np.int32)
    packed = bytes(fabio.compression.compByteOffset(pixels))
    assert np.array_equal(byte_offset(packed, len(values), np.dtype("<i4"), "file"), pixels)


@given(st.binary(max_size=200), st.integers(1, 300))
def test_any_byte_offsets(data: bytes, count: int) -> None:
    try:
        assert len(byte_offset(data, count, np.dtype("<i4"), "file")) <= min(count, len(data))
    except InputError as error:
        assert "ends within a pixel" in str(error)
