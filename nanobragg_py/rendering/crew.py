"""Threads that share a list of chunks of rows; the caller hears of finished chunks in order."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..base import interruption
from ..base.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future


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


class Abandoned(Exception):
    """What a call was waiting for has failed."""


class Meanwhile:
    """A call that runs beside the body of a `with`; its exception, if any, is raised at the end of it.

    result: what the call returned, once the `with` has ended.
    """

    def __init__(self, work: Callable[..., Any], *arguments: object):
        self.result: Any = None
        self._error: BaseException | None = None
        self._call = lambda: work(*arguments)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._body_ended = threading.Event()
        self._body_failed = False

    def after_body(self) -> None:
        """For the call: wait for the end of the body. Raises Abandoned if that failed."""
        self._body_ended.wait()
        if self._body_failed:
            raise Abandoned

    def __enter__(self) -> Meanwhile:
        # If the system allows no more threads, the call follows the body.
        with contextlib.suppress(RuntimeError):
            self._thread.start()
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self._body_failed = error is not None
        self._body_ended.set()
        if self._thread.ident is not None:
            self._thread.join()
        elif error is None:
            self._run()
        if error is None and self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            self.result = self._call()
        except BaseException as error:
            self._error = error


class Alone:
    """The same for the caller's own thread: no other is started."""

    def __init__(self, work: Callable[[int, int], None], chunks: Sequence[Chunk], count: int = 1):
        self._work = work
        self._chunks = chunks

    def finished(self) -> Iterator[int]:
        """Do a chunk; yield its number."""
        for number, chunk in enumerate(self._chunks):
            self._work(*chunk)
            yield number

    def stop(self) -> None:
        """Nothing is at work."""


class Hired:
    """The same for threads that are there already: those of an executor."""

    def __init__(self, executor: Executor, work: Callable[[int, int], None], chunks: Sequence[Chunk], count: int = 1):
        self._executor = executor
        self._work = work
        self._chunks = chunks
        self._at_work: list[Future] = []

    def finished(self) -> Iterator[int]:
        """Hand out all chunks; yields the number of each once it and all before it are done."""
        self._at_work = [self._executor.submit(self._work, *chunk) for chunk in self._chunks]
        for number, future in enumerate(self._at_work):
            future.result()
            yield number

    def stop(self) -> None:
        """Call back what has not begun, and wait for the rest: they write into the caller's image."""
        from concurrent.futures import wait

        wait([future for future in self._at_work if not future.cancel()])
