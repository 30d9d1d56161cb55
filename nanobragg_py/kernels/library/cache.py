"""Object code kept in files, so that a machine compiles once.

NANOBRAGG_CACHE names the folder (default: nanobragg_py in the user's cache folder). A file's name says which kernel
it is and, as digests, what its code depends on; its first 32 bytes are a checksum of name and code. Files appear
whole or not at all, so any number of processes may share the folder. Code from a folder is run, so a folder must be
trusted (trust.py); one that is not, or that cannot be written, costs time and nothing else.

Files that no run has used for KEPT_DAYS are removed: those of versions that have been superseded.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from pathlib import Path

from ...base.errors import warn
from .fingerprint import fingerprint, numba_mark
from .trust import why_not_trusted, why_not_trusted_file

KEPT_DAYS = 60
_DAY_S = 86400
_LEFT_OVER_S = 3600
_CHECKSUM_BYTES = 32
_UNFINISHED = ".new-"
_FILE_NAME = r"[a-z_]+-[0-9a-f-]+\.o"

# Folders and files whose distrust has been said.
_said: set[str] = set()
# Folders that have been found trusted.
_trusted: set[str] = set()


def cache_folder() -> Path | None:
    """Folder of compiled kernels, whether or not it exists; None for a user without a home."""
    named = os.environ.get("NANOBRAGG_CACHE")
    if named:
        return Path(os.path.abspath(named))
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "nanobragg_py" if os.path.isabs(base) else None


def file_name(name: str) -> str:
    """Name of the cache file of the kernel `name`, as it would be compiled now."""
    return f"{name}-{fingerprint()}-{numba_mark()}.o"


def can_keep() -> bool:
    """Whether code can be kept: there is a folder, or one can be made, which is trusted and can be written."""
    folder = cache_folder()
    if folder is None:
        return False
    with contextlib.suppress(OSError):
        for place in (*reversed(folder.parents), folder):
            if not place.exists():
                # Not for others to write, whatever the user's mask says.
                place.mkdir(mode=0o755, exist_ok=True)
    return _is_trusted(folder) and os.access(folder, os.W_OK | os.X_OK)


def read(name: str) -> bytes | None:
    """Object code of the kernel `name`, or None when there is none that is whole and can be trusted."""
    folder = cache_folder()
    if folder is None or not _is_trusted(folder):
        return None
    path = folder / file_name(name)
    if numba_mark() is None:
        # Without Numba nothing can be compiled, and what any version of it has compiled will do.
        path = next(folder.glob(f"{name}-{fingerprint()}-*.o"), path)
    return _read(path)


def _read(path: Path) -> bytes | None:
    """Object code of a cache file."""
    try:
        with open(path, "rb", opener=_open_without_waiting) as file:
            status = os.fstat(file.fileno())
            reason = why_not_trusted_file(status, "the file")
            content = b"" if reason else file.read()
    except OSError:
        return None
    if reason:
        _say(f"the compiled kernel {path} is not used, because {reason}; it is compiled anew")
        return None
    checksum, code = content[:_CHECKSUM_BYTES], content[_CHECKSUM_BYTES:]
    if not code or _checksum(path, code) != checksum:
        return None
    if time.time() - status.st_mtime > _DAY_S:
        _mark_as_used(path)
    return code


def write(name: str, code: bytes) -> None:
    """Put a cache file in place, whole; a folder that cannot be written is no error."""
    folder = cache_folder()
    if folder is None or not can_keep():
        return
    path = folder / file_name(name)
    temporary = folder / f"{_UNFINISHED}{os.urandom(8).hex()}"
    try:
        with open(temporary, "xb", opener=_open_for_us_to_write) as file:
            file.write(_checksum(path, code) + code)
        os.replace(temporary, path)
        _remove_superseded(folder)
    except OSError:
        _remove(temporary)
    except BaseException:
        _remove(temporary)
        raise


def _open_without_waiting(path: str, flags: int) -> int:
    """Open a file to read; a pipe of that name does not hold us up."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _open_for_us_to_write(path: str, flags: int) -> int:
    """Make a file that all may read who can reach it, if the user's mask says so, and nobody else may write."""
    return os.open(path, flags, 0o644)


def _checksum(path: Path, code: bytes) -> bytes:
    """Digest of object code and of the name it is kept under: a file under another's name is not taken for it."""
    return hashlib.sha256(path.name.encode() + b"\0" + code).digest()


def _mark_as_used(path: Path) -> None:
    """Note, at most once a day, that a file is in use, and look for those that are not."""
    with contextlib.suppress(OSError):
        os.utime(path)
        _remove_superseded(path.parent)


def _remove_superseded(folder: Path) -> None:
    """Remove what no run has used for long, and what a process that was killed has left half-written."""
    for entry in os.scandir(folder):
        if entry.name.startswith(_UNFINISHED):
            kept_s = _LEFT_OVER_S
        elif re.fullmatch(_FILE_NAME, entry.name):
            kept_s = KEPT_DAYS * _DAY_S
        else:
            continue
        with contextlib.suppress(OSError):
            status = entry.stat(follow_symlinks=False)
            if time.time() - max(status.st_mtime, status.st_atime) > kept_s:
                os.unlink(entry)


def _remove(path: Path) -> None:
    """Remove a file if it is still there."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def _is_trusted(folder: Path) -> bool:
    """Whether code in this folder may be run; says once why not."""
    if str(folder) in _trusted:
        return True
    reason = why_not_trusted(folder)
    if reason:
        _say(f"compiled kernels in {folder} are not used, because {reason}; they are compiled for this run alone")
    elif folder.is_dir():
        _trusted.add(str(folder))
    return not reason


def _say(message: str) -> None:
    if message not in _said:
        _said.add(message)
        warn(message)
