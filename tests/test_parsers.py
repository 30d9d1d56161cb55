"""Every parser, given any bytes at all, gives a result or an InputError, in a time and memory that the file bounds."""

from __future__ import annotations

import ctypes
import math
import struct
import time
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nanobragg_py.base.c_numbers import c_format, leading_integer, leading_real
from nanobragg_py.base.errors import InputError
from nanobragg_py.formats.dump import parse_dump
from nanobragg_py.formats.matrix import parse_matrix
from nanobragg_py.formats.reflection_list import _parse_piece, make_grid, parse_list
from nanobragg_py.formats.smv import layout, smv_pixels
from nanobragg_py.formats.tables import parse_columns
from nanobragg_py.options.config import Config, scan
from nanobragg_py.options.table import OPTIONS

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))

# Pieces that files are made of, and what is like them and goes wrong.
NUMBERS = st.one_of(
    st.integers(-30, 30).map(str),
    st.floats(allow_nan=True).map(repr),
    st.sampled_from(
        "0x1p99999 -0x.8 1e999 1e-999 inf -nan nan(9) . + - 1.2.3 0.1-0.2 --5 1e 1e+ 0x 9999999999 "
        "123456789012345678901234567890 +7 007 1d5 1_0 \u0663 \xb2 \xa0".split()
    ),
)
BLANKS = st.sampled_from([" ", "  ", "\t", "\n", "\r\n", "\v", "\f", "\x1c", "\x85", ",", ";", ": ", "\n\n"])
TEXTS = st.lists(st.tuples(NUMBERS, BLANKS), max_size=24).map(
    lambda pairs: "".join(number + blank for number, blank in pairs).encode("utf-8")
)
ANY = st.one_of(st.binary(max_size=400), TEXTS, TEXTS.map(lambda text: text.replace(b".", b"")))


def result_or_input_error(parser, *arguments):
    """What a parser gives, or None if it refuses; anything else it may raise is a failure."""
    try:
        return parser(*arguments)
    except InputError as error:
        assert len(str(error)) < 400
        return None


# --- reflection lists ----


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
    grid = result_or_input_error(make_grid, content, "file", 5.0)
    if grid is not None:
        hkl, F = parse_list(content, "file")
        h0, _, k0, _, l0, _ = grid.ranges
        box = grid.amplitudes[:-1].reshape(grid.shape)
        last = {tuple(row): value for row, value in zip(hkl.tolist(), F.tolist(), strict=True)}
        for (h, k, i), value in last.items():
            assert box[h - h0, k - k0, i - l0] == value


# --- matrix, columns, dump ----


@FUZZ
@given(ANY)
@example(b"1-2-3-4-5-6-7-8-9")
def test_any_matrix(content: bytes) -> None:
    found = result_or_input_error(parse_matrix, content, "file")
    if found is not None:
        assert np.isfinite(np.array(found)).all() and np.shape(found) == (3, 3)


@FUZZ
@given(ANY, st.sampled_from([2, 5]))
def test_any_columns(content: bytes, columns: int) -> None:
    found = result_or_input_error(parse_columns, content, "file", columns, "-sourcefile")
    if found is not None:
        assert found.shape[1] == columns and len(found) <= content.count(b"\n") + 1
        assert np.isfinite(found[:, 0]).all() and not np.isinf(found).any()


@FUZZ
@given(st.lists(st.integers(-4, 4) | st.integers(), min_size=5, max_size=7), st.binary(max_size=700), st.booleans())
@example([0, 0, 0, 0, 0, 0], struct.pack("8d", *range(8)), True)
@example([0, 2**31 - 1, 0, 2**31 - 1, 0, 2**31 - 1], bytes(64), True)
@example([-(2**31), 2**31 - 1, 0, 0, 0, 0], bytes(64), True)
def test_any_dump(ranges: list[int], data: bytes, marked: bool) -> None:
    head = " ".join(map(str, ranges)).encode() + (b"\n\f" if marked else b"\n")
    grid = result_or_input_error(parse_dump, head + data, "file", 5.0)
    if grid is not None:
        assert len(ranges) == 6 and 8 * math.prod(grid.shape) <= len(data)
        assert grid.amplitudes[-1] == 5.0


@FUZZ
@given(st.binary(max_size=300))
def test_any_bytes_as_dump(content: bytes) -> None:
    result_or_input_error(parse_dump, content, "file", 0.0)


# --- time and memory ----

