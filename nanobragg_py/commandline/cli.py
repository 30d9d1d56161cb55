"""The command: the order of the stages of a run, errors and exit statuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ..base import process
from ..base.errors import silenced, warn
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
    return process.run_command(command, "nanoBragg", words)


def main() -> None:
    """Entry point of bin/nanoBragg."""
    process.prepare_process()
    process.prepare_streams()
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
