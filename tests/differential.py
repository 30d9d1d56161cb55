"""Differential fuzzing: random command lines, run by the C program and by ours, must give the same bytes.

    python tests/differential.py --reference ./nanoBragg --n 1000 --in-process --warm --jobs 2

Both programs run in fresh folders with the same input files; exit status, standard output (but for a memory
address) and every file written are compared. A failing command line is shrunk to a minimal one and printed
ready to paste. Cases follow from the seed alone: `--only I` runs the case with index I again.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import math
import multiprocessing
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from array import array
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from strategies import STEP_LIMIT, Case, Group, draw_case, is_defined

ADDRESS = re.compile(rb"^(mmap\(.*\) = )0x[0-9a-f]+$", re.MULTILINE)
FLOAT_FILE = re.compile(rb"^writing (.*) as \d+ 4-byte floats$", re.MULTILINE)
STEP_COUNTS = [
    rb"\((\d+)x(\d+) pixels\)",
    rb"in (\d+) layers with",
    rb"^  (\d+) sources$",
    rb"^  (\d+) mosaic domains over",
    rb"^  (\d+) phi steps",
    rb"^  (\d+)x(\d+) pixel oversample",
]
ATTEMPTS = 30
TIMED_OUT = -999


# --- running ----


@dataclass(frozen=True)
class Outcome:
    """What a program left behind: its exit status, standard output and the files it wrote or changed."""

    status: int
    stdout: bytes
    files: dict[str, bytes]
    stderr: bytes = b""


Runner = Callable[[Case], Outcome]


def run_in_folder(case: Case, start: Callable[[list[str], Path, int, int], int]) -> Outcome:
    """Write the input files to a fresh folder, run the program there, collect what it wrote."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as base:
        folder, out, err = Path(base, "run"), Path(base, "stdout"), Path(base, "stderr")
        folder.mkdir()
        for name, content in case.files.items():
            (folder / name).write_bytes(content)
        with out.open("wb") as stdout, err.open("wb") as stderr:
            status = start(case.argv, folder, stdout.fileno(), stderr.fileno())
        written = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        files = {name: content for name, content in written.items() if case.files.get(name) != content}
        stdout_bytes = ADDRESS.sub(rb"\1ADDRESS", out.read_bytes())
        return Outcome(status, stdout_bytes, files, err.read_bytes())


def external(command: list[str], timeout: float) -> Runner:
    """Run a program as a process of its own."""

    def start(argv: list[str], folder: Path, stdout: int, stderr: int) -> int:
        try:
            done = subprocess.run(
                command + argv,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired:
            return TIMED_OUT
        return done.returncode

    return lambda case: run_in_folder(case, start)


WARM_UP = "-cell 20 -default_F 1 -detpixels 4 -oversample 1 -seed 1"


def in_process(timeout: float, warm: bool, extra: Sequence[str] = ()) -> Runner:
    """Run ours, with extra words in front, in a fork of this process: Python starts (and, warmed, compiles) once."""
    from nanobragg_py.commandline import cli

    if warm:
        with tempfile.TemporaryDirectory() as folder:
            _call_here(cli.run, WARM_UP.split(), folder)

    def start(argv: list[str], folder: Path, stdout: int, stderr: int) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        child = os.fork()
        if child == 0:
            _child(cli.run, [*extra, *argv], folder, stdout, stderr)
        return _wait(child, timeout)

    return lambda case: run_in_folder(case, start)


def _call_here(run: Callable[[list[str]], int], argv: list[str], folder: str) -> None:
    """Run ours in this very process, its output thrown away."""
    home, kept = os.getcwd(), os.dup(1)
    sys.stdout.flush()
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.chdir(folder)
        try:
            run(argv)
        finally:
            sys.stdout.flush()
            os.chdir(home)
            os.dup2(kept, 1)
            os.close(kept)


def _child(run: Callable[[list[str]], int], argv: list[str], folder: Path, stdout: int, stderr: int) -> None:
    """The forked half: redirect, run, leave without the parent's clean-up."""
    status = 70
    try:
        os.dup2(stdout, 1)
        os.dup2(stderr, 2)
        os.chdir(folder)
        status = run(argv) or 0
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        os.write(2, traceback.format_exc().encode())
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status & 255)


