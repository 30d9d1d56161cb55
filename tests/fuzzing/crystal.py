"""Options of the crystal and its structure factors."""

from __future__ import annotations

import random
from collections.abc import Iterator

from . import inputs as fuzz_inputs
from .case import Group, Plan, maybe, number, option, spelled, whole


def cell_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """The unit cell from one to six numbers, or from a matrix file, or from both."""
    by_matrix = maybe(rng, 0.35)
    if by_matrix:
        wavelength = rng.choice([plan.wavelength, 1.0])
        plan.files["A.mat"] = fuzz_inputs.matrix_file(rng, plan.cell, wavelength)
        yield Group("mat", option(rng, ["-mat", "-matrix", "-mat_file"], "A.mat"))
    if not by_matrix or maybe(rng, 0.15):
        angles = rng.choice([(90, 90, 90), (90, 90, 120), (90, 105.5, 90), (70, 80, 85), (75, 75, 75)])
        if maybe(rng, 0.3):
            angles = tuple(round(rng.uniform(65, 115), 2) for _ in range(3))
        values = [number(value) for value in (*plan.cell, *angles)]
        count = rng.choice([1, 3, 6, 6, 6, 6, rng.randint(1, 6)])
        yield Group("cell", option(rng, ["-cell", "-cellsize"], *values[:count]))


def misset_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """A fixed or a random orientation; the random one always with its seed, in the order that works."""
    if maybe(rng, 0.5):
        return
    if maybe(rng, 0.25):
        seed = ("-misset_seed", str(rng.randint(1, 99999)))
        words = ("-misset", rng.choice(["random", "rand"]))
        swapped = plan.trace and maybe(rng, 0.5)
        yield Group("misset", (*words, *seed) if swapped else (*seed, *words))
    else:
        angles = [spelled(rng, rng.choice([0, 90, rng.uniform(-180, 180)])) for _ in range(3)]
        yield Group("misset", ("-misset", *angles))


def count_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """How many cells the crystal has, by number or by size."""
    few = rng.choice([2, 5, 5, 20])
    if maybe(rng, 0.7):
        yield Group("N", ("-N", whole(rng, rng.randint(0, few))))
    for name in "abc":
        if maybe(rng, 0.25):
            yield Group("N" + name, option(rng, ["-N" + name], whole(rng, rng.randint(1, few))))
    if maybe(rng, 0.15):
        size = plan.cell[0] * 1e-7 * rng.uniform(0.5, few)
        names = ["-xtalsize", "-xtal_size", "-samplesize", "-sample_size"]
        yield Group("xtalsize", (rng.choice(names), number(size)))
    for names in [["-xtal_thick", "-xtal_x", "-sample_x"], ["-width", "-sample_y"], ["-height", "-xtal_z"]]:
        if maybe(rng, 0.05):
            yield Group("size " + names[0], (rng.choice(names), number(plan.cell[0] * 1e-7 * rng.uniform(1, few))))
    if maybe(rng, 0.03):
        yield Group("density", (rng.choice(["-density", "-sample_density"]), "1.2"))
    if maybe(rng, 0.03):
        yield Group("MW", (rng.choice(["-MW", "-molecular_weight"]), "18"))


def shape_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """The shape of the lattice transform, its fudge factor, and interpolation."""
    shapes = ["-square_xtal", "-round_xtal", "-round_xtal", "-gauss_xtal", "-gauss_xtal", "-tophat_spots"]
    shapes += ["-binary_spots"] if maybe(rng, 0.3) else []
    if maybe(rng, 0.55):
        yield Group("shape", (rng.choice(shapes),))
        if maybe(rng, 0.4):
            fudge = rng.choice([0, 1, 0.5, rng.uniform(0.01, 3), 1e-3])
            yield Group("fudge", option(rng, ["-fudge"], spelled(rng, fudge)))
    if maybe(rng, 0.5):
        yield Group("interpolate", (rng.choice(["-interpolate", "-nointerpolate", "-interpolate"]),))


def factor_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Structure factors from a list, from the dump of an earlier run, from one number, or from nowhere."""
    way = rng.choices(["list", "number", "both", "dump", "empty list", "nothing"], [35, 30, 20, 12, 1, 1])[0]
    dump = "Fdump.bin"
    if not plan.trace and maybe(rng, 0.15):
        dump = "other.dump"
        yield Group("dump", option(rng, ["-dump", "-dumpfile"], dump))
    if way in ("list", "both", "empty list"):
        generate = fuzz_inputs.no_reflections if way == "empty list" else fuzz_inputs.reflection_list
        plan.files["P1.hkl"] = generate(rng)
        yield Group("hkl", option(rng, ["-hkl", "-hklfile"], "P1.hkl"))
    if way == "dump" or maybe(rng, 0.03):
        plan.files[dump] = fuzz_inputs.dump_file(rng)
    if way in ("number", "both") or (way == "dump" and maybe(rng, 0.3)):
        value = rng.choice([1, 50, 100, rng.uniform(0.1, 900)])
        yield Group("default_F", option(rng, ["-default_F"], spelled(rng, value)))
    if maybe(rng, 0.03):
        flag = rng.choice(["-stol", "-4stol", "-Q"])
        plan.files["bg.stol"] = fuzz_inputs.stol_file(rng)
        yield Group("stol", (flag, "bg.stol"))
    if maybe(rng, 0.02):
        yield Group("stolout", ("-stolout", "out.stol"))
