"""Random command lines of the simulator.

A case is a list of option groups (each a few words that only make sense together) and the input files they
name, so shrinking a case is dropping groups and files and simplifying values. `draw_case` is a function of a
`random.Random`; `is_defined` says whether the C program's result for a case is defined at all.
"""

from __future__ import annotations

import math
import random

from . import beam, crystal, geometry, output
from .case import STEP_LIMIT, Case, Group, Maker, Plan, maybe, number
from .extremes import TWISTS, widened

MAKERS: list[Maker] = [
    geometry.size_groups,
    geometry.second_image_groups,
    geometry.distance_groups,
    geometry.centre_groups,
    geometry.convention_groups,
    geometry.tilt_groups,
    geometry.vector_groups,
    crystal.cell_groups,
    crystal.misset_groups,
    crystal.count_groups,
    crystal.shape_groups,
    crystal.factor_groups,
    beam.wavelength_groups,
    geometry.surface_groups,
    beam.source_groups,
    beam.phi_groups,
    beam.mosaic_groups,
    beam.oversample_groups,
    beam.flux_groups,
    beam.pixel_factor_groups,
    output.output_groups,
    output.scale_groups,
    output.region_groups,
    output.print_groups,
    output.junk_groups,
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
    if maybe(rng, 0.1):
        widened(rng, plan)
    groups = [group for maker in MAKERS for group in maker(rng, plan)]
    order = rng.choice(["as drawn", "shuffled", "shuffled"])
    if order == "shuffled":
        rng.shuffle(groups)
    groups = repeated(rng, groups) + groups
    if maybe(rng, 0.5):
        for twist in rng.sample(TWISTS, rng.choice([1, 1, 2])):
            groups += twist(rng, plan)
    # An option of ours is no word that may follow -curved_det, as the C program asks of one.
    groups.sort(key=lambda group: group.name != "threads")
    return Case(tuple(groups), plan.files, frozenset(plan.pipes), plan.earlier)


# --- what is defined ----


def is_defined(case: Case) -> bool:
    """Whether the C program reads nothing it has not set, and no clock, for this case.

    Left out: noise without a seed, printing of variables that a skipped pixel leaves unset, a matrix that
    cannot be read while no cell was given, a mask smaller than the detector.
    """
    names = case.names()
    words = "".join(case.argv)
    if "seed" not in names and ("nonoise" not in names or "noisefile" in names):
        return False
    if "-printout" in words and not _printout_is_set(case, words):
        return False
    if "mat" in names and "cell" not in names and "A.mat" not in case.files:
        return False
    if "misset_seed" in words and "random" not in case.argv and "rand" not in case.argv:
        return False
    if "misset_seed" not in words and ("random" in case.argv or "rand" in case.argv):
        return False
    return not ("mask" in names and "size" not in names)


def _printout_is_set(case: Case, words: str) -> bool:
    """Whether every variable that -printout shows has a value at the first pixel.

    A list of reflections gives values to all but the lattice's transform; a run without one gets them from its first
    step, if no -dmin leaves it out and its transform is not 0.
    """
    if "-hkl" in words:
        return True
    return "-dmin" not in words and not {"-gauss_xtal", "-tophat_spots", "-binary_spots"} & set(case.argv)
