"""Options that were given and do not count, because a convention or another option decides in their place.

Found by trying: what another value would not have moved, is ignored. So the rules stand where they are used, in
resolve_detector() and resolve_beam(), and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from ..base.errors import InputError
from ..formats.image_header import HeaderDefaults
from ..model.detector import Detector
from ..options.config import Config
from .beam import resolve_beam
from .detector import resolve_detector

# What the conventions are called, and where they take the detector's place from.
CONVENTIONS = {
    "adxv": ("the ADXV convention", "-Xbeam and -Ybeam"),
    "mosflm": ("the MOSFLM convention", "-Xbeam and -Ybeam"),
    "denzo": ("the DENZO convention", "-Xbeam and -Ybeam"),
    "xds": ("the XDS convention", "-ORGX and -ORGY"),
    "dials": ("the DIALS convention", "-ORGX and -ORGY"),
    "custom": ("custom axes", "-Xbeam and -Ybeam, or else -Xclose and -Yclose, or else -ORGX and -ORGY"),
}
# Fields of Config (metres, or pixels for ORGX and ORGY) with their options.
CENTRES = {
    "Xbeam_m": "-Xbeam", "Ybeam_m": "-Ybeam", "Xclose_m": "-Xclose", "Yclose_m": "-Yclose", "ORGX": "-ORGX",
    "ORGY": "-ORGY",
}  # fmt: skip
AXES = {
    name: f"-{name}"
    for name in (
        "fdet_vector", "sdet_vector", "odet_vector", "beam_vector", "polar_vector", "spindle_axis", "twotheta_axis",
    )
}  # fmt: skip
PIVOTS = {"beam": "the direct beam's spot", "sample": "the sample"}


def ignored_options(config: Config, header: HeaderDefaults, detector: Detector) -> list[str]:
    """Lines that tell of them. header: what resolve_detector() got, detector: what it made of it and the options."""
    name, takes = CONVENTIONS[config.convention]

    def place(changed: Config) -> object:
        return _place(resolve_detector(changed, header))

    lines = []
    centres = _without_effect(config, CENTRES, place)
    if centres:
        lines.append(f"{_listed(centres)} {_does(centres)} not move the detector: with {name} it is placed by {takes}")
    axes = [] if config.convention == "custom" else _without_effect(config, AXES, place)
    if axes:
        lines.append(f"{_listed(axes)} {_does(axes)} not count: {name}, chosen after {_it(axes)}, has axes of its own")
    if _without_effect(config, {"distance_m": "-distance"}, place):
        lines.append("-distance does not count: -close_distance decides")
    if config.pivot_named not in (None, detector.pivot):
        by = "an option after it has" if config.convention == "custom" else f"{name} has"
        turn = f"the detector turn about {PIVOTS[detector.pivot]}"
        lines.append(f"-pivot {config.pivot_named} does not count: {by} {turn}")
    if _without_effect(config, {"fluence_per_m2": "-fluence"}, lambda changed: _fluence(changed, header)):
        lines.append("-fluence does not count: -flux, -exposure and -beamsize decide")
    return lines


def _fluence(config: Config, header: HeaderDefaults) -> float:
    return resolve_beam(config, header).intensity.fluence_per_m2


def _without_effect(config: Config, options: dict[str, str], outcome: Callable[[Config], object]) -> list[str]:
    """Those of some options that were given, and of which another value has the same outcome."""
    given = [field for field in options if getattr(config, field) is not None]
    if not given:
        return []
    as_it_is = outcome(config)
    return [options[field] for field in given if _same(as_it_is, config, field, outcome)]


def _same(as_it_is: object, config: Config, field: str, outcome: Callable[[Config], object]) -> bool:
    changed = replace(config, **{field: _another(getattr(config, field))})
    try:
        return outcome(changed) == as_it_is
    except InputError:
        return False


def _another(value: Any) -> Any:
    """Another value of an option: so different that it shows."""
    if isinstance(value, tuple):
        x, y, z = value
        return (y + 0.25, z - 0.5, x + 1.0)
    return 1.5 * value + 1e-3


def _place(detector: Detector) -> object:
    """All of a detector that pixels depend on and that an option for its place or axes may change."""
    return (vars(detector.axes), detector.pix0_m, detector.distance_m, detector.close_distance_m)


def _listed(options: list[str]) -> str:
    return options[0] if len(options) == 1 else f"{', '.join(options[:-1])} and {options[-1]}"


def _does(options: list[str]) -> str:
    return "does" if len(options) == 1 else "do"


def _it(options: list[str]) -> str:
    return "it" if len(options) == 1 else "them"
