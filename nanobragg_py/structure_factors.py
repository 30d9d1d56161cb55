"""Structure factors: the reflection list, its binary dump, and the grid that the kernels look into."""

from __future__ import annotations

import os

import numpy as np

from .c_numbers import leading_integer, leading_real
from .errors import InputError, shown, warn
from .files import read_bytes, whole_file
from .kernels.library import address, kernel
from .memory import most_bytes, size_text
from .records import record

# A grid larger than this is refused before it is allocated (bytes).
LARGEST_GRID = 8 * 2**30
# How much of a list is looked at at a time (bytes).
PIECE = 1 << 18


@record
class Grid:
    """F on a box of Miller indices.

    amplitudes: float64, the flattened (h_range+1, k_range+1, l_range+1) array of the reference (one plane more than
    needed along each axis) and one element more, default_F, which stands for every index outside.
    ranges: (h_min, h_max, k_min, k_max, l_min, l_max). reflections: entries read; 0 means that there is no list.
    last_F: the last one read.
    """

    amplitudes: np.ndarray
    ranges: tuple[int, int, int, int, int, int]
    reflections: int
    default_F: float
    source: str
    last_F: float = 0.0

    @property
    def shape(self) -> tuple[int, int, int]:
        """Elements along h, k, l, the spare plane included."""
        h0, h1, k0, k1, l0, l1 = self.ranges
        return (h1 - h0 + 2, k1 - k0 + 2, l1 - l0 + 2)


def no_list(default_F: float) -> Grid:
    """Every structure factor is default_F."""
    return Grid(np.array([default_F]), (0, -1, 0, -1, 0, -1), 0, default_F, "")


