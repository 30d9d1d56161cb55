"""Tables drawn from distributions: row i has numbers of its own, whatever the number of rows."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TextIO

import numpy as np

from ..base.errors import InputError, shown
from ..options.spelling import did_you_mean
from .columns import PARTS, QUATERNION, WHOLE, Column, cell_value, columns_of

Generator = np.random.Generator
# Draws of a truncated distribution after which its limits are taken for a slip.
MOST_DRAWS = 10_000
LARGEST_SEED = 2**31 - 1


class Variable(NamedTuple):
    """What is drawn together: columns, and their values from a generator."""

    columns: tuple[Column, ...]
    draw: Callable[[Generator], Sequence[Any]]


def variables(said: Sequence[tuple[str, str]], where: str = "--vary") -> list[Variable]:
    """What names and distributions say, in their order. Raises InputError, which begins with `where`."""
    found = []
    for name, text in said:
        kind, *arguments = text.split(":")
        try:
            found.append(_variable(name, kind.strip(), arguments))
        except InputError as error:
            message = str(error)
            raise InputError(f"{where} {shown(name)}={shown(text)}: {message.removeprefix('table: ')}") from error
    columns_of([column.name for one in found for column in one.columns], where)
    return found


def rows(found: Sequence[Variable], count: int, seed: int, first: int = 0) -> Iterator[list[Any]]:
    """Rows first..first+count-1. Row i is drawn from numpy's SeedSequence(seed, spawn_key=(i,)), in the order of
    the variables.
    """
    for row in range(first, first + count):
        random = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(row,))))
        yield [value for one in found for value in one.draw(random)]


def write_csv(file: TextIO, found: Sequence[Variable], count: int, seed: int, first: int = 0) -> None:
    """Write a table, with as many digits as it takes to read the same numbers back."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([column.name for one in found for column in one.columns])
    for row in rows(found, count, seed, first):
        writer.writerow([repr(value) if isinstance(value, float) else value for value in row])


def _variable(name: str, kind: str, arguments: list[str]) -> Variable:
    if name == "orientation":
        _expect(kind, arguments, {"uniform": (0,)})
        return Variable(columns_of(QUATERNION, "table"), _quaternion)
    if name == "cell":
        return _cell(kind, arguments)
    if name in PARTS or name in QUATERNION:
        raise InputError("expected orientation=uniform, or misset_x, misset_y and misset_z")
    parts = next((group for group in PARTS.values() if name in group), (name,))
    column = next(column for column in columns_of(parts, "table") if column.name == name)
    if kind in ("choice", "fixed"):
        return Variable((column,), _choice(column, kind, ":".join(arguments)))
    draw = _scalar(column, kind, arguments)
    if column.kind == WHOLE:
        least = -(2**63) if kind == "uniform" else 1
        return Variable((column,), lambda random: (max(round(draw(random)), least),))
    return Variable((column,), lambda random: (float(draw(random)),))


def _quaternion(random: Generator) -> list[float]:
    """A rotation, uniform over all: a unit quaternion (Shoemake, Graphics Gems III (1992), 124), w not negative."""
    q = random.standard_normal(4)
    q /= math.copysign(math.sqrt(q @ q), q[0])
    return [float(part) for part in q]


def _cell(kind: str, arguments: list[str]) -> Variable:
    """normal:a,b,c,alpha,beta,gamma:sigmas, or scaled: the same with one relative spread for all edges."""
    _expect(kind, arguments, {"normal": (2,), "scaled": (2,), "fixed": (1,)})
    mean = _list(arguments[0], 6)
    columns = columns_of(PARTS["cell"], "table")
    if kind == "fixed":
        return Variable(columns, lambda random: mean)
    if kind == "scaled":
        (spread,) = _list(arguments[1], 1)

        def scaled(random: Generator) -> list[float]:
            factor = 1.0 + spread * float(random.standard_normal())
            return [*(edge * factor for edge in mean[:3]), *mean[3:]]

        return Variable(columns, scaled)
    sigma = _list(arguments[1], 6)

    def normal(random: Generator) -> list[float]:
        return [m + s * z for m, s, z in zip(mean, sigma, random.standard_normal(6).tolist(), strict=True)]

    return Variable(columns, normal)


def _choice(column: Column, kind: str, text: str) -> Callable[[Generator], Sequence[Any]]:
    values = [cell_value(column, word) for word in (text.split(",") if kind == "choice" else [text])]
    if kind == "fixed":
        return lambda random: values
    return lambda random: [values[int(random.integers(len(values)))]]


# How many numbers each distribution takes.
ARGUMENTS: Mapping[str, tuple[int, ...]] = {
    "normal": (2, 4),
    "uniform": (2,),
    "lognormal": (2,),
    "loguniform": (2,),
    "gamma": (2,),
    "exponential": (1,),
}


def _scalar(column: Column, kind: str, arguments: list[str]) -> Callable[[Generator], float]:
    """A number's distribution."""
    if kind == "random" and column.kind == WHOLE:
        _expect(kind, arguments, {"random": (0,)})
        return lambda random: float(random.integers(1, LARGEST_SEED, endpoint=True))
    _expect(kind, arguments, ARGUMENTS)
    numbers = [_number(text) for text in arguments]
    a, b = (numbers * 2)[:2]
    if kind == "normal":
        _at_least(b, 0.0, "the standard deviation")
        return _truncated(a, b, *(numbers[2:] or (-math.inf, math.inf)))
    if kind == "uniform":
        _at_least(b, a, "the upper limit")
        if column.kind == WHOLE:
            return lambda random: float(random.integers(math.ceil(a), math.floor(b), endpoint=True))
        return lambda random: random.uniform(a, b)
    _above(a)
    if kind == "exponential":
        return lambda random: random.exponential(a)
    if kind == "loguniform":
        _at_least(b, a, "the upper limit")
        return lambda random: a * math.exp(random.uniform(0.0, math.log(b / a)))
    if kind == "lognormal":
        _at_least(b, 0.0, "the spread")
        return lambda random: a * math.exp(b * random.standard_normal())
    _above(b)
    return lambda random: random.gamma(b, a / b)


def _truncated(mean: float, sigma: float, low: float, high: float) -> Callable[[Generator], float]:
    """A normal distribution within limits: drawn again until it lies there."""
    _at_least(high, low, "the upper limit")

    def draw(random: Generator) -> float:
        for _ in range(MOST_DRAWS):
            value = mean + sigma * float(random.standard_normal())
            if low <= value <= high:
                return value
        raise InputError(f"normal: hardly any number between {low:g} and {high:g}; expected wider limits")

    return draw


def _expect(kind: str, arguments: list[str], known: Mapping[str, tuple[int, ...]]) -> None:
    if kind not in known:
        raise InputError(f"expected one of {', '.join(known)}{did_you_mean(kind, known)}")
    if len(arguments) not in known[kind]:
        counts = " or ".join(str(count) for count in known[kind])
        raise InputError(f"{kind} takes {counts} values, separated by colons, got {len(arguments)}")


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"expected a number, got '{shown(text)}'")
    return value


def _list(text: str, count: int) -> list[float]:
    values = [_number(word) for word in text.split(",")]
    if len(values) != count:
        raise InputError(f"expected {count} numbers, separated by commas, got {len(values)}")
    return values


def _at_least(value: float, least: float, what: str) -> None:
    if value < least:
        raise InputError(f"{what} is {value:g}: expected {least:g} or more")


def _above(value: float) -> None:
    if not value > 0.0:
        raise InputError(f"expected numbers above 0, got {value:g}")
