"""nb-trace-diff as a whole, on recorded traces and on edited ones."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from running import ROOT, Done, process, within

from nanobragg_py import __version__
from nanobragg_py.tools.trace_diff.compare import compare
from nanobragg_py.tools.trace_diff.log import read_log
from nanobragg_py.tools.trace_diff.report import evidence, markdown, new_folder, shorten, terminal_text
from nanobragg_py.tools.trace_diff.values import Tolerances, Verdict

TRACES = ROOT / "tests" / "data" / "traces"
REFERENCE = (TRACES / "reference.log").read_text(encoding="utf-8")


def tool(*arguments: object) -> Done:
    """Run nb-trace-diff."""
    return within("nb-trace-diff", arguments)


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


def table_of(text: str) -> list[str]:
    """The names in the table of an output, in order."""
    rows = [line for line in text.splitlines() if line.endswith((" equal", " close", " DIFFERS")) and ": " not in line]
    return [line[:36].strip() for line in rows]


def remove_lines(text: str, first: str, last: str) -> str:
    """The text without the lines from one that starts with `first` to one that starts with `last`."""
    lines = text.splitlines(keepends=True)
    numbers = [i for i, line in enumerate(lines) if line.startswith((first, last))]
    assert len(numbers) == 2
    return "".join(lines[: numbers[0]] + lines[numbers[1] + 1 :])


def test_runs_of_lines_that_only_one_trace_has_are_folded(tmp_path: Path) -> None:
    shorter = remove_lines(REFERENCE, "TRACE_C:initial_fdet=", "TRACE_C:R_total=")
    shorter = shorter.replace("TRACE_C: hkl_rounded 0 0 0\n", "")
    (tmp_path / "b.log").write_text(shorter, encoding="utf-8")
    a, b = read_log(str(TRACES / "reference.log")), read_log(str(tmp_path / "b.log"))
    numbers = {line.name: line.number for line in a.lines}
    first, last = numbers["initial_fdet"], numbers["R_total"]
    folded = f"7 lines in a row, initial_fdet to R_total (lines {first} to {last})"
    assert compare(a, b, Tolerances()).whole_structure == [
        f"only A has {folded}",
        f"only A has hkl_rounded (line {numbers['hkl_rounded']})",
    ]
    assert compare(b, a, Tolerances()).whole_structure[0] == f"only B has {folded}"


def test_runs_of_the_same_names_are_folded_into_one(tmp_path: Path) -> None:
    """As where one program does not print some lines, of sub-pixel after sub-pixel; or has fewer sub-pixels."""
    start, end = REFERENCE.index("TRACE_C: pix0_vector_meters"), REFERENCE.index("TRACE_C: I_before")
    block = REFERENCE[start:end]
    without = remove_lines(block, "TRACE_C: F_latt_a", "TRACE_C: F_latt_c")
    names = [line.split()[1] for line in block.splitlines()]
    texts = {"four": block * 4, "one": block, "without": without * 4}
    for name, text in texts.items():
        (tmp_path / name).write_text(REFERENCE[:start] + text + REFERENCE[end:], encoding="utf-8")
    four, one, less = (read_log(str(tmp_path / name)) for name in texts)
    line = 1 + REFERENCE[:start].count("\n")
    n, at = len(names), line + names.index("F_latt_a")
    assert compare(less, four, Tolerances()).whole_structure == [
        f"only B has 3 lines in a row, F_latt_a to F_latt_c, 4 times (first lines {at} to {at + 2})"
    ]
    assert compare(four, one, Tolerances()).whole_structure == [
        f"only A has {3 * n} lines in a row, {names[0]} #2 to {names[-1]} #4 (lines {line + n} to {line + 4 * n - 1})"
    ]


def test_what_is_asked_for_comes_first_and_the_rest_is_one_line(tmp_path: Path) -> None:
    shorter = remove_lines(REFERENCE, "TRACE_C:initial_fdet=", "TRACE_C:R_total=")
    shorter = shorter.replace("TRACE_C: F_cell 100\n", "TRACE_C: F_cell 99\nTRACE_C: more 1\n")
    (tmp_path / "b.log").write_text(shorter, encoding="utf-8")
    result = tool(TRACES / "reference.log", tmp_path / "b.log", "--var", "F_cell")
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["name", "A", "B", "absolute", "relative", "verdict"]
    assert lines[1].split() == ["F_cell", "100", "99", "1", "0.01", "DIFFERS"]
    assert lines[3].startswith("1 value compared: 0 equal, 0 within tolerance, 1 differ ")
    assert "verdict: F_cell DIFFERS" in lines
    assert lines[-1] == "structure: left aside: 7 lines that only A has and 1 line that only B has"
    assert result.stdout.count("structure:") == 1


def test_the_verdict_names_what_was_asked_for() -> None:
    logs = TRACES / "reference.log", TRACES / "beam.log"
    both = tool(*logs, "--var", "omega_pixel", "--var", "F_cell")
    assert "verdict: omega_pixel DIFFERS\n" in both.stdout and both.returncode == 1
    assert table_of(both.stdout) == ["F_cell", "omega_pixel"]
    assert "verdict: F_cell and steps agree\n" in tool(*logs, "--var", "F_cell", "--var", "steps").stdout
    assert "verdict: F_cell agrees\n" in tool(*logs, "--var", "F_cell", "--var", "F_cell").stdout
    assert "verdict: the traces DIFFER\n" in tool(*logs).stdout


def test_a_long_value_is_shown_in_full_when_asked_for() -> None:
    log = TRACES / "reference.log"
    value = next(line.value.text for line in read_log(str(log)).lines if line.name == "convention_mapping")
    assert len(value) > 24
    assert value not in tool(log, log).stdout
    assert tool(log, log, "--var", "convention_mapping").stdout.count(value) == 2


def test_a_name_that_is_not_in_both_is_explained(tmp_path: Path) -> None:
    other = edited(tmp_path, ("TRACE_C: hkl_rounded 0 0 0\n", ""))
    line = next(line.number for line in read_log(str(TRACES / "reference.log")).lines if line.name == "hkl_rounded")
    for logs, side in (((TRACES / "reference.log", other), "A"), ((other, TRACES / "reference.log"), "B")):
        said = tool(*logs, "--var", "hkl_rounded").stderr
        assert said == f"nb-trace-diff: error: --var hkl_rounded: only {side} has that name (line {line})\n"
    assert tool(other, other, "--var", "F_cel").stderr.endswith("in either trace; did you mean F_cell or V_cell?\n")


def test_a_log_that_does_not_name_its_pixel_is_compared_all_the_same(tmp_path: Path) -> None:
    without = edited(tmp_path, ("TRACE_CONFIG: tracing pixel (spixel=10, fpixel=20)\n", ""))
    comparison = compare(read_log(str(TRACES / "reference.log")), read_log(str(without)), Tolerances(0, 0, 0))
    assert comparison.agrees and len(comparison.rows) == 105
    assert comparison.notes == ["B does not say which pixel it traces"]
    back = compare(read_log(str(without)), comparison.a, Tolerances(0, 0, 0))
    assert back.agrees and len(back.rows) == 105
    assert back.notes == ["A does not say which pixel it traces"]


@pytest.mark.parametrize("first", [10, 11])
def test_of_several_pixels_those_in_both_are_compared(tmp_path: Path, first: int) -> None:
    start = REFERENCE.index("TRACE_CONFIG")
    blocks = [REFERENCE[start:], REFERENCE[start:].replace("spixel=10", "spixel=11").replace("F_cell 100", "F_cell 7")]
    blocks = blocks if first == 10 else blocks[::-1]
    (tmp_path / "two.log").write_text(REFERENCE[:start] + "".join(blocks), encoding="utf-8")
    two, one = read_log(str(tmp_path / "two.log")), read_log(str(TRACES / "reference.log"))
    for a, b, name in ((two, one, "A"), (one, two, "B")):
        comparison = compare(a, b, Tolerances())
        assert comparison.whole_structure == [f"only {name} traces pixel (slow 11, fast 20)"]
        assert not comparison.differing and len(comparison.rows) == 105
        assert not comparison.agrees
    said = tool(tmp_path / "two.log", TRACES / "reference.log", "--var", "F_cell").stdout
    assert table_of(said) == ["(10,20) F_cell"]
    said = tool(tmp_path / "two.log", tmp_path / "two.log", "--var", "F_cell").stdout
    assert table_of(said) == [f"({first},20) F_cell", f"({21 - first},20) F_cell"]


def test_traces_of_other_things_cannot_be_compared(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("TRACE_C:one=1\n", encoding="utf-8")
    (tmp_path / "b.log").write_text("TRACE_C:two=1\n", encoding="utf-8")
    result = tool(tmp_path / "a.log", tmp_path / "b.log")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{tmp_path}/a.log and {tmp_path}/b.log have no traced name in common" in result.stderr


def test_another_order_is_noted_and_that_of_a_counts(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("TRACE_C:one=1\nTRACE_C:two=2\n", encoding="utf-8")
    (tmp_path / "b.log").write_text("TRACE_C:two=3\nTRACE_C:one=3\n", encoding="utf-8")
    comparison = compare(read_log(str(tmp_path / "a.log")), read_log(str(tmp_path / "b.log")), Tolerances())
    assert [row.a.name for row in comparison.rows] == ["one", "two"]
    assert comparison.notes[-1:] == ["the lines stand in another order in B; compared in the order of A"]
    assert comparison.first is comparison.rows[0]


def test_the_sections_for_a_fixed_pixel_are_left_out_and_noted(tmp_path: Path) -> None:
    section = "TRACE: Phi rotation, pixel 512,512:\nTRACE:   a = 1\n"
    without, with_it = TRACES / "reference.log", edited(tmp_path, ("TRACE_CONFIG", f"{section}TRACE_CONFIG"))
    for logs, name in (((without, with_it), "B"), ((with_it, without), "A")):
        comparison = compare(*(read_log(str(log)) for log in logs), Tolerances())
        assert comparison.agrees
        assert comparison.notes == [f"the rotation lines that {name} prints for pixel 512,512 are left out"]


def test_text_that_differs_is_the_smallest_of_the_largest(tmp_path: Path) -> None:
    comparison = compare_edited(tmp_path, ("=MOSFLM", "=XDS"), ("F_cell 100", "F_cell 100.0001"))
    assert comparison.first is not None and comparison.first.a.name == "detector_convention"
    assert comparison.largest is not None and comparison.largest.a.name == "F_cell"
    assert comparison.structure == ["configuration: detector_convention: A MOSFLM, B XDS"]


SAID = """\
structure: the same lines, pixels and configuration

