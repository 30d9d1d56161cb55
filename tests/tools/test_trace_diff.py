"""nb-trace-diff on recorded traces, on edited ones, and as a process."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanobragg_py.tools.trace_diff.compare import compare
from nanobragg_py.tools.trace_diff.log import parse_prose, parse_value, read_log
from nanobragg_py.tools.trace_diff.values import Tolerances, Verdict

ROOT = Path(__file__).resolve().parents[2]
TRACES = ROOT / "tests" / "data" / "traces"
REFERENCE = (TRACES / "reference.log").read_text(encoding="utf-8")


def tool(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run nb-trace-diff as a user does."""
    command = [sys.executable, str(ROOT / "bin" / "nb-trace-diff"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def edited(folder: Path, *changes: tuple[str, str], name: str = "b.log") -> Path:
    """The reference trace with pieces of text replaced, each of which must be there."""
    text = REFERENCE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def compare_edited(folder: Path, *changes: tuple[str, str], **tolerances: float):
    reference = read_log(str(TRACES / "reference.log"))
    return compare(reference, read_log(str(edited(folder, *changes))), Tolerances(**tolerances))


@pytest.mark.parametrize(
    ("log", "name", "said"),
    [
        ("fluence", "fluence_photons_per_m2", "configuration: fluence: A 1.25932e+29 photons/m^2, B 1e+19"),
        ("beam", "beam_center_m .X", "the same lines, pixels and configuration"),
        ("dump", "F_cell", "F_cell of B comes from the dump file Fdump.bin"),
    ],
)
def test_real_mistakes_are_the_first_divergence(log: str, name: str, said: str) -> None:
    result = tool(TRACES / "reference.log", TRACES / f"{log}.log")
    assert (result.returncode, result.stderr) == (1, "")
    before, _, after = result.stdout.partition("first divergence: ")
    assert after.startswith(f"{name}: A ")
    assert said in before
    # What is not numbers is said before the table of numbers.
    assert before.index(said) < before.index("name  ")


def test_a_trace_agrees_with_itself_under_any_label(tmp_path: Path) -> None:
    for label in ("TRACE_PY:", "mine:", "TRACE:"):
        other = edited(tmp_path, ("TRACE_C:", label))
        comparison = compare(read_log(str(TRACES / "reference.log")), read_log(str(other)), Tolerances(0, 0, 0))
        assert comparison.agrees
        assert not comparison.notes
        assert {row.verdict for row in comparison.rows} == {Verdict.EQUAL}
        assert len(comparison.rows) == 105


def test_structure_comes_first_and_decides(tmp_path: Path) -> None:
    comparison = compare_edited(
        tmp_path,
        ("TRACE_C: hkl_rounded 0 0 0\n", ""),
        ("steps 6", "steps 12"),
        ("2 phi steps", "4 phi steps"),
    )
    assert comparison.whole_structure == [
        "configuration: steps: A 6, B 12",
        "configuration: phi: A 2 phi steps from 10 to 11 degrees, B 4 phi steps from 10 to 11 degrees",
        "only A has hkl_rounded (line 159)",
    ]
    assert not comparison.agrees


def test_occurrences_are_aligned_for_each_pixel(tmp_path: Path) -> None:
    start = REFERENCE.index("TRACE_CONFIG")
    end = REFERENCE.index("TRACE_C: I_before")
    block = REFERENCE[REFERENCE.index("TRACE_C: pix0_vector_meters") : end]
    doubled = REFERENCE[:end] + block.replace("F_cell 100", "F_cell 99") + REFERENCE[end:]
    second = REFERENCE[start:].replace("spixel=10", "spixel=11")
    a, b = tmp_path / "a.log", tmp_path / "b.log"
    a.write_text(doubled + second, encoding="utf-8")
    b.write_text(doubled.replace("F_cell 99", "F_cell 98") + second, encoding="utf-8")
    comparison = compare(read_log(str(a)), read_log(str(b)), Tolerances())
    assert [(row.a.pixel, row.a.name, row.a.occurrence) for row in comparison.differing] == [((10, 20), "F_cell", 2)]
    assert not comparison.whole_structure


def test_rounding_in_components_is_no_divergence_but_in_scalars_it_is(tmp_path: Path) -> None:
    noise = ("3.06161699786838e-15", "-1.2e-15")
    assert compare_edited(tmp_path, noise).agrees
    assert not compare_edited(tmp_path, noise, noise=0.0).agrees
    twotheta = ("rotz:0 twotheta:0", "rotz:0 twotheta:1e-17")
    assert not compare_edited(tmp_path, twotheta).agrees
    assert compare_edited(tmp_path, twotheta, atol=1e-16).agrees


@pytest.mark.parametrize(("rtol", "agree"), [(1e-9, False), (1e-7, True)])
def test_rtol_decides(tmp_path: Path, rtol: float, agree: bool) -> None:
    change = ("I_pixel_final 0.0121699865848778", "I_pixel_final 0.0121699869632721")  # relative 3e-8
    assert compare_edited(tmp_path, change, rtol=rtol).agrees is agree


def test_largest_is_the_largest_relative_difference(tmp_path: Path) -> None:
    comparison = compare_edited(tmp_path, ("distance_m=0.1", "distance_m=0.2"), ("F_latt_c -0.93", "F_latt_c 0.93"))
    assert comparison.first is not None and comparison.first.a.name == "distance_m"
    assert comparison.largest is not None and comparison.largest.a.name == "F_latt_c"


def test_one_quantity_with_its_own_tolerance() -> None:
    logs = TRACES / "reference.log", TRACES / "beam.log"
    assert tool("--var", "fluence_photons_per_m2", "--rtol", "1e-3", *logs).returncode == 0
    assert tool("--var", "omega_pixel", "--rtol", "1e-3", *logs).returncode == 0
    assert tool("--var", "omega_pixel", *logs).returncode == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing argument"),
        (("missing.log", "missing.log"), "missing.log: cannot be read: no such file"),
        ((TRACES / "README.md", TRACES / "beam.log"), "README.md: no trace lines: expected"),
        ((TRACES / "beam.log", TRACES / "beam.log", "--var", "nothing"), "--var nothing: no such name"),
        ((TRACES / "beam.log", TRACES / "beam.log", "--rtol", "-1"), "at least 0"),
        ((TRACES / "beam.log", TRACES / "beam.log", "--rtol", "nan"), "at least 0"),
        (
            (TRACES / "beam.log", TRACES / "beam.log", "--report", "no/folder/r.md"),
            "no/folder/r.md: --report cannot be written",
        ),
        ((TRACES, TRACES), "cannot be read: is a directory"),
    ],
)
def test_errors_are_one_line_and_status_2(arguments: tuple[object, ...], message: str) -> None:
    result = tool(*arguments)
    assert result.returncode == 2
    assert result.stderr.startswith("nb-trace-diff: error: ")
    assert result.stderr.count("\n") == 1
    assert message in result.stderr


