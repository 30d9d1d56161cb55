"""The command: the order of the stages of a run, errors and exit statuses."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

import click

from ..base import interruption
from ..base.errors import EXIT_STATUS, InputError, printable, silenced, warn
from ..options.config import Config, scan
from . import exits

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


COMPLETE = "_NANOBRAGG_COMPLETE"


class Command(click.Command):
    """click's command, with the C program's way of matching options: the flag table reads the words."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """Leave all words to the flag table, except those that show something in place of a run."""
        if not context.resilient_parsing:
            shown = exits.text(words, self, COMPLETE)
            if shown is not None:
                click.echo(shown)
                context.exit()
        context.params["words"] = tuple(words)
        return []

    def get_help(self, context: click.Context) -> str:
        """The flag table's help."""
        return exits.help_text()

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """What a shell offers for a word that is begun."""
        # Not at the top, and so for all that only some runs need: it costs time when the program starts.
        from .completion import completions

        return completions(context.params.get("words", ()), incomplete)


@click.command(cls=Command, add_help_option=False)
def command(words: Sequence[str]) -> int:
    """Render a diffraction image."""
    return simulate(*scan(words))


def run(words: Sequence[str]) -> int:
    """Run a command line (without the program's name); returns the exit status and never raises."""
    with interruption.handled():
        try:
            status = _invoke(words)
            sys.stdout.flush()
            return status
        except (KeyboardInterrupt, click.Abort):
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


def _invoke(words: Sequence[str]) -> int:
    """The command itself, without what click does about exceptions."""
    try:
        with command.make_context("nanoBragg", list(words)) as context:
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
        print(f"nanoBragg: {printable(message)}", file=sys.stderr, flush=True)


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


def main() -> None:
    """Entry point of bin/nanoBragg."""
    prepare_process()
    prepare_streams()
    if COMPLETE in os.environ:
        from .completion import answer

        sys.exit(answer(command, COMPLETE))
    status = run(sys.argv[1:])
    # Nothing is left to clean up, and unloading LLVM takes longer than a small image.
    os._exit(status)


def simulate(config: Config, warnings: Sequence[str] = ()) -> int:
    """One run: the log on standard output, the files; returns the exit status. Raises InputError."""
    # Not at the top: -h does not wait for NumPy.
    from . import session

    with silenced(config.quiet):
        for message in warnings:
            warn(message)
        session.run(config)
    return 0
