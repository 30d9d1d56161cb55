"""nb-batch against a bare loop over Simulator.stills in this process, and against a process for each command line."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from ...base.errors import InputError
from .runs import Program
from .stills import CRYSTAL, reflections_file

NB_BATCH = (sys.executable, "-c", "from nanobragg_py.programs import nb_batch; nb_batch()")
LINES, LINES_GOAL_S = 1000, 5.0
SHARE_GOAL = 0.9
SIDE, PIXEL_MM = 512, 0.2
# A row of the table turns the crystal and gives the noise a seed; the base says all else.
BASE = (
    f"-cell 41.98 41.98 88.92 -Na 120 -Nb 120 -Nc 60 -detpixels {SIDE} -pixel {PIXEL_MM} -distance 100 -lambda 1 "
    "-oversample 1 -beamsize 0.05 -fluence 2e19 --fix none --gain 1 --bits 32"
)
LINE = (
    "-default_F 100 -cell 60 70 80 90 90 90 -N 5 -lambda 1 -distance 100 -detpixels 64 -pixel 1 -oversample 1 "
    "-misset 0 {number} 0 -seed 1 --fix all -floatfile {number}.bin -intfile {number}.img -pgmfile {number}.pgm "
    "-noisefile noise_{number}.img"
)


class Outcome(NamedTuple):
    """What was measured, in words, and the goal."""

    what: str
    figure: str
    goal: str


def outcomes(rows: int, threads: int) -> Iterator[Outcome]:
    """Measure a batch of so many rows, and a thousand command lines. Raises InputError."""
    bare = _bare_loop(rows, threads)
    yield Outcome(f"bare loop, {SIDE} x {SIDE}, photon noise, labels", f"{bare:.1f} images/s", "")
    with tempfile.TemporaryDirectory(prefix="nb-bench-") as name:
        folder = Path(name)
        seconds = _batch(rows, threads, folder)
        yield Outcome("nb-batch run, whole process", f"{rows / seconds:.1f} images/s", "")
        share = rows / seconds / bare
        yield Outcome("of the bare loop", f"{100 * share:.0f} %", f">= {100 * SHARE_GOAL:.0f} %")
        seconds = _lines(threads, folder)
        yield Outcome(f"nb-batch commands, {LINES} lines of 64 x 64", f"{seconds:.1f} s", f"<= {LINES_GOAL_S:g} s")


def _bare_loop(rows: int, threads: int) -> float:
    """Images a second."""
    from ...simulator import Simulator

    same = CRYSTAL | {"detpixels": SIDE, "pixel_mm": PIXEL_MM, "gain": 1.0, "bits": 32}
    with Simulator(hkl=reflections_file(), threads=threads, **same) as simulator:
        for _ in simulator.stills(4):
            pass
        start = time.perf_counter()
        for _ in simulator.stills(rows, seed=1):
            pass
        return rows / (time.perf_counter() - start)


def _batch(rows: int, threads: int, folder: Path) -> float:
    """Seconds of nb-batch run, after a first one of a few rows."""
    for name, count in (("warm", 4), ("all", rows)):
        table = folder / f"{name}.csv"
        vary = ["--vary", "orientation=uniform", "--vary", "noise_seed=random"]
        table.write_bytes(_run(["draw", "--rows", str(count), "--seed", "1", *vary], folder))
        start = time.perf_counter()
        base = ["-hkl", str(reflections_file()), *BASE.split()]
        _run(["run", table.name, "--out", name, "--threads", str(threads), "--", *base], folder)
        seconds = time.perf_counter() - start
    return seconds


def _lines(threads: int, folder: Path) -> float:
    """Seconds of nb-batch commands."""
    (folder / "lines.txt").write_text("\n".join(LINE.format(number=n) for n in range(LINES)) + "\n", encoding="ascii")
    start = time.perf_counter()
    _run(["commands", "lines.txt", "--threads", str(threads)], folder)
    return time.perf_counter() - start


def _run(words: Sequence[str], folder: Path) -> bytes:
    environment = Program("ours", NB_BATCH, 1, ours=True).environment()
    try:
        done = subprocess.run([*NB_BATCH, *words], cwd=folder, env=environment, check=True, capture_output=True)
    except subprocess.CalledProcessError as failure:
        last = failure.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise InputError(f"nb-batch {words[0]} failed: {last}") from failure
    return done.stdout
