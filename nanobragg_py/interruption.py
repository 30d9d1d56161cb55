"""SIGINT, SIGTERM and SIGHUP: a run stops, removes unfinished files, says so, and exits with 128 + number."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))

# The signal that is stopping this process, if one is.
received: int | None = None


class Interrupted(KeyboardInterrupt):
    """A signal asked the run to stop."""


def _stop(number: int, frame: object) -> None:
    global received
    if received is None:
        # Only the first one counts: what follows is clean-up, and short.
        received = number
        raise Interrupted


@contextmanager
def handled() -> Iterator[None]:
    """While in here, signals raise Interrupted in the main thread; those that are ignored (nohup) stay so."""
    global received
    received = None
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    taken = {number: old for number, old in before.items() if old not in (signal.SIG_IGN, None)}
    try:
        for number in taken:
            signal.signal(number, _stop)
        yield
    finally:
        for number, old in taken.items():
            signal.signal(number, old)


def exit_status() -> int:
    """Exit status of a run that was interrupted."""
    return 128 + (received or signal.SIGINT)
