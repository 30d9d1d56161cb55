"""What nb-trace-diff reads in a log: values and their names, pixels, configuration, the program and its command."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanobragg_py.base.errors import InputError
from nanobragg_py.tools.trace_diff.log import TraceLog, parse_prose, parse_value, read_log

TRACES = Path(__file__).resolve().parents[1] / "data" / "traces"
numbers = st.floats(allow_nan=True, allow_infinity=True)


def log_of(folder: Path, text: str) -> TraceLog:
    """A log with this text."""
    path = folder / "trace.log"
    path.write_text(text, encoding="utf-8")
    return read_log(str(path))


def names(log: TraceLog) -> list[tuple[str, int]]:
    """Names and occurrences in order."""
    return [(line.name, line.occurrence) for line in log.lines]


@settings(deadline=None)
@given(st.lists(numbers, min_size=3, max_size=3))
def test_printed_vectors_are_read_back(values: list[float]) -> None:
    text = " ".join(f"{value:.17g}" for value in values)
    prose = parse_prose(f"  b = [{text.replace(' ', ', ')}] |b| = 1 meters")[1]
    for read in (parse_value(text).numbers, parse_value(f"[{text}]").numbers, prose.numbers[:3]):
        assert all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in zip(read, values, strict=True))
    assert prose.labels == ("x", "y", "z", "|b|")


@pytest.mark.parametrize(
    ("text", "numbers", "labels"),
    [
        ("5", (5.0,), ("",)),
        (" -1e-3 ", (-0.001,), ("",)),
        (".5", (0.5,), ("",)),
        ("5.", (5.0,), ("",)),
        ("-inf", (-math.inf,), ("",)),
        ("1 2", (1.0, 2.0), ("1", "2")),
        ("1, 2, 3", (1.0, 2.0, 3.0), ("x", "y", "z")),
        ("1 2 3 4", (1.0, 2.0, 3.0, 4.0), ("1", "2", "3", "4")),
        ("[1 2 3; 4 5 6; 7 8 9]", tuple(map(float, range(1, 10))), ("1,1", "1,2", "1,3", "2,1", "2,2", "2,3", "3,1",
                                                                       "3,2", "3,3")),
        ("rotx:0 twotheta:1e-2", (0.0, 0.01), ("rotx", "twotheta")),
        ("x:1 and y:2", (), ()),
        ("MOSFLM", (), ()),
        ("1 2x", (), ()),
        ("", (), ()),
    ],
)  # fmt: skip
def test_values(text: str, numbers: tuple[float, ...], labels: tuple[str, ...]) -> None:
    value = parse_value(text)
    assert (value.text, value.numbers, value.labels) == (text.strip(), numbers, labels)
    assert len(value.groups) == len(numbers)


def test_components_are_of_one_vector_and_named_numbers_are_not() -> None:
    assert len(set(parse_value("1 2 3").groups)) == 1
    assert len(set(parse_value("a:1 b:2 c:3").groups)) == 3
    value = parse_prose("a = [1, 2, 3] |a| = 3.7 meters")[1]
    assert len(set(value.groups[:3])) == 1 and value.groups[3] not in value.groups[:3]


@pytest.mark.parametrize(
    ("text", "name", "numbers", "labels", "shown"),
    [
        ("V_cell = 210000, V_star = 4.7619e-06", "V_cell", (210000.0, 4.7619e-06), ("", "V_star"),
         "210000, V_star = 4.7619e-06"),
        ("Direct-space cell volume: V_cell = 1/V_star = 210000", "Direct-space cell volume: V_cell = 1/V_star",
         (210000.0,), ("",), "210000"),
        ("a0 = [5e-09, 0, -1] |a0| = 5e-09 meters", "a0", (5e-9, 0.0, -1.0, 5e-9), ("x", "y", "z", "|a0|"),
         "[5e-09, 0, -1] |a0| = 5e-09 meters"),
        ("handedness = right", "handedness", (), (), "right"),
        ("nothing to say", "nothing to say", (), (), "nothing to say"),
    ],
)  # fmt: skip
def test_prose(text: str, name: str, numbers: tuple[float, ...], labels: tuple[str, ...], shown: str) -> None:
    found, value = parse_prose(text)
    assert (found, value.numbers, value.labels, value.text) == (name, numbers, labels, shown)


def test_headings_name_what_is_indented_below_them(tmp_path: Path) -> None:
    log = log_of(
        tmp_path,
        "TRACE: One:\n"
        "TRACE:   a = 1\n"
        "TRACE:   Two:\n"
        "TRACE:     b = 2\n"
        "TRACE:   c = 3\n"
        "TRACE: d = 4\n"
        "TRACE: Three:\n"
        "TRACE_C: hkl_frac 1 2 3\n"
        "TRACE:     e = 5\n"
        "TRACE: Four:\n"
        "TRACE_C:distance_m=1\n"
        "TRACE:     f = 6\n"
        "TRACE: Five:\n"
        "DETECTOR_PIX0_VECTOR 1 2 3\n"
        "TRACE:     g = 7\n"
        "TRACE:\n",
    )
    assert [name for name, _ in names(log)] == [
        "One > a", "Two > b", "One > c", "d", "hkl_frac", "e", "distance_m", "f", "DETECTOR_PIX0_VECTOR", "g",
    ]  # fmt: skip


def test_sections_for_a_fixed_pixel_are_marked(tmp_path: Path) -> None:
    log = log_of(tmp_path, "TRACE: Phi rotation for pixel 512,512:\nTRACE:   ap = [1, 2, 3]\nTRACE: a = 1\n")
    assert [line.fixed_pixel for line in log.lines] == [True, False]


def test_occurrences_are_counted_for_each_pixel(tmp_path: Path) -> None:
    pixel = "TRACE_CONFIG: tracing pixel (spixel={}, fpixel=2)\nTRACE_C: F_cell 1\nTRACE_C: F_cell 2\n"
    log = log_of(tmp_path, "TRACE_C:distance_m=1\n" + pixel.format(1) + pixel.format(-3))
    assert log.pixels == [(1, 2), (-3, 2)]
    assert [(line.pixel, line.occurrence, line.number) for line in log.lines] == [
        (None, 1, 1), ((1, 2), 1, 3), ((1, 2), 2, 4), ((-3, 2), 1, 6), ((-3, 2), 2, 7),
    ]  # fmt: skip


def test_text_is_a_value_unless_it_may_be_a_heading(tmp_path: Path) -> None:
    log = log_of(tmp_path, "TRACE_C: mode fast walk\nTRACE: steps 5\nTRACE: Computing cross products\n")
    assert [(line.name, line.value.text, line.value.numbers) for line in log.lines] == [
        ("mode", "fast walk", ()), ("steps", "5", (5.0,)), ("Computing cross products", "Computing cross products", ()),
    ]  # fmt: skip


@pytest.mark.parametrize("label", ["TRACE_C", "TRACE_PY", "my_trace", "trace"])
def test_any_label_with_trace_in_it_is_one(tmp_path: Path, label: str) -> None:
    assert names(log_of(tmp_path, f"{label}:distance_m=1\nbeam: 5\n")) == [("distance_m", 1)]


@pytest.mark.parametrize("line", ["mine: F_cell 5", "mine: hkl_frac 1 2 3", "mine:pix0_vector=1 2 3"])
def test_a_label_is_known_by_names_that_only_traces_have(tmp_path: Path, line: str) -> None:
    log = log_of(tmp_path, f"{line}\nmine: anything 3\nother: anything 3\n")
    assert len(log.lines) == 2 and log.lines[1].name == "anything"


def test_ordinary_output_tells_the_configuration(tmp_path: Path) -> None:
    text = (TRACES / "dump.log").read_text(encoding="utf-8")
    log = log_of(tmp_path, "$ ours -lambda 1\n$ again\n" + text + "  7 sources\nAnother simulator\n")
    assert log.command == "ours -lambda 1"
    assert log.banner == "nanoBragg nanocrystal diffraction simulator - James Holton and Ken Frankel 5-17-17"
    assert log.dump_file == "Fdump.bin"
    expected = {
        "pivot": "direct beam spot",
        "interpolation": "auto-selected no interpolation",
        "wavelength": "1e-10 meters +/- 0% in 1 steps",
        "polarization factor": "0.000000",
        "fluence": "1.25932e+29 photons/m^2",
        "sensor": "0 m thick in 1 layers with mu= -1",
        "region of interest": "0 < x < 32 && 0 < y < 32",
        "divergence steps": "1",
        "sources": "1",
        "mosaic": "3 mosaic domains over mosaic spread of 0.2 degrees",
        "phi": "2 phi steps from 10 to 11 degrees",
        "oversampling": "1x1",
        "water": "0 m",
        "crystal": "parallelpiped xtal: 5x5x5 cells",
        "detector": "distance=0.1 detsize=0.0032x0.0032  pixel=0.0001 meters (32x32 pixels)",
    }
    assert {name: log.context[name] for name in expected} == expected
    assert set(log.context) - set(expected) == {"reflections"}


def test_lines_are_numbered_as_editors_do(tmp_path: Path) -> None:
    log = log_of(tmp_path, "a form feed \x0c\r\n\r\nTRACE_C: steps 3\r\n")
    assert [(line.number, line.value.text) for line in log.lines] == [(3, "3")]


@pytest.mark.parametrize(
    "text", ["", "nothing\n", "DETECTOR_FAST_AXIS 0 0 1\n", "TRACE_CONFIG: a (spixel=1, fpixel=2)\n"]
)
def test_a_log_without_values_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError, match="no trace lines"):
        log_of(tmp_path, text)
