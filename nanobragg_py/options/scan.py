"""The scan of a command line by the flag table.

Matching is the C program's: an option is recognised wherever its name occurs inside a word that starts with '-'
(some names must be the whole word), every word is looked at, also one that was another option's value, one word
can trigger several options, and of two that set the same thing the later wins.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ..base.c_numbers import leading_integer, leading_real
from ..base.errors import InputError, shown
from ..base.vectors import RADIAN_IN_DEGREES
from .fixes import ACCEPT, NO_CORRECTIONS, Corrections
from .spelling import did_you_mean
from .table import EXITS, OPTIONS, OWN_OPTIONS, UNITS, Option, OwnOption

# Fields of Config and their values.
Said = dict[str, Any]
# Dashes and minus signs that are no hyphen: word processors and PDF put them where a hyphen was.
NO_HYPHENS = ("\N{HYPHEN}", "\N{NON-BREAKING HYPHEN}", "\N{EN DASH}", "\N{EM DASH}", "\N{MINUS SIGN}")
# How many words an option used up as values, and whether no further row is tried on its word.
Acted = tuple[int, bool]


def fields_said(argv: Sequence[str]) -> tuple[Said, list[str]]:
    """Fields of Config that a command line (without the program's name) sets, and warnings about what was ignored.

    Raises InputError for a missing or unreadable value.
    """
    said, words = _take_own_options(argv)
    warnings: list[str] = []
    spoken_for: set[int] = set()
    for at, word in enumerate(words):
        if not word.startswith("-"):
            continue
        rows = _rows(word)
        if not rows:
            continue
        _check_values_are_there(word, rows, words, at, warnings, _corrections(said))
        _note_unusual_name(word, rows, warnings)
        for row in rows:
            if len(words) - at - 1 < row.values and row.kind != "misset":
                continue
            used, stop = _apply(row, word, words, at, said, warnings)
            spoken_for.update(range(at + 1, at + 1 + used))
            if stop:
                break
    _note_ignored_words(words, spoken_for, warnings)
    return said, warnings


@functools.lru_cache(1000)
def _rows(word: str) -> tuple[Option, ...]:
    """Options that a word is taken for; many command lines have the same words."""
    return tuple(row for row in OPTIONS if row.matches(word))


def _take_own_options(argv: Sequence[str]) -> tuple[Said, list[str]]:
    """What our own options set, and the words that are left for the C program's."""
    own = {option.name: option for option in OWN_OPTIONS}
    said: Said = {}
    words: list[str] = []
    remaining = list(argv)
    while remaining:
        word = remaining.pop(0)
        name, equals, value = word.partition("=")
        option = own.get(name)
        if option is None:
            words.append(word)
            continue
        if not option.metavar:
            if equals:
                raise InputError(f"option {name} takes no value, got '{shown(value)}'")
            said[option.sets] = True
            continue
        if not equals:
            if not remaining:
                raise InputError(f"option {name} needs a value ({option.metavar})")
            value = remaining.pop(0)
            if value.partition("=")[0] in own:
                raise InputError(f"option {name} needs a value ({option.metavar}), got the option {shown(value)}")
        set_own(option, value, said)
    return said, words


def set_own(option: OwnOption, value: str, said: Said) -> None:
    """Set what an option of our own sets to its value. Raises InputError for a value that is none."""
    if option.choices and value not in option.choices:
        expected = ", ".join(option.choices[:-1]) + " or " + option.choices[-1]
        raise InputError(f"option {option.name}: expected {expected}, got '{shown(value)}'")
    if option.kind in ("count", "whole"):
        said[option.sets] = _whole(option.name, value, least=int(option.kind == "count"))
    elif option.kind in ("positive", "amount"):
        said[option.sets] = _real(option.name, value, above=option.kind == "positive")
    elif option.kind == "fixes":
        names = [word.strip() for word in value.split(",")]
        said["defects_accepted"] = said.get("defects_accepted", False) or ACCEPT in names
        said["fixes"] = _corrections(said).and_named(value)
    elif option.kind == "background":
        # Not at the top: few runs have one, and all would wait for it.
        from .amorphous import Amorphous

        said[option.sets] = (*said.get(option.sets, ()), Amorphous(value))
    elif option.kind == "of_background":
        _tell_of_background(option, value, said)
    elif option.sets == "bits":
        said[option.sets] = int(value)
    elif option.repeat:
        said[option.sets] = (*said.get(option.sets, ()), value)
    else:
        said[option.sets] = value


def _tell_of_background(option: OwnOption, value: str, said: Said) -> None:
    """Set a property of the material that was named last."""
    *before, last = said.get("background", (None,))
    if last is None:
        raise InputError(f"option {option.name}: expected after the --background that it is a property of")
    changed = replace(last, **{option.sets: _real(option.name, value, above=True)})
    said["background"] = (*before, changed)


def _corrections(said: Said) -> Corrections:
    """Corrections asked for so far."""
    corrections: Corrections = said.get("fixes", NO_CORRECTIONS)
    return corrections


def _whole(name: str, text: str, least: int) -> int:
    """The value of an option of our own that takes a whole number of at least 0 or 1."""
    count, length = leading_integer(text)
    if length != len(text) or count < least:
        wanted = "a positive whole number" if least else "a whole number of 0 or more"
        raise InputError(f"option {name}: expected {wanted}, got '{shown(text)}'")
    return int(count)


def _real(name: str, text: str, above: bool) -> float:
    """The value of an option of our own that takes a number above 0, or of at least 0."""
    value, length = leading_real(text)
    if length != len(text) or not (0.0 < value < math.inf or (value == 0.0 and not above)):
        raise InputError(
            f"option {name}: expected a number {'above 0' if above else 'of 0 or more'}, got '{shown(text)}'"
        )
    return value


def _longest_name(word: str, rows: Sequence[Option]) -> Option:
    """The row the user most likely meant: the one whose name covers most of the word."""
    return max(rows, key=lambda row: max(len(name) for name in row.names if name in word))


def _check_values_are_there(
    word: str, rows: Sequence[Option], words: list[str], at: int, warnings: list[str], corrections: Corrections
) -> None:
    meant = _longest_name(word, rows)
    there = len(words) - at - 1
    if meant.kind == "follower" and there == 0 and not corrections.upstream:
        warnings.append(f"{word} as the last word is ignored (as in the C program); --fix upstream heeds it")
    needed = 1 if meant.kind in ("cell", "misset") else meant.values
    if there < needed:
        wanted = f"{needed} values" if needed > 1 else "a value"
        raise InputError(f"option {word} needs {wanted}{_unit_text(meant)}, but the line ends")


def _unit_text(row: Option) -> str:
    return f" ({row.unit})" if row.unit else ""


def _note_unusual_name(word: str, rows: Sequence[Option], warnings: list[str]) -> None:
    known = {name for row in rows for name in (*row.names, *row.aliases)}
    if word not in known:
        names = " and ".join(dict.fromkeys(next(n for n in row.names if n in word) for row in rows))
        warnings.append(f"{word} is read as {names} (as in the C program)")


def _note_ignored_words(words: list[str], spoken_for: set[int], warnings: list[str]) -> None:
    """Warn of words that are no option and no value. Raises InputError for one that can only be an option of ours."""
    for at, word in enumerate(words):
        if at in spoken_for or (word.startswith("-") and _rows(word)):
            continue
        if word.startswith("--") and word != "--":
            # The C program has no options of two hyphens: here one was meant, and a run without it is not what was.
            name = word.partition("=")[0]
            hint = did_you_mean(name, _all_names()) or "; nanoBragg --help lists all"
            raise InputError(f"no option {shown(name)}{hint}")
        if word.startswith("-") and leading_real(word)[1] == 0:
            warnings.append(f"unknown option {shown(word)} is ignored{did_you_mean(word, _all_names())}")
        elif word.startswith(NO_HYPHENS):
            hint = f"; did you mean -{shown(word[1:])}, with a hyphen?"
            warnings.append(f"stray word '{shown(word)}' is ignored{hint}")
        else:
            warnings.append(f"stray word '{shown(word)}' is ignored")


def _all_names() -> list[str]:
    """Every name of an option, the C program's and ours."""
    return [
        *(name for row in OPTIONS for name in row.spellings),
        *(option.name for option in OWN_OPTIONS),
        *(name for way in EXITS for name in way.names),
    ]


def apply_row(row: Option, word: str, words: list[str], said: Said, warnings: list[str]) -> None:
    """Let one row read the words [word, value, ...] alone: the way of the Python API's keywords."""
    _apply(row, word, words, 0, said, warnings)


def _apply(row: Option, word: str, words: list[str], at: int, said: Said, warnings: list[str]) -> Acted:
    """Let one row act; returns how many words it used up and whether the word is done with."""
    values = words[at + 1 : at + 1 + row.values]
    if row.kind in _READERS:
        return _READERS[row.kind](row, word, words, at, said, warnings)
    if row.kind in ("real", "integer", "seed"):
        numbers = [_number(row, word, text, warnings) for text in values]
        if len(numbers) == 1:
            numbers *= len(row.sets)
        said.update(zip(row.sets, numbers, strict=True))
    elif row.kind == "vector":
        said[row.sets[0]] = tuple(_number(row, word, text, warnings) for text in values)
    elif row.kind == "text":
        said[row.sets[0]] = values[0]
    said.update(row.also)
    return row.values, row.last_look


def _number(row: Option, word: str, text: str, warnings: list[str]) -> Any:
    """The value of a numeric option, converted to Config's unit."""
    whole = row.kind not in ("real", "vector", "cell", "misset", "absorption")
    value, length = leading_integer(text) if whole else leading_real(text)
    real_length = leading_real(text)[1]
    if max(length, real_length) == 0:
        wanted = "a whole number" if whole else "a number"
        raise InputError(f"option {word}: expected {wanted}{_unit_text(row)}, got '{shown(text)}'")
    if length != len(text):
        warnings.append(f"{word} {shown(text)} is read as {value:g}")
    if not math.isfinite(value):
        raise InputError(f"option {word}: expected a finite number{_unit_text(row)}, got '{shown(text)}'")
    if whole or row.kind in ("vector", "cell"):
        return value
    return UNITS[row.unit](value)


def _read_cell(row: Option, word: str, words: list[str], at: int, said: Said, warnings: list[str]) -> Acted:
    """One to six numbers, up to the first word that starts with '-'."""
    numbers: list[float] = []
    for text in words[at + 1 : at + 7]:
        if text.startswith("-"):
            break
        value = _number(row, word, text, warnings)
        numbers.append(value if len(numbers) < 3 else value / RADIAN_IN_DEGREES)
    said["cell"] = tuple(numbers) + tuple((said.get("cell") or ())[len(numbers) :])
    # When fewer than six stand there, the C program looks for no other option in the word.
    return len(numbers), len(numbers) < 6


def _read_misset(row: Option, word: str, words: list[str], at: int, said: Said, warnings: list[str]) -> Acted:
    """The word 'random', or three angles; -misset_seed is an option of its own."""
    if "-misset_seed" in word:
        return 0, False
    if "rand" in words[at + 1]:
        said["misset_random"] = True
        return 1, True
    if len(words) - at - 1 < 3:
        raise InputError(f"option {word} needs three angles (deg) or the word 'random'")
    angles = [_number(row, word, text, warnings) for text in words[at + 1 : at + 4]]
    said["misset"] = tuple(angles)
    said["misset_random"] = False
    return 3, False


def _read_pivot(row: Option, word: str, words: list[str], at: int, said: Said, warnings: list[str]) -> Acted:
    """'sample' and 'beam' anywhere in the value; with both, beam."""
    value = words[at + 1]
    for name in ("sample", "beam"):
        if name in value:
            said["pivot"] = said["pivot_named"] = name
    if "sample" not in value and "beam" not in value:
        warnings.append(f"{word} {value} is ignored: expected 'beam' or 'sample'")
    return 1, False


def _read_absorption(row: Option, word: str, words: list[str], at: int, said: Said, warnings: list[str]) -> Acted:
    """A depth in µm; 'inf' and 0 turn the sensor off."""
    text = words[at + 1]
    value = 0.0 if "inf" in text else _number(row, word, text, warnings)
    if "inf" in text or value == 0.0:
        said["thickness_m"] = 0.0
        said["attenuation_per_m"] = 0.0
    else:
        said["attenuation_per_m"] = 1.0 / value
    return 1, False


def _read_follower(row: Option, word: str, words: list[str], at: int, said: Said, warnings: list[str]) -> Acted:
    """A flag that counts only when another word follows."""
    if at + 1 < len(words) or _corrections(said).upstream:
        said.update(row.also)
    return 0, False


def _read_pair(row: Option, word: str, words: list[str], at: int, said: Said, warnings: list[str]) -> Acted:
    """Two pixel numbers."""
    said[row.sets[0]] = tuple(_number(row, word, text, warnings) for text in words[at + 1 : at + 3])
    return 2, False


def _read_trace(row: Option, word: str, words: list[str], at: int, said: Said, warnings: list[str]) -> Acted:
    """Two pixel numbers, added to those given before."""
    pair = tuple(_number(row, word, text, warnings) for text in words[at + 1 : at + 3])
    said["trace_pixels"] = (*said.get("trace_pixels", ()), pair)
    return 2, False


_READERS: dict[str, Callable[[Option, str, list[str], int, Said, list[str]], Acted]] = {
    "cell": _read_cell,
    "misset": _read_misset,
    "pivot": _read_pivot,
    "absorption": _read_absorption,
    "follower": _read_follower,
    "pair": _read_pair,
    "trace": _read_trace,
}
