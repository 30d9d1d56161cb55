"""The unit cell: from edges and angles to vectors and back, in the C program's order of operations."""

from __future__ import annotations

import math

from ..base.errors import InputError
from ..base.records import record
from ..base.vectors import Vector, cross, dot, length, scaled, with_length

HALF_PI = math.pi / 2


@record
class Angles:
    """Sines and cosines of the three angles of a cell, before and after clamping; and the angles, radians."""

    sines: Vector
    cosines: Vector
    angles: Vector

    @property
    def oddball(self) -> bool:
        """Whether rounding or an impossible cell pushed one beyond 1."""
        return any(abs(value) > 1.0000001 for value in (*self.sines, *self.cosines))


def clamp_angles(sines: Vector, cosines: Vector) -> Angles:
    """Angles from sine and cosine with both kept within their range."""
    s = tuple(max(min(value, 1.0), -1.0) for value in sines)
    c = tuple(1.0 if value * value > 1.0 else value for value in cosines)
    return Angles(sines, cosines, tuple(math.atan2(a, b) for a, b in zip(s, c, strict=True)))


@record
class CellSteps:
    """Intermediate vectors of the construction (Å, Å⁻¹, Å³), for the trace."""

    from_file: tuple[Vector, Vector, Vector] | None
    scaled_by_wavelength: tuple[Vector, Vector, Vector] | None
    before_misset: tuple[Vector, Vector, Vector]
    after_misset: tuple[Vector, Vector, Vector]
    cross_products: tuple[Vector, Vector, Vector]
    V_star_first: float
    V_cell: float
    V_star: float
    cross_products_scaled: tuple[Vector, Vector, Vector]
    real: tuple[Vector, Vector, Vector]
    real_cross_products: tuple[Vector, Vector, Vector]


def _impossible(cell: tuple[float, ...]) -> InputError:
    shown = " ".join(f"{v:g}" for v in cell[:3]) + " " + " ".join(f"{math.degrees(v):g}" for v in cell[3:])
    return InputError(
        f"-cell {shown.strip()}: no such cell; expected edges above 0 Å and angles that can meet in a corner "
        "(each below the sum of the others, all three below 360 degrees together)"
    )


def _construct_cell(said: tuple[float, ...], exact: bool = False):
    """(a, b, c, V), a* b* c* in the standard setting, their lengths and angles, from one to six numbers.

    c* along z is c* V/(a b c sin γ*) in the reference, right only where sin γ = sin γ* (docs/differences.md); in an
    exact cell it is c* V/(a b c sin γ), which is 1/c.
    """
    edges = list(said[:3]) + [0.0] * (3 - len(said[:3]))
    angles = list(said[3:]) + [0.0] * (3 - len(said[3:]))
    a = edges[0]
    b, c = (edge if edge > 0.0 else a for edge in edges[1:])
    alpha, beta, gamma = (angle if angle > 0.0 else HALF_PI for angle in angles)
    full = (a, b, c, alpha, beta, gamma)
    if not a > 0.0 or any(math.isinf(v) for v in full):
        raise _impossible(full)
    half_sum = (alpha + beta + gamma) / 2
    skew = math.sin(half_sum) * math.sin(half_sum - alpha) * math.sin(half_sum - beta) * math.sin(half_sum - gamma)
    if not skew > 1e-14 or max(alpha, beta, gamma) >= math.pi or half_sum >= math.pi:
        raise _impossible(full)
    volume = 2.0 * a * b * c * math.sqrt(skew)
    if not 1e-90 < volume < 1e90:
        raise _impossible(full)
    V_star = 1.0 / volume
    sa, sb, sg = math.sin(alpha), math.sin(beta), math.sin(gamma)
    ca, cb, cg = math.cos(alpha), math.cos(beta), math.cos(gamma)
    la, lb, lc = b * c * sa * V_star, c * a * sb * V_star, a * b * sg * V_star
    sines = (a * V_star / lb / lc, b * V_star / la / lc, c * V_star / la / lb)
    cosines = ((cb * cg - ca) / (sb * sg), (cg * ca - cb) / (sg * sa), (ca * cb - cg) / (sa * sb))
    angles_star = clamp_angles(sines, cosines)
    sg_star = min(sines[2], 1.0)
    ca_star, cb_star, cg_star = (1.0 if value * value > 1.0 else value for value in cosines)
    sine = sg if exact else sg_star
    vectors = (
        (la, 0.0, 0.0),
        (lb * cg_star, lb * sg_star, 0.0),
        (lc * cb_star, lc * (ca_star - cb_star * cg_star) / sg_star, lc * volume / (a * b * c * sine)),
    )
    return (a, b, c, volume), vectors, (la, lb, lc), angles_star


def _complete_cell(vectors, user_cell, config, raw, by_wavelength, before) -> tuple[CellSteps, tuple]:
    """Real vectors from reciprocal ones and back; a cell given by its edges keeps them to the last bit."""
    a_star, b_star, c_star = vectors
    a_x_b, b_x_c, c_x_a = cross(a_star, b_star), cross(b_star, c_star), cross(c_star, a_star)
    products = (a_x_b, b_x_c, c_x_a)
    V_star = V_first = dot(a_star, b_x_c)
    size = length(a_star) * length(b_star) * length(c_star)
    if not size > 0.0 or not abs(V_first) > 1e-9 * size or math.isinf(size) or not 1e-90 < abs(V_first) < 1e90:
        name = config.mat_file or "-cell"
        raise InputError(f"{name}: the three reciprocal vectors lie in a plane: expected a matrix that can be inverted")
    if user_cell is not None:
        a, b, c, volume = user_cell
        b_x_c = with_length(b_x_c, a / volume)
        c_x_a = with_length(c_x_a, b / volume)
        a_x_b = with_length(a_x_b, c / volume)
        V_star = 1.0 / volume
    V_cell = 1.0 / V_star
    real = (scaled(b_x_c, V_cell), scaled(c_x_a, V_cell), scaled(a_x_b, V_cell))
    back = (cross(real[0], real[1]), cross(real[1], real[2]), cross(real[2], real[0]))
    reciprocal = (scaled(back[1], V_star), scaled(back[2], V_star), scaled(back[0], V_star))
    steps = CellSteps(
        raw, by_wavelength, before, vectors, products, V_first, V_cell, V_star, (a_x_b, b_x_c, c_x_a), real, back
    )
    return steps, reciprocal


def _angles(vectors, others, volume: float) -> Angles:
    """Angles between three vectors, given the reciprocal ones and the volume."""
    (a, b, c), (oa, ob, oc) = vectors, others
    la, lb, lc = length(a), length(b), length(c)
    sines = (length(oa) * volume / lb / lc, length(ob) * volume / la / lc, length(oc) * volume / la / lb)
    cosines = (dot(b, c) / lb / lc, dot(a, c) / la / lc, dot(a, b) / la / lb)
    return clamp_angles(sines, cosines)
