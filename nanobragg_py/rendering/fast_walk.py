"""Whether the fast walk may be used at all: what its error bound (kernels/simd/blocks.py) assumes, in one place.

All pixels of an image that breaks an assumption are computed by the definition. Ordinary images keep all of them by
many orders of magnitude; the bounds here are crude, and take a few microseconds.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.shapes import SHAPES
from ..kernels import layout
from .inputs import KernelInputs

# The sines of kernels/simd/trig.py keep their bounds up to here: a crystal of 16 cm at a wavelength of 1 Å.
LARGEST_ARGUMENT = 1e10
# Beyond 32 bits the C program's nearest index is no longer the nearest one.
LARGEST_INDEX = 2.0**30
# Table slots are 32-bit numbers.
MOST_SLOTS = 2**31
# No partial product may overflow, whatever the order. What underflows, 5e-324 at most each time, is multiplied by less
# than this, and so stays far below the smallest float32 (1e-45).
LARGEST_PRODUCT = 1e200
# So that a product of three sines of small angles does not underflow: edge of the cell over wavelength.
SMALLEST_INDEX = 1e-60
# Nothing may be as near to the sample as this, where a ray has no direction (m).
NEAREST_M = 1e-100
Parameters = dict[str, Any]
FIELDS: tuple[str, ...] = layout.PARAMETERS.names or ()
PI = 3.141592653589793
SQUARE_ROOT_OF_3 = 1.7320509


def broken_assumption(inputs: KernelInputs) -> str | None:
    """The assumption that does not hold, in words; None if all hold and so the fast walk gives the definition's image.

    Comparisons are such that not-a-number breaks them.
    """
    # Python's numbers, which are quicker to reckon with than fields of the record.
    p = dict(zip(FIELDS, inputs.parameters[0].item(), strict=True))
    if (p["oversample_thick"] or p["oversample_polar"] or p["oversample_omega"]) and not p["per_term"]:
        return "the running sum is multiplied as it grows"
    if not p["outside"] < MOST_SLOTS:
        return "the list has more reflections than 32-bit slots"
    if not (p["background"] >= 0.0 and p["step_background"] >= 0.0):
        return "the background is negative, so that sums may cancel"
    if p["by_source"] and not abs(p["kahn"]) <= 1.0:
        return "a source's polarization factor is negative, so that sums may cancel"
    if SHAPES[p["shape"]].heeds_fudge and not p["fudge"] >= 0.0:
        return "-fudge is negative, and so are exponents"
    nearest, farthest = (abs(p["distance_m"]),) * 2 if p["curved"] else along_normal(p)
    return (
        _unsuitable_indices(inputs, p)
        or _unsuitable_sensor(p, nearest, farthest)
        or _unsuitable_products(p, max(nearest, -farthest))
    )


def _unsuitable_indices(inputs: KernelInputs, p: Parameters) -> str | None:
    wavelengths = np.abs(inputs.sources[:, 3]).tolist()
    longest_edge = SQUARE_ROOT_OF_3 * float(np.abs(inputs.cells).max())
    # A scattering vector is at most two inverse wavelengths long; mosaic rotations keep lengths.
    most = 2.0 * longest_edge / shortest if (shortest := min(wavelengths)) > 0.0 else np.inf
    if not most < LARGEST_INDEX:
        return "Miller indices may be beyond 32 bits"
    cell = inputs.cells[0, 0].tolist()
    if not min(max(map(abs, cell[i : i + 3])) for i in (0, 3, 6)) / max(wavelengths) > SMALLEST_INDEX:
        return "Miller indices are so small that products of sines underflow"
    if p["mosaic"] and not np.abs(inputs.domains).max() < 1.01:
        return "mosaic domains are not turned by rotations"
    halfway = 0.5 * SQUARE_ROOT_OF_3 * abs(p["fudge"]) ** 0.5
    if not PI * max(p["Na"], p["Nb"], p["Nc"]) * max(most, halfway) < LARGEST_ARGUMENT:
        return "arguments of sines may be beyond 1e10"
    return None


def along_normal(p: Parameters) -> tuple[float, float]:
    """Least and most that any point of the sensor has along the detector's normal, m."""
    ox, oy, oz = normal = p["odet"].tolist()
    nearest = farthest = 0.0
    for length, (x, y, z) in (
        (p["fpixels"] * p["pixel_size_m"], p["fdet"].tolist()),
        (p["spixels"] * p["pixel_size_m"], p["sdet"].tolist()),
        ((p["layers"] - 1) * p["layer_depth_m"], normal),
    ):
        part = length * (x * ox + y * oy + z * oz)
        nearest += part if part < 0.0 else 0.0
        farthest += 0.0 if part < 0.0 else part
    x, y, z = p["pix0_m"].tolist()
    corner = x * ox + y * oy + z * oz
    return corner + nearest, corner + farthest


def _unsuitable_sensor(p: Parameters, nearest: float, farthest: float) -> str | None:
    if not (NEAREST_M < nearest <= farthest or nearest <= farthest < -NEAREST_M):
        return "a pixel may be where the sample is, and has no direction"
    if p["thickness_m"] != 0.0 and not (nearest > 0.0 and p["attenuation_per_m"] >= 0.0 and not p["curved"]):
        return "capture fractions may be negative"
    return None


def _unsuitable_products(p: Parameters, reach: float) -> str | None:
    """Whether the product of all factors of a pixel, each at its largest and at least 1, is too large."""
    area = 1.0 if p["point_pixel"] else p["pixel_size_m"] * p["pixel_size_m"]
    cells = p["Na"] * p["Nb"] * p["Nc"]
    factors = (
        p["r_e_sqr_m2"] * abs(p["fluence_per_m2"]),
        p["largest_F"] * p["largest_F"],
        cells * cells,
        1.0 + p["background"] + p["step_background"],
        float(p["steps"]) * p["layers"],
        area / reach / reach,
        abs(p["close_distance_m"]) / reach,
        1.0 + abs(p["kahn"]),
    )
    product = 1.0
    for factor in factors:
        # Not-a-number is kept.
        product *= 1.0 if factor < 1.0 else factor
    return None if product < LARGEST_PRODUCT else "products may be beyond what a float64 holds"
