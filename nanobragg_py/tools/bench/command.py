"""nb-bench: how long our program takes on named work, against any other program, and whether both agree."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...base.errors import InputError
from ...base.files import check_writable
from ..command import ToolCommand, note, write_text

# What measures is imported where it is used: --help does not wait for it.
if TYPE_CHECKING:
    from .runs import Bench, Program
    from .table import Table
    from .workloads import Workload

NAME = "nb-bench"
OURS = "ours"
# Our programs that have work here, and how they are started.
COMMANDS = {
    "nanoBragg": (sys.executable, "-m", "nanobragg_py"),
    "noisify": (sys.executable, "-c", "from nanobragg_py.programs import noisify; noisify()"),
    "nonBragg": (sys.executable, "-c", "from nanobragg_py.programs import nonbragg; nonbragg()"),
}
HELP = """Measure our program, and others given with --against, on named workloads, and compare what they write.

Each NAME is a workload or a pattern such as 'grow_*'; without any, all but grow_* are measured. Inputs are made
on the spot. Each program first runs once untimed on a small image, so that kernels are compiled and files are in
memory; then the programs take turns. Times are those of whole processes, from start to end.

\b
Columns of the table:
  steps     evaluations of the lattice: pixels x sub-pixels x phi steps x mosaic domains
  best s    seconds of the fastest run
  ratio     this program's best time over ours with the first --threads: how many times faster we are
  ns/step   best time x threads / steps: nanoseconds per step and core
  memory    most memory held; '<' where it is less than what this tool itself holds, which the system counts in
  files     whether all files have the same bytes as ours; for ours, whether every run gave the same
  log       the same for standard output
  goal      what the project asks of itself: ratio to a C program with OpenMP on all cores, or seconds

\b
Exit status:
  0  everything ran, and all files were identical (logs may differ)
  1  a program failed, or a file differs
  2  bad arguments

\b
Examples:
  nb-bench --against C=./nanoBragg_openmp
  nb-bench --scale 0.05 --repeat 1 --against C=./nanoBragg_openmp
  nb-bench --only demo_1a8o list_2048 --threads 2 --threads 1 --json result.json
  nb-bench 'noisify*' --against noisify:C=./noisify_c
  nb-bench 'water*' --against nonBragg:C=./nonBragg_c
  nb-bench --stills 100 --threads 2
  nb-bench --batch 2000 --threads 2
  nb-bench 'grow_*' --against C=./nanoBragg_openmp --plot growth.svg
