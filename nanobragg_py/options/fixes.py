"""Corrections of the C program's known defects: their names, and what they do in words.

By default an image has the defects, because it is the C program's. docs/differences.md shows each with a command line
and the size of its effect; which of them an image has is found by resolve/defects.py.
"""

from __future__ import annotations

from dataclasses import fields

from ..base.errors import InputError, shown
from ..base.records import by_value, record

# In place of a name: the defects of an image that are not corrected are accepted, and not warned of.
ACCEPT = "none"


@by_value
@record
class Corrections:
    """Which known defects are corrected, one field for each row of CORRECTIONS."""

    upstream: bool = False
    cell: bool = False
    water: bool = False
    weights: bool = False
    misset: bool = False
    layers: bool = False
    subpixel: bool = False
    interpolation: bool = False
    pix0: bool = False
    spot_width: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, as --fix takes them, in the table's order."""
        return tuple(row.name for row in CORRECTIONS if getattr(self, row.field))

    @property
    def any(self) -> bool:
        """Whether anything is corrected."""
        return bool(self.names)

    def and_named(self, text: str) -> Corrections:
        """These, and those of a comma-separated list of names, 'all' or 'none'.

        Raises InputError for an unknown name.
        """
        said = [word.strip() for word in text.split(",")]
        for word in said:
            if word not in (*NAMES, "all", ACCEPT):
                expected = f"expected all, none, list, or any of {', '.join(NAMES)}"
                raise InputError(f"--fix: no correction '{shown(word)}'; {expected}")
        wanted = {row.field: row.name in said or "all" in said or getattr(self, row.field) for row in CORRECTIONS}
        return Corrections(**wanted)


NO_CORRECTIONS = Corrections()


@record
class Correction:
    """One row: the name that --fix takes, what is wrong, and what is done instead."""

    name: str
    defect: str
    correction: str

    @property
    def field(self) -> str:
        """Its field of Corrections."""
        return self.name.replace("-", "_")


CORRECTIONS = (
    Correction(
        "upstream",
        "phi = 0 sees the cell of the step before; -oversample_thick, _polar, _omega multiply the sum so far; "
        "-curved_det as the last word does not count",
        "the three corrections published by the C program's authors",
    ),
    Correction(
        "cell",
        "a triclinic or rhombohedral -cell comes out with other angles",
        "c* from sin(gamma) in place of sin(gamma*)",
    ),
    Correction(
        "water",
        "the background is multiplied by r_e^2 fluence twice, and divided by the number of steps",
        "scaled once, like the crystal's scattering; also where -dmin cuts that off",
    ),
    Correction("weights", "weights of -sourcefile are not used", "each source counts by its share of the weights"),
    Correction(
        "misset",
        "-misset random does not draw all orientations alike",
        "uniform over all rotations (Shoemake 1992), by -misset_seed",
    ),
    Correction(
        "layers",
        "the capture fraction of the sensor's last layer multiplies all, and layers reach beyond the sensor",
        "each layer, a share of the thickness, has its own",
    ),
    Correction(
        "subpixel",
        "polarization and solid angle are those of a pixel's first sub-pixel and source",
        "averaged over sub-pixels and sources",
    ),
    Correction(
        "interpolation",
        "the first index too near the edge of the list ends interpolation for the whole image",
        "only that evaluation takes the nearest reflection",
    ),
    Correction(
        "pix0",
        "-pix0_vector is read and not used",
        "it is the corner of the first pixel, in metres, after all turns",
    ),
    Correction(
        "spot-width",
        "widths of Gaussian and flat-topped spots depend on the cell and on Na*Nb*Nc",
        "along each axis the width is that of its number of cells",
    ),
)
NAMES = tuple(row.name for row in CORRECTIONS)
if [row.field for row in CORRECTIONS] != [field.name for field in fields(Corrections)]:
    raise AssertionError("Corrections must have one field for each row of CORRECTIONS")


def listing() -> str:
    """What `--fix list` prints."""
    lines = [
        "Known defects of the C program; an image has them unless --fix NAME[,NAME...] corrects them:",
        "",
    ]
    for row in CORRECTIONS:
        lines += [row.name, f"    wrong:     {row.defect}", f"    corrected: {row.correction}"]
    lines += [
        "all",
        "    corrected: all of these",
        "none",
        "    no correction; those not asked for by name are accepted, and no warning tells of them",
        "",
        "docs/differences.md has examples, and the size of each effect.",
    ]
    return "\n".join(lines)