def _wait(child: int, timeout: float) -> int:
    """Exit status of a forked child (negative for a signal), killed when it takes too long."""
    deadline = time.monotonic() + timeout
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return TIMED_OUT
        time.sleep(0.001)


# --- comparing ----


def floats(content: bytes, code: str) -> array[float]:
    """The numbers in a binary file, without an incomplete one at its end."""
    values = array(code)
    values.frombytes(content[: len(content) - len(content) % values.itemsize])
    return values


def describe_stdout(ours: bytes, theirs: bytes) -> str:
    """The first line in which two standard outputs differ."""
    left, right = theirs.split(b"\n"), ours.split(b"\n")
    end = b"(end)"
    longest = max(len(left), len(right))
    left += [end] * (longest - len(left))
    right += [end] * (longest - len(right))
    number, a, b = next((i, a, b) for i, (a, b) in enumerate(zip(left, right, strict=True), 1) if a != b)
    return f"stdout line {number}: reference {a.decode(errors='replace')!r}, ours {b.decode(errors='replace')!r}"


def describe_numbers(name: str, ours: bytes, theirs: bytes, code: str) -> str:
    """How many numbers differ in two binary files of equal length, and by how much at most."""
    pairs = [(a, b) for a, b in zip(floats(theirs, code), floats(ours, code), strict=True) if a != b]
    if not pairs:
        return f"{name}: same numbers, other bytes"
    a, b = max(pairs, key=lambda pair: abs(pair[0] - pair[1]) if math.isfinite(pair[1]) else math.inf)
    return f"{name}: {len(pairs)} of {len(theirs) // array(code).itemsize} differ, most: {a!r} against our {b!r}"


def describe_file(name: str, ours: bytes | None, theirs: bytes | None) -> str:
    """How a file of ours differs from the reference's."""
    if ours is None or theirs is None:
        return f"{name}: written only by {'ours' if theirs is None else 'the reference'}"
    if len(ours) != len(theirs):
        return f"{name}: {len(theirs)} bytes, ours {len(ours)}"
    if theirs.startswith(b"{\nHEADER_BYTES"):
        if ours[:512] != theirs[:512]:
            return f"{name}: header, {describe_stdout(ours[:512], theirs[:512])}"
        return describe_numbers(name, ours[512:], theirs[512:], "H")
    if theirs.startswith(b"P5"):
        return describe_numbers(name, ours, theirs, "B")
    if b"\n\f" in theirs[:80]:
        start = theirs.index(b"\n\f") + 2
        return describe_numbers(name, ours[start:], theirs[start:], "d")
    return describe_numbers(name, ours, theirs, "f")


def differences(ours: Outcome, theirs: Outcome) -> list[str]:
    """All that differs between two outcomes, a line each; empty when they agree."""
    found: list[str] = []
    if ours.status != theirs.status:
        last = ours.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        note = "timed out" if ours.status == TIMED_OUT else str(ours.status)
        found.append(f"exit status: reference {theirs.status}, ours {note}" + (f" ({last})" if last else ""))
    if ours.stdout != theirs.stdout:
        found.append(describe_stdout(ours.stdout, theirs.stdout))
    for name in sorted({*ours.files, *theirs.files}):
        mine, other = ours.files.get(name), theirs.files.get(name)
        if mine != other:
            found.append(describe_file(name, mine, other))
    return found


@dataclass(frozen=True)
class Signature:
    """What kind of failure it is: the two exit statuses, and what differs besides."""

    statuses: tuple[int, int]
    parts: frozenset[str]

    def covers(self, other: Signature | None) -> bool:
        """Whether the other failure is of this kind and in no part that agreed before."""
        return other is not None and other.statuses == self.statuses and other.parts <= self.parts