def test_another_pixel_cannot_be_compared(tmp_path: Path) -> None:
    result = tool(TRACES / "reference.log", edited(tmp_path, ("spixel=10", "spixel=11")))
    assert result.returncode == 2
    assert "A traces pixel (slow 10, fast 20), B pixel (slow 11, fast 20)" in result.stderr


def test_evidence(tmp_path: Path) -> None:
    report = tmp_path / "report.md"
    log = edited(
        tmp_path,
        ("nanoBragg nanocrystal", "$ ours -lambda 1\nnanoBragg nanocrystal"),
        ("F_cell 100", "F_cell 99"),
    )
    result = tool(
        TRACES / "reference.log",
        log,
        "--report",
        report,
        "--out-dir",
        tmp_path / "runs",
        "--command-a",
        "theirs -N 5",
    )
    assert result.returncode == 1
    (folder,) = (tmp_path / "runs").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["a.log", "b.log", "metadata.json", "report.md"]
    assert (folder / "b.log").read_bytes() == log.read_bytes()
    facts = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    assert [facts["logs"][name]["command"] for name in "AB"] == ["theirs -N 5", "ours -lambda 1"]
    assert facts["first_divergence"] == "F_cell"
    assert facts["time_utc"].replace("-", "").replace(":", "") == folder.name
    text = report.read_text(encoding="utf-8")
    assert text == (folder / "report.md").read_text(encoding="utf-8")
    for part in (
        "`theirs -N 5`",
        "| F_cell | 100 | 99 | 1 | 0.01 | DIFFERS |",
        "machine:",
        "versions:",
        "time:",
    ):
        assert part in text


def test_help_is_quick_and_complete() -> None:
    result = tool("--help")
    assert result.returncode == 0
    for word in ("Examples:", "Exit status:", "--rtol", "--var", "--out-dir", "1/m"):
        assert word in result.stdout
    loaded = "import sys, nanobragg_py.tools.trace_diff.command; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], cwd=ROOT, check=False).returncode == 0


numbers = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None)
@given(st.lists(numbers, min_size=3, max_size=3))
def test_printed_vectors_are_read_back(values: list[float]) -> None:
    text = " ".join(f"{value:.17g}" for value in values)
    prose = parse_prose(f"  b = [{text.replace(' ', ', ')}] |b| = 1 meters")[1]
    for read in (parse_value(text).numbers, parse_value(f"[{text}]").numbers, prose.numbers[:3]):
        assert all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(read, values, strict=True))
    assert prose.labels == ("x", "y", "z", "|b|")


def test_prose() -> None:
    name, value = parse_prose("V_cell = 210000, V_star = 4.7619e-06")
    assert (name, value.numbers, value.labels) == ("V_cell", (210000.0, 4.7619e-06), ("", "V_star"))
    name, value = parse_prose("Direct-space cell volume: V_cell = 1/V_star = 210000")
    assert (name, value.numbers) == ("Direct-space cell volume: V_cell = 1/V_star", (210000.0,))
