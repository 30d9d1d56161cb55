"""Compare two traces: first what they are traces of, then line by line in the order of the first."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from ...base.errors import InputError
from .log import Line, TraceLog, Value

# Lines of the trace that are the run's configuration rather than a step of the calculation.
CONFIGURATION = (
    "detector_convention",
    "convention_mapping",
    "lambda_meters",
    "lambda_angstroms",
    "steps",
    "oversample_thick",
    "oversample_polar",
    "oversample_omega",
)


EPSILON = 2.220446049250313e-16


Pixel = tuple[int, int]


Key = tuple[Pixel | None, str, int]


@dataclass(frozen=True)
class Tolerances:
    """When two numbers agree: |a−b| ≤ max(rtol·max(|a|,|b|), atol, noise·|vector|).

    The last term is for components of vectors and matrices only (|vector| is the larger of the two lengths):
    a component that should be 0 holds what rounding has left of the others, such as ±6e-15 in 100 Å.
    """

    rtol: float = 1e-12
    atol: float = 0.0
    noise: float = 4 * EPSILON

    def allowed(self, a: float, b: float, length: float) -> float:
        """The largest difference that still counts as agreement."""
        return max(self.rtol * max(abs(a), abs(b)), self.atol, self.noise * length)


class Verdict(Enum):
    """How two values of one name compare."""

    EQUAL = "equal"
    CLOSE = "close"
    DIFFERS = "DIFFERS"


@dataclass(frozen=True)
class Row:
    """One name in both traces; the differences are those of the component that disagrees most."""

    a: Line
    b: Line
    label: str
    text_a: str
    text_b: str
    absolute: float | None
    relative: float | None
    verdict: Verdict


@dataclass
class Comparison:
    """Everything that nb-trace-diff says."""

    a: TraceLog
    b: TraceLog
    tolerances: Tolerances
    structure: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    only_names: tuple[str, ...] = ()

    @cached_property
    def repeated(self) -> frozenset[str]:
        """Names that occur several times for a pixel."""
        return frozenset(row.a.name for row in self.rows if row.a.occurrence > 1)

    @property
    def differing(self) -> list[Row]:
        return [row for row in self.rows if row.verdict is Verdict.DIFFERS]

    @property
    def first(self) -> Row | None:
        """The first disagreement in the order of A."""
        return next(iter(self.differing), None)

    @property
    def largest(self) -> Row | None:
        """The largest relative disagreement (text that differs has none and comes last)."""
        return max(self.differing, key=lambda row: -1.0 if row.relative is None else row.relative, default=None)

    @property
    def agrees(self) -> bool:
        """True when nothing that was asked for differs; with only_names, the structure does not decide."""
        return not self.differing and (bool(self.only_names) or not self.structure)


def compare(a: TraceLog, b: TraceLog, tolerances: Tolerances, only_names: tuple[str, ...] = ()) -> Comparison:
    """Compare two logs. Raises InputError when they are traces of other pixels or have nothing in common."""
    result = Comparison(a, b, tolerances, only_names=only_names)
    compare_pixels(result)
    one_pixel = len(set(a.pixels)) <= 1 and len(set(b.pixels)) <= 1
    lines_a, lines_b = by_key(a, one_pixel), by_key(b, one_pixel)
    common = [key for key in lines_a if key in lines_b]
    if not common:
        raise InputError(f"cannot be compared: {a.path} and {b.path} have no traced name in common")
    wanted = [key for key in common if not only_names or names_of(lines_a[key]) & set(only_names)]
    check_names(only_names, [lines_a[key] for key in wanted])
    result.rows = [compare_lines(lines_a[key], lines_b[key], tolerances) for key in wanted]
    compare_configuration(result, [(lines_a[key], lines_b[key]) for key in common])
    report_missing(result, lines_a, lines_b)
    if common != [key for key in lines_b if key in lines_a]:
        result.notes.append("the lines stand in another order in B; compared in the order of A")
    return result


def by_key(log: TraceLog, one_pixel: bool) -> dict[Key, Line]:
    """Lines by pixel, name and occurrence; the pixel is left out where there is only one."""
    return {(None if one_pixel else line.pixel, line.name, line.occurrence): line for line in log.lines}


def names_of(line: Line) -> set[str]:
    """What a line may be called with --var: its name, with or without the heading above it."""
    return {line.name, line.name.rpartition(" > ")[2]}


def check_names(names: tuple[str, ...], lines: list[Line]) -> None:
    """Raise InputError for a name that is not in both traces."""
    found = {name for line in lines for name in names_of(line)}
    for name in names:
        if name not in found:
            raise InputError(f"--var {name}: no such name in both traces")


def compare_pixels(result: Comparison) -> None:
    """Raise InputError when no pixel is traced in both; note those that only one has."""
    a, b = result.a.pixels, result.b.pixels
    if a and b and not set(a) & set(b):
        raise InputError(f"cannot be compared: A traces {pixels_text(a)}, B {pixels_text(b)}")
    for name, own, other in (("A", a, b), ("B", b, a)):
        if missing := [pixel for pixel in own if other and pixel not in other]:
            result.structure.append(f"only {name} traces {pixels_text(missing)}")
        if not own:
            result.notes.append(f"{name} does not say which pixel it traces")


def pixels_text(pixels: list[Pixel]) -> str:
    """The pixels in words."""
    return "pixel " + ", ".join(f"(slow {slow}, fast {fast})" for slow, fast in dict.fromkeys(pixels))


def compare_configuration(result: Comparison, pairs: list[tuple[Line, Line]]) -> None:
    """Report another configuration, from the traces and from the output around them, and dump files."""
    seen = set()
    for a, b in pairs:
        if (
            a.name in CONFIGURATION
            and a.name not in seen
            and compare_lines(a, b, result.tolerances).verdict is Verdict.DIFFERS
        ):
            seen.add(a.name)
            result.structure.append(f"configuration: {a.name}: A {a.value.text}, B {b.value.text}")
    for name, text in result.a.context.items():
        other = result.b.context.get(name)
        if other is not None and not same_text(text, other, result.tolerances):
            result.structure.append(f"configuration: {name}: A {text}, B {other}")
    for name, log in (("A", result.a), ("B", result.b)):
        if log.dump_file is not None:
            result.notes.append(
                f"F_cell of {name} comes from the dump file {log.dump_file} of an earlier run, "
                "not from a reflection list or -default_F of this one"
            )


def same_text(a: str, b: str, tolerances: Tolerances) -> bool:
    """True when texts agree word by word, numbers within the relative tolerance."""
    if a == b:
        return True
    words_a, words_b = a.replace("=", " ").split(), b.replace("=", " ").split()
    return len(words_a) == len(words_b) and all(
        same_word(*pair, tolerances) for pair in zip(words_a, words_b, strict=True)
    )


def same_word(a: str, b: str, tolerances: Tolerances) -> bool:
    if a == b:
        return True
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    return abs(x - y) <= tolerances.allowed(x, y, 0.0)


def report_missing(result: Comparison, lines_a: dict[Key, Line], lines_b: dict[Key, Line]) -> None:
    """Report, once for each name and pixel, lines that only one trace has."""
    for name, own, other in (("A", lines_a, lines_b), ("B", lines_b, lines_a)):
        missing: dict[tuple[Pixel | None, str], list[Line]] = {}
        pixels = {key[0] for key in other}
        for key, line in own.items():
            if key not in other and key[0] in pixels and not line.fixed_pixel:
                missing.setdefault(key[:2], []).append(line)
        if any(line.fixed_pixel and key not in other for key, line in own.items()):
            result.notes.append(f"the rotation lines that {name} prints for pixel 512,512 are left out")
        for (_, traced), lines in missing.items():
            total = sum(key[1] == traced for key in own)
            count = "" if total == len(lines) == 1 else f", {len(lines)} of {total} times"
            result.structure.append(f"only {name} has {traced}{count} (line {lines[0].number})")


def compare_lines(a: Line, b: Line, tolerances: Tolerances) -> Row:
    """Compare two values of one name, number by number where both have the same form."""
    if not a.value.numbers or not same_form(a.value, b.value):
        same = a.value.text == b.value.text
        verdict = Verdict.EQUAL if same else Verdict.DIFFERS
        return Row(a, b, "", a.value.text, b.value.text, 0.0 if same else None, 0.0 if same else None, verdict)
    excess = [number_excess(a.value, b.value, i, tolerances) for i in range(len(a.value.numbers))]
    worst = max(range(len(excess)), key=excess.__getitem__)
    x, y = a.value.numbers[worst], b.value.numbers[worst]
    if excess[worst] == 0.0:
        return Row(a, b, "", a.value.text, b.value.text, 0.0, 0.0, Verdict.EQUAL)
    absolute = abs(x - y) if math.isfinite(x - y) else math.inf
    relative = absolute / max(abs(x), abs(y)) if math.isfinite(absolute) else math.inf
    verdict = Verdict.DIFFERS if excess[worst] > 1.0 else Verdict.CLOSE
    label = a.value.labels[worst]
    text_a, text_b = number_text(a.value, worst), number_text(b.value, worst)
    return Row(a, b, label, text_a, text_b, absolute, relative, verdict)


def same_form(a: Value, b: Value) -> bool:
    return (a.labels, a.groups, a.words) == (b.labels, b.groups, b.words)


def number_excess(a: Value, b: Value, i: int, tolerances: Tolerances) -> float:
    """Difference of one pair in units of what is allowed: 0 when equal, up to 1 when close."""
    x, y = a.numbers[i], b.numbers[i]
    if x == y or (math.isnan(x) and math.isnan(y)):
        return 0.0
    difference = abs(x - y)
    if not math.isfinite(difference):
        return math.inf
    allowed = tolerances.allowed(x, y, max(length_of_group(a, i), length_of_group(b, i)))
    return difference / allowed if allowed > 0.0 else math.inf


def length_of_group(value: Value, i: int) -> float:
    """Length of the vector or matrix that a component belongs to; 0 for a scalar."""
    members = [x for x, group in zip(value.numbers, value.groups, strict=True) if group == value.groups[i]]
    return math.hypot(*members) if len(members) > 1 and all(map(math.isfinite, members)) else 0.0


def number_text(value: Value, i: int) -> str:
    return value.text if len(value.numbers) == 1 and not value.words else f"{value.numbers[i]:.15g}"
