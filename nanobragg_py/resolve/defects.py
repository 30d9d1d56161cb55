"""Known defects of the C program: which of them an image has (options/fixes.py has their corrections)."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..model.beam import R_E_SQR_M2
from ..model.experiment import Experiment
from ..options.fixes import Corrections

LARGEST_HARMLESS = 1e-9


def _rotation_is_stale(e: Experiment) -> bool:
    phis = e.spindle.positions_rad
    return 0.0 in phis and any(phis)


def _sum_is_multiplied(e: Experiment) -> bool:
    one_term = e.steps * e.detector.layers.count == 1
    return e.factors.multiply_the_sum and not (one_term and e.background.at_start == 0.0)


def _cell_is_wrong(e: Experiment) -> bool:
    setting = e.crystal.setting
    if setting.given_cell is None or setting.constructed_angles is None or setting.from_matrix is not None:
        return False
    wrong = math.sin(setting.constructed_angles.angles[2]) - math.sin(setting.given_cell.gamma)
    return abs(wrong) > LARGEST_HARMLESS


def _water_is_scaled_twice(e: Experiment) -> bool:
    """It is right if r_e²·fluence is 1, as it is by default, and there is one step."""
    scale = R_E_SQR_M2 * e.beam.intensity.fluence_per_m2 / (e.steps * e.detector.layers.count)
    return e.background.edge_m != 0.0 and abs(scale - 1.0) > LARGEST_HARMLESS


def _weights_differ(e: Experiment) -> bool:
    return bool(np.any(e.sources.weight != e.sources.weight[0]))


def _first_subpixel_counts(e: Experiment) -> bool:
    polarized = e.beam.polarized and not e.factors.polar
    subpixels = e.oversampling.used > 1 and (polarized or not e.factors.omega)
    return subpixels or (e.sources.count > 1 and polarized)


# Whether an image has a defect, by the field of Corrections that corrects it; but for interpolation that left the list,
# which only the rendering finds out.
PREDICATES: dict[str, Callable[[Experiment], bool]] = {
    "upstream": lambda e: _rotation_is_stale(e) or _sum_is_multiplied(e),
    "cell": _cell_is_wrong,
    "water": _water_is_scaled_twice,
    "weights": _weights_differ,
    "misset": lambda e: e.crystal.setting.misset_was_random,
    "layers": lambda e: e.detector.thickness_m != 0.0,
    "subpixel": _first_subpixel_counts,
    "pix0": lambda e: e.detector.given_pix0_m is not None,
    "spot_width": lambda e: not e.crystal.shape.along_axes,
}


def defects_of(experiment: Experiment, corrected: Corrections, left_grid: bool = False) -> Corrections:
    """Corrections that would change this image and were not asked for. left_grid: interpolation ended within it."""
    found = {name: not getattr(corrected, name) and has(experiment) for name, has in PREDICATES.items()}
    return Corrections(interpolation=left_grid and not corrected.interpolation, **found)


def warning(found: Corrections) -> str:
    """The line that tells of them."""
    names = ",".join(found.names)
    return f"known defects of the C program change this image; --fix {names} corrects them, --fix list explains"
