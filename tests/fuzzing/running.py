"""Running a command line in a fresh folder, and what it leaves there."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .case import Case

ADDRESS = re.compile(rb"^(mmap\(.*\) = )0x[0-9a-f]+$", re.MULTILINE)
# A variable of the C program that has no value yet; ours says nan.
NO_VALUE = re.compile(rb"F_latt=(?:\d\.?\d*e-3[012]\d|nan) ")
TIMED_OUT = -999
# The C program takes sizes as they come (bytes).
MOST_MEMORY, LARGEST_FILE = 4 << 30, 100 << 20


@dataclass(frozen=True)
class Outcome:
    """What a program left behind: its exit status, standard output and the files it wrote or changed."""

    status: int
    stdout: bytes
    files: dict[str, bytes]
    stderr: bytes = b""


Runner = Callable[[Case], Outcome]


def run_in_folder(case: Case, start: Callable[[list[str], Path, int, int], int]) -> Outcome:
    """Write the input files to a fresh folder, run the program there, collect what it wrote."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as base:
        folder, out, err = Path(base, "run"), Path(base, "stdout"), Path(base, "stderr")
        folder.mkdir()
        for name in case.files.keys() - case.pipes:
            (folder / name).write_bytes(case.files[name])
        if case.earlier:
            with open(os.devnull, "wb") as nowhere:
                start(list(case.earlier), folder, nowhere.fileno(), nowhere.fileno())
        before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        with out.open("wb") as stdout, err.open("wb") as stderr, fed_pipes(case, folder):
            status = start(case.argv, folder, stdout.fileno(), stderr.fileno())
        written = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        files = {name: content for name, content in written.items() if before.get(name) != content}
        return Outcome(status, without_chance(out.read_bytes()), files, err.read_bytes())


def without_chance(stdout: bytes) -> bytes:
    """Standard output without what two runs of the C program do not agree in."""
    return NO_VALUE.sub(b"F_latt=NO_VALUE ", ADDRESS.sub(rb"\1ADDRESS", stdout))


@contextlib.contextmanager
def fed_pipes(case: Case, folder: Path) -> Iterator[None]:
    """Pipes that give the content of the case's files to whoever opens them, once."""
    threads = []
    for name in case.pipes:
        os.mkfifo(folder / name)
        threads.append(threading.Thread(target=_feed, args=(folder / name, case.files[name])))
        threads[-1].start()
    yield
    for name, thread in zip(case.pipes, threads, strict=True):
        # For a program that has never opened it: the writer waits for a reader.
        with contextlib.suppress(OSError):
            os.close(os.open(folder / name, os.O_RDONLY | os.O_NONBLOCK))
        thread.join()


def _feed(path: Path, content: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        path.write_bytes(content)


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))


def external(command: list[str], timeout: float, limited: bool = False) -> Runner:
    """Run a program as a process of its own; limited: in what memory and disk it takes."""

    def start(argv: list[str], folder: Path, stdout: int, stderr: int) -> int:
        try:
            done = subprocess.run(
                command + argv,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                timeout=timeout,
                preexec_fn=_limit if limited else None,
            )
        except subprocess.TimeoutExpired:
            return TIMED_OUT
        return done.returncode

    return lambda case: run_in_folder(case, start)


WARM_UP = "-cell 20 -default_F 1 -detpixels 4 -oversample 1 -seed 1"


def in_process(timeout: float, warm: bool, extra: Sequence[str] = ()) -> Runner:
    """Run ours, with extra words in front, in a fork of this process: Python starts (and, warmed, compiles) once."""
    from nanobragg_py.commandline import cli

    if warm:
        with tempfile.TemporaryDirectory() as folder:
            _call_here(cli.run, WARM_UP.split(), folder)

    def start(argv: list[str], folder: Path, stdout: int, stderr: int) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _child(cli.run, [*extra, *argv], folder, stdout, stderr)
        return _wait(child, timeout)

    return lambda case: run_in_folder(case, start)


def _call_here(run: Callable[[list[str]], int], argv: list[str], folder: str) -> None:
    """Run ours in this very process, its output thrown away."""
    home, kept = os.getcwd(), os.dup(1)
    sys.stdout.flush()
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.chdir(folder)
        try:
            run(argv)
        finally:
            sys.stdout.flush()
            os.chdir(home)
            os.dup2(kept, 1)
            os.close(kept)


def _child(run: Callable[[list[str]], int], argv: list[str], folder: Path, stdout: int, stderr: int) -> None:
    """The forked half: redirect, run, leave without the parent's clean-up."""
    status = 70
    try:
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.chdir(folder)
        status = run(argv) or 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status & 255)


def _wait(child: int, timeout: float) -> int:
    """Exit status of a forked child (negative for a signal), killed when it takes too long."""
    deadline = time.monotonic() + timeout
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return TIMED_OUT
        time.sleep(0.001)
