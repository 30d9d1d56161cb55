"""Making one shard of a plan. It does not matter who asks: a loop, a part of the list, or workers on other machines."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from .. import __version__
from ..base import interruption
from ..base.errors import InputError, silenced
from ..base.files import whole_file
from ..base.process import message_of
from ..formats.shard import ShardFacts, ShardWriter, sync
from ..model.experiment import Experiment
from ..rendering.renderer import default_threads
from .columns import values_text
from .plan import FAILED_ENDING, Plan, load_plan, read_manifest
from .rows import RowImage, RowRenderer, checksum_of

UNFINISHED = ".part"
# Runs of images that are rendered ahead of the one that is written, for each thread.
AHEAD = 2
# Steps that a run's images are sums of, and how many runs there shall be for each thread, if there are enough images.
RUN_STEPS = 1 << 20
RUNS = 8
# In place of pixels that nobody needs any more.
NOTHING = np.empty((0, 0))
TRIES = 2


class ShardReport(NamedTuple):
    """What came of a shard: its first row, how many it has, which failed and why, its size, and how long it took."""

    first: int
    rows: int
    failed: dict[int, str]
    bytes: int
    seconds: float


class Failure(NamedTuple):
    """A row without an image."""

    row: int
    message: str


class Made(NamedTuple):
    """A row's image, compressed: what its shard gets. checksum: see checksum_of. about: without the pixels."""

    row: int
    chunk: bytes
    checksum: int
    about: RowImage


# What removes each file that is not finished.
_removers: dict[str, Callable[[], None]] = {}


# The renderer that was used last: shards of one plan come one after the other.
_last: list[RowRenderer] = []


def missing_shards(plan: Plan, part: tuple[int, int] = (1, 1), failed_too: bool = False) -> list[int]:
    """First rows of the shards that are not there, of part i of n: every n-th shard from the i-th on.

    failed_too: also of those in which a row failed. State is the files, and nothing else.
    """
    there = {name for name in os.listdir(plan.folder) if name.startswith("shard_")}

    def is_missing(first: int) -> bool:
        if os.path.basename(plan.shard_path(first)) not in there:
            return True
        return failed_too and os.path.basename(plan.failures_path(first)) in there

    return [first for first in plan.firsts[part[0] - 1 :: part[1]] if is_missing(first)]


def make_shard(
    plan: Plan, first: int, threads: int | None = None, progress: Callable[[int, int], None] | None = None
) -> ShardReport:
    """Render the rows of a shard and write its file, which appears when it is complete and on the disk.

    threads: how many images are rendered at a time; all cores if None. progress: called after each row with the number
    of rows done and of those that failed. Raises OSError for a full disk and the like; a row that fails is recorded,
    and the others are rendered.
    """
    return render_shard(plan, first, threads, progress)()


def make_shard_in(folder: str, first: int, threads: int | None = None) -> ShardReport:
    """make_shard of the batch in a folder: what a worker elsewhere is sent is a name and two numbers.

    Raises InputError, also where nanobragg_py has another version than the batch.
    """
    version = read_manifest(folder)["nanobragg_py"]
    if version != __version__:
        where = socket.gethostname()
        raise InputError(f"{folder}: the batch is of nanobragg_py {version}; the worker on {where} has {__version__}")
    return make_shard(load_plan(folder), first, threads)


def render_shard(
    plan: Plan, first: int, threads: int | None = None, progress: Callable[[int, int], None] | None = None
) -> Callable[[], ShardReport]:
    """The first part of make_shard, with all that takes processors; what is returned does the rest.

    That waits for the disk, and may be called by another thread while the next shard is rendered.
    """
    began = time.monotonic()
    threads = threads or default_threads()
    rows = list(plan.table.read(first, first + plan.rows_of(first)))
    # Where there are more threads than images, they share the work on each.
    renderer = _renderer(plan, threads if len(rows) < threads else 1)
    path = plan.shard_path(first)
    part = f"{path}.{socket.gethostname()[:40]}-{os.getpid()}{UNFINISHED}"
    failed: dict[int, str] = {}
    with _unfinished(part, path, until_end=False), silenced(True):
        writer = _new_writer(plan, renderer, first, part)
        try:
            done = 0
            with contextlib.closing(_rendered(renderer, writer, first, rows, threads)) as runs:
                for run in runs:
                    for image in run:
                        if isinstance(image, Failure):
                            failed[image.row] = image.message
                            writer.fail(image.row - first, image.message)
                        else:
                            _write(writer, image, image.row - first)
                    done += len(run)
                    if progress is not None:
                        progress(done, len(failed))
        except BaseException:
            writer.abandon()
            raise

    def finish() -> ShardReport:
        with _unfinished(part, path, until_end=True):
            try:
                writer.finish(rows)
            except BaseException:
                writer.abandon()
                raise
            size = os.path.getsize(part)
            _note_failures(plan, first, failed)
            os.replace(part, path)
            sync(plan.folder)
        return ShardReport(first, len(rows), failed, size, time.monotonic() - began)

    return finish


