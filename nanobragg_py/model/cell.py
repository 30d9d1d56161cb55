"""The unit cell: from edges and angles to vectors and back, in the C program's order of operations."""

from __future__ import annotations

import math

from ..base.errors import InputError
from ..base.records import record
from ..base.vectors import Triad, Vector, cross, dot, length, lengths, scaled_all, with_length

HALF_PI = math.pi / 2
# Far beyond any crystal, and far within what products of six edges can be calculated with.
SHORTEST_EDGE_A, LONGEST_EDGE_A = 1e-30, 1e30


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

    def angle(sine: float, cosine: float) -> float:
        return math.atan2(max(min(sine, 1.0), -1.0), 1.0 if cosine * cosine > 1.0 else cosine)

    return Angles(
        sines, cosines, (angle(sines[0], cosines[0]), angle(sines[1], cosines[1]), angle(sines[2], cosines[2]))
    )


@record
class CellSteps:
    """From the reciprocal vectors, mis-set, to the real ones and back (Å, Å⁻¹, Å³), step by step."""

    turned: Triad
    cross_products: Triad
    V_star_first: float
    V_cell: float
    V_star: float
    cross_products_scaled: Triad
    real: Triad
    real_cross_products: Triad
    reciprocal: Triad


@record
class DirectCell:
    """A cell as its edges (Å) and angles (radians) say it, complete and possible; its volume in Å³."""

    a: float
    b: float
    c: float
    alpha: float
    beta: float
    gamma: float
    volume_A3: float


def direct_cell(given: tuple[float, ...]) -> DirectCell:
    """A cell from one to six numbers: what is missing, or not above 0, is the first edge, or 90 degrees.

    Volume: 2 abc sqrt(sin s sin(s-alpha) sin(s-beta) sin(s-gamma)), s half the sum of the angles (International
    Tables B, 1.1). Raises InputError for a cell that cannot be.
    """
    edges = list(given[:3]) + [0.0] * (3 - len(given[:3]))
    angles = list(given[3:]) + [0.0] * (3 - len(given[3:]))
    a = edges[0]
    b, c = (edge if edge > 0.0 else a for edge in edges[1:])
    alpha, beta, gamma = (angle if angle > 0.0 else HALF_PI for angle in angles)
    full = (a, b, c, alpha, beta, gamma)
    if not min(a, b, c) > 0.0:
        raise _impossible(full)
    if min(a, b, c) < SHORTEST_EDGE_A or max(a, b, c) > LONGEST_EDGE_A:
        shown = f"{a:g} {b:g} {c:g}"
        raise InputError(f"-cell {shown}: expected edges between {SHORTEST_EDGE_A:g} and {LONGEST_EDGE_A:g} Å")
    half_sum = (alpha + beta + gamma) / 2
    skew = math.sin(half_sum) * math.sin(half_sum - alpha) * math.sin(half_sum - beta) * math.sin(half_sum - gamma)
    if not skew > 1e-14 or max(alpha, beta, gamma) >= math.pi or half_sum >= math.pi:
        raise _impossible(full)
    volume = 2.0 * a * b * c * math.sqrt(skew)
    if not 1e-90 < volume < 1e90:
        raise _impossible(full)
    return DirectCell(*full, volume)


def _impossible(cell: tuple[float, ...]) -> InputError:
    shown = " ".join(f"{v:g}" for v in cell[:3]) + " " + " ".join(f"{math.degrees(v):g}" for v in cell[3:])
    return InputError(
        f"-cell {shown.strip()}: no such cell; expected edges above 0 Å and angles that can meet in a corner "
        "(each below the sum of the others, all three below 360 degrees together)"
    )


@record
class ReciprocalCell:
    """a*, b*, c* in Å⁻¹: vectors in the standard setting (a* along x, b* in the xy plane), lengths, angles."""

    vectors: Triad
    lengths: Vector
    angles: Angles


