"""Corrections of the C program noisify's known defects: their names, what they do, and which an image needs.

By default an image has the defects, because it is the C program's. docs/noisify.md shows each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from ..base.errors import InputError, shown
from ..options.fixes import ACCEPT, Correction
from ..options.spelling import did_you_mean

LIST = "list"
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
        """These, and those of a comma-separated list of names, 'all' or 'none'.

        Raises InputError for an unknown name.
        """
        words = [word.strip() for word in text.split(",")]
        for word in words:
            if word not in (*NAMES, "all", ACCEPT):
                expected = f"expected all, none, list, or any of {', '.join(NAMES)}"
                raise InputError(f"--fix: no correction '{shown(word)}'{did_you_mean(word, NAMES)}; {expected}")
        wanted = {row.field: True for row in CORRECTIONS if row.name in words or "all" in words}
        return replace(self, accepted=self.accepted or ACCEPT in words, **wanted)


if [*(row.field for row in CORRECTIONS), "accepted"] != [field.name for field in fields(Corrections)]:
    raise AssertionError("Corrections must have one field for each row of CORRECTIONS")


NO_CORRECTIONS = Corrections()


def warning(found: Mapping[str, str], corrected: Corrections) -> str:
    """The line that tells of an image's defects, by name and with their extent; empty if there are none to tell of."""
    left = [row for row in CORRECTIONS if row.field in found and not getattr(corrected, row.field)]
    if not left or corrected.accepted:
        return ""
    which = "; ".join(f"{row.name} ({found[row.field]})" for row in left)
    names, them = ",".join(row.name for row in left), "it" if len(left) == 1 else "them"
    return (
        f"known defects of the C program change this image: {which}. --fix {names} corrects {them}, "
        "--fix none accepts the image as it is, --fix list explains"
    )


def listing() -> str:
    """What `--fix list` prints."""
    lines = ["Known defects of the C program; an image has them unless --fix NAME[,NAME...] corrects them:", ""]
    for row in CORRECTIONS:
        lines += [row.name, f"    wrong:     {row.defect}", f"    corrected: {row.correction}"]
    lines += [
        "all",
        "    corrected: all of these",
        "none",
        "    no correction; those not asked for by name are accepted, and no warning tells of them",
    ]
    return "\n".join(lines)
