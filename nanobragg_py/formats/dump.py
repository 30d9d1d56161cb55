"""The binary dump of structure factors that the C program leaves for next time."""

from __future__ import annotations

import numpy as np

from ..base.c_numbers import leading_integer
from ..base.errors import InputError, warn
from ..base.files import whole_file
from ..base.opening import open_input
from ..model.structure_factors import Grid, _empty_grid


def write_dump(grid: Grid, path: str) -> None:
    """Binary copy of a grid, in the C program's format: the ranges as text, then native float64."""
    with whole_file(path, "-dump") as file:
        file.write("{} {} {} {} {} {}\n\f".format(*grid.ranges).encode())
        file.write(grid.amplitudes[:-1].data.cast("B"))


def read_dump(path: str, default_F: float) -> Grid:
    """Grid of a dump of either program. Raises InputError for a truncated or foreign file."""
    with open_input(path, "-dump") as opened:
        content = opened.content()
    if not content:
        raise InputError(f"{path}: -dump names an empty file")
    return parse_dump(content, path, default_F)


def parse_dump(content: bytes, path: str, default_F: float) -> Grid:
    """Grid of a dump's content."""
    head, mark, _ = content[:200].partition(b"\f")
    words = head.decode("latin-1").split()
    numbers = [leading_integer(word) for word in words]
    if not mark or len(words) != 6 or any(used != len(w) for (_, used), w in zip(numbers, words, strict=True)):
        raise InputError(f"{path}: -dump expects a file that starts with six whole numbers, a newline and a form feed")
    h0, h1, k0, k1, l0, l1 = (value for value, _ in numbers)
    ranges = (h0, h1, k0, k1, l0, l1)
    if h1 < h0 or k1 < k0 or l1 < l0:
        raise InputError(
            f"{path}: -dump says h {h0} to {h1}, k {k0} to {k1}, l {l0} to {l1}: expected ascending ranges"
        )
    start = len(head) + 1
    elements = (h1 - h0 + 2) * (k1 - k0 + 2) * (l1 - l0 + 2)
    if len(content) - start < 8 * elements:
        raise InputError(
            f"{path}: the dump is truncated: expected {8 * elements} bytes of structure factors, "
            f"found {len(content) - start}"
        )
    amplitudes = _empty_grid(ranges, default_F, path)
    data = content[start : start + 8 * elements]
    # The C program takes bytes that look like blanks for part of the header, and then reads everything shifted.
    shifted = data.lstrip(b" \t\n\v\f\r")
    if len(shifted) < len(data):
        lost = len(data) - len(shifted)
        warn(f"{path}: the dump's data start with a byte that looks like a blank; as in the C program, all is shifted")
        data = shifted + bytes(lost)
    amplitudes[:-1] = np.frombuffer(data, dtype=np.float64)
    reflections = (h1 - h0 + 1) * (k1 - k0 + 1) * (l1 - l0 + 1)
    return Grid(amplitudes, ranges, reflections, default_F, path)
