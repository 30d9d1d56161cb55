"""Differential fuzzing of nonBragg: random command lines, run by the C program and by ours, must give the same bytes.

    PYTHONPATH=. python tests/nonbragg/nonbragg_differential.py --reference ./nonBragg --n 1000

Exit status, standard output (but for a memory address) and every file are compared; of the PGM only the image, since
the C program writes memory behind it that was never set. Cases follow from the seed: `--only I` runs case I again.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nanobragg_py.nonbragg import command

SECONDS = 5.0
FLOAT_NAMES = ("floatimage.bin", "other.bin")
NUMBER = re.compile(r"[-+]?\d[-+.e\d]*")
ADDRESS = re.compile(r"(mmap\(.*?\) = )0x[0-9a-f]+")


@dataclass(frozen=True)
class Case:
    """A command line, and the files that it reads."""

    words: tuple[str, ...]
    files: dict[str, bytes]


@dataclass(frozen=True)
class Outcome:
    """Exit status (negative: a signal), both streams, and the files written."""

    status: int
    out: str
    err: str
    files: dict[str, bytes]


def number(r: random.Random, low: float, high: float) -> str:
    """A number as people write it."""
    return f"{r.uniform(low, high):.{r.choice([1, 2, 3, 5])}g}"


def table(r: random.Random) -> bytes:
    """A table of F: of any length, evenly spaced or not, at times with what a table should not have."""
    points = r.choice([1, 2, 3, 5, 12, 40, 200])
    most = r.choice([0.2, 0.6, 1.2])
    stol = sorted(r.uniform(0.0, most) for _ in range(points)) if r.random() < 0.4 else [
        most * i / points for i in range(points)
    ]  # fmt: skip
    if r.random() < 0.08:
        r.shuffle(stol)
    if r.random() < 0.05 and points > 3:
        stol[points // 2] = stol[points // 2 - 1]
    gap = r.choice([" ", "  ", "\t", ", ", "; "])
    lines = []
    for value in stol:
        F = 2.57 + 5.0 * math.exp(-(((value - 0.16) / 0.06) ** 2)) - r.choice([0.0, 0.0, 20.0]) * value**2
        F *= r.choice([0.0, 1e-30, 1e10, -1.0]) if r.random() < 0.01 else 1.0
        lines.append(f"{value:.6g}{gap}{F:.5g}" if r.random() > 0.02 else f"{value:.6g}")
    if r.random() < 0.2:
        lines.insert(r.randrange(len(lines) + 1), "")
    if r.random() < 0.1:
        lines[0] += " 7"
    end = "\r\n" if r.random() < 0.04 else "\n"
    return (end.join(lines) + ("" if r.random() < 0.04 else end)).encode()


def source_list(r: random.Random) -> bytes:
    """Sources, some with columns left out."""
    rows = []
    for _ in range(r.randint(1, 5)):
        row = [
            "-10", number(r, -0.1, 0.1), number(r, -0.1, 0.1), number(r, -0.2, 2.0),
            f"{r.uniform(0.8e-10, 1.2e-10):.6g}",
        ]  # fmt: skip
        rows.append(" ".join(row[: r.choice([3, 4, 5, 5])]))
    return ("\n".join(rows) + "\n").encode()


def image(r: random.Random, fast: int, slow: int) -> bytes:
    """An SMV image of a few thousand counts."""
    header = "{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n"
    header += f"SIZE1={fast};\nSIZE2={slow};\n"
    for keyword, low, high in (
        ("PIXEL_SIZE", 0.1, 3.0), ("DISTANCE", 40, 300), ("WAVELENGTH", 0.7, 1.8), ("BEAM_CENTER_X", 1, 40),
        ("BEAM_CENTER_Y", 1, 40), ("ORGX", 1, 30), ("ORGY", 1, 30), ("CLOSE_DISTANCE", 40, 300), ("PHI", -180, 180),
        ("OSC_RANGE", 0, 2), ("TWOTHETA", -5, 5),
    ):  # fmt: skip
        if r.random() < 0.6:
            header += f"{keyword}={number(r, low, high)};\n"
    words = [r.randint(0, 3000) for _ in range(fast * slow)]
    if r.random() < 0.3:
        words = [word % 7 * 100 for word in words]
    return (header + "}\f").encode().ljust(512) + b"".join(word.to_bytes(2, "little") for word in words)


def draw(r: random.Random) -> Case:
    """A random case of few pixels."""
    groups: list[list[str]] = []
    files = {"f.stol": table(r)}
    scale = r.choices(["-stol", "-4stol", "-Q"], [6, 1, 1])[0]
    groups.append([scale, "f.stol"])
    fast, slow = r.randint(1, 40), r.randint(1, 40)
    if r.random() < 0.25:
        files["in.img"] = image(r, fast, slow)
        groups.append([r.choice(["-img", "-img"]), "in.img"])
        if r.random() < 0.3:
            groups.append(["-ignore", r.choice(["0", "100", "65535", "-1", "1e3"])])
        if r.random() < 0.3:
            groups.append(["-ignore", "300"])
        if r.random() < 0.3:
            groups.append(["-stolout", "curve.txt"])
        if r.random() < 0.3:
            groups.append(["-gain", number(r, 0.3, 5)])
    else:
        way = r.randrange(4)
        if way == 0:
            groups.append(["-detpixels", str(fast)])
        elif way == 1:
            groups += [[r.choice(["-detpixels_x", "-detpixels_f", "-detpixels_fast"]), str(fast)],
                       [r.choice(["-detpixels_y", "-detpixels_s", "-detpixels_slow"]), str(slow)]]  # fmt: skip
        elif way == 2:
            groups += [["-detsize", number(r, 1, 30)], ["-pixel", number(r, 0.8, 3)]]
        else:
            groups += [["-detsize_x", number(r, 5, 30)], ["-detsize_y", number(r, 5, 30)], ["-pixel", "1.5"]]
        if way < 2 and r.random() < 0.8:
            groups.append(["-pixel", r.choice(["0.1", "1", "3", number(r, 0.05, 8)])])
    groups += [group for chance, group in choices(r, fast, slow, files) if r.random() < chance]
    r.shuffle(groups)
    if r.random() < 0.75:
        groups.append(["-seed", r.choice(["1", "12", "-7", "0", "2147483648", "54321"])])
    else:
        groups.append(["-nonoise"])
    return Case(tuple(word for group in groups for word in group), files)


def choices(r: random.Random, fast: int, slow: int, files: dict[str, bytes]) -> Iterator[tuple[float, list[str]]]:
    """Groups of words, each with the chance that it is taken."""
    vector = [number(r, -1, 1) for _ in range(3)]
    small = [number(r, -0.1, 0.1) for _ in range(3)]
    yield 0.5, ["-fluence", number(r, 1e18, 1e27)]
    yield 0.1, ["-flux", number(r, 1e10, 1e14)]
    yield 0.1, ["-exposure", r.choice(["0.1", "2", "0", "-1"])]
    yield 0.15, ["-beamsize", r.choice(["0.1", "0.03", "1", "-1", number(r, 0.01, 0.2)])]
    yield 0.1, [r.choice(["-samplesize", "-sample_size"]), number(r, 0.01, 2)]
    yield 0.1, [r.choice(["-thick", "-thickness", "-sample_thick", "-sample_x"]), number(r, 0.01, 2)]
    yield 0.1, [r.choice(["-width", "-sample_width", "-sample_y"]), number(r, 0.01, 2)]
    yield 0.1, [r.choice(["-height", "-sample_heigh", "-sample_z", "-heigh"]), number(r, 0.01, 2)]
    yield 0.15, [r.choice(["-density", "-sample_density"]), number(r, 0.001, 3)]
    yield 0.1, [r.choice(["-molecules", "-sample_molecules"]), r.choice(["1", "1e15", "0"])]
    yield 0.1, [r.choice(["-MW", "-molecular_weight", "-molecular"]), number(r, 10, 300)]
    yield 0.4, ["-distance", number(r, 20, 400)]
    yield 0.1, ["-close_distance", r.choice([number(r, 20, 400), number(r, -90, 90)])]
    yield 0.25, ["-Xbeam", number(r, -5, 40)]
    yield 0.25, ["-Ybeam", number(r, -5, 40)]
    yield 0.08, ["-Xclose", number(r, -5, 40)]
    yield 0.08, ["-Yclose", number(r, -5, 40)]
    yield 0.08, ["-ORGX", number(r, -5, 40)]
    yield 0.08, ["-ORGY", number(r, -5, 40)]
    yield 0.12, ["-pivot", r.choice(["beam", "sample", "beamsample", "none"])]
    yield 0.06, ["-fdet_vector", *vector]
    yield 0.06, ["-sdet_vector", *small[:1], "-1", *small[1:2]]
    yield 0.05, ["-odet_vector", *vector]
    yield 0.06, ["-beam_vector", r.choice(["1", "-1", "2"]), *small[:2]]
    yield 0.1, ["-polar_vector", *r.choice([vector, ["0", "1", "0"], ["0", *small[1:]], ["1", "0", "0"]])]
    yield 0.03, ["-spindle_axis", *vector]
    yield 0.05, ["-twotheta_axis", *r.choice([vector, ["0", "0", "1"], ["0", "0.6", "0.8"]])]
    yield 0.03, ["-pix0_vector", *vector]
    yield 0.15, ["-twotheta", number(r, -40, 40)]
    for axis in "xyz":
        yield 0.08, [f"-detector_rot{axis}", number(r, -30, 30)]
    yield 0.1, ["-curved_det"]
    yield 0.1, ["-point_pixel"]
    yield 0.08, ["-Fmap"]
    yield 0.3, ["-polar", r.choice(["0", "1", "-1", "0.5", "3", number(r, -1, 1)])]
    yield 0.1, ["-nopolar"]
    yield 0.4, ["-oversample", r.choice(["1", "2", "3", "0", "-2", "2.9"])]
    yield 0.05, ["-oversample_thick", "2"]
    roi = [str(r.randint(-2, size + 3)) for size in (fast, fast, slow, slow)]
    yield 0.2, ["-roi", *(sorted(roi[:2], key=int) + sorted(roi[2:], key=int) if r.random() < 0.9 else roi)]
    yield 0.4, [r.choice(["-lambda", "-wavelength", "-wave"]), number(r, 0.5, 3)]
    yield 0.1, ["-energy", number(r, 5000, 20000)]
    yield 0.15, ["-dispersion", r.choice(["0", "1", "-2", number(r, 0.1, 9)])]
    yield 0.15, ["-dispsteps", r.choice(["0", "1", "2", "3", "-1"])]
    yield 0.1, ["-divergence", number(r, 0.1, 20)]
    for axis in "hv":
        yield 0.12, [f"-{axis}divrange", r.choice([number(r, 0.1, 20), "0", "-1"])]
        yield 0.08, [f"-{axis}divstep", number(r, 2, 20)]
        yield 0.12, [f"-{axis}divsteps", r.choice(["0", "1", "2", "3", "4"])]
    yield 0.06, ["-divsteps", r.choice(["1", "2", "3"])]
    yield 0.08, ["-round_div"]
    yield 0.15, ["-square_div"]
    files["sources.txt"] = source_list(r)
    yield 0.12, ["-sourcefile", "sources.txt"]
    yield 0.1, ["-source_distance", number(r, 10, 20000)]
    yield 0.3, ["-adc", r.choice(["0", "40", "10.6", "-30", "70000"])]
    yield 0.1, ["-gain", number(r, 0.3, 5)]
    yield 0.15, ["-phi", number(r, -180, 180)]
    yield 0.15, ["-osc", r.choice(["0", "1", "-1", number(r, 0, 3)])]
    yield 0.1, ["-phistep", r.choice(["0", "0.1", "-0.1"])]
    yield 0.1, ["-phisteps", r.choice(["0", "1", "5", "-3"])]
    yield 0.1, [r.choice(["-floatfile", "-floatimage"]), "other.bin"]
    yield 0.1, [r.choice(["-intfile", "-intimage"]), "other.img"]
    yield 0.1, [r.choice(["-pgmfile", "-pgmimage"]), "other.pgm"]
    yield 0.1, [r.choice(["-noisefile", "-noiseimage"]), "noisy.img"]
    yield 0.05, ["-nonoise"]
    yield 0.05, ["-nopgm"]
    yield 0.05, ["-noreject"]
    yield 0.15, ["-scale", r.choice(["1", "0", "-1", number(r, 0.001, 100)])]
    yield 0.1, ["-pgmscale", r.choice(["1", "0", "-1", number(r, 1e-6, 100)])]
    yield 0.03, ["-coherent"]
    yield 0.08, ["-printout"]
    yield 0.06, ["-printout_pixel", str(r.randint(-1, fast)), str(r.randint(-1, slow))]
    yield 0.2, ["-noprogress"]
    yield 0.05, ["-progress"]
    yield from extremes(r)
    yield 0.03, ["-hdiv", "0.28"]
    yield 0.03, ["stray"]


def extremes(r: random.Random) -> Iterator[tuple[float, list[str]]]:
    """Values at which arithmetic or conversions reach their ends."""
    for option, values in {
        "-fluence": ["0", "-1e24", "1e60", "1e-60", "1e300"],
        "-distance": ["0", "-100", "1e6", "1e-9"],
        "-close_distance": ["0", "1e-7"],
        "-lambda": ["0.001", "1e5", "1e-7"],
        "-polar": ["1e9", "-50"],
        "-adc": ["-1e12", "1e12", "65535.4", "-0.5"],
        "-scale": ["1e30", "1e-30"],
        "-pgmscale": ["1e30", "1e-30", "0x10"],
        "-density": ["-1", "0", "1e20"],
        "-molecules": ["-5", "1e60"],
        "-gain": ["0", "-2"],
        "-twotheta": ["90", "180", "1e6"],
        "-samplesize": ["0", "-1"],
        "-phi": ["1e9", "0x1p3"],
        "-osc": ["1e9"],
        "-Xbeam": ["1e6", "-1e6"],
        "-dispersion": ["150", "1e-9"],
        "-hdivrange": ["1000", "7000"],
        "-seed": ["99999999999", "3.7", " 5"],
    }.items():
        yield 0.015, [option, r.choice(values)]


def collected(folder: Path, status: int, out: bytes, err: bytes, inputs: dict[str, bytes]) -> Outcome:
    """What is left of a run."""
    written = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name not in inputs}
    return Outcome(status, out.decode("latin-1"), err.decode("utf-8", "replace"), written)


@contextlib.contextmanager
def fresh_folder(case: Case) -> Iterator[Path]:
    """A folder with the case's files."""
    with tempfile.TemporaryDirectory(prefix="nonbragg-") as name:
        folder = Path(name)
        for file, content in case.files.items():
            (folder / file).write_bytes(content)
        yield folder