def reciprocal_cell(cell: DirectCell, exact: bool = False) -> ReciprocalCell:
    """The reciprocal of a cell in the standard setting.

    c* along z is c* V/(a b c sin γ*) in the C program, right only where sin γ = sin γ* (docs/differences.md); in an
    exact cell it is c* V/(a b c sin γ), which is 1/c.
    """
    a, b, c, volume = cell.a, cell.b, cell.c, cell.volume_A3
    V_star = 1.0 / volume
    sa, sb, sg = math.sin(cell.alpha), math.sin(cell.beta), math.sin(cell.gamma)
    ca, cb, cg = math.cos(cell.alpha), math.cos(cell.beta), math.cos(cell.gamma)
    la, lb, lc = b * c * sa * V_star, c * a * sb * V_star, a * b * sg * V_star
    sines = (a * V_star / lb / lc, b * V_star / la / lc, c * V_star / la / lb)
    cosines = ((cb * cg - ca) / (sb * sg), (cg * ca - cb) / (sg * sa), (ca * cb - cg) / (sa * sb))
    sg_star = min(sines[2], 1.0)
    ca_star, cb_star, cg_star = (1.0 if value * value > 1.0 else value for value in cosines)
    sine = sg if exact else sg_star
    vectors = (
        (la, 0.0, 0.0),
        (lb * cg_star, lb * sg_star, 0.0),
        (lc * cb_star, lc * (ca_star - cb_star * cg_star) / sg_star, lc * volume / (a * b * c * sine)),
    )
    return ReciprocalCell(vectors, (la, lb, lc), clamp_angles(sines, cosines))


def complete_cell(vectors: Triad, given: DirectCell | None, name: str) -> CellSteps:
    """Real vectors (Å) from reciprocal ones and back; a cell given by its edges keeps them to the last bit.

    name: what the vectors came from, for messages. Raises InputError where they lie in a plane.
    """
    a_star, b_star, c_star = vectors
    a_x_b, b_x_c, c_x_a = cross(a_star, b_star), cross(b_star, c_star), cross(c_star, a_star)
    products = (a_x_b, b_x_c, c_x_a)
    V_star = V_first = dot(a_star, b_x_c)
    size = length(a_star) * length(b_star) * length(c_star)
    if not size > 0.0 or not abs(V_first) > 1e-9 * size or math.isinf(size) or not 1e-90 < abs(V_first) < 1e90:
        raise InputError(f"{name}: the three reciprocal vectors lie in a plane: expected a matrix that can be inverted")
    if given is not None:
        b_x_c = with_length(b_x_c, given.a / given.volume_A3)
        c_x_a = with_length(c_x_a, given.b / given.volume_A3)
        a_x_b = with_length(a_x_b, given.c / given.volume_A3)
        V_star = 1.0 / given.volume_A3
    V_cell = 1.0 / V_star
    real = scaled_all((b_x_c, c_x_a, a_x_b), V_cell)
    back = (cross(real[0], real[1]), cross(real[1], real[2]), cross(real[2], real[0]))
    return CellSteps(
        turned=vectors,
        cross_products=products,
        V_star_first=V_first,
        V_cell=V_cell,
        V_star=V_star,
        cross_products_scaled=(a_x_b, b_x_c, c_x_a),
        real=real,
        real_cross_products=back,
        reciprocal=scaled_all((back[1], back[2], back[0]), V_star),
    )


def angles_between(vectors: Triad, others: Triad, volume: float) -> Angles:
    """Angles between three vectors, given the reciprocal ones and the volume that the vectors span."""
    a, b, c = vectors
    (la, lb, lc), (oa, ob, oc) = lengths(vectors), lengths(others)
    sines = (oa * volume / lb / lc, ob * volume / la / lc, oc * volume / la / lb)
    cosines = (dot(b, c) / lb / lc, dot(a, c) / la / lc, dot(a, b) / la / lb)
    return clamp_angles(sines, cosines)