def signature(ours: Outcome, theirs: Outcome) -> Signature | None:
    """The kind of failure, or None when the outcomes agree."""
    if not differences(ours, theirs):
        return None
    names = {name for name in {*ours.files, *theirs.files} if ours.files.get(name) != theirs.files.get(name)}
    parts = names | ({"standard output"} if ours.stdout != theirs.stdout else set())
    return Signature((ours.status, theirs.status), frozenset(parts))


def steps_of(stdout: bytes) -> int:
    """Number of terms the run adds up, from its own report (0 when it did not get that far)."""
    total = 1
    for pattern in STEP_COUNTS:
        match = re.search(pattern, stdout, re.MULTILINE)
        if match is None:
            return 0
        total *= math.prod(int(count) for count in match.groups())
    return total


def unfit(theirs: Outcome) -> str | None:
    """Why the reference's outcome is no yardstick (undefined conversions, crash, too long), or None."""
    if theirs.status == TIMED_OUT:
        return "too long"
    if theirs.status < 0:
        return "reference crashed"
    if re.search(rb"\bnan\b", theirs.stdout):
        return "not a number"
    if steps_of(theirs.stdout) > 4 * STEP_LIMIT:
        return "too many steps"
    if match := FLOAT_FILE.search(theirs.stdout):
        image = floats(theirs.files.get(match[1].decode(), b""), "f")
        if not all(0 <= value < math.inf for value in image):
            return "pixels negative or not finite"
    return None


# --- shrinking ----


class Shrinker:
    """Makes a failing case smaller while it still fails, within a time limit."""

    def __init__(self, fails: Callable[[Case], bool], seconds: float) -> None:
        self.fails = fails
        self.deadline = time.monotonic() + seconds

    def shrink(self, case: Case) -> Case:
        """Drop groups and files, then simplify words and files, until nothing more can go."""
        before = None
        while case != before and time.monotonic() < self.deadline:
            before = case
            for step in (self._drop_groups, self._drop_files, self._simplify_words, self._shorten_lists):
                case = step(case)
        return case

    def _accepts(self, case: Case) -> bool:
        return time.monotonic() < self.deadline and self.fails(case)

    def _drop_groups(self, case: Case) -> Case:
        size = max(1, len(case.groups) // 2)
        while size:
            start = 0
            while start < len(case.groups):
                part = case.groups[start : start + size]
                kept = tuple(group for group in part if group.pinned)
                smaller = replace(case, groups=case.groups[:start] + kept + case.groups[start + size :])
                if len(kept) < len(part) and self._accepts(smaller):
                    case = smaller
                    start += len(kept)
                else:
                    start += size
            size //= 2
        return case

    def _drop_files(self, case: Case) -> Case:
        for name in list(case.files):
            smaller = replace(case, files={key: value for key, value in case.files.items() if key != name})
            if self._accepts(smaller):
                case = smaller
        return case

    def _simplify_words(self, case: Case) -> Case:
        for which in range(len(case.groups)):
            for position in range(len(case.groups[which].args)):
                for word in simpler_words(case.groups[which].args[position]):
                    simpler = with_word(case, which, position, word)
                    if not _changes_size(case, which, word) and self._accepts(simpler):
                        case = simpler
                        break
        return case

    def _shorten_lists(self, case: Case) -> Case:
        for name in [name for name in case.files if name.endswith((".hkl", ".txt", ".stol"))]:
            lines = case.files[name].split(b"\n")
            size = len(lines) // 2
            while size:
                for start in range(len(lines) - size - 1, -1, -size):
                    fewer = lines[:start] + lines[start + size :]
                    smaller = replace(case, files={**case.files, name: b"\n".join(fewer)})
                    if self._accepts(smaller):
                        case, lines = smaller, fewer
                size //= 2
        return case


def _changes_size(case: Case, which: int, word: str) -> bool:
    """Whether the detector's size would go (0 is the default, 1024), or no longer fit a mask or image."""
    is_size = case.groups[which].name == "size"
    return is_size and (word == "0" or any(name.endswith(".img") for name in case.files))


def simpler_words(word: str) -> Iterator[str]:
    """Words to try instead of this one, simplest first."""
    plain = re.sub(r"^-(my)?-", "-", word)
    if plain != word:
        yield plain
    match = re.fullmatch(r"\s*([-+]?[0-9.]+(?:e[-+]?\d+)?).*", word)
    try:
        value = float(match[1]) if match else None
    except ValueError:
        value = None
    if value is None:
        return
    candidates = [
        "0",
        "1",
        "2",
        "4",
        "5",
        "10",
        "20",
        "50",
        "100",
        f"{value:.0f}",
        f"{value:.1g}",
        f"{value:.2g}",
    ]
    for candidate in [*candidates, f"{value:.3g}", f"{value:g}"]:
        if (len(candidate), candidate) < (len(word), word):
            yield candidate


def with_word(case: Case, which: int, position: int, word: str) -> Case:
    """The case with one word of one group replaced."""
    group = case.groups[which]
    args = (*group.args[:position], word, *group.args[position + 1 :])
    groups = (*case.groups[:which], replace(group, args=args), *case.groups[which + 1 :])
    return replace(case, groups=groups)


# --- the corpus ----


def to_json(case: Case, expected: Outcome) -> str:
    """A case and the reference's outcome as a corpus entry."""
    entry = {
        "args": case.argv,
        "files": {name: _encoded(content) for name, content in sorted(case.files.items())},
        "status": expected.status,
        "stdout": expected.stdout.decode("utf-8"),
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(expected.files.items())},
    }
    return json.dumps(entry, indent=1) + "\n"


