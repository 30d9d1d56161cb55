"""Options of beam, spindle, mosaic domains and sub-pixels."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from . import inputs as fuzz_inputs
from .case import Group, Plan, maybe, option, spelled, whole


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
