"""Commands whose words are read by a table, the C program's way: click starts them, and does nothing else."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence

import click

from . import process
from .errors import speak_as


class WordsCommand(click.Command):
    """A command that leaves its words alone.

    instead: what to show in place of a run, for some words; None to run. run: gets the words, and raises InputError.
    help_text: all options.
    """

    def __init__(
        self, name: str, instead: Callable[[Sequence[str]], str | None], run: Callable[[Sequence[str]], None],
        help_text: Callable[[], str],
    ):  # fmt: skip
        super().__init__(name, callback=self._run_words, add_help_option=False)
        self._instead, self._run, self._help_text = instead, run, help_text

    def parse_args(self, context: click.Context, words: list[str]) -> list[str]:
        """Leave all words to the table, except those that show something in place of a run."""
        text = self._instead(words)
        if text is not None:
            click.echo(text)
            context.exit()
        context.params["words"] = tuple(words)
        return []

    def get_help(self, context: click.Context) -> str:
        """The table's help."""
        return self._help_text()

    def _run_words(self, words: Sequence[str]) -> int:
        self._run(words)
        return 0

    def exit_status(self, words: Sequence[str]) -> int:
        """Run a command line (without the program's name); never raises."""
        name = str(self.name)
        speak_as(name)
        return process.run_command(self, name, words)

    def start(self) -> None:
        """Be the process."""
        process.prepare_process()
        process.prepare_streams()
        # Nothing is left to clean up, and unloading LLVM takes long.
        os._exit(self.exit_status(sys.argv[1:]))
