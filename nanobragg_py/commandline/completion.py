"""Completion of words by the shell (bash, zsh, fish): click's mechanism, the flag table's options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import click
from click.shell_completion import CompletionItem, get_completion_class, shell_complete

from ..options.fixes import ACCEPT, NAMES
from ..options.table import EXITS, OPTIONS, OWN_OPTIONS
from .exits import SHELLS

PROGRAM = "nanoBragg"
# What may follow an option that takes one of a few words.
CHOICES = {
    "-pivot": ("beam", "sample"),
    "-misset": ("random",),
    "--completion": SHELLS,
    **{own.name: own.choices for own in OWN_OPTIONS if own.choices},
}


def script(command: click.Command, variable: str, shell: str) -> str:
    """The lines for a shell to read."""
    kind = get_completion_class(shell)
    assert kind is not None, shell
    return kind(command, {}, PROGRAM, variable).source().strip()


def answer(command: click.Command, variable: str) -> int:
    """Answer a shell that asks, through the environment, how a word may go on; returns the exit status."""
    return shell_complete(command, {}, PROGRAM, variable, os.environ[variable])


def completions(words: Sequence[str], incomplete: str) -> list[CompletionItem]:
    """How a word may go on that stands after `words`: values of the option before it, or options."""
    before = [word for word in words if word != "="]
    last = before[-1] if before else ""
    if last == "--fix":
        done, comma, name = incomplete.rpartition(",")
        return [CompletionItem(done + comma + c) for c in (*NAMES, "all", "list", ACCEPT) if c.startswith(name)]
    values = CHOICES.get(last)
    if values is not None:
        return [CompletionItem(value) for value in values if value.startswith(incomplete)]
    if _takes_a_file(last):
        return [CompletionItem(incomplete, type="file")]
    if incomplete and not incomplete.startswith("-"):
        return []
    return [CompletionItem(name, help=text) for name, text in _options() if name.startswith(incomplete)]


def _takes_a_file(option: str) -> bool:
    if any(own.name == option and own.metavar.startswith("FILE") for own in OWN_OPTIONS):
        return True
    return any(row.kind == "text" and option in row.spellings for row in OPTIONS)


def _options() -> Iterator[tuple[str, str]]:
    """Every name of every option, with its help."""
    for row in OPTIONS:
        for name in row.spellings:
            yield name, row.help
    for own in OWN_OPTIONS:
        yield own.name, own.help
    for way in EXITS:
        for name in way.names:
            yield name, way.help
