"""Our program against the recorded results of the C program, as a real process, byte for byte."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import goldenlib
import numpy as np
import pytest

CASES = goldenlib.load_cases()
OUR_PROGRAM = [sys.executable, "-m", "nanobragg_py"]
EXACT = goldenlib.rounds_as_recorded()


@pytest.mark.parametrize("name", CASES)
def test_same_as_reference(name: str, tmp_path: Path) -> None:
    """Exit status, standard output and every file are those of the C program."""
    case = CASES[name]
    result = goldenlib.run_case(OUR_PROGRAM, case.our_words, case, tmp_path)
    problems = goldenlib.compare(goldenlib.load_expected(case), result, EXACT)
    assert not problems, f"nanoBragg {case.args}\n" + "\n".join(problems)


def test_every_option_is_used_twice() -> None:
    """Each option that the C program acts on stands in at least two cases."""
    options = (goldenlib.HERE / "options.txt").read_text().split()
    used = Counter(word for case in CASES.values() for word in set(case.words))
    assert [option for option in options if used[option] < 2] == []


def test_every_record_has_its_case() -> None:
    """No record is left over from a case that was renamed or removed."""
    assert {path.stem for path in goldenlib.EXPECTED.iterdir()} == set(CASES)


def test_differences_are_described() -> None:
    """A changed pixel is counted and located."""
    old = np.zeros((4, 5), np.float32)
    new = old.copy()
    new[2, 3] = 7
    text = goldenlib.describe_file(old.tobytes(), new.tobytes(), width=5)
    assert text.startswith("1 of 20 values differ\n  first at fast 3 slow 2: ")


def test_tolerance_allows_one_ulp_in_a_thousand() -> None:
    """Where the C library rounds differently, one value in a thousand may be off by one ulp, no more."""
    old = np.ones(2000, np.float32)
    new = old.copy()
    new[:2] = np.nextafter(np.float32(1), np.float32(2))
    assert goldenlib.within_tolerance(old.tobytes(), new.tobytes())
    new[2] = new[0]
    assert not goldenlib.within_tolerance(old.tobytes(), new.tobytes())
    new[1:3] = 1
    new[0] = np.float32(1.001)
    assert not goldenlib.within_tolerance(old.tobytes(), new.tobytes())
