"""nb-bench: how long our program takes on named work, against any other program, and whether both agree."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...base.errors import InputError
from ...base.files import check_writable
from ..command import ToolCommand

if TYPE_CHECKING:
    from .runs import Bench, Program
    from .workloads import Workload


HELP = """Measure our program, and others given with --against, on named work, and compare what they write.

Each NAME is a workload or a pattern such as 'grow_*'; without any, all but grow_* are measured. Inputs are made
on the spot. Each program first runs once untimed on a small image, so that kernels are compiled and files are in
memory; then the programs take turns. Times are of whole processes, from start to end.

\b
Columns of the table:
  steps     evaluations of the lattice: pixels x sub-pixels x phi steps x mosaic domains
  best s    seconds of the fastest run
  ratio     this program's best time over ours with the first --threads: how many times faster we are
  ns/step   best time x threads / steps: nanoseconds per step and core
  memory    most memory held; '<' where less than this tool itself weighs, which the system counts with it
  files     whether all files have the bytes of ours; for ours, whether every run gave the same
  log       the same for standard output
  goal      what the project asks of a whole machine: ratio to a C program with OpenMP, or seconds

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
  nb-bench 'grow_*' --against C=./nanoBragg_openmp --plot growth.svg
"""


OURS = "ours"
FIRST_RUN_GOAL_S = 15


@click.command(name="nb-bench", cls=ToolCommand, help=HELP)
@click.argument("names", nargs=-1, metavar="[NAME]…")
@click.option("--only", multiple=True, metavar="NAME…", help="The same as NAME; more may follow.")
@click.option("--against", multiple=True, metavar="NAME=EXE", help="Another program (may be repeated).")
@click.option("--repeat", type=click.IntRange(1), default=3, show_default=True, help="Timed runs of each program.")
@click.option(
    "--threads", type=click.IntRange(1), multiple=True, metavar="N",
    help="Threads of ours (--threads) and others (OMP_NUM_THREADS); default: all cores. Repeated: ours also "
    "runs with the further numbers.",
)  # fmt: skip
@click.option("--scale", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True, metavar="F",
              help="Multiply the number of pixels, for a quick look.")  # fmt: skip
@click.option("--cold", is_flag=True, help="Also time the first run on a machine, when nothing is compiled.")
@click.option("--json", "json_path", metavar="FILE", help="Write everything as JSON; '-': standard output, no table.")
@click.option("--markdown", is_flag=True, help="Print the table in Markdown.")
@click.option("--plot", metavar="FILE.svg", help="Draw how time grows, of the grow_* workloads measured.")
@click.option("--list", "listing", is_flag=True, help="Print the workloads and stop.")
def main(
    names: tuple[str, ...], only: tuple[str, ...], against: tuple[str, ...], repeat: int, threads: tuple[int, ...],
    scale: float, cold: bool, json_path: str | None, markdown: bool, plot: str | None, listing: bool,
) -> int:  # fmt: skip
    wanted = (*only, *names)
    if listing:
        print(listed(chosen(wanted or ("*",)), scale))
        return 0
    workloads = chosen(wanted)
    if plot is not None and not any(workload.series for workload in workloads):
        raise click.UsageError("--plot draws the grow_* workloads, and none is chosen")
    for path, option in ((json_path, "--json"), (plot, "--plot")):
        if path is not None and path != "-":
            check_writable(path, option)
    from .runs import Bench

    programs = measured_programs(against, threads or (cores(),))
    report = Report(programs, workloads, markdown, quiet=json_path == "-")
    with tempfile.TemporaryDirectory(prefix="nb-bench-") as folder:
        bench = Bench(programs, Path(folder), repeat, scale)
        result = {**facts(bench), **measure(bench, workloads, report, cold, wanted)}
    save(result, plot, json_path)
    return 0 if result["passed"] else 1


def save(result: dict[str, Any], plot: str | None, json_path: str | None) -> None:
    """Write the plot and the JSON that were asked for."""
    if plot is not None:
        from .plot import save_plot

        save_plot(plot, result["workloads"])
    text = json.dumps(result, indent=2, ensure_ascii=False) + "\n"
    if json_path == "-":
        sys.stdout.write(text)
    elif json_path is not None:
        Path(json_path).write_text(text, encoding="utf-8")


def cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def chosen(patterns: Sequence[str]) -> list[Workload]:
    """The workloads that the patterns name, in the order of the list. Raises click.UsageError."""
    from .workloads import GROWTH, TABLE

    if not patterns:
        return list(TABLE)
    every = [*TABLE, *GROWTH]
    for pattern in patterns:
        if not any(fnmatchcase(workload.name, pattern) for workload in every):
            raise click.UsageError(f"no workload '{pattern}': expected {', '.join(w.name for w in every)}")
    return [w for w in every if any(fnmatchcase(w.name, pattern) for pattern in patterns)]


def listed(workloads: Sequence[Workload], scale: float) -> str:
    """Names, steps and what they are."""
    rows = [(w.name, count_text(w.steps_at(scale)), w.what) for w in workloads]
    return "\n".join(f"{name:22}{steps:>8}  {what}" for name, steps, what in rows)


def measured_programs(against: Sequence[str], threads: Sequence[int]) -> list[Program]:
    """Ours first, then the others, then ours with other numbers of threads. Raises click.UsageError."""
    from .runs import Program

    command = (sys.executable, "-m", "nanobragg_py")
    programs = [Program(OURS, command, threads[0], ours=True)]
    for text in against:
        name, equals, path = text.partition("=")
        if not equals:
            name, path = os.path.basename(text), text
        found = shutil.which(path)
        if not name or found is None:
            raise click.UsageError(f"--against {text}: expected NAME=EXE, a program that can be run")
        programs.append(Program(name, (os.path.abspath(found),), threads[0]))
    for n in threads[1:]:
        programs.append(Program(f"{OURS}, {n} thread{'s' if n > 1 else ''}", command, n, ours=True))
    repeated = {p.name for p in programs if [q.name for q in programs].count(p.name) > 1}
    if repeated:
        raise click.UsageError(f"two programs are called '{min(repeated)}'")
    return programs


def measure(bench: Bench, workloads: Sequence[Workload], report: Report, cold: bool, named: Sequence[str]) -> dict:
    """Run everything, with lines of the table as they come; the part of the result that depends on it."""
    done, skipped, first_runs = [], [], []
    cold_ones = {w.kernel: w for w in reversed(workloads) if w.kernel}.values() if cold else ()
    report.opening(bench)
    for workload in workloads:
        report.busy_with(workload.name)
        try:
            done.append(bench.measure(workload))
        except InputError as error:
            if workload.name in named:
                raise
            skipped.append({"name": workload.name, "reason": str(error)})
            print(f"nb-bench: note: left out: {error}", file=sys.stderr)
            continue
        report.rows(done[-1])
    for workload in sorted(cold_ones, key=workloads.index):
        try:
            first_runs.append(bench.first_run(workload))
        except InputError:
            continue
        report.first_run(first_runs[-1])
    every = [program for entry in done for program in entry["programs"]]
    passed = not any(p["failed"] or p["files_identical"] is False for p in every)
    passed = passed and not any(run["exit_status"] for run in first_runs)
    return {"workloads": done, "left_out": skipped, "first_runs": first_runs, "passed": passed}


def facts(bench: Bench) -> dict[str, Any]:
    """Machine, versions and settings."""
    from datetime import datetime
    from importlib.metadata import PackageNotFoundError, version

    from ... import __version__
    from .runs import memory_floor

    versions = {"nanobragg_py": __version__, "python": platform.python_version(), "libc": " ".join(platform.libc_ver())}
    for name in ("numpy", "numba", "llvmlite"):
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": processor_name(),
        "cores": cores(),
        "cores_of_machine": os.cpu_count(),
        "system": platform.platform(),
        "load_average": [round(x, 2) for x in os.getloadavg()],
        "versions": versions,
        "settings": {"repeat": bench.repeat, "scale": bench.scale, "threads": bench.programs[0].threads},
        "programs": [{"name": p.name, "command": list(p.command), "threads": p.threads} for p in bench.programs],
        "memory_floor_bytes": memory_floor(),
    }


def processor_name() -> str:
    """What the system calls the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


