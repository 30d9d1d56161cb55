"""The command line that makes the image of one row."""

from __future__ import annotations

import shlex

from .plan import Plan
from .rows import RowRenderer, row_config
from .words import check_same, words_of

# What a run would write besides.
NO_FILES = ("-floatfile", "/dev/null", "-intfile", "/dev/null", "-nopgm")


def command_line(plan: Plan, row: int, name: str) -> str:
    """nanoBragg with the options of a row, quoted for a shell; the image goes to a file of that name.

    Raises InputError for a row that no command line can make.
    """
    words = RowRenderer(plan).words(row, plan.values(row))
    base = plan.base
    said = list(base.words) if base.words is not None else words_of(base.keywords)
    said += words_of(words.keywords())
    config = row_config(plan, words)
    check_same(said, config)
    said += ["-dumpfile", config.dump_file or "/dev/null", *NO_FILES, "-nonoise"]
    said += ["--save-noise" if plan.noise else "--save", name]
    return shlex.join(["nanoBragg", *said])
