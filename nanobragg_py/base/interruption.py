"""SIGINT, SIGTERM and SIGHUP: a run stops, removes unfinished files, says so, and exits with 128 + number."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .errors import speaker

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
MESSAGE = "interrupted; files not finished were not written"


# The signal that is stopping this process, if one is.
received: int | None = None


# What must be done before the process ends.
clean_ups: list[Callable[[], None]] = []


_at_once = 0


class Interrupted(KeyboardInterrupt):
    """A signal asked the run to stop."""


def _stop(number: int, frame: object) -> None:
    global received
    if received is not None:
        # Only the first one counts: what follows is clean-up, and short.
        return
    received = number
    if not _at_once:
        raise Interrupted
    clean_up()
    os.write(2, f"{speaker()}: {MESSAGE}\n".encode())
    os._exit(exit_status())


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


def check() -> None:
    """Raise Interrupted once a signal has come: whatever it interrupted may have swallowed the exception."""
    if received is not None:
        raise Interrupted


def raised() -> None:
    """From here on Ctrl-C raises KeyboardInterrupt, as Python has it; programs.py lets it end the process before."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def ending_at_once() -> Iterator[None]:
    """While in here, a signal ends the process without an exception, which foreign code would swallow."""
    global _at_once
    _at_once += 1
    try:
        yield
    finally:
        _at_once -= 1


def clean_up() -> None:
    """Do what must be done before the process ends."""
    for action in clean_ups:
        action()


def exit_status() -> int:
    """Exit status of a run that was interrupted."""
    return 128 + (received or signal.SIGINT)
