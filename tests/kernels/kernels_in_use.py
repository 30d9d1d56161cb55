"""A run whose kernels come from a cache of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from forked import BASE, LIST

LINE = ["-hkl", "P1.hkl", *BASE]
# The kernel that compiles in the shortest time.
SMALL = "scale_to_bytes"


def start(words: list[str], folder: Path, code: str = "", **environment: str) -> subprocess.Popen[bytes]:
    """Our program as a process in a new folder with a reflection list, after `code`."""
    folder.mkdir(exist_ok=True)
    (folder / "P1.hkl").write_text(LIST)
    program = f"{code}\nfrom nanobragg_py.commandline.cli import main\nmain()"
    pipe = subprocess.PIPE
    return subprocess.Popen(
        [sys.executable, "-c", program, *words], cwd=folder, env=os.environ | environment, stdout=pipe, stderr=pipe
    )
