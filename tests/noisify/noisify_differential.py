"""Differential fuzzing of noisify: random command lines, run by the C program and by ours, must give the same bytes.

    python tests/noisify/noisify_differential.py --reference ./noisify --n 1000

Exit status, standard output and every file are compared. The C program can also be named by the environment variable
NOISIFY_REFERENCE. A line that differs is shortened, and printed. Lines follow from the seed: `--only I` runs one again.
Left out is what the C program does not define: it crashes, or takes too long; ours must then end with status 0 or 9.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import re
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from nanobragg_py.base import process
from nanobragg_py.noisify import command

# Seconds; images here take the C program milliseconds.
TIMEOUT = 5.0
# What ours refuses and the C program does not: docs/noisify.md.
REFUSALS = (
    "expected a finite number",
    r"expected a (whole )?number, got",
    "needs a value",
    "is no SMV image",
    "header says HEADER_BYTES",
    "has no BYTE_ORDER",
    "expected an SMV image",
    "expected none below 0",
    "expected a finite width",
    "needs a pixel size above 0",
    "gives no number of pixels",
    "cannot be written",
    "cannot be read",
    "no option --",
    "too many for an automatic radius",
    r"\d+ bytes; expected \d+ for",
    "holds no pixels",
)
SHAPES = ((32, 32), (16, 24), (24, 16), (40, 40), (7, 13), (1, 9), (9, 1), (1, 1), (64, 30))
ODD = (
    "0",
    "-0",
    "-1",
    "1e999",
    "-1e30",
    "1e-300",
    "nan",
    "abc",
    "",
    "0x10",
    " 7",
    "+3",
    "1d3",
    "1e",
    "-",
    "2147483648",
)


@dataclass(frozen=True)
class Case:
    """The words of a command line, and the files that it reads."""

    words: tuple[str, ...]
    files: dict[str, bytes]


@dataclass(frozen=True)
class Outcome:
    """What a program left: its exit status, what it wrote, and what it complained of."""

    status: int
    stdout: bytes
    files: dict[str, bytes]
    complaint: str


def draw_image(r: random.Random, shape: tuple[int, int]) -> bytes:
    """A float image: even, spots, dim or bright, partly negative or blank; sometimes cut short, or with more behind."""
    g = np.random.default_rng(r.randrange(2**32))
    image = g.random(shape) * 10.0 ** r.uniform(-3, 3)
    kind = r.randrange(9)
    if kind == 1:
        image *= 0.0
        image[shape[0] // 2, shape[1] // 2], image[0, -1] = 1e5, 3e3
    elif kind == 2:
        image -= 0.3 * image.max()
    elif kind == 3:
        image *= 1e5
    elif kind == 4:
        image[g.random(shape) < 0.5] = 0.0
    elif kind == 5:
        image[:] = r.choice([0.0, 1.0, 11.99, 12.0, 1e6, 1.1e6])
    elif kind == 6:
        image[g.random(shape) < 0.1] = r.choice([np.nan, np.inf, -np.inf, 1e38, -1e-30, 1e-40])
    with np.errstate(over="ignore"):
        content = image.astype(np.float32).tobytes()
    chance = r.random()
    if chance < 0.08:
        content = content[: r.randrange(len(content) + 1)]
    elif chance < 0.13:
        content += b"abcdefg" * r.randrange(1, 40)
    return content


def draw_header(r: random.Random, shape: tuple[int, int]) -> bytes:
    """An SMV image, sometimes a strange one."""
    size = r.choice([512, 512, 512, 1024, 600])
    lines = [
        f"HEADER_BYTES={size:5d};", "DIM=2;", f"BYTE_ORDER={r.choice(['little', 'big'])}_endian;",
        "TYPE=unsigned_short;", f"SIZE1={shape[1]};", f"SIZE2={shape[0]};",
        f"PIXEL_SIZE={r.choice([*ODD[:3], '0.09', '.1'])};", "DISTANCE=123;", "WAVELENGTH=1.2;", "BEAM_CENTER_X=1.5;",
        f"BEAM_CENTER_Y={r.choice(['1.25', 'nan', 'x', '-4'])};",
    ]  # fmt: skip
    kept = [line for line in lines if r.random() > 0.04]
    text = "{\n" + "\n".join(kept) + "\n}\f"
    content = text.encode().ljust(size) + bytes(2 * shape[0] * shape[1])
    return content[: r.randrange(len(content))] if r.random() < 0.05 else content


def draw_case(r: random.Random) -> Case:
    """A command line over all options, with images for it."""
    shape = r.choice(SHAPES)
    files = {"image.bin": draw_image(r, shape)}
    odd = r.random() < 0.25

    def number(low: float, high: float) -> str:
        return r.choice(ODD) if odd and r.random() < 0.15 else f"{r.uniform(low, high):.4g}"

    def one_of(*values: object) -> str:
        return r.choice(ODD) if odd and r.random() < 0.15 else str(r.choice(values))

    name = "image.bin" if r.random() > 0.02 else "none.bin"
    words = [r.choice(["-floatfile", "-floatimage", "-bin", "-binary"]), name]
    if r.random() < 0.1:
        files["my_floatimage.bin"] = files["image.bin"]
        words = ["my_floatimage.bin"]
    words += ["-seed", r.choice(["1", str(r.randrange(10**6)), "-5", "0", "3.7", "2147483647", "-2147483648"])]
    size = r.random()
    slow, fast = shape
    rest: list[list[str]] = []
    if size < 0.65:
        rest.append(["-detpixels_x", one_of(fast), "-detpixels_y", one_of(slow)])
    elif size < 0.75:
        rest.append(["-detpixels", one_of(fast, slow, 0, 5, 70)])
    elif size < 0.85:
        rest.append([r.choice(["-detpixels_x", "-detpixels_y"]), one_of(fast, slow, 3, 0)])
    for chance, names, value in (
        (0.2, "-lambda", number(0.5, 2)),
        (0.2, "-Xbeam", number(-1, 5)),
        (0.2, "-Ybeam", number(-1, 5)),
        (0.2, "-distance", number(10, 300)),
        (0.15, "-detsize -detsize_x -detsize_y", number(1, 5)),
        (0.3, "-pixel -pixel_size", number(0.02, 0.2)),
        (0.6, "-psf", r.choice(["gauss", "fiber", "fiber", "gaussian", "none", "gaussfiber"])),
        (0.3, "-psf_rad -psf_radius", one_of(1, 2, 5, 9, 40, 2.7, -3)),
        (0.4, "-psf_size -psf_fwhm -psf_width", number(5, 400)),
        (0.15, "-fluence", f"{r.uniform(1, 3):.3f}e{r.choice([28, 29, 30])}"),
        (0.3, "-bits", one_of(16, 32, 32, 8, 17)),
        (0.2, "-noisefile -noiseimage", r.choice(["n.img", "n.img", "nowhere/n.img", "image.bin2"])),
        (0.2, "-intfile -intimage", r.choice(["i.img", "i.img", "noiseimage.img"])),
        (0.2, "-pgmfile -pgmimage", r.choice(["p.pgm", "p.pgm", "intimage.img"])),
        (0.4, "-readout -readnoise -readout_noise", number(0, 5)),
        (0.3, "-flicker", number(0, 0.3)),
        (0.5, "-calibration", one_of(0, 0.05, 0.3, 1, -0.1)),
        (0.3, "-scale", one_of(0.1, 10, 1000, -1, 1e9)),
        (0.3, "-calib_seed", one_of(1, 77, -4, 0, 2147483647)),
        (0.1, "-badpix_seed -hotpix_seed", one_of(3)),
        (0.4, "-adc", one_of(0, 0, 10, -20, 100.5, -3000000, -3e9)),
        (0.3, "-gain", one_of(0.5, 2, 10, 1.7, -1)),
        (0.1, "-phi", number(0, 90)),
        (0.1, "-osc", number(0, 2)),
    ):
        if r.random() < chance:
            rest.append([r.choice(names.split()), value])
    for chance, word in ((0.15, "-nonoise"), (0.15, "-nopgm"), (0.04, "stray"), (0.04, "-what"), (0.02, "-seed")):
        if r.random() < chance:
            rest.append([word])
    if r.random() < 0.15:
        files["header.img"] = draw_header(r, r.choice([shape, shape, (8, 8)]))
        rest.append(["-header", r.choice(["header.img"] * 9 + ["none.img"])])
    r.shuffle(rest)
    if odd and rest and r.random() < 0.3:
        # Two options in one word, or one word too few or too many.
        at = r.randrange(len(rest))
        rest[at] = r.choice(
            [[rest[at][0] + r.choice(["_gain", "-adc", "x"]), *rest[at][1:]], rest[at][:1], [*rest[at], "9"]]
        )
    return Case((*words, *(word for group in rest for word in group)), files)


def fresh_folder(case: Case) -> contextlib.AbstractContextManager[str]:
    """A folder with the files of a case."""
    folder = tempfile.TemporaryDirectory()
    for name, content in case.files.items():
        (Path(folder.name) / name).write_bytes(content)
    return folder


def left_in(folder: str, case: Case) -> dict[str, bytes]:
    """The files that are there and were not before, or are others."""
    found = {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}
    return {name: content for name, content in found.items() if case.files.get(name) != content}


def run_reference(program: list[str], case: Case) -> Outcome | None:
    """What the C program does; None if it takes too long."""
    with fresh_folder(case) as folder:
        try:
            done = subprocess.run([*program, *case.words], cwd=folder, capture_output=True, timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            return None
        return Outcome(done.returncode, done.stdout, left_in(folder, case), "")


def run_ours(case: Case) -> Outcome:
    """What ours does, in this process."""
    before = os.getcwd()
    with fresh_folder(case) as folder:
        out, err = io.StringIO(), io.StringIO()
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = command.run(list(case.words))
        finally:
            os.chdir(before)
        complaints = [line for line in err.getvalue().splitlines() if ": error: " in line or "Traceback" in line]
        return Outcome(status, out.getvalue().encode(), left_in(folder, case), " ".join(complaints))


def verdict(theirs: Outcome | None, ours: Outcome) -> str:
    """The kind of agreement: 'same', 'refused by both', 'undefined', 'refused: WHY'; else 'differs: WHERE'."""
    if ours.status not in (0, 9) or "Traceback" in ours.complaint:
        return "differs: ours ends badly"
    if ours.status == 9 and len(re.findall("error: ", ours.complaint)) != 1:
        return "differs: no message, or more than one"
    if theirs is None or theirs.status < 0:
        return "undefined"
    if theirs.status and ours.status:
        return "refused by both"
    if ours.status:
        why = next((text for text in REFUSALS if re.search(text, ours.complaint)), None)
        return f"refused: {why}" if why else f"differs: refused: {ours.complaint}"
    if theirs.status:
        return f"differs: exit status {theirs.status}"
    if theirs.stdout != ours.stdout:
        pairs = zip(theirs.stdout.splitlines(), ours.stdout.splitlines(), strict=False)
        return f"differs: standard output {next((pair for pair in pairs if pair[0] != pair[1]), '')}"
    for name in sorted(theirs.files.keys() | ours.files.keys()):
        a, b = theirs.files.get(name), ours.files.get(name)
        if a is None or b is None or len(a) != len(b):
            return f"differs: {name}, {a and len(a)} and {b and len(b)} bytes"
        places = [at for at in range(len(a)) if a[at] != b[at]]
        if places:
            return f"differs: {name}, {len(places)} bytes, the first at {places[0]}"
    return "same"


def shortened(program: list[str], case: Case) -> Case:
    """The case without the words that it differs without, too."""
    at = 2
    while at < len(case.words):
        for count in (2, 1):
            words = (*case.words[:at], *case.words[at + count :])
            shorter = Case(words, case.files)
            if "-seed" in words and verdict(run_reference(program, shorter), run_ours(shorter)).startswith("differs"):
                case = shorter
                break
        else:
            at += 1
    return case


def main() -> int:
    """Run lines; exit status 1 if any differs."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--reference", default=os.environ.get("NOISIFY_REFERENCE"), help="command of the C program")
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="index of a single line")
    options = parser.parse_args()
    if not options.reference:
        parser.error("--reference, or NOISIFY_REFERENCE, must name the C program")
    process._silence = lambda stream: None  # type: ignore[assignment]
    program = [os.path.abspath(word) if os.path.exists(word) else word for word in shlex.split(options.reference)]
    counts: Counter[str] = Counter()
    for index in [options.only] if options.only is not None else range(options.n):
        case = draw_case(random.Random(f"{options.seed}/{index}"))
        found = verdict(run_reference(program, case), run_ours(case))
        counts[found.partition(": ")[0] if found.startswith("differs") else found] += 1
        if found.startswith("differs"):
            short = shortened(program, case)
            print(f"{index}: {found}\n    {shlex.join(case.words)}\n    {shlex.join(short.words)}", flush=True)
    print(*(f"{count:6d} {kind}" for kind, count in sorted(counts.items())), sep="\n")
    return bool(counts["differs"])


if __name__ == "__main__":
    sys.exit(main())
