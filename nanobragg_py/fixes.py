"""Known defects of the C program that change an image: which there are, when they do, and their corrections' names.

By default an image has them, because it is the C program's. `--fix NAME` corrects; where, is found by the name in
quotes. docs/differences.md shows each with a command line and the size of its effect.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from .beam import R_E_SQR_M2
from .errors import InputError, shown
from .experiment import Experiment
from .records import record

LARGEST_HARMLESS = 1e-9


@record
class Fix:
    """One correction. defect, correction: what is wrong and what is done instead; affects: whether an image has it."""

    name: str
    defect: str
    correction: str
    affects: Callable[[Experiment], bool]


def _rotation_is_stale(experiment: Experiment) -> bool:
    phis = experiment.camera.phi.positions(experiment.camera.phi_start)
    return 0.0 in phis and any(phis)


def _sum_is_multiplied(experiment: Experiment) -> bool:
    one_term = experiment.steps * experiment.camera.detector.layers.count == 1
    running_sum = experiment.factors.any and not experiment.factors.per_term
    return running_sum and not (one_term and experiment.background.at_start == 0.0)


def _cell_is_wrong(experiment: Experiment) -> bool:
    angles = experiment.crystal.constructed_angles
    if angles is None or experiment.crystal.steps.from_file is not None:
        return False
    given = (*experiment.config.cell, *(0.0,) * 6)[5]
    sine = math.sin(given) if given > 0.0 else 1.0
    return abs(math.sin(angles.angles[2]) - sine) > LARGEST_HARMLESS


def _water_is_scaled_twice(experiment: Experiment) -> bool:
    """It is right if r_e²·fluence is 1, as it is by default, and there is one step."""
    steps = experiment.steps * experiment.camera.detector.layers.count
    scale = R_E_SQR_M2 * experiment.camera.intensity.fluence_per_m2 / steps
    return experiment.config.water_m != 0.0 and abs(scale - 1.0) > LARGEST_HARMLESS


def _weights_differ(experiment: Experiment) -> bool:
    weight = experiment.sources.weight
    return bool(np.any(weight != weight[0]))


def _first_subpixel_counts(experiment: Experiment) -> bool:
    factors, config = experiment.factors, experiment.config
    polarized = not config.nopolar and not factors.polar
    subpixels = experiment.oversampling.used > 1 and (polarized or not factors.omega)
    return subpixels or (len(experiment.sources.weight) > 1 and polarized)


FIXES = (
    Fix("upstream",
        "phi = 0 sees the cell of the step before; -oversample_thick, _polar, _omega multiply the sum so far; "
        "-curved_det as the last word does not count",
        "the three corrections published by the C program's authors",
        lambda e: _rotation_is_stale(e) or _sum_is_multiplied(e)),
    Fix("cell", "a triclinic or rhombohedral -cell comes out with other angles",
        "c* from sin(gamma) in place of sin(gamma*)", _cell_is_wrong),
    Fix("water", "the background is multiplied by r_e^2 fluence twice, and divided by the number of steps",
        "scaled once, like the crystal's scattering; also where -dmin cuts that off", _water_is_scaled_twice),
    Fix("weights", "weights of -sourcefile are not used", "each source counts by its share of the weights",
        _weights_differ),
    Fix("misset", "-misset random does not draw all orientations alike",
        "uniform over all rotations (Shoemake 1992), by -misset_seed", lambda e: e.crystal.misset_was_random),
    Fix("layers", "the capture fraction of the sensor's last layer multiplies all, and layers reach beyond the sensor",
        "each layer, a share of the thickness, has its own", lambda e: e.camera.detector.thickness_m != 0.0),
    Fix("subpixel", "polarization and solid angle are those of a pixel's first sub-pixel and source",
        "averaged over sub-pixels and sources", _first_subpixel_counts),
    Fix("interpolation", "the first index too near the edge of the list ends interpolation for the whole image",
        "only that evaluation takes the nearest reflection", lambda e: False),
    Fix("pix0", "-pix0_vector is read and not used", "it is the corner of the first pixel, in metres, after all turns",
        lambda e: e.config.pix0_vector is not None),
    Fix("spot-width", "widths of Gaussian and flat-topped spots depend on the cell and on Na*Nb*Nc",
        "along each axis the width is that of its number of cells", lambda e: e.config.shape in ("gauss", "tophat")),
)  # fmt: skip
NAMES = tuple(fix.name for fix in FIXES)


def parse_names(text: str) -> tuple[str, ...]:
    """Names of a comma-separated list, 'all' spelt out, in the table's order. Raises InputError for an unknown one."""
    said = [word.strip() for word in text.split(",")]
    for word in said:
        if word not in (*NAMES, "all"):
            raise InputError(f"--fix: no correction '{shown(word)}'; expected all, list, or any of {', '.join(NAMES)}")
    return tuple(name for name in NAMES if name in said or "all" in said)


def listing() -> str:
    """What `--fix list` prints."""
    lines = [
        "Known defects of the C program; an image has them unless --fix NAME[,NAME...] corrects them:",
        "",
    ]
    for fix in FIXES:
        lines += [fix.name, f"    wrong:     {fix.defect}", f"    corrected: {fix.correction}"]
    lines += [
        "all",
        "    corrected: all of these",
        "",
        "docs/differences.md has examples, and the size of each effect.",
    ]
    return "\n".join(lines)


def affecting(experiment: Experiment, left_grid: bool = False) -> list[Fix]:
    """Corrections that would change this image and were not asked for. left_grid: interpolation ended within it."""
    return [
        fix
        for fix in FIXES
        if fix.name not in experiment.config.fixes
        and (left_grid if fix.name == "interpolation" else fix.affects(experiment))
    ]


def warning(found: Sequence[Fix]) -> str:
    """The line that tells of them."""
    names = ",".join(fix.name for fix in found)
    return f"known defects of the C program change this image; --fix {names} corrects them, --fix list explains"
