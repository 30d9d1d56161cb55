"""Run programs on a workload, alternately and several times, and keep what each run took and left."""

from __future__ import annotations

import difflib
import hashlib
import os
import resource
import shutil
import statistics
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .machine import BYTES_PER_RSS, memory_floor
from .workloads import Workload, make_input

PACKAGE_ROOT = str(Path(__file__).resolve().parents[3])
WARM_SCALE = 0.001
COMPILING = b"compiling the kernels"


@dataclass(frozen=True)
class Program:
    """A program to measure: what it is called in the table, its command, and how many threads it gets.

    does: which program it is, or stands beside: it does that one's workloads.
    """

    name: str
    command: tuple[str, ...]
    threads: int
    ours: bool = False
    does: str = "nanoBragg"

    def words(self, arguments: Sequence[str]) -> list[str]:
        """The whole command line."""
        return [*self.command, *(["--threads", str(self.threads)] if self.ours else []), *arguments]

    def environment(self) -> dict[str, str]:
        """The environment: the number of threads for OpenMP, and the package beside this file for ours."""
        found = {**os.environ, "OMP_NUM_THREADS": str(self.threads)}
        if self.ours:
            found["PYTHONPATH"] = os.pathsep.join(filter(None, (PACKAGE_ROOT, os.environ.get("PYTHONPATH"))))
        return found


@dataclass(frozen=True)
class Run:
    """One process: exit status (negative: signal), times [s], most memory [bytes], log, what it said, and files."""

    status: int
    seconds: float
    cpu_seconds: float
    memory: int
    memory_is_floor: bool
    log: bytes
    said: bytes
    files: dict[str, tuple[int, str]]


def run_once(program: Program, arguments: Sequence[str], folder: Path, inputs: Path, **extra: str) -> Run:
    """Run a program in a new folder, which is removed again; `extra` goes into its environment."""
    folder.mkdir()
    try:
        for source in inputs.iterdir():
            (folder / source.name).symlink_to(source)
        given = {source.name for source in inputs.iterdir()}
        log, said = folder.with_suffix(".log"), folder.with_suffix(".said")
        status, seconds, usage = _timed(program.words(arguments), {**program.environment(), **extra}, folder, log, said)
        files = {path.name: _digest(path) for path in sorted(folder.iterdir()) if path.name not in given}
        cpu, memory = usage.ru_utime + usage.ru_stime, usage.ru_maxrss * BYTES_PER_RSS
        at_floor = memory < 1.05 * memory_floor()
        return Run(status, seconds, cpu, memory, at_floor, log.read_bytes(), said.read_bytes(), files)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _timed(
    words: list[str], environment: dict[str, str], folder: Path, log: Path, said: Path
) -> tuple[int, float, resource.struct_rusage]:
    """Exit status, seconds from start to end, and what the kernel counted."""
    with open(log, "wb") as out, open(said, "wb") as err:
        start = time.perf_counter()
        process = subprocess.Popen(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=err)
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
        except BaseException:
            process.kill()
            process.wait()
            raise
    return process.returncode, seconds, usage


def _digest(path: Path) -> tuple[int, str]:
    """Size and sha256 of a file."""
    with open(path, "rb") as file:
        return path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest()


