"""Golden cases: what they are, how a program is run on one, and how its results are compared.

Shared by record.py (which runs a C program) and tests/test_golden.py (which runs ours).
"""

from __future__ import annotations

import difflib
import hashlib
import json
import math
import re
import shutil
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
INPUTS = HERE / "inputs"
EXPECTED = HERE / "expected"
C_LIBRARY = HERE / "c_library.json"

TIME_LIMIT_SECONDS = 600
STORED_BYTES_PER_FILE = 20_000
DIFFERENT_PIXELS_ALLOWED = 0.001

MEMORY_ADDRESS = re.compile(r"^(mmap\(.*\) = ).*$", re.MULTILINE)
TRACE_LINE = re.compile(r"TRACE_C|TRACE_CONFIG")
ADDED_BY_TRACE_BUILD = re.compile(r"TRACE|DETECTOR_(FAST|SLOW|NORMAL)_AXIS|DETECTOR_PIX0_VECTOR")
IMAGE_SIZE = re.compile(r"\((\d+)x(\d+) pixels\)")
NUMBER = re.compile(r"[-+]?\d+\.?\d*(?:e[-+]?\d+)?")
DUMP_HEADER = re.compile(rb"(?:-?\d+ ){5}-?\d+\n\f")


@dataclass(frozen=True)
class Case:
    """One command line; `stdout` says which of its lines count: whole, without trace, or trace lines."""

    name: str
    args: str
    reference: str = "main"
    stdout: str = "whole"
    ours: str = ""
    inputs: dict[str, str] = field(default_factory=dict)

    @property
    def words(self) -> list[str]:
        """The command line as the C program gets it."""
        return self.args.split()

    @property
    def our_words(self) -> list[str]:
        """The command line as our program gets it, with the trace labelled as the C program labels it."""
        prefix = ["--trace-prefix", "TRACE_C"] if "-trace_pixel" in self.words else []
        return self.words + prefix + self.ours.split()

    @property
    def files_needed(self) -> dict[str, Path]:
        """Input files by the name they have in the working folder."""
        named = {word: find_input(word) for word in self.words if find_input(word)}
        placed = {target: INPUTS / source for target, source in self.inputs.items()}
        return {**named, **placed}


@dataclass(frozen=True)
class Result:
    """What one run gave: exit status, the lines of standard output that count, and the files it wrote."""

    status: int
    stdout: str
    files: dict[str, bytes]


@dataclass(frozen=True)
class Expected:
    """What the C program gave; `stored` has the bytes of the small files."""

    status: int
    stdout: str
    files: dict[str, dict]
    stored: dict[str, bytes]


def find_input(word: str) -> Path | None:
    """Return the input file of that name, if there is one."""
    for folder in (INPUTS, HERE):
        if word.endswith((".hkl", ".mat", ".img", ".txt", ".stol", ".dump")) and (folder / word).is_file():
            return folder / word
    return None


def load_cases() -> dict[str, Case]:
    """Read cases.json."""
    data = json.loads((HERE / "cases.json").read_text())
    return {name: Case(name=name, **entry) for name, entry in data.items()}


def clean_stdout(text: str, lines: str) -> str:
    """Leave out the memory address, and the lines that do not count in this case."""
    text = MEMORY_ADDRESS.sub(r"\g<1>0x", text)
    if lines == "trace lines":
        return "".join(line for line in text.splitlines(keepends=True) if TRACE_LINE.match(line))
    if lines == "without trace":
        return "".join(line for line in text.splitlines(keepends=True) if not ADDED_BY_TRACE_BUILD.match(line))
    return text


def run_case(program: list[str], words: list[str], case: Case, folder: Path) -> Result:
    """Run the program in the folder with the case's input files and collect what it did."""
    for target, source in case.files_needed.items():
        shutil.copyfile(source, folder / target)
    done = subprocess.run([*program, *words], cwd=folder, capture_output=True, timeout=TIME_LIMIT_SECONDS)
    stdout = clean_stdout(done.stdout.decode("utf-8", "replace"), case.stdout)
    files = {} if case.stdout == "trace lines" else written_files(case, folder)
    return Result(done.returncode, stdout, files)


