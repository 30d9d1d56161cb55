"""Compare two traces: first what they are traces of, then value by value in the order of the first."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property

from ...base.errors import InputError
from .log import Line, TraceLog
from .structure import Key, OneSided, configuration_differences, folded, pixel_differences, remarks
from .values import Row, Tolerances, Verdict, compare_lines


@dataclass
class Comparison:
    """Everything that nb-trace-diff says.

    structure: differences of pixels and configuration. one_sided: lines that only one trace has.
    notes: what is worth knowing and no difference. rows: the values compared, those of only_names if there are any.
    """

    a: TraceLog
    b: TraceLog
    tolerances: Tolerances
    only_names: tuple[str, ...] = ()
    structure: list[str] = field(default_factory=list)
    one_sided: list[OneSided] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    @cached_property
    def repeated(self) -> frozenset[str]:
        """Names that occur several times for a pixel in either trace."""
        return frozenset(line.name for log in (self.a, self.b) for line in log.lines if line.occurrence > 1)

    @property
    def whole_structure(self) -> list[str]:
        """All that differs beside the values, runs of one-sided lines folded."""
        return self.structure + [text for side in self.one_sided for text in folded(side)]

    @property
    def differing(self) -> list[Row]:
        """The values that differ, in the order of A."""
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
        return not self.differing and (bool(self.only_names) or not self.whole_structure)


def compare(a: TraceLog, b: TraceLog, tolerances: Tolerances, only_names: tuple[str, ...] = ()) -> Comparison:
    """Compare two logs. Raises InputError when they are traces of other pixels or have nothing in common."""
    result = Comparison(a, b, tolerances, only_names)
    result.structure = pixel_differences(a, b)
    result.notes = remarks(a, b)
    one_pixel = len(set(a.pixels)) <= 1 and len(set(b.pixels)) <= 1
    lines_a, lines_b = by_key(a, one_pixel), by_key(b, one_pixel)
    common = [key for key in lines_a if key in lines_b]
    if not common:
        raise InputError(f"cannot be compared: {a.path} and {b.path} have no traced name in common")
    for name in only_names:
        check_name(name, [lines_a[key] for key in common], lines_a, lines_b)
    wanted = [key for key in common if not only_names or names_of(lines_a[key]) & set(only_names)]
    result.rows = [compare_lines(lines_a[key], lines_b[key], tolerances) for key in wanted]
    result.structure += configuration_differences(a, b, [(lines_a[key], lines_b[key]) for key in common], tolerances)
    result.one_sided = [OneSided("A", lines_a, lines_b), OneSided("B", lines_b, lines_a)]
    result.notes += [text for side in result.one_sided for text in side.left_out]
    if common != [key for key in lines_b if key in lines_a]:
        result.notes.append("the lines stand in another order in B; compared in the order of A")
    return result


def by_key(log: TraceLog, one_pixel: bool) -> dict[Key, Line]:
    """Lines by pixel, name and occurrence; the pixel is left out where there is only one."""
    return {(None if one_pixel else line.pixel, line.name, line.occurrence): line for line in log.lines}


def names_of(line: Line) -> set[str]:
    """What a line may be called with --var: its name, with or without the heading above it."""
    return {line.name, line.name.rpartition(" > ")[2]}


def check_name(name: str, common: list[Line], lines_a: dict[Key, Line], lines_b: dict[Key, Line]) -> None:
    """Raise InputError for a name that the traces do not share; says who has it, or what is spelt alike."""
    if any(name in names_of(line) for line in common):
        return
    for side, lines in (("A", lines_a), ("B", lines_b)):
        if found := [line.number for line in lines.values() if name in names_of(line)]:
            raise InputError(f"--var {name}: only {side} has that name (line {found[0]})")
    known = {known for line in common for known in names_of(line)}
    alike = get_close_matches(name, sorted(known), n=3)
    hint = f"; did you mean {' or '.join(alike)}?" if alike else ""
    raise InputError(f"--var {name}: no such name in either trace{hint}")
