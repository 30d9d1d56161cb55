"""Two values of one name: when they agree, and by how much they do not."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from enum import Enum

from .log import Line, Value


@dataclass(frozen=True)
class Tolerances:
    """When two numbers agree: |a−b| ≤ max(rtol·max(|a|,|b|), atol, noise·|vector|).

    The last term is for components of vectors and matrices only (|vector| is the larger of the two lengths):
    a component that should be 0 holds what rounding has left of the others, such as ±6e-15 in 100 Å.
    """

    rtol: float = 1e-12
    atol: float = 0.0
    noise: float = 4 * sys.float_info.epsilon

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


def same_text(a: str, b: str, tolerances: Tolerances) -> bool:
    """True when texts agree word by word, numbers within the tolerances for scalars."""
    if a == b:
        return True
    words_a, words_b = a.replace("=", " ").split(), b.replace("=", " ").split()
    return len(words_a) == len(words_b) and all(
        same_word(*pair, tolerances) for pair in zip(words_a, words_b, strict=True)
    )


def same_word(a: str, b: str, tolerances: Tolerances) -> bool:
    """True for equal words, and for numbers that agree."""
    if a == b:
        return True
    try:
        x, y = float(a), float(b)
    except ValueError:
        return False
    return abs(x - y) <= tolerances.allowed(x, y, 0.0)


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
    """Whether two values can be compared number by number."""
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
    """A number as the log has it where it stands alone, else in 15 digits."""
    return value.text if len(value.numbers) == 1 and not value.words else f"{value.numbers[i]:.15g}"
