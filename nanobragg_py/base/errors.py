"""The one exception for what a user can mend, and warnings on standard error."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

EXIT_STATUS = 9
# The program that messages come from.
_program = "nanoBragg"
# Whether warnings and notes are kept back.
_silent = False


def shown(text: str, most: int = 60) -> str:
    """Text from the user in a message: not too long, and without what a terminal would act on."""
    return printable(text if len(text) <= most else text[:most] + "...")


def printable(text: str) -> str:
    """Text with escapes in place of control characters."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class InputError(ValueError):
    """Something in the command line, a file or the machine stops the run; the message says what was expected."""


def warn(message: str) -> None:
    """Tell the user of something that the run goes on with; never on standard output, which is the C program's."""
    _say(f"warning: {message}")


def note(message: str) -> None:
    """Tell the user what was found in a file; on standard error, like warnings."""
    _say(message)


def _say(message: str) -> None:
    if not _silent:
        print(f"{_program}: {printable(message)}", file=sys.stderr, flush=True)


def speak_as(program: str) -> None:
    """From here on, messages come from the program of this name."""
    global _program
    _program = program


def speaker() -> str:
    """Name of the program that messages come from."""
    return _program


@contextlib.contextmanager
def silenced(silent: bool) -> Iterator[None]:
    """While in here, warnings and notes are kept back if `silent`; errors are not."""
    global _silent
    before, _silent = _silent, silent
    try:
        yield
    finally:
        _silent = before


def is_silenced() -> bool:
    """Whether warnings and notes are kept back."""
    return _silent
