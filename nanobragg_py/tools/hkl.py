"""nb-hkl: real crystallographic data as the plain reflection list that nanoBragg reads."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from ..base.errors import EXIT_STATUS, InputError
from ..base.files import check_writable, whole_file
from .command import ToolCommand

if TYPE_CHECKING:
    from ..formats.crystal_files import CrystalData

HELP = """Write the reflections of INPUT as a plain list `h k l F` of all of P1.

INPUT is recognised by its content: structure factors (MTZ, CIF, XDS_ASCII, SHELX HKLF 4, CrystFEL, SCALEPACK;
merged; calculated amplitudes are taken before observed ones, amplitudes before intensities, anomalous pairs
before mean values), or coordinates (PDB, mmCIF), whose amplitudes are calculated with bulk solvent. Any of
them may be compressed with gzip, bzip2 or xz. What was read, what was chosen or left out, and the cell for
nanoBragg's -cell are said on standard error.

\b
Examples:
  nb-hkl 1abc.mtz 1abc.hkl
  nb-hkl 1abc.mtz 1abc.hkl --column FP
  nb-hkl 1abc.pdb 1abc.hkl --resolution 1.8
  nb-hkl shelx.hkl list.hkl --cell 79.1 79.1 37.9 90 90 90 --symmetry P43212
"""


def write_list(path: str, data: CrystalData) -> None:
    """Write `h k l F`, F with six digits, whole or not at all. Raises InputError."""
    rows = zip(data.hkl.tolist(), data.F.tolist(), strict=True)
    with whole_file(path, "the list") as file:
        file.writelines(f"{h} {k} {ell} {F:.6g}\n".encode("ascii") for (h, k, ell), F in rows)


def convert(
    source: str, target: str, column: str | None = None, resolution_A: float | None = None,
    cell: tuple[float, ...] | None = None, symmetry: str | None = None,
) -> None:  # fmt: skip
    """Read source, write target, and say on standard error what was done. Raises InputError.

    cell: a, b, c [Å], alpha, beta, gamma [degrees], and symmetry, a space group's name or number: of a source that
    states none.
    """
    # Loads NumPy and gemmi, for which --help does not wait.
    from ..formats.crystal_files import read_reflections

    if os.path.exists(source) and os.path.exists(target) and os.path.samefile(source, target):
        raise InputError(f"{target}: is the input itself")
    check_writable(target, "the list")
    data = read_reflections(source, column, resolution_A, cell, symmetry)
    write_list(target, data)
    words = " ".join(f"{value:g}" for value in data.cell)
    for text in (data.description, *data.notes, *(f"warning: {text}" for text in data.warnings)):
        print(f"nb-hkl: {source}: {text}", file=sys.stderr)
    print(f"nb-hkl: -cell {words}", file=sys.stderr)


@click.command(name="nb-hkl", cls=ToolCommand, failure_status=EXIT_STATUS, help=HELP)
@click.argument("source", metavar="INPUT")
@click.argument("target", metavar="OUT.hkl")
@click.option("--column", metavar="NAME", help="The column to read, e.g. FP, 'F(+)', IMEAN, F_meas_au.")
@click.option("--resolution", type=float, metavar="D",
              help="Leave out d < D Å. Default: all there is; for coordinates, what they state.")  # fmt: skip
@click.option("--cell", type=float, nargs=6, metavar="A B C AL BE GA", help="The unit cell of a file that states none.")
@click.option("--symmetry", metavar="NAME", help="The space group of a file that states none, by name or number.")
def main(
    source: str, target: str, column: str | None, resolution: float | None, cell: tuple[float, ...] | None,
    symmetry: str | None,
) -> None:  # fmt: skip
    """The command; its help is HELP."""
    convert(source, target, column, resolution, cell or None, symmetry)


if __name__ == "__main__":
    main()
