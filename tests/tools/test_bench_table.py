"""The table of nb-bench: every cell, in text and Markdown, and what is said beside it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from nanobragg_py.tools.bench import table as module
from nanobragg_py.tools.bench.machine import cores, machine_facts, memory_floor, processor_name
from nanobragg_py.tools.bench.runs import Bench, Program
from nanobragg_py.tools.bench.table import Table, count_text, goal_text, listed, yes_no
from nanobragg_py.tools.bench.workloads import TABLE

PROGRAMS = [Program("ours", ("ours",), 2, ours=True), Program("C", ("c",), 2)]
SMALL = next(workload for workload in TABLE if workload.name == "small_64")


def program(name: str, **changes: Any) -> dict[str, Any]:
    """What is known of a program's runs, as far as the table needs it."""
    return {
        "name": name, "failed": False, "best_s": 0.25, "ratio": 1.0, "ns_per_step_core": 12.345,
        "memory_bytes": 99_600_000, "memory_is_floor": False, "files_identical": True, "log_identical": True,
        "compiled_while_timed": False, "exit_status": 0, "said": "", **changes,
    }  # fmt: skip


def entry(*programs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A workload's result."""
    facts = {"name": "small_64", "steps": 4096, "goal_ratio": None, "goal_seconds": 0.3, "programs": programs}
    return {**facts, **changes}


def table(markdown: bool = False, quiet: bool = False) -> Table:
    """A table for two programs and one workload."""
    return Table(PROGRAMS, [SMALL], markdown, quiet)


ENTRY = entry(
    program("ours"),
    program("C", best_s=2.5, ratio=10.0, ns_per_step_core=1234.5, memory_is_floor=True, log_identical=False),
)


def test_lines_of_text(capsys: pytest.CaptureFixture[str]) -> None:
    table().rows(ENTRY)
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "small_64  ours       4.1 k     0.250              12.3     100 MB     yes     yes  ≤ 0.30 s",
        "          C          4.1 k     2.500    10.00     1234    <100 MB     yes      NO",
    ]
    assert captured.err == ""


