"""The command nonBragg: help, version, warnings, exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from .. import __version__
from ..base.errors import warn
from ..base.words_command import WordsCommand
from ..options import corrections
from .fixes import CORRECTIONS
from .options import HELP_NAMES, VERSION_NAMES, help_text, scan


def _instead(words: Sequence[str]) -> str | None:
    """What some words show in place of a run."""
    if any(word in HELP_NAMES for word in words):
        return help_text()
    if any(word in VERSION_NAMES for word in words):
        return f"nonBragg (nanobragg_py) {__version__}"
    return corrections.listing(CORRECTIONS) if corrections.asks_for_list(words) else None


def _run(words: Sequence[str]) -> None:
    """Render the scattering of an amorphous material."""
    settings, warnings = scan(words)
    for message in warnings:
        warn(message)
    # Not at the top: -h does not wait for NumPy.
    from .run import run as render

    render(settings, _say)


def _say(text: str) -> None:
    sys.stdout.write(text)


COMMAND = WordsCommand("nonBragg", _instead, _run, help_text)
run = COMMAND.exit_status
main = COMMAND.start
