"""Records are made as dataclasses are, from positions, names and defaults, and refuse what those refuse."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanobragg_py.base.records import by_value, record, with_values


@record
class Ours:
    """A record with defaults of both kinds."""

    a: int
    b: int
    c: int = 3
    d: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Theirs:
    """The same by the standard library."""

    a: int
    b: int
    c: int = 3
    d: list[int] = field(default_factory=list)


def made(kind: Any, values: tuple[int, ...], named: dict[str, int]) -> dict[str, Any] | str:
    """Its fields, or that it cannot be made."""
    try:
        return dict(sorted(vars(kind(*values, **named)).items()))
    except TypeError:
        return "refused"


@given(st.lists(st.integers(), max_size=6), st.dictionaries(st.sampled_from("abcdx"), st.integers()))
def test_made_as_dataclasses_are(values: list[int], named: dict[str, int]) -> None:
    assert made(Ours, tuple(values), named) == made(Theirs, tuple(values), named)


def test_defaults_are_not_shared() -> None:
    assert Ours(1, 2).d is not Ours(1, 2).d


def test_fields_cannot_be_changed() -> None:
    one = Ours(1, b=2)
    with pytest.raises(FrozenInstanceError):
        one.a = 2  # type: ignore[misc]
    other = with_values(one, c=4)
    assert vars(other) == vars(replace(Theirs(1, 2, d=one.d), c=4)) and one.c == 3
    with pytest.raises(TypeError, match="has no field e"):
        with_values(one, e=1)


def test_equal_by_value_only_where_asked() -> None:
    """By value, and then with the same hash, in whatever order the fields were given."""
    assert Ours(1, 2, 3, []) != Ours(1, 2, 3, [])

    @by_value
    @record
    class Pair:
        a: int
        b: int

    assert Pair(1, 2) == Pair(b=2, a=1) != Pair(1, 3)
    assert hash(Pair(1, 2)) == hash(Pair(b=2, a=1))
