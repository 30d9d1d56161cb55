"""Corrections of the C program nonBragg's known defects: their names, what they do, and which an image needs.

By default an image has the defects, because it is the C program's. docs/nonBragg.md shows each.
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
