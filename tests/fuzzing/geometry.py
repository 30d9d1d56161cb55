"""Options of the detector: size, place, tilt, surface."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

from . import inputs as fuzz_inputs
from .case import Group, Plan, maybe, number, option, spelled, whole
from .inputs import Vector


def size_groups(rng: random.Random, plan: Plan) -> Iterator[Group]:
    """The number of pixels and their size, in one of the ways to say it."""
    width, height = plan.width, plan.height
    ways = ["axes", "size axes", "image", "mask"]
    way = rng.choice(ways if plan.wide else [*ways, "pixels", "pixels", "size"])
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