def run_reference(program: str, case: Case) -> Outcome | None:
    """The C program's outcome; None if it takes too long."""
    with fresh_folder(case) as folder:
        try:
            done = subprocess.run([program, *case.words], cwd=folder, capture_output=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            return None
        return collected(folder, done.returncode, done.stdout, done.stderr, case.files)


def warm_up() -> None:
    """Load in this process what every fork of it needs: one run with noise, kernels, progress and a curve."""
    case = Case(("-stol", "f.stol", "-img", "in.img", "-seed", "1"), {})
    files = {"f.stol": table(random.Random(1)), "in.img": image(random.Random(1), 9, 9)}
    before = os.getcwd()
    with fresh_folder(Case(case.words, files)) as folder, contextlib.redirect_stdout(io.StringIO()):
        os.chdir(folder)
        command.run(case.words)
        command.run(("-stol", "f.stol", "-detpixels", "9", "--fix", "none"))
        os.chdir(before)


def run_ours(case: Case) -> Outcome:
    """Ours, in a fork of this process."""
    with fresh_folder(case) as folder, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            status = 70
            try:
                os.chdir(folder)
                os.dup2(out.fileno(), 1)
                os.dup2(err.fileno(), 2)
                sys.stdout = os.fdopen(1, "w", closefd=False)
                sys.stderr = os.fdopen(2, "w", closefd=False)
                status = command.run(case.words)
                sys.stdout.flush()
                sys.stderr.flush()
            except BaseException:
                import traceback

                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(status)
        _, wait_status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        return collected(folder, os.waitstatus_to_exitcode(wait_status), out.read(), err.read(), case.files)


def image_of_pgm(content: bytes) -> bytes:
    """A PGM's header and the pixels that belong to the image."""
    match = re.match(rb"P5\n(-?\d+) (-?\d+)\n#[^\n]*\n255\n", content)
    if match is None:
        return content
    return content[: match.end() + int(match[1]) * int(match[2])] + b" %d" % len(content)


def differences(ours: Outcome, theirs: Outcome) -> list[str]:
    """What differs, in words."""
    found = []
    if ours.status != theirs.status:
        found.append(f"status {ours.status}, not {theirs.status}: {ours.err.strip()[-300:]}")
    our_lines, their_lines = (ADDRESS.sub(r"\1ADDRESS", each.out).splitlines() for each in (ours, theirs))
    if our_lines != their_lines:
        at = next((i for i, (a, b) in enumerate(zip(our_lines, their_lines, strict=False)) if a != b),
                  min(len(our_lines), len(their_lines)))  # fmt: skip
        mine, yours = (lines[at] if at < len(lines) else "(end)" for lines in (our_lines, their_lines))
        found.append(f"standard output, line {at + 1}: {mine!r}, not {yours!r}")
    for name in sorted(ours.files.keys() | theirs.files.keys()):
        a, b = (each.files.get(name) for each in (ours, theirs))
        if a is not None and b is not None:
            a, b = (image_of_pgm(content) if name.endswith(".pgm") else content for content in (a, b))
        if a != b:
            where = "" if a is None or b is None else next(
                (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), "end"
            )  # fmt: skip
            found.append(f"{name}: {'missing' if a is None else 'extra' if b is None else f'byte {where}'}")
    return found


def check(program: str, case: Case) -> tuple[str, list[str]]:
    """Kind of result (same, refused: why, discarded, different), and what differs."""
    theirs = run_reference(program, case)
    if theirs is None:
        return "discarded: the C program takes long", []
    ours = run_ours(case)
    if theirs.status < 0:
        return ("discarded: the C program crashes", []) if ours.status in (0, 9) else ("different", [ours.err])
    if ours.status == 9 and theirs.status == 0:
        lines = [line for line in ours.err.splitlines() if "error: " in line]
        if lines and theirs.out.startswith(ours.out[:20]):
            why = NUMBER.sub("N", lines[0])
            return f"refused: {why[:90]}", []
    found = differences(ours, theirs)
    return ("different" if found else "same"), found


def main(argv: list[str] | None = None) -> int:
    """Entry point; 1 when any case differs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", default=os.environ.get("NONBRAGG_REFERENCE"), help="the C program")
    parser.add_argument("--n", type=int, default=100, help="number of cases")
    parser.add_argument("--seed", default="1", help="what the cases follow from")
    parser.add_argument("--only", type=int, help="run just the case with this index")
    parser.add_argument("--keep", help="folder for the files of the cases that differ")
    options = parser.parse_args(argv)
    if not options.reference:
        parser.error("--reference is needed, or NONBRAGG_REFERENCE in the environment")
    program = str(Path(options.reference).resolve())
    counts: Counter[str] = Counter()
    warm_up()
    for index in range(options.n) if options.only is None else [options.only]:
        case = draw(random.Random(f"{options.seed}/{index}"))
        kind, found = check(program, case)
        counts[kind] += 1
        if kind == "different":
            print(f"case {index}: {shlex.join(case.words)}", *found, sep="\n    ", flush=True)
            if options.keep:
                folder = Path(options.keep) / f"case-{index:05d}"
                folder.mkdir(parents=True, exist_ok=True)
                for name, content in case.files.items():
                    (folder / name).write_bytes(content)
    for kind, count in counts.most_common():
        print(f"{count} {kind}")
    return int(counts["different"] > 0)


if __name__ == "__main__":
    sys.exit(main())
