"""A program's process: open streams, and an exit status and one line of text for whatever goes wrong."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

import click

from . import interruption
from .errors import EXIT_STATUS, InputError, printable, speaker


def guarded(action: Callable[[], int]) -> int:
    """Do what gives the exit status; signals, and errors that are not ours, become a message and a status."""
    with interruption.handled():
        try:
            status = action()
            sys.stdout.flush()
            return status
        except KeyboardInterrupt:
            interruption.clean_up()
            _silence(sys.stdout)
            _complain(interruption.MESSAGE)
            return interruption.exit_status()
        except BrokenPipeError:
            # Whoever read standard output has gone: like the C program, say nothing.
            _silence(sys.stdout)
            return 128 + 13
        except Exception as error:
            return _failed(error)


def run_command(command: click.Command, name: str, words: Sequence[str]) -> int:
    """Exit status of a command for these words (without the program's name); see guarded."""
    return guarded(lambda: _invoke(command, name, words))


def _invoke(command: click.Command, name: str, words: Sequence[str]) -> int:
    """The command itself, without what click does about exceptions."""
    try:
        with command.make_context(name, list(words)) as context:
            return int(command.invoke(context) or 0)
    except click.exceptions.Exit as done:
        return done.exit_code


def _failed(error: Exception) -> int:
    """Say why a run stopped. Errors that are ours and not the user's are raised again."""
    message = message_of(error)
    if message is None:
        raise error
    if isinstance(error, OSError):
        _silence(sys.stdout)
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    _silence(sys.stdout)
    _complain(f"error: {message}")
    return EXIT_STATUS


def message_of(error: Exception) -> str | None:
    """What the user is told of an error that stops a run; None for one that is ours and not the user's."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, MemoryError):
        return "not enough memory for a run of this size" + (f": {error}" if str(error) else "")
    if isinstance(error, OSError):
        name = error.filename or "standard output"
        return f"{os.fsdecode(name)}: cannot be used: {error.strerror or error}"
    return None


def _complain(message: str) -> None:
    with contextlib.suppress(OSError):
        print(f"{speaker()}: {printable(message)}", file=sys.stderr, flush=True)


def _silence(stream: TextIO) -> None:
    """Let what is left in a stream's buffer go nowhere, so that nothing fails at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def prepare_process() -> None:
    """Before NumPy is imported: linear algebra is not needed, and its threads take 20 ms to start."""
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def prepare_streams() -> None:
    """Three open streams, and names of files printed with the bytes that they were given with."""
    while (missing := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(missing)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
    encoding = sys.getfilesystemencoding()
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8" if encoding == "ascii" else encoding, errors="surrogateescape")
