"""Work on runs of lines that can be shared among threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence

# Lines of an image that are worked on at once.
LINES = 64

Work = Callable[[int, int], None]
# Calls work(first, last) for each pair, on threads or one after the other; returns when all are done.
Share = Callable[[Work, Sequence[tuple[int, int]]], object]


def one_after_the_other(work: Work, chunks: Sequence[tuple[int, int]]) -> None:
    """The way to share work that needs no threads."""
    for first, last in chunks:
        work(first, last)


def chunks_of(lines: int) -> list[tuple[int, int]]:
    """Lines 0..lines-1 in runs: first, and one after the last."""
    return [(first, min(first + LINES, lines)) for first in range(0, lines, LINES)]
