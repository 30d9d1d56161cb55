"""What the tables of corrections of the C program's sisters have in common: words after --fix, a warning, a list."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..base.errors import InputError, shown
from .fixes import ACCEPT, Correction
from .spelling import did_you_mean

LIST = "list"


def fields_named(rows: Sequence[Correction], text: str) -> set[str]:
    """Fields of the corrections in a comma-separated list of names, 'all' or 'none'; 'none' gives "accepted".

    Raises InputError for an unknown name.
    """
    names = [row.name for row in rows]
    words = [word.strip() for word in text.split(",")]
    for word in words:
        if word not in (*names, "all", ACCEPT):
            expected = f"expected all, none, list, or any of {', '.join(names)}"
            raise InputError(f"--fix: no correction '{shown(word)}'{did_you_mean(word, names)}; {expected}")
    wanted = {row.field for row in rows if row.name in words or "all" in words}
    return wanted | ({"accepted"} if ACCEPT in words else set())


def warning(rows: Sequence[Correction], found: Mapping[str, str], corrected: Any) -> str:
    """The line that tells of an image's defects, by name and with their extent; empty if there are none to tell of.

    found: a text for each, by its field. corrected: has a field for each, and `accepted`, for those that are left.
    """
    left = [row for row in rows if row.field in found and not getattr(corrected, row.field)]
    if not left or corrected.accepted:
        return ""
    which = "; ".join(f"{row.name} ({found[row.field]})" for row in left)
    names, them = ",".join(row.name for row in left), "it" if len(left) == 1 else "them"
    return (
        f"known defects of the C program change this image: {which}. --fix {names} corrects {them}, "
        "--fix none accepts the image as it is, --fix list explains"
    )


def listing(rows: Iterable[Correction]) -> str:
    """What `--fix list` prints."""
    lines = ["Known defects of the C program; an image has them unless --fix NAME[,NAME...] corrects them:", ""]
    for row in rows:
        lines += [row.name, f"    wrong:     {row.defect}", f"    corrected: {row.correction}"]
    lines += [
        "all",
        "    corrected: all of these",
        "none",
        "    no correction; those not asked for by name are accepted, and no warning tells of them",
    ]
    return "\n".join(lines)


def asks_for_list(argv: Sequence[str]) -> bool:
    """Whether the known defects are to be listed in place of a run."""
    pairs = zip(argv, [*argv[1:], ""], strict=False)
    return any(word == f"--fix={LIST}" or (word == "--fix" and value == LIST) for word, value in pairs)
