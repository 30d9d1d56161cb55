"""Two values of one name: when they agree is checked against the formula of the help, number by number."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanobragg_py.tools.trace_diff.log import Line, parse_value
from nanobragg_py.tools.trace_diff.values import Row, Tolerances, Verdict, compare_lines, same_text

EQUAL, CLOSE, DIFFERS = Verdict.EQUAL, Verdict.CLOSE, Verdict.DIFFERS
finite = st.floats(-1e9, 1e9, allow_nan=False)
sizes = st.sampled_from([0.0, 1e-15, 1e-9, 1e-3, 0.5, 2.0])


def compared(a: str, b: str, rtol: float = 0.0, atol: float = 0.0, noise: float = 0.0) -> Row:
    """The comparison of two values as the trace prints them."""
    lines = [Line(None, "name", 1, parse_value(text), 1) for text in (a, b)]
    return compare_lines(*lines, Tolerances(rtol, atol, noise))


def test_defaults_are_those_of_the_help() -> None:
    t = Tolerances()
    assert (t.rtol, t.atol) == (1e-12, 0.0)
    assert t.noise == pytest.approx(8.9e-16, rel=0.01, abs=0.0)


@pytest.mark.parametrize(
    ("a", "b", "tolerances", "verdict"),
    [
        ("1", "1", {}, EQUAL),
        ("0", "-0", {}, EQUAL),
        ("1", "1.0", {}, EQUAL),
        ("1e3", "1000", {}, EQUAL),
        ("nan", "nan", {}, EQUAL),
        ("inf", "inf", {}, EQUAL),
        ("inf", "-inf", {"rtol": 9.0}, DIFFERS),
        ("inf", "1", {"rtol": 9.0, "atol": 1e300}, DIFFERS),
        ("nan", "1", {"rtol": 9.0, "atol": 1e300}, DIFFERS),
        ("8", "10", {"rtol": 0.2}, CLOSE),  # of the larger of the two
        ("10", "8", {"rtol": 0.2}, CLOSE),
        ("8", "10", {"rtol": 0.19}, DIFFERS),
        ("-8", "-10", {"rtol": 0.2}, CLOSE),
        ("-1", "1", {"rtol": 2.0}, CLOSE),
        ("1", "1.5", {"atol": 0.5}, CLOSE),
        ("1", "1.5", {"atol": 0.49}, DIFFERS),
        ("0", "1e-300", {}, DIFFERS),
        ("1", "1.5", {"noise": 9.0}, DIFFERS),  # noise is for components
        ("3 4 0", "3 4 0.5", {"noise": 0.125}, CLOSE),  # of a vector of length 5, or 5.02: 0.6275 is allowed
        ("3 4 0", "3 4 0.7", {"noise": 0.125}, DIFFERS),
        ("3 4 0", "3 4 1", {"noise": 0.2}, CLOSE),  # the longer vector counts: 5.099
        ("3 4 1", "3 4 0", {"noise": 0.2}, CLOSE),
        ("0 0 3 4", "0.5 0 3 4", {"noise": 0.125}, CLOSE),
        ("[1 0 0; 0 1 0; 0 0 1]", "[1 0 0; 0 1 0.1; 0 0 1]", {"noise": 0.06}, CLOSE),
        ("[1 0 0; 0 1 0; 0 0 1]", "[1 0 0; 0 1 0.1; 0 0 1]", {"noise": 0.05}, DIFFERS),
        ("inf 1 2", "inf 1 2.1", {"noise": 9.0}, DIFFERS),  # a vector without a length
        ("x:3 y:4", "x:3 y:4.1", {"noise": 9.0}, DIFFERS),  # numbers with names of their own are scalars
        ("a:1 b:2", "a:1 c:2", {"rtol": 9.0}, DIFFERS),
        ("1 2", "1 2 3", {"rtol": 9.0}, DIFFERS),
        ("1", "one", {"rtol": 9.0}, DIFFERS),
        ("MOSFLM", "MOSFLM", {}, EQUAL),
        ("MOSFLM", "XDS", {"rtol": 9.0}, DIFFERS),
    ],
)
def test_verdicts(a: str, b: str, tolerances: dict[str, float], verdict: Verdict) -> None:
    assert compared(a, b, **tolerances).verdict is verdict


@settings(deadline=None)
@given(finite, finite, sizes, sizes)
def test_scalars_agree_by_the_formula(a: float, b: float, rtol: float, atol: float) -> None:
    allowed = max(rtol * max(abs(a), abs(b)), atol)
    row = compared(repr(a), repr(b), rtol, atol, noise=5.0)
    assert row.verdict is (EQUAL if a == b else CLOSE if abs(a - b) <= allowed * (1 + 1e-12) else DIFFERS)
    assert row.absolute == abs(a - b)
    assert row.relative == (0.0 if a == b else abs(a - b) / max(abs(a), abs(b)))


@settings(deadline=None)
@given(st.lists(finite, min_size=3, max_size=3), st.integers(0, 2), finite)
def test_the_component_that_differs_is_shown(vector: list[float], component: int, value: float) -> None:
    other = [*vector]
    other[component] = value
    row = compared(" ".join(map(repr, vector)), " ".join(map(repr, other)), noise=1e-16)
    if value == vector[component]:
        assert (row.verdict, row.label, row.absolute, row.relative) == (EQUAL, "", 0.0, 0.0)
    else:
        assert row.label == "xyz"[component]
        assert (row.text_a, row.text_b) == (f"{vector[component]:.15g}", f"{value:.15g}")
        assert row.absolute == abs(value - vector[component])


def test_of_several_components_the_one_furthest_beyond_its_tolerance_is_shown() -> None:
    # By 1 in 1000 and by 0.1 in 1: with rtol the second is the worse, with atol the first.
    assert compared("1000 1 5", "1001 1.1 5", rtol=1e-6).label == "y"
    assert compared("1000 1 5", "1001 1.1 5", atol=1e-6).label == "x"
    assert compared("1 2 3", "1.5 nan 4", rtol=1e-6).label == "y"
    row = compared("[1 0 0; 0 1 0; 0 0 1]", "[1 0 0; 0 1 -0.25; 0 0 1]")
    assert (row.label, row.text_a, row.text_b, row.relative) == ("2,3", "0", "-0.25", 1.0)


def test_equal_values_and_single_numbers_are_shown_as_they_stand_in_the_log() -> None:
    assert compared("1.50", "1.5").text_a == "1.50"
    row = compared("1.50", "1.600")
    assert (row.text_a, row.text_b) == ("1.50", "1.600")
    row = compared("MOSFLM", "XDS")
    assert (row.text_a, row.text_b, row.absolute, row.relative) == ("MOSFLM", "XDS", None, None)
    row = compared("MOSFLM", "MOSFLM")
    assert (row.text_a, row.text_b, row.absolute, row.relative) == ("MOSFLM", "MOSFLM", 0.0, 0.0)


def test_what_is_not_finite_differs_without_end() -> None:
    for other in ("nan", "inf", "-inf"):
        row = compared("1", other)
        assert (row.absolute, row.relative, row.verdict) == (math.inf, math.inf, DIFFERS)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("2 phi steps", "2 phi steps", True),
        ("2 phi steps", "3 phi steps", False),
        ("2 phi steps", "2 phi", False),
        ("distance=0.1 detsize=0.2", "distance=0.1 detsize=0.20", True),
        ("distance=0.1 detsize=0.2", "distance=0.1 detsize=0.201", False),
        ("wave=1.0000000000001", "wave=1", True),
        ("wave=1.00000000001", "wave=1", False),
        ("beam", "sample", False),
    ],
)
def test_lines_of_the_ordinary_output_agree_word_by_word(a: str, b: str, same: bool) -> None:
    assert same_text(a, b, Tolerances()) is same
    assert same_text(b, a, Tolerances()) is same


def test_numbers_of_the_ordinary_output_agree_up_to_the_limit() -> None:
    assert same_text("a 8", "a 10", Tolerances(rtol=0.2)) and not same_text("a 8", "a 10", Tolerances(rtol=0.19))
    assert same_text("a 1", "a 1.5", Tolerances(atol=0.5)) and not same_text("a 1", "a 1.5", Tolerances(noise=9.0))
