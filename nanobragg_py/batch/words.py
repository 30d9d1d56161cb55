"""Keywords as the words of a command line that says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..base.errors import InputError
from ..options.amorphous import Amorphous, materials_of
from ..options.config import Config, scan
from ..options.keywords import CHOICES, OWN_KEYWORDS, SUFFIXES, SWITCHES, keywords
from ..options.table import OPTIONS, OWN_OPTIONS, Option
from .base import NOT_OF_THE_IMAGE

# Keywords of options of our own, and the field of Config that they set.
OWN_FIELDS = {
    "fix": "fixes",
    "column": "sf_column",
    "symmetry": "sf_symmetry",
    "mask_keeps": "mask_keeps",
    "sf_resolution_A": "sf_resolution_A",
}


def words_of(said: Mapping[str, Any]) -> list[str]:
    """Options and values, in the order of the keywords. Raises InputError for what no option says."""
    return [word for name, value in said.items() if value is not None for word in _words(name, value)]


def _words(name: str, value: Any) -> list[str]:
    row = keywords()[name].row
    if row is not None:
        return _words_of_row(name, row, value)
    if name in CHOICES or name in SWITCHES:
        if name == "convention" and value == "custom":
            return []
        for flag in OPTIONS:
            if flag.kind in ("flag", "follower") and flag.also.get(name) == value:
                # curved_detector's flag only counts when another word follows: there always is one.
                return [flag.spellings[0]]
        raise InputError(f"{name} = {value!r}: no option of the command line says so")
    if name == "background":
        return [word for material in materials_of(value) for word in _words_of_material(material)]
    if name in OWN_KEYWORDS:
        return [OWN_KEYWORDS[name].name, value if isinstance(value, str) else _number(value)]
    option = next(one.name for one in OWN_OPTIONS if one.sets == OWN_FIELDS[name])
    return [option, value if isinstance(value, str) else ",".join(value) if name == "fix" else _number(value)]


def _words_of_material(material: Amorphous) -> list[str]:
    if not isinstance(material.material, str):
        raise InputError("background: no option of the command line takes a table; give it as a file")
    words = ["--background", material.material]
    for option in OWN_OPTIONS:
        value = getattr(material, option.sets) if option.kind == "of_background" else None
        if value is not None:
            words += [option.name, _number(value)]
    return words


def _words_of_row(name: str, row: Option, value: Any) -> list[str]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return [_option(name, row), value if isinstance(value, str) else _number(value)]
    if len(value) == len(row.sets) > 1 and row.values == 1:
        words = []
        for field, one in zip(row.sets, value, strict=True):
            single = next(each for each in OPTIONS if each.sets == (field,))
            words += [single.spellings[0], _number(one)]
        return words
    return [_option(name, row), *(_number(one) for one in value)]


def _option(name: str, row: Option) -> str:
    """The spelling of a row's option that a keyword comes from."""
    suffix = "" if row.kind in ("cell", "misset") else SUFFIXES.get(row.unit, "")
    wanted = "-" + name.removesuffix(suffix)
    return wanted if wanted in row.spellings else row.spellings[0]


def _number(value: Any) -> str:
    return repr(value) if isinstance(value, (int, float)) else str(value)


def check_same(words: Sequence[str], config: Config) -> None:
    """Raise InputError unless a command line says all that a configuration has of an image."""
    said, _ = scan(words)
    different = [
        name for name, value in vars(config).items() if name not in NOT_OF_THE_IMAGE and getattr(said, name) != value
    ]
    if different:
        raise InputError(f"no command line says the same: {', '.join(different)} would differ")