name                                 A                        B                         absolute  relative verdict
a_long_name_that_f…e_column_of_names 1                        1                                0         0 equal
v .y                                 2                        2.5                            0.5       0.2 close
x                                    4                        5                                1       0.2 close
t                                    one                      abcdefghijkl…pqrstuvwxyz         -         - DIFFERS

4 values compared: 1 equal, 2 within tolerance, 1 differ (rtol 0.2, atol 0, noise 0)
first divergence: t: A one, B abcdefghijklm nopqrstuvwxyz; line 5 of A, line 5 of B
largest divergence: t: A one, B abcdefghijklm nopqrstuvwxyz; line 5 of A, line 5 of B
verdict: the traces DIFFER"""


def test_all_that_is_said_of_two_small_traces(tmp_path: Path) -> None:
    trace = (
        "TRACE_C:a_long_name_that_fills_the_column_of_names=1\n"
        "TRACE_CONFIG: (spixel=1, fpixel=2)\n"
        "TRACE_C: v 1 {} 3\n"
        "TRACE_C: x {}\n"
        "TRACE_C: t {}\n"
    )
    (tmp_path / "a").write_text(trace.format(2, 4, "one"), encoding="utf-8")
    (tmp_path / "b").write_text(trace.format(2.5, 5, "abcdefghijklm nopqrstuvwxyz"), encoding="utf-8")
    comparison = compare(read_log(str(tmp_path / "a")), read_log(str(tmp_path / "b")), Tolerances(0.2, 0.0, 0.0))
    assert terminal_text(comparison, only_differing=False) == SAID
    lines = SAID.splitlines()
    assert terminal_text(comparison, only_differing=True).splitlines() == [*lines[:3], *lines[4:]]


def test_a_report_says_what_is_not_known(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("TRACE_C:t=one | two\n", encoding="utf-8")
    log = read_log(str(tmp_path / "a"))
    comparison = compare(log, log, Tolerances())
    lines = markdown(comparison, evidence(comparison, ["nb-trace-diff", "a b"], (None, "ours"))).splitlines()
    for line in (
        "- this comparison: `nb-trace-diff 'a b'`",
        "- program: does not name itself",
        "- command: not recorded (say --command-a)",
        "- command: `ours`",
        "| t | one \\| two | one \\| two | 0 | 0 | equal |",
    ):
        assert line in lines


def test_a_long_name_or_value_gives_way_in_the_middle() -> None:
    assert shorten("abcdefgh", 8) == "abcdefgh"
    assert shorten("abcdefghi", 8) == "abcd…ghi"
    assert shorten("abcdefghij", 7) == "abc…hij"


def test_nothing_differs_no_empty_table() -> None:
    said = tool(TRACES / "reference.log", TRACES / "reference.log", "--only-differing").stdout
    assert "verdict  " not in said and " equal\n" not in said and "105 values compared: 105 equal" in said
    assert "\n\n\n" not in said


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
    words = (TRACES / "reference.log", log, "--report", report, "--out-dir", tmp_path / "runs",
             "--command-a", "theirs -N 5")  # fmt: skip
    result = process("nb-trace-diff", words)
    assert result.returncode == 1
    (folder,) = (tmp_path / "runs").iterdir()
    assert sorted(path.name for path in folder.iterdir()) == ["a.log", "b.log", "metadata.json", "report.md"]
    assert (folder / "b.log").read_bytes() == log.read_bytes()
    facts = json.loads((folder / "metadata.json").read_text(encoding="utf-8"))
    assert [facts["logs"][name]["command"] for name in "AB"] == ["theirs -N 5", "ours -lambda 1"]
    assert facts["first_divergence"] == facts["largest_divergence"] == "F_cell"
    assert facts["command"] == ["nb-trace-diff", *map(str, words)]
    assert (facts["values"], facts["differing"], facts["agrees"], facts["var"]) == (105, 1, False, [])
    assert facts["versions"] == {"nanobragg_py": __version__, "python": platform.python_version()}
    assert facts["tolerances"] == vars(Tolerances(noise=8.9e-16))
    assert facts["logs"]["B"]["sha256"] == hashlib.sha256(log.read_bytes()).hexdigest()
    assert facts["logs"]["A"]["pixels_slow_fast"] == [[10, 20]] and facts["logs"]["A"]["dump_file"] is None
    assert facts["structure"] == facts["notes"] == []
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


def test_evidence_of_one_second_has_folders_of_its_own(tmp_path: Path) -> None:
    names = [new_folder(tmp_path / "deep" / "down", "now").name for _ in range(3)]
    assert names == ["now", "now-2", "now-3"]
    with pytest.raises(FileExistsError):
        (tmp_path / "file").touch()
        new_folder(tmp_path / "file", "now")


def test_evidence_of_logs_that_are_pipes(tmp_path: Path) -> None:
    command = (
        f"'{sys.executable}' '{ROOT}/bin/nb-trace-diff' <(cat '{TRACES}/reference.log') '{TRACES}/beam.log' "
        f"--out-dir '{tmp_path}/runs'"
    )
    subprocess.run(["bash", "-c", command], capture_output=True, check=False)
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "a.log").read_bytes() == (TRACES / "reference.log").read_bytes()


def test_help_is_complete() -> None:
    result = tool("--help")
    assert result.returncode == 0
    for word in ("Examples:", "Exit status:", "--rtol", "--var", "--out-dir", "1/m"):
        assert word in result.stdout
