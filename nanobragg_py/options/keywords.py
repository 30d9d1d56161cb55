"""Keyword arguments of the Python API, made from the flag table: option names, with the unit at the end.

`-distance` (mm) is `distance_mm`, `-wavelength` (Å) `wavelength_A`, `-energy` `energy_eV`, `-phi` `phi_deg`. An option
without a unit, and `cell` and `misset`, go by their name alone: `N`, `detpixels`, `fluence`, `convention`. Keywords
act in the order in which they are given, like options of a command line. None stands for what is not given.
keyword_types.py has their types, for editors.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..base.errors import InputError, shown
from ..base.shapes import SHAPES
from ..base.vectors import Vector, turns_of
from .fixes import ACCEPT, Corrections
from .scan import apply_row, set_own
from .spelling import nearest
from .table import CONVENTIONS, OPTIONS, OWN_OPTIONS, RESPONSE_FIELDS, Option, OwnOption

SUFFIXES = {
    "mm": "_mm",
    "m": "_m",
    "deg": "_deg",
    "mrad": "_mrad",
    "percent": "_percent",
    "µm": "_um",
    "µm of water": "_um",
    "Å": "_A",
    "Å resolution": "_A",
    "eV": "_eV",
    "s": "_s",
}


# Options that print, or whose meaning depends on a command line.
NOT_HERE = (
    "-printout",
    "-printout_pixel",
    "-trace_pixel",
    "-noprogress",
    "-progress",
    "-stolout",
    "-nonoise",
    "-nopgm",
)


# What a choice among flags is called, and its values.
CHOICES = {"convention": CONVENTIONS, "shape": tuple(shape.name for shape in SHAPES)}
SWITCHES = {
    "curved_detector": "all pixels equally far",
    "point_pixel": "solid angle 1/r² only",
    "nopolar": "no polarization correction",
    "oversample_thick": "sensor effect anew for each sub-pixel",
    "oversample_polar": "polarization anew for each sub-pixel",
    "oversample_omega": "solid angle anew for each sub-pixel",
    "round_divergence": "round off the corners of the divergence (default: True)",
    "interpolate": "tricubic interpolation between reflections (default: of crystals up to two cells wide)",
    "write_pgm": "whether Result.write makes a PGM (default: True)",
    "write_noise": "whether Result.write makes a noise image (default: True)",
}


# Fields of Config that may differ between images of one Simulator: what structure factors, the crystal, its mosaic
# domains, noise and the number of pixels do not depend on; those of the spindle leave the detector's geometry as it is.
SPINDLE_FIELDS = frozenset({"phi", "osc", "phi_step", "phi_steps"})
# With other values of these, scattering vectors and solid angles stay what they are.
SAME_GEOMETRY_FIELDS = SPINDLE_FIELDS | RESPONSE_FIELDS | {"fluence_per_m2", "flux_per_s", "exposure_s", "background"}
CHANGEABLE_FIELDS = SAME_GEOMETRY_FIELDS | {
    "Xbeam_m", "Ybeam_m", "Xclose_m", "Yclose_m", "ORGX", "ORGY", "distance_m", "close_distance_m", "twotheta",
    "detector_rotx", "detector_roty", "detector_rotz", "pivot", "beamsize_m", "polarization", "nopolar",
    "dispersion", "dispersion_steps", "hdiv_range", "hdiv_step", "hdiv_steps", "vdiv_range", "vdiv_step",
    "vdiv_steps", "round_divergence", "source_file", "attenuation_per_m", "thickness_m", "thickness_steps",
    "oversample", "oversample_thick", "oversample_polar", "oversample_omega", "roi_fast_first", "roi_fast_last",
    "roi_slow_first", "roi_slow_last", "dmin_m", "water_m",
}  # fmt: skip


# Options of our own that are keywords, too, and are read as on a command line.
OWN_KEYWORDS = {option.keyword: option for option in OWN_OPTIONS if option.keyword}


@dataclass(frozen=True)
class Keyword:
    """One keyword: its row of the flag table, or None for a choice or a switch; other names that mean the same."""

    name: str
    row: Option | None
    help: str
    unit: str = ""
    others: tuple[str, ...] = ()


@cache
def keywords() -> dict[str, Keyword]:
    """Every keyword by every name that it has."""
    found: dict[str, Keyword] = {}
    for row in OPTIONS:
        if row.unused or row.kind in ("flag", "follower", "pair", "trace") or set(row.names) & set(NOT_HERE):
            continue
        names = [name.removeprefix("-") + _suffix(row) for name in row.spellings]
        keyword = Keyword(names[0], row, row.help, row.unit, tuple(names[1:]))
        for name in names:
            found.setdefault(name, keyword)
    for name, values in CHOICES.items():
        found[name] = Keyword(name, None, "one of " + ", ".join(repr(value) for value in values))
    for name, text in SWITCHES.items():
        found[name] = Keyword(name, None, text)
    found["threads"] = Keyword("threads", None, "threads to render with; results do not depend on it")
    found["fix"] = Keyword(
        "fix", None, "known defects of the C program to correct, separated by commas, 'all' or 'none'"
    )
    found["column"] = Keyword("column", None, "column of an MTZ or mmCIF file to read amplitudes from")
    found["symmetry"] = Keyword("symmetry", None, "space group of a reflection file that states none")
    found["mask_keeps"] = Keyword("mask_keeps", None, "which pixels a mask keeps: 'zero' or 'nonzero'")
    found["sf_resolution_A"] = Keyword("sf_resolution_A", None, "finest resolution taken from crystal data", "Å")
    for option in OWN_KEYWORDS.values():
        found[option.keyword] = Keyword(option.keyword, None, option.help)
    return found


def _suffix(row: Option) -> str:
    return "" if row.kind in ("cell", "misset") else SUFFIXES.get(row.unit, "")


def settings(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of Config from keyword arguments. Raises InputError for an unknown one, or an impossible value."""
    known = keywords()
    said: dict[str, Any] = {}
    for name, value in arguments.items():
        keyword = known.get(name)
        if keyword is None:
            raise InputError(f"no keyword '{shown(name)}'{_did_you_mean(name, known)}")
        if value is None:
            continue
        if keyword.row is not None:
            _set_by_row(name, keyword.row, value, said)
        elif name in CHOICES:
            _choose(name, value, said)
        elif name in SWITCHES:
            said[name] = _switch(name, value)
        else:
            said.update(_own(name, value))
    return said