LARGE = {
    "short words": b"1 1 1 1\n" * 50_000,
    "one line": b"12 3 4 5.5 " * 150_000,
    "one word": b"1" * 2_000_000,
    "one signed word": b"-1" * 1_000_000,
    "blanks": b" " * 2_000_000,
    "lines": b"\n" * 2_000_000,
    "short lines": b"11\n" * 600_000,
    "hexadecimals": b"0 0 0 0x1\n" * 50_000,
    "letters": b"x y\n" * 500_000,
    "far-apart words": b"1" + b" " * 2_500_000 + b"2 3 4\n",
    "parentheses": b"nan(" * 500_000,
    "pixels of an image": b"{\nHEADER_BYTES=512;\nSIZE1=1000;\nSIZE2=999;\n}\f".ljust(512) + bytes(2_000_000),
    "keywords": b"{\nHEADER_BYTES=2000000;\n" + b"SIZE1" * 400_000,
    "dump": b"0 57 0 57 0 57\n\f" + bytes(8 * 59**3),
    "blanks in a dump": b"0 57 0 57 0 57\n\f" + b" " * 8 * 59**3,
}
PARSERS = {
    "list": lambda content: parse_list(content, "file"),
    "matrix": lambda content: parse_matrix(content, "file"),
    "columns": lambda content: parse_columns(content, "file", 5, "-sourcefile"),
    "mask": lambda content: smv_pixels(layout(content, "file"), content) != 0,
    "dump": lambda content: parse_dump(content, "file", 0.0),
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("kind", LARGE)
def test_large_file_needs_bounded_time_and_memory(parser: str, kind: str) -> None:
    """Two megabytes of anything take seconds at most, and never more than ten times their size."""
    content = LARGE[kind]
    result_or_input_error(PARSERS[parser], content[:4096])  # whatever it loads
    start = time.perf_counter()
    result_or_input_error(PARSERS[parser], content)
    assert time.perf_counter() - start < 5
    if "short" in kind or "far" in kind or "pixels" in kind or "dump" in kind:
        tracemalloc.start()
        try:
            result_or_input_error(PARSERS[parser], content)
            most = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        # The file itself is held by the caller, and counts too. A line with one number is a whole source of five.
        if (parser, kind) != ("columns", "short lines"):
            assert most < 9 * len(content)


# --- numbers as the C library reads them ----


def c_library():
    """strtod and atoi of this machine's C library, or None where that is not glibc's."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        pytest.skip("compares with glibc")
    library.strtod.restype = ctypes.c_double
    library.strtod.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p)]
    library.strtol.restype = ctypes.c_long
    library.strtol.argtypes = [ctypes.c_char_p, ctypes.POINTER(ctypes.c_void_p), ctypes.c_int]
    return library


NUMBER_TEXTS = st.one_of(
    st.text("0123456789+-.eExXpPaAfFiInNtTyY() \t\n", max_size=14),
    st.floats().map(repr),
    st.floats().map(float.hex),
    st.integers().map(str),
    st.text(max_size=8),
    NUMBERS,
)


@settings(FUZZ, max_examples=1000)
@given(NUMBER_TEXTS)
@example("9" * 5000)
@example("0x1p99999")
@example("-0x1p-99999")
@example("0x.p1")
@example("0x1.8p")
@example("infinit")
@example("nan(")
@example("nan(a b)")
@example("nan(0x1)")
@example(" \t+.5e-")
@example("\u0663")
def test_numbers_are_read_as_by_the_c_library(text: str) -> None:
    if "\0" in text:
        return
    data = text.encode("utf-8", "surrogateescape" if text.isascii() else "replace")
    library = c_library()
    end = ctypes.c_void_p()
    buffer = ctypes.create_string_buffer(data)
    value = library.strtod(buffer, ctypes.byref(end))
    found, used = leading_real(text)
    assert struct.pack("d", found) == struct.pack("d", value) or (math.isnan(found) and math.isnan(value))
    assert len(text[:used].encode("utf-8", "replace")) == end.value - ctypes.addressof(buffer)
    whole = library.strtol(buffer, ctypes.byref(end), 10)
    assert leading_integer(text) == (
        ctypes.c_int32(whole).value,
        len(data[: end.value - ctypes.addressof(buffer)].decode("utf-8", "replace")),
    )


@settings(FUZZ, max_examples=300)
@given(st.lists(st.floats(), min_size=2, max_size=2))
@example([-math.nan, math.nan])
def test_numbers_are_printed_as_by_the_c_library(values: list[float]) -> None:
    library = c_library()
    out = ctypes.create_string_buffer(2000)
    doubles = [ctypes.c_double(value) for value in values]
    library.snprintf(out, 2000, b"%g %% d %15.10g%%", *doubles)
    assert c_format("%g %% d %15.10g%%", *values) == out.value.decode()


# --- the command line ----

NAMES = [name for row in OPTIONS for name in (*row.names, *row.aliases)]
WORDS = st.one_of(st.sampled_from(NAMES), NUMBERS, st.text(max_size=6), st.sampled_from(["--threads", "--trace-only"]))


@settings(FUZZ, max_examples=500)
@given(st.lists(WORDS, max_size=8))
@example(["-lambda", "0x1p99999"])
@example(["-N", "9" * 5000])
@example(["-misset", "inf", "inf", "inf"])
def test_any_words(words: list[str]) -> None:
    """A command line gives a Config of finite numbers, or is refused."""
    found = result_or_input_error(scan, words)
    if found is not None:
        config, warnings = found
        assert isinstance(config, Config)
        assert all(isinstance(warning, str) for warning in warnings)
        for name, value in vars(config).items():
            numbers = value if isinstance(value, tuple) else (value,)
            infinite = [number for number in numbers if isinstance(number, float) and not math.isfinite(number)]
            # An energy of 0 is a wavelength without end, and refused as such.
            assert not infinite or name == "wavelength_m"
