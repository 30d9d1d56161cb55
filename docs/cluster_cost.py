"""What a cluster costs: nb-batch's own hand-out of shards, to workers that only sleep, with a scheduler by itself.

python docs/cluster_cost.py WORKERS SHARDS SECONDS takes about SHARDS * SECONDS / WORKERS seconds. It prints how long
that would be if nothing but sleep took time, how long it was, and what the scheduler and the client needed for each
shard. Everything is on the loopback. It needs `pip install 'nanobragg_py[cluster]'`.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import dask
import psutil
from distributed import Client, Worker

from nanobragg_py.batch import cluster
from nanobragg_py.batch.progress import Progress
from nanobragg_py.batch.shards import ShardReport

LOOPBACK = "127.0.0.1"
# Workers that one process pretends to be.
WORKERS_A_PROCESS = 25
# Seconds between lines, and until all workers must have joined.
TOLD_EVERY, JOIN_SECONDS = 60.0, 300


def sleeping(folder: str, first: int, threads: int | None) -> ShardReport:
    """Stands for make_shard_in; the folder's name is a number of seconds."""
    time.sleep(float(folder))
    return ShardReport(first, 1, {}, 1, float(folder))


class Sleep(NamedTuple):
    """Stands for a plan."""

    folder: str


def be_workers(count: int, scheduler: str, folder: str) -> None:
    """Be so many workers, until the scheduler ends."""
    logging.disable(logging.CRITICAL)
    # What looks at the process a hundred times a second has two hundred workers to look for here.
    dask.config.set({"distributed.worker.profile.enabled": False, "distributed.admin.system-monitor.interval": "30s"})

    async def serve() -> None:
        options: dict[str, Any] = {"nthreads": 1, "host": LOOPBACK, "dashboard": False, "local_directory": folder}
        workers = [await Worker(scheduler, **options) for _ in range(count)]
        await asyncio.gather(*(worker.finished() for worker in workers))

    asyncio.run(serve())


class Counting(Progress):
    """Counts shards, and says now and then what the scheduler has needed so far."""

    def __init__(self, total: int, folder: str, scheduler: psutil.Process) -> None:
        super().__init__(total, 0, str(Path(folder, "status.json")))
        self.scheduler = scheduler
        self.told = time.monotonic()

    def shard(self, rows: int, failed: int) -> None:
        """So many more shards are done."""
        super().shard(rows, failed)
        if time.monotonic() - self.told > TOLD_EVERY:
            self.told = time.monotonic()
            used, memory = processor_s(self.scheduler), self.scheduler.memory_info().rss >> 20
            print(f"{self.done} shards: scheduler {1e3 * used / self.done:.2f} ms each, {memory} MB", flush=True)


def processor_s(process: psutil.Process) -> float:
    """Seconds of processor time that a process has had."""
    times = process.cpu_times()
    return float(times.user + times.system)


def scheduler_in(folder: str) -> tuple[subprocess.Popen[bytes], str]:
    """A scheduler's process, and the file with its address."""
    file = str(Path(folder, "scheduler.json"))
    words = ["--host", LOOPBACK, "--port", "0", "--no-dashboard", "--no-show", "--scheduler-file", file]
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", *words]
    path = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    kept = {"DASK_DISTRIBUTED__ADMIN__LOW_LEVEL_LOG_LENGTH": str(cluster.KEPT_MESSAGES)}
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | kept | {"PYTHONPATH": path})
    while not Path(file).exists():
        time.sleep(0.1)
    return process, file


def measure(workers: int, shards: int, seconds: float, folder: str) -> None:
    """Hand the shards out, and print what it took."""
    process, file = scheduler_in(folder)
    spawn = multiprocessing.get_context("spawn")
    sizes = [min(WORKERS_A_PROCESS, workers - at) for at in range(0, workers, WORKERS_A_PROCESS)]
    try:
        with Client(scheduler_file=file) as client:
            address = client.scheduler.address
            hosts = [spawn.Process(target=be_workers, args=(size, address, folder), daemon=True) for size in sizes]
            for host in hosts:
                host.start()
            client.wait_for_workers(workers, timeout=JOIN_SECONDS)
            scheduler, ours = psutil.Process(process.pid), psutil.Process()
            others = [psutil.Process(host.pid) for host in hosts]
            before = [processor_s(each) for each in (scheduler, ours, *others)]
            memory, began = scheduler.memory_info().rss >> 20, time.monotonic()
            plan: Any = Sleep(str(seconds))
            cluster.hand_out(client, plan, range(shards), 1, Counting(shards, folder, scheduler))
            took = time.monotonic() - began
            used = [processor_s(each) - was for each, was in zip((scheduler, ours, *others), before, strict=True)]
            ideal = -(-shards // workers) * seconds
            print(f"{workers} workers, {shards} shards of {seconds:g} s: {took:.1f} s, ideal {ideal:.1f} s")
            each = [f"{1e3 * part / shards:.2f} ms" for part in (used[0], used[1], sum(used[2:]))]
            print("processor time for each shard: scheduler {}, client {}, workers {}".format(*each))
            print(f"scheduler's memory: {memory} MB before, {scheduler.memory_info().rss >> 20} MB after")
            client.shutdown()
    finally:
        process.kill()


if __name__ == "__main__":
    # By a name that scheduler and workers can import, too, as they do nb-batch's own: so messages have its size.
    cluster.make_shard_in = importlib.import_module(Path(__file__).stem).sleeping
    with tempfile.TemporaryDirectory() as name:
        measure(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), name)
