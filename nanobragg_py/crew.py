"""Threads that share a list of chunks of rows; the caller hears of finished chunks in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from . import interruption
from .errors import InputError

Chunk = tuple[int, int]


class Crew:
    """`count` threads that call `work(first, last)` for each chunk, in order of the list.

    The work lets go of the interpreter's lock, so the threads do run at the same time. An exception in one of
    them is raised in the caller.
    """

    def __init__(self, work: Callable[[int, int], None], chunks: Sequence[Chunk], count: int):
        self._work = work
        self._chunks = chunks
        self._next = 0
        self._done = [False] * len(chunks)
        self._error: BaseException | None = None
        self._stopping = False
        self._changed = threading.Condition()
        count = min(count, len(chunks))
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(count)]

    def finished(self) -> Iterator[int]:
        """Start; yields the number of each chunk once it and all before it are done."""
        self._start()
        for number in range(len(self._chunks)):
            with self._changed:
                while not self._done[number] and self._error is None:
                    self._changed.wait()
                if self._error is not None:
                    raise self._error
            yield number

    def _start(self) -> None:
        """Start the threads, or as many as the system allows."""
        for started, thread in enumerate(self._threads):
            try:
                thread.start()
            except RuntimeError as error:
                if started:
                    return
                raise InputError("no thread can be started: raise the limit on processes") from error

    def stop(self) -> None:
        """Let no thread take another chunk, and wait for those at work; not if a signal ends the run."""
        with self._changed:
            self._stopping = True
        for thread in self._threads:
            if thread.ident is not None and interruption.received is None:
                thread.join()

    def _run(self) -> None:
        while True:
            with self._changed:
                if self._stopping or self._error is not None or self._next >= len(self._chunks):
                    return
                number = self._next
                self._next += 1
            try:
                self._work(*self._chunks[number])
            except BaseException as error:
                with self._changed:
                    self._error = error
                    self._changed.notify_all()
                return
            with self._changed:
                self._done[number] = True
                self._changed.notify_all()


class Meanwhile:
    """A call that runs beside the body of a `with`; its exception, if any, is raised at the end of it."""

    def __init__(self, work: Callable[..., None], *arguments: object):
        self._error: BaseException | None = None
        self._call = lambda: work(*arguments)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._thread.join()
        if error is None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self._call()
        except BaseException as error:
            self._error = error
