"""The table of nb-bench, printed line by line as results come."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

from ..command import note
from .machine import machine_facts
from .runs import Bench, Program
from .workloads import Workload

NAME = "nb-bench"
HEADINGS = ("workload", "program", "steps", "best s", "ratio", "ns/step", "memory", "files", "log", "goal")
FIRST_RUN_GOAL_S = 15


class Table:
    """Prints on standard output; quiet: nothing. Names stand to the left in their columns, numbers to the right."""

    def __init__(self, programs: Sequence[Program], workloads: Sequence[Workload], markdown: bool, quiet: bool) -> None:
        self._markdown = markdown
        self._print: Callable[[str], None] = (lambda text: None) if quiet else (lambda text: print(text, flush=True))
        self._widths = [max([8, *(len(w.name) for w in workloads)]), max([7, *(len(p.name) for p in programs)])]
        self._widths += [7, 8, 7, 7, 9, 6, 6, 8]

    def opening(self, bench: Bench) -> None:
        """What is measured on what, and the headings."""
        machine = machine_facts()
        load, threads = machine["load_average"][0], bench.programs[0].threads
        self._print(
            f"{machine['date'][:10]}, {machine['processor']}, {machine['cores']} cores, {threads} "
            f"thread{'s' if threads > 1 else ''}, best of {bench.repeat}"
            + (f", scale {bench.scale:g}" if bench.scale != 1.0 else "")
        )
        if load > 0.25 * machine["cores"]:
            note(NAME, f"other work is running here (load average {load:.1f}); times will be too long")
        self._print("")
        self._line(HEADINGS)
        if self._markdown:
            marks = ["-" * w + ("-" if i < 2 else ":") for i, w in enumerate(self._widths)]
            self._print("|" + "|".join(f" {mark[1:]} " for mark in marks) + "|")

    def _line(self, cells: Sequence[str]) -> None:
        """Print a line of the table."""
        padded = [
            f"{c:<{w}}" if i < 2 else f"{c:>{w}}" for i, (c, w) in enumerate(zip(cells, self._widths, strict=True))
        ]
        self._print(f"| {' | '.join(padded)} |" if self._markdown else "  ".join(padded).rstrip())

    def busy_with(self, name: str) -> None:
        """Tell whoever watches a terminal what is being measured; an empty name wipes that out."""
        if sys.stderr.isatty():
            print(f"\r\033[K{name} ..." if name else "\r\033[K", end="", file=sys.stderr, flush=True)

    def rows(self, entry: dict[str, Any]) -> None:
        """Print the lines of one workload, and on standard error what went wrong."""
        self.busy_with("")
        for number, program in enumerate(entry["programs"]):
            if program["failed"]:
                status = program["exit_status"]
                how = f"exit status {status}" if status >= 0 else f"signal {-status}"
                last = program["said"].rpartition("\n")[2]
                print(f"{NAME}: {program['name']} failed on {entry['name']}: {how} {last}".rstrip(), file=sys.stderr)
            if program["compiled_while_timed"]:
                note(NAME, "a timed run compiled the kernels: their cache cannot be used")
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
        """Print a first run, for which nothing was compiled."""
        what = f"exit status {run['exit_status']}" if run["exit_status"] else f"{run['seconds']:.1f} s"
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
    """A large number in thousands, millions or billions (k, M, G)."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if count >= 0.9995 * limit:  # what three digits make of it
            return f"{count / limit:.3g} {unit}"
    return str(count) if count else ""


def listed(workloads: Sequence[Workload], scale: float) -> str:
    """Names, steps and what they are, one on a line."""
    rows = [(w.name, count_text(w.steps_at(scale)), w.what) for w in workloads]
    return "\n".join(f"{name:22}{steps:>8}  {what}" for name, steps, what in rows)
