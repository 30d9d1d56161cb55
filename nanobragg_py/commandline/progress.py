"""Progress lines, and other lines that belong to a pixel, in pixel order."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..base.errors import is_silenced


def progress_counts(first: int, last: int, total: int) -> Iterator[int]:
    """Numbers of pixels in first..last-1 after which the C program reports: every 5 %, near both ends every 1 %."""
    if total // 100 <= 0:
        return
    coarse, fine = total // 20, total // 100
    candidates = set(range(-(-first // coarse) * coarse, last, coarse))
    for n in range(-(-first // fine) * fine, last, fine):
        if 10 * n < total or 10 * n > 9 * total:
            candidates.add(n)
    yield from sorted(candidates)


@contextmanager
def progress_bar(rows: int, wanted: bool) -> Iterator[Callable[[int], None]]:
    """A bar with the time left on standard error; gives a function to be told the number of rows finished.

    Only where standard error is a terminal and standard output, which has progress lines of its own, is not.
    """
    if not wanted or rows < 1 or is_silenced() or sys.stdout.isatty() or not sys.stderr.isatty():
        yield lambda finished: None
        return
    import click

    with click.progressbar(length=rows, label="rendering", file=sys.stderr, width=40) as bar:
        yield lambda finished: bar.update(finished - bar.pos)
