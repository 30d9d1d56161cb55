"""Taking command lines apart: as a shell does it, or refused."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanobragg_py.base.errors import InputError
from nanobragg_py.batch.lines import Line, command_lines, split


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)))
def test_quoted_words_come_back(words: list[str]) -> None:
    assert split(shlex.join(words)) == words


@given(st.text("ab'\" \\#\t", max_size=12))
def test_as_shlex(text: str) -> None:
    """Where shlex understands a line, so do we, and alike; a # within a word is no comment in a shell."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=False)
    lexer.whitespace_split, lexer.commenters = True, ""
    try:
        expected = list(lexer)
    except ValueError:
        return
    if "#" not in text and not text.endswith("\\"):
        assert split(text) == expected


def test_comments_and_joined_lines() -> None:
    content = b"# one\n\n-a 1 \\\n -b '#2' # rest\r\n  # two\nnanoBragg -c x#1 \\\\\n-d \\\n"
    lines = list(command_lines(content))
    assert [(line.number, line.words()) for line in lines] == [
        (3, ["-a", "1", "-b", "#2"]),
        (6, ["-c", "x#1", "\\"]),
        (7, ["-d"]),
    ]
    assert Line(1, "/usr/bin/nanoBragg -x").words() == ["-x"]
    assert list(command_lines(b"")) == list(command_lines(b"\n#x")) == list(command_lines(b" \\\n")) == []
    assert next(iter(command_lines(b"-a \xff"))).words() == ["-a", "\udcff"]


@pytest.mark.parametrize(
    "text",
    ["-a > log", "-a>log", "-a | cat", "-a &", "-a; -b", "-a $X", '-a "$X"', "-a `x`", "-a *.hkl", "-a ~/x", "-a 'b",
     '-a "b', "-a \\", "-a \0", "-a x?.img", '-a "\\\\$X"'],
)  # fmt: skip
def test_what_only_a_shell_can_do(text: str) -> None:
    with pytest.raises(InputError):
        split(text)


def test_quoted_it_stands_for_itself() -> None:
    assert split(r"""'$X' "\$X" \* 'a>b' a~ "~" '~'""") == ["$X", "$X", "*", "a>b", "a~", "~", "~"]
