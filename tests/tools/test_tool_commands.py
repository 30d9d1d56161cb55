"""What all tools have in common: help and version, quickly; one line for whatever goes wrong; any terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from running import MODULES, ROOT, Done, process

from nanobragg_py import __version__

# Exit status of bad arguments: nb-hkl prepares nanoBragg's input, nb-batch runs it, and both have nanoBragg's.
FAILURE = {"nb-batch": 9, "nb-bench": 2, "nb-compare": 2, "nb-hkl": 9, "nb-trace-diff": 2}


def run(name: str, *arguments: object, **extra: str) -> Done:
    """Run a tool as a user does; extra goes into its environment."""
    return process(name, arguments, **extra)


def test_all_tools_are_here() -> None:
    assert sorted(MODULES) == sorted(path.name for path in (ROOT / "bin").glob("nb-*"))


@pytest.mark.parametrize("name", MODULES)
def test_help_and_version(name: str) -> None:
    short, long, version = run(name, "-h"), run(name, "--help"), run(name, "--version")
    assert (short.returncode, short.stderr) == (long.returncode, long.stderr) == (0, "")
    assert short.stdout == long.stdout
    assert short.stdout.startswith(f"Usage: {name} ")
    for word in ("Examples:", f"{name} ", "-h, --help", "--version"):
        assert word in short.stdout
    assert (version.returncode, version.stdout, version.stderr) == (0, f"{name} (nanobragg_py) {__version__}\n", "")


@pytest.mark.parametrize("word", ["-h", "--version"])
@pytest.mark.parametrize("name", MODULES)
def test_help_and_version_load_no_numbers(name: str, word: str) -> None:
    code = (
        "import sys\n"
        f"from nanobragg_py.{MODULES[name]} import main\n"
        f"try: main([{word!r}])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'numba', 'fabio', 'PIL', 'gemmi', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", MODULES)
def test_bad_arguments_are_one_line_that_leads_to_the_help(name: str) -> None:
    done = run(name, "--no-such-option")
    assert (done.returncode, done.stdout) == (FAILURE[name], "")
    assert done.stderr.startswith(f"{name}: error: No such option")
    assert done.stderr.endswith(f"; see {name} --help\n")
    assert done.stderr.count("\n") == 1


def test_signs_that_a_terminal_lacks_are_printed_as_escapes(tmp_path: Path) -> None:
    name = tmp_path / "bild_ä_\udcff.bin"
    name.write_bytes(bytes(64))
    done = run("nb-compare", name, name, "--json", tmp_path / "r.json", PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "bild_\\xe4_\\udcff.bin" in done.stdout
    assert (tmp_path / "r.json").read_text(encoding="utf-8").count("udcff") == 2


def test_a_control_sign_in_a_name_is_not_acted_on(tmp_path: Path) -> None:
    done = run("nb-trace-diff", tmp_path / "a\x1b[31m", "b")
    assert done.returncode == 2
    assert "\x1b" not in done.stderr and "a\\x1b[31m: cannot be read" in done.stderr


@pytest.mark.parametrize("word", ["--list", "--help"])
def test_a_reader_that_has_seen_enough_is_no_error(word: str) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, str(ROOT / "bin" / "nb-bench"), word]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (141, "")


def test_an_interrupt_ends_a_tool_without_a_traceback(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "bin" / "nb-compare"),
        "--a",
        "sh -c 'touch $0; exec sleep 60' started",
        "--b",
        "true",
    ]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as tool:
        end = time.monotonic() + 60
        while not list(tmp_path.glob("nb-compare-*/a/started")):
            assert time.monotonic() < end and tool.poll() is None
            time.sleep(0.01)
        tool.send_signal(signal.SIGINT)
        _, said = tool.communicate(timeout=60)
    assert (tool.returncode, said) == (130, "\n")  # click closes the line of the ^C
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(bytes(64))
    done = run("nb-compare", tmp_path / "a.bin", tmp_path / "a.bin", "--json", "/dev/full")
    assert done.returncode == 2
    assert "/dev/full: --json cannot be written: no space left on device" in done.stderr


def test_standard_output_on_a_full_disk() -> None:
    """The status is the tool's, and nothing but its line is said, whether output is buffered or not."""
    usual = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = f"{sys.executable} {ROOT}/bin/nb-bench --list > /dev/full"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, env=usual)
    assert (done.returncode, done.stderr) == (2, "nb-bench: error: no space left on device\n")