def _empty_grid(ranges: tuple[int, ...], default_F: float, path: str) -> np.ndarray:
    h0, h1, k0, k1, l0, l1 = ranges
    elements = (h1 - h0 + 2) * (k1 - k0 + 2) * (l1 - l0 + 2)
    # It is copied once on the way.
    at_most = min(LARGEST_GRID, most_bytes() // 2)
    if 8 * elements > at_most:
        raise InputError(
            f"{path}: indices h {h0} to {h1}, k {k0} to {k1}, l {l0} to {l1} need a grid of "
            f"{size_text(8 * elements)}; expected at most {size_text(at_most)}"
        )
    amplitudes = np.zeros(elements + 1)
    amplitudes[-1] = default_F
    return amplitudes


def read_list(path: str, default_F: float) -> Grid:
    """Grid of a plain list of h k l F. Raises InputError, naming the line, for anything else."""
    return make_grid(read_bytes(path, "-hkl"), path, default_F)


def make_grid(content: bytes, path: str, default_F: float) -> Grid:
    """Grid of a list's text."""
    hkl, F = parse_list(content, path)
    return grid_of(hkl, F, default_F, path)


def grid_of(hkl: np.ndarray, F: np.ndarray, default_F: float, source: str) -> Grid:
    """Grid of Miller indices, integers (n, 3), n > 0, and their F, float64 (n,), in electrons."""
    low, high = hkl.min(axis=0).tolist(), hkl.max(axis=0).tolist()
    ranges = (low[0], high[0], low[1], high[1], low[2], high[2])
    amplitudes = _empty_grid(ranges, default_F, source)
    grid = Grid(amplitudes, ranges, len(F), default_F, source, float(F[-1]))
    box = amplitudes[:-1].reshape(grid.shape)
    if default_F != 0.0:
        box[:-1, :-1, :-1] = default_F
    _, k_size, l_size = grid.shape
    h, k, l = (hkl - np.array(low)).T
    # Later entries of the same reflection win, as in the reference.
    amplitudes[(h * k_size + k) * l_size + l] = F
    return grid


def parse_list(content: bytes, path: str) -> tuple[np.ndarray, np.ndarray]:
    """Miller indices int32 (n, 3) and F float64 (n,) of a text with four numbers in each line that is not blank.

    A line may hold several reflections: the list is a stream of four numbers each. It is read piece by piece, so
    that the memory for what is worked out on the way does not grow with the list.
    """
    if b"\0" in content:
        raise InputError(f"{path}: -hkl expects a text file with h k l F in each line; this one is binary")
    plain = _parse_plain(content)
    if plain is not None:
        return plain
    indices, amplitudes = [np.empty((0, 3), np.int32)], [np.empty(0)]
    at, line, size = 0, 1, PIECE
    while at < len(content):
        piece = content[at : at + size]
        hkl, F, used = _parse_piece(piece, at + size >= len(content), path, line)
        indices.append(hkl)
        amplitudes.append(F)
        # Four words that do not fit into a piece need a larger one.
        size = PIECE if used else 2 * size
        line += content.count(b"\n", at, at + used)
        at += used
    if len(amplitudes) == 1 or not sum(map(len, amplitudes)):
        raise InputError(f"{path}: not enough HKL indices: expected lines of h k l F, found none")
    return np.concatenate(indices), np.concatenate(amplitudes)


def _parse_plain(content: bytes) -> tuple[np.ndarray, np.ndarray] | None:
    """The quick way for a list of plain numbers; None when there is anything else in it, or nothing."""
    rows = len(content) // 8 + 1
    hkl, F = np.empty((rows, 3), dtype=np.int32), np.empty(rows)
    text = np.frombuffer(content, dtype=np.uint8)
    found = kernel("read_plain_list")(address(text), len(content), rows, address(hkl), address(F))
    return (hkl[:found].copy(), F[:found].copy()) if found > 0 else None


def _parse_piece(piece: bytes, is_last: bool, path: str, line: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Reflections of a piece that starts with a whole one in line `line`, and how many bytes they take up."""
    text = np.frombuffer(piece, dtype=np.uint8)
    space = (text == 32) | ((text >= 9) & (text <= 13))
    starts = np.flatnonzero(~space & np.concatenate(([True], space[:-1])))
    ends = np.flatnonzero(space & np.concatenate(([False], ~space[:-1])))
    used = len(piece)
    if len(ends) < len(starts):
        ends = np.append(ends, text.size)
        if not is_last:
            used, starts, ends = int(starts[-1]), starts[:-1], ends[:-1]
    words_before_line_end = np.searchsorted(starts, np.flatnonzero(text == 10))
    if is_last:
        words_before_line_end = np.append(words_before_line_end, len(starts))
    in_line = np.diff(words_before_line_end, prepend=0)
    wrong = np.flatnonzero(in_line % 4)
    if len(wrong):
        where = int(wrong[0])
        raise InputError(f"{path}: line {line + where}: expected four numbers (h k l F), found {in_line[where]} words")
    whole = len(starts) // 4 * 4
    if whole < len(starts):
        used = int(starts[whole])
    starts, ends = starts[:whole], ends[:whole]
    values = _parse_words(piece[:used], starts, ends, path, line)
    _check_indices(piece, text, starts, ends, values, path, line)
    return values[:, :3].astype(np.int32), np.ascontiguousarray(values[:, 3]), used


def _parse_words(piece: bytes, starts: np.ndarray, ends: np.ndarray, path: str, line: int) -> np.ndarray:
    """All words as numbers, float64 (n, 4)."""
    if not piece.translate(None, b"0123456789+-.eE \t\r\n\v\f"):
        try:
            values = np.array(piece.split(), dtype=np.float64)
            if np.isfinite(values).all():
                return values.reshape(-1, 4)
        except ValueError:
            pass
    words = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        word = piece[start:end].decode("latin-1")
        value, used = leading_real(word)
        if used != len(word) or not np.isfinite(value):
            line += piece.count(b"\n", 0, start)
            raise InputError(f"{path}: line {line}: expected four numbers (h k l F), found '{shown(word)}'")
        words.append(value)
    return np.array(words, dtype=np.float64).reshape(-1, 4)


def _check_indices(piece, text, starts, ends, values, path, line) -> None:
    """Indices must be written as whole numbers that fit into 32 bits: the reference reads no others."""
    other = ~(((text >= 48) & (text <= 57)) | (text == 43) | (text == 45))
    others = np.concatenate(([0], np.cumsum(other)))
    written_odd = (others[ends] != others[starts]).reshape(-1, 4)[:, :3].any(axis=1)
    too_large = (np.abs(values[:, :3]) >= 2**30).any(axis=1)
    wrong = np.flatnonzero(written_odd | too_large)
    if len(wrong):
        row = int(wrong[0])
        line += piece.count(b"\n", 0, int(starts[4 * row]))
        found = shown(piece[starts[4 * row] : ends[4 * row + 2]].decode("latin-1"))
        raise InputError(f"{path}: line {line}: expected whole numbers h k l below 2^30, found '{found}'")


def write_dump(grid: Grid, path: str) -> None:
    """Binary copy of a grid, in the reference's format: the ranges as text, then native float64."""
    with whole_file(path, "-dump") as file:
        file.write("{} {} {} {} {} {}\n\f".format(*grid.ranges).encode())
        file.write(memoryview(grid.amplitudes[:-1]).cast("B"))


def read_dump(path: str, default_F: float) -> Grid:
    """Grid of a dump of either program. Raises InputError for a truncated or foreign file."""
    return parse_dump(read_bytes(path, "-dump"), path, default_F)


def parse_dump(content: bytes, path: str, default_F: float) -> Grid:
    """Grid of a dump's content."""
    head, mark, _ = content[:200].partition(b"\f")
    words = head.decode("latin-1").split()
    numbers = [leading_integer(word) for word in words]
    if not mark or len(words) != 6 or any(used != len(w) for (_, used), w in zip(numbers, words, strict=True)):
        raise InputError(f"{path}: -dump expects a file that starts with six whole numbers, a newline and a form feed")
    ranges = tuple(value for value, _ in numbers)
    h0, h1, k0, k1, l0, l1 = ranges
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


def file_is_there(path: str) -> bool:
    """Whether a file can be opened."""
    return os.path.isfile(path) and os.access(path, os.R_OK)
