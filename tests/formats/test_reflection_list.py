"""Plain lists of h k l F: any bytes give what another reader gives, or an error, in bounded time and memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import math
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from forked import BASE, LIST, run_forked
from hypothesis import example, given
from hypothesis import strategies as st
from parser_strategies import ANY, FUZZ, LARGE, check_time_and_memory, result_or_input_error

from nanobragg_py.base.errors import InputError
from nanobragg_py.base.opening import Opened, open_input
from nanobragg_py.formats import reflection_list
from nanobragg_py.formats.reflection_list import _parse_piece, parse_list, read_list
from nanobragg_py.model.structure_factors import Grid


def make_grid(content: bytes, default_F: float = 0.0) -> Grid:
    """The grid of a list's text."""
    return read_list(Opened("file", "-hkl", io.BytesIO(content), on_disk=False), default_F)


def independent_list(content: bytes) -> list[tuple[int, int, int, float]] | None:
    """A list's reflections by another way; None when it must be refused."""
    if b"\0" in content:
        return None
    rows = []
    for line in content.split(b"\n"):
        words = line.split()
        if len(words) % 4:
            return None
        for at in range(0, len(words), 4):
            try:
                h, k, i = (int(word) for word in words[at : at + 3])
                F = float(words[at + 3].decode("ascii"))
            except ValueError:
                return None
            if b"_" in b"".join(words[at : at + 4]) or not math.isfinite(F) or max(abs(h), abs(k), abs(i)) >= 2**30:
                return None
            rows.append((h, k, i, F))
    return rows or None


@FUZZ
@given(ANY)
@example(b"1 2 3 4")
@example(b"1 2 3 4 5 6 7 8\n")
@example(b"-0 +0 00 -0.0\n")
@example(b"1 2 3 123456789012345.5\n1 2 3 .5\n1 2 3 5.\n")
def test_any_list(content: bytes) -> None:
    """Read as another reader reads it, or refused where that refuses it (hexadecimal F apart)."""
    found = result_or_input_error(parse_list, content, "file")
    if b"x" in content.lower():
        return
    expected = independent_list(content)
    assert (found is None) == (expected is None)
    if found is not None:
        hkl, F = found
        assert [tuple(row) for row in hkl.tolist()] == [row[:3] for row in expected]
        assert F.tobytes() == np.array([row[3] for row in expected]).tobytes()


@FUZZ
@given(st.lists(st.tuples(*[st.integers(-9, 9)] * 3, st.floats(0, 1e6)), min_size=1, max_size=40), st.integers(1, 64))
def test_pieces_of_a_list_join(rows: list[tuple], size: int) -> None:
    """However a list is cut into pieces, the same reflections come out."""
    content = "".join("{} {} {} {!r}\n".format(*row) for row in rows).encode()
    at, line, found = 0, 1, []
    grown = size
    while at < len(content):
        hkl, F, used = _parse_piece(content[at : at + grown], at + grown >= len(content), "file", line)
        found += [(*indices, value) for indices, value in zip(hkl.tolist(), F.tolist(), strict=True)]
        grown = size if used else 2 * grown
        at += used
    assert found == rows


@FUZZ
@given(ANY)
def test_any_grid(content: bytes) -> None:
    """A list's grid holds its last F at each index; ranges too large for memory are refused."""
    grid = result_or_input_error(make_grid, content, 5.0)
    if grid is not None:
        hkl, F = parse_list(content, "file")
        h0, _, k0, _, l0, _ = grid.ranges
        box = grid.amplitudes[:-1].reshape(grid.shape)
        last = {tuple(row): value for row, value in zip(hkl.tolist(), F.tolist(), strict=True)}
        for (h, k, i), value in last.items():
            assert box[h - h0, k - k0, i - l0] == value


