"""When the C program reports its progress."""

from __future__ import annotations

from collections.abc import Iterator


def progress_counts(first: int, last: int, total: int) -> Iterator[int]:
    """Numbers of pixels in first..last-1 after which the C program reports: every 5 %, near both ends every 1 %."""
    if total // 100 <= 0:
        return
    coarse, fine = total // 20, total // 100
    candidates = set(range(-(-first // coarse) * coarse, last, coarse))
    for n in range(-(-first // fine) * fine, last, fine):
        if 10 * n < total or 10 * n > 9 * total:
            candidates.add(n)
    yield from sorted(candidates)
