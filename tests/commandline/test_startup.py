"""What a command does not need is not loaded: a third of the time of a small image is Python's imports."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from forked import BASE

# Whole packages, and modules of ours with everything that they load.
HEAVY = {
    "numba",
    "fabio",
    "h5py",
    "gemmi",
    "PIL",
    "matplotlib",
    "scipy",
    "hypothesis",
    "numpy.ma",
    "fractions",
    "concurrent.futures",
}
OTHERS = {"nanobragg_py.commandline.series_run", "nanobragg_py.simulator", "nanobragg_py.formats.nexus"}


def loaded(words: list[str], folder: Path) -> set[str]:
    """Names of the modules that Python loads for these words."""
    command = [sys.executable, "-X", "importtime", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^import time: .*\| +([\w.]+)$", done.stderr, re.MULTILINE))


@pytest.mark.parametrize(
    ("words", "unneeded"),
    [(["-h"], {"numpy"} | HEAVY | OTHERS), (["-default_F", "10", *BASE], HEAVY | OTHERS)],
    ids=["help", "image"],
)
def test_unneeded_modules_are_not_loaded(words: list[str], unneeded: set[str], tmp_path: Path) -> None:
    ours = ["-m", "nanobragg_py", *words]
    loaded(ours, tmp_path)  # compiles, the first time
    found = loaded(ours, tmp_path)
    # The list is that of our program. (-X importtime does not name what importlib.import_module loads, which the
    # entry point calls for commandline.cli; it names what that module imports.)
    assert "nanobragg_py.options.config" in found
    # NumPy before 2.0 loads more by itself.
    by_numpy = loaded(["-c", "import numpy"], tmp_path) if "numpy" in found else set()
    assert not (found & unneeded) - by_numpy