@FUZZ
@given(st.lists(ANY, max_size=4), st.integers(1, 60))
@example([b"1 2 3 4\n5 6 7 8", b" 1 2 3 4 1 2 3 4.5e0 \n1 2 3 4"], 3)
def test_blocks_of_a_list_join(parts: list[bytes], size: int) -> None:
    """However a list is cut into blocks, plain or not, the same reflections come out, or a message."""
    content = b"\n".join(parts)

    def found() -> object:
        try:
            hkl, F = parse_list(content, "file")
            return hkl.tolist(), F.tolist()
        except InputError as error:
            return str(error)

    whole = found()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reflection_list, "BLOCK", size)
        patch.setattr(reflection_list, "PIECE", 2 * size)
        blocks = found()
    assert blocks == whole or (isinstance(blocks, str) and isinstance(whole, str))


@pytest.mark.parametrize(
    "word", ["nan", "-nan", "NaN", "nan(0x1)", "nan()", "inf", "-inf", "Infinity", "1e999", "0x1p9999"]
)
@pytest.mark.parametrize("place", range(4))
def test_what_is_no_number_is_named_with_its_line(word: str, place: int) -> None:
    """Any spelling of not-a-number and infinity, in any column, before and after the first block."""
    for before in (1, 200_000):
        words = ["1", "2", "3", "4"]
        words[place] = word
        with pytest.raises(InputError) as caught:
            make_grid(b"1 2 3 4\n" * before + " ".join(words).encode())
        assert str(caught.value).startswith(f"file: line {before + 1}: expected ") and word in str(caught.value)


def test_a_list_takes_memory_for_its_grid_only(tmp_path: Path) -> None:
    """Ten megabytes of text, read from a file: beside the grid, a few blocks of it."""
    edge = range(-40, 41)
    text = "".join(f"{h} {k} {i} {h * h + k * k + 0.25}\n" for h in edge for k in edge for i in edge)
    (tmp_path / "list").write_text(text)
    make_grid(b"1 2 3 4\n")  # whatever it loads
    tracemalloc.start()
    try:
        with open_input(tmp_path / "list", "-hkl") as opened:
            grid = read_list(opened, 0.0)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(text) > 8e6 and most < grid.amplitudes.nbytes + 14 * reflection_list.BLOCK
    assert grid.reflections == 81**3 and grid.last_F == 3200.25


def test_dark_lists_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    make_grid(b"1 2 3 0\n1 2 4 -0.0\n")
    assert capsys.readouterr().err == "nanoBragg: warning: file: all 2 structure factors of the list are zero\n"
    make_grid(b"1 2 3 0\n1 2 4 1\n")
    assert capsys.readouterr().err == ""


def test_a_list_that_grows_while_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "list").write_text("1 2 3 4\n")
    monkeypatch.setattr(reflection_list, "KEPT", 0)
    read = reflection_list._empty_grid

    def grow(*arguments):
        with (tmp_path / "list").open("a") as file:
            file.write("9 9 9 9\n")
        return read(*arguments)

    monkeypatch.setattr(reflection_list, "_empty_grid", grow)
    with open_input(tmp_path / "list", "-hkl") as opened, pytest.raises(InputError, match="has changed while"):
        read_list(opened, 0.0)


@pytest.mark.parametrize("kind", LARGE)
def test_large_lists_need_bounded_time_and_memory(kind: str) -> None:
    check_time_and_memory(lambda content: parse_list(content, "file"), kind)
    check_time_and_memory(make_grid, kind)


# --- as a process ----

WORDS = [*BASE, "-nonoise", "-nopgm", "-noprogress"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, bytes, bytes]:
    """Log, image and dump of a run with the list in a file."""
    folder = tmp_path_factory.mktemp("plain")
    (folder / "P1.hkl").write_text(LIST)
    found = run_forked(["-hkl", "P1.hkl", *WORDS], folder)
    return found.out.encode(), found.files["floatimage.bin"], found.files["Fdump.bin"]


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[bytes]:
    """A line of the shell; nanoBragg in it is ours."""
    line = line.replace("nanoBragg", f"{sys.executable} -m nanobragg_py")
    return subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, check=False, timeout=60)


