"""Names that are suggested for a word that is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanobragg_py.options.spelling import did_you_mean, nearest
from nanobragg_py.options.table import EXITS, OPTIONS, OWN_OPTIONS

NAMES = [
    *(name for row in OPTIONS for name in row.spellings),
    *(own.name for own in OWN_OPTIONS),
    *(name for way in EXITS for name in way.names),
]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("--preveiw", ("--preview",)),
        ("--thread", ("--threads",)),
        ("--quite", ("--quiet",)),
        ("--verison", ("--version",)),
        ("--fixes", ("--fix",)),
        ("--rings", ("--show-rings",)),
        ("-preview", ("--preview",)),
        ("-threads", ("--threads",)),
        ("-hdiv", ("-hdivrange", "-hdivstep", "-hdivsteps")),
        ("-dispstep", ("-dispsteps",)),
        ("-detsize_x", ("-detsize_fast", "-detsize_slow")),
        ("-xdet_vector", ("-fdet_vector", "-sdet_vector", "-odet_vector")),
        ("-hlk", ("-hkl",)),
        ("-labmda", ("-lambda",)),
        ("-xbeam", ("-Xbeam",)),
        ("-zzzzzz", ()),
        ("-x", ()),
        ("--", ()),
        ("", ()),
    ],
)
def test_suggestions(word: str, expected: tuple[str, ...]) -> None:
    assert nearest(word, NAMES) == expected


@given(st.sampled_from([name for name in NAMES if len(name.strip("-")) > 4]), st.data())
def test_one_slip_is_understood(name: str, data: st.DataObject) -> None:
    """A letter left out, put in or exchanged with the next: the name is suggested, unless others are nearer."""
    start = len(name) - len(name.lstrip("-"))
    at = data.draw(st.integers(start, len(name) - 2))
    slip = data.draw(st.sampled_from(["out", "in", "exchanged"]))
    if slip == "out":
        word = name[:at] + name[at + 1 :]
    elif slip == "in":
        word = name[:at] + "z" + name[at:]
    else:
        word = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    found = nearest(word, NAMES)
    # Another name may begin with the word, or be it.
    assert name in found or any(other.strip("-").lower().startswith(word.strip("-").lower()) for other in found)


def test_message() -> None:
    assert did_you_mean("--preveiw", NAMES) == "; did you mean --preview?"
    assert did_you_mean("-detsize_x", NAMES) == "; did you mean -detsize_fast or -detsize_slow?"
    assert did_you_mean("-zzzzzz", NAMES) == ""
