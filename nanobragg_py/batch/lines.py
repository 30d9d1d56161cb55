"""Command lines in a text file: where each begins, and its words as a shell would take them apart."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..base.errors import InputError, shown

PROGRAM = "nanoBragg"
_PART = re.compile(
    r"""(?P<blank>\s+) | '(?P<single>[^']*)' | "(?P<double>(?:[^"\\]|\\.)*)" | \\(?P<escaped>.)
    | (?P<operator>[|&;<>()]+) | (?P<plain>[^\s'"\\|&;<>()]+)""",
    re.VERBOSE | re.DOTALL,
)
_KEPT_IN_DOUBLE_QUOTES = re.compile(r'\\([\\"$`])')
_REPLACED = re.compile(r"[$`*?]|^~")
_REPLACED_IN_DOUBLE_QUOTES = re.compile(r"(?:[^\\]|^)(?:\\\\)*[$`]")


@dataclass(frozen=True)
class Line:
    """One command line and the number of the line of the file at which it begins, from 1."""

    number: int
    text: str

    def words(self) -> list[str]:
        """Options and values, without the program's name. Raises InputError for what only a shell could carry out."""
        words = split(self.text)
        return words[1:] if words and os.path.basename(words[0]) == PROGRAM else words


def command_lines(content: bytes) -> Iterator[Line]:
    """The command lines of a file: comments (#) and empty lines left out, lines that end in a backslash joined."""
    begun: tuple[int, str] | None = None
    for number, raw in enumerate(content.split(b"\n"), 1):
        text = os.fsdecode(raw.removesuffix(b"\r"))
        if begun is None and (not text.strip() or text.lstrip().startswith("#")):
            continue
        first, before = begun or (number, "")
        if _goes_on(text):
            begun = first, before + text[:-1]
        else:
            begun = None
            if (before + text).strip():
                yield Line(first, before + text)
    if begun is not None and begun[1].strip():
        yield Line(*begun)


def _goes_on(text: str) -> bool:
    return (len(text) - len(text.rstrip("\\"))) % 2 == 1


def split(text: str) -> list[str]:
    """Words of a command line: quotes and backslashes as in a shell, # begins a comment where a word would begin.

    Nothing is replaced: for what a shell would replace or carry out (variables, wildcards, redirections) InputError is
    raised.
    """
    if "\0" in text:
        raise InputError("expected text, got a null character")
    words: list[str] = []
    word: str | None = None
    at = 0
    while at < len(text):
        if word is None and text[at] == "#":
            break
        found = _PART.match(text, at)
        if found is None:
            raise InputError(f"a quotation mark is not closed: {shown(text[at:])}")
        kind, part = found.lastgroup, found[found.lastgroup or 0]
        if kind == "blank":
            if word is not None:
                words.append(word)
            word = None
        else:
            word = (word or "") + _meant(str(kind), part, begins=word is None)
        at = found.end()
    return words if word is None else [*words, word]


def _meant(kind: str, part: str, begins: bool) -> str:
    """What a part of a word stands for."""
    if kind == "operator":
        raise InputError(f"expected options and values, got '{part}', for which a shell is needed; quote it in a name")
    if kind == "plain":
        found = _REPLACED.search(part)
        if found and (begins or found[0] != "~"):
            raise InputError(
                f"'{found[0]}' in {shown(part)} is not replaced here: write what it stands for, or quote it"
            )
    if kind == "double":
        if _REPLACED_IN_DOUBLE_QUOTES.search(part):
            raise InputError(f'$ or ` in "{shown(part)}" is not replaced here: write what it stands for')
        return _KEPT_IN_DOUBLE_QUOTES.sub(r"\1", part)
    return part
