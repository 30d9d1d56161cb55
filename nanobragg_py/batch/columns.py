"""Columns of a table: which keyword each is for, and what stands in its cells."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..base.errors import InputError, shown
from ..base.vectors import RADIAN_IN_DEGREES, turns_of
from ..options.keywords import CHOICES, OWN_KEYWORDS, SWITCHES, Keyword, is_changeable, keywords
from ..options.spelling import did_you_mean

# Kinds of columns: real numbers, whole numbers, text (one word or several).
REAL, WHOLE, TEXT = "real", "whole", "text"
# A cell that is left empty: the base's value stands.
EMPTY: dict[str, Any] = {REAL: math.nan, WHOLE: -(2**63), TEXT: ""}
QUATERNION = ("qw", "qx", "qy", "qz")
# Keywords of several numbers that may be given a column for each of them.
PARTS = {
    "misset": ("misset_x", "misset_y", "misset_z"),
    "cell": ("cell_a", "cell_b", "cell_c", "cell_alpha", "cell_beta", "cell_gamma"),
}
NOISE_SEED = "noise_seed"
# The keyword that sets the crystal's orientation, and that of the noise's seed.
ORIENTATION, SEED = "misset", "seed"
# How far from 1 the length of a quaternion may be before it is taken for a slip.
UNIT_TOLERANCE = 1e-3
# Keywords of a run and of its files, which a batch has of its own.
NOT_OF_A_ROW = frozenset(
    "threads floatfile floatimage intfile intimage pgmfile pgmimage noisefile noiseimage write_pgm write_noise scale "
    "pgmscale adc adc_offset dump dumpfile dump_file".split()
)
# Keywords whose values do not fit into a cell.
OF_THE_BASE = frozenset({"background"})
# Kinds of numbers that options of our own take; of other kinds is text, but for "bits", which is a choice of numbers.
OWN_KINDS = {"count": WHOLE, "whole": WHOLE, "positive": REAL, "amount": REAL}
SWITCH_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Column(NamedTuple):
    """A column of the table: its name, and REAL, WHOLE or TEXT."""

    name: str
    kind: str


def column_names() -> list[str]:
    """Every name that a column may have."""
    parts = [part for names in PARTS.values() for part in names]
    return [*(name for name in keywords() if name not in NOT_OF_A_ROW | OF_THE_BASE), *parts, *QUATERNION, NOISE_SEED]


def columns_of(names: Sequence[str], where: str) -> tuple[Column, ...]:
    """The columns of these names. Raises InputError, which begins with `where`, for what they cannot be."""
    known = column_names()
    for name in names:
        if name in NOT_OF_A_ROW:
            raise InputError(f"{where}: column '{shown(name)}': a batch has its own files and threads")
        if name in OF_THE_BASE:
            raise InputError(f"{where}: column '{name}': expected it in the base")
        if name not in known:
            with_unit = [word for word in known if word.rpartition("_")[0] == name]
            hint = f"; did you mean {' or '.join(with_unit)}?" if with_unit else did_you_mean(name, known)
            raise InputError(f"{where}: no keyword '{shown(name)}'{hint}")
    _check_once(names, where)
    for group in (*PARTS.values(), QUATERNION):
        missing = [name for name in group if name not in names]
        if missing and len(missing) < len(group):
            raise InputError(f"{where}: {', '.join(group)} belong together: {', '.join(missing)} missing")
    return tuple(Column(name, _kind(name)) for name in names)


def _check_once(names: Sequence[str], where: str) -> None:
    """Raise InputError where two columns set the same."""
    setters: dict[str, str] = {}
    for name in names:
        for field in _sets(name):
            other = setters.setdefault(field, name)
            if other != name or names.count(name) > 1:
                raise InputError(f"{where}: columns '{other}' and '{name}' set the same")


def _sets(name: str) -> tuple[str, ...]:
    """What a column sets; a part of a keyword sets that part only."""
    if name in QUATERNION:
        return (name, *(PARTS[ORIENTATION] if name == "qw" else ()), *((ORIENTATION,) if name == "qw" else ()))
    for whole, parts in PARTS.items():
        if name in parts:
            return (name, whole) if name == parts[0] else (name,)
    row = keywords()[keyword_of(name)].row
    return (name,) if row is None else row.sets


def keyword_of(name: str) -> str:
    """The keyword that a column of its own is for."""
    return SEED if name == NOISE_SEED else name


def _kind(name: str) -> str:
    if name in QUATERNION or any(name in parts for parts in PARTS.values()):
        return REAL
    keyword = keywords()[keyword_of(name)]
    if name in OWN_KEYWORDS:
        return WHOLE if name == "bits" else OWN_KINDS.get(OWN_KEYWORDS[name].kind, TEXT)
    if keyword.row is None:
        return REAL if name == "sf_resolution_A" else TEXT
    if keyword.row.values > 1 or keyword.row.kind not in ("real", "integer", "seed"):
        return TEXT
    return REAL if keyword.row.kind == "real" else WHOLE


def cell_value(column: Column, text: str) -> Any:
    """What a cell of a text file holds. Raises InputError for what is no number where one is expected."""
    text = text.strip()
    if not text or column.kind == TEXT:
        return text or EMPTY[column.kind]
    wanted = "a number" if column.kind == REAL else "a whole number"
    try:
        value = float(text) if column.kind == REAL else int(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or "_" in text or abs(value) >= (2**63 if column.kind == WHOLE else math.inf):
        raise InputError(f"column '{column.name}': expected {wanted}, got '{shown(text)}'")
    return value


def is_empty(value: Any) -> bool:
    """Whether a cell was left empty."""
    return value == "" or value == EMPTY[WHOLE] or (isinstance(value, float) and math.isnan(value))


class RowWords(NamedTuple):
    """A row as keywords: those that need a new Simulator, those that do not, angles (degrees) and seed if it has some.

    They act in this order.
    """

    fixed: dict[str, Any]
    changed: dict[str, Any]
    misset_deg: tuple[float, float, float] | None
    seed: int | None

    def keywords(self) -> dict[str, Any]:
        """All of them, in the order in which they act."""
        turned = {} if self.misset_deg is None else {ORIENTATION: self.misset_deg}
        return {**self.fixed, **self.changed, **turned, **({} if self.seed is None else {SEED: self.seed})}


def row_words(columns: Sequence[Column], values: Sequence[Any]) -> RowWords:
    """The keywords of a row. Raises InputError for a value that cannot be."""
    given = {c.name: v for c, v in zip(columns, values, strict=True) if not is_empty(v)}
    fixed: dict[str, Any] = {}
    changed: dict[str, Any] = {}
    misset = _orientation(given)
    cell = _together(given, PARTS["cell"])
    if cell is not None:
        fixed["cell"] = cell
    seed = None
    for name, value in given.items():
        keyword = keyword_of(name)
        if keyword == SEED:
            seed = value
        elif keyword == ORIENTATION:
            fixed[ORIENTATION], misset = _misset(value)
            if misset is not None:
                del fixed[ORIENTATION]
        else:
            target = changed if is_changeable(keyword) else fixed
            target[keyword] = keyword_value(keywords()[keyword], keyword, value)
    return RowWords(fixed, changed, misset, seed)


def _together(given: dict[str, Any], parts: tuple[str, ...]) -> tuple[float, ...] | None:
    """Values of columns that belong together, which are taken out; None if none of them is given."""
    values = [given.pop(name, None) for name in parts]
    if all(value is None for value in values):
        return None
    if any(value is None for value in values):
        raise InputError(f"expected all of {', '.join(parts)}, or none")
    return tuple(values)


def _orientation(given: dict[str, Any]) -> tuple[float, float, float] | None:
    """Angles as -misset takes them, of a quaternion or of three columns."""
    angles = _together(given, PARTS[ORIENTATION])
    if angles is not None:
        return (angles[0], angles[1], angles[2])
    quaternion = _together(given, QUATERNION)
    return None if quaternion is None else misset_of(quaternion)


def misset_of(quaternion: Sequence[float]) -> tuple[float, float, float]:
    """Angles in degrees, as -misset takes them, of a rotation's unit quaternion w, x, y, z. Raises InputError."""
    size = math.hypot(*quaternion)
    if not abs(size - 1.0) <= UNIT_TOLERANCE:
        raise InputError(f"{', '.join(QUATERNION)}: expected a quaternion of length 1, got one of length {size:g}")
    w, x, y, z = (part / size for part in quaternion)
    rotation = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip
    a, b, c = turns_of(rotation)
    return (a * RADIAN_IN_DEGREES, b * RADIAN_IN_DEGREES, c * RADIAN_IN_DEGREES)


