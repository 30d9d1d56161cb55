"""The order of things in nb-bench: what is measured, shown, left out and written, with everything slow replaced."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nanobragg_py.base.errors import InputError
from nanobragg_py.tools.bench import plot as plot_module
from nanobragg_py.tools.bench.command import chosen, measure, report_batch, report_stills, save, settings_facts
from nanobragg_py.tools.bench.runs import Bench, Program
from nanobragg_py.tools.bench.workloads import Workload

WORK = [
    Workload("help", "", 0, 0.0, 0, "-h", kernel=""),
    Workload("one", "", 16, 0.1, 1, "-x"),
    Workload("two", "", 16, 0.1, 1, "-x"),
    Workload("round", "", 16, 0.1, 1, "-x", kernel="round"),
]


class Recorder:
    """Stands in for the bench and for the table; keeps the calls in order."""

    def __init__(self, missing: str = "", **program: Any) -> None:
        self.calls: list[tuple[str, str]] = []
        self.missing = missing
        self.program = {"failed": False, "files_identical": True, **program}
        self.first_status = 0

    def measure(self, workload: Workload) -> dict[str, Any]:
        """As Bench does."""
        if workload.name == self.missing:
            raise InputError(f"{workload.name} needs a file")
        self.calls.append(("measure", workload.name))
        return {"name": workload.name, "programs": [self.program]}

    def first_run(self, workload: Workload) -> dict[str, Any]:
        """As Bench does."""
        if workload.name == self.missing:
            raise InputError(f"{workload.name} needs a file")
        self.calls.append(("first run", workload.name))
        return {"exit_status": self.first_status}

    def table(self) -> Any:
        """The same calls under the names that Table has."""
        recorder = self

        class Table:
            """As Table."""

            def opening(self, bench: Any) -> None:
                """As Table does."""
                recorder.calls.append(("opening", ""))

            def busy_with(self, name: str) -> None:
                """As Table does."""
                recorder.calls.append(("busy", name))

            def rows(self, entry: dict[str, Any]) -> None:
                """As Table does."""
                recorder.calls.append(("rows", entry["name"]))

            def first_run(self, run: dict[str, Any]) -> None:
                """As Table does."""
                recorder.calls.append(("first row", ""))

        return Table()

    def run(self, cold: bool = False, named: tuple[str, ...] = ()) -> dict[str, Any]:
        """Measure all."""
        return measure(self, WORK, self.table(), cold, named)  # type: ignore[arg-type]


def test_workloads_are_measured_and_shown_one_after_the_other() -> None:
    recorder = Recorder()
    result = recorder.run()
    assert recorder.calls == [
        ("opening", ""),
        *((what, w.name) for w in WORK for what in ("busy", "measure", "rows")),
    ]
    assert [entry["name"] for entry in result["workloads"]] == [w.name for w in WORK]
    assert (result["left_out"], result["first_runs"], result["passed"]) == ([], [], True)


def test_first_runs_are_one_for_each_kind_of_kernel() -> None:
    recorder = Recorder()
    result = recorder.run(cold=True)
    assert [call for call in recorder.calls if call[0].startswith("first")] == [
        ("first run", "one"), ("first row", ""), ("first run", "round"), ("first row", ""),
    ]  # fmt: skip
    assert len(result["first_runs"]) == 2 and result["passed"]
    recorder.first_status = 9
    assert not recorder.run(cold=True)["passed"]


def test_what_lacks_its_input_is_left_out_unless_it_was_named(capsys: pytest.CaptureFixture[str]) -> None:
    recorder = Recorder(missing="round")
    result = recorder.run(cold=True)
    assert result["left_out"] == [{"name": "round", "reason": "round needs a file"}]
    assert capsys.readouterr().err == "nb-bench: note: left out: round needs a file\n"
    assert ("rows", "round") not in recorder.calls and result["passed"] and len(result["first_runs"]) == 1
    with pytest.raises(InputError, match="round needs a file"):
        recorder.run(named=("round",))


@pytest.mark.parametrize(
    ("program", "passed"),
    [({}, True), ({"files_identical": None}, True), ({"files_identical": False}, False), ({"failed": True}, False)],
)
def test_a_failure_or_another_file_does_not_pass(program: dict[str, Any], passed: bool) -> None:
    assert Recorder(**program).run()["passed"] is passed


def test_names_and_patterns_choose_in_the_order_of_the_list() -> None:
    assert [w.name for w in chosen(["small_64", "help"])] == ["help", "small_64"]
    assert [w.name for w in chosen(["demo_r*", "demo_round"])] == ["demo_round"]
    assert not any(w.series for w in chosen([])) and len(chosen([])) > 9
    assert all(w.series for w in chosen(["grow_*"])) and len(chosen(["*"])) == len(chosen([])) + len(chosen(["grow_*"]))


def test_results_go_where_they_were_asked_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    drawn = []
    monkeypatch.setattr(plot_module, "save_plot", lambda path, workloads: drawn.append((path, workloads)))
    result = {"workloads": [1, 2], "passed": True}
    save(result, None, None)
    assert (drawn, capsys.readouterr().out) == ([], "")
    save(result, "p.svg", str(tmp_path / "r.json"))
    assert drawn == [("p.svg", [1, 2])]
    assert json.loads((tmp_path / "r.json").read_text()) == result and capsys.readouterr().out == ""
    save(result, None, "-")
    assert json.loads(capsys.readouterr().out) == result


def test_settings(tmp_path: Path) -> None:
    programs = [Program("ours", ("python", "-m"), 4, ours=True), Program("C", ("c",), 2)]
    assert settings_facts(Bench(programs, tmp_path, 5, 0.5)) == {
        "settings": {"repeat": 5, "scale": 0.5, "threads": 4},
        "programs": [
            {"name": "ours", "command": ["python", "-m"], "threads": 4},
            {"name": "C", "command": ["c"], "threads": 2},
        ],
    }


def test_stills(capsys: pytest.CaptureFixture[str]) -> None:
    """One still of each kind, and its rate; the last kind has a goal."""
    assert report_stills(1, 1, 1) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "1 stills of 1024 x 1024" in lines[0]
    rates = [float(line.split(" images/s")[0].split()[-1]) for line in lines[1:]]
    assert len(rates) == 5 and min(rates) > 0.0
    assert lines[-1].endswith("goal 40 on 2 cores")


def test_batch(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A small batch against a bare loop, and a few command lines."""
    monkeypatch.setattr("nanobragg_py.tools.bench.batches.LINES", 3)
    assert report_batch(3, 1) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[1:3]] == ["images/s"] * 2
    assert lines[3].endswith("goal >= 90 %") and "3 lines of 64 x 64" in lines[4]
