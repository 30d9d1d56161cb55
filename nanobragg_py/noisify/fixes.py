"""Corrections of the C program noisify's known defects: their names, what they do, and which an image needs.

By default an image has the defects, because it is the C program's. docs/noisify.md shows each.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from ..options.corrections import fields_named
from ..options.fixes import Correction

CORRECTIONS = (
    Correction(
        "calibration",
        "the calibration error of a pixel is another one with each -seed",
        "it follows from -calib_seed alone: the same map for all images of one size",
    ),
    Correction(
        "underflow",
        "counts below 0 wrap to the largest integers",
        "they are 0",
    ),
    Correction(
        "rounding",
        "fractions of counts are cut off",
        "counts are rounded to the nearest integer, halves to the even one",
    ),
    Correction(
        "int32",
        "the image without noise is cut off at 65,535, also with -bits 32",
        "it is cut off at 2,147,483,647, as the one with noise is",
    ),
    Correction(
        "psf-edge",
        "what spreads to just beyond the last pixel of a row comes to lie in the next row's first pixel",
        "it is lost, like all that spreads beyond an edge",
    ),
)
NAMES = tuple(row.name for row in CORRECTIONS)


@dataclass(frozen=True)
class Corrections:
    """Which known defects are corrected, one field for each row of CORRECTIONS; whether the others are accepted."""

    calibration: bool = False
    underflow: bool = False
    rounding: bool = False
    int32: bool = False
    psf_edge: bool = False
    accepted: bool = False

    def and_named(self, text: str) -> Corrections:
        """These, and those of a comma-separated list of names. Raises InputError for an unknown name."""
        return replace(self, **dict.fromkeys(fields_named(CORRECTIONS, text), True))


if [*(row.field for row in CORRECTIONS), "accepted"] != [field.name for field in fields(Corrections)]:
    raise AssertionError("Corrections must have one field for each row of CORRECTIONS")


NO_CORRECTIONS = Corrections()
