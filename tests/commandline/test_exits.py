"""What is shown in place of a run: help, version, the manual page, and words completed by the shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nanobragg_py import __version__
from nanobragg_py.commandline.completion import completions
from nanobragg_py.options.fixes import NAMES
from nanobragg_py.options.manual import manual_page
from nanobragg_py.options.table import EXITS, OPTIONS, OWN_OPTIONS

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = [sys.executable, str(ROOT / "bin" / "nanoBragg")]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Our program as a user starts it."""
    settings = {**os.environ, **environment}
    return subprocess.run([*PROGRAM, *words], capture_output=True, text=True, env=settings, timeout=60)


@pytest.mark.parametrize("others", [[], ["-cell", "50"], ["--preveiw"]])
def test_help_and_version_anywhere(others: list[str]) -> None:
    """In every spelling, wherever in the line, whatever else is wrong with it."""
    helps = [run(*others, word, *others) for word in ("-h", "--help", "-help")]
    assert {(done.returncode, done.stdout, done.stderr) for done in helps} == {(0, helps[0].stdout, "")}
    for own in OWN_OPTIONS:
        assert own.name in helps[0].stdout
    for row in OPTIONS:
        assert row.spellings[0] in helps[0].stdout
    for word in ("--version", "-version"):
        done = run(*others, word)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"nanobragg_py {__version__}\n", "")


def test_manual_page_is_the_tables() -> None:
    page = (ROOT / "docs" / "nanoBragg.1").read_text()
    assert page == manual_page(__version__), "run: make man"
    assert run("--man").stdout == page
    for names in (*(row.spellings for row in OPTIONS), *([own.name] for own in OWN_OPTIONS), *(e.names for e in EXITS)):
        for name in names:
            escaped = name.replace("-", r"\-")
            assert re.search(rf"^(.*, )?\\fB{re.escape(escaped)}\\fR", page, re.MULTILINE), name


@pytest.mark.skipif(shutil.which("groff") is None, reason="needs groff")
def test_manual_page_is_good_troff() -> None:
    done = subprocess.run(
        ["groff", "-man", "-ww", "-Kutf8", "-Tutf8", str(ROOT / "docs" / "nanoBragg.1")],
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    text = re.sub(".\b|\x1b\\[[0-9;]*m", "", done.stdout.decode())
    assert "-misset_seed N" in text and "\\" not in text


def offered(words: str, incomplete: str) -> list[str]:
    """What is offered for a word that is begun."""
    return [item.value for item in completions(words.split(), incomplete)]


def test_completions() -> None:
    assert offered("", "--pre") == ["--preview"]
    assert offered("-cell 50", "-oversample_") == ["-oversample_thick", "-oversample_polar", "-oversample_omega"]
    assert set(offered("", "-")) == {
        *(name for row in OPTIONS for name in row.spellings),
        *(own.name for own in OWN_OPTIONS),
        *(name for way in EXITS for name in way.names),
    }
    assert offered("--fix", "") == [*NAMES, "all", "list", "none"]
    assert offered("--fix", "cell,wa") == ["cell,water"]
    assert offered("--mask-keeps", "") == ["zero", "nonzero"]
    assert offered("-pivot", "s") == ["sample"]
    assert [item.type for item in completions(["-hkl"], "1a")] == ["file"]
    assert [item.type for item in completions(["--preview", "="], "1a")] == ["file"]
    assert offered("-cell", "50") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script(shell: str) -> None:
    """It names the program; the shell that reads it, where there is one, finds nothing wrong with it."""
    done = run("--completion", shell)
    assert done.returncode == 0 and "nanoBragg" in done.stdout and "_NANOBRAGG_COMPLETE" in done.stdout
    assert run(f"--completion={shell}").stdout == done.stdout
    if shutil.which(shell):
        parsed = subprocess.run([shell, "-n"], input=done.stdout, capture_output=True, text=True, timeout=60)
        assert (parsed.returncode, parsed.stderr) == (0, "")


def test_unknown_shell() -> None:
    for words in (["--completion", "csh"], ["--completion=csh"], ["--completion"]):
        done = run(*words)
        assert done.returncode == 9 and not done.stdout
        assert done.stderr.startswith("nanoBragg: error: --completion: expected one of bash, zsh, fish, got '")


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes(tmp_path: Path) -> None:
    """A bash that has read the script asks the program, and offers what it answers."""
    (tmp_path / "nanoBragg").write_text(f'#!/bin/sh\nexec {PROGRAM[0]} {PROGRAM[1]} "$@"\n')
    (tmp_path / "nanoBragg").chmod(0o755)
    script = (
        'eval "$(nanoBragg --completion bash)"; COMP_WORDS=(nanoBragg -cell 50 --save-o); COMP_CWORD=3; '
        '_nanoBragg_completion nanoBragg --save-o 50; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, env={**os.environ, "PATH": path}, timeout=60
    )
    assert (done.stdout.split(), done.stderr) == (["--save-orientation"], "")


def test_nothing_heavy_is_loaded() -> None:
    """Help, version and completion wait for no array library."""
    for words, environment in (
        (["-h"], {}),
        (["--version"], {}),
        (["--man"], {}),
        ([], {"_NANOBRAGG_COMPLETE": "bash_complete", "COMP_WORDS": "nanoBragg --pre", "COMP_CWORD": "1"}),
    ):
        code = (
            "import atexit, os, sys\n"
            "def tell():\n"
            "    print(sorted({'numpy', 'numba', 'PIL', 'fabio', 'h5py'} & set(sys.modules)), file=sys.stderr)\n"
            "atexit.register(tell)\n"
            "real, os._exit = os._exit, lambda status: (tell(), real(status))\n"
            f"sys.argv[1:] = {words!r}\n"
            "from nanobragg_py.programs import nanobragg\n"
            "nanobragg()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env={**os.environ, **environment},
            timeout=60,
        )  # fmt: skip
        assert done.stderr.split("\n")[0] == "[]", done.stderr
        assert done.stdout
