"""What people seldom write, and programs seldom expect: values at the ends of their types, and beyond.

A twist takes the groups of an ordinary command line and gives some that are added at its end, where they win.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from . import inputs as fuzz_inputs
from .case import Group, Plan, maybe, number

Twist = Callable[[random.Random, Plan], list[Group]]

REALS = (
    "0 -0 -1 -0.5 -1e-9 1e-5 -1e5 1e10 1e-10 1e17 1e100 1e-100 1e155 1e-160 1e300 -1e300 1e308 1e-300 5e-324 1e999 "
    "inf -inf nan 0x1p-1074 2147483647.5 -2147483649 4294967296 123456789012345678901234567890"
).split()
WHOLES = "0 -1 -2 3 2147483647 2147483648 -2147483648 -2147483649 4294967297 9999999999999999999 0x10 007".split()
ANGLES = "90 180 -90 -180 270 360 89.9999999999 1e6 -1e9 1e17 1e300 0 45 90.0000001".split()
REAL_OPTIONS = (
    "-distance -close_distance -Xbeam -Ybeam -Xclose -Yclose -ORGX -ORGY -pixel -lambda -energy -fluence -flux "
    "-exposure -beamsize -default_F -fudge -water -dmin -mosaic -osc -phistep -dispersion -divergence -hdivrange "
    "-vdivrange -hdivstep -polar -adc -scale -pgmscale -detector_abs -detector_thick -xtalsize -width -height "
    "-density"
).split()
WHOLE_OPTIONS = (
    "-N -Na -Nb -Nc -seed -mosaic_seed -phisteps -dispsteps -hdivsteps -vdivsteps -divsteps -mosaic_domains "
    "-oversample -detector_thicksteps -thicksteps"
).split()
ANGLE_OPTIONS = "-twotheta -detector_rotx -detector_roty -detector_rotz -phi".split()
VECTOR_OPTIONS = (
    "-beam_vector -fdet_vector -sdet_vector -odet_vector -polar_vector -spindle_axis -twotheta_axis -pix0_vector"
).split()


def extreme_real(rng: random.Random, plan: Plan) -> list[Group]:
    """An option with a number far from what it is made for."""
    return [Group("extreme real", (rng.choice(REAL_OPTIONS), rng.choice(REALS)))]


def extreme_whole(rng: random.Random, plan: Plan) -> list[Group]:
    """A count or a seed at the ends of 32 and 64 bits, or below 1."""
    return [Group("extreme whole", (rng.choice(WHOLE_OPTIONS), rng.choice(WHOLES)))]


def extreme_angle(rng: random.Random, plan: Plan) -> list[Group]:
    """Right angles, half turns, and angles too large for a sine to be exact."""
    groups = [Group("extreme angle", (rng.choice(ANGLE_OPTIONS), rng.choice(ANGLES)))]
    if maybe(rng, 0.3):
        groups.append(Group("extreme misset", ("-misset", *(rng.choice(ANGLES) for _ in range(3)))))
    return groups


def extreme_vector(rng: random.Random, plan: Plan) -> list[Group]:
    """Directions of no length, or of one whose square is no number."""
    values = [rng.choice(["0", "1", "-1", "0.5", "1e200", "1e-200", "1e-10", "-0"]) for _ in range(3)]
    return [Group("extreme vector", (rng.choice(VECTOR_OPTIONS), *values))]


def extreme_cell(rng: random.Random, plan: Plan) -> list[Group]:
    """Edges of any size, angles that hardly meet in a corner."""
    edges = ["1e-20", "1e-3", "0.1", "3", "40", "500", "1e5", "2147483648", "1e20", "-5", "0"]
    angles = ["1e-3", "0", "5", "60", "90", "120", "119.999", "150", "179.9", "180", "360", "-90"]
    values = [rng.choice(edges) for _ in range(3)] + [rng.choice(angles) for _ in range(3)]
    return [Group("extreme cell", ("-cell", *values[: rng.choice([1, 3, 4, 6, 6])]))]


def large_arguments(rng: random.Random, plan: Plan) -> list[Group]:
    """Crystals and indices so large that the arguments of the transform's sines lie anywhere up to 1e18."""
    size = 10 ** rng.uniform(2, 18)
    shape = rng.choice(["-square_xtal", "-square_xtal", "-round_xtal", "-gauss_xtal", "-tophat_spots"])
    groups = [Group("shape", (shape,)), Group("nointerpolate", ("-nointerpolate",))]
    way = rng.choice(["N", "lambda", "cell", "xtalsize"])
    if way == "N":
        groups.append(Group("large N", ("-N", f"{min(size, 2e9):.0f}")))
    elif way == "lambda":
        groups.append(Group("short lambda", ("-lambda", f"{plan.wavelength / size:.4g}", "-N", "3")))
    elif way == "cell":
        groups.append(Group("large cell", ("-cell", f"{plan.cell[0] * size:.6g}")))
    else:
        groups.append(Group("large xtal", ("-xtalsize", f"{plan.cell[0] * 1e-7 * size:.6g}", "-beamsize", "-1")))
    return [*groups, Group("oversample", ("-oversample", "1"))]


