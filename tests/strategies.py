"""Random command lines of the simulator: valid ones, over every option its parser knows.

A case is a list of option groups (each a few words that only make sense together) and the input files they
name, so shrinking a case is dropping groups and files and simplifying values. `draw_case` is a function of a
`random.Random`; `is_defined` says whether the C program's result for a case is defined at all.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import fuzz_inputs
from fuzz_inputs import Vector

STEP_LIMIT = 60_000
NUMBERS = "0123456789+-."


@dataclass(frozen=True)
class Group:
    """Words of a command line that stay together; a pinned group is not dropped while shrinking."""

    name: str
    args: tuple[str, ...]
    pinned: bool = False


@dataclass(frozen=True)
class Case:
    """A command line in groups, and the files present in the folder where it runs."""

    groups: tuple[Group, ...]
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def argv(self) -> list[str]:
        """The words of the command line, without the program."""
        return [word for group in self.groups for word in group.args]

    def names(self) -> set[str]:
        """The names of the groups present."""
        return {group.name for group in self.groups}


@dataclass
class Plan:
    """What the parts of a command line have to agree on (lengths in mm, wavelength and cell in Å)."""

    width: int
    height: int
    pixel: float
    distance: float
    wavelength: float
    cell: Vector
    budget: float
    trace: bool
    traced: tuple[int, int] = (0, 0)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def pixels(self) -> int:
        """Number of pixels of the detector."""
        return self.width * self.height

    def take(self, rng: random.Random, largest: int) -> int:
        """A number of repetitions (of sources, phi steps, ...) that the budget of steps still allows."""
        count = rng.randint(1, max(1, min(largest, int(self.budget))))
        self.budget /= count
        return count


Maker = Callable[[random.Random, Plan], Iterator[Group]]


# --- spelling ----


def number(value: float, digits: int = 5) -> str:
    """A number as a user would type it."""
    return f"{value:.{digits}g}"


def spelled(rng: random.Random, value: float, digits: int = 5) -> str:
    """A number in one of the spellings that C reads the same way (units or junk after it are ignored)."""
    text = number(value, digits)
    if rng.random() < 0.88:
        return text
    forms = [text + "mm", text + "abc", f"{value:.12e}", f"{value:.17g}", " " + text]
    if value > 0:
        forms += ["+" + text, "0" + text, float(text).hex()]
    return rng.choice(forms)


def whole(rng: random.Random, value: int) -> str:
    """An integer, sometimes with decimals that the parser cuts off."""
    if rng.random() < 0.88:
        return str(value)
    return rng.choice(["{}.9", "{}.0", "{}abc", " {}", "0{}", "{}e3"] if value >= 0 else ["{}.9"]).format(value)


def either(rng: random.Random, usual: str, *others: str) -> str:
    """Mostly the usual name of an option, at times one that the substring search takes as well."""
    if rng.random() < 0.75:
        return usual
    return rng.choice([usual, *others, "-" + usual, "-my" + usual])


def option(rng: random.Random, names: list[str], *values: str, exact: bool = False) -> tuple[str, ...]:
    """An option under one of its names with its values."""
    name = rng.choice(names) if exact else either(rng, *names)
    return (name, *values)


def maybe(rng: random.Random, chance: float) -> bool:
    """True with the given chance."""
    return rng.random() < chance


# --- size, geometry ----


def size_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """The number of pixels and their size, in one of the ways to say it."""
    width, height = plan.width, plan.height
    way = rng.choice(["pixels", "pixels", "axes", "size", "size axes", "image", "mask"])
    pixel = ("-pixel", number(plan.pixel))
    if way == "pixels":
        plan.height = plan.width
        yield Group("size", ("-detpixels", whole(rng, width)), pinned=True)
    elif way == "axes":
        fast, slow = rng.choice([("-detpixels_f", "-detpixels_s"), ("-detpixels_x", "-detpixels_y")])
        yield Group("size", (fast, whole(rng, width), slow, whole(rng, height)), pinned=True)
    elif way == "size":
        plan.height = plan.width
        length = plan.pixel * (width + rng.choice([0, 0, 0.3, -0.3]))
        yield Group("size", ("-detsize", number(length, 9), *pixel), pinned=True)
        return
    elif way == "size axes":
        words = ("-detsize_f", number(plan.pixel * width, 9), "-detsize_s", number(plan.pixel * height, 9))
        yield Group("size", (*words, *pixel), pinned=True)
        return
    else:
        yield image_group(rng, plan, way)
        if maybe(rng, 0.6):
            return
    yield Group("pixel", option(rng, ["-pixel", "-pixel_size"], *pixel[1:]))


def image_group(rng: random.Random, plan: Plan, kind: str) -> Group:
    """An image whose header gives size and camera; as a mask its pixels count as well."""
    geometry = {
        "pixel": plan.pixel,
        "width": float(plan.width),
        "distance": plan.distance,
        "wavelength": plan.wavelength,
    }
    keys = fuzz_inputs.smv_keys(rng, geometry)
    zeros = rng.choice([0.0, 0.1, 0.1, 0.5, 0.5, 1.0]) if kind == "mask" else 0.5
    if plan.trace and kind == "mask":
        zeros = 0.0
    plan.files[f"{kind}.img"] = fuzz_inputs.smv_file(rng, plan.width, plan.height, keys, zeros)
    flag = {"image": "-img", "mask": "-mask"}[kind]
    return Group("size", (flag, f"{kind}.img"), pinned=True)


def second_image_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """A mask or header image beside the other ways to give the size; the sizes agree."""
    if "mask.img" not in plan.files and maybe(rng, 0.08):
        yield replace(image_group(rng, plan, "mask"), name="mask", pinned=False)
    if "image.img" not in plan.files and maybe(rng, 0.06):
        yield replace(image_group(rng, plan, "image"), name="img", pinned=False)


def distance_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Distances to the direct beam spot and to the nearest point."""
    if maybe(rng, 0.9):
        yield Group("distance", option(rng, ["-distance"], spelled(rng, plan.distance)))
    if maybe(rng, 0.15):
        yield Group("close_distance", option(rng, ["-close_distance"], spelled(rng, plan.distance * 0.97)))


