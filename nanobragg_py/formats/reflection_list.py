"""Plain lists of h k l F, read a block at a time, so that what is held in memory is the grid and not the list."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator

import numpy as np

from ..base.c_numbers import leading_real
from ..base.errors import InputError, shown, warn
from ..base.opening import Opened
from ..kernels.library import address, kernel
from ..model.structure_factors import Grid, _empty_grid

KERNELS = ("read_plain_list",)
# What is read at a time, and looked at at a time when it is not plain (bytes).
BLOCK = 1 << 20
PIECE = 1 << 18
# Lists of so many reflections are kept while the grid is made; longer ones are read a second time.
KEPT = 250_000
STARTS_WITH = tuple(bytes([byte]) for byte in b"0123456789+-. \t\r\n\v\f")

Reflections = tuple[np.ndarray, np.ndarray]


class EmptyList(InputError):
    """A list without a reflection."""


def looks_like_a_list(opened: Opened) -> bool:
    """Whether an input's first lines are those of a plain list, or nothing else that is known to begin so."""
    head = opened.head(4096)
    if head[:1] not in STARTS_WITH:
        return not head
    line = next((line for line in head.split(b"\n") if line.strip()), b"")
    return len(line.split()) % 4 == 0 and not re.search(rb"\d-|\d\.\d*\.", line)


def read_list(opened: Opened, default_F: float) -> Grid:
    """Grid of a plain list of h k l F. Raises InputError, naming the line, for anything else.

    The ranges of its indices come first, then its structure factors, for which a long list is read again. Later ones
    win.
    """
    count, last_hkl, last_F, largest = 0, (0, 0, 0), 0.0, 0.0
    low, high = np.full(3, 2**30), np.full(3, -(2**30))
    kept: list[Reflections] = []
    for hkl, F in _blocks(opened):
        count, last_F = count + len(F), float(F[-1])
        last_hkl = (int(hkl[-1, 0]), int(hkl[-1, 1]), int(hkl[-1, 2]))
        kept = [*kept, (hkl.copy(), F.copy())] if count <= KEPT else []
        largest = max(largest, float(np.abs(F).max()))
        low, high = np.minimum(low, hkl.min(axis=0)), np.maximum(high, hkl.max(axis=0))
    if not count:
        raise EmptyList(f"{opened.path}: not enough HKL indices: expected lines of h k l F, found none")
    if largest == 0.0:
        warn(f"{opened.path}: all {count} structure factors of the list are zero")
    h0, k0, l0, h1, k1, l1 = (*low.tolist(), *high.tolist())
    ranges = (h0, h1, k0, k1, l0, l1)
    amplitudes = _empty_grid(ranges, default_F, opened.path)
    grid = Grid(amplitudes, ranges, count, default_F, opened.path, last_hkl, last_F)
    _fill(grid, kept if count <= KEPT else _blocks(opened), low, high)
    return grid


def _fill(grid: Grid, blocks: Iterable[Reflections], low: np.ndarray, high: np.ndarray) -> None:
    """Enter a list, which has indices from low to high, into its grid."""
    amplitudes = grid.amplitudes
    _, k_size, l_size = grid.shape
    if grid.default_F != 0.0:
        amplitudes[:-1].reshape(grid.shape)[:-1, :-1, :-1] = grid.default_F
    for hkl, F in blocks:
        if (hkl.min(axis=0) < low).any() or (hkl.max(axis=0) > high).any():
            raise InputError(f"{grid.source}: -hkl has changed while it was being read")
        place = hkl[:, 0] - low[0]
        for axis, size in ((1, k_size), (2, l_size)):
            place *= size
            place += hkl[:, axis]
            place -= low[axis]
        amplitudes[place] = F


def parse_list(content: bytes, path: str) -> Reflections:
    """Miller indices int32 (n, 3) and F float64 (n,) of a text with four numbers in each line that is not blank.

    A line may hold several reflections: the list is a stream of four numbers each.
    """
    blocks = [(hkl.copy(), F.copy()) for hkl, F in _blocks(Opened(path, "-hkl", io.BytesIO(content), on_disk=False))]
    if not blocks:
        raise EmptyList(f"{path}: not enough HKL indices: expected lines of h k l F, found none")
    return np.concatenate([hkl for hkl, _ in blocks]), np.concatenate([F for _, F in blocks])


def _blocks(opened: Opened) -> Iterator[Reflections]:
    """A list's reflections, hkl int32 (n, 3) and F float64 (n,), n > 0."""
    opened.file.seek(0)
    rest, line, wanted, ended = b"", 1, BLOCK, False
    while not ended:
        more = opened.read(wanted)
        ended = len(more) < wanted
        if b"\0" in more:
            raise InputError(f"{opened.path}: -hkl expects a text file with h k l F in each line; this one is binary")
        text = rest + more
        # A block ends with a line, or is longer than a block.
        end = len(text) if ended else text.rfind(b"\n") + 1
        wanted = max(BLOCK, len(text)) if end == 0 else BLOCK
        block, rest = text[:end], text[end:]
        plain = _parse_plain(block) if block else None
        if plain is None:
            yield from _parse_block(block, opened.path, line)
        elif len(plain[1]):
            yield plain
        line += block.count(b"\n")


def _parse_plain(content: bytes) -> Reflections | None:
    """The quick way for text that holds nothing but plain numbers; None when there is anything else in it."""
    rows = len(content) // 8 + 1
    hkl, F = np.empty((rows, 3), dtype=np.int32), np.empty(rows)
    text = np.frombuffer(content, dtype=np.uint8)
    found = kernel("read_plain_list")(address(text), len(content), rows, address(hkl), address(F))
    return (hkl[:found], F[:found]) if found >= 0 else None


def _parse_block(block: bytes, path: str, line: int) -> Iterator[Reflections]:
    """Reflections of whole lines, the first of which is line `line`."""
    at, size = 0, PIECE
    while at < len(block):
        piece = block[at : at + size]
        hkl, F, used = _parse_piece(piece, at + size >= len(block), path, line)
        if len(F):
            yield hkl, F
        # Four words that do not fit into a piece need a larger one.
        size = PIECE if used else 2 * size
        line += block.count(b"\n", at, at + used)
        at += used


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


def _check_indices(
    piece: bytes, text: np.ndarray, starts: np.ndarray, ends: np.ndarray, values: np.ndarray, path: str, line: int
) -> None:
    """Indices must be written as whole numbers that fit into 32 bits: the C program reads no others."""
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
