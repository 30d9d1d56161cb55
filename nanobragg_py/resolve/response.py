"""The detector's response that a configuration asks for, if it does."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ..base.errors import InputError
from ..model.response import Detector
from ..options.config import Config
from ..options.table import OWN_OPTIONS

# Bits of a pixel of the C program's noise image.
USUAL_BITS = 16


def detector_of(config: Config) -> Detector | None:
    """The detector, or None where nothing was said of one: then the noise is the C program's. Raises InputError."""
    said: dict[str, Any] = {
        field.name: getattr(config, field.name)
        for field in fields(Detector)
        if getattr(config, field.name) is not None
    }  # fmt: skip
    if not said and config.detector is None:
        return None
    if said.get("psf") == "none":
        said["psf"] = None
    try:
        if config.detector is not None:
            return Detector.preset(config.detector, **_with_room(said))
        return Detector(**({"bits": USUAL_BITS, "offset": config.adc_offset} | said))
    except InputError as error:
        raise InputError(_as_options(str(error))) from error


def _with_room(said: dict[str, Any]) -> dict[str, Any]:
    """With other bits than the preset's, its saturation does not hold any more, unless it is said, too."""
    return {"saturation": None} | said if "bits" in said else said


def _as_options(message: str) -> str:
    """A message that begins with a property's name, with the option's instead."""
    name, colon, rest = message.partition(":")
    option = next((option.name for option in OWN_OPTIONS if option.keyword == name), name)
    return f"{option}{colon}{rest}"
