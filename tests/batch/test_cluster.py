"""Shards made by Dask's workers are those of one process; workers and schedulers that die are survived, or told of."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import h5py
import hdf5plugin  # noqa: F401
import making
import numpy as np
import pytest

from nanobragg_py.base.errors import InputError

pytest.importorskip("distributed", reason="pip install 'nanobragg_py[cluster]'")

from nanobragg_py.batch import cluster as cluster_module
from nanobragg_py.batch.cluster import OnCluster, threads_of_local
from nanobragg_py.batch.run import run_batch

LOOPBACK = "127.0.0.1"
WORDS = making.BASE.split()
# Rows enough that a worker can be killed among them.
MANY = "qw,qx,qy,qz,noise_seed\n" + "".join(f"{np.cos(i)},{np.sin(i)},0,0,{i + 1}\n" for i in range(60))


def batch(folder: Path, out: str, *options: str, status: int = 0) -> str:
    """Run nb-batch; what it said."""
    done = making.nb_batch("run", "table.csv", "--out", out, *options, "--", *WORDS, cwd=folder)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def images(folder: Path) -> dict[str, np.ndarray]:
    """Images of all shards, by file."""
    found = {}
    for path in sorted(folder.glob("shard_*.h5")):
        with h5py.File(path) as file:
            found[path.name] = file["entry/data/data"][()]
    return found


def assert_same(first: Path, second: Path) -> None:
    """Both folders have the same shards."""
    ours, theirs = images(first), images(second)
    assert ours.keys() == theirs.keys() and len(ours) > 1
    assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_local_workers_share_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "default_threads", lambda: 12)
    found = [
        threads_of_local(where, {}) for where in ("local", "local:4", "local:5", "local:20", "slurm", "local.json")
    ]
    assert found == [12, 3, 2, 1, None, None]
    assert threads_of_local("local", {"n-workers": "6"}) == 2


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A scheduler on the loopback, and the file in which it says where."""
    file = tmp_path / "scheduler.json"
    words = [
        "scheduler",
        "--host",
        LOOPBACK,
        "--port",
        "0",
        "--no-dashboard",
        "--no-show",
        "--scheduler-file",
        str(file),
    ]
    process = started(words)
    for _ in range(300):
        if file.exists():
            break
        time.sleep(0.1)
    yield process, file
    process.kill()
    process.wait()


def started(words: list[str]) -> subprocess.Popen[bytes]:
    """A program of Dask's."""
    environment = {**os.environ, "PYTHONPATH": str(making.ROOT)}
    command = [sys.executable, "-m", "distributed.cli.dask_" + words[0], *words[1:]]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def worker(file: Path) -> subprocess.Popen[bytes]:
    """A worker of one thread, without a nanny: killed, it stays dead."""
    words = ["worker", "--scheduler-file", str(file), "--host", LOOPBACK, "--nthreads", "1", "--no-nanny"]
    return started([*words, "--no-dashboard", "--local-directory", str(file.parent)])


