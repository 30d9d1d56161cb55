"""Differential fuzzing: random command lines, run by the C program and by ours, must give the same bytes.

    python tests/differential.py --reference ./nanoBragg --n 1000 --in-process --warm --jobs 2

Both programs run in fresh folders with the same input files; exit status, standard output (but for a memory
address) and every file written are compared. A failing command line is shrunk to a minimal one and printed
ready to paste. Cases follow from the seed alone: `--only I` runs the case with index I again.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import random
import shlex
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from fuzzing.case import Case
from fuzzing.comparing import CRASHED, Signature, differences, judge, unfit
from fuzzing.corpus import replay, to_json
from fuzzing.draw import draw_case, is_defined
from fuzzing.refusals import EXIT_STATUS
from fuzzing.running import Outcome, Runner, external, in_process
from fuzzing.shrinking import Shrinker

ATTEMPTS = 30
# The C program takes milliseconds for a case of the usual number of steps (seconds).
REFERENCE_TIMEOUT = 5.0


@dataclass(frozen=True)
class Result:
    """What became of one index: draws that were unfit, why it was refused, the report of a failure."""

    index: int
    discarded: Counter[str] = field(default_factory=Counter)
    refused: str | None = None
    report: str | None = None
    skipped: bool = False


class Campaign:
    """Draws, runs, compares and shrinks; every worker process has a copy."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.reference = external(shlex.split(options.reference), REFERENCE_TIMEOUT, limited=True)
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
            if reason is None or (reason == CRASHED and self.ends_badly(case)):
                return case, theirs, discarded
            discarded[reason] += 1
        raise RuntimeError(f"no usable case in {ATTEMPTS} draws: {dict(discarded)}")

    def ends_badly(self, case: Case) -> bool:
        """Whether ours neither renders nor says what is wrong, where the C program crashes."""
        return self.program is not None and self.program(case).status not in (0, EXIT_STATUS)

    def check(self, index: int) -> Result:
        """Draw and compare one case; on a difference shrink it and write the report."""
        minutes = self.options.minutes
        if minutes and time.monotonic() - self.started > 60 * minutes:
            return Result(index, skipped=True)
        case, theirs, discarded = self.draw(index)
        if self.program is None:
            self.save(case, theirs, index)
            return Result(index, discarded)
        verdict = judge(self.program(case), theirs)
        if verdict.signature is None:
            return Result(index, discarded, verdict.refused)
        kind = verdict.signature
        if not self.options.no_shrink:
            same_kind = partial(self.fails, kind)
            case = Shrinker(same_kind, self.options.shrink_seconds).shrink(case)
        return Result(index, discarded, report=self.report(case, index))

    def fails(self, kind: Signature, case: Case) -> bool:
        """Whether a case is well defined and fails in the same way."""
        if not is_defined(case) or self.program is None:
            return False
        theirs = self.reference(case)
        if theirs.status != kind.statuses[1] or unfit(theirs) not in (None, CRASHED):
            return False
        return kind.covers(judge(self.program(case), theirs).signature)

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
        found += [f"pipes: {' '.join(case.pipes)}"] if case.pipes else []
        found += [f"after: {shlex.join(case.earlier)}"] if case.earlier else []
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
    refused: Counter[str] = Counter()
    started = time.monotonic()
    with results(options) as stream:
        for result in stream:
            if result.skipped:
                break
            discarded += result.discarded
            if result.refused is not None:
                refused[result.refused] += 1
            elif result.report is None:
                passed += 1
            else:
                failed += 1
                print(result.report, flush=True)
            done = passed + failed + refused.total()
            if done % 500 == 0:
                print(f"... {done} done, {failed} failed, {time.monotonic() - started:.0f} s", flush=True)
    seconds = time.monotonic() - started
    for why, count in refused.most_common():
        print(f"refused: {count} {why}")
    print("discarded draws:", ", ".join(f"{count} {why}" for why, count in discarded.most_common()) or "none")
    done = passed + failed + refused.total()
    print(f"{seconds:.1f} s, {done / max(seconds, 1e-9):.1f} cases per second")
    print(f"{passed} passed, {refused.total()} refused on purpose, {failed} failed")
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