def _encoded(content: bytes) -> dict[str, str]:
    """Text as it is, anything else in base64."""
    try:
        text = content.decode("ascii")
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}
    return {"text": text}


def _decoded(entry: dict[str, str]) -> bytes:
    """The inverse of `_encoded`."""
    return entry["text"].encode() if "text" in entry else base64.b64decode(entry["base64"])


def from_json(text: str) -> tuple[Case, dict[str, Any]]:
    """The case of a corpus entry, and the entry with what is expected."""
    entry = json.loads(text)
    files = {name: _decoded(content) for name, content in entry["files"].items()}
    return Case((Group("args", tuple(entry["args"])),), files), entry


def replay(path: Path, program: Runner) -> list[str]:
    """What differs when the program runs a corpus entry."""
    case, entry = from_json(path.read_text("utf-8"))
    ours = program(case)
    found: list[str] = []
    if ours.status != entry["status"]:
        last = ours.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        found.append(f"exit status {ours.status} instead of {entry['status']} ({last})")
    if ours.stdout != entry["stdout"].encode():
        found.append(describe_stdout(ours.stdout, entry["stdout"].encode()))
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in ours.files.items()}
    for name in sorted({*digests, *entry["sha256"]}):
        if digests.get(name) != entry["sha256"].get(name):
            found.append(f"{name}: {'differs' if name in digests else 'missing'}")
    return found


# --- the campaign ----


@dataclass(frozen=True)
class Result:
    """What became of one index: how many draws were unfit, and the report of a failure (None: passed)."""

    index: int
    discarded: Counter[str]
    report: str | None
    skipped: bool = False


