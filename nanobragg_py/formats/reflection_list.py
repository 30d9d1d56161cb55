"""Plain lists of h k l F."""

from __future__ import annotations

import numpy as np

from ..base.c_numbers import leading_real
from ..base.errors import InputError, shown
from ..base.files import read_bytes
from ..kernels.library.load import address, kernel
from ..model.structure_factors import Grid, grid_of

KERNELS = ("read_plain_list",)
# How much of a list is looked at at a time (bytes).
PIECE = 1 << 18


def read_list(path: str, default_F: float) -> Grid:
    """Grid of a plain list of h k l F. Raises InputError, naming the line, for anything else."""
    return make_grid(read_bytes(path, "-hkl"), path, default_F)


def make_grid(content: bytes, path: str, default_F: float) -> Grid:
    """Grid of a list's text."""
    hkl, F = parse_list(content, path)
    return grid_of(hkl, F, default_F, path)


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
