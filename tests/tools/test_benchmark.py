"""nb-bench: its workloads, its judgement of identity, and the command. No time is asserted."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from pathlib import Path

import pytest
from running import ROOT, Done, within

from nanobragg_py.tools.bench import runs
from nanobragg_py.tools.bench.command import measured_programs
from nanobragg_py.tools.bench.runs import COMPILING, Bench, Program, Run, log_differences, program_facts, run_once
from nanobragg_py.tools.bench.workloads import FINEST_A, GROWTH, TABLE, Workload, make_input, reflections

EVERY = (*TABLE, *GROWTH)
SMALL = next(workload for workload in TABLE if workload.name == "small_64")

# A stand-in for another program: writes one file, a log, and ends with a status.
STAND_IN = """#!{python}
import sys
if "crash" in {kind!r}:
    sys.exit("no luck")
open("floatimage.bin", "wb").write(b"0000" if {kind!r} != "differs" else b"0001")
print("log" if {kind!r} != "other_log" else "another log")
"""


def tool(*arguments: object) -> Done:
    """Run nb-bench."""
    return within("nb-bench", arguments)


def stand_in(folder: Path, kind: str) -> str:
    """Path of a stand-in program."""
    path = folder / kind
    path.write_text(STAND_IN.format(python=sys.executable, kind=kind), encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def stand_ins(folder: Path, *kinds: str) -> list[Program]:
    """Stand-ins as programs, the first in the place of ours."""
    return [Program(kind, (stand_in(folder, kind),), 1, ours=number == 0) for number, kind in enumerate(kinds)]


def bench(folder: Path, *kinds: str, repeat: int = 2) -> Bench:
    """A bench of stand-ins."""
    (folder / "work").mkdir()
    return Bench(stand_ins(folder, *kinds), folder / "work", repeat, 0.001)


def test_names_are_unique_and_the_work_has_the_size_that_it_is_known_by():
    names = [workload.name for workload in EVERY]
    assert len(set(names)) == len(names)
    steps = {workload.name: workload.steps_at(1.0) for workload in EVERY}
    assert steps["seed_4096"] == 4096**2
    assert steps["list_2048"] == 2048**2 * 16
    assert steps["list_2048_deep"] == 2048**2 * 64 * 10
    assert steps["demo_1a8o"] == 1024**2 * 25 * 10
    assert steps["tricubic_1024"] == 1024**2 * 16**2


def test_what_is_said_of_a_workload_is_its_size():
    for workload in EVERY:
        side, square, _ = workload.what.partition("²")
        assert not square or workload.side == int(side), workload.name
        if workload.series == "reflections":
            assert f"{workload.at:,} reflections" in workload.what
        if workload.series == "steps per pixel":
            assert workload.at == workload.steps_per_pixel and workload.name.endswith(f"_{workload.at}")


def test_commands_are_the_golden_cases_own():
    demo = next(workload for workload in TABLE if workload.name == "demo_1a8o")
    seed = next(workload for workload in TABLE if workload.name == "seed_4096")
    cases = {case["name"]: case for case in golden_cases()}
    for workload, name, extra in ((demo, "demo_1a8o", set()), (seed, "seed_4096", {"-nonoise", "-nopgm"})):
        if name in cases:
            assert set(workload.words_at(1.0)) - set(cases[name]["args"].split()) == extra


def golden_cases() -> list[dict]:
    """The golden cases that are recorded."""
    found = json.loads((ROOT / "golden" / "cases.json").read_text(encoding="utf-8"))
    found = found.get("cases", found) if isinstance(found, dict) else found
    return [{"name": name, **case} for name, case in found.items()] if isinstance(found, dict) else found


@pytest.mark.parametrize("workload", [w for w in EVERY if w.side], ids=lambda w: w.name)
@pytest.mark.parametrize("scale", [1.0, 0.3, 0.001])
def test_a_scaled_detector_is_as_wide_as_before(workload: Workload, scale: float):
    words = workload.words_at(scale)
    side, pixel = (float(words[words.index(name) + 1]) for name in ("-detpixels", "-pixel"))
    assert side * pixel == pytest.approx(workload.side * workload.pixel_mm)
    assert side == workload.side_at(scale) > 0


def test_lists_of_reflections_are_complete_and_always_the_same(tmp_path: Path):
    lines = list(reflections(4.118))
    assert 13_500 < len(lines) < 14_500
    assert (
        hashlib.sha256("".join(lines).encode()).hexdigest()
        == hashlib.sha256("".join(reflections(4.118)).encode()).hexdigest()
    )
    indices = {tuple(int(n) for n in line.split()[:3]) for line in lines}
    assert len(indices) == len(lines) and (0, 0, 0) not in indices
    assert {(-h, -k, -m) for h, k, m in indices} == indices
    assert all(float(line.split()[3]) >= 0.0 for line in lines)


def test_a_list_reaches_what_the_corner_of_the_detector_sees():
    """And by far what the interpolation needs, whose detector sees to 3.5 Å."""
    from math import atan, hypot, sin

    corner = hypot(102.4, 102.4)
    assert 1.0 / (2.0 * sin(atan(corner / 250.0) / 2.0)) > FINEST_A


def test_an_input_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from nanobragg_py.base.errors import InputError
    from nanobragg_py.tools.bench import workloads as benchmark_workloads

    monkeypatch.setattr(benchmark_workloads, "GOLDEN", tmp_path)
    demo = next(workload for workload in TABLE if workload.name == "demo_1a8o")
    with pytest.raises(InputError, match=r"golden/1a8o\.hkl"):
        make_input(demo, tmp_path)


@pytest.mark.parametrize(
    ("kind", "files", "log", "failed"),
    [
        ("same", True, True, False),
        ("differs", False, True, False),
        ("other_log", True, False, False),
        ("crash", None, None, True),
    ],
)
def test_identity_of_files_and_log_are_told_apart(tmp_path: Path, kind: str, files, log, failed):
    result = bench(tmp_path, "ours", kind).measure(SMALL)
    ours, other = result["programs"]
    assert ours["files_identical"] is True and ours["log_identical"] is True and not ours["failed"]
    assert (other["files_identical"], other["log_identical"], other["failed"]) == (files, log, failed)
    assert (other["ratio"] is None) is failed
    assert other["files_different"] == (["floatimage.bin"] if files is False else [])
    assert other["log_differences"][1:] == (["-log", "+another log"] if log is False else [])
    assert len(other["seconds"]) == (1 if failed else 2)
    if failed:
        assert other["exit_status"] == 1 and other["said"] == "no luck"
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == ["run.log", "run.said", "store"]


def shell(name: str, script: str, ours: bool = False) -> Program:
    """A program that is a line of shell; the arguments are $@."""
    return Program(name, ("sh", "-c", script, name), 3, ours)


def test_programs_take_turns_after_a_small_run_of_each(tmp_path: Path):
    order = tmp_path / "order"
    (tmp_path / "work").mkdir()
    programs = [shell(name, f'echo {name} "$@" $OMP_NUM_THREADS >> {order}', name == "ours") for name in ("ours", "C")]
    work = Workload("work", "", 100, 0.1, 1, "-x 1")
    result = Bench(programs, tmp_path / "work", 2, 0.25).measure(work)
    small = ["-x", "1", "-detpixels", "16", "-pixel", "0.625"]
    timed = ["-x", "1", "-detpixels", "50", "-pixel", "0.2"]
    first = ["--threads", "3"]
    assert [line.split() for line in order.read_text().splitlines()] == [
        ["ours", *first, *small, "3"], ["C", *small, "3"], ["ours", *first, *timed, "3"], ["C", *timed, "3"],
        ["ours", *first, *timed, "3"], ["C", *timed, "3"],
    ]  # fmt: skip
    assert (result["side"], result["steps"], result["arguments"]) == (50, 2500, " ".join(timed))
    assert result["goal_ratio"] is None
    assert [program["threads"] for program in result["programs"]] == [3, 3]


def test_goals_are_for_the_full_size(tmp_path: Path):
    (tmp_path / "work").mkdir()
    work = Workload("work", "", 16, 0.1, 4, "-x", goal_ratio=2.5, goal_seconds=1.5, series="pixels")
    for scale, goal in ((1.0, 2.5), (0.5, None)):
        result = Bench([shell("ours", "true", True)], tmp_path / "work", 1, scale).measure(work)
        assert (result["goal_ratio"], result["goal_seconds"], result["at"]) == (goal, 1.5, 256)


def test_a_run_has_a_folder_with_the_input_and_nothing_else(tmp_path: Path):
    (tmp_path / "work").mkdir()
    script = "ls > seen; wc -l < list.hkl > lines; echo new > file"
    work = Workload("work", "", 16, 0.1, 1, "-hkl list.hkl", resolution_A=20.0)
    result = Bench([shell("ours", script, True)], tmp_path / "work", 2, 1.0).measure(work)
    (program,) = result["programs"]
    sizes = {file["name"]: file["bytes"] for file in program["files"]}
    assert sizes == {"file": 4, "lines": len(f"{len(list(reflections(20.0)))}\n"), "seen": len("list.hkl\nseen\n")}
    assert {file["sha256"] for file in program["files"]} >= {hashlib.sha256(b"new\n").hexdigest()}
    assert program["files_identical"] is True and program["log_identical"] is True


def test_a_first_run_finds_nothing_compiled(tmp_path: Path):
    (tmp_path / "work").mkdir()
    script = 'ls "$NANOBRAGG_CACHE" 2> /dev/null; mkdir "$NANOBRAGG_CACHE" && echo compiling "$@" >&2'
    bench_ = Bench([shell("ours", script, True)], tmp_path / "work", 1, 1.0)
    for _ in range(2):
        run = bench_.first_run(SMALL)
        assert run["exit_status"] == 0 and run["said"].startswith("compiling --threads 3 ")
        assert (run["kernel"], run["workload"]) == (SMALL.kernel, SMALL.name)
        assert run["seconds"] > 0 and run["memory_bytes"] > 0
    assert not (tmp_path / "work" / "cache").exists()


def test_times_and_memory_are_those_of_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    inputs, folder = tmp_path / "inputs", tmp_path / "run"
    inputs.mkdir()
    script = "import sys, time; x = bytearray(100_000_000); time.sleep(0.2); sys.exit(4)"
    monkeypatch.setattr(runs, "memory_floor", lambda: 50_000_000)
    run = run_once(Program("C", (sys.executable, "-c", script), 1), [], folder, inputs)
    assert run.status == 4 and run.seconds > 0.2 and run.cpu_seconds > 0
    assert run.memory > 100e6 and not run.memory_is_floor
    killed = run_once(shell("C", "kill -9 $$"), [], folder, inputs)
    assert killed.status == -9
    # What the kernel counts for a child can be what this process holds.
    monkeypatch.setattr(runs, "memory_floor", lambda: run.memory)
    assert run_once(shell("C", "true"), [], folder, inputs).memory_is_floor
    assert not folder.exists()


def run_of(seconds: float, files: dict, memory: int = 1) -> Run:
    """A run as if measured."""
    return Run(0, seconds, seconds, memory, False, b"", b"", files)


def test_best_time_counts_and_a_program_that_varies_is_not_identical():
    image = {"floatimage.bin": (4, "x")}
    ours = [run_of(2.0, image), run_of(1.0, image)]
    other = [run_of(4.0, image, 7), run_of(6.0, {**image, "extra": (1, "y")}, 9), run_of(3.0, image, 8)]
    facts = program_facts(SMALL, Program("other", ("other",), 2), other, ours, 1_000_000)
    assert (facts["best_s"], facts["median_s"], facts["ratio"]) == (3.0, 4.0, 3.0)
    assert facts["ns_per_step_core"] == pytest.approx(3.0 * 2 * 1e9 / 1e6)
    assert facts["memory_bytes"] == 9
    assert facts["files_identical"] is False and facts["files_different"] == ["extra"]
    assert program_facts(SMALL, Program("ours", ("ours",), 2, True), ours, ours, 1)["files_identical"] is True


def test_differences_of_logs_are_the_lines():
    assert log_differences(b"a\nb\nc\n", b"a\nb\nc\n") == []
    assert log_differences(b"a\nb\nc\n", b"a\nB\nc\n") == ["@@ -2 +2 @@", "-b", "+B"]
    assert log_differences(b"--- a\n", b"+++ b\n") == ["@@ -1 +1 @@", "---- a", "++++ b"]
    assert len(log_differences(b"a\n" * 50, b"b\n" * 50)) == 20
    assert len(log_differences(b"a\n" * 50, b"b\n" * 50, most=7)) == 7


def test_what_is_not_comparable_is_not_judged():
    """No image: help of the C program ends with status 9. A failure of ours leaves no ratio."""
    nothing = Workload("help", "", 0, 0.0, 0, "-h")
    other = Run(9, 1.0, 1.0, 1, False, b"help", b"", {})
    facts = program_facts(nothing, Program("C", ("c",), 1), [other], [run_of(2.0, {})], 0)
    assert (facts["failed"], facts["ratio"], facts["ns_per_step_core"]) == (False, 0.5, None)
    assert (facts["files_identical"], facts["log_identical"]) == (None, None)
    assert program_facts(nothing, Program("ours", ("o",), 1, True), [other], [other], 0)["failed"]
    bad = Run(1, 1.0, 1.0, 1, False, b"", b"", {})
    facts = program_facts(SMALL, Program("C", ("c",), 1), [run_of(3.0, {})], [bad], 100)
    assert (facts["failed"], facts["ratio"]) == (False, None)
    facts = program_facts(SMALL, Program("C", ("c",), 1), [run_of(3.0, {}), bad], [run_of(3.0, {})], 100)
    assert (facts["failed"], facts["exit_status"], facts["ratio"], facts["ns_per_step_core"]) == (True, 1, None, None)


def test_a_run_that_compiled_is_found_by_what_our_program_says():
    said = Run(0, 1.0, 1.0, 1, False, b"", b"nanoBragg: compiling the kernels (once)\n", {})
    facts = program_facts(SMALL, Program("ours", ("o",), 1, True), [run_of(1.0, {}), said], [said], 1)
    assert facts["compiled_while_timed"]
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "nanobragg_py" / "kernels").rglob("*.py"))
    assert COMPILING.decode() in sources


def test_programs_and_their_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    exe = stand_in(tmp_path, "same")
    programs = measured_programs([f"C={exe}", exe], [4, 1])
    assert [(p.name, p.threads, p.ours) for p in programs] == [
        ("ours", 4, True), ("C", 4, False), ("same", 4, False), ("ours, 1 thread", 1, True),
    ]  # fmt: skip
    assert programs[0].words(["-h"])[-3:] == ["--threads", "4", "-h"]
    assert programs[1].words(["-h"]) == [exe, "-h"]
    assert programs[1].environment()["OMP_NUM_THREADS"] == "4"
    assert programs[0].environment()["PYTHONPATH"] == str(ROOT)
    assert "PYTHONPATH" not in programs[1].environment()
    monkeypatch.setenv("PYTHONPATH", "elsewhere")
    assert programs[0].environment()["PYTHONPATH"] == f"{ROOT}{os.pathsep}elsewhere"


def test_the_command_lists_every_workload():
    done = tool("--list")
    assert done.returncode == 0 and done.stderr == ""
    assert [line.split()[0] for line in done.stdout.splitlines()] == [workload.name for workload in EVERY]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no_such_work"], "no workload 'no_such_work'"),
        (["--against", "C=/no/such/program", "help"], "expected NAME=EXE"),
        (["--threads", "1", "--threads", "1", "--threads", "1", "help"], "two programs are called"),
        (["--json", "/no/such/folder/x.json", "help"], "does not exist"),
        (["--plot", "x.svg", "help"], "grow_"),
        (["--plot", "x.jpg", "grow_pixels_64"], "x.jpg: --plot draws svg, png, pdf"),
        (["--plot", "/no/such/folder/x.svg", "grow_pixels_64"], "does not exist"),
        (["--scale", "0", "help"], "--scale"),
    ],
)
def test_bad_arguments_are_refused_before_anything_runs(arguments: list[str], said: str):
    done = tool(*arguments)
    assert done.returncode == 2
    assert done.stdout == "" and done.stderr.startswith("nb-bench: error: ") and said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_the_command_measures_our_program(tmp_path: Path):
    path = tmp_path / "result.json"
    done = tool("--only", "small_64", "help", "--scale", "0.001", "--repeat", "1", "--threads", "2", "--threads", "1",
                "--json", path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(path.read_text(encoding="utf-8"))
    assert result["passed"] and result["processor"] and result["versions"]["numpy"]
    assert [entry["name"] for entry in result["workloads"]] == ["help", "small_64"]
    for program in result["workloads"][1]["programs"]:
        assert program["files_identical"] and program["log_identical"]
        assert {file["name"] for file in program["files"]} >= {"floatimage.bin", "intimage.img"}
    rows = [line.split() for line in done.stdout.splitlines()]
    assert ["small_64", "ours", "4.1", "k"] in [row[:4] for row in rows]


def test_a_program_with_other_files_gives_status_1(tmp_path: Path):
    done = tool("--against", f"C={stand_in(tmp_path, 'differs')}", "--repeat", "1", "--json", "-", "small_64")
    assert done.returncode == 1, done.stderr
    assert not json.loads(done.stdout)["passed"]