class Campaign:
    """Draws, runs, compares and shrinks; every worker process has a copy."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.reference = external(shlex.split(options.reference), 10.0)
        self.program: Runner | None = None if options.record else make_program(options)
        self.started = time.monotonic()

    def draw(self, index: int) -> tuple[Case, Outcome, Counter[str]]:
        """The first case of this index that the reference handles in a defined way."""
        discarded: Counter[str] = Counter()
        for attempt in range(ATTEMPTS):
            rng = random.Random(f"{self.options.seed}/{index}/{attempt}")
            case = draw_case(rng, self.options.trace_reference)
            if not is_defined(case):
                discarded["undefined"] += 1
                continue
            theirs = self.reference(case)
            reason = unfit(theirs)
            if reason is None:
                return case, theirs, discarded
            discarded[reason] += 1
        raise RuntimeError(f"no usable case in {ATTEMPTS} draws: {dict(discarded)}")

    def check(self, index: int) -> Result:
        """Draw and compare one case; on a difference shrink it and write the report."""
        minutes = self.options.minutes
        if minutes and time.monotonic() - self.started > 60 * minutes:
            return Result(index, Counter(), None, skipped=True)
        case, theirs, discarded = self.draw(index)
        if self.program is None:
            self.save(case, theirs, index)
            return Result(index, discarded, None)
        kind = signature(self.program(case), theirs)
        if kind is None:
            return Result(index, discarded, None)
        if not self.options.no_shrink:
            same_kind = partial(self.fails, kind)
            case = Shrinker(same_kind, self.options.shrink_seconds).shrink(case)
        return Result(index, discarded, self.report(case, index))

    def fails(self, kind: Signature, case: Case) -> bool:
        """Whether a case is well defined and fails in the same way."""
        if not is_defined(case) or self.program is None:
            return False
        theirs = self.reference(case)
        if theirs.status != kind.statuses[1] or unfit(theirs) is not None:
            return False
        return kind.covers(signature(self.program(case), theirs))

    def report(self, case: Case, index: int) -> str:
        """The minimal command line, ready to paste, and what differs; folder and corpus entry are kept."""
        assert self.program is not None
        theirs = self.reference(case)
        found = differences(self.program(case), theirs) or ["(passes when run again: not reproducible)"]
        self.save(case, theirs, index)
        folder = Path(self.options.keep or tempfile.mkdtemp(prefix="differential-")) / f"case-{index:05d}"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name, content in case.files.items():
            (folder / name).write_bytes(content)
        command = shlex.join([*shlex.split(self.options.reference), *case.argv])
        head = f"FAILED case {index} (--seed {self.options.seed} --only {index})"
        paste = f"cd {shlex.quote(str(folder))} && {command}"
        (folder / "command.txt").write_text("\n".join([command, *found, ""]))
        return "\n".join([head, "  " + paste, *("    " + line for line in found)])

    def save(self, case: Case, theirs: Outcome, index: int) -> None:
        """Write a corpus entry if a corpus folder was named and the entry is small enough."""
        if self.options.corpus:
            text = to_json(case, theirs)
            if len(text) <= self.options.largest_entry:
                folder = Path(self.options.corpus)
                folder.mkdir(parents=True, exist_ok=True)
                (folder / f"case-{self.options.seed}-{index:05d}.json").write_text(text, "utf-8")


def make_program(options: argparse.Namespace) -> Runner:
    """The program under test as the options name it."""
    extra = shlex.split(options.extra)
    if options.trace_reference or options.replay:
        # The reference's label; without -trace_pixel it has no effect.
        extra += ["--trace-prefix", "TRACE_C"]
    if options.in_process:
        return in_process(options.timeout, options.warm, extra)
    command = options.program or f"{shlex.quote(sys.executable)} -m nanobragg_py"
    return external([*shlex.split(command), *extra], options.timeout)


CAMPAIGN: list[Campaign] = []


def _check(index: int) -> Result:
    return CAMPAIGN[0].check(index)


@contextlib.contextmanager
def results(options: argparse.Namespace) -> Iterator[Iterator[Result]]:
    """The results of all cases in order, from this process or from several workers."""
    indices = [options.only] if options.only is not None else range(options.first, options.first + options.n)
    CAMPAIGN[:] = [Campaign(options)]  # before the fork: workers inherit it, and a fault shows here, once
    if options.jobs == 1:
        yield map(_check, indices)
        return
    context = multiprocessing.get_context("fork")
    with context.Pool(options.jobs) as pool:
        yield pool.imap(_check, indices)


def run_campaign(options: argparse.Namespace) -> int:
    """Run all cases, print failures and counts; 1 when any case failed."""
    passed, failed = 0, 0
    discarded: Counter[str] = Counter()
    started = time.monotonic()
    with results(options) as stream:
        for result in stream:
            if result.skipped:
                break
            discarded += result.discarded
            if result.report is None:
                passed += 1
            else:
                failed += 1
                print(result.report, flush=True)
            if (passed + failed) % 500 == 0:
                print(f"... {passed} passed, {failed} failed, {time.monotonic() - started:.0f} s", flush=True)
    seconds = time.monotonic() - started
    print("discarded draws:", ", ".join(f"{count} {why}" for why, count in discarded.most_common()) or "none")
    print(f"{seconds:.1f} s, {(passed + failed) / max(seconds, 1e-9):.1f} cases per second")
    print(f"{passed} passed, {failed} failed")
    return int(failed > 0)


def run_replay(options: argparse.Namespace) -> int:
    """Run every corpus entry; one line each: `ok NAME` or `FAILED NAME: what differs`."""
    program = make_program(options)
    counts = Counter({True: 0, False: 0})
    for path in sorted(Path(options.replay).glob("*.json")):
        found = replay(path, program)
        counts[not found] += 1
        print(f"FAILED {path.name}: {'; '.join(found)}" if found else f"ok {path.name}", flush=True)
    print(f"{counts[True]} passed, {counts[False]} failed")
    return int(counts[False] > 0)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The options of this program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--reference", help="the C program (its serial build)")
    add("--program", help="ours, as a command line (default: this Python with -m nanobragg_py)")
    add("--in-process", action="store_true", help="import ours once and run every case in a fork")
    add("--warm", action="store_true", help="with --in-process: run ours once before the forks")
    add(
        "--trace-reference",
        action="store_true",
        help="the reference is the trace build: -trace_pixel, -misset_seed",
    )
    add("--n", type=int, default=100, help="number of cases (default: 100)")
    add("--seed", default="1", help="what the cases follow from (default: 1)")
    add("--first", type=int, default=0, help="index of the first case (default: 0)")
    add("--only", type=int, metavar="INDEX", help="run just the case with this index")
    add("--minutes", type=float, default=0.0, help="start no new case after this time (default: no limit)")
    add("--jobs", type=int, default=1, help="worker processes (default: 1)")
    add("--extra", default="", help="words in front of every command line of ours, such as '--fix upstream'")
    add("--timeout", type=float, default=60.0, help="seconds our program may take for a case (default: 60)")
    add(
        "--keep",
        metavar="DIR",
        help="where failing cases leave their input files (default: a temporary folder)",
    )
    add("--corpus", metavar="DIR", help="save every minimal failing case there")
    add("--largest-entry", type=int, default=60_000, help="bytes above which no corpus entry is saved")
    add("--record", action="store_true", help="run the reference only and save every case in --corpus")
    add("--replay", metavar="DIR", help="run the corpus in DIR against our program; needs no reference")
    add("--no-shrink", action="store_true", help="report failing cases as drawn")
    add("--shrink-seconds", type=float, default=60.0, help="time limit for shrinking one case (default: 60)")
    options = parser.parse_args(argv)
    if not options.replay and not options.reference:
        parser.error("--reference is needed (or --replay DIR)")
    if options.record and not options.corpus:
        parser.error("--record needs --corpus DIR")
    return options


def main(argv: list[str] | None = None) -> int:
    """Entry point."""
    options = parse(argv)
    return run_replay(options) if options.replay else run_campaign(options)


if __name__ == "__main__":
    sys.exit(main())
