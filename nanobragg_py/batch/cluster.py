"""Shards made by Dask's workers: on this machine, of a scheduler that is there, or of Slurm jobs.

A task is a shard, and its result a report of a few numbers. Two shards are in flight for each worker, so that neither
the scheduler nor this process holds more for a long table than for a short one. What is done is known by its files.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pkgutil
import time
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from .. import __version__
from ..base.errors import InputError, shown
from ..base.optional import require
from ..rendering.renderer import default_threads
from .plan import Plan
from .progress import Progress
from .run import say
from .shards import ShardReport, make_shard_in

# Shards in flight for each worker: one that is rendered, one that waits for it.
IN_FLIGHT = 2
# Seconds until a scheduler must have answered, and until a first worker must have joined.
SCHEDULER_SECONDS, WORKER_SECONDS = 30, 600
# Seconds after which the number of workers is asked for anew.
WORKERS_EVERY = 2.0
# Seconds between looks at whether a shard is done.
POLL_SECONDS = 0.02
# Workers that may die over one shard before it is taken for the cause.
DEATHS = 3
# Last messages to each worker that a scheduler keeps for whoever looks for its defects: some kB each.
KEPT_MESSAGES = 100
PACKAGE = "'nanobragg_py[cluster]'"
LOOPBACK = "127.0.0.1"


class OnCluster:
    """Makes shards by workers; to be given to run_batch."""

    def __init__(self, where: str, options: Mapping[str, str]):
        """where: local, local:N, slurm, a scheduler's address or the file in which it has written that.

        options: of the cluster, for local and slurm. Raises InputError for what is none of these, or not installed.
        """
        self.where, self.options = where, dict(options)
        require("distributed", "--cluster", PACKAGE)
        kind, colon, number = where.partition(":")
        if kind == "slurm":
            require("dask_jobqueue", "--cluster slurm", PACKAGE)
        elif kind == "local":
            if colon and not (number.isdecimal() and int(number)):
                raise InputError(f"--cluster local:N: expected a number of workers, got '{shown(number)}'")
        elif "://" not in where and not os.path.isfile(where):
            raise InputError(
                f"--cluster {shown(where)}: expected local, local:N, slurm, tcp://ADDRESS:PORT, or a scheduler's file"
            )
        if options and kind not in ("local", "slurm"):
            raise InputError("--cluster-option is for --cluster local and slurm: a scheduler has its own already")

    def __call__(self, plan: Plan, wanted: Sequence[int], threads: int | None, progress: Progress) -> None:
        """Make the shards. Raises InputError when the cluster cannot, OSError when the files cannot be written."""
        if not wanted:
            return
        import dask
        from distributed.comm import CommClosedError

        for name in list(logging.root.manager.loggerDict):
            # What happens to workers and schedulers is said here, in a line.
            if name.partition(".")[0] in ("distributed", "tornado", "asyncio"):
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        settings = {
            "distributed.scheduler.allowed-failures": DEATHS,
            "distributed.comm.timeouts.connect": f"{SCHEDULER_SECONDS}s",
            "distributed.worker.daemon": True,
            # Of a scheduler of this run's own.
            "distributed.admin.low-level-log-length": KEPT_MESSAGES,
        }
        if threads is None:
            threads = threads_of_local(self.where, self.options)
        with dask.config.set(settings), self._client() as client:
            if client.dashboard_link and find_spec("bokeh"):
                say(f"dashboard: {client.dashboard_link}")
            self._wait_for_worker(client)
            try:
                _check_workers(client)
                hand_out(client, plan, wanted, threads, progress)
            except CommClosedError as error:
                raise InputError(f"the scheduler has gone: {_first_line(error)}") from error

    @contextlib.contextmanager
    def _client(self) -> Iterator[Any]:
        """A client of the cluster; one that was started here ends with it."""
        from distributed import Client

        with contextlib.ExitStack() as stack:
            try:
                if self.where.partition(":")[0] in ("local", "slurm"):
                    cluster = stack.enter_context(self._started())
                    client = Client(cluster, timeout=SCHEDULER_SECONDS)
                elif "://" in self.where:
                    client = Client(self.where, timeout=SCHEDULER_SECONDS)
                else:
                    client = Client(scheduler_file=self.where, timeout=SCHEDULER_SECONDS)
            except (OSError, RuntimeError, TimeoutError, TypeError, ValueError) as error:
                raise InputError(f"--cluster {shown(self.where)}: {_first_line(error)}") from error
            stack.callback(_close, client)
            yield client

    def _started(self) -> Any:
        """A cluster of this run's own."""
        kind, _, number = self.where.partition(":")
        options = {name.replace("-", "_"): _number(value) for name, value in self.options.items()}
        if kind == "local":
            from distributed import LocalCluster

            settings = {
                "n_workers": int(number or 1), "threads_per_worker": 1, "processes": True, "host": LOOPBACK,
                "dashboard_address": f"{LOOPBACK}:0", "silence_logs": logging.CRITICAL,
            }  # fmt: skip
            return LocalCluster(**(settings | options))
        from dask_jobqueue import SLURMCluster

        jobs = int(options.pop("jobs", 1))
        settings = {"processes": 1, "cores": 1, "memory": "4GB"}
        cluster: Any = SLURMCluster(**(settings | options))
        cluster.scale(jobs=jobs)
        return cluster

    def _wait_for_worker(self, client: Any) -> None:
        try:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError as error:
            raise InputError(
                f"--cluster {shown(self.where)}: no worker has joined within {WORKER_SECONDS} seconds"
            ) from error


