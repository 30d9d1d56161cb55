"""Run two programs on the same arguments, each in a folder of its own, and compare everything they leave."""

from __future__ import annotations

import filecmp
import os
import re
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...base.errors import InputError
from ...formats.any_image import Image, Shape, read_image
from .checks import Settings, checks_text, compare_images
from .checks import text as image_text

ADDRESS = re.compile(rb"0x[0-9a-fA-F]{6,}")
# A dump file starts with six integers; its size may be that of a square image all the same.
DUMP_START = re.compile(rb"\s*-?\d+ -?\d+ -?\d+ -?\d+ -?\d+ -?\d+\n")


@dataclass(frozen=True)
class Run:
    """What one program did: its folder, exit status, standard output and error, and time [s]."""

    command: list[str]
    folder: Path
    status: int
    stdout: bytes
    stderr: bytes
    seconds: float


def program_words(command: str) -> list[str]:
    """The words of a command, files named relative to here made absolute. Raises InputError."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"{command!r}: not a command line: {error}") from error
    if not words:
        raise InputError("an empty command")
    found = shutil.which(words[0])
    if found is None:
        raise InputError(f"{words[0]}: no such program, or not executable")
    return [os.path.abspath(found), *(os.path.abspath(w) if os.path.exists(w) else w for w in words[1:])]


def place_inputs(arguments: list[str], folder: Path) -> list[str]:
    """Copy the files that arguments name into the folder, under the same names; the arguments to use there.

    A copy, so that an argument that names an output does not overwrite the file here. Files above the current
    folder are named by their absolute path.
    """
    placed = []
    for argument in arguments:
        relative = not os.path.isabs(argument) and ".." not in Path(argument).parts
        if relative and os.path.isdir(os.path.dirname(argument)):
            (folder / argument).parent.mkdir(parents=True, exist_ok=True)
        if relative and os.path.isfile(argument):
            shutil.copyfile(argument, folder / argument)
        elif os.path.exists(argument):
            argument = os.path.abspath(argument)
        placed.append(argument)
    return placed


def run(command: str, arguments: list[str], folder: Path, timeout: float | None) -> Run:
    """Run a program in a new folder, without a shell. Raises InputError: cannot start, takes too long."""
    words = program_words(command)
    folder.mkdir(parents=True)
    words += place_inputs(arguments, folder)
    start = time.monotonic()
    try:
        done = subprocess.run(
            words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=timeout, check=False
        )
    except OSError as error:
        raise InputError(f"{command}: cannot be started: {(error.strerror or str(error)).lower()}") from error
    except subprocess.TimeoutExpired as error:
        raise InputError(f"{command}: still running after --timeout {timeout:g} s") from error
    return Run(words, folder, done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def compare_runs(a: Run, b: Run, inputs: list[str], shape: Shape | None, settings: Settings,
                 ignored: list[re.Pattern[bytes]]) -> dict[str, Any]:  # fmt: skip
    """Everything about two runs, ready for JSON; with thresholds, they and not identity judge the images."""
    strict = settings.thresholds.identical or not settings.thresholds.given
    stdout = compare_stdout(a.stdout, b.stdout, ignored)
    files = [compare_files(a.folder, b.folder, name, shape, settings) for name in file_names(a, b, inputs)]
    passed = a.status == b.status and all(judge(entry, strict) for entry in files)
    return {
        "a": run_facts(a),
        "b": run_facts(b),
        "same_status": a.status == b.status,
        "stdout": stdout,
        "files": files,
        "identical": a.status == b.status and stdout["identical"] and all(f["state"] == "identical" for f in files),
        "passed": passed and (stdout["identical"] or not strict),
    }


def judge(entry: dict[str, Any], strict: bool) -> bool:
    """Whether one file is good enough: identical, or an image within the thresholds."""
    if entry["state"] == "identical":
        return True
    if strict:
        return False
    return entry["state"] == "different bytes" or (entry["state"] == "image" and bool(entry["image"]["passed"]))


def run_facts(run_: Run) -> dict[str, Any]:
    return {
        "command": shlex.join(run_.command),
        "exit_status": run_.status,
        "seconds": round(run_.seconds, 3),
        "last_error_line": (run_.stderr.decode(errors="replace").strip().splitlines() or [""])[-1],
    }


def file_names(a: Run, b: Run, inputs: list[str]) -> list[str]:
    """Relative names of all files of both folders, without inputs that are still as they were."""
    names = {str(p.relative_to(r.folder)) for r in (a, b) for p in r.folder.rglob("*") if p.is_file()}
    untouched = {
        os.path.normpath(name)
        for name in inputs
        if os.path.isfile(name)
        and all(os.path.isfile(r.folder / name) and filecmp.cmp(name, r.folder / name, shallow=False) for r in (a, b))
    }
    return sorted(names - untouched)


def compare_files(folder_a: Path, folder_b: Path, name: str, shape: Shape | None, settings: Settings) -> dict[str, Any]:
    """State of one file: only in A, only in B, identical, image (with statistics) or different bytes."""
    a, b = folder_a / name, folder_b / name
    if not a.is_file() or not b.is_file():
        return {"name": name, "state": "only in A" if a.is_file() else "only in B"}
    if filecmp.cmp(a, b, shallow=False):
        return {"name": name, "state": "identical"}
    try:
        images = image_of(a, shape), image_of(b, shape)
        return {"name": name, "state": "image", "image": compare_images(*images, settings)}
    except InputError as error:
        return {"name": name, "state": "different bytes", "reason": str(error), **first_difference(a, b)}


def image_of(path: Path, shape: Shape | None) -> Image:
    """A file of a run as an image. Raises InputError when it is none."""
    with open(path, "rb") as file:
        if DUMP_START.match(file.read(200)):
            raise InputError("a dump file of structure factors")
    return read_image(str(path), shape)


def first_difference(a: Path, b: Path) -> dict[str, Any]:
    """Sizes [bytes] and the offset of the first byte that differs."""
    x, y = (np.fromfile(path, np.uint8) for path in (a, b))
    shared = min(x.size, y.size)
    differing = np.flatnonzero(x[:shared] != y[:shared])
    return {"size_a": x.size, "size_b": y.size, "first_offset": int(differing[0]) if differing.size else shared}


def compare_stdout(a: bytes, b: bytes, ignored: list[re.Pattern[bytes]]) -> dict[str, Any]:
    """Compare line by line; memory addresses count as equal, ignored lines are left out."""
    lines_a, lines_b = (
        [(i, ADDRESS.sub(b"0x", line)) for i, line in enumerate(text.split(b"\n"), start=1)
         if not any(pattern.search(line) for pattern in ignored)]
        for text in (a, b)
    )  # fmt: skip
    lines_a.append((0, b"(end of output)"))
    lines_b.append((0, b"(end of output)"))
    for (i, x), (j, y) in zip(lines_a, lines_b, strict=False):
        if x != y:
            first = [{"line": k, "text": t.decode(errors="replace")} for k, t in ((i, x), (j, y))]
            return {"identical": False, "first_a": first[0], "first_b": first[1]}
    return {"identical": True}


def text(result: dict[str, Any]) -> str:
    """The comparison for a reader."""
    lines = []
    for name in "ab":
        facts = result[name]
        said = f"; {facts['last_error_line']}" if facts["exit_status"] and facts["last_error_line"] else ""
        how = f"exit status {facts['exit_status']}, {facts['seconds']} s{said}"
        lines.append(f"{name.upper()}: {facts['command']}: {how}")
    stdout = result["stdout"]
    lines.append(f"standard output: {'identical' if stdout['identical'] else 'DIFFERENT'}")
    if not stdout["identical"]:
        for name in "ab":
            entry = stdout[f"first_{name}"]
            lines.append(f"  {name.upper()} line {entry['line'] or 'after the last'}: {entry['text']}")
    for entry in result["files"]:
        lines.append(f"{entry['name']}: {entry['state']}")
        if "first_offset" in entry:
            sizes = f"{entry['size_a']} and {entry['size_b']} bytes"
            where = f"first difference at byte {entry['first_offset']}"
            lines.append(f"  {sizes}, {where}; not compared as images: {entry['reason']}")
        if "image" in entry:
            body = f"{image_text(entry['image'])}\n{checks_text(entry['image']['checks'])}"
            lines += [f"  {line}" for line in body.splitlines()]
    return "\n".join(lines)