def written_files(case: Case, folder: Path) -> dict[str, bytes]:
    """Read the files in the folder that are not unchanged inputs."""
    needed = case.files_needed
    found = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}
    return {name: data for name, data in found.items() if name not in needed or data != needed[name].read_bytes()}


def save_expected(case: Case, result: Result) -> None:
    """Write what the C program gave as the golden data of the case."""
    EXPECTED.mkdir(exist_ok=True)
    files = {
        name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in result.files.items()
    }
    summary = json.dumps({"status": result.status, "files": files}, indent=1)
    (EXPECTED / f"{case.name}.json").write_text(summary + "\n")
    (EXPECTED / f"{case.name}.stdout").write_bytes(result.stdout.encode())
    small = {name: data for name, data in result.files.items() if worth_storing(data)}
    (EXPECTED / f"{case.name}.npz").unlink(missing_ok=True)
    if small:
        arrays = {name: np.frombuffer(data, np.uint8) for name, data in small.items()}
        np.savez_compressed(EXPECTED / f"{case.name}.npz", **arrays)


def worth_storing(data: bytes) -> bool:
    """Say whether the bytes of a file are kept next to its checksum: small images only."""
    return len(data) <= STORED_BYTES_PER_FILE and not DUMP_HEADER.match(data)


def load_expected(case: Case) -> Expected:
    """Read the golden data of the case."""
    summary = json.loads((EXPECTED / f"{case.name}.json").read_text())
    stdout = (EXPECTED / f"{case.name}.stdout").read_bytes().decode()
    return Expected(summary["status"], stdout, summary["files"], load_stored(case))


def load_stored(case: Case) -> dict[str, bytes]:
    """Read the bytes of the small files."""
    path = EXPECTED / f"{case.name}.npz"
    if not path.is_file():
        return {}
    with np.load(path) as archive:
        return {name: archive[name].tobytes() for name in archive.files}


def compare(expected: Expected, result: Result, exact: bool = True) -> list[str]:
    """List the differences in words; an empty list means that all is as it should be."""
    problems = []
    if result.status != expected.status:
        problems.append(f"exit status {result.status}, expected {expected.status}")
    if not same_text(expected.stdout, result.stdout, exact):
        problems.append("standard output differs\n" + describe_text(expected.stdout, result.stdout))
    for name in sorted(expected.files.keys() | result.files.keys()):
        problem = compare_file(name, expected, result, exact)
        if problem:
            problems.append(f"{name}: {problem}")
    return problems


def compare_file(name: str, expected: Expected, result: Result, exact: bool) -> str:
    """Say how one file differs; nothing if it does not."""
    if name not in result.files:
        return "not written"
    if name not in expected.files:
        return "written, but not expected"
    data, wanted = result.files[name], expected.files[name]
    if hashlib.sha256(data).hexdigest() == wanted["sha256"]:
        return ""
    if len(data) != wanted["bytes"]:
        return f"{len(data)} bytes, expected {wanted['bytes']}"
    if not exact and within_tolerance(expected.stored.get(name), data):
        return ""
    if name not in expected.stored:
        return "other contents (expected bytes are not stored)"
    return describe_file(expected.stored[name], data, fast_pixels(expected.stdout))


def same_text(expected: str, actual: str, exact: bool) -> bool:
    """Compare two texts, by the values of their numbers when exactness cannot be asked for."""
    if exact or expected == actual:
        return expected == actual
    wanted, found = NUMBER.findall(expected), NUMBER.findall(actual)
    return (
        NUMBER.sub("#", expected) == NUMBER.sub("#", actual)
        and len(wanted) == len(found)
        and all(
            math.isclose(float(a), float(b), rel_tol=1e-5, abs_tol=1e-9) for a, b in zip(wanted, found, strict=True)
        )
    )