def _check_workers(client: Any) -> None:
    """Raise InputError where a worker has no nanobragg_py, which would end it at its first shard, or another version.

    They are asked by what Python itself has, for it is sent to them by its name.
    """
    asked = client.run(pkgutil.resolve_name, "nanobragg_py:__version__", on_error="return")
    for address, found in asked.items():
        if isinstance(found, ImportError):
            raise InputError(f"worker {address} has no nanobragg_py: {_first_line(found)}; expected it to be installed")
        if isinstance(found, str) and found != __version__:
            raise InputError(f"worker {address} has nanobragg_py {found}; expected {__version__}, which runs here")


def threads_of_local(where: str, options: Mapping[str, str]) -> int | None:
    """Threads for each worker where they share this machine; None for others, which have a machine each."""
    kind, _, number = where.partition(":")
    if kind != "local":
        return None
    said = {name.replace("-", "_"): value for name, value in options.items()}
    workers = _number(said.get("n_workers", number or "1"))
    return max(1, default_threads() // workers) if isinstance(workers, int) and workers else None


def hand_out(client: Any, plan: Plan, wanted: Sequence[int], threads: int | None, progress: Progress) -> None:
    """Hand out shards as workers become free, in order; count those that come back."""
    from distributed import as_completed

    waiting = iter(wanted)
    # Futures that nobody holds are forgotten by the scheduler, and their results with them.
    # Results are fetched beside: that of a worker that has died since would be waited for here, without an end.
    done: Any = as_completed(with_results=True, raise_errors=False)

    def submit_next() -> bool:
        first = next(waiting, None)
        if first is None:
            return False
        # A name of its own for each try: what another run has made, or failed to make, is another matter.
        done.add(client.submit(make_shard_in, plan.folder, first, threads, key=f"shard-{first}-{os.urandom(4).hex()}"))
        return True

    room, asked = _room(client), time.monotonic()
    worker_seen = asked

    def next_done() -> tuple[Any, Any]:
        """The next shard that is done, and what came of it. Raises InputError after long without a worker."""
        nonlocal room, asked, worker_seen
        while not done.has_ready():
            if time.monotonic() - asked > WORKERS_EVERY:
                # Workers may have joined, or left.
                room, asked = _room(client), time.monotonic()
                if room:
                    worker_seen = asked
                elif asked - worker_seen > WORKER_SECONDS:
                    raise InputError(f"all workers have gone, and none has joined within {WORKER_SECONDS} seconds")
            time.sleep(POLL_SECONDS)
        future, result = next(done)
        return future, result

    in_flight = 0
    while in_flight < max(room, IN_FLIGHT) and submit_next():
        in_flight += 1
    while in_flight:
        report = _report(*next_done())
        in_flight -= 1
        progress.shard(report.rows, len(report.failed))
        progress.shard_done()
        if time.monotonic() - asked > WORKERS_EVERY:
            room, asked = _room(client), time.monotonic()
            worker_seen = asked if room else worker_seen
        while in_flight < max(room, IN_FLIGHT) and submit_next():
            in_flight += 1


def _room(client: Any) -> int:
    """How many shards may be in flight by the workers that there are; 0 without any."""
    return IN_FLIGHT * len(client.nthreads())


def _report(future: Any, result: Any) -> ShardReport:
    """What came of a shard. Raises what stopped it."""
    from distributed.scheduler import KilledWorker

    try:
        if isinstance(result, BaseException):
            raise result
        if future.status == "error":
            raise result[1]
        report: ShardReport = result
    except KilledWorker as error:
        raise InputError(
            f"{DEATHS + 1} workers died over one shard, {error.last_worker.address} last: too little memory for it?"
        ) from error
    except InputError:
        raise
    except OSError as error:
        if future.cancelled() or "connection" in str(error).lower() or "scheduler" in str(error).lower():
            raise InputError(f"the scheduler has gone: {_first_line(error)}") from error
        raise
    except Exception as error:
        # Cancelled futures, and whatever Dask has to say.
        raise InputError(f"the scheduler has gone, or will not go on: {_first_line(error)}") from error
    finally:
        future.release()
    return report


def _close(client: Any) -> None:
    with contextlib.suppress(Exception):
        client.close(timeout=5)


def _first_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {shown(str(error).partition(chr(10))[0])}"


def _number(text: str) -> Any:
    """A number where the text is one."""
    return int(text) if text.isdecimal() else text
