"""Making a batch: the shards that are missing, one after the other, and the file that shows them as one data set."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import click

from ..base import interruption
from ..base.errors import InputError, printable
from .master import make_masters
from .plan import Plan
from .progress import Progress
from .shards import ShardReport, failures, missing_shards, render_shard

NAME = "nb-batch"
# Makes shards, with so many threads each, and tells of progress.
Engine = Callable[[Plan, Sequence[int], int | None, Progress], None]
# Failed rows that are told of one by one.
MOST_TOLD = 10


def say(message: str) -> None:
    """Say something on standard error."""
    print(f"{NAME}: {printable(message)}", file=sys.stderr, flush=True)


def status_path(plan: Plan, part: tuple[int, int] = (1, 1)) -> str:
    """The file in which a run says how far it is."""
    name = "status.json" if part[1] == 1 else f"status-{part[0]}-of-{part[1]}.json"
    return os.path.join(plan.folder, name)


def run_batch(
    plan: Plan, part: tuple[int, int] = (1, 1), threads: int | None = None, retry: bool = False,
    again: Sequence[str] = (), engine: Engine | None = None,
) -> int:  # fmt: skip
    """Make the shards that are missing; returns the exit status: 0, 1 when rows failed, 128 + number after a signal.

    part: i of n. retry: make those anew in which rows failed. again: the command that goes on. engine: what makes the
    shards; None: this process. Raises InputError or
    OSError for what ends a batch.
    """
    wanted = missing_shards(plan, part, failed_too=retry)
    mine = list(plan.firsts[part[0] - 1 :: part[1]])
    total, to_do = (sum(plan.rows_of(first) for first in shards) for shards in (mine, wanted))
    if total > to_do:
        say(f"{total - to_do} of {total} rows are there already")
    progress = Progress(total, total - to_do, status_path(plan, part))
    go_on = f"go on with: {shlex.join(again)}" if again else "start it again to go on"
    try:
        with interruption.handled():
            try:
                (engine or _make)(plan, wanted, threads, progress)
            except (KeyboardInterrupt, click.Abort):
                interruption.clean_up()
                _say_stopped(plan, part, progress, go_on)
                _leave(interruption.exit_status())
    except BrokenPipeError:
        raise
    except (OSError, InputError):
        interruption.clean_up()
        _say_stopped(plan, part, progress, f"when that is mended, {go_on}")
        raise
    return _finish(plan, part, progress)


def _make(plan: Plan, wanted: Sequence[int], threads: int | None, progress: Progress) -> None:
    """Make shards one after the other; while one is rendered, the one before is brought to the disk."""
    before: Future[ShardReport] | None = None

    def told(rows: int, failed: int) -> None:
        progress.shard(rows, failed)
        interruption.check()

    finisher = ThreadPoolExecutor(1, thread_name_prefix="nb-batch")
    try:
        for first in wanted:
            finish = render_shard(plan, first, threads, told)
            progress.shard_done()
            if before is not None:
                before.result()
            before = finisher.submit(finish)
        if before is not None:
            before.result()
    finally:
        finisher.shutdown(wait=interruption.received is None)


def _say_stopped(plan: Plan, part: tuple[int, int], progress: Progress, go_on: str) -> None:
    """How many rows are done, by the files that are there, and how to go on."""
    progress.done = progress.total - progress.there - sum(map(plan.rows_of, missing_shards(plan, part)))
    progress.end("stopped")
    say(f"stopped; {progress.there + progress.done} of {progress.total} rows are done; {go_on}")


def _finish(plan: Plan, part: tuple[int, int], progress: Progress) -> int:
    """Make the master once nothing is missing; tell of failures."""
    left = missing_shards(plan)
    if not left:
        make_masters(plan)
    failed = failures(plan)
    progress.failed = len(failed)
    progress.end("complete" if not left else "part complete")
    for row in sorted(failed)[:MOST_TOLD]:
        say(f"row {row} failed: {failed[row]}")
    if len(failed) > MOST_TOLD:
        say(f"{len(failed) - MOST_TOLD} more rows failed; nb-batch status {shlex.quote(plan.folder)} tells of all")
    took = f", {progress.rate:.3g}/s" if progress.done else ""
    where = "" if part[1] == 1 else f" of part {part[0]} of {part[1]}"
    say(f"{progress.total} rows{where} done{took}{f', {len(failed)} failed' if failed else ''}")
    if left and part[1] > 1:
        say(f"{len(left)} shards of other parts are missing yet")
    return 1 if failed else 0


def _leave(status: int) -> None:
    """End the process after a signal, without waiting for images that threads are still rendering."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError):
            stream.flush()
    os._exit(status)
