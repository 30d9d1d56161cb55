"""What the tools share: -h, --help and --version, one line for whatever goes wrong, warnings under the tool's name."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import click

from .. import __version__
from ..base import interruption
from ..base.errors import InputError, printable
from ..base.files import whole_file

CANNOT_COMPARE = 2


class ReaderGone(Exception):
    """The reader of standard output (head, less) has seen enough."""


@contextmanager
def _reader_watched() -> Iterator[None]:
    """Keep a broken pipe from click, which would leave with exit status 1: here, that is for a difference."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error


class ToolCommand(click.Command):
    """A click command whose every failure is one line on standard error and an exit status of its own.

    The callback returns the exit status; None is 0. failure_status is that of bad arguments and bad files.
    """

    def __init__(self, *args: Any, failure_status: int = CANNOT_COMPARE, **settings: Any) -> None:
        settings.setdefault("context_settings", {"help_option_names": ["-h", "--help"], "max_content_width": 110})
        super().__init__(*args, **settings)
        self.failure_status = failure_status
        version = f"{self.name} (nanobragg_py) {__version__}"
        click.version_option(__version__, message=version, help="Show the version and exit.")(self)

    def main(self, *args: Any, **extra: Any) -> Any:
        """Run the command and leave with its exit status."""
        extra["standalone_mode"] = False
        for stream in (sys.stdout, sys.stderr):
            _accept_any_text(stream)
        try:
            interruption.raised()
            status = super().main(*args, **extra) or 0
            sys.stdout.flush()
        except (click.ClickException, InputError) as error:
            status = self._fail(self._explained(error))
        except (click.Abort, KeyboardInterrupt):
            status = 130
        except (BrokenPipeError, ReaderGone):
            status = 128 + signal.SIGPIPE
        except MemoryError:
            status = self._fail("not enough memory")
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            status = self._fail(f"{where}{(error.strerror or str(error)).lower()}")
        _settle(sys.stdout)
        sys.exit(status)

    def _explained(self, error: click.ClickException | InputError) -> str:
        """The message; where an argument is wrong, with the way to the help."""
        if not isinstance(error, click.ClickException):
            return str(error)
        message = error.format_message().rstrip(".")
        if isinstance(error, click.UsageError):
            message += f"; see {self.name} --help"
        return message

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """As click does it, help and version included; what it prints may meet a reader that has gone."""
        with _reader_watched():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """As click does it; what the command prints may meet a reader that has gone."""
        with _reader_watched():
            return super().invoke(ctx)

    def _fail(self, message: str) -> int:
        """Say on standard error what is wrong; returns the exit status."""
        print(f"{self.name}: error: {printable(message)}", file=sys.stderr)
        return self.failure_status


def _settle(stream: TextIO) -> None:
    """Write out what is left in a stream, or let it go: Python would complain at its end, with status 120."""
    try:
        stream.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _accept_any_text(stream: TextIO) -> None:
    """Let file names and signs that the terminal's encoding lacks be printed as escapes, not end in an exception."""
    if reconfigure := getattr(stream, "reconfigure", None):
        reconfigure(errors="backslashreplace")


def warn(tool: str, message: str) -> None:
    """Say on standard error what may make the result another than was meant."""
    print(f"{tool}: warning: {printable(message)}", file=sys.stderr, flush=True)


def note(tool: str, message: str) -> None:
    """Say on standard error what was done otherwise than asked for."""
    print(f"{tool}: note: {printable(message)}", file=sys.stderr, flush=True)


def write_text(path: str | Path, option: str, text: str) -> None:
    """Write a text file as UTF-8, whole or not at all. Raises InputError, which names the option."""
    with whole_file(os.fspath(path), option) as file:
        file.write(text.encode("utf-8", errors="backslashreplace"))
