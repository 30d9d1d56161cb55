"""nb-compare on two programs: what they get, what of theirs is compared, and what decides."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from running import ROOT, Done, within

from nanobragg_py.base.errors import InputError
from nanobragg_py.tools.compare.checks import Settings, Thresholds
from nanobragg_py.tools.compare.programs import (
    Run,
    compare_runs,
    compare_stdout,
    first_difference,
    place_inputs,
    program_words,
    text,
)


def tool(*arguments: object, cwd: Path | None = None) -> Done:
    """Run nb-compare."""
    return within("nb-compare", arguments, cwd)


PROGRAM = """
import sys, numpy
name, factor = sys.argv[1], float(sys.argv[2])
image = (numpy.arange(12.0, dtype="f4") + float(open(name).read())) * factor
image.tofile("floatimage.bin")
open("intimage.img", "wb").write(b"{\\nHEADER_BYTES=512;\\nSIZE1=4;\\nSIZE2=3;\\n}".ljust(512))
open(sys.argv[3], "w").write("same")
print("mmap =", hex(id(image)), "factor" if len(sys.argv) > 4 else "", factor if len(sys.argv) > 4 else "")
"""


@pytest.fixture
def programs(tmp_path: Path) -> tuple[str, str]:
    """Two commands that differ in what they multiply with."""
    for name, factor in (("one", "1.0"), ("two", "1.001")):
        body = PROGRAM.replace("float(sys.argv[2])", f"float(sys.argv[2]) * {factor}")
        (tmp_path / f"{name}.py").write_text(body)
    (tmp_path / "input").mkdir()
    (tmp_path / "input" / "start.txt").write_text("7")
    return f"'{sys.executable}' one.py", f"'{sys.executable}' two.py"


def test_two_programs(programs: tuple[str, str], tmp_path: Path) -> None:
    one, two = programs
    (tmp_path / "out.txt").write_text("precious")
    arguments = ("--", "input/start.txt", "2", "out.txt")
    same = tool("--a", one, "--b", one, *arguments, cwd=tmp_path)
    assert same.returncode == 0, same.stdout + same.stderr
    assert "standard output: identical" in same.stdout
    assert (tmp_path / "out.txt").read_text() == "precious"
    other = tool("--a", one, "--b", two, "--json", "r.json", "--png", "r.png", *arguments, cwd=tmp_path)
    assert other.returncode == 1
    facts = json.loads((tmp_path / "r.json").read_text())
    assert {entry["name"]: entry["state"] for entry in facts["files"]} == {
        "floatimage.bin": "image",
        "intimage.img": "identical",
        "out.txt": "identical",
    }
    assert facts["files"][0]["image"]["a"]["shape_slow_fast"] == [3, 4]
    assert (tmp_path / "r.png").stat().st_size > 1000
    passes = tool("--a", one, "--b", two, "--max-rel", "0.002", "--keep", "kept", *arguments, cwd=tmp_path)
    assert passes.returncode == 0
    assert (tmp_path / "kept" / "b" / "floatimage.bin").stat().st_size == 48


def test_standard_output_of_two_programs(programs: tuple[str, str], tmp_path: Path) -> None:
    arguments = ("--", "input/start.txt", "2", "out.txt", "say")
    result = tool("--a", programs[0], "--b", programs[1], *arguments, cwd=tmp_path)
    assert result.returncode == 1
    assert "B line 1: mmap = 0x factor 2.00" in result.stdout
    ignoring = tool("--a", programs[0], "--b", programs[1], "--ignore-line", "^mmap", *arguments, cwd=tmp_path)
    assert "standard output: identical" in ignoring.stdout


def test_another_exit_status_or_file_is_a_difference(tmp_path: Path) -> None:
    assert tool("--a", "true", "--b", "true", cwd=tmp_path).returncode == 0
    assert tool("--a", "true", "--b", "false", "--max-abs", "9", cwd=tmp_path).returncode == 1
    result = tool("--a", "touch", "--b", "echo", "--max-abs", "9", "--", "new", cwd=tmp_path)
    assert result.returncode == 1
    assert "new: only in A" in result.stdout


def test_a_picture_of_nothing_is_noted(tmp_path: Path) -> None:
    result = tool("--a", "true", "--b", "true", "--png", "r.png", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "nb-compare: note: no image differs; no --png written\n")
    assert os.listdir(tmp_path) == []


def test_folders_are_removed_unless_they_are_kept(tmp_path: Path) -> None:
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, str(ROOT / "bin" / "nb-compare"), "--a", "touch", "--b", "touch", "--", "new"]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "TMPDIR": str(tmp_path / "temporary")}, check=True,
                   capture_output=True)  # fmt: skip
    assert os.listdir(tmp_path / "temporary") == []
    subprocess.run([*command[:-2], "--keep", "kept/here", *command[-2:]], cwd=tmp_path, check=True, capture_output=True)
    assert sorted(map(str, (tmp_path / "kept" / "here").rglob("*"))) == [
        str(tmp_path / "kept" / "here" / name) for name in ("a", "a/new", "b", "b/new")
    ]


def test_words_of_a_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").write_text("")
    words = program_words("sh -c 'a b' here ./here not_here")
    assert os.path.isabs(words[0]) and words[0].endswith("/sh")
    assert words[1:] == ["-c", "a b", str(tmp_path / "here"), str(tmp_path / "here"), "not_here"]
    for command, message in (("", "an empty command"), ("here", "here: no such program, or not executable")):
        with pytest.raises(InputError, match=message):
            program_words(command)


def test_a_program_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken").write_bytes(b"\x7fELF no program")
    (tmp_path / "broken").chmod(0o755)
    result = tool("--a", "./broken", "--b", "true", cwd=tmp_path)
    assert (result.returncode, result.stderr) == (
        2,
        "nb-compare: error: ./broken: cannot be started: exec format error\n",
    )
    result = tool("--a", "sleep 5", "--b", "true", "--timeout", "0.1")
    assert result.stderr == "nb-compare: error: sleep 5: still running after --timeout 0.1 s\n"
    assert tool("--a", "'", "--b", "true").stderr.startswith('nb-compare: error: "\'": not a command line: ')


def test_inputs_are_copied_under_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work, run = tmp_path / "work", tmp_path / "run"
    (work / "deep" / "er").mkdir(parents=True)
    run.mkdir()
    (tmp_path / "above").write_text("above")
    (work / "plain").write_text("plain")
    (work / "deep" / "er" / "file").write_text("deep")
    monkeypatch.chdir(work)
    arguments = [
        "no_folder/out",
        "-x",
        "plain",
        "deep/er/file",
        "deep/out",
        "../above",
        "../nothing",
        str(work / "plain"),
        "deep",
        "5",
    ]
    assert place_inputs(arguments, run) == [
        "no_folder/out", "-x", "plain", "deep/er/file", "deep/out", str(tmp_path / "above"), "../nothing",
        str(work / "plain"), str(work / "deep"), "5",
    ]  # fmt: skip
    files = {str(path.relative_to(run)): path.read_text() for path in run.rglob("*") if path.is_file()}
    assert files == {"plain": "plain", "deep/er/file": "deep"}
    assert (run / "deep").is_dir() and not (run / "no_folder").exists()  # for deep/out


@pytest.mark.parametrize(
    ("a", "b", "ignored", "first"),
    [
        (b"one\ntwo\n", b"one\ntwo\n", [], None),
        (b"one\ntwo\n", b"one\nTWO\n", [], ((2, "two"), (2, "TWO"))),
        (b"one\ntwo\n", b"one\nTWO\n", [b"(?i)^two"], None),
        (b"x\none\n", b"one\n", [b"x"], None),
        (b"x\none\n", b"two\n", [b"x"], ((2, "one"), (1, "two"))),
        (b"one\n", b"one\ntwo\n", [], ((2, ""), (2, "two"))),
        (b"one", b"one\ntwo", [], ((0, "(end of output)"), (2, "two"))),
        (b"one\ntwo", b"one", [], ((2, "two"), (0, "(end of output)"))),
        (b"mmap = 0x7f1200000000", b"mmap = 0x7f3400000000", [], None),
        (b"colour 0x12345", b"colour 0x54321", [], ((1, "colour 0x12345"), (1, "colour 0x54321"))),
        (b"\xff", b"\xfe", [], ((1, "\ufffd"), (1, "\ufffd"))),
    ],
)
def test_output_is_compared_line_by_line(a: bytes, b: bytes, ignored: list[bytes], first: Any) -> None:
    found = compare_stdout(a, b, [re.compile(pattern) for pattern in ignored])
    if first is None:
        assert found == {"identical": True}
    else:
        lines = [{"line": line, "text": said} for line, said in first]
        assert found == {"identical": False, "first_a": lines[0], "first_b": lines[1]}


@pytest.mark.parametrize(
    ("a", "b", "offset"), [(b"abc", b"abd", 2), (b"abc", b"ab", 2), (b"", b"ab", 0), (b"xb", b"ab", 0)]
)
def test_the_first_byte_that_differs(tmp_path: Path, a: bytes, b: bytes, offset: int) -> None:
    for name, content in (("a", a), ("b", b)):
        (tmp_path / name).write_bytes(content)
    found = first_difference(tmp_path / "a", tmp_path / "b")
    assert found == {"size_a": len(a), "size_b": len(b), "first_offset": offset}
    assert json.loads(json.dumps(found)) == found


def runs(folder: Path, a: dict[str, bytes], b: dict[str, bytes], **changes: Any) -> list[Run]:
    """Two runs that left these files; changes: of what B did."""
    done = []
    for name, files in (("a", a), ("b", b)):
        here = folder / name
        for file, content in files.items():
            (here / file).parent.mkdir(parents=True, exist_ok=True)
            (here / file).write_bytes(content)
        here.mkdir(exist_ok=True)
        facts = {"status": 0, "stdout": b"said", "stderr": b"", "seconds": 0.25, **(changes if name == "b" else {})}
        done.append(Run(["prog", "-x", "a b"], here, **facts))
    return done


FLOATS = np.array([1.0, 2.0, 3.0, 4.0], np.float32).tobytes()
BRIGHTER = np.array([1.0, 2.0, 3.0, 4.5], np.float32).tobytes()
STRICT, WIDE, NARROW = Thresholds(), Thresholds(max_abs=0.5), Thresholds(max_abs=0.4)


@pytest.mark.parametrize(
    ("a", "b", "changes", "passed"),
    [
        # passed: without thresholds, with one that the image fulfils, with one that it does not
        ({"x.bin": FLOATS}, {"x.bin": FLOATS}, {}, (True, True, True)),
        ({"x.bin": FLOATS}, {"x.bin": BRIGHTER}, {}, (False, True, False)),
        ({"x.txt": b"one"}, {"x.txt": b"two"}, {}, (False, True, True)),
        ({"x.bin": FLOATS}, {}, {}, (False, False, False)),
        ({}, {"x.bin": FLOATS}, {}, (False, False, False)),
        ({}, {}, {"status": 1}, (False, False, False)),
        ({}, {}, {"stdout": b"other"}, (False, True, True)),
        ({}, {}, {"stderr": b"other"}, (True, True, True)),
    ],
)
def test_what_decides(tmp_path: Path, a: dict, b: dict, changes: dict, passed: tuple[bool, bool, bool]) -> None:
    done = runs(tmp_path, a, b, **changes)
    for thresholds, expected in zip((STRICT, WIDE, NARROW), passed, strict=True):
        result = compare_runs(*done, [], None, Settings(thresholds=thresholds), [])
        assert result["passed"] is expected
        assert result["identical"] is passed[0]
        assert result["same_status"] is (changes.get("status", 0) == 0)
    assert compare_runs(*done, [], None, Settings(thresholds=Thresholds(identical=True)), [])["passed"] is passed[0]


def test_inputs_that_are_as_they_were_are_no_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("kept", "changed", "gone"):
        (tmp_path / name).write_bytes(b"input")
    files = {"kept": b"input", "changed": b"input", "gone": b"input", "new": b"1"}
    done = runs(tmp_path / "runs", files, {"kept": b"input", "changed": b"other", "new": b"1"})
    result = compare_runs(*done, ["-x", "./kept", "changed", "gone", "7"], None, Settings(), [])
    assert {entry["name"]: entry["state"] for entry in result["files"]} == {
        "changed": "different bytes", "gone": "only in A", "new": "identical",
    }  # fmt: skip


def test_dump_files_are_no_images(tmp_path: Path) -> None:
    dump = b"-1 1 -2 2 -3 3\n\f".ljust(64)
    done = runs(tmp_path, {"Fdump.bin": dump}, {"Fdump.bin": dump[:-1] + b"x"})
    (entry,) = compare_runs(*done, [], None, Settings(), [])["files"]
    assert (entry["state"], entry["first_offset"], entry["reason"]) == (
        "different bytes",
        63,
        "a dump file of structure factors",
    )


def test_the_comparison_in_words(tmp_path: Path) -> None:
    files = (
        {"i.bin": FLOATS, "same": b"1", "t.txt": b"one"},
        {"i.bin": BRIGHTER, "same": b"1", "t.txt": b"ones", "z": b""},
    )
    done = runs(tmp_path, *files, status=3, stdout=b"said\nmore", stderr=b"first\nlast words\n")
    lines = text(compare_runs(*done, [], None, Settings(thresholds=WIDE), [])).splitlines()
    assert lines[:5] == [
        "A: prog -x 'a b': exit status 0, 0.25 s",
        "B: prog -x 'a b': exit status 3, 0.25 s; last words",
        "standard output: DIFFERENT",
        "  A line after the last: (end of output)",
        "  B line 2: more",
    ]
    assert [line for line in lines[5:] if not line.startswith("  ")] == [
        "i.bin: image", "same: identical", "t.txt: different bytes", "z: only in B",
    ]  # fmt: skip
    assert "  largest absolute       0.5 at slow 1, fast 1" in lines and "  passed: max_abs 0.5 (found 0.5)" in lines
    assert any(
        line.startswith("  3 and 4 bytes, first difference at byte 3; not compared as images: ") for line in lines
    )
