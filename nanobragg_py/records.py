"""Frozen records of resolved values."""

from __future__ import annotations

from dataclasses import dataclass, fields


def record(cls):
    """A frozen dataclass that is compared by identity.

    Every method that dataclass writes is compiled when the program starts; with comparison, hash and repr left out
    that takes half the time, which is felt in shell loops over small images.
    """
    cls.__repr__ = _repr
    return dataclass(frozen=True, eq=False, repr=False)(cls)


def _repr(self) -> str:
    values = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in fields(self))
    return f"{type(self).__name__}({values})"
