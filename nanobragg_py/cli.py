"""The command: the order of the stages of a run, errors and exit statuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from .config import Config
from .errors import EXIT_STATUS, InputError, warn
from .options import scan


class Command(click.Command):
    """click's command, with the C program's way of matching options: the flag table reads the words."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """Leave all words to the flag table, except those that ask for help or the version."""
        if any(word in ("-h", "--help") for word in words):
            click.echo(self.get_help(context))
            context.exit()
        if "--version" in words:
            from . import __version__

            click.echo(f"nanobragg_py {__version__}")
            context.exit()
        context.params["words"] = tuple(words)
        return []

    def get_help(self, context: click.Context) -> str:
        """The flag table's help."""
        from .help_text import help_text

        return help_text()


@click.command(cls=Command, add_help_option=False)
def command(words: Sequence[str]) -> int:
    """Render a diffraction image."""
    return simulate(*scan(words))


def run(words: Sequence[str]) -> int:
    """Run a command line (without the program's name); returns the exit status and never raises."""
    try:
        status = command.main(list(words), prog_name="nanoBragg", standalone_mode=False)
        sys.stdout.flush()
        return int(status or 0)
    except InputError as error:
        _flush()
        print(f"nanoBragg: error: {error}", file=sys.stderr)
        return EXIT_STATUS
    except MemoryError as error:
        _flush()
        detail = f": {error}" if str(error) else ""
        print(f"nanoBragg: error: not enough memory for a run of this size{detail}", file=sys.stderr)
        return EXIT_STATUS
    except BrokenPipeError:
        # Whoever read standard output has gone: like the C program, say nothing.
        _silence(sys.stdout)
        return 128 + 13
    except OSError as error:
        _silence(sys.stdout)
        print(f"nanoBragg: error: {error.strerror or error}", file=sys.stderr)
        return EXIT_STATUS
    except (KeyboardInterrupt, click.Abort):
        _silence(sys.stdout)
        print("nanoBragg: interrupted; files not finished were not written", file=sys.stderr)
        return 130


def _flush() -> None:
    try:
        sys.stdout.flush()
    except OSError:
        _silence(sys.stdout)


def _silence(stream) -> None:
    """Let what is left in a stream's buffer go nowhere, so that nothing fails at exit."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        pass


def main() -> None:
    """Entry point of bin/nanoBragg."""
    status = run(sys.argv[1:])
    sys.stdout.flush()
    # Nothing is left to clean up, and unloading LLVM takes longer than a small image.
    os._exit(status)


def simulate(config: Config, warnings: Sequence[str] = ()) -> int:
    """One run: the log on standard output, the files, the exit status."""
    from . import session

    for message in warnings:
        warn(message)
    return session.Session(config).run()