def changes(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of Config from keywords that may differ between images of one Simulator.

    Raises InputError for others, and as settings() does.
    """
    said = settings(arguments)
    for name in arguments:
        if not is_changeable(name):
            raise InputError(f"render: another {shown(name)} needs a new Simulator")
    return said


def is_changeable(name: str) -> bool:
    """Whether a keyword's value may differ between images of one Simulator."""
    row = keywords()[name].row
    return CHANGEABLE_FIELDS.issuperset((name,) if row is None else row.sets)


def _did_you_mean(name: str, known: Mapping[str, Any]) -> str:
    with_unit = [word for word in known if word.rpartition("_")[0] == name]
    close = with_unit or nearest(name, known)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _choose(name: str, value: Any, said: dict[str, Any]) -> None:
    """Set convention or shape, with what its flag sets besides."""
    flags = {row.also[name]: row.also for row in OPTIONS if row.kind == "flag" and name in row.also}
    if value == "custom" and name == "convention":
        said[name] = value
    elif value in flags:
        said.update(flags[value])
    else:
        raise InputError(f"{name}: expected one of {', '.join(CHOICES[name])}, got {value!r}")


def _switch(name: str, value: Any) -> bool:
    if value not in (True, False):
        raise InputError(f"{name}: expected True or False, got {value!r}")
    return bool(value)


def _own(name: str, value: Any) -> dict[str, Any]:
    """A keyword that no row of the flag table reads."""
    if name in OWN_KEYWORDS:
        return _as_option(name, OWN_KEYWORDS[name], value)
    if name == "fix":
        text = value if isinstance(value, str) else ",".join(value)
        return {"fixes": Corrections().and_named(text), "defects_accepted": ACCEPT in text.split(",")}
    if name in ("column", "symmetry"):
        return {f"sf_{name}": str(value)}
    if name == "mask_keeps":
        if value not in ("zero", "nonzero"):
            raise InputError(f"{name}: expected 'zero' or 'nonzero', got {value!r}")
        return {name: value}
    number = float(_numeral(name, value, whole=name == "threads"))
    if not number > 0:
        raise InputError(f"{name}: expected a number above 0, got {value!r}")
    return {"threads": int(number)} if name == "threads" else {"sf_resolution_A": number}


def _as_option(name: str, option: OwnOption, value: Any) -> dict[str, Any]:
    """A value for an option of our own, read as on a command line."""
    if option.kind == "background":
        # Not at the top, as in scan.py.
        from .amorphous import materials_of

        return {option.sets: materials_of(value)}
    if isinstance(value, str) and option.choices and name != "bits":
        text = value
    else:
        text = _numeral(name, value, whole=option.kind in ("count", "whole") or name == "bits")
    said: dict[str, Any] = {}
    try:
        set_own(option, text, said)
    except InputError as error:
        raise InputError(str(error).replace(f"option {option.name}:", f"{name}:")) from error
    return said


def _set_by_row(name: str, row: Option, value: Any, said: dict[str, Any]) -> None:
    """Let a row of the flag table read a value, written out as on a command line."""
    if row.kind == "misset" and hasattr(value, "as_matrix"):
        said.update(misset=_turns(name, value), misset_random=False)
        return
    if row.kind == "text":
        if not isinstance(value, (str, os.PathLike)):
            raise InputError(f"{name}: expected the name of a file, got {type(value).__name__}")
        _apply(name, row, [os.fspath(value)], said)
        return
    if isinstance(value, str):
        words = [value]
    else:
        whole = row.kind in ("integer", "seed")
        values = list(value) if _is_sequence(value) else [value]
        words = [_numeral(name, one, whole) for one in values]
    if len(words) == len(row.sets) > 1 and row.values == 1:
        for field, word in zip(row.sets, words, strict=True):
            each: dict[str, Any] = {}
            _apply(name, row, [word], each)
            said[field] = each[field]
        said.update(row.also)
        return
    _check_count(name, row, words)
    _apply(name, row, words, said)


def _turns(name: str, rotation: Any) -> Vector:
    """Angles (radians) of SciPy's Rotation, or of anything with its as_matrix()."""
    matrix = rotation.as_matrix()
    if getattr(matrix, "shape", None) != (3, 3):
        raise InputError(f"{name}: expected one rotation, got {shown(repr(rotation))}")
    return turns_of(tuple(matrix.ravel().tolist()))


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) or getattr(value, "ndim", 0) > 0


