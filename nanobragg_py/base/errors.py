"""The one exception for what a user can mend, and warnings on standard error."""

from __future__ import annotations

import sys

EXIT_STATUS = 9


def shown(text: str, most: int = 60) -> str:
    """Text from the user in a message: not too long, and without what a terminal would act on."""
    return printable(text if len(text) <= most else text[:most] + "...")


def printable(text: str) -> str:
    """Text with escapes in place of control characters."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class InputError(Exception):
    """Something in the command line, a file or the machine stops the run; the message says what was expected."""


def warn(message: str) -> None:
    """Tell the user of something that the run goes on with; never on standard output, which is the C program's."""
    print(f"nanoBragg: warning: {printable(message)}", file=sys.stderr, flush=True)


def note(message: str) -> None:
    """Tell the user what was found in a file; on standard error, like warnings."""
    print(f"nanoBragg: {printable(message)}", file=sys.stderr, flush=True)