def centre_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Beam centre, nearest point, XDS origin and pivot, each perhaps."""
    fast, slow = plan.pixel * plan.width, plan.pixel * plan.height
    for name, extent in [("-Xbeam", slow), ("-Ybeam", fast), ("-Xclose", fast), ("-Yclose", slow)]:
        if maybe(rng, 0.18 if "beam" in name else 0.08):
            position = extent * rng.choice([0.5, 0.0, rng.uniform(-0.3, 1.3)])
            yield Group(name[1:], option(rng, [name], spelled(rng, position)))
    for name, count in [("-ORGX", plan.width), ("-ORGY", plan.height)]:
        if maybe(rng, 0.1):
            yield Group(name[1:], option(rng, [name], spelled(rng, count * rng.uniform(0, 1))))
    if maybe(rng, 0.2):
        yield Group("pivot", option(rng, ["-pivot"], rng.choice(["sample", "beam", "beam", "subsample", "none"])))


def convention_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """A beam-centre convention; at times two, of which the last one wins."""
    names = ["-mosflm", "-xds", "-adxv", "-denzo", "-dials"]
    if maybe(rng, 0.5):
        yield Group("convention", (rng.choice(names),))
    if maybe(rng, 0.05):
        yield Group("convention 2", (rng.choice(names),))


def tilt_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Rotations of the detector, small enough that it stays in front of the beam."""
    if maybe(rng, 0.6):
        return
    for name in ["-detector_rotx", "-detector_roty", "-detector_rotz"]:
        if maybe(rng, 0.5):
            yield Group(name[1:], option(rng, [name], spelled(rng, rng.choice([0, rng.uniform(-25, 25)]))))
    if maybe(rng, 0.6):
        yield Group("twotheta", option(rng, ["-twotheta"], spelled(rng, rng.uniform(-40, 40))))


def vector_words(rng: random.Random, name: str, vector: Vector) -> tuple[str, ...]:
    """An option that takes a vector, which need not be of unit length."""
    length = rng.choice([1.0, 1.0, 2.5])
    return (name, *(number(length * component, 7) for component in vector))


