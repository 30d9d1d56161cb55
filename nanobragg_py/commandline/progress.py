"""A bar on a terminal that shows how far a run has come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..base.errors import is_silenced


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
