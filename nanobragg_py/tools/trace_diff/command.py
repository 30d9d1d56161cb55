"""nb-trace-diff: find the first value in which two traces of a pixel disagree."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ...base.files import check_writable
from ..command import ToolCommand, write_text

HELP = """Compare two traces of a pixel and name the first value that disagrees.

A and B are the standard output of nanoBragg, or of a C program that prints the same trace, run with
`-trace_pixel SLOW FAST` (in this order: row, then column). The labels before the values (TRACE_C, TRACE_PY, any
other) need not be the same, and other lines may stand between. Values are matched by name and occurrence (the
second hkl_frac with the second), for each traced pixel.

What is not a value comes first: lines that only one trace has, other pixels, another configuration (steps,
wavelength, numbers of sources, phi steps and mosaic domains, …), and an F_cell that was read from a dump file.
Then comes the table of values, one row for each line; of a vector or matrix, the component that disagrees most.
Last come the first divergence in the order of A, and the largest. With --var, the values asked for come first,
and the lines that only one trace has are only counted.

Numbers a and b agree when |a-b| <= max(rtol*max(|a|,|b|), atol, noise*|v|). |v| is the length of the vector or
the norm of the matrix that a component belongs to, so that the ±6e-15 Å that rounding leaves in an axis of
100 Å is no divergence. The relative difference is |a-b|/max(|a|,|b|). Values have the units that their names
say (meters, angstroms, sr, photons_per_m2), with one exception: scattering_vec_A_inv is in 1/m. With
--rtol 0 --noise 0, only equal numbers agree (-0 equals 0).

\b
Exit status:
  0  the traces agree
  1  a value differs by more than the tolerances, or the structure differs
     (with --var, only the named values decide)
  2  they cannot be compared (no trace in a file, no pixel or name in common,
     bad arguments)

\b
Examples:
  nanoBragg -hkl P1.hkl … -trace_pixel 1792 2048 > a.log
  nb-trace-diff c.log a.log
  nb-trace-diff --only-differing c.log a.log
  nb-trace-diff --var fluence_photons_per_m2 --rtol 1e-3 c.log a.log
  nb-trace-diff --out-dir evidence --command-a './nanoBragg_c …' --command-b 'nanoBragg …' c.log a.log
"""


def tolerance(name: str, default: float, text: str) -> Callable[[Any], Any]:
    """An option for a number of at least 0; NaN is refused."""

    def checked(_context: click.Context, parameter: click.Parameter, value: float) -> float:
        if not value >= 0.0:
            raise click.BadParameter("expected a number of at least 0", param=parameter)
        return value

    return click.option(name, type=float, default=default, show_default=True, callback=checked, metavar="X", help=text)


@click.command(name="nb-trace-diff", cls=ToolCommand, help=HELP)
@click.argument("log_a", metavar="A")
@click.argument("log_b", metavar="B")
@tolerance("--rtol", 1e-12, "Relative tolerance.")
@tolerance("--atol", 0.0, "Absolute tolerance, in the unit of each value: for scalars that should be 0.")
@tolerance("--noise", 8.9e-16, "Tolerance of a component, relative to the length of its vector or matrix.")
@click.option("--var", "names", multiple=True, metavar="NAME",
              help="Compare only this value, e.g. --var F_cell (may be repeated); both must have it.")  # fmt: skip
@click.option("--only-differing", is_flag=True, help="Leave equal values out of the table.")
@click.option("--report", metavar="FILE.md", help="Write the evidence as Markdown.")
@click.option("--out-dir", metavar="DIR", help="Put both logs, report.md and metadata.json into DIR/<UTC time>/.")
@click.option("--command-a", metavar="TEXT", help="The command line that made A, for the report; "
              "by default, a line of the log that starts with '$ '.")  # fmt: skip
@click.option("--command-b", metavar="TEXT", help="The command line that made B.")
def main(
    log_a: str, log_b: str, rtol: float, atol: float, noise: float, names: tuple[str, ...], only_differing: bool,
    report: str | None, out_dir: str | None, command_a: str | None, command_b: str | None,
) -> int:  # fmt: skip
    """Compare; the exit status."""
    from .compare import compare
    from .log import read_log
    from .report import evidence, markdown, terminal_text, write_evidence
    from .values import Tolerances

    if report:
        check_writable(report, "--report")
    comparison = compare(read_log(log_a), read_log(log_b), Tolerances(rtol, atol, noise), tuple(dict.fromkeys(names)))
    print(terminal_text(comparison, only_differing))
    if report or out_dir:
        facts = evidence(comparison, ["nb-trace-diff", *sys.argv[1:]], (command_a, command_b))
        if report:
            write_text(report, "--report", markdown(comparison, facts))
        if out_dir:
            print(f"evidence: {write_evidence(Path(out_dir), comparison, facts)}")
    return 0 if comparison.agrees else 1


if __name__ == "__main__":
    main()