def vector_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Custom directions: a whole rotated laboratory frame, or one vector alone."""
    if maybe(rng, 0.12):
        turn = fuzz_inputs.rotation(rng)
        frame = {
            "-beam_vector": (1.0, 0.0, 0.0),
            "-fdet_vector": (0.0, 0.0, 1.0),
            "-sdet_vector": (0.0, -1.0, 0.0),
            "-odet_vector": rng.choice([(1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)]),
            "-polar_vector": (0.0, 0.0, 1.0),
        }
        words = [w for name, axis in frame.items() for w in vector_words(rng, name, fuzz_inputs.rotate(turn, axis))]
        yield Group("frame", tuple(words))
    if maybe(rng, 0.08):
        yield Group("spindle_axis", vector_words(rng, "-spindle_axis", fuzz_inputs.unit_vector(rng)))
    if maybe(rng, 0.05):
        axis = rng.choice([(0.0, 0.0, -1.0), (1.0, 0.0, 0.0), fuzz_inputs.unit_vector(rng)])
        yield Group("twotheta_axis", vector_words(rng, "-twotheta_axis", axis))
    if maybe(rng, 0.05):
        yield Group("pix0_vector", vector_words(rng, "-pix0_vector", fuzz_inputs.unit_vector(rng)))
    if maybe(rng, 0.05):
        polar = (rng.uniform(-0.2, 0.2), rng.uniform(-1, 1), 1.0)
        yield Group("polar_vector", vector_words(rng, "-polar_vector", polar))


def surface_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Curved detector, pixel as a point, sensor thickness in its combinations."""
    if maybe(rng, 0.1):
        yield Group("curved_det", ("-curved_det",))
    if maybe(rng, 0.1):
        yield Group("point_pixel", option(rng, ["-point_pixel"]))
    if maybe(rng, 0.7):
        return
    if maybe(rng, 0.75):
        depth = rng.choice(["inf", "0", spelled(rng, rng.uniform(10, 800)), spelled(rng, rng.uniform(10, 800))])
        yield Group("detector_abs", option(rng, ["-detector_abs", "-detector_absorb"], depth))
    if maybe(rng, 0.75):
        depth = spelled(rng, rng.choice([0, 50, 300, rng.uniform(1, 900)]))
        yield Group("detector_thick", ("-detector_thick", depth))
        plan.budget /= 2
    if maybe(rng, 0.5):
        layers = plan.take(rng, 5) - (1 if maybe(rng, 0.1) else 0)
        yield Group("thicksteps", (rng.choice(["-detector_thicksteps", "-thicksteps"]), whole(rng, layers)))


# --- crystal ----


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


# --- beam and sampling ----


def wavelength_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """The wavelength or the energy."""
    if maybe(rng, 0.2):
        yield Group("wavelength", option(rng, ["-energy"], spelled(rng, 12398.42 / plan.wavelength, 7)))
    elif maybe(rng, 0.9):
        names = ["-lambda", "-wavelength", "-wave"]
        yield Group("wavelength", option(rng, names, spelled(rng, plan.wavelength)))


def source_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Sources from a file, or from spectral dispersion and divergence."""
    if maybe(rng, 0.12):
        beam = rng.choice([(1.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)])
        count = plan.take(rng, 5)
        plan.files["sources.txt"] = fuzz_inputs.source_file(rng, beam, plan.wavelength, count)
        yield Group("sourcefile", option(rng, ["-sourcefile"], "sources.txt"))
    if maybe(rng, 0.2):
        if maybe(rng, 0.8):
            percent = rng.choice([0, 0.5, rng.uniform(0.01, 5)])
            yield Group("dispersion", option(rng, ["-dispersion"], spelled(rng, percent)))
        if maybe(rng, 0.7):
            steps = plan.take(rng, 4) - (1 if maybe(rng, 0.1) else 0)
            yield Group("dispsteps", option(rng, ["-dispsteps"], whole(rng, steps)))
    if maybe(rng, 0.25):
        yield from divergence_groups(rng, plan)


def divergence_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Ranges, steps and counts of divergence in any mixture; round or square."""
    milliradians = rng.choice([0.2, 2.0, 20.0])
    if maybe(rng, 0.4):
        yield Group("divergence", option(rng, ["-divergence"], spelled(rng, milliradians)))
    if maybe(rng, 0.3):
        yield Group("divsteps", option(rng, ["-divsteps"], whole(rng, math.isqrt(plan.take(rng, 16)))))
    for axis in "hv":
        extent = milliradians * rng.uniform(0.3, 2)
        if maybe(rng, 0.4):
            yield Group(f"{axis}divrange", option(rng, [f"-{axis}divrange"], spelled(rng, extent)))
        if maybe(rng, 0.25):
            step = extent / rng.choice([1, 2, 3, 2.5])
            yield Group(f"{axis}divstep", (f"-{axis}divstep", spelled(rng, step)))
        if maybe(rng, 0.3):
            yield Group(f"{axis}divsteps", option(rng, [f"-{axis}divsteps"], whole(rng, plan.take(rng, 4))))
    if maybe(rng, 0.5):
        yield Group("div shape", (rng.choice(["-round_div", "-square_div"]),))


