"""Reading files whole, and writing them whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from typing import BinaryIO

from . import interruption
from .errors import InputError
from .locks import lock_held_over_forks
from .memory import require_memory, size_text

# A pipe or a device that gives more than this is taken for one that never ends (bytes).
ENDLESS = 2**30


# Files being written that do not have their name yet, by any thread.
_unfinished: set[str] = set()


_lock = lock_held_over_forks()


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def read_bytes(path: str, option: str, may_be_empty: bool = False) -> bytes:
    """A file's content. Raises InputError, naming the option, when it is missing, unreadable or empty."""
    try:
        with open(path, "rb") as file:
            content = _read_all(file, f"{path}: {option}")
    except OSError as error:
        raise InputError(f"{path}: {option} cannot be read: {_reason(error)}") from error
    if not content and not may_be_empty:
        raise InputError(f"{path}: {option} names an empty file")
    return content


def _read_all(file: BinaryIO, what: str) -> bytes:
    """What a file holds, if that can fit into memory; a device or a pipe may never end."""
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode):
        require_memory(status.st_size, what)
        return file.read()
    content = file.read(ENDLESS)
    if len(content) == ENDLESS:
        raise InputError(f"{what} cannot be read: it does not end within {size_text(ENDLESS)}")
    return content


def check_writable(path: str, option: str) -> None:
    """Raise InputError when a file could not be made there: found out before hours of work, not after."""
    folder = os.path.dirname(path) or "."
    if os.path.isdir(path):
        raise InputError(f"{path}: {option} cannot be written: it is a folder")
    if not os.path.isdir(folder):
        raise InputError(f"{path}: {option} cannot be written: the folder {folder} does not exist")
    if written_directly(path):
        return
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{path}: {option} cannot be written: the folder {folder} is not writable")
    if os.path.exists(path) and not os.access(path, os.W_OK):
        raise InputError(f"{path}: {option} cannot be written: the file is read-only")


def written_directly(path: str) -> bool:
    """Whether a file is a device or a pipe, to which bytes go as they come."""
    return os.path.exists(path) and not os.path.isfile(path)


@contextlib.contextmanager
def whole_file(path: str, option: str) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is complete; until then the old one stays.

    A path that is no regular file (/dev/null, a pipe) is written directly. Raises InputError for a full disk and
    the like.
    """
    if written_directly(path):
        try:
            with open(path, "wb") as file:
                yield file
        except OSError as error:
            raise InputError(f"{path}: {option} cannot be written: {_reason(error)}") from error
        return
    temporary = ""
    try:
        # A link is followed, so that the file it points to is replaced and not the link.
        target = os.path.realpath(path) if os.path.islink(path) else path
        folder, name = os.path.split(target)
        temporary = os.path.join(folder, f".{name[:40]}.{os.urandom(4).hex()}")
        with _open_unfinished(temporary) as file:
            _keep_mode(target, file)
            yield file
        with _lock:
            _stop_if_interrupted()
            os.replace(temporary, target)
            _unfinished.discard(temporary)
    except OSError as error:
        _remove(temporary)
        raise InputError(f"{path}: {option} cannot be written: {_reason(error)}") from error
    except BaseException:
        _remove(temporary)
        raise


def _open_unfinished(path: str) -> BinaryIO:
    with _lock:
        _stop_if_interrupted()
        _unfinished.add(path)
        return open(path, "xb")


def _stop_if_interrupted() -> None:
    """In a thread that has not heard of the signal: begin, and finish, no more files."""
    if interruption.received is not None:
        raise interruption.Interrupted


def _remove_unfinished() -> None:
    """Remove what threads of this process are still writing: the process is about to end."""
    with _lock:
        for path in list(_unfinished):
            _remove(path)


interruption.clean_ups.append(_remove_unfinished)


def _keep_mode(target: str, file: BinaryIO) -> None:
    with contextlib.suppress(OSError):
        os.fchmod(file.fileno(), os.stat(target).st_mode & 0o7777)


def _remove(path: str) -> None:
    _unfinished.discard(path)
    with contextlib.suppress(OSError):
        os.unlink(path)


def file_is_there(path: str) -> bool:
    """Whether there is a file, or a pipe, that can be opened for reading."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)) and os.access(path, os.R_OK)