@contextlib.contextmanager
def _unfinished(part: str, path: str, until_end: bool) -> Iterator[None]:
    """A file that is removed when something goes wrong, or a signal ends the process.

    until_end: whether it has its name at the end of this; otherwise it goes on being unfinished.
    """
    remove = _removers.setdefault(part, _remover(part))
    if remove not in interruption.clean_ups:
        interruption.clean_ups.append(remove)
    over = True
    try:
        yield
        over = until_end
    except OSError as error:
        remove()
        raise OSError(error.errno, error.strerror or str(error), path) from error
    except BaseException:
        remove()
        raise
    finally:
        if over:
            interruption.clean_ups.remove(remove)
            del _removers[part]


def _renderer(plan: Plan, threads: int) -> RowRenderer:
    """The renderer of a plan, kept from shard to shard; only one is."""
    if not _last or _last[0].plan != plan or _last[0].threads != threads:
        _last[:] = [RowRenderer(plan, threads)]
    return _last[0]


def _remover(path: str) -> Callable[[], None]:
    def remove() -> None:
        with contextlib.suppress(OSError):
            os.unlink(path)

    return remove


def _new_writer(plan: Plan, renderer: RowRenderer, first: int, path: str) -> ShardWriter:
    storage = plan.storage
    facts = ShardFacts(
        first=first,
        rows=plan.rows_of(first),
        template=renderer.template,
        dtype=storage.dtype,
        attributes={
            "pixels": "counts" if plan.noise else "photons",
            "code": storage.code,
            "code_factor": storage.factor,
            "decode": storage.decode,
            "table_sha256": plan.digest,
        },
        columns=plan.columns,
        largest=storage.largest if plan.noise else None,
        compression=plan.compression,
        labels=plan.limits is not None,
    )
    try:
        return ShardWriter(path, facts)
    except BaseException:
        _remover(path)()
        raise


Run = list[Made | Failure]


def _rendered(
    renderer: RowRenderer, writer: ShardWriter, first: int, rows: list[tuple[Any, ...]], threads: int
) -> Generator[Run, None, None]:
    """Images of the rows, in order, a run of them after the other; each run is one thread's work, of several."""

    def work(begin: int, end: int) -> Run:
        return [_made(renderer, writer, first + at, rows[at]) for at in range(begin, end)]

    runs = runs_of(len(rows), threads, renderer.template)
    if threads == 1:
        for run in runs:
            yield work(*run)
        return
    waiting: deque[Future[Run]] = deque()
    pool = ThreadPoolExecutor(threads, thread_name_prefix="nb-batch")
    try:
        for run in runs:
            waiting.append(pool.submit(work, *run))
            if len(waiting) > AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        # A signal that ends the process does not wait for images that may take minutes.
        pool.shutdown(wait=interruption.received is None, cancel_futures=True)


def runs_of(rows: int, threads: int, template: Experiment) -> list[tuple[int, int]]:
    """First, and one after the last, of the rows that a thread renders before it hands them over.

    Images that take little are handed over several at a time, for threads wait for each other when they do so; but
    there shall be enough runs for all of them to the end. template: the experiment of one of the rows.
    """
    steps = template.detector.pixels * template.steps * template.detector.layers.count
    size = max(1, min(RUN_STEPS // max(steps, 1), rows // (RUNS * threads)))
    return [(begin, min(begin + size, rows)) for begin in range(0, rows, size)]


def _made(renderer: RowRenderer, writer: ShardWriter, row: int, values: tuple[Any, ...]) -> Made | Failure:
    """An image as its shard gets it, or why there is none after a second try."""
    for left in reversed(range(TRIES)):
        try:
            image = renderer.image(row, values)
            chunk = writer.packed(image.pixels)
            checksum = checksum_of(values_text(renderer.plan.columns, values), chunk)
            return Made(row, chunk, checksum, image._replace(pixels=NOTHING))
        except Exception as error:
            if not left:
                message = message_of(error)
                return Failure(row, message or f"internal: {type(error).__name__}: {error}")
    raise AssertionError


def _write(writer: ShardWriter, made: Made, at: int) -> None:
    image = made.about
    labels = None if image.spots is None else dict(image.spots._asdict())
    writer.write(
        at, made.chunk, image.real, labels, checksum=made.checksum, pixels_beyond=image.beyond, matrix=image.matrix,
        rotation=image.rotation,
    )  # fmt: skip


def _note_failures(plan: Plan, first: int, failed: dict[int, str]) -> None:
    """A small file beside a shard with failures, so that nobody has to open all shards to find them."""
    path = plan.failures_path(first)
    if failed:
        with whole_file(path, "shard") as file:
            file.write(json.dumps({str(row): text for row, text in failed.items()}, indent=1).encode() + b"\n")
    else:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


def failures(plan: Plan) -> dict[int, str]:
    """Rows of all shards that failed, and why."""
    found: dict[int, str] = {}
    for name in sorted(os.listdir(plan.folder)):
        if name.startswith("shard_") and name.endswith(FAILED_ENDING):
            if not os.path.exists(os.path.join(plan.folder, name.removesuffix(FAILED_ENDING) + ".h5")):
                continue
            with open(os.path.join(plan.folder, name), encoding="utf-8") as file:
                try:
                    found |= {int(row): text for row, text in json.load(file).items()}
                except ValueError as error:
                    raise InputError(f"{os.path.join(plan.folder, name)}: is damaged") from error
    return found