@pytest.mark.parametrize(
    ("pack", "line", "name"),
    [
        (gzip.compress, "nanoBragg -hkl P1.hkl.gz", "P1.hkl.gz"),
        (bz2.compress, "nanoBragg -hkl P1.hkl.gz", "P1.hkl.gz"),
        (lzma.compress, "nanoBragg -hkl P1.hkl.gz", "P1.hkl.gz"),
        (gzip.compress, "cat P1.hkl.gz | nanoBragg -hkl /dev/stdin", "/dev/stdin"),
        (gzip.compress, "gunzip -c P1.hkl.gz | nanoBragg -hkl /dev/stdin", "/dev/stdin"),
        (gzip.compress, "nanoBragg -hkl <(gunzip -c P1.hkl.gz)", "/dev/fd/63"),
        (gzip.compress, "nanoBragg -hkl /dev/stdin < P1.hkl.gz", "/dev/stdin"),
        (gzip.compress, "mv P1.hkl.gz ü-β.hkl && nanoBragg -hkl ü-β.hkl", "ü-β.hkl"),
    ],
)
def test_lists_from_wherever_they_are(tmp_path: Path, plain: tuple[bytes, ...], pack, line: str, name: str) -> None:
    """Compressed or not, from a file, a pipe or the shell's <( ): the same log, image and dump, and nothing else."""
    (tmp_path / "P1.hkl.gz").write_bytes(pack(LIST.encode()))
    done = shell(tmp_path, f"{line} {' '.join(WORDS)}")
    assert (done.returncode, done.stderr) == (0, b"")
    log = done.stdout.replace(name.encode(), b"P1.hkl")
    assert [x for x in log.splitlines() if b"mmap" not in x] == [x for x in plain[0].splitlines() if b"mmap" not in x]
    assert (tmp_path / "floatimage.bin").read_bytes() == plain[1]
    assert (tmp_path / "Fdump.bin").read_bytes() == plain[2]


@pytest.mark.parametrize(
    "line",
    ["cat dump | nanoBragg -dump /dev/stdin", "nanoBragg -dump <(cat dump)", "gzip dump; nanoBragg -dump dump.gz"],
)
def test_dumps_from_pipes(tmp_path: Path, plain: tuple[bytes, ...], line: str) -> None:
    (tmp_path / "dump").write_bytes(plain[2])
    done = shell(tmp_path, f"{line} {' '.join(WORDS)}")
    assert done.returncode == 0 and b"structure factors come from the dump of an earlier run" in done.stderr
    assert b"reading Fs from " in done.stdout and (tmp_path / "floatimage.bin").read_bytes() == plain[1]


@pytest.mark.parametrize(
    ("line", "log", "error"),
    [
        ("nanoBragg -hkl no.hkl", b"ERROR: unable to open no.hkl.", b"no.hkl: -hkl cannot be read: no such file"),
        (
            "nanoBragg -hkl .",
            b"counting entries in .\nh: 1000000000 - -1000000000",
            b".: -hkl cannot be read: is a dir",
        ),
        (": | nanoBragg -hkl /dev/stdin", b"ERROR: not enough HKL indices", b"/dev/stdin: not enough HKL indices"),
        ("nanoBragg -hkl cut.gz", b"", b"cut.gz: cannot be decompressed"),
        ("nanoBragg -hkl P1.zip", b"", b"P1.zip: -hkl is compressed with zip, which is not read"),
    ],
)
def test_the_log_of_lists_that_cannot_be_read(tmp_path: Path, line: str, log: bytes, error: bytes) -> None:
    """It has the C program's words where the C program has them, and only there."""
    (tmp_path / "cut.gz").write_bytes(gzip.compress(LIST.encode())[:-200])
    (tmp_path / "P1.zip").write_bytes(b"PK\x03\x04" + bytes(99))
    done = shell(tmp_path, f"{line} {' '.join(WORDS)}")
    assert done.returncode == 9 and log in done.stdout and done.stderr.startswith(b"nanoBragg: error: " + error)
    assert (b"unable to open" in done.stdout) == (b"unable" in log) and done.stderr.count(b"\n") == 1
    assert not list(tmp_path.glob("*.bin"))