def negative_terms(rng: random.Random, plan: Plan) -> list[Group]:
    """A background below 0, near what the crystal scatters, so that sums cancel; or a spot that grows outwards."""
    if maybe(rng, 0.4):
        fudge = -(10 ** rng.uniform(-6, 2))
        shape = rng.choice(["-gauss_xtal", "-round_xtal", "-tophat_spots"])
        return [Group("negative fudge", ("-fudge", number(fudge), shape))]
    # F² N⁶ against 2.57² r_e² fluence t³ 6e23/18 1e6, over the range that F and N can make of it.
    edge_um = -(10 ** rng.uniform(-2, 3))
    return [Group("negative water", ("-water", f"{edge_um:.17g}", "-fluence", number(10 ** rng.uniform(20, 30))))]


def product_order(rng: random.Random, plan: Plan) -> list[Group]:
    """Factors whose product is fine and whose partial products are not."""
    large, small = 10 ** rng.uniform(80, 200), 10 ** -rng.uniform(80, 200)
    which = rng.choice(["F large", "F small", "fluence"])
    if which == "F large":
        return [Group("F large", ("-default_F", number(large), "-fluence", number(small)))]
    if which == "F small":
        return [Group("F small", ("-default_F", number(small), "-fluence", number(large)))]
    return [Group("fluence", ("-fluence", number(rng.choice([large, small, 0.0, -1e29]))))]


def cancelling_amplitudes(rng: random.Random, plan: Plan) -> list[Group]:
    """Interpolation between amplitudes of both signs, whose sums of products cancel, some exactly."""
    plan.files["signed.hkl"] = fuzz_inputs.signed_reflections(rng)
    groups = [Group("hkl", ("-hkl", "signed.hkl")), Group("interpolate", ("-interpolate",))]
    if maybe(rng, 0.5):
        # Few indices across the detector, so that neighbourhoods stay in the list.
        groups.append(Group("small cell", ("-cell", number(plan.cell[0] / rng.choice([1, 3, 10])))))
    if maybe(rng, 0.5):
        value = rng.choice(["-100", "-1e-3", "0"])
        groups.append(Group("default_F", ("-default_F", value)))
    return groups


def bright_noise(rng: random.Random, plan: Plan) -> list[Group]:
    """Pixels of 10 to 3e6 photons each, all over the detector, with noise."""
    target = 10 ** rng.uniform(1, 6.5)
    solid_angle = (plan.pixel / plan.distance) ** 2
    fluence = target / (7.94e-30 * 1e4 * max(solid_angle, 1e-300))
    words = ("-N", "1", "-nointerpolate", "-default_F", "100", "-fluence", number(fluence), "-oversample", "1")
    groups = [Group("bright", words)]
    if maybe(rng, 0.5):
        groups.append(Group("bright adc", ("-adc", rng.choice(["-100", "0", "65535", "1e10", "-1e10", "nan"]))))
    return groups


def wide_spectrum(rng: random.Random, plan: Plan) -> list[Group]:
    """Dispersion above 5 %, up to where wavelengths are negative; divergence up to full turns."""
    if maybe(rng, 0.6):
        percent = rng.choice([6, 20, 100, 199, 200, 201, 400, rng.uniform(5, 300)])
        return [Group("wide dispersion", ("-dispersion", number(percent), "-dispsteps", str(rng.randint(1, 4))))]
    milliradians = rng.choice([100, 1570.8, 3141.6, 6283.2, 1e5])
    return [Group("wide divergence", ("-divergence", number(milliradians), "-divsteps", str(rng.randint(1, 3))))]


def odd_header(rng: random.Random, plan: Plan) -> list[Group]:
    """A header with numbers that are none, or of a size that is not a multiple of 2."""
    flag = rng.choice(["-img", "-mask"])
    plan.files["odd.img"] = fuzz_inputs.odd_smv_file(rng, plan.width, plan.height)
    return [Group("odd header", (flag, "odd.img"))]


def odd_sources(rng: random.Random, plan: Plan) -> list[Group]:
    """A list of sources that ends without a newline, or has Windows line ends, with columns missing or not."""
    plan.files["odd.txt"] = fuzz_inputs.odd_sources(rng, plan.wavelength)
    return [Group("odd sources", ("-sourcefile", "odd.txt"))]


def pipes(rng: random.Random, plan: Plan) -> list[Group]:
    """A file that is a pipe. The C program reads lists of reflections and sources twice, and so not from a pipe."""
    if plan.trace or maybe(rng, 0.5):
        plan.files["piped.mat"] = fuzz_inputs.matrix_file(rng, plan.cell, plan.wavelength)
        plan.pipes.add("piped.mat")
        return [Group("piped", ("-mat", "piped.mat"))]
    plan.files["piped.dump"] = fuzz_inputs.dump_file(rng)
    plan.pipes.add("piped.dump")
    return [Group("piped", ("-dump", "piped.dump"))]