def test_lines_of_markdown(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table(markdown=True).opening(Bench(PROGRAMS, tmp_path, 3, 1.0))
    table(markdown=True).rows(ENTRY)
    assert capsys.readouterr().out.splitlines()[1:] == [
        "",
        "| workload | program |   steps |   best s |   ratio | ns/step |    memory |  files |    log |     goal |",
        "| -------- | ------- | ------: | -------: | ------: | ------: | --------: | -----: | -----: | -------: |",
        "| small_64 | ours    |   4.1 k |    0.250 |         |    12.3 |    100 MB |    yes |    yes | ≤ 0.30 s |",
        "| small_64 | C       |   4.1 k |    2.500 |   10.00 |    1234 |   <100 MB |    yes |     NO |          |",
    ]


def test_what_cannot_be_said_stays_empty(capsys: pytest.CaptureFixture[str]) -> None:
    unknown = {"ratio": None, "ns_per_step_core": None, "files_identical": None, "log_identical": None}
    table(markdown=True).rows(entry(program("ours", **unknown), program("C", **unknown), steps=0, goal_seconds=None))
    for line, name in zip(capsys.readouterr().out.splitlines(), ("ours", "C"), strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells == ["small_64", name, "", "0.250", "", "", "100 MB", "", "", ""]


def test_columns_are_as_wide_as_the_longest_name(capsys: pytest.CaptureFixture[str]) -> None:
    long_name = max((workload for workload in TABLE), key=lambda workload: len(workload.name))
    programs = [*PROGRAMS, Program("ours, 1 thread", ("ours",), 1, ours=True)]
    Table(programs, [SMALL, long_name], markdown=True, quiet=False).rows(ENTRY)
    first = capsys.readouterr().out.splitlines()[0].split("|")
    assert (len(first[1]) - 2, len(first[2]) - 2) == (len(long_name.name), len("ours, 1 thread"))


def test_the_opening_says_what_is_measured_on_what(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = {"date": "2026-11-23T10:00:00+00:00", "processor": "Abacus", "cores": 4, "load_average": [1.0, 0, 0]}
    monkeypatch.setattr(module, "machine_facts", lambda: facts)
    table().opening(Bench(PROGRAMS, tmp_path, 3, 1.0))
    captured = capsys.readouterr()
    assert captured.out.splitlines() == [
        "2026-11-23, Abacus, 4 cores, 2 threads, best of 3",
        "",
        "workload  program    steps    best s    ratio  ns/step     memory   files     log      goal",
    ]
    assert captured.err == ""
    facts["load_average"] = [1.1, 0, 0]
    table().opening(Bench([Program("ours", ("ours",), 1, ours=True)], tmp_path, 5, 0.05))
    captured = capsys.readouterr()
    assert captured.out.startswith("2026-11-23, Abacus, 4 cores, 1 thread, best of 5, scale 0.05\n")
    assert captured.err == "nb-bench: note: other work is running here (load average 1.1); times will be too long\n"


def test_a_failure_is_explained_and_has_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    failed = {"failed": True, "said": "loading\nno luck"}
    table().rows(entry(program("ours"), program("C", exit_status=1, **failed), program("D", exit_status=-9, **failed)))
    captured = capsys.readouterr()
    assert captured.err.splitlines() == [
        "nb-bench: C failed on small_64: exit status 1 no luck",
        "nb-bench: D failed on small_64: signal 9 no luck",
    ]
    assert [line.split()[3] for line in captured.out.splitlines()[1:]] == ["failed", "failed"]


def test_a_timed_run_that_compiled_is_noted(capsys: pytest.CaptureFixture[str]) -> None:
    table().rows(entry(program("ours", compiled_while_timed=True)))
    assert capsys.readouterr().err == "nb-bench: note: a timed run compiled the kernels: their cache cannot be used\n"


def test_first_runs(capsys: pytest.CaptureFixture[str]) -> None:
    run = {"kernel": "gauss", "exit_status": 0, "seconds": 9.04, "said": "compiling\ndone"}
    table().first_run(run)
    table().first_run({**run, "exit_status": 9, "said": ""})
    assert capsys.readouterr().out.splitlines() == [
        "first run on a machine, gauss kernel: 9.0 s (goal ≤ 15 s); it says 'compiling'",
        "first run on a machine, gauss kernel: exit status 9 (goal ≤ 15 s); it says ''",
    ]


def test_quiet_prints_nothing_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    table(quiet=True).rows(ENTRY)
    assert capsys.readouterr().out == ""


def test_who_watches_a_terminal_is_told_what_is_measured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    table().busy_with("small_64")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    table().busy_with("small_64")
    table().busy_with("")
    assert capsys.readouterr().err == "\r\033[Ksmall_64 ...\r\033[K"


def test_small_cells() -> None:
    assert [yes_no(value) for value in (True, False, None)] == ["yes", "NO", ""]
    assert goal_text(entry(goal_ratio=2.5)) == "≥ 2.5 ×"
    assert goal_text(entry()) == "≤ 0.30 s"
    assert goal_text(entry(goal_seconds=None)) == ""
    texts = {0: "", 12: "12", 999: "999", 1000: "1 k", 4096: "4.1 k", 999_499: "999 k", 999_500: "1 M",
             1_000_000: "1 M", 16_777_216: "16.8 M", 2_684_354_560: "2.68 G"}  # fmt: skip
    assert {count: count_text(count) for count in texts} == texts
    assert listed([SMALL], 1.0) == f"{'small_64':22}   4.1 k  {SMALL.what}"


def test_the_machine() -> None:
    facts = machine_facts()
    assert facts["processor"] == processor_name() != ""
    assert 1 <= facts["cores"] == cores() <= facts["cores_of_machine"]
    assert set(facts["versions"]) == {"nanobragg_py", "python", "libc", "numpy", "numba", "llvmlite"}
    assert facts["versions"]["numpy"].count(".") >= 1
    assert len(facts["load_average"]) == 3
    # A Python with NumPy holds some tens of megabytes.
    assert 10e6 < memory_floor() < 10e9
