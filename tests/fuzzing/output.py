"""Options of output: files, scales, noise, regions, what is printed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from .case import Group, Plan, maybe, option, spelled


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
