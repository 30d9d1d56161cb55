"""How far a batch is: on standard error, and in a file for others to look at."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import Any

from ..base.errors import printable

# Seconds between lines: where a terminal shows one over the other, and where they go to a file.
ON_TERMINAL, IN_FILE = 0.5, 30.0
# Seconds between writes of the status file.
STATUS_EVERY = 2.0
# Weight of what was measured last in the rate that is shown.
SMOOTHING = 0.3


class Progress:
    """Counts rows; says how many are done, how fast, and how long the rest will take."""

    def __init__(self, total: int, there: int, path: str, name: str = "nb-batch") -> None:
        """total: rows in all. there: rows that were done before. path: of the status file."""
        self.total, self.there, self.path, self.name = total, there, path, name
        self.done, self.failed = 0, 0
        self._before, self._failed_before = 0, 0
        self._began = self._said = self._written = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._width = 0
        self._first = True

    def shard(self, rows: int, failed: int) -> None:
        """So many rows of the present shard are done, and so many of them failed."""
        self.done, self.failed = self._before + rows, self._failed_before + failed
        now = time.monotonic()
        if now - self._said >= (ON_TERMINAL if self._terminal else IN_FILE):
            self._said = now
            self._show(self.text())
        if self._first or now - self._written >= STATUS_EVERY:
            self._first, self._written = False, now
            self.write("running")

    def shard_done(self) -> None:
        """The present shard is complete."""
        self._before, self._failed_before = self.done, self.failed

    @property
    def rate(self) -> float:
        """Rows in a second, since the beginning."""
        return self.done / max(time.monotonic() - self._began, 1e-9)

    def text(self) -> str:
        """One line."""
        done = self.there + self.done
        left = (self.total - done) / self.rate if self.done else 0.0
        failed = f", {self.failed} failed" if self.failed else ""
        return f"{done} of {self.total} rows, {self.rate:.3g}/s, {duration(left)} left{failed}"

    def end(self, state: str) -> None:
        """Leave the line that is being written over, and write the status file for the last time."""
        if self._terminal and self._width:
            print(file=sys.stderr, flush=True)
        self.write(state)

    def write(self, state: str) -> None:
        """The status file; one that cannot be written does not stop the work."""
        status: dict[str, Any] = {
            "state": state,
            "rows": self.total,
            "done": self.there + self.done,
            "failed": self.failed,
            "rows_per_second": round(self.rate, 3),
            "seconds_left": round((self.total - self.there - self.done) / self.rate, 1) if self.done else None,
            "pid": os.getpid(),
            "updated": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        # Not by whole_file(), which refuses to write once a signal has come.
        temporary = f"{self.path}.{os.getpid()}"
        with contextlib.suppress(OSError):
            with open(temporary, "w") as file:
                file.write(json.dumps(status, indent=1) + "\n")
            os.replace(temporary, self.path)

    def _show(self, text: str) -> None:
        line = f"{self.name}: {printable(text)}"
        try:
            if self._terminal:
                self._width = max(self._width, len(line))
                print(f"\r{line:{self._width}}", end="", file=sys.stderr, flush=True)
            else:
                print(line, file=sys.stderr, flush=True)
        except OSError:
            pass


def duration(seconds: float) -> str:
    """A time for people."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