def flux_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """How many photons: from none to far above the detector's limit."""
    if maybe(rng, 0.6):
        fluence = 10 ** rng.uniform(23, 33)
        yield Group("fluence", option(rng, ["-fluence"], spelled(rng, fluence)))
    if maybe(rng, 0.2):
        yield Group("flux", option(rng, ["-flux"], spelled(rng, 10 ** rng.uniform(12, 24))))
    if maybe(rng, 0.15):
        seconds = rng.choice([0.1, 1, 2.5, 0, -1])
        yield Group("exposure", option(rng, ["-exposure"], spelled(rng, seconds)))
    if maybe(rng, 0.15):
        narrow = plan.cell[0] * 1e-7 * rng.uniform(1, 4)
        yield Group("beamsize", option(rng, ["-beamsize"], spelled(rng, rng.choice([0.1, narrow, 0.02, -1]))))


def phi_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Start, range, step and number of steps of the rotation; starting at or crossing zero at times."""
    if maybe(rng, 0.45):
        return
    steps = plan.take(rng, 6)
    step = rng.choice([0.1, 0.25, 1.0, rng.uniform(0.01, 3)])
    if maybe(rng, 0.6):
        start = rng.choice([0, -step, -2 * step, -0.5, rng.uniform(-180, 180)])
        yield Group("phi", ("-phi", spelled(rng, start, 8)))
    if maybe(rng, 0.6):
        yield Group("osc", option(rng, ["-osc"], spelled(rng, steps * step)))
    if maybe(rng, 0.35):
        yield Group("phistep", ("-phistep", spelled(rng, rng.choice([step, step, -step]))))
    if maybe(rng, 0.55):
        yield Group("phisteps", option(rng, ["-phisteps"], whole(rng, steps - (1 if maybe(rng, 0.08) else 0))))


def mosaic_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Mosaic spread and domains, alone and together."""
    if maybe(rng, 0.65):
        return
    domains = plan.take(rng, 8)
    if maybe(rng, 0.85 if plan.budget > 10 else 0.2):
        names = ["-mosaic", "-mosaicity", "-mosaic_spread", "-mosaici"]
        spread = rng.choice([0, 0.1, 1, 90, rng.uniform(0, 5)])
        yield Group("mosaic", (rng.choice(names), spelled(rng, spread)))
    if maybe(rng, 0.8):
        yield Group("mosaic_domains", option(rng, ["-mosaic_domains", "-mosaic_dom"], whole(rng, domains)))
    if maybe(rng, 0.4):
        seed = rng.choice([rng.randint(1, 2**31 - 1), 0, -5])
        yield Group("mosaic_seed", option(rng, ["-mosaic_seed"], str(seed)))