def _check_count(name: str, row: Option, words: list[str]) -> None:
    """Raise InputError unless there are as many values as the option takes."""
    counts = {"cell": range(1, 7), "misset": (1, 3) if words[:1] == ["random"] else (3,)}.get(row.kind, (row.values,))
    if len(words) not in counts:
        expected = "one to six" if row.kind == "cell" else str(max(counts))
        raise InputError(f"{name}: expected {expected} numbers, got {len(words)}")


def _numeral(name: str, value: Any, whole: bool) -> str:
    """A number as a word of a command line that is read back without loss."""
    wanted = "a whole number" if whole else "a number"
    if isinstance(value, (bool, str, bytes)) or not hasattr(value, "__float__"):
        raise InputError(f"{name}: expected {wanted}, got {value!r}")
    try:
        number = float(value)
        if whole:
            if number != int(number):
                raise ValueError
            return str(int(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"{name}: expected {wanted}, got {value!r}") from error
    return repr(number)


def _apply(name: str, row: Option, words: list[str], said: dict[str, Any]) -> None:
    """Let the row act; what a command line only warns of is an error here."""
    warnings: list[str] = []
    option = row.names[0]
    try:
        apply_row(row, option, [option, *words], said, warnings)
    except InputError as error:
        raise InputError(str(error).replace(f"option {option}:", f"{name}:")) from error
    if warnings:
        raise InputError(f"{name}: {warnings[0].removeprefix(option).strip()}")
