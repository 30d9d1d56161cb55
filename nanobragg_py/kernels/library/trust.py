"""Who could have put code into a folder.

Code in the cache is run with the user's rights, so nobody may have written it whom the user does not trust already:
the user, the administrator (root), and the owner of this program's own files. So a folder and its files must belong
to one of these, and nobody else may be able to write them; links on the way to the folder must belong to one of
them, too; and in a folder above that everyone can write (/tmp) only owners may rename things (the sticky bit).
"""

from __future__ import annotations

import functools
import os
import stat
from collections.abc import Iterator
from pathlib import Path

_MOST_LINKS = 40


def why_not_trusted(folder: Path) -> str:
    """Why code in this folder must not be run; empty if it may. A folder that does not exist is trusted."""
    if not hasattr(os, "geteuid"):
        return ""
    try:
        steps = list(_steps(folder))
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"the folder cannot be reached: {(error.strerror or str(error)).lower()}"
    *above, (_, last) = steps
    reasons = [_why_not_passed(path, status) for path, status in above]
    return next(filter(None, reasons), "") or why_not_trusted_file(last, "the folder")


def why_not_trusted_file(status: os.stat_result, what: str) -> str:
    """Why a file or folder with this status is not trusted; empty if it is."""
    if not hasattr(os, "geteuid"):
        return ""
    if status.st_uid not in _trusted_users():
        return f"{what} belongs to {_user_name(status.st_uid)}"
    if _others_can_write(status):
        return f"others can write to {what} (`chmod go-w` changes that)"
    return ""


def _why_not_passed(path: str, status: os.stat_result) -> str:
    """Why a link or folder on the way does not lead to a trusted place; empty if it does."""
    if stat.S_ISLNK(status.st_mode):
        return "" if status.st_uid in _trusted_users() else f"the link {path} belongs to {_user_name(status.st_uid)}"
    if status.st_mode & stat.S_IWOTH and not status.st_mode & stat.S_ISVTX:
        return f"everyone can write to {path}"
    return ""


def _steps(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Each folder and link on the way to an absolute path, and its end, with their status. Raises OSError."""
    parts = list(reversed(os.path.abspath(path).split(os.sep)))
    at, links = os.sep, 0
    yield at, os.lstat(at)
    while parts:
        part = parts.pop()
        if part in ("", "."):
            continue
        if part == "..":
            at = os.path.dirname(at)
            continue
        step = os.path.join(at, part)
        status = os.lstat(step)
        yield step, status
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise OSError("too many links")
            target = os.readlink(step)
            at = os.sep if os.path.isabs(target) else at
            parts += reversed(target.split(os.sep))
        else:
            at = step


@functools.cache
def _trusted_users() -> frozenset[int]:
    return frozenset((os.geteuid(), 0, os.stat(__file__).st_uid))


def _others_can_write(status: os.stat_result) -> bool:
    if status.st_mode & stat.S_IWOTH:
        return True
    return bool(status.st_mode & stat.S_IWGRP) and not _is_of_one(status.st_gid, status.st_uid)


def _is_of_one(group: int, user: int) -> bool:
    """Whether a group has no member but this user: each user has such a group of the same name on many systems."""
    import grp
    import pwd

    try:
        name = pwd.getpwuid(user).pw_name
        found = grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_name == name and set(found.gr_mem) <= {name}


def _user_name(user: int) -> str:
    import pwd

    try:
        return f"the user {pwd.getpwuid(user).pw_name}"
    except KeyError:
        return f"another user (number {user})"
