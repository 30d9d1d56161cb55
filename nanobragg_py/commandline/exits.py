"""Options that show something in place of a run: help, version, the manual page, known defects, shell completion."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from .. import __version__
from ..base.errors import InputError, shown

if TYPE_CHECKING:
    import click

# Each is imported where it is asked for, to keep the start short.
SHELLS = ("bash", "zsh", "fish")


def text(words: Sequence[str], command: click.Command, variable: str) -> str | None:
    """What a command line asks to be shown, wherever in it; None if it asks for a run.

    command, variable: what completes words, and the variable of the environment that asks it to. Raises InputError for
    a shell that is not known.
    """
    if any(word in ("-h", "--help", "-help") for word in words):
        return help_text()
    if "--version" in words or "-version" in words:
        return f"nanobragg_py {__version__}"
    if "--man" in words:
        from ..options.manual import manual_page

        return manual_page(__version__).rstrip("\n")
    if "--fix=list" in words or ("--fix", "list") in pairwise(words):
        from ..options.fixes import listing

        return listing()
    return _completion(words, command, variable)


def help_text() -> str:
    """All options, from the flag table."""
    from ..options import help_text as from_table

    return from_table.help_text()


def _completion(words: Sequence[str], command: click.Command, variable: str) -> str | None:
    """The lines that a shell shall read to complete options, if they are asked for."""
    for word, value in pairwise([*words, ""]):
        name, equals, inside = word.partition("=")
        if name == "--completion":
            shell = inside if equals else value
            if shell not in SHELLS:
                raise InputError(f"--completion: expected one of {', '.join(SHELLS)}, got '{shown(shell)}'")
            from .completion import script

            return script(command, variable, shell)
    return None
