"""Known defects of the C program: which of them an image has, and how much they change it.

options/fixes.py has their names and their corrections.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..base.records import record
from ..model.beam import R_E_SQR_M2
from ..model.experiment import Experiment
from ..options.fixes import CORRECTIONS, Corrections
from .pixel_factors import Probes

# A change of any pixel by this share of its value is worth a warning.
WORTH_A_WARNING = 0.01
# Rounding in the C program's formulas, and no defect.
LARGEST_HARMLESS = 1e-9
# Spots elsewhere, or pixels with any other value.
WITHOUT_LIMIT = math.inf


@record
class Defect:
    """A defect that an image has.

    change: by which share of its value any pixel may differ from the corrected one: an estimate, from pixels spread
    evenly; infinite where spots lie elsewhere.
    """

    name: str
    change: float


def defects_of(experiment: Experiment, corrected: Corrections, left_grid: bool = False) -> tuple[Defect, ...]:
    """The defects of an image whose correction was not asked for. left_grid: interpolation ended within it."""
    probes = Probes(experiment)
    found = []
    for row in CORRECTIONS:
        if getattr(corrected, row.field):
            continue
        if row.field == "interpolation":
            change = WITHOUT_LIMIT if left_grid else 0.0
        else:
            change = CHANGES[row.field](experiment, probes)
        if not change <= LARGEST_HARMLESS:
            found.append(Defect(row.name, change))
    return tuple(found)


def worth_a_warning(defects: Sequence[Defect]) -> list[Defect]:
    """Those that change the image by more than a little."""
    return [defect for defect in defects if not defect.change <= WORTH_A_WARNING]


def warning(defects: Sequence[Defect], fix: str = "--fix {}", explanation: str = "--fix list explains") -> str:
    """The line that tells of those worth one; empty if there are none. fix: how a correction is asked for."""
    worth = worth_a_warning(defects)
    if not worth:
        return ""
    names, them = ",".join(defect.name for defect in worth), "it" if len(worth) == 1 else "them"
    return (
        f"known defects of the C program change this image: {_listed(worth)}; {fix.format(names)} corrects {them}, "
        f"{fix.format('none')} accepts the image as it is, {explanation}"
    )


def remark(defects: Sequence[Defect]) -> str:
    """The line that tells of those that hardly change the image; empty if there are none."""
    small = [defect for defect in defects if defect.change <= WORTH_A_WARNING]
    if not small:
        return ""
    return f"known defects of the C program that change no pixel by 1 %: {_listed(small)}; --fix corrects them"


def _listed(defects: Sequence[Defect]) -> str:
    return ", ".join(f"{defect.name}{_size(defect.change)}" for defect in defects)


def _size(change: float) -> str:
    """How much a pixel may change, in brackets; nothing where there is no limit."""
    if not math.isfinite(change):
        return ""
    return f" ({100.0 * change:.2g} %)" if change < 1.0 else f" (a factor of {1.0 + change:.2g})"


def _stale_rotation_or_multiplied_sum(e: Experiment, probes: Probes) -> float:
    """upstream: both change pixels by any factor."""
    phis = e.spindle.positions_rad
    stale = 0.0 in phis and any(phis)
    one_term = e.steps * e.detector.layers.count == 1
    multiplied = e.factors.multiply_the_sum and not (one_term and e.background.at_start == 0.0)
    return WITHOUT_LIMIT if stale or multiplied else 0.0


def _cell(e: Experiment, probes: Probes) -> float:
    setting = e.crystal.setting
    if setting.given_cell is None or setting.constructed_angles is None or setting.from_matrix is not None:
        return 0.0
    wrong = math.sin(setting.constructed_angles.angles[2]) - math.sin(setting.given_cell.gamma)
    return WITHOUT_LIMIT if abs(wrong) > LARGEST_HARMLESS else 0.0


def _water(e: Experiment, probes: Probes) -> float:
    """The background has one factor of r_e² fluence too many, and is divided by the number of steps."""
    if e.background.edge_m == 0.0:
        return 0.0
    # With factors of their own for sub-pixels it gets none of them; beyond -dmin there is none of it.
    if e.factors.any or (e.dmin_m > 0.0 and probes.finest_m(e) < e.dmin_m):
        return WITHOUT_LIMIT
    return _ratio(R_E_SQR_M2 * e.beam.intensity.fluence_per_m2 / (e.steps * e.detector.layers.count))


def _weights(e: Experiment, probes: Probes) -> float:
    """A pixel may see one source only, which counts by 1 and not by its share."""
    weight = e.sources.weight
    mean = float(np.mean(weight))
    return max(_ratio(float(share) / mean if mean else math.nan) for share in (weight.min(), weight.max()))


def _misset(e: Experiment, probes: Probes) -> float:
    return WITHOUT_LIMIT if e.crystal.setting.misset_was_random else 0.0


def _layers(e: Experiment, probes: Probes) -> float:
    """What the sensor absorbs: N times its last layer, which may lie behind it, in place of Beer and Lambert's law."""
    thickness, attenuation = e.detector.thickness_m, e.detector.attenuation_per_m
    count, depth = e.detector.layers.count, e.detector.layers.step
    if thickness == 0.0:
        return 0.0
    with np.errstate(all="ignore"):
        each = attenuation / probes.cosine
        right = -np.expm1(-thickness * each)
        if e.factors.thick:
            used = -np.expm1(-count * depth * each)
        else:
            used = -count * np.exp(-(count - 1) * depth * each) * np.expm1(-depth * each)
    # The ray to the last layer is not quite that to the first: any that is used, against any that is right.
    return _largest(used[:, :, None], right[:, None, :])


def _subpixel(e: Experiment, probes: Probes) -> float:
    """A pixel whose photons all fall into another sub-pixel than the first, or come from another source."""
    factor = np.ones((*probes.length_m.shape, 1))
    if not e.factors.omega:
        factor = factor * probes.solid_angle(e.detector)[:, :, None]
    if e.beam.polarized and not e.factors.polar:
        factor = factor * probes.polarization(e)
    return _largest(factor, factor[:, :1, :1])


def _pix0(e: Experiment, probes: Probes) -> float:
    given = e.detector.given_pix0_m
    if given is None or np.allclose(given, e.detector.pix0_m, rtol=0.0, atol=LARGEST_HARMLESS):
        return 0.0
    return WITHOUT_LIMIT


def _spot_width(e: Experiment, probes: Probes) -> float:
    return 0.0 if e.crystal.shape.along_axes else WITHOUT_LIMIT


def _ratio(ratio: float) -> float:
    """The larger of the changes from 1 to a ratio and back."""
    return max(ratio, 1.0 / ratio) - 1.0 if ratio > 0.0 else WITHOUT_LIMIT


def _largest(used: np.ndarray, right: np.ndarray) -> float:
    """The largest of the changes from what is right to what is used and back; 0 where there is nothing to change."""
    with np.errstate(all="ignore"):
        ratio = np.broadcast_to(used / right, np.broadcast_shapes(used.shape, right.shape))
        change = np.maximum(ratio, 1.0 / ratio) - 1.0
    known = change[~np.isnan(change)]
    return float(known.max(initial=0.0))


# How much an image is changed, by the field of Corrections that corrects it; but for interpolation that left the list,
# which only the rendering finds out.
CHANGES: dict[str, Callable[[Experiment, Probes], float]] = {
    "upstream": _stale_rotation_or_multiplied_sum,
    "cell": _cell,
    "water": _water,
    "weights": _weights,
    "misset": _misset,
    "layers": _layers,
    "subpixel": _subpixel,
    "pix0": _pix0,
    "spot_width": _spot_width,
}
