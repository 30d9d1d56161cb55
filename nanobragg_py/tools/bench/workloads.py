"""The work that nb-bench measures: command lines of any size, and the files that they read."""

from __future__ import annotations

import math
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ...base.errors import InputError

GOLDEN = Path(__file__).resolve().parents[3] / "golden"
LYSOZYME_A = (79.1, 79.1, 37.9)  # tetragonal hen egg-white lysozyme: a, b, c [Å], all angles 90°
FINEST_A = 1.911  # 142,000 reflections; the corners of the detector see 1.93 Å
SMALLEST_SIDE = 16


@dataclass(frozen=True)
class Workload:
    """One thing to measure.

    side, pixel_mm: pixels along a side of the square detector, and their size; side 0: no image at all.
    steps_per_pixel: sub-pixels × phi steps × mosaic domains. arguments: the command line without the detector's size.
    kernel: which kind of compiled code it needs. resolution_A: smallest d in its list of reflections.
    goal_ratio, goal_seconds: what docs/performance.md asks for: times as fast as the C program, or seconds.
    series, at: for the plot of how time grows: the quantity that grows, and how much of it this is.
    fixed_size: --scale does not change it.
    program: which of ours does it. ring: photons per pixel in the background of the float image that noisify reads.
    identical: whether files are to be those of the C program.
    """

    name: str
    what: str
    side: int
    pixel_mm: float
    steps_per_pixel: int
    arguments: str
    kernel: str = "square"
    resolution_A: float | None = None
    goal_ratio: float | None = None
    goal_seconds: float | None = None
    series: str | None = None
    at: int | None = None
    fixed_size: bool = False
    program: str = "nanoBragg"
    ring: float | None = None
    identical: bool = True

    def side_at(self, scale: float) -> int:
        """Pixels along a side when the number of pixels is multiplied by `scale`."""
        if self.fixed_size or not self.side:
            return self.side
        return max(SMALLEST_SIDE, round(self.side * math.sqrt(scale)))

    def steps_at(self, scale: float) -> int:
        """Evaluations of the lattice in the whole image."""
        return self.side_at(scale) ** 2 * self.steps_per_pixel

    def words_at(self, scale: float) -> list[str]:
        """The command line; a smaller image has larger pixels, and so sees the same."""
        words = self.arguments.split()
        if self.side:
            side = self.side_at(scale)
            words += ["-detpixels", str(side), "-pixel", f"{self.pixel_mm * self.side / side:.12g}"]
        return words

    @property
    def input_file(self) -> str | None:
        """Name of the list of reflections, the float image or the table that it reads, if there is one."""
        words, options = self.arguments.split(), ("-hkl", "-floatfile", "-stol")
        return next((words[words.index(option) + 1] for option in options if option in words), None)


PLAIN = "-default_F 100 -cell 100 100 100 90 90 90 -lambda 0.5 -distance 500 -N 5 -mosflm -noprogress -seed 1"
LIST = "-hkl list.hkl -cell 79.1 79.1 37.9 90 90 90 -misset 10 20 30 -lambda 1.0 -distance 250 -noprogress -seed 1"
# From phi = 10°: at exactly 0 the C program's threads do not agree with one another (docs/differences.md).
SWEEP = "-phi 10 -osc 0.1 -phisteps 10"
DEMO = (
    "-hkl 1a8o.hkl -cell 41.98 41.98 88.92 90 90 90 -misset 20 35 50 -lambda 1.0 -distance 160 -N 20 "
    "-fluence 3e24 -mosaic 0.4 -mosaic_domains 25 -phi 10 -osc 0.5 -phisteps 10 -water 60 -oversample 1 "
    "-seed 1 -noprogress"
)
QUIET = "-nonoise -nopgm"
# The C program takes 21 seconds for a fibre's point spread of such an image (photons per pixel).
RING = 200.0
DEMO_SIZE = (1024, 0.15, 250)
TABLE_LINES = 10_000
# Behind a PGM's image the C program writes memory that was never set: nothing could be compared.
WATER = "-stol table.stol -lambda 1 -distance 100 -fluence 1e24 -noprogress -seed 1 -pgmfile /dev/null"


