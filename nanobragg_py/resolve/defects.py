"""Known defects of the C program: which of them an image has (options/fixes.py has their corrections)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..model.beam import R_E_SQR_M2
from ..model.experiment import Experiment
from ..options.fixes import Corrections

LARGEST_HARMLESS = 1e-9


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


# Whether an image has a defect, by the field of Corrections that corrects it; but for interpolation that left the list,
# which only the rendering finds out.
PREDICATES: dict[str, Callable[[Experiment], bool]] = {
    "upstream": lambda e: _rotation_is_stale(e) or _sum_is_multiplied(e),
    "cell": _cell_is_wrong,
    "water": _water_is_scaled_twice,
    "weights": _weights_differ,
    "misset": lambda e: e.crystal.misset_was_random,
    "layers": lambda e: e.camera.detector.thickness_m != 0.0,
    "subpixel": _first_subpixel_counts,
    "pix0": lambda e: e.config.pix0_vector is not None,
    "spot_width": lambda e: e.config.shape in ("gauss", "tophat"),
}


def defects_of(experiment: Experiment, corrected: Corrections, left_grid: bool = False) -> Corrections:
    """Corrections that would change this image and were not asked for. left_grid: interpolation ended within it."""
    found = {name: not getattr(corrected, name) and has(experiment) for name, has in PREDICATES.items()}
    return Corrections(interpolation=left_grid and not corrected.interpolation, **found)


def warning(found: Corrections) -> str:
    """The line that tells of them."""
    names = ",".join(found.names)
    return f"known defects of the C program change this image; --fix {names} corrects them, --fix list explains"
