"""nb-hkl: real crystallographic data as the plain reflection list that nanoBragg reads."""

from __future__ import annotations

import os
import sys
from typing import IO, Any

import click

from ..base.errors import EXIT_STATUS, InputError
from ..base.files import whole_file
from ..formats.crystal_files import CrystalData, read_reflections

HELP = """Write the reflections of INPUT as a plain list `h k l F` of all of P1.

INPUT is recognised by its content: MTZ or mmCIF structure factors (merged; calculated amplitudes are taken
before observed ones, amplitudes before intensities, anomalous pairs before mean values), or coordinates
(PDB, mmCIF), whose amplitudes are calculated with bulk solvent. Any of them may be compressed with gzip.
What was read, and the cell for nanoBragg's -cell, is said on standard error."""


class HklError(click.ClickException):
    """What stops nb-hkl; click prints it and leaves with nanoBragg's own exit status."""

    exit_code = EXIT_STATUS

    def show(self, file: IO[Any] | None = None) -> None:
        print(f"nb-hkl: error: {self.message}", file=sys.stderr)


def write_list(path: str, data: CrystalData) -> None:
    """Write `h k l F`, F with six digits, whole or not at all. Raises InputError."""
    rows = zip(data.hkl.tolist(), data.F.tolist(), strict=True)
    with whole_file(path, "the list") as file:
        file.writelines(f"{h} {k} {ell} {F:.6g}\n".encode("ascii") for (h, k, ell), F in rows)


def convert(source: str, target: str, column: str | None, resolution_A: float | None) -> None:
    """Read source, write target, and say what was done on standard error. Raises InputError."""
    if os.path.exists(source) and os.path.exists(target) and os.path.samefile(source, target):
        raise InputError(f"{target}: is the input itself")
    data = read_reflections(source, column, resolution_A)
    write_list(target, data)
    cell = " ".join(f"{value:g}" for value in data.cell)
    print(f"nb-hkl: {source}: {data.description}", file=sys.stderr)
    print(f"nb-hkl: -cell {cell}", file=sys.stderr)


@click.command(name="nb-hkl", help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("source", metavar="INPUT")
@click.argument("target", metavar="OUT.hkl")
@click.option("--column", metavar="NAME", help="Column to read, e.g. FP, 'F(+)', IMEAN, F_meas_au.")
@click.option(
    "--resolution",
    type=float,
    metavar="D",
    help="Leave out d < D Å. Default: all there is; of coordinates, what they state.",
)
def main(source: str, target: str, column: str | None, resolution: float | None) -> None:
    """The command; its help is HELP."""
    try:
        convert(source, target, column, resolution)
    except InputError as error:
        raise HklError(str(error)) from error


if __name__ == "__main__":
    main()
