"""Chunks of rows shared among threads; the caller hears of finished chunks in order."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

from ..base import interruption
from ..base.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

Chunk = tuple[int, int]
Work = Callable[[int, int], None]


class KeptThreads:
    """Threads that are kept from image to image; a forked child, which has none of its parent's, starts its own."""

    def __init__(self, count: int):
        self.count = count
        self.closed = False
        self._lock = threading.Lock()
        self._executor: Executor | None = None
        _ALL_KEPT.add(self)

    def executor(self) -> Executor:
        """What runs work on them, started if need be. Raises InputError once they are ended."""
        with self._lock:
            if self.closed:
                raise InputError("the simulator is closed: its threads have ended")
            if self._executor is None:
                # Not at the top, as below.
                from concurrent.futures import ThreadPoolExecutor

                self._executor = ThreadPoolExecutor(self.count, thread_name_prefix="nanobragg_py")
            return self._executor

    def close(self) -> None:
        """End them, once they have finished what they were given."""
        with self._lock:
            self.closed = True
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()

    def forget(self) -> None:
        """In a forked child: the parent's threads are not here, and one of them may have held the lock."""
        self._lock = threading.Lock()
        self._executor = None


_ALL_KEPT: weakref.WeakSet[KeptThreads] = weakref.WeakSet()


def _forget_all() -> None:
    for kept in list(_ALL_KEPT):
        kept.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)


def finished_chunks(
    work: Work, chunks: Sequence[Chunk], threads: int, executor: Executor | None = None
) -> Generator[int, None, None]:
    """Call work(first, last) for each chunk; yields the number of each once it and all before it are done.

    The work lets go of the interpreter's lock, so that threads do run at the same time: those of an executor, or
    `threads` new ones. One thread, or one chunk, is the caller's own. An exception of the work is raised here. Closing
    the iterator lets no further chunk begin, and waits for those at work, which write into the caller's image.
    """
    threads = min(threads, len(chunks))
    if threads <= 1:
        for number, chunk in enumerate(chunks):
            work(*chunk)
            yield number
    elif executor is not None:
        yield from _by_executor(work, chunks, executor)
    else:
        # Not at the top: it takes 4 ms, which small images do without.
        from concurrent.futures import ThreadPoolExecutor

        pool = ThreadPoolExecutor(threads)
        try:
            _start_threads(pool, threads)
            yield from _by_executor(work, chunks, pool)
        finally:
            # A signal that ends the process does not wait for rows that may take minutes.
            pool.shutdown(wait=interruption.received is None, cancel_futures=True)


def sharing(threads: int, executor: Executor | None = None) -> Callable[[Work, Sequence[Chunk]], None]:
    """What calls work on chunks by so many threads, and returns when all are done: finished_chunks without news."""

    def share(work: Work, chunks: Sequence[Chunk]) -> None:
        for _ in finished_chunks(work, chunks, threads, executor):
            pass

    return share


def _start_threads(pool: Executor, threads: int) -> None:
    """Start the pool's threads, or as many as the system allows. Raises InputError if it allows none."""
    for started in range(threads):
        try:
            pool.submit(_nothing)
        except RuntimeError as error:
            if started:
                return
            raise InputError("no thread can be started: raise the limit on processes") from error


def _nothing() -> None:
    """Work that only makes a pool start a thread."""


def _by_executor(work: Work, chunks: Sequence[Chunk], executor: Executor) -> Generator[int, None, None]:
    from concurrent.futures import wait

    futures = [executor.submit(work, *chunk) for chunk in chunks]
    try:
        for number, future in enumerate(futures):
            future.result()
            yield number
    finally:
        left = [future for future in futures if not future.cancel()]
        if interruption.received is None:
            wait(left)