def killed_in_the_midst(
    victim: subprocess.Popen[bytes], out: Path, file: Path, workers: list[subprocess.Popen[bytes]], shards: int
) -> tuple[int, str]:
    """Status and words of a run of which, once so many shards are there, the victim is killed; then all workers are."""
    command = [sys.executable, str(making.ROOT / "bin" / "nb-batch"), "run", "table.csv", "--out", out.name]
    command += ["--shard-rows", "2", "--cluster", str(file), "--", *WORDS]
    run = subprocess.Popen(command, cwd=out.parent, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(600):
            if len(list(out.glob("shard_*.h5"))) >= shards:
                break
            time.sleep(0.05)
        victim.send_signal(signal.SIGKILL)
        _, said = run.communicate(timeout=90)
    finally:
        for process in (*workers, run):
            process.kill()
            process.wait()
    return run.returncode, said


def test_workers_of_this_machine(tmp_path: Path) -> None:
    """Two processes make the files that one makes, and go on where one has stopped."""
    folder = making.folder(tmp_path)
    batch(folder, "alone", "--shard-rows", "2")
    batch(folder, "local", "--shard-rows", "2", "--cluster", "local:2")
    assert_same(folder / "alone", folder / "local")
    os.unlink(folder / "local" / "shard_000000002.h5")
    said = batch(folder, "local", "--shard-rows", "2", "--cluster", "local")
    assert "5 of 7 rows are there already" in said
    assert_same(folder / "alone", folder / "local")


def test_a_worker_that_is_killed(tmp_path: Path, scheduler: tuple[subprocess.Popen[bytes], Path]) -> None:
    """kill -9 in the midst: the other worker makes its shards, too, and nothing unfinished has a shard's name."""
    folder, (_, file) = making.folder(tmp_path, MANY), scheduler
    workers = [worker(file), worker(file)]
    status, said = killed_in_the_midst(workers[0], folder / "killed", file, workers, shards=3)
    assert status == 0, said
    batch(folder, "alone", "--shard-rows", "2")
    assert_same(folder / "alone", folder / "killed")


def test_a_scheduler_that_dies(tmp_path: Path, scheduler: tuple[subprocess.Popen[bytes], Path]) -> None:
    """The run ends with a message that says how to go on, and what is there stays."""
    folder, (process, file) = making.folder(tmp_path, MANY), scheduler
    only = worker(file)
    status, said = killed_in_the_midst(process, folder / "left", file, [only], shards=2)
    assert status == 9 and "the scheduler has gone" in said and "go on" in said, said
    assert "Traceback" not in said
    there = images(folder / "left")
    assert there
    batch(folder, "left", "--shard-rows", "2")
    batch(folder, "alone", "--shard-rows", "2")
    assert_same(folder / "alone", folder / "left")


@pytest.mark.parametrize(
    "before, words",
    [
        ("import sys; sys.modules['nanobragg_py'] = None", "has no nanobragg_py: ModuleNotFoundError"),
        ("import nanobragg_py; nanobragg_py.__version__ = '0.0.1'", "has nanobragg_py 0.0.1; expected "),
    ],
)
def test_workers_without_the_package(
    tmp_path: Path, scheduler: tuple[subprocess.Popen[bytes], Path], before: str, words: str
) -> None:
    """Said before the first shard, at which they would die one after the other."""
    file = scheduler[1]
    options = ["--scheduler-file", str(file), "--host", LOOPBACK, "--no-nanny", "--no-dashboard"]
    command = [sys.executable, "-c", f"{before}; from distributed.cli.dask_worker import main; main()", *options]
    environment = {**os.environ, "PYTHONPATH": str(making.ROOT)}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL)
    try:
        folder = making.folder(tmp_path)
        said = batch(folder, "out", "--cluster", str(file), status=9)
        assert f"nb-batch: error: worker tcp://{LOOPBACK}:" in said and words in said
        assert "0 of 7 rows are done" in said and not images(folder / "out")
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("where", "options", "words"),
    [
        ("nowhere", {}, "expected local, local:N, slurm, tcp://"),
        ("local:0", {}, "expected a number of workers"),
        ("local:x", {}, "expected a number of workers"),
        ("tcp://127.0.0.1:1", {"cores": "2"}, "is for --cluster local and slurm"),
    ],
)
def test_what_is_no_cluster(where: str, options: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        OnCluster(where, options)


def test_options_of_no_cluster(tmp_path: Path) -> None:
    said = batch(making.folder(tmp_path), "none", "--cluster-option", "cores=2", status=9)
    assert "expected --cluster, too" in said
    said = batch(making.folder(tmp_path), "none", "--cluster", "local", "--cluster-option", "cores", status=9)
    assert "expected KEY=VALUE" in said


def test_no_worker_is_left(
    tmp_path: Path, scheduler: tuple[subprocess.Popen[bytes], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scheduler goes on without workers; the run ends after a while instead of waiting for ever."""
    _, file = scheduler
    monkeypatch.setattr(cluster_module, "WORKER_SECONDS", 5)
    only = worker(file)
    plan = making.plan_in(making.folder(tmp_path, MANY), shard_rows=2)

    def kill() -> None:
        while not list(Path(plan.folder).glob("shard_*.h5")):
            time.sleep(0.05)
        only.kill()

    threading.Thread(target=kill, daemon=True).start()
    try:
        with pytest.raises(InputError, match="all workers have gone"):
            run_batch(plan, threads=1, engine=OnCluster(str(file), {}))
    finally:
        only.kill()
        only.wait()
    assert 1 <= len(images(Path(plan.folder))) < 30


@pytest.mark.parametrize("name", ["local.json", "slurm-nodes.json"])
def test_a_scheduler_file_of_any_name(
    tmp_path: Path, scheduler: tuple[subprocess.Popen[bytes], Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is a file, whatever its name begins with; no cluster is started for it."""
    monkeypatch.setattr(OnCluster, "_started", lambda _: pytest.fail("a cluster was started"))
    file = tmp_path / name
    shutil.copy(scheduler[1], file)
    monkeypatch.chdir(tmp_path)
    with OnCluster(name, {})._client() as client:
        assert client.scheduler_info()["address"].startswith("tcp://127.0.0.1")


def test_options_that_are_numbers(tmp_path: Path) -> None:
    folder = making.folder(tmp_path)
    batch(folder, "two", "--shard-rows", "2", "--cluster", "local", "--cluster-option", "n_workers=2")


def slurm_answers() -> bool:
    """Whether there is a Slurm that takes jobs."""
    if shutil.which("sinfo") is None:
        return False
    done = subprocess.run(["sinfo", "-h", "-o", "%a %T"], capture_output=True, text=True, timeout=20, check=False)
    return "up idle" in done.stdout or "up mixed" in done.stdout


@pytest.mark.skipif(not slurm_answers(), reason="no Slurm with an idle node here")
def test_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs make the files that one process makes; the network that they use is the machine's own."""
    monkeypatch.setenv("PYTHONPATH", str(making.ROOT))
    pytest.importorskip("dask_jobqueue", reason="pip install 'nanobragg_py[cluster]'")
    folder = making.folder(tmp_path)
    options = ["interface=lo", "jobs=2", "walltime=00:05:00", f"log_directory={tmp_path}"]
    words = [word for option in options for word in ("--cluster-option", option)]
    batch(folder, "jobs", "--shard-rows", "2", "--cluster", "slurm", *words)
    batch(folder, "alone", "--shard-rows", "2")
    assert_same(folder / "alone", folder / "jobs")


def test_a_worker_without_memory(tmp_path: Path) -> None:
    """A shard over which workers die again and again ends the run, with a word about why; no shard is half there."""
    folder = making.folder(tmp_path, MANY)
    words = ["--shard-rows", "30", "--cluster", "local", "--cluster-option", "memory_limit=100MB"]
    said = batch(folder, "poor", *words, status=9)
    assert "workers died over one shard" in said and "too little memory" in said and "go on with" in said
    assert not list((folder / "poor").glob("shard_*"))
