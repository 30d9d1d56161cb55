"""Every parser, given any bytes at all, gives a result or an InputError, in a time and memory that the file bounds."""

from __future__ import annotations

import ctypes
import math
import struct

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from parser_strategies import ANY, FUZZ, LARGE, NUMBERS, check_time_and_memory, result_or_input_error

from nanobragg_py.base.c_numbers import c_format, leading_integer, leading_real
from nanobragg_py.formats.matrix import parse_matrix
from nanobragg_py.formats.smv import layout, smv_pixels
from nanobragg_py.formats.tables import parse_columns
from nanobragg_py.options.config import Config, scan
from nanobragg_py.options.table import OPTIONS

# --- matrix, columns ----


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


# --- time and memory ----

PARSERS = {
    "matrix": lambda content: parse_matrix(content, "file"),
    "columns": lambda content: parse_columns(content, "file", 5, "-sourcefile"),
    "mask": lambda content: smv_pixels(layout(content, "file"), content) != 0,
}


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("kind", LARGE)
def test_large_file_needs_bounded_time_and_memory(parser: str, kind: str) -> None:
    """A line with one number is a whole source of five: that may take more memory."""
    check_time_and_memory(PARSERS[parser], kind, (parser, kind) != ("columns", "short lines"))


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
