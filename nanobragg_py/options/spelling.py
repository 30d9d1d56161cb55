"""The names that somebody may have meant who wrote another."""

from __future__ import annotations

from collections.abc import Iterable

# How many names are suggested at most.
MOST = 3


def nearest(word: str, names: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that are nearest to a word, the nearest first; none if none is near. Hyphens do not count.

    Near is a name that begins with the word (-hdiv: -hdivrange), or has it as one of its parts (--rings: --show-rings),
    or ends in something else than its last letter (-detsize_x: -detsize_fast), or is a slip of the hand away: one in a
    short word, two or three in a long one.
    """
    bare = word.strip("-_").lower()
    if not bare:
        return ()
    found: list[tuple[int, int, str]] = []
    for name in dict.fromkeys(names):
        distance = _distance(bare, name.strip("-").lower())
        if distance is not None:
            found.append((distance, abs(_hyphens(word) - _hyphens(name)), name))
    found.sort(key=lambda entry: entry[:2])
    least = [name for distance, _, name in found if distance == found[0][0]]
    # Of two that only differ in hyphens, the one with as many as the word has.
    return tuple({name.strip("-"): name for name in reversed(least)}.values())[::-1][:MOST]


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """The end of a message about an unknown word: '; did you mean ...?', or nothing."""
    close = nearest(word, names)
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _hyphens(word: str) -> int:
    return len(word) - len(word.lstrip("-"))


def _distance(word: str, name: str) -> int | None:
    """How far a name is from a word; None for too far."""
    if name == word:
        return 0
    if len(word) >= 3 and (name.startswith(word) or word in name.replace("_", "-").split("-")):
        return 1
    if len(name) >= 3 and word.startswith(name) and len(word) - len(name) <= 2 and word[len(name) :].isalpha():
        return 1
    stem, _, letter = word.rpartition("_")
    if stem and len(letter) == 1 and name.startswith(f"{stem}_"):
        return 1
    slips = _slips(word, name)
    return slips if slips <= max(1, min(len(word), len(name)) // 4) and slips < len(name) else None


def _slips(a: str, b: str) -> int:
    """Fewest letters put in, left out, changed, or exchanged with the next one, that make one word of another.

    The optimal string alignment distance (Damerau 1964, Commun. ACM 7, 171).
    """
    before: list[int] = []
    last = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        row = [i]
        for j, other in enumerate(b, 1):
            best = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                best = min(best, before[j - 2] + 1)
            row.append(best)
        before, last = last, row
    return last[-1]