def oversample_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Sub-pixels (drawn last among the factors), and what is averaged over them."""
    for name in ["-oversample_thick", "-oversample_polar", "-oversample_omega"]:
        if maybe(rng, 0.12):
            yield Group(name[1:], option(rng, [name]))
    if maybe(rng, 0.85):
        largest = max(1, min(4, math.isqrt(int(plan.budget))))
        count = rng.choice([1, 1, rng.randint(1, largest)])
        yield Group("oversample", option(rng, ["-oversample"], whole(rng, count)))


def pixel_factor_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Polarization, resolution limit and water background."""
    if maybe(rng, 0.3):
        kahn = rng.choice([0, 1, -1, 0.5, rng.uniform(-1, 1)])
        yield Group("polar", ("-polar", spelled(rng, kahn)))
    if maybe(rng, 0.12):
        yield Group("nopolar", option(rng, ["-nopolar"]))
    if maybe(rng, 0.1):
        limit = plan.wavelength * rng.choice([0.5, 1, 2, rng.uniform(0.5, 6)])
        yield Group("dmin", option(rng, ["-dmin"], spelled(rng, limit)))
    if maybe(rng, 0.12):
        yield Group("water", option(rng, ["-water"], spelled(rng, rng.choice([0, 1, rng.uniform(0.1, 50)]))))


# --- output ----


def output_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Names of output files, and which of them are wanted."""
    for names, default in [
        (["-floatfile", "-floatimage"], "my.float"),
        (["-intfile", "-intimage"], "my.int"),
        (["-pgmfile", "-pgmimage"], "my.pgm"),
        (["-noisefile", "-noiseimage"], "my.noise"),
    ]:
        if maybe(rng, 0.12):
            yield Group(names[0][1:], (rng.choice(names), default))
    if maybe(rng, 0.15):
        yield Group("nonoise", option(rng, ["-nonoise"]))
    if maybe(rng, 0.1):
        yield Group("nopgm", option(rng, ["-nopgm"]))


def scale_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Scales of the integer images, their offset, and the seed of the noise."""
    seed = rng.choice([rng.randint(1, 2**31 - 1), rng.randint(1, 99), 0, -5])
    yield Group("seed", option(rng, ["-seed"], str(seed)), pinned=True)
    if maybe(rng, 0.2):
        scale = rng.choice([0, 1, -1, 10 ** rng.uniform(-8, 3)])
        yield Group("scale", option(rng, ["-scale"], spelled(rng, scale)))
    if maybe(rng, 0.2):
        scale = rng.choice([0, 1, -1, 10 ** rng.uniform(-8, 3)])
        yield Group("pgmscale", option(rng, ["-pgmscale"], spelled(rng, scale)))
    if maybe(rng, 0.2):
        offset = rng.choice([0, 10, 40.5, 70000, rng.uniform(0, 100)])
        yield Group("adc", option(rng, ["-adc", "-adc_offset"], spelled(rng, offset)))


def region_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """A region of interest; limits are inclusive, may lie outside, and may be crossed."""
    if maybe(rng, 0.8):
        return
    limits: list[int] = []
    for count, traced in zip((plan.width, plan.height), plan.traced, strict=True):
        pair = [rng.randint(0, count), rng.randint(0, count)]
        if plan.trace:
            # What is not rendered cannot be traced.
            pair = [min(*pair, traced), max(*pair, traced)]
        limits += pair if maybe(rng, 0.05) and not plan.trace else sorted(pair)
    if maybe(rng, 0.1):
        limits[rng.randrange(4)] = -1
    yield Group("roi", option(rng, ["-roi"], *(str(limit) for limit in limits)))