"""


@click.command(name="nb-bench", cls=ToolCommand, help=HELP)
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--only", multiple=True, metavar="NAME…", help="The same as NAME; more may follow.")
@click.option("--against", multiple=True, metavar="[PROGRAM:]NAME=EXE",
              help="Another program, or with noisify: or nonBragg: before it one for that one's work (may be "
              "repeated).")  # fmt: skip
@click.option("--repeat", type=click.IntRange(1), default=3, show_default=True, metavar="N",
              help="Timed runs of each program.")  # fmt: skip
@click.option("--threads", type=click.IntRange(1), multiple=True, metavar="N",
              help="Threads of ours (--threads) and of others (OMP_NUM_THREADS); default: all cores. If repeated, "
              "ours also runs with the further numbers.")  # fmt: skip
@click.option("--scale", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True, metavar="F",
              help="Multiply the number of pixels, for a quick look.")  # fmt: skip
@click.option("--cold", is_flag=True, help="Also time the first run on a machine, when nothing is compiled.")
@click.option("--json", "json_path", metavar="FILE", help="Write everything as JSON; '-': standard output, no table.")
@click.option("--markdown", is_flag=True, help="Print the table in Markdown.")
@click.option(
    "--plot",
    metavar="FILE",
    help="Draw how time grows, of the grow_* workloads measured: .svg, .png or .pdf. Needs matplotlib.",
)
@click.option("--stills", type=click.IntRange(1), metavar="N",
              help="Instead of all this, images a second of N stills in one process: 1024 x 1024, bare and with water, "
              "noise and point spread.")  # fmt: skip
@click.option("--batch", type=click.IntRange(1), metavar="N",
              help="Instead of all this, nb-batch: a table of N stills of 512 x 512 against a bare loop, and 1000 "
              "command lines.")  # fmt: skip
@click.option("--list", "listing", is_flag=True, help="Print the workloads and stop.")
def main(
    names: tuple[str, ...], only: tuple[str, ...], against: tuple[str, ...], repeat: int, threads: tuple[int, ...],
    scale: float, cold: bool, json_path: str | None, markdown: bool, plot: str | None, stills: int | None,
    batch: int | None, listing: bool,
) -> int:  # fmt: skip
    """Measure; the exit status."""
    from .machine import cores, machine_facts
    from .table import Table, listed

    wanted = (*only, *names)
    if stills is not None:
        return report_stills(stills, repeat, threads[0] if threads else cores())
    if batch is not None:
        return report_batch(batch, threads[0] if threads else cores())
    if listing:
        print(listed(chosen(wanted or ("*",)), scale))
        return 0
    workloads = chosen(wanted)
    check_outputs(json_path, plot, workloads)
    from .runs import Bench

    programs = measured_programs(against, threads or (cores(),), tuple(dict.fromkeys(w.program for w in workloads)))
    table = Table(programs, workloads, markdown, quiet=json_path == "-")
    with tempfile.TemporaryDirectory(prefix="nb-bench-") as folder:
        bench = Bench(programs, Path(folder), repeat, scale)
        result = {**machine_facts(), **settings_facts(bench), **measure(bench, workloads, table, cold, wanted)}
    save(result, plot, json_path)
    return 0 if result["passed"] else 1


def report_stills(images: int, repeat: int, threads: int) -> int:
    """Measure stills and print their rates; the exit status."""
    from .stills import rates

    print(f"{images} stills of 1024 x 1024, 1A8O, one step per pixel, {threads} threads, best of {repeat}")
    for rate in rates(images, repeat, threads):
        goal = f"   goal {rate.goal:g} on 2 cores" if rate.goal else ""
        print(f"  {rate.what:36s} {rate.images_per_s:7.1f} images/s{goal}", flush=True)
    return 0


def report_batch(rows: int, threads: int) -> int:
    """Measure nb-batch and print what came out; the exit status."""
    from .batches import outcomes

    print(f"{rows} stills, 1A8O, one step per pixel, {threads} threads")
    for outcome in outcomes(rows, threads):
        goal = f"   goal {outcome.goal}" if outcome.goal else ""
        print(f"  {outcome.what:46s} {outcome.figure:>16s}{goal}", flush=True)
    return 0


def check_outputs(json_path: str | None, plot: str | None, workloads: Sequence[Workload]) -> None:
    """Find out before the measuring what could not be written. Raises click.UsageError, InputError."""
    if json_path is not None and json_path != "-":
        check_writable(json_path, "--json")
    if plot is not None:
        from .plot import check_plot

        if not any(workload.series for workload in workloads):
            raise click.UsageError("--plot draws the grow_* workloads, and none is chosen")
        check_plot(plot)


def settings_facts(bench: Bench) -> dict[str, Any]:
    """What was asked for, ready for JSON."""
    return {
        "settings": {"repeat": bench.repeat, "scale": bench.scale, "threads": bench.programs[0].threads},
        "programs": [{"name": p.name, "command": list(p.command), "threads": p.threads} for p in bench.programs],
    }


def save(result: dict[str, Any], plot: str | None, json_path: str | None) -> None:
    """Write the plot and the JSON that were asked for."""
    if plot is not None:
        from .plot import save_plot

        save_plot(plot, result["workloads"])
    text = json.dumps(result, indent=2) + "\n"
    if json_path == "-":
        print(text, end="")
    elif json_path is not None:
        write_text(json_path, "--json", text)


def chosen(patterns: Sequence[str]) -> list[Workload]:
    """The workloads that the patterns name, in the order of the list. Raises click.UsageError."""
    from .workloads import GROWTH, TABLE

    if not patterns:
        return list(TABLE)
    every = [*TABLE, *GROWTH]
    for pattern in patterns:
        if not any(fnmatchcase(workload.name, pattern) for workload in every):
            alike = get_close_matches(pattern, [workload.name for workload in every])
            hint = f"; did you mean {' or '.join(alike)}?" if alike else ""
            raise click.BadArgumentUsage(f"no workload '{pattern}'{hint}; nb-bench --list names all")
    return [w for w in every if any(fnmatchcase(w.name, pattern) for pattern in patterns)]


def measured_programs(
    against: Sequence[str], threads: Sequence[int], wanted: Sequence[str] = ("nanoBragg",)
) -> list[Program]:
    """Ours first, then the others, then ours with other numbers of threads, for each of ours that is wanted.

    Raises click.UsageError.
    """
    from .runs import Program

    others = [other_program(text, threads[0]) for text in against]
    programs = []
    for does, command in COMMANDS.items():
        if does not in wanted:
            continue
        programs.append(Program(OURS, command, threads[0], ours=True, does=does))
        programs += [program for program in others if program.does == does]
        for n in threads[1:]:
            programs.append(
                Program(f"{OURS}, {n} thread{'s' if n > 1 else ''}", command, n, ours=True, does=does)
            )  # fmt: skip
    names = [(p.does, p.name) for p in programs]
    repeated = {name for does, name in names if names.count((does, name)) > 1}
    if repeated:
        raise click.UsageError(f"two programs are called '{min(repeated)}'")
    return programs


def other_program(text: str, threads: int) -> Program:
    """What --against names. Raises click.UsageError."""
    from .runs import Program

    does, colon, rest = text.partition(":")
    if not colon or does not in COMMANDS:
        does, rest = "nanoBragg", text
    name, equals, path = rest.partition("=")
    if not equals:
        name, path = os.path.basename(rest), rest
    found = shutil.which(path)
    if not name or found is None:
        raise click.UsageError(f"--against {text}: expected NAME=EXE, a program that can be run")
    return Program(name, (os.path.abspath(found),), threads, does=does)


def measure(
    bench: Bench, workloads: Sequence[Workload], table: Table, cold: bool, named: Sequence[str]
) -> dict[str, Any]:
    """Run everything, printing lines of the table as they come; returns the part of the result that depends on it."""
    done, skipped, first_runs = [], [], []
    cold_ones = {w.kernel: w for w in reversed(workloads) if w.kernel}.values() if cold else ()
    table.opening(bench)
    for workload in workloads:
        table.busy_with(workload.name)
        try:
            done.append(bench.measure(workload))
        except InputError as error:
            if workload.name in named:
                raise
            skipped.append({"name": workload.name, "reason": str(error)})
            note(NAME, f"left out: {error}")
            continue
        table.rows(done[-1])
    for workload in sorted(cold_ones, key=workloads.index):
        try:
            first_runs.append(bench.first_run(workload))
        except InputError:
            continue
        table.first_run(first_runs[-1])
    every = [program for entry in done for program in entry["programs"]]
    passed = not any(p["failed"] or p["files_identical"] is False for p in every)
    passed = passed and not any(run["exit_status"] for run in first_runs)
    return {"workloads": done, "left_out": skipped, "first_runs": first_runs, "passed": passed}


if __name__ == "__main__":
    main()
