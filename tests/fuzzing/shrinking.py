"""Making a failing command line smaller while it still fails."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from .case import Case


class Shrinker:
    """Makes a failing case smaller while it still fails, within a time limit."""

    def __init__(self, fails: Callable[[Case], bool], seconds: float) -> None:
        self.fails = fails
        self.deadline = time.monotonic() + seconds

    def shrink(self, case: Case) -> Case:
        """Drop groups and files, then simplify words and files, until nothing more can go."""
        before = None
        while case != before and time.monotonic() < self.deadline:
            before = case
            case = self._drop_earlier(self._drop_groups(case))
            case = self._shorten_lists(self._simplify_words(self._drop_files(case)))
        return case

    def _accepts(self, case: Case) -> bool:
        return time.monotonic() < self.deadline and self.fails(case)

    def _drop_groups(self, case: Case) -> Case:
        size = max(1, len(case.groups) // 2)
        while size:
            start = 0
            while start < len(case.groups):
                part = case.groups[start : start + size]
                kept = tuple(group for group in part if group.pinned)
                smaller = replace(case, groups=case.groups[:start] + kept + case.groups[start + size :])
                if len(kept) < len(part) and self._accepts(smaller):
                    case = smaller
                    start += len(kept)
                else:
                    start += size
            size //= 2
        return case

    def _drop_earlier(self, case: Case) -> Case:
        for smaller in (replace(case, earlier=()), replace(case, pipes=frozenset())):
            if smaller != case and self._accepts(smaller):
                case = smaller
        return case

    def _drop_files(self, case: Case) -> Case:
        for name in list(case.files):
            kept = {key: value for key, value in case.files.items() if key != name}
            smaller = replace(case, files=kept, pipes=case.pipes - {name})
            if self._accepts(smaller):
                case = smaller
        return case

    def _simplify_words(self, case: Case) -> Case:
        for which in range(len(case.groups)):
            for position in range(len(case.groups[which].args)):
                for word in simpler_words(case.groups[which].args[position]):
                    simpler = with_word(case, which, position, word)
                    if not _changes_size(case, which, word) and self._accepts(simpler):
                        case = simpler
                        break
        return case

    def _shorten_lists(self, case: Case) -> Case:
        for name in [name for name in case.files if name.endswith((".hkl", ".txt", ".stol"))]:
            lines = case.files[name].split(b"\n")
            size = len(lines) // 2
            while size:
                for start in range(len(lines) - size - 1, -1, -size):
                    fewer = lines[:start] + lines[start + size :]
                    smaller = replace(case, files={**case.files, name: b"\n".join(fewer)})
                    if self._accepts(smaller):
                        case, lines = smaller, fewer
                size //= 2
        return case


def _changes_size(case: Case, which: int, word: str) -> bool:
    """Whether the detector's size would go (0 is the default, 1024), or no longer fit a mask or image."""
    is_size = case.groups[which].name == "size"
    return is_size and (word == "0" or any(name.endswith(".img") for name in case.files))


def simpler_words(word: str) -> Iterator[str]:
    """Words to try instead of this one, simplest first."""
    plain = re.sub(r"^-(my)?-", "-", word)
    if plain != word:
        yield plain
    match = re.fullmatch(r"\s*([-+]?[0-9.]+(?:e[-+]?\d+)?).*", word)
    try:
        value = float(match[1]) if match else None
    except ValueError:
        value = None
    if value is None:
        return
    candidates = [
        "0",
        "1",
        "2",
        "4",
        "5",
        "10",
        "20",
        "50",
        "100",
        f"{value:.0f}",
        f"{value:.1g}",
        f"{value:.2g}",
    ]
    for candidate in [*candidates, f"{value:.3g}", f"{value:g}"]:
        if (len(candidate), candidate) < (len(word), word):
            yield candidate


def with_word(case: Case, which: int, position: int, word: str) -> Case:
    """The case with one word of one group replaced."""
    group = case.groups[which]
    args = (*group.args[:position], word, *group.args[position + 1 :])
    groups = (*case.groups[:which], replace(group, args=args), *case.groups[which + 1 :])
    return replace(case, groups=groups)