def print_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Printing of pixels, and the progress meter."""
    if maybe(rng, 0.05):
        yield Group("printout", option(rng, ["-printout"]))
    if maybe(rng, 0.08):
        fast, slow = rng.randrange(plan.width), rng.randrange(plan.height)
        yield Group("printout_pixel", ("-printout_pixel", str(fast), str(slow)))
    if maybe(rng, 0.15):
        yield Group("progress", (rng.choice(["-noprogress", "-noprogress", "-progress"]),))
    if plan.trace:
        fast, slow = plan.traced
        yield Group("trace_pixel", ("-trace_pixel", str(slow), str(fast)), pinned=True)


def junk_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """Words that no option knows: the program passes over them."""
    words = ["-hdiv", "-vdiv", "-dispstep", "-v", "--", "-", "3.14", "-coherent", "-verbose"]
    for _ in range(rng.choice([0, 0, 0, 0, 1, 2])):
        yield Group("junk", (rng.choice(words),))


MAKERS: list[Maker] = [
    size_groups,
    second_image_groups,
    distance_groups,
    centre_groups,
    convention_groups,
    tilt_groups,
    vector_groups,
    cell_groups,
    misset_groups,
    count_groups,
    shape_groups,
    factor_groups,
    wavelength_groups,
    surface_groups,
    source_groups,
    phi_groups,
    mosaic_groups,
    oversample_groups,
    flux_groups,
    pixel_factor_groups,
    output_groups,
    scale_groups,
    region_groups,
    print_groups,
    junk_groups,
]


def draw_plan(rng: random.Random, trace: bool) -> Plan:
    """Size, distance, wavelength and cell of a case; the sampling budget follows from the size."""
    width, height = (rng.choice([rng.randint(4, 20), rng.randint(4, 48)]) for _ in range(2))
    distance = round(rng.uniform(20, 300), rng.randint(0, 2))
    extent = 2 * distance * rng.choice([0.03, 0.1, 0.3, rng.uniform(0.02, 1.0)])
    pixel = float(number(extent / max(width, height), 4))
    wavelength = round(rng.uniform(0.6, 2.5), rng.randint(1, 4))
    largest = rng.choice([20, 60, 150])
    if maybe(rng, 0.7):
        # so that a list of a few indices covers most of the detector
        highest = math.sin(math.atan(extent / 2 / distance)) / wavelength
        largest = min(400.0, max(4.0, rng.uniform(1, 8) / highest))
    cell = tuple(round(rng.uniform(0.5, 1) * largest, rng.randint(0, 2)) for _ in range(3))
    budget = STEP_LIMIT / (width * max(width, height))
    # Some ways to give the size make the detector square.
    side = min(width, height)
    traced = (rng.randrange(side), rng.randrange(side)) if trace else (0, 0)
    return Plan(width, height, pixel, distance, wavelength, cell, budget, trace, traced)  # type: ignore[arg-type]


def repeated(rng: random.Random, groups: list[Group]) -> list[Group]:
    """Some options given a second time, earlier and with another value; the last one wins."""
    extra: list[Group] = []
    for group in groups:
        harmless = group.name in REPEATABLE and len(group.args) == 2
        if harmless and maybe(rng, 0.04):
            value = number(rng.uniform(1, 60)) if maybe(rng, 0.5) else str(rng.randint(1, 60))
            extra.append(Group("repeated " + group.name, (group.args[0], value)))
    return extra


REPEATABLE = {
    *("distance", "close_distance", "Xbeam", "Ybeam", "ORGX", "ORGY", "twotheta", "detector_rotx"),
    *("N", "Na", "Nb", "cell", "fudge", "default_F", "phi", "wavelength", "fluence", "exposure", "polar"),
    *("water", "oversample", "mosaic_seed", "scale", "pgmscale", "adc"),
}


def draw_case(rng: random.Random, trace: bool = False) -> Case:
    """One random valid command line and its input files, in shuffled order of the options."""
    plan = draw_plan(rng, trace)
    groups = [group for maker in MAKERS for group in maker(rng, plan)]
    order = rng.choice(["as drawn", "shuffled", "shuffled"])
    if order == "shuffled":
        rng.shuffle(groups)
    groups = repeated(rng, groups) + groups
    return Case(tuple(groups), plan.files)


# --- what is defined ----


def is_defined(case: Case) -> bool:
    """Whether the C program reads nothing it has not set, and no clock, for this case.

    Left out: noise without a seed, printing of variables that a skipped pixel leaves unset, a matrix that
    cannot be read while no cell was given, a mask smaller than the detector.
    """
    names = case.names()
    if "seed" not in names and ("nonoise" not in names or "noisefile" in names):
        return False
    if names & {"printout", "printout_pixel"} and not _printout_is_set(case, names):
        return False
    if "mat" in names and "cell" not in names and "A.mat" not in case.files:
        return False
    if "misset_seed" in "".join(case.argv) and "random" not in case.argv and "rand" not in case.argv:
        return False
    return not ("mask" in names and "size" not in names)


def _printout_is_set(case: Case, names: set[str]) -> bool:
    """Whether every variable that -printout shows has a value at the first pixel."""
    if "dmin" in names or "shape" not in names:
        return "dmin" not in names
    return "hkl" in names or not {"-gauss_xtal", "-tophat_spots", "-binary_spots"} & set(case.argv)
