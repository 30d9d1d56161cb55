"""nb-trace-diff: find the first value in which two traces of a pixel disagree."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ..command import ToolCommand

HELP = """Compare two traces of a pixel and name the first value that disagrees.

A and B are the standard output of nanoBragg, or of a C program that prints the same trace, run with
`-trace_pixel SLOW FAST` (C order: row, then column). The labels before the values (TRACE_C, TRACE_PY, any
other) need not be the same, and other lines may stand between. Values are matched by name and occurrence (the
second hkl_frac with the second), for each traced pixel.

Said first: a line that only one trace has, other pixels, another configuration (steps, wavelength, counts of
sources, phi steps and mosaic domains, …), and an F_cell that was read from a dump file. Then the table of
values, one row for each line; of a vector or matrix the component that disagrees most. Last the first
divergence in the order of A, and the largest.

Numbers a and b agree when |a-b| <= max(rtol*max(|a|,|b|), atol, noise*|v|). |v| is the length of the vector
or matrix that a component belongs to, so that the ±6e-15 Å that rounding leaves in an axis of 100 Å is no
divergence. The relative difference is |a-b|/max(|a|,|b|). Values have the units that their names say
(meters, angstroms, sr, photons_per_m2; scattering_vec_A_inv is in 1/m in spite of its name).
With --rtol 0 --noise 0 only equal numbers agree (-0 equals 0).

\b
Exit status:
  0  the traces agree
  1  a value differs beyond the tolerances, or the structure differs
     (with --var only the named values decide)
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


def non_negative(_context: click.Context, parameter: click.Parameter, value: float) -> float:
    """Refuse a tolerance below 0 or not a number."""
    if not value >= 0.0:
        raise click.BadParameter("a number of at least 0 is expected", param=parameter)
    return value


@click.command(name="nb-trace-diff", cls=ToolCommand, help=HELP, context_settings={"max_content_width": 110})
@click.argument("log_a", metavar="A")
@click.argument("log_b", metavar="B")
@click.option(
    "--rtol",
    type=float,
    default=1e-12,
    show_default=True,
    callback=non_negative,
    metavar="X",
    help="Relative tolerance.",
)
@click.option(
    "--atol",
    type=float,
    default=0.0,
    show_default=True,
    callback=non_negative,
    metavar="X",
    help="Absolute tolerance, in the unit of each value: for scalars that should be 0.",
)
@click.option(
    "--noise",
    type=float,
    default=8.9e-16,
    show_default=True,
    callback=non_negative,
    metavar="X",
    help="Tolerance for components, relative to the length of their vector or matrix.",
)
@click.option(
    "--var",
    "names",
    multiple=True,
    metavar="NAME",
    help="Compare this value only (again for more), e.g. --var F_cell. Exit status 2 if one lacks it.",
)
@click.option("--only-differing", is_flag=True, help="Leave equal values out of the table.")
@click.option("--report", metavar="FILE.md", help="Write the evidence as Markdown.")
@click.option("--out-dir", metavar="DIR", help="Put both logs, report.md and metadata.json into DIR/<UTC time>/.")
@click.option(
    "--command-a",
    metavar="TEXT",
    help="Command line that made A, for the report. Without it, a line of the log that starts with '$ '.",
)
@click.option("--command-b", metavar="TEXT", help="Command line that made B.")
def main(
    log_a: str,
    log_b: str,
    rtol: float,
    atol: float,
    noise: float,
    names: tuple[str, ...],
    only_differing: bool,
    report: str | None,
    out_dir: str | None,
    command_a: str | None,
    command_b: str | None,
) -> int:
    from .compare import Tolerances, compare
    from .log import read_log
    from .report import evidence, markdown, structure_text, summary_text, text_table, write_evidence

    comparison = compare(read_log(log_a), read_log(log_b), Tolerances(rtol, atol, noise), names)
    print(
        structure_text(comparison),
        text_table(comparison, only_differing),
        summary_text(comparison),
        sep="\n\n",
    )
    if report or out_dir:
        argv = ["nb-trace-diff", *sys.argv[1:]]
        facts = evidence(comparison, argv, (command_a, command_b))
        if report:
            Path(report).write_text(markdown(comparison, facts), encoding="utf-8")
        if out_dir:
            print(f"evidence: {write_evidence(Path(out_dir), comparison, facts)}")
    return 0 if comparison.agrees else 1


if __name__ == "__main__":
    main()