@dataclass
class Bench:
    """Programs, the first for a workload being the one that others are compared with, and a folder to work in."""

    programs: list[Program]
    folder: Path
    repeat: int
    scale: float

    @contextmanager
    def inputs(self, workload: Workload) -> Iterator[Path]:
        """A folder with what the workload reads, and nothing else."""
        store = self.folder / "store"
        store.mkdir(exist_ok=True)
        make_input(workload, store)
        here = self.folder / "inputs"
        here.mkdir()
        try:
            if workload.input_file:
                (here / workload.input_file).symlink_to(store / workload.input_file)
            yield here
        finally:
            shutil.rmtree(here)

    def programs_for(self, workload: Workload) -> list[Program]:
        """Those that can do it, ours first."""
        return [program for program in self.programs if program.does == workload.program]

    def measure(self, workload: Workload) -> dict[str, Any]:
        """All programs on a workload: everything about it, ready for JSON. InputError: an input is missing."""
        programs = self.programs_for(workload)
        runs: list[list[Run]] = [[] for _ in programs]
        arguments = workload.words_at(self.scale)
        with self.inputs(workload) as inputs:
            for program in programs:
                small = workload.words_at(min(self.scale, WARM_SCALE))
                run_once(program, small, self.folder / "run", inputs)
            for _ in range(self.repeat):
                for program, done in zip(programs, runs, strict=True):
                    if not done or not failed(workload, program, done[-1].status):
                        done.append(run_once(program, arguments, self.folder / "run", inputs))
        return self._result(workload, arguments, runs)

    def first_run(self, workload: Workload) -> dict[str, Any]:
        """Our program where nothing is compiled yet, on a small image that needs the same kernels."""
        cache = self.folder / "cache"
        with self.inputs(workload) as inputs:
            small = workload.words_at(min(self.scale, WARM_SCALE))
            try:
                ours = self.programs_for(workload)[0]
                run = run_once(ours, small, self.folder / "run", inputs, NANOBRAGG_CACHE=str(cache))
            finally:
                shutil.rmtree(cache, ignore_errors=True)
        return {
            "kernel": workload.kernel,
            "workload": workload.name,
            "exit_status": run.status,
            "seconds": round(run.seconds, 3),
            "memory_bytes": run.memory,
            "said": run.said.decode(errors="replace").strip(),
        }

    def _result(self, workload: Workload, arguments: list[str], runs: list[list[Run]]) -> dict[str, Any]:
        """A workload and all programs' runs, ready for JSON."""
        steps = workload.steps_at(self.scale)
        reference = runs[0]
        return {
            "name": workload.name,
            "what": workload.what,
            "arguments": " ".join(arguments),
            "side": workload.side_at(self.scale),
            "steps": steps,
            "goal_ratio": workload.goal_ratio if self.scale == 1.0 else None,
            "goal_seconds": workload.goal_seconds,
            "series": workload.series,
            "at": workload.side_at(self.scale) ** 2 if workload.series == "pixels" else workload.at,
            "programs": [
                program_facts(workload, program, done, reference, steps)
                for program, done in zip(self.programs_for(workload), runs, strict=True)
            ],
        }


def failed(workload: Workload, program: Program, status: int) -> bool:
    """Whether an exit status means that there is nothing to compare; the C program answers -h with 9."""
    return status != 0 and (program.ours or workload.side > 0)


def program_facts(
    workload: Workload, program: Program, runs: list[Run], reference: list[Run], steps: int
) -> dict[str, Any]:
    """Everything about one program's runs; ratio and identity are against the C program's."""
    best = min(runs, key=lambda run: run.seconds)
    bad = any(failed(workload, program, run.status) for run in runs)
    ours_best = min(run.seconds for run in reference) if not any(run.status for run in reference) else None
    compared = workload.side > 0 and not bad and (workload.identical or program.ours)
    first = reference[0]
    other_log = next((run.log for run in runs if run.log != first.log), first.log)
    return {
        "name": program.name,
        "threads": program.threads,
        "failed": bad,
        "exit_status": runs[-1].status,
        "seconds": [round(run.seconds, 4) for run in runs],
        "best_s": round(best.seconds, 4),
        "median_s": round(statistics.median(run.seconds for run in runs), 4),
        "cpu_s": round(best.cpu_seconds, 4),
        "ratio": None if bad or ours_best is None else round(best.seconds / ours_best, 3),
        "ns_per_step_core": round(best.seconds * program.threads / steps * 1e9, 3) if steps and not bad else None,
        "memory_bytes": max(run.memory for run in runs),
        "memory_is_floor": all(run.memory_is_floor for run in runs),
        "files_identical": all(run.files == first.files for run in runs) if compared else None,
        "files_different": files_different(first, runs) if compared else [],
        "log_identical": all(run.log == first.log for run in runs) if compared else None,
        "log_differences": log_differences(first.log, other_log) if compared else [],
        "files": [{"name": n, "bytes": size, "sha256": d} for n, (size, d) in runs[-1].files.items()],
        "compiled_while_timed": any(COMPILING in run.said for run in runs),
        "said": runs[-1].said.decode(errors="replace")[-2000:].strip(),
    }


def files_different(first: Run, runs: Sequence[Run]) -> list[str]:
    """Names of files that are missing, additional or of other bytes in any of the runs."""
    names = {name for run in (first, *runs) for name in run.files}
    return sorted(name for name in names if any(run.files.get(name) != first.files.get(name) for run in runs))


def log_differences(a: bytes, b: bytes, most: int = 20) -> list[str]:
    """The lines in which two logs differ: '-' of the first, '+' of the second."""
    lines_a, lines_b = (text.decode(errors="replace").splitlines() for text in (a, b))
    # The first two lines of a unified difference are the names of the files.
    return list(difflib.unified_diff(lines_a, lines_b, n=0, lineterm=""))[2 : 2 + most]
