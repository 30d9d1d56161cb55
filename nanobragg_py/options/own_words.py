"""Options of our own, and words that mean nothing, on the command lines of the C program's sisters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..base.c_numbers import leading_integer
from ..base.errors import InputError, shown
from .spelling import did_you_mean

Said = dict[str, Any]
# Gets the option's name, its value and what was said so far, to which it adds. Raises InputError.
Reader = Callable[[str, str, Said], None]


def take_own(argv: Sequence[str], own: Mapping[str, str], readers: Mapping[str, Reader]) -> tuple[Said, list[str]]:
    """What our own options set, and the words that are left for the C program's.

    own: what the help says of each, beginning with its value. readers: of their values. Raises InputError.
    """
    said: Said = {}
    words: list[str] = []
    remaining = list(argv)
    while remaining:
        word = remaining.pop(0)
        name, equals, value = word.partition("=")
        if name not in own:
            words.append(word)
            continue
        if not equals:
            if not remaining:
                raise InputError(f"option {name} needs a value ({own[name].split()[0]})")
            value = remaining.pop(0)
        readers[name](name, value, said)
    return said, words


def read_threads(name: str, value: str, said: Said) -> None:
    """A number of threads."""
    count, length = leading_integer(value)
    if length != len(value) or count < 1:
        raise InputError(f"option {name}: expected a positive whole number, got '{shown(value)}'")
    said["threads"] = count


def reader_of_fixes(none: Any) -> Reader:
    """A reader of corrections' names; none: what they are added to."""

    def read(name: str, value: str, said: Said) -> None:
        said["fixes"] = said.get("fixes", none).and_named(value)

    return read


def note_ignored(words: Sequence[str], means: Callable[[int], bool], known: Sequence[str], program: str) -> list[str]:
    """Warnings of words that are no option and no value. means: whether the word at a place is one.

    known: all names of options. Raises InputError for a word that can only be an option of ours.
    """
    warnings = []
    for at, word in enumerate(words):
        if means(at):
            continue
        if word.startswith("--") and word != "--":
            hint = did_you_mean(word, known) or f"; {program} --help lists all"
            raise InputError(f"no option {shown(word.partition('=')[0])}{hint}")
        kind = "unknown option " if word.startswith("-") else "stray word "
        warnings.append(f"{kind}'{shown(word)}' is ignored{did_you_mean(word, known)}")
    return warnings