class Report:
    """The table, printed line by line as results come."""

    HEADINGS = ("workload", "program", "steps", "best s", "ratio", "ns/step", "memory", "files", "log", "goal")

    def __init__(self, programs: Sequence[Program], workloads: Sequence[Workload], markdown: bool, quiet: bool):
        self._markdown = markdown
        self._print: Callable[[str], None] = (lambda text: None) if quiet else (lambda text: print(text, flush=True))
        self._widths = [max([8, *(len(w.name) for w in workloads)]), max([7, *(len(p.name) for p in programs)])]
        self._widths += [7, 8, 7, 7, 9, 6, 6, 8]

    def opening(self, bench: Bench) -> None:
        """What is measured on what, and the heading."""
        found = facts(bench)
        load, threads = found["load_average"][0], bench.programs[0].threads
        self._print(
            f"{found['date'][:10]}, {found['processor']}, {found['cores']} cores, {threads} "
            f"thread{'s' if threads > 1 else ''}, best of {bench.repeat}"
            + (f", scale {bench.scale:g}" if bench.scale != 1.0 else "")
        )
        if load > 0.25 * found["cores"]:
            note = f"other work is running here (load average {load:.1f}); times will be too long"
            print(f"nb-bench: note: {note}", file=sys.stderr)
        self._print("")
        self._line(self.HEADINGS)
        if self._markdown:
            marks = ["-" * w + ("-" if i < 2 else ":") for i, w in enumerate(self._widths)]
            self._print("|" + "|".join(f" {mark[1:]} " for mark in marks) + "|")

    def _line(self, cells: Sequence[str]) -> None:
        """A line of the table."""
        padded = [
            f"{c:<{w}}" if i < 2 else f"{c:>{w}}" for i, (c, w) in enumerate(zip(cells, self._widths, strict=True))
        ]
        self._print(f"| {' | '.join(padded)} |" if self._markdown else "  ".join(padded).rstrip())

    def busy_with(self, name: str) -> None:
        """Tell who watches a terminal what is being measured; an empty name wipes that out."""
        if sys.stderr.isatty():
            print(f"\r\033[K{name} ..." if name else "\r\033[K", end="", file=sys.stderr, flush=True)

    def rows(self, entry: dict[str, Any]) -> None:
        """One workload."""
        self.busy_with("")
        for number, program in enumerate(entry["programs"]):
            if program["failed"]:
                status = program["exit_status"]
                how = f"status {status}" if status >= 0 else f"signal {-status}"
                last = program["said"].rpartition("\n")[2]
                print(f"nb-bench: {program['name']} failed on {entry['name']}: {how} {last}".rstrip(), file=sys.stderr)
            if program["compiled_while_timed"]:
                print("nb-bench: note: a timed run compiled: the cache of kernels cannot be used", file=sys.stderr)
            self._line(self._cells(entry, program, number))

    def _cells(self, entry: dict[str, Any], program: dict[str, Any], number: int) -> list[str]:
        """The cells of a program's line."""
        memory = f"{program['memory_bytes'] / 1e6:.0f} MB"
        if program["memory_is_floor"]:
            memory = f"<{memory}"
        ns = program["ns_per_step_core"]
        return [
            entry["name"] if number == 0 or self._markdown else "",
            program["name"],
            count_text(entry["steps"]),
            "failed" if program["failed"] else f"{program['best_s']:.3f}",
            "" if number == 0 or program["ratio"] is None else f"{program['ratio']:.2f}",
            "" if ns is None else f"{ns:.3g}" if ns < 1000 else f"{ns:.0f}",
            memory,
            yes_no(program["files_identical"]),
            yes_no(program["log_identical"]),
            goal_text(entry) if number == 0 else "",
        ]

    def first_run(self, run: dict[str, Any]) -> None:
        """A first run where nothing was compiled."""
        what = f"status {run['exit_status']}" if run["exit_status"] else f"{run['seconds']:.1f} s"
        said = run["said"].splitlines()
        goal = f"(goal ≤ {FIRST_RUN_GOAL_S} s)"
        self._print(
            f"first run on a machine, {run['kernel']} kernel: {what} {goal}; it says '{said[0] if said else ''}'"
        )


def yes_no(value: bool | None) -> str:
    """A cell for something that is so, is not so, or cannot be said."""
    return "" if value is None else "yes" if value else "NO"


def goal_text(entry: dict[str, Any]) -> str:
    """What is asked of a workload."""
    if entry["goal_ratio"] is not None:
        return f"≥ {entry['goal_ratio']:g} ×"
    return f"≤ {entry['goal_seconds']:.2f} s" if entry["goal_seconds"] is not None else ""


def count_text(count: int) -> str:
    """A large number in thousands, millions or milliards."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= limit:
            return f"{count / limit:.3g} {unit}"
    return str(count) if count else ""


if __name__ == "__main__":
    main()
