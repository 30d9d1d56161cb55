"""Readers that are other people's, fabio and HDF5, in a process of their own.

Such readers may loop, crash or take all memory on a damaged file, and they write to standard error. There, none of that
reaches the run: time and memory are limited, and what comes back is an image, or a reason in our words.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from ..base.errors import InputError, shown
from ..base.memory import most_bytes, size_text
from .image_header import check_size

# What reading one image may take.
LONGEST_s = 120.0
MOST_BYTES = 2**32
_CHILD = "nanobragg_py.formats.foreign_child"
# Settings that would lead HDF5 to other folders, or let libraries start many threads.
_WITHOUT = ("HDF5_VDS_PREFIX", "HDF5_EXT_PREFIX", "HDF5_PLUGIN_PATH", "PYTHONSTARTUP", "PYTHONINSPECT")
_SINGLE = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def ask(request: dict[str, Any], content: bytes | bytearray, where: str) -> tuple[dict[str, Any], np.ndarray | None]:
    """What the other process reads: a reply, and pixels (slow, fast) if there are any. Raises InputError.

    request: see foreign_child.py. content: a file's bytes, where the request does not name the file. where: what
    messages begin with.
    """
    memory = min(MOST_BYTES, most_bytes())
    line = json.dumps(request | {"memory": memory, "seconds": LONGEST_s}).encode() + b"\n"
    command = [sys.executable, "-P", "-W", "ignore", "-m", _CHILD]
    try:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment()
        )
    except OSError as error:
        raise InputError(
            f"{where}: no process could be started to read it: {(error.strerror or '').lower()}"
        ) from error
    with process:
        try:
            answer, _ = process.communicate(line + content, timeout=LONGEST_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise InputError(f"{where}: reading it takes more than {LONGEST_s:g} s; it may be damaged") from None
        except BaseException:
            process.kill()
            raise
    return _understood(answer, memory, where)


def _environment() -> dict[str, str]:
    """Variables for the other process: it finds the same packages, and nothing in the current folder."""
    kept = {name: value for name, value in os.environ.items() if name not in _WITHOUT}
    here = str(Path(__file__).resolve().parents[2])
    folders = [here, *(folder for folder in sys.path if folder and folder != here)]
    return kept | dict.fromkeys(_SINGLE, "1") | {"PYTHONPATH": os.pathsep.join(folders)}


def _understood(answer: bytes, memory: int, where: str) -> tuple[dict[str, Any], np.ndarray | None]:
    """Reply and pixels of what the other process wrote."""
    line, _, data = answer.partition(b"\n")
    try:
        reply = json.loads(line)
    except ValueError:
        raise InputError(f"{where}: it cannot be read: it is damaged, or of a kind that is not known here") from None
    if "memory" in reply:
        raise InputError(f"{where}: reading it takes more than {size_text(memory)} of memory")
    if "error" in reply:
        raise InputError(f"{where}: {shown(reply['error'], 300)}")
    if not reply.get("shape"):
        return reply, None
    height, width = reply["shape"]
    dtype = np.dtype(reply["dtype"])
    if check_size(width, height, dtype.itemsize, where) != len(data):
        raise InputError(f"{where}: it cannot be read: it is damaged")
    return reply, np.frombuffer(data, dtype).reshape(height, width)
