"""Inputs are opened once, whatever they are packed in, and never grow beyond what they may."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import random
import threading
import tracemalloc
import zlib
from pathlib import Path

import pytest

from nanobragg_py.base import opening
from nanobragg_py.base.errors import InputError
from nanobragg_py.base.opening import CannotOpen, open_input

TEXT = b"".join(b"%d %d 0 %d\n" % (i, -i, i * i) for i in range(40_000))
PACKERS = {"plain": bytes, "gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress}
PACKED = {name: pack(TEXT) for name, pack in PACKERS.items()}


@pytest.mark.parametrize("kind", PACKERS)
def test_content_whatever_it_is_packed_in(tmp_path: Path, kind: str) -> None:
    """Head, content, the file read twice, and a named file, all have the same bytes; the name may be any."""
    path = tmp_path / "ü β.gz"
    path.write_bytes(PACKED[kind])
    with open_input(path, "-hkl") as opened:
        assert opened.head(100) == TEXT[:100]
        assert opened.file.read() == opened.content() == TEXT
        opened.file.seek(0)
        assert opened.file.read(10) == TEXT[:10]
        with opened.named() as name:
            assert Path(name).read_bytes() == TEXT
        assert opened.on_disk == (kind == "plain") == (name == str(path))
    assert Path(name).exists() == (kind == "plain")


@pytest.mark.parametrize("kind", PACKERS)
def test_pipes(tmp_path: Path, kind: str) -> None:
    """A pipe, which cannot be read twice, is read once; what was in it can be."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=[PACKED[kind]])
    writer.start()
    with open_input(path, "-hkl") as opened:
        writer.join()
        assert opened.content() == opened.file.read() == TEXT
        assert not opened.on_disk


def test_members_that_follow_each_other(tmp_path: Path) -> None:
    """As gzip itself reads a file that two were appended to."""
    path = tmp_path / "a.gz"
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        path.write_bytes(pack(TEXT) + pack(b"more"))
        assert open_input(path, "-hkl").content() == TEXT + b"more"


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_what_unpacks_to_too_much_is_refused_before_it_takes_memory(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 32 << 20
    path = tmp_path / "bomb"
    path.write_bytes(PACKERS[kind](bytes(size)))
    for limit, message in (("MOST_UNPACKED", "16 MiB"), ("HARMLESS", "200 times its size")):
        with monkeypatch.context() as patch:
            patch.setattr(opening, limit, size // 2)
            tracemalloc.start()
            try:
                with (
                    open_input(path, "-hkl") as opened,
                    pytest.raises(InputError, match=f"unpacks to more than {message}"),
                ):
                    for _ in iter(lambda opened=opened: opened.read(1 << 20), b""):
                        pass
                assert tracemalloc.get_traced_memory()[1] < size // 2
            finally:
                tracemalloc.stop()


def test_what_would_not_fit_into_memory_is_not_read_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compressed or not, it must fit in with what is made of it."""
    (tmp_path / "a").write_bytes(TEXT)
    (tmp_path / "a.gz").write_bytes(gzip.compress(bytes(8 << 20)))
    monkeypatch.setattr(opening, "most_bytes", lambda: 3 * len(TEXT))
    monkeypatch.setattr("nanobragg_py.base.memory.most_bytes", lambda: 3 * len(TEXT))
    for name in ("a", "a.gz"):
        with (
            open_input(tmp_path / name, "-hkl") as opened,
            pytest.raises(InputError, match=r"-hkl would need .* memory"),
        ):
            opened.content()


def test_xz_that_asks_for_much_memory_is_refused(tmp_path: Path) -> None:
    """A dictionary of 4 GiB, of which one byte of the block's header speaks."""
    content = bytearray(lzma.compress(b"1 2 3 4\n"))
    content[16] = 40
    content[20:24] = zlib.crc32(content[12:20]).to_bytes(4, "little")
    path = tmp_path / "a.xz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"a.xz: cannot be decompressed \(memory usage limit"):
        open_input(path, "-hkl")


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_damaged_files_give_a_message(tmp_path: Path, kind: str) -> None:
    """Cut anywhere or with any byte changed: what was in it, or an error that names the file; nothing else."""
    draw = random.Random(1)
    packed = PACKERS[kind](TEXT[:3000])
    path = tmp_path / "a"
    refused = 0
    for _ in range(150):
        content = bytearray(packed)
        if draw.random() < 0.4:
            del content[draw.randrange(12, len(content)) :]
        else:
            content[draw.randrange(len(content))] = draw.randrange(256)
        path.write_bytes(content)
        try:
            with open_input(path, "-hkl") as opened:
                opened.content()
        except InputError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ") and len(str(error)) < 300
    assert refused > 60


@pytest.mark.parametrize(
    ("start", "maker"), [(b"PK\x03\x04", "zip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\x1f\x9d", "compress")]
)
def test_what_is_not_unpacked_is_named(tmp_path: Path, start: bytes, maker: str) -> None:
    (tmp_path / "a").write_bytes(start + bytes(50))
    with pytest.raises(InputError, match=f"a: -hkl is compressed with {maker}, which is not read"):
        open_input(tmp_path / "a", "-hkl")


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(CannotOpen, match="no: -hkl cannot be read: no such file or directory"):
        open_input(tmp_path / "no", "-hkl")
    with pytest.raises(CannotOpen, match="is a directory"):
        open_input(tmp_path, "-hkl")
    with pytest.raises(CannotOpen, match="null"):
        open_input("a\0b", "-hkl")


def test_what_never_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "ENDLESS", 1 << 20)
    with pytest.raises(InputError, match="does not end within 1 MiB"):
        open_input("/dev/zero", "-hkl")
