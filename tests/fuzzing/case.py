"""A command line in groups with its input files, what its parts agree on, and how numbers and options are spelled."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .inputs import Vector

STEP_LIMIT = 60_000
NUMBERS = "0123456789+-."


@dataclass(frozen=True)
class Group:
    """Words of a command line that stay together; a pinned group is not dropped while shrinking."""

    name: str
    args: tuple[str, ...]
    pinned: bool = False


@dataclass(frozen=True)
class Case:
    """A command line in groups, and the files present in the folder where it runs.

    pipes: names of files that are pipes. earlier: words of a command line that runs in the folder before this one.
    """

    groups: tuple[Group, ...]
    files: dict[str, bytes] = field(default_factory=dict)
    pipes: frozenset[str] = frozenset()
    earlier: tuple[str, ...] = ()

    @property
    def argv(self) -> list[str]:
        """The words of the command line, without the program."""
        return [word for group in self.groups for word in group.args]

    def names(self) -> set[str]:
        """The names of the groups present."""
        return {group.name for group in self.groups}


@dataclass
class Plan:
    """What the parts of a command line have to agree on (lengths in mm, wavelength and cell in Å).

    wide: whether the detector is wider than a block of pixels, and far from square.
    """

    width: int
    height: int
    pixel: float
    distance: float
    wavelength: float
    cell: Vector
    budget: float
    trace: bool
    traced: tuple[int, int] = (0, 0)
    files: dict[str, bytes] = field(default_factory=dict)
    pipes: set[str] = field(default_factory=set)
    earlier: tuple[str, ...] = ()
    wide: bool = False

    @property
    def pixels(self) -> int:
        """Number of pixels of the detector."""
        return self.width * self.height

    def take(self, rng: random.Random, largest: int) -> int:
        """A number of repetitions (of sources, phi steps, ...) that the budget of steps still allows."""
        count = rng.randint(1, max(1, min(largest, int(self.budget))))
        self.budget /= count
        return count


Maker = Callable[[random.Random, Plan], Iterator[Group]]


# --- spelling ----


def number(value: float, digits: int = 5) -> str:
    """A number as a user would type it."""
    return f"{value:.{digits}g}"


def spelled(rng: random.Random, value: float, digits: int = 5) -> str:
    """A number in one of the spellings that C reads the same way (units or junk after it are ignored)."""
    text = number(value, digits)
    if rng.random() < 0.88:
        return text
    forms = [text + "mm", text + "abc", f"{value:.12e}", f"{value:.17g}", " " + text]
    if value > 0:
        forms += ["+" + text, "0" + text, float(text).hex()]
    return rng.choice(forms)


def whole(rng: random.Random, value: int) -> str:
    """An integer, sometimes with decimals that the parser cuts off."""
    if rng.random() < 0.88:
        return str(value)
    return rng.choice(["{}.9", "{}.0", "{}abc", " {}", "0{}", "{}e3"] if value >= 0 else ["{}.9"]).format(value)


def either(rng: random.Random, usual: str, *others: str) -> str:
    """Mostly the usual name of an option, at times one that the substring search takes as well."""
    if rng.random() < 0.75:
        return usual
    return rng.choice([usual, *others, "-" + usual, "-my" + usual])


def option(rng: random.Random, names: list[str], *values: str, exact: bool = False) -> tuple[str, ...]:
    """An option under one of its names with its values."""
    name = rng.choice(names) if exact else either(rng, *names)
    return (name, *values)


def maybe(rng: random.Random, chance: float) -> bool:
    """True with the given chance."""
    return rng.random() < chance
