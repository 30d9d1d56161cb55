"""Runs of our program in forked children: a process of its own each, without the time to start Python anew."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nanobragg_py.commandline import cli
from nanobragg_py.commandline.stage_log import StageLog
from nanobragg_py.kernels.library import kernel
from nanobragg_py.options.config import scan
from nanobragg_py.resolve.stages import resolve_interpolation

LONGEST_S = 30

# A small crystal on 16 x 16 pixels, rendered in a millisecond.
BASE = "-cell 30 40 50 -N 3 -detpixels 16 -pixel 1 -distance 50 -lambda 1 -oversample 1 -seed 1".split()
LIST = "".join(
    f"{h} {k} {i} {100 + 10 * h + k + i}\n" for h in range(-3, 4) for k in range(-4, 5) for i in range(-4, 5)
)
OUTPUTS = ("floatimage.bin", "intimage.img", "image.pgm", "noiseimage.img")


@dataclass(frozen=True)
class Result:
    """What a run left: exit status (negative: killed by that signal), both streams, the files in its folder."""

    status: int
    out: str
    err: str
    files: dict[str, bytes]

    @property
    def complaint(self) -> str:
        """The error message, without our name."""
        lines = [line for line in self.err.splitlines() if line.startswith("nanoBragg: error: ")]
        return lines[0].removeprefix("nanoBragg: error: ") if len(lines) == 1 else ""

    @property
    def warnings(self) -> list[str]:
        """Warnings, without our name."""
        start = "nanoBragg: warning: "
        return [line.removeprefix(start) for line in self.err.splitlines() if line.startswith(start)]


@cache
def load_kernels() -> None:
    """Load (or compile, on the first run ever) what the children will use."""
    config, _ = scan(["-hkl", "P1.hkl", *BASE])
    for name in (*StageLog(config).kernels(resolve_interpolation(config)), "solid_angle_sum"):
        kernel(name)


def run_forked(
    words: Iterable[str], folder: Path, before: Callable[[], object] | None = None, keep: bool = True
) -> Result:
    """Run our program with `words` in `folder`; `before` is called in the child, to take something away from it."""
    load_kernels()
    out_read, out_write = os.pipe()
    err_read, err_write = os.pipe()
    with warnings.catch_warnings():
        # NumPy's idle threads are no reason against a fork.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        _be_the_program(list(words), folder, before, out_write, err_write)
    os.close(out_write)
    os.close(err_write)
    with open(out_read, "rb") as stream:
        out = stream.read().decode(errors="surrogateescape")
    with open(err_read, "rb") as stream:
        err = stream.read().decode(errors="surrogateescape")
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return Result(status, out, err, contents(folder) if keep else {})


def _be_the_program(words: list[str], folder: Path, before, out: int, err: int) -> None:
    """In the child: take the place of a fresh process, run, and never come back."""
    status = 70
    try:
        signal.alarm(LONGEST_S)
        os.chdir(folder)
        os.dup2(out, 1)
        os.dup2(err, 2)
        sys.stdout = os.fdopen(1, "w", errors="surrogateescape", closefd=False)
        sys.stderr = os.fdopen(2, "w", errors="backslashreplace", closefd=False)
        if before is not None:
            before()
        status = cli.run(words)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()
        os._exit(status)


def contents(folder: Path) -> dict[str, bytes]:
    """Regular files of a folder, hidden ones too, by name."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