def within_tolerance(stored: bytes | None, data: bytes) -> bool:
    """Allow 1 float32 ulp in 0.1 % of a float image's pixels; of other files only the size counts."""
    if stored is None or split_file(data)[1].dtype != np.float32:
        return True
    apart = ulps_apart(split_file(stored)[1], split_file(data)[1])
    return bool(apart.max(initial=0) <= 1 and np.mean(apart > 0) <= DIFFERENT_PIXELS_ALLOWED)


def ulps_apart(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Count the float32 steps between non-negative values."""
    return np.abs(a.view(np.int32).astype(np.int64) - b.view(np.int32).astype(np.int64))


def split_file(data: bytes) -> tuple[bytes, np.ndarray]:
    """Split an output file into its header and its values."""
    if data.startswith(b"{\n"):
        return data[:512], np.frombuffer(data[512:], "<u2")
    if data.startswith(b"P5"):
        start = data.index(b"\n255\n") + 5
        return data[:start], np.frombuffer(data[start:], np.uint8)
    dump = DUMP_HEADER.match(data)
    if dump:
        return dump.group(), np.frombuffer(data[dump.end() :], "<f8")
    return b"", np.frombuffer(data, "<f4")


def fast_pixels(stdout: str) -> int:
    """Find the image's width in the program's output."""
    found = IMAGE_SIZE.search(stdout)
    return int(found.group(1)) if found else 1


def describe_file(expected: bytes, actual: bytes, width: int) -> str:
    """Say which header lines, how many values, by how much, and where."""
    old_header, old = split_file(expected)
    new_header, new = split_file(actual)
    if old_header != new_header:
        return "header differs\n" + describe_text(old_header.decode("latin-1"), new_header.decode("latin-1"))
    return describe_values(old, new, width)


def describe_values(old: np.ndarray, new: np.ndarray, width: int) -> str:
    """Count the values that differ, and show the first and the most different one."""
    different = old != new
    gap = np.where(different, np.abs(old.astype(float) - new.astype(float)), 0.0)
    text = f"{np.count_nonzero(different)} of {old.size} values differ"
    for label, at in (("first", int(np.argmax(different))), ("most", int(np.argmax(gap)))):
        place = f"fast {at % width} slow {at // width}"
        text += f"\n  {label} at {place}: {new[at]!r}, expected {old[at]!r}"
    if old.dtype == np.float32:
        text += f"\n  at most {ulps_apart(old, new).max()} ulp"
    return text


def describe_text(expected: str, actual: str, most: int = 12) -> str:
    """Show the first lines that differ, quoted so that blanks at their ends can be seen."""
    changes = difflib.unified_diff(expected.split("\n"), actual.split("\n"), n=0, lineterm="")
    lines = list(changes)[2:]
    shown = [f"  {line if line.startswith('@@') else repr(line)}" for line in lines[:most]]
    return "\n".join([*shown, *(["  ..."] if len(lines) > most else [])])


def c_library_fingerprint() -> str:
    """Hash results of the C library's functions, to tell whether this machine rounds as the recording one."""
    arguments = [0.001 + 0.0137 * i * i for i in range(1000)]
    values = []
    for x in arguments:
        values += [math.sin(x), math.cos(x), math.tan(x), math.exp(-x / 50), math.log(x)]
        values += [math.atan2(x - 900.0, 37.5), math.sqrt(x), math.pow(x, 1 / 3)]
    return hashlib.sha256(struct.pack(f"<{len(values)}d", *values)).hexdigest()


def save_c_library() -> None:
    """Note how the recording machine rounds."""
    C_LIBRARY.write_text(json.dumps({"results": c_library_fingerprint()}) + "\n")


def rounds_as_recorded() -> bool:
    """Say whether this machine's C library gives the bits that the recording machine's gave."""
    return json.loads(C_LIBRARY.read_text())["results"] == c_library_fingerprint()
