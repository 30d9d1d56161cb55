"""What was said of a material in the beam that is no crystal."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ..base.errors import InputError


@dataclass(frozen=True)
class Amorphous:
    """A layer of a material without order that the beam goes through: water, air, grease, ice.

    material: "water", "air" or "paraffin" (vacuum grease, oil), whose tables come with the package (docs/physics.md);
    or the name of a file with two columns, sin(theta)/lambda in 1/Å and F in electrons; or an array (n, 2) of these.
    F² is what one molecule scatters on average, in units of a free electron's scattering.
    thickness_mm: along the beam. density_g_per_cm3, molecular_weight: of the material; known for those by name.

    Raises InputError for a value that cannot be.

    >>> from nanobragg_py import Amorphous
    >>> Amorphous("water", thickness_mm=0.05)
    Amorphous(material='water', thickness_mm=0.05, density_g_per_cm3=None, molecular_weight=None)
    """

    material: Any
    thickness_mm: float | None = None
    density_g_per_cm3: float | None = None
    molecular_weight: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "material", _material(self.material))
        for name in ("thickness_mm", "density_g_per_cm3", "molecular_weight"):
            value = getattr(self, name)
            if value is None:
                continue
            if isinstance(value, (bool, str)) or not hasattr(value, "__float__") or not 0.0 < value < math.inf:
                raise InputError(f"{name}: expected a number above 0, got {value!r}")
            object.__setattr__(self, name, float(value))


def _material(value: Any) -> str | tuple[tuple[float, float], ...]:
    """A name, or the rows of a table, that can be compared and copied to other processes."""
    if isinstance(value, (str, os.PathLike)):
        return os.fspath(value)
    try:
        rows = tuple((float(stol), float(factor)) for stol, factor in value)
    except (TypeError, ValueError) as error:
        raise InputError(f"material: expected a name, a file or an array (n, 2) of stol and F: {error}") from error
    return rows


def materials_of(value: Any) -> tuple[Amorphous, ...]:
    """One or several materials, as the keyword `background` takes them. Raises InputError.

    Each is an Amorphous, the name of a material or file, or a mapping with the fields of Amorphous, as in a TOML file.
    """
    if value is None:
        return ()
    several = isinstance(value, Sequence) and not isinstance(value, str)
    return tuple(_amorphous(one) for one in (value if several else (value,)))


def _amorphous(value: Any) -> Amorphous:
    if isinstance(value, Amorphous):
        return value
    if isinstance(value, str):
        return Amorphous(value)
    if not isinstance(value, Mapping):
        raise InputError(f"background: expected Amorphous(...), a name, or a mapping of its fields, got {value!r}")
    names = [field.name for field in fields(Amorphous)]
    unknown = [name for name in value if name not in names]
    if unknown or "material" not in value:
        found = f"got {unknown[0]!r}" if unknown else "and material among them"
        raise InputError(f"background: expected {', '.join(names)}, {found}")
    try:
        return Amorphous(**value)
    except InputError as error:
        raise InputError(f"background: {error}") from error
