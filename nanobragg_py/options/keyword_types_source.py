"""Source of keyword_types.py, made from the flag table.

python -m nanobragg_py.options.keyword_types_source > nanobragg_py/options/keyword_types.py
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from .keywords import CHOICES, OWN_KEYWORDS, SWITCHES, Keyword, is_changeable, keywords
from .table import Option, OwnOption

WIDTH = 120
HEAD = '''"""Types of the keywords of simulate(), Simulator() and Simulator.render(), for editors and type checkers.

Made by python -m nanobragg_py.options.keyword_types_source: change the flag table, not this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypedDict

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from .amorphous import Amorphous

    File = str | PathLike[str]
    Integers = Sequence[int] | NDArray[Any]
    Numbers = Sequence[float] | NDArray[Any]


class Rotation(Protocol):
    """SciPy's Rotation, or whatever else gives its matrix (3, 3)."""

    def as_matrix(self) -> Any:
        """The rotation matrix."""
'''
# Of a value by its row's kind; of a row that takes several values, or one for each of several axes, the second.
KINDS = {
    "real": ("float", "Numbers"),
    "integer": ("int", "Integers"),
    "seed": ("int", "int"),
    "text": ("File", "File"),
    "vector": ("Numbers", "Numbers"),
    "cell": ("float | Numbers", ""),
    "misset": ('Literal["random"] | Numbers | Rotation', ""),
    "absorption": ('Literal["inf"] | float', ""),
    "pivot": ('Literal["beam", "sample"]', ""),
}
# Keywords that take arrays in place of a file: their types, and what the flag table does not say of them.
ARRAYS = {
    "hkl": (
        "File | ArrayLike | tuple[ArrayLike, ArrayLike]",
        "; or an array (n, 4) of h k l F, or a pair (n, 3), (n,)",
    ),
    "mask": ("File | ArrayLike", "; or an array (slow, fast), 0 = skip"),
}
ARRAYS_ONLY = {
    "sources": ("File | ArrayLike", "sources: a file, or an array (n, 5) of x y z [m], weight, wavelength [m]"),
    "matrix": (
        "File | ArrayLike",
        "MOSFLM matrix: a file, or an array (3, 3) with columns a*, b*, c* [1/Å] times λ [Å]",
    ),
}
OWN = {
    "symmetry": "str",
    "threads": "int",
    "fix": "str | Iterable[str]",
    "column": "str",
    "sf_resolution_A": "float",
    "mask_keeps": 'Literal["zero", "nonzero"]',
    "background": "Amorphous | Mapping[str, object] | Sequence[Amorphous | Mapping[str, object]]",
    "bits": "Literal[16, 32]",
}
NUMBERS = {"count": "int", "whole": "int", "positive": "float", "amount": "float"}


def keyword_types() -> str:
    """The source."""
    known = {name: (type_of(name, keyword), help_of(name, keyword)) for name, keyword in keywords().items()}
    known |= ARRAYS_ONLY
    changes = {
        name: row for name, row in known.items() if name == "sources" or (name in keywords() and is_changeable(name))
    }
    rest = {name: row for name, row in known.items() if name not in changes}
    lines = [HEAD]
    lines += _class(
        "Changes", "TypedDict", "Keywords whose values may differ between images of one Simulator.", changes
    )
    lines += [""]
    lines += _class("Keywords", "Changes", "All keywords; None stands for what is not given.", rest)
    return "\n".join(lines) + "\n"


def _class(name: str, base: str, text: str, rows: dict[str, tuple[str, str]]) -> Iterator[str]:
    yield ""
    yield f"class {name}({base}, total=False):"
    yield f'    """{text}"""'
    yield ""
    for keyword, (kind, help_text) in rows.items():
        yield f"    {keyword}: {kind} | None"
        yield from _docstring(help_text)


def _docstring(text: str) -> list[str]:
    one_line = f'    """{text}"""'
    if len(one_line) <= WIDTH:
        return [one_line]
    lines = textwrap.wrap(text, WIDTH - 7)
    return [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """']


def help_of(name: str, keyword: Keyword) -> str:
    """What a keyword does."""
    unit = f" [{keyword.unit}]" if keyword.unit else ""
    more = ARRAYS[name][1] if name in ARRAYS else ""
    same = f"; another name of {keyword.name}" if name != keyword.name else ""
    return f"{keyword.help}{more}{unit}{same}"


def type_of(name: str, keyword: Keyword) -> str:
    """The type of a keyword's value."""
    if name in ARRAYS:
        return ARRAYS[name][0]
    if name in CHOICES:
        return f"Literal[{', '.join(repr(choice).replace(chr(39), chr(34)) for choice in CHOICES[name])}]"
    if name in SWITCHES:
        return "bool"
    if name in OWN:
        return OWN[name]
    return _type_of_own(OWN_KEYWORDS[name]) if keyword.row is None else _type_of_row(keyword.row)


def _type_of_own(option: OwnOption) -> str:
    if option.choices:
        choices = ", ".join(f'"{choice}"' for choice in option.choices)
        return f"Literal[{choices}]"
    return NUMBERS[option.kind]


def _type_of_row(row: Option) -> str:
    one, several = KINDS[row.kind]
    if row.kind in ("real", "integer"):
        if row.values > 1:
            return several
        if len(row.sets) > 1:
            return f"{one} | {several}"
    return one


if __name__ == "__main__":
    print(keyword_types(), end="")
