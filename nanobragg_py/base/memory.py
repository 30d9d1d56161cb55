"""How much memory this process may use; what will not fit is refused before anything is allocated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

from .errors import InputError

# Where Linux says what a container may use (version 2 and 1 of control groups).
_LIMIT_FILES = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
# Bytes that there always are: to look for the limits takes longer than many a small image.
ALWAYS_THERE = 1 << 20


def most_bytes() -> int:
    """Memory of the machine, of the container, or what the process is limited to, whichever is least."""
    return min(_limits())


def _limits() -> Iterator[int]:
    yield 2**62
    with suppress(AttributeError, ValueError, OSError):
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _LIMIT_FILES:
        with suppress(OSError, ValueError), open(path, "rb") as file:
            yield int(file.read())
    try:
        import resource
    except ImportError:
        return
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        limit = resource.getrlimit(kind)[0]
        if limit != resource.RLIM_INFINITY:
            yield limit


def size_text(size: float) -> str:
    """A number of bytes for people."""
    for unit in ("bytes", "KiB", "MiB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1024
    return f"{size:.3g} GiB"


def require_memory(needed: int, what: str) -> None:
    """Raise InputError, with the size that would be needed, unless this machine has that much."""
    if needed <= ALWAYS_THERE:
        return
    most = most_bytes()
    if needed > most:
        needs, has = size_text(needed), size_text(most)
        raise InputError(f"{what} would need {needs} of memory; expected at most {has} here")


MOST_OF_A_KIND = 10_000_000


def require_room(count: int, each: int, what: str) -> None:
    """Refuse numbers of steps that neither fit into memory nor could ever be rendered."""
    require_memory(count * each, f"{count} {what}")
    if count >= MOST_OF_A_KIND:
        raise InputError(f"{count} {what}: expected fewer than {MOST_OF_A_KIND}")
