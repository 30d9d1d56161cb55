"""Locks that forked children find open."""

from __future__ import annotations

import os
import threading


def lock_held_over_forks() -> threading.RLock:
    """A lock of a module, which a fork waits for.

    In the child there is only the thread that forked: another one that held the lock would not be there to let go of
    it, and what the lock guards would be left half done.
    """
    lock = threading.RLock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock
