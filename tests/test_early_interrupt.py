"""Ctrl-C while a program is still being loaded: it ends, without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = sorted(path.name for path in (ROOT / "bin").glob("n*"))
# Python imports this module when it starts: it interrupts the program as soon as that imports click, which is early.
INTERRUPTING = """
import sys

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            import os, signal
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
"""
INSTALLED = "import sys; from nanobragg_py import programs; sys.argv = sys.argv[:1]; programs.{}()"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which a program is interrupted while it is being loaded."""
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTING)
    return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}


def commands(name: str) -> list[list[str]]:
    """A program of the checkout, and as it is installed."""
    installed = INSTALLED.format(name.lower().replace("-", "_"))
    return [[sys.executable, str(ROOT / "bin" / name)], [sys.executable, "-c", installed]]


@pytest.mark.parametrize("name", PROGRAMS)
def test_interrupted_while_loading(name: str, environment: dict[str, str]) -> None:
    for command in commands(name):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_module(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "nanobragg_py"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


def test_an_ignored_signal_stays_ignored(environment: dict[str, str]) -> None:
    """As under nohup, or in the background of a script: the program goes on, and shows its usage."""
    for command in commands("nanoBragg"):
        done = subprocess.run(
            ["sh", "-c", "trap '' INT; exec \"$@\"", "sh", *command],
            env=environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        assert done.returncode == 9 and done.stdout.startswith("nanoBragg nanocrystal diffraction simulator")
        assert done.stderr.startswith("nanoBragg: error: no structure factors")


@pytest.mark.parametrize("name", [name for name in PROGRAMS if name.startswith("nb-")])
def test_tools_hear_it_when_they_run(name: str) -> None:
    """Once it is loaded, a tool ends with the shell's status for an interrupt, and says nothing."""
    code = (
        "import os, signal, sys, click\n"
        "from nanobragg_py import programs\n"
        "def interrupted(*args, **extra): os.kill(os.getpid(), signal.SIGINT); [None for _ in range(10**6)]\n"
        "click.Command.main = interrupted\n"
        f"programs.{name.replace('-', '_')}()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