def second_run(rng: random.Random, plan: Plan) -> list[Group]:
    """The folder holds what an earlier run left, its dump among it."""
    plan.files["earlier.hkl"] = fuzz_inputs.reflection_list(rng)
    size = ("-cell", "30", "-detpixels", "4", "-oversample", "1", "-seed", "1")
    plan.earlier = ("-hkl", "earlier.hkl", *size, *(("-default_F", "7") if maybe(rng, 0.5) else ()))
    return [Group("default_F", ("-default_F", rng.choice(["0", "5"])))] if maybe(rng, 0.3) else []


def shared_names(rng: random.Random, plan: Plan) -> list[Group]:
    """Two outputs under one name, or one that replaces an input."""
    flags = ["-floatfile", "-intfile", "-pgmfile", "-noisefile"]
    # The trace-printing copy has no such option.
    flags += [] if plan.trace else ["-dump"]
    first, second = rng.sample(flags, 2)
    name = rng.choice(["same.out", "same.out", *plan.files])
    if name == "same.out" and maybe(rng, 0.8):
        return [Group("shared name", (first, name, second, name))]
    return [Group("shared name", (first, name))]


def joined_options(rng: random.Random, plan: Plan) -> list[Group]:
    """Several options in one word: all act, with the same value."""
    kind = rng.choice(["flags", "reals", "wholes"])
    if kind == "flags":
        names = ["-nonoise", "-nopgm", "-noprogress", "-round_xtal", "-interpolate", "-nointerpolate", "-nopolar"]
        names += ["-point_pixel", "-curved_det", "-xds", "-mosflm", "-adxv", "-square_div", "-coherent", "-progress"]
        return [Group("joined", ("".join(rng.sample(names, rng.randint(2, 4))), "7"))]
    if kind == "reals":
        names = ["-distance", "-Xbeam", "-Ybeam", "-scale", "-pgmscale", "-hdivrange", "-vdivrange", "-osc", "-adc"]
        names += ["-twotheta", "-dispersion", "-fudge", "-water", "-exposure", "-close_distance", "-ORGX"]
        return [Group("joined", ("".join(rng.sample(names, 2)), number(rng.uniform(0.5, 50))))]
    names = ["-Na", "-Nb", "-phisteps", "-dispsteps", "-mosaic_dom", "-seed", "-mosaic_seed", "-detpixels_f", "-osc"]
    return [Group("joined", ("".join(rng.sample(names, 2)), str(rng.randint(1, 3))))]


def thread_counts(rng: random.Random, plan: Plan) -> list[Group]:
    """A number of threads, which the C program passes over."""
    return [Group("threads", ("--threads", str(rng.choice([1, 2, 3, 5, 8, 16]))))]


def printout_beyond_dmin(rng: random.Random, plan: Plan) -> list[Group]:
    """Printing of pixels, of some of which -dmin leaves nothing; the list gives values to what is printed."""
    plan.files["P1.hkl"] = fuzz_inputs.reflection_list(rng)
    fast, slow = rng.randrange(plan.width), rng.randrange(plan.height)
    limit = plan.wavelength * rng.choice([1, 2, 5, 20, 1000])
    where = ("-printout_pixel", str(fast), str(slow)) if maybe(rng, 0.6) else ("-printout",)
    return [Group("hkl", ("-hkl", "P1.hkl")), Group("dmin", ("-dmin", number(limit))), Group("printout", where)]


def odd_numbers_of_pixels(rng: random.Random, plan: Plan) -> list[Group]:
    """Regions that lie outside, are crossed, or reach to the ends of 32 bits."""
    ends = ["-1", "0", "1", str(plan.width - 1), str(plan.width), str(plan.width + 5), "2147483647", "2147483648"]
    return [Group("odd roi", ("-roi", *(rng.choice(ends) for _ in range(4))))]


TWISTS: list[Twist] = [
    extreme_real,
    extreme_real,
    extreme_real,
    extreme_whole,
    extreme_whole,
    extreme_angle,
    extreme_vector,
    extreme_cell,
    large_arguments,
    large_arguments,
    negative_terms,
    negative_terms,
    product_order,
    cancelling_amplitudes,
    cancelling_amplitudes,
    bright_noise,
    wide_spectrum,
    odd_header,
    odd_sources,
    pipes,
    second_run,
    shared_names,
    joined_options,
    thread_counts,
    printout_beyond_dmin,
    odd_numbers_of_pixels,
]


def widened(rng: random.Random, plan: Plan) -> None:
    """Make the detector wider than one block of pixels that walk together, and low."""
    plan.wide = True
    plan.width = rng.choice([255, 256, 257, 300, 512, 513, rng.randint(250, 1100)])
    plan.height = rng.randint(1, max(1, min(40, 30_000 // plan.width)))
    plan.pixel = float(number(plan.pixel * 30 / plan.width, 4))
    plan.budget = max(1.0, math.floor(60_000 / (plan.width * plan.height)))
    plan.traced = (min(plan.traced[0], plan.height - 1), plan.traced[1])
