"""Standard output: the C program's run log, and nothing else."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Write to the run log."""
    sys.stdout.write(text)


def flush() -> None:
    """Let a reader see what was written so far."""
    sys.stdout.flush()
