"""bin/nanoBragg in a checkout: one interpreter, the right one, and a message when nothing can be started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
STAND_IN = """#!/bin/sh
echo "{name}: $(basename "$1") $2"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout's bin, and no environment."""
    shutil.copytree(ROOT / "bin", tmp_path / "checkout" / "bin")
    return tmp_path / "checkout"


def interpreter(path: Path, name: str) -> None:
    """Something that says that it was started, and with what, instead of starting Python."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STAND_IN.format(name=name))
    path.chmod(0o755)


def run(program: Path, path: str, *words: str) -> subprocess.CompletedProcess:
    """Run a program with another search path."""
    return subprocess.run(
        [program, *words], capture_output=True, text=True, env={**os.environ, "PATH": path}, timeout=60
    )


@pytest.mark.parametrize("linked", [False, True])
def test_environment_is_started_at_once(checkout: Path, tmp_path: Path, linked: bool) -> None:
    """Where make has finished .venv no other interpreter is started, not even to find that out."""
    interpreter(checkout / ".venv" / "bin" / "python", "environment")
    interpreter(tmp_path / "other" / "python3", "other")
    path = f"{tmp_path / 'other'}:/usr/bin:/bin"
    program = checkout / "bin" / "nanoBragg"
    if linked:
        program = tmp_path / "nanoBragg"
        program.symlink_to(checkout / "bin" / "nanoBragg")
    assert run(program, path, "-h").stdout == "other: nanoBragg -h\n", "an environment that make has not finished"
    (checkout / ".venv" / ".ready").touch()
    assert run(program, path, "-h").stdout == "environment: nanoBragg -h\n"


def test_interpreter_without_packages(checkout: Path) -> None:
    """An interpreter that lacks a package hands over to .venv; without one it says what to do."""
    command = [sys.executable, "-S", checkout / "bin" / "nanoBragg", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 9 and not done.stdout
    assert done.stderr.startswith("nanoBragg: error: numpy, numba, click, ")
    assert f"run make -C {checkout} demo, or " in done.stderr
    assert done.stderr.endswith(f"{sys.executable} -m pip install {checkout}\n")
    interpreter(checkout / ".venv" / "bin" / "python", "environment")
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.stdout == "environment: nanoBragg --version\n"


@pytest.mark.parametrize("name", [path.name for path in sorted((ROOT / "bin").glob("n*"))])
def test_every_program_starts(name: str) -> None:
    """By its own first line, and through an interpreter."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    program = ROOT / "bin" / name
    by_itself = run(program, path, "--help")
    through_python = subprocess.run([sys.executable, program, "--help"], capture_output=True, text=True, timeout=60)
    assert by_itself.returncode == through_python.returncode == 0, by_itself.stderr + through_python.stderr
    assert by_itself.stdout == through_python.stdout != ""
