"""What differs between two outcomes, and whether the C program's is a yardstick."""

from __future__ import annotations

import math
import re
from array import array
from dataclasses import dataclass

from .case import STEP_LIMIT
from .refusals import refusal
from .running import TIMED_OUT, Outcome

CRASHED = "the C program crashed"
STEP_COUNTS = [
    rb"\((\d+)x(\d+) pixels\)",
    rb"in (\d+) layers with",
    rb"^  (\d+) sources$",
    rb"^  (\d+) mosaic domains over",
    rb"^  (\d+) phi steps",
    rb"^  (\d+)x(\d+) pixel oversample",
]


def floats(content: bytes, code: str) -> array[float]:
    """The numbers in a binary file, without an incomplete one at its end."""
    values = array(code)
    values.frombytes(content[: len(content) - len(content) % values.itemsize])
    return values


def describe_stdout(ours: bytes, theirs: bytes) -> str:
    """The first line in which two standard outputs differ."""
    left, right = theirs.split(b"\n"), ours.split(b"\n")
    end = b"(end)"
    longest = max(len(left), len(right))
    left += [end] * (longest - len(left))
    right += [end] * (longest - len(right))
    number, a, b = next((i, a, b) for i, (a, b) in enumerate(zip(left, right, strict=True), 1) if a != b)
    return f"stdout line {number}: reference {a.decode(errors='replace')!r}, ours {b.decode(errors='replace')!r}"


def describe_numbers(name: str, ours: bytes, theirs: bytes, code: str) -> str:
    """How many numbers differ in two binary files of equal length, and by how much at most."""
    pairs = [(a, b) for a, b in zip(floats(theirs, code), floats(ours, code), strict=True) if a != b]
    if not pairs:
        return f"{name}: same numbers, other bytes"
    a, b = max(pairs, key=lambda pair: abs(pair[0] - pair[1]) if math.isfinite(pair[1]) else math.inf)
    return f"{name}: {len(pairs)} of {len(theirs) // array(code).itemsize} differ, most: {a!r} against our {b!r}"


def describe_file(name: str, ours: bytes | None, theirs: bytes | None) -> str:
    """How a file of ours differs from the reference's."""
    if ours is None or theirs is None:
        return f"{name}: written only by {'ours' if theirs is None else 'the reference'}"
    if len(ours) != len(theirs):
        return f"{name}: {len(theirs)} bytes, ours {len(ours)}"
    if theirs.startswith(b"{\nHEADER_BYTES"):
        if ours[:512] != theirs[:512]:
            return f"{name}: header, {describe_stdout(ours[:512], theirs[:512])}"
        return describe_numbers(name, ours[512:], theirs[512:], "H")
    if theirs.startswith(b"P5"):
        return describe_numbers(name, ours, theirs, "B")
    if b"\n\f" in theirs[:80]:
        start = theirs.index(b"\n\f") + 2
        return describe_numbers(name, ours[start:], theirs[start:], "d")
    return describe_numbers(name, ours, theirs, "f")


def differences(ours: Outcome, theirs: Outcome) -> list[str]:
    """All that differs between two outcomes, a line each; empty when they agree."""
    found: list[str] = []
    if ours.status != theirs.status:
        last = ours.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        note = "timed out" if ours.status == TIMED_OUT else str(ours.status)
        found.append(f"exit status: reference {theirs.status}, ours {note}" + (f" ({last})" if last else ""))
    if ours.stdout != theirs.stdout:
        found.append(describe_stdout(ours.stdout, theirs.stdout))
    for name in sorted({*ours.files, *theirs.files}):
        mine, other = ours.files.get(name), theirs.files.get(name)
        if mine != other:
            found.append(describe_file(name, mine, other))
    return found


@dataclass(frozen=True)
class Signature:
    """What kind of failure it is: the two exit statuses, and what differs besides."""

    statuses: tuple[int, int]
    parts: frozenset[str]

    def covers(self, other: Signature | None) -> bool:
        """Whether the other failure is of this kind and in no part that agreed before."""
        return other is not None and other.statuses == self.statuses and other.parts <= self.parts


def signature(ours: Outcome, theirs: Outcome) -> Signature | None:
    """The kind of failure, or None when the outcomes agree."""
    if not differences(ours, theirs):
        return None
    names = {name for name in {*ours.files, *theirs.files} if ours.files.get(name) != theirs.files.get(name)}
    parts = names | ({"standard output"} if ours.stdout != theirs.stdout else set())
    return Signature((ours.status, theirs.status), frozenset(parts))


@dataclass(frozen=True)
class Verdict:
    """What became of a case: refused on purpose (the kind of refusal), or what differs, if anything does."""

    refused: str | None
    signature: Signature | None


def judge(ours: Outcome, theirs: Outcome) -> Verdict:
    """Refused on purpose counts where this program says so before it writes any file."""
    kind = signature(ours, theirs)
    if kind is None:
        return Verdict(None, None)
    why = refusal(ours.status, ours.stderr)
    if why is not None and not ours.files and theirs.stdout.startswith(ours.stdout):
        return Verdict(why, None)
    return Verdict(None, kind)


def steps_of(stdout: bytes) -> int:
    """Number of terms the run adds up, from its own report (0 when it did not get that far)."""
    total = 1
    for pattern in STEP_COUNTS:
        match = re.search(pattern, stdout, re.MULTILINE)
        if match is None:
            return 0
        total *= math.prod(int(count) for count in match.groups())
    return total


def unfit(theirs: Outcome) -> str | None:
    """Why the C program's outcome is no yardstick (crash, too long), or None."""
    if theirs.status == TIMED_OUT:
        return "too long"
    if theirs.status < 0:
        return CRASHED
    if steps_of(theirs.stdout) > 4 * STEP_LIMIT:
        return "too many steps"
    return None
