"""What two traces are traces of: pixels, configuration, and the lines that only one of them has."""

from __future__ import annotations

from functools import cached_property
from itertools import groupby

from ...base.errors import InputError
from .log import Line, TraceLog
from .values import Tolerances, Verdict, compare_lines, same_text

Pixel = tuple[int, int]
Key = tuple[Pixel | None, str, int]

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


def pixel_differences(a: TraceLog, b: TraceLog) -> list[str]:
    """Pixels that only one log traces. Raises InputError when no pixel is traced in both."""
    if a.pixels and b.pixels and not set(a.pixels) & set(b.pixels):
        raise InputError(f"cannot be compared: A traces {pixels_text(a.pixels)}, B {pixels_text(b.pixels)}")
    found = []
    for name, own, other in (("A", a.pixels, b.pixels), ("B", b.pixels, a.pixels)):
        if missing := [pixel for pixel in own if other and pixel not in other]:
            found.append(f"only {name} traces {pixels_text(missing)}")
    return found


def pixels_text(pixels: list[Pixel]) -> str:
    """The pixels in words."""
    return "pixel " + ", ".join(f"(slow {slow}, fast {fast})" for slow, fast in dict.fromkeys(pixels))


def remarks(a: TraceLog, b: TraceLog) -> list[str]:
    """What is no difference and explains some: a pixel that is not named, structure factors of an earlier run."""
    found = []
    for name, log in (("A", a), ("B", b)):
        if not log.pixels:
            found.append(f"{name} does not say which pixel it traces")
        if log.dump_file is not None:
            found.append(
                f"F_cell of {name} comes from the dump file {log.dump_file} of an earlier run, "
                "not from a reflection list or -default_F of this one"
            )
    return found


def configuration_differences(
    a: TraceLog, b: TraceLog, pairs: list[tuple[Line, Line]], tolerances: Tolerances
) -> list[str]:
    """Another configuration, by the lines of the trace that both have (pairs) and by the output around them."""
    found: dict[str, str] = {}
    for x, y in pairs:
        if x.name in CONFIGURATION and compare_lines(x, y, tolerances).verdict is Verdict.DIFFERS:
            found.setdefault(x.name, f"configuration: {x.name}: A {x.value.text}, B {y.value.text}")
    for name, text in a.context.items():
        other = b.context.get(name)
        if other is not None and not same_text(text, other, tolerances):
            found.setdefault(f"{name} of the log", f"configuration: {name}: A {text}, B {other}")
    return list(found.values())


class OneSided:
    """The lines that only one trace has, in its order; those of pixels that only it traces do not count."""

    def __init__(self, name: str, own: dict[Key, Line], other: dict[Key, Line]) -> None:
        self.name = name
        self._own, self._other = own, other

    @cached_property
    def lines(self) -> list[Line]:
        """All of them, without the sections that one program prints for a fixed pixel."""
        return [line for key, line in self._own.items() if self._is_alone(key) and not line.fixed_pixel]

    @cached_property
    def runs(self) -> list[list[Line]]:
        """The same in runs: between the lines of a run stands no line that both traces have."""
        counted = [(key, line) for key, line in self._own.items() if not line.fixed_pixel]
        grouped = groupby(counted, key=lambda entry: (entry[0][0], self._is_alone(entry[0])))
        return [[line for _, line in entries] for (_, alone), entries in grouped if alone]

    @property
    def left_out(self) -> list[str]:
        """A note on the sections for a fixed pixel, if they are lines that only this trace has."""
        if not any(line.fixed_pixel and key not in self._other for key, line in self._own.items()):
            return []
        return [f"the rotation lines that {self.name} prints for pixel 512,512 are left out"]

    def how_often(self, name: str) -> int:
        """How many lines of this name there are, whether the other trace has them or not."""
        return sum(key[1] == name for key in self._own)

    def _is_alone(self, key: Key) -> bool:
        return key not in self._other and key[0] in self._pixels_of_other

    @cached_property
    def _pixels_of_other(self) -> set[Pixel | None]:
        return {key[0] for key in self._other}


def folded(side: OneSided) -> list[str]:
    """One text for each run of one-sided lines; runs of the same names, as of every sub-pixel, share one."""
    alike: dict[tuple[str, ...], list[list[Line]]] = {}
    for run in side.runs:
        alike.setdefault(tuple(line.name for line in run), []).append(run)
    return [
        f"only {side.name} has {one_name(side, runs) if len(names) == 1 else several_names(side, runs)}"
        for names, runs in alike.items()
    ]


def one_name(side: OneSided, runs: list[list[Line]]) -> str:
    """`hkl_rounded, 3 of 4 times (line 159)`."""
    line = runs[0][0]
    total = side.how_often(line.name)
    count = "" if total == len(runs) == 1 else f", {len(runs)} of {total} times"
    return f"{line.name}{count} (line {line.number})"


def several_names(side: OneSided, runs: list[list[Line]]) -> str:
    """`25 lines in a row, detector_convention to pix0_vector (lines 7 to 31)`."""
    first, last = runs[0][0], runs[0][-1]
    names = [
        f"{line.name} #{line.occurrence}" if side.how_often(line.name) > 1 else line.name for line in (first, last)
    ]
    where = f"lines {first.number} to {last.number}"
    if len(runs) == 1:
        return f"{len(runs[0])} lines in a row, {names[0]} to {names[1]} ({where})"
    return f"{len(runs[0])} lines in a row, {first.name} to {last.name}, {len(runs)} times (first {where})"


def counted(sides: list[OneSided]) -> list[str]:
    """All of the above in one text, by their number; nothing where there are none."""
    counts = [(len(side.lines), side.name) for side in sides if side.lines]
    parts = [f"{count} line{'' if count == 1 else 's'} that only {name} has" for count, name in counts]
    return [f"left aside: {' and '.join(parts)}"] if parts else []
