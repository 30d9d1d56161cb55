"""Corrections of the C program nonBragg's known defects: their names, what they do, and which an image needs.

By default an image has the defects, because it is the C program's. docs/nonBragg.md shows each.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from ..options.corrections import fields_named
from ..options.fixes import Correction

CORRECTIONS = (
    Correction(
        "centre",
        "-Xbeam, -Ybeam and their defaults count from another corner than in nanoBragg: the background has another "
        "centre than the spots",
        "they are in nanoBragg's default convention, MOSFLM's",
    ),
    Correction(
        "pixels",
        "a detector may have a row and a column more than was asked for",
        "its size over that of a pixel is rounded to the nearest number, as in nanoBragg",
    ),
    Correction(
        "rmsd",
        "the rms deviation, and with it the scale of the PGM, is that of the pixels one further on",
        "it is that of the pixels in the region of interest",
    ),
    Correction(
        "pgm",
        "the PGM has two bytes for each pixel, of which the second half is no image, and -nopgm has no effect",
        "one byte for each pixel, and none with -nopgm",
    ),
    Correction(
        "gain",
        "-gain does not count for the noise image",
        "photons times -gain, plus -adc, cut off at 65,535",
    ),
    Correction(
        "mean",
        "with -img, mean and rms are sums over the number of pixels in the last row of the table of F",
        "over the number of pixels rendered, as without -img",
    ),
    Correction(
        "bins",
        "with -img and -roi, pixels outside the region of interest get among those of the first rows of F",
        "they count nowhere",
    ),
)
NAMES = tuple(row.name for row in CORRECTIONS)


@dataclass(frozen=True)
class Corrections:
    """Which known defects are corrected, one field for each row of CORRECTIONS; whether the others are accepted."""

    centre: bool = False
    pixels: bool = False
    rmsd: bool = False
    pgm: bool = False
    gain: bool = False
    mean: bool = False
    bins: bool = False
    accepted: bool = False

    def and_named(self, text: str) -> Corrections:
        """These, and those of a comma-separated list of names. Raises InputError for an unknown name."""
        return replace(self, **dict.fromkeys(fields_named(CORRECTIONS, text), True))


if [*(row.field for row in CORRECTIONS), "accepted"] != [field.name for field in fields(Corrections)]:
    raise AssertionError("Corrections must have one field for each row of CORRECTIONS")


NO_CORRECTIONS = Corrections()
