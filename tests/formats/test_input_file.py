"""Input images from compressed files, pipes and devices: opened once, and never read further than they say."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from forked import run_forked
from hypothesis import given
from hypothesis import strategies as st

from nanobragg_py import InputError, simulate
from nanobragg_py.formats.input_file import InputFile
from nanobragg_py.formats.input_image import open_image

CRYSTAL = dict(cell=(40, 50, 60), default_F=100, N=5, oversample=1)
LINE = "-cell 40 50 60 -default_F 100 -N 5 -oversample 1 -seed 1 -nonoise -nopgm -noprogress".split()
PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}


def smv(width: int = 20, height: int = 16, pixels: bytes | None = None) -> bytes:
    keys = "PIXEL_SIZE=0.5;\nDISTANCE=80;\nWAVELENGTH=1.1;\nBEAM_CENTER_X=4;\nBEAM_CENTER_Y=6;\nPHI=3;\nOSC_RANGE=1;\n"
    text = f"{{\nHEADER_BYTES=512;\nSIZE1={width};\nSIZE2={height};\n{keys}}}\f"
    return text.encode().ljust(512) + ((b"\0\0" + b"\1\0" * 9) * (width * height // 10) if pixels is None else pixels)


@pytest.mark.parametrize("packer", PACKERS)
def test_compression_changes_nothing(packer: str, tmp_path: Path, golden_folder: Path) -> None:
    """The same image and log, also under a name that does not say so."""
    content = (golden_folder / "inputs" / "header.img").read_bytes()
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.img").write_bytes(content)
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed" / "a.img").write_bytes(PACKERS[packer](content))
    for option in ("-img", "-mask"):
        plain, packed = (run_forked([option, "a.img", *LINE], tmp_path / name) for name in ("plain", "packed"))
        assert plain.status == packed.status == 0, packed.err
        assert packed.out == plain.out and packed.files["floatimage.bin"] == plain.files["floatimage.bin"]
        assert packed.err == plain.err


@given(
    st.binary(min_size=1, max_size=5000), st.lists(st.integers(0, 6000), max_size=6), st.sampled_from([None, *PACKERS])
)
def test_heads_and_content(content: bytes, sizes: list[int], packer: str | None) -> None:
    """In whatever steps, the bytes that are there."""
    packed = content if packer is None else PACKERS[packer](content)
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(packed)
    try:
        with InputFile(f"/dev/fd/{read}", "-img") as file:
            for size in sizes:
                assert file.head(size) == content[:size]
            assert file.content(7000) == content
    except InputError:
        assert packer is None
    finally:
        os.close(read)


@pytest.mark.parametrize("packer", [None, *PACKERS])
def test_a_pipe_is_read_like_a_file(packer: str | None, tmp_path: Path) -> None:
    """Mask and image, in a process of its own."""
    content = smv() if packer is None else PACKERS[packer](smv())
    (tmp_path / "a.img").write_bytes(smv())
    for option in ("-img", "-mask"):
        expected = run_forked([option, "a.img", *LINE], tmp_path).files["floatimage.bin"]
        command = [sys.executable, "-m", "nanobragg_py", option, "/dev/stdin", *LINE]
        done = subprocess.run(command, cwd=tmp_path, input=content, capture_output=True, check=True)
        assert (tmp_path / "floatimage.bin").read_bytes() == expected
        assert done.stderr.count(b"\n") == 1, done.stderr


def test_a_named_pipe_is_opened_once(tmp_path: Path) -> None:
    """A second opening would wait for ever."""
    os.mkfifo(tmp_path / "pipe")
    feeder = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(smv()))
    feeder.start()
    image = simulate(mask=tmp_path / "pipe", **CRYSTAL).image
    feeder.join(10)
    assert image.shape == (16, 20) and not image[0, 0] and image[0, 1]


def test_every_file_is_opened_once(tmp_path: Path) -> None:
    from fabio.cbfimage import CbfImage

    np.save(tmp_path / "m.npy", np.ones((16, 20), bool))
    (tmp_path / "m.img").write_bytes(smv())
    CbfImage(data=np.ones((16, 20), np.int32)).write(str(tmp_path / "m.cbf"))
    log = tmp_path / "opened"

    def watch() -> None:
        file = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

        def hear(event: str, arguments: tuple) -> None:
            if event == "open" and isinstance(arguments[0], str) and os.path.basename(arguments[0]).startswith("m."):
                os.write(file, arguments[0].encode() + b"\n")

        sys.addaudithook(hear)

    for name in ("m.img", "m.cbf", "m.npy"):
        run = run_forked(["-mask", name, *LINE], tmp_path, watch)
        assert run.status == 0, run.err
        assert log.read_text() == f"{name}\n"
        log.unlink()


# --- more than they say ----

ZEROS = gzip.compress(bytes(1 << 24))


def bomb(path: Path, start: bytes) -> None:
    """A gzip file of half a megabyte in which half a gigabyte of zeros follow."""
    path.write_bytes(gzip.compress(start) + 32 * ZEROS)


def with_memory(limit: int):
    """Called in the child: as much memory as it has, and `limit` bytes more."""

    def set_limit() -> None:
        with open("/proc/self/statm", encoding="ascii") as file:
            now = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + limit, resource.RLIM_INFINITY))

    return set_limit


STARTS = {
    "SMV": smv(20, 16, b""),
    "no image": b"nothing that is known",
    "PGM": b"P5 20 16 255\n",
    "NPY": b"",
    "EDF": b"{\nDim_1 = 20 ;\nDim_2 = 16 ;\nDataType = FloatValue ;\n}\n",
    "huge SMV": smv(100_000, 20_000, b""),
    "huge PGM": b"P5 100000 20000 255\n",
    "huge EDF": b"{\nDim_1 = 100000 ;\nDim_2 = 20000 ;\nDataType = FloatValue ;\n}\n",
    "SMV header": b"{\nHEADER_BYTES=16000000000;\nSIZE1=4;\nSIZE2=4;\n",
    "endless EDF header": b"{\n",
    "endless CBF header": b"###CBF: VERSION 1.5\n",
    "endless PGM header": b"P5 #",
    "TIFF": b"II*\0\x08\0\0\0",
}


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux's /proc")
@pytest.mark.parametrize("kind", STARTS)
def test_a_bomb_is_not_unpacked(kind: str, tmp_path: Path) -> None:
    """Half a gigabyte in half a megabyte: as much is unpacked as the image says it has, or it is refused for that."""
    start = STARTS[kind]
    if kind == "NPY":
        np.save(tmp_path / "n.npy", np.ones((16, 20), np.uint8))
        start = (tmp_path / "n.npy").read_bytes()
    bomb(tmp_path / "bomb", start)
    begun = time.perf_counter()
    run = run_forked(["-mask", "bomb", *LINE], tmp_path, with_memory(3 * 2**28))
    assert time.perf_counter() - begun < 10
    if kind in ("SMV", "PGM", "NPY", "EDF"):
        assert run.status == 0, run.err
    else:
        assert run.status == 9 and run.complaint.startswith("bomb: "), run.err


def test_an_endless_device(tmp_path: Path) -> None:
    for device in ("/dev/zero", "/dev/full"):
        with pytest.raises(InputError, match=rf"{device}: -mask "):
            simulate(mask=device, **CRYSTAL)


@pytest.mark.parametrize("packer", PACKERS)
@given(cut=st.integers(4, 200), flip=st.integers(0, 200))
def test_damaged_compression(packer: str, cut: int, flip: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A message, in our words, or the image."""
    packed = bytearray(PACKERS[packer](smv()))
    packed[flip % len(packed)] ^= 0x5A
    path = tmp_path_factory.mktemp("damaged") / "a.img"
    path.write_bytes(packed[: 4 + cut * len(packed) // 200])
    try:
        assert open_image(str(path), "-mask", want_pixels=True).pixels is not None
    except InputError as error:
        assert re.match(r".*a\.img: (-mask|header|cannot be decompressed)", str(error)) and len(str(error)) < 400


def test_compressions_that_python_has_not(tmp_path: Path) -> None:
    (tmp_path / "a.img").write_bytes(b"\x1f\x9d\x90abc")
    with pytest.raises(InputError, match=r"a\.img: -img is compressed with compress, which is not read: decompress"):
        simulate(img=tmp_path / "a.img", **CRYSTAL)
