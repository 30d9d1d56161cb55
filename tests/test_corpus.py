"""The recorded command lines of differential fuzzing give the recorded bytes, without the C program.

Every file in tests/corpus holds one command line with its input files, and the exit status, standard output
and SHA-256 of every file that the C program wrote for it. `tests/differential.py` recorded them; it replays
them here in one process, because starting Python anew for each would take most of the time.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fuzzing.refusals import REFUSALS, refusal

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
ENTRIES = sorted(path.name for path in CORPUS.glob("*.json"))
DIFFERENTIAL = [sys.executable, str(HERE / "differential.py")]


def run_differential(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the fuzzing program and capture what it prints."""
    return subprocess.run([*DIFFERENTIAL, *words], capture_output=True, text=True, timeout=600)


@pytest.fixture(scope="module")
def replayed() -> dict[str, str]:
    """The line printed for every corpus entry (`ok NAME` or `FAILED NAME: ...`), by name."""
    done = run_differential("--replay", str(CORPUS), "--in-process", "--warm")
    lines = re.findall(r"^((?:ok|FAILED) (\S+\.json).*)$", done.stdout, re.MULTILINE)
    assert lines, done.stdout + done.stderr
    return {name: line for line, name in lines}


@pytest.mark.parametrize("name", ENTRIES)
def test_recorded_case_gives_the_recorded_bytes(name: str, replayed: dict[str, str]) -> None:
    assert replayed.get(name) == f"ok {name}"


def test_corpus_is_there_and_varied() -> None:
    assert len(ENTRIES) >= 30
    entries = [json.loads((CORPUS / name).read_text("utf-8")) for name in ENTRIES]
    options = {word for entry in entries for word in entry["args"] if re.match(r"-[a-zA-Z]", word)}
    assert {"-hkl", "-mat", "-cell", "-phi", "-osc", "-mask", "-img", "-roi", "-interpolate"} <= options
    assert any(entry["status"] for entry in entries)
    assert all("stdout" in entry and (entry["sha256"] or entry["status"]) for entry in entries)


def test_replay_notices_other_bytes(tmp_path: Path) -> None:
    """A program that prints something else and writes nothing fails every entry."""
    other = f"{sys.executable} -c print()"
    done = run_differential("--replay", str(CORPUS), "--program", other)
    assert done.returncode == 1
    assert done.stdout.endswith(f"0 passed, {len(ENTRIES)} failed\n")


def test_same_seed_draws_same_cases() -> None:
    from fuzzing.draw import draw_case, is_defined

    first = [draw_case(random.Random(f"seed/{index}")) for index in range(50)]
    again = [draw_case(random.Random(f"seed/{index}")) for index in range(50)]
    assert first == again
    assert sum(is_defined(case) for case in first) > 40


# A stand-in for a simulator: prints its options; the one "at fault" differs when a reflection list has "1".
STAND_IN = """
import pathlib, sys
words = sys.argv[2:]
listed = any("1" in file.read_text() for file in pathlib.Path(".").glob("*.hkl"))
wrong = sys.argv[1] == "wrong" and listed and any("-hkl" in word for word in words)
print(*words, "wrong" if wrong else "")
pathlib.Path("out.bin").write_bytes(b"abcd" if wrong else b"abce")
"""


def test_failing_case_is_shrunk_to_what_it_needs(tmp_path: Path) -> None:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    right, wrong = (f"{sys.executable} -I -S {script} {kind}" for kind in ("right", "wrong"))
    corpus = tmp_path / "corpus"
    done = run_differential(
        *("--reference", right, "--program", wrong, "--only", "8", "--seed", "1"),
        *("--keep", str(tmp_path / "kept"), "--corpus", str(corpus)),
    )
    assert done.returncode == 1, done.stdout + done.stderr
    entries = [json.loads(path.read_text("utf-8")) for path in corpus.glob("*.json")]
    assert entries
    for entry in entries:
        words = [word for word in entry["args"] if re.match(r"-+[a-zA-Z]", word)]
        size = {word for word in words if word.startswith(("-det", "-pixel", "-img", "-mask"))}
        assert set(words) == {"-hkl", "-seed", *size}
        assert len(entry["files"]["P1.hkl"]["text"].split("\n")) <= 2
        assert "wrong" not in entry["stdout"]
    assert "out.bin: 1 of 1 differ" in done.stdout
    assert "cd " in done.stdout and "-hkl P1.hkl" in done.stdout


@pytest.mark.parametrize("kind", [kind for kind, _ in REFUSALS])
def test_refusals_are_documented(kind: str) -> None:
    """What random command lines may end with, in place of the C program's image, is said to users."""
    assert f"\n| {kind}" in (HERE.parent / "docs" / "differences.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("status", "stderr", "expected"),
    [
        (9, b"nanoBragg: warning: x\nnanoBragg: error: -lambda: expected a wavelength above 0 \xc3\x85, got 0\n", True),
        (0, b"nanoBragg: error: -lambda: expected a wavelength above 0 \xc3\x85, got 0\n", False),
        (9, b"nanoBragg: error: something unheard of\n", False),
        (9, b"Traceback (most recent call last):\nValueError\n", False),
    ],
)
def test_only_listed_messages_are_refusals_on_purpose(status: int, stderr: bytes, expected: bool) -> None:
    assert (refusal(status, stderr) is not None) == expected
