"""Dumps of structure factors: any bytes give a grid that they hold, or an error, in bounded time and memory."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from parser_strategies import FUZZ, LARGE, check_time_and_memory, result_or_input_error

from nanobragg_py.formats.dump import parse_dump


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


@pytest.mark.parametrize("kind", LARGE)
def test_large_dumps_need_bounded_time_and_memory(kind: str) -> None:
    check_time_and_memory(lambda content: parse_dump(content, "file", 0.0), kind)