def _table() -> Iterator[Workload]:
    """What is measured unless --only says otherwise."""
    yield Workload("help", "-h", 0, 0.0, 0, "-h", kernel="", goal_seconds=0.15)
    yield Workload(
        "small_64", "64², one step per pixel, all four files", 64, 3.2, 1, f"{PLAIN} -oversample 1",
        goal_seconds=0.30, fixed_size=True,
    )  # fmt: skip
    yield Workload(
        "seed_4096", "4096², one step per pixel (the golden case without noise and pgm)", 4096, 0.05, 1,
        f"{PLAIN} -oversample 1 {QUIET}", goal_ratio=2.5,
    )  # fmt: skip
    lists = [
        ("list_2048", "2048², 142,000 reflections read from text, N 100, oversample 4", QUIET),
        ("list_2048_noise", "the same with noise image and pgm", ""),
    ]
    for name, what, extra in lists:
        yield Workload(
            name, what, 2048, 0.1, 16, f"{LIST} -N 100 -oversample 4 {extra}",
            resolution_A=FINEST_A, goal_ratio=6.0,
        )  # fmt: skip
    yield Workload("demo_1a8o", "1024², protein 1A8O, sweep, 25 mosaic domains, water, noise", *DEMO_SIZE, DEMO,
                   goal_ratio=14.0)  # fmt: skip
    yield Workload(
        "list_2048_deep", "list_2048 with oversample 8 and a sweep of 10 phi steps", 2048, 0.1, 640,
        f"{LIST} -N 100 -oversample 8 {SWEEP} {QUIET}", resolution_A=FINEST_A, goal_ratio=25.0,
    )  # fmt: skip
    yield Workload(
        "tricubic_1024", "1024², one unit cell, tricubic interpolation inside the list, oversample 16", 1024, 0.1, 256,
        f"{LIST} -N 1 -interpolate -oversample 16 {QUIET}", kernel="tricubic", resolution_A=FINEST_A, goal_ratio=6.0,
    )  # fmt: skip
    variants = [("round", "-round_xtal", "round", 7.0), ("gauss", "-gauss_xtal", "gauss", 8.0),
                ("polar", "-polar 0.9", "square", 12.0)]  # fmt: skip
    for name, extra, kernel, goal in variants:
        yield Workload(f"demo_{name}", f"demo_1a8o with {extra}", *DEMO_SIZE, f"{DEMO} {extra}", kernel,
                       goal_ratio=goal)  # fmt: skip
    yield from _noisify()
    for name, what, extra in (("water_2048", "", "-nonoise"), ("water_2048_polar", ", polarized, noise", "-polar 0.9")):
        yield Workload(
            name, f"2048², table of {TABLE_LINES:,} lines, oversample 4, 10 sources{what}", 2048, 0.1, 160,
            f"{WATER} -oversample 4 -hdivrange 1 -hdivsteps 10 {extra}", kernel="nonBragg", goal_ratio=10.0,
            program="nonBragg",
        )  # fmt: skip


def _noisify() -> Iterator[Workload]:
    """Work of noisify; its files are read with one float image, of which a smaller run takes the first part."""
    every = "-seed 1 -flicker 0.01 -calibration 0.03 -readout_noise 3"
    yield Workload(
        "noisify_2048", "2048², flicker, calibration, photon and readout noise", 2048, 0.1, 1,
        f"-floatfile dim_2048.bin {every}", kernel="noisify", goal_ratio=3.0, program="noisify", ring=20.0,
    )  # fmt: skip
    fibre = f"-floatfile bright_1024.bin {every} -psf fiber -psf_fwhm 46"
    for name, what, extra, goal in (
        ("noisify_fibre", "1024², the same and a fibre's point spread, automatic radius", "", 15.0),
        ("noisify_fibre_fft", "noisify_fibre with --psf-method fft: other bytes", " --psf-method fft", 100.0),
    ):
        yield Workload(
            name, what, 1024, 0.1, 1, fibre + extra, kernel="noisify", goal_ratio=goal, program="noisify", ring=RING,
            identical=not extra,
        )  # fmt: skip


