"""The command nonBragg: help, version, warnings, exit statuses."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from .. import __version__
from ..base import process
from ..base.errors import speak_as, warn
from .fixes import listing
from .options import HELP_NAMES, VERSION_NAMES, asks_for_defects, help_text, scan


class Command(click.Command):
    """click's command, with the C program's way of matching options: the table reads the words."""

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """Leave all words to the table, except those that show something in place of a run."""
        for names, shown in ((HELP_NAMES, help_text), (VERSION_NAMES, _version)):
            if any(word in names for word in words):
                click.echo(shown())
                context.exit()
        if asks_for_defects(words):
            click.echo(listing())
            context.exit()
        context.params["words"] = tuple(words)
        return []

    def get_help(self, context: click.Context) -> str:
        """The table's help."""
        return help_text()


def _version() -> str:
    return f"nonBragg (nanobragg_py) {__version__}"


@click.command(cls=Command, add_help_option=False)
def command(words: Sequence[str]) -> int:
    """Render the scattering of an amorphous material."""
    settings, warnings = scan(words)
    for message in warnings:
        warn(message)
    # Not at the top: -h does not wait for NumPy.
    from .run import run as render

    render(settings, _say)
    return 0


def _say(text: str) -> None:
    sys.stdout.write(text)


def run(words: Sequence[str]) -> int:
    """Run a command line (without the program's name); returns the exit status and never raises."""
    speak_as("nonBragg")
    return process.run_command(command, "nonBragg", words)


def main() -> None:
    """Entry point of bin/nonBragg."""
    process.prepare_process()
    process.prepare_streams()
    # Nothing is left to clean up, and unloading LLVM takes long.
    os._exit(run(sys.argv[1:]))