def _misset(text: str) -> tuple[str | None, tuple[float, float, float] | None]:
    """The word 'random', or angles in degrees."""
    if text == "random":
        return text, None
    angles = _numbers(ORIENTATION, text)
    if len(angles) != 3:
        raise InputError(f"{ORIENTATION}: expected three angles (deg) or the word 'random', got '{shown(text)}'")
    return None, (angles[0], angles[1], angles[2])


def keyword_value(keyword: Keyword, name: str, value: Any) -> Any:
    """A cell's value as the keyword takes it: of text several numbers, a switch, or the text itself."""
    if not isinstance(value, str):
        return value
    if name in SWITCHES:
        if value.lower() not in SWITCH_WORDS:
            raise InputError(f"{name}: expected true or false, got '{shown(value)}'")
        return SWITCH_WORDS[value.lower()]
    several = keyword.row is not None and (keyword.row.values > 1 or keyword.row.kind == "cell")
    if name in CHOICES or not several:
        return value
    return _numbers(name, value)


def _numbers(name: str, text: str) -> list[float]:
    try:
        return [float(word) for word in text.replace(",", " ").split()]
    except ValueError as error:
        raise InputError(f"{name}: expected numbers, got '{shown(text)}'") from error


def values_text(columns: Sequence[Column], values: Sequence[Any]) -> bytes:
    """A row as bytes, the same for the same values: what its checksum begins with."""
    pairs: Mapping[str, Any] = {column.name: value for column, value in zip(columns, values, strict=True)}
    return "".join(f"{name}={value!r}\n" for name, value in pairs.items()).encode()