def _growth() -> Iterator[Workload]:
    """Series in which one quantity grows and all else stays."""
    for side in (64, 256, 512, 1024, 2048, 4096):
        yield Workload(f"grow_pixels_{side}", f"{side}², one step per pixel", side, 204.8 / side, 1,
                       f"{PLAIN} -oversample 1 {QUIET}", series="pixels", at=side * side)  # fmt: skip
    for n in (1, 2, 4, 8, 16, 32):
        yield Workload(f"grow_steps_{n * n}", f"512², oversample {n}", 512, 0.4, n * n,
                       f"{PLAIN} -oversample {n} {QUIET}", series="steps per pixel", at=n * n)  # fmt: skip
    for count, name, d in ((1_400, "1k", 8.87), (14_000, "14k", 4.118), (142_000, "142k", FINEST_A),
                           (1_420_000, "1420k", 0.887)):  # fmt: skip
        arguments = f"{LIST.replace('list.hkl', f'list_{name}.hkl')} -N 100 -oversample 1 {QUIET}"
        yield Workload(f"grow_reflections_{name}", f"256², {count:,} reflections", 256, 0.8, 1, arguments,
                       resolution_A=d, series="reflections", at=count)  # fmt: skip


TABLE = tuple(_table())
GROWTH = tuple(_growth())


def reflections(resolution_A: float) -> Iterator[str]:
    """Lines h, k, l, F of all of P1 to a resolution: amplitudes as of a protein, the same in every run."""
    a, b, c = LYSOZYME_A
    number = random.Random(1)
    h_most, k_most, l_most = (int(edge / resolution_A) for edge in LYSOZYME_A)
    limit = 1.0 / resolution_A**2
    for h in range(-h_most, h_most + 1):
        for k in range(-k_most, k_most + 1):
            for m in range(-l_most, l_most + 1):
                s2 = (h / a) ** 2 + (k / b) ** 2 + (m / c) ** 2
                if 0.0 < s2 <= limit:
                    F = 300.0 * math.exp(-5.0 * s2) * math.sqrt(-math.log(1.0 - number.random()))
                    yield f"{h} {k} {m} {F:.2f}\n"


def scattering_table() -> Iterator[str]:
    """Lines stol (1/Å), F of a curve like water's: a ring on a fall."""
    for number in range(TABLE_LINES):
        stol = number / TABLE_LINES
        yield f"{stol:.6f} {2.57 * math.exp(-3.0 * stol) + 4.5 * math.exp(-(((stol - 0.16) / 0.05) ** 2)):.7f}\n"


def make_input(workload: Workload, folder: Path) -> None:
    """Put the file that a workload reads into the folder, unless it is there. InputError: it cannot be had."""
    name = workload.input_file
    if name is None or (folder / name).exists():
        return
    if workload.ring is not None:
        # Not at the top: --list does not wait for NumPy.
        from .photons import write_photons

        write_photons(folder / name, workload.side, workload.ring)
        return
    if workload.program == "nonBragg":
        with open(folder / name, "w", encoding="ascii") as file:
            file.writelines(scattering_table())
        return
    if workload.resolution_A is None:
        if not (GOLDEN / name).is_file():
            raise InputError(f"{workload.name} needs golden/{name}, which only a checkout of the repository has")
        shutil.copyfile(GOLDEN / name, folder / name)
        return
    with open(folder / name, "w", encoding="ascii") as file:
        file.writelines(reflections(workload.resolution_A))
