"""The crystal: cell and orientation, in the reference's order of operations, and its size in cells."""

from __future__ import annotations

import io
import math

import numpy as np

from .c_numbers import divide, leading_real
from .config import Config, Vector
from .errors import InputError, shown
from .files import read_bytes
from .kernels.library import address, kernel
from .records import record
from .vectors import angles_of, cross, dot, length, scaled, turned, with_length

HALF_PI = math.pi / 2
# A crystal's "random" orientation is drawn from a cap of 90 radians in the reference.
RANDOM_CAP = 90.0


class RandomTable:
    """The shuffle table that all random streams of a run share (kernels/random.py)."""

    def __init__(self) -> None:
        self.table = np.zeros(33, dtype=np.int64)

    def rotations(self, seed: int, spread_rad: float, count: int) -> tuple[np.ndarray, int]:
        """`count` random rotation matrices, float64 (count, 9), and where the stream then stands."""
        stream = np.array([seed], dtype=np.int64)
        matrices = np.empty((count, 9))
        kernel("mosaic_rotations")(address(self.table), address(stream), spread_rad, count, address(matrices))
        return matrices, int(stream[0])


def random_rotation(random: np.random.Generator) -> np.ndarray:
    """A rotation matrix, float64 (3, 3), uniform over all rotations: that of a random unit quaternion.

    Shoemake, "Uniform random rotations", Graphics Gems III (1992), 124; the quaternion is a normalised vector of four
    Gaussian numbers.
    """
    w, x, y, z = (q := random.standard_normal(4)) / np.sqrt(q @ q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


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


@record
class Crystal:
    """The resolved crystal. real: a, b, c in Å; reciprocal: a*, b*, c* in Å⁻¹; real_m: a, b, c in metres."""

    real: tuple[Vector, Vector, Vector]
    reciprocal: tuple[Vector, Vector, Vector]
    real_m: tuple[Vector, Vector, Vector]
    real_angles: Angles
    reciprocal_angles: Angles
    volume_A3: float
    constructed_angles: Angles | None
    misset: Vector | None
    misset_was_random: bool
    mat_file: str | None
    Na: float
    Nb: float
    Nc: float
    lengths_before_misset: Vector
    steps: CellSteps

    @property
    def size_m(self) -> Vector:
        """Width of the crystal along a, b, c in metres."""
        a, b, c = self.real_m
        return (length(a) * self.Na, length(b) * self.Nb, length(c) * self.Nc)


def resolve_crystal(
    config: Config, wavelength_m: float, sample_m: Vector, random: RandomTable, clock_seed: int,
    matrix: tuple[Vector, Vector, Vector] | None = None,
) -> Crystal:  # fmt: skip
    """Cell, orientation and size. Raises InputError for an impossible cell or matrix.

    matrix: a*, b*, c* times the wavelength in Å, as in a matrix file; read from config.mat_file if None.
    """
    user_cell = None
    constructed = None
    vectors: tuple[Vector, Vector, Vector] = ((0.0,) * 3,) * 3
    lengths = (0.0, 0.0, 0.0)
    if config.cell is not None:
        user_cell, vectors, lengths, constructed = _construct_cell(config.cell, "cell" in config.fixes)
    raw = by_wavelength = None
    if config.mat_file is not None or matrix is not None:
        raw = read_matrix(config.mat_file) if matrix is None else matrix
        by_wavelength = tuple(scaled(v, 1e-10 / wavelength_m) for v in raw)
        vectors = by_wavelength
        lengths = tuple(length(v) for v in vectors)
    misset = config.misset
    if config.misset_random:
        seed = clock_seed if config.misset_seed is None else config.misset_seed
        if "misset" in config.fixes:
            misset = angles_of(tuple(random_rotation(np.random.Generator(np.random.PCG64(abs(seed)))).ravel().tolist()))
        else:
            misset = angles_of(tuple(random.rotations(seed, RANDOM_CAP, 1)[0][0].tolist()))
    before = vectors
    if misset is not None:
        vectors = tuple(turned(v, *misset) for v in vectors)
    cell_steps, reciprocal = _complete_cell(vectors, user_cell, config, raw, by_wavelength, before)
    real = cell_steps.real
    real_angles = _angles(real, reciprocal, cell_steps.V_cell)
    reciprocal_angles = _angles(reciprocal, real, cell_steps.V_star)
    real_m = tuple(scaled(v, 1e-10) for v in real)
    counts = _cells(config, sample_m, real_m)
    return Crystal(
        real, reciprocal, real_m, real_angles, reciprocal_angles, cell_steps.V_cell, constructed,
        misset, config.misset_random, config.mat_file, *counts, lengths, cell_steps,
    )  # fmt: skip


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


def _cells(config: Config, sample_m: Vector, real_m: tuple[Vector, ...]) -> tuple[float, float, float]:
    """Number of cells along a, b, c: from the sample's size where given, else as said; at least 1."""
    said = (config.Na, config.Nb, config.Nc)
    counts = []
    for size, vector, count in zip(sample_m, real_m, said, strict=True):
        cells = divide(size, length(vector)) if size > 0 else float(1 if count is None else count)
        if not math.isfinite(cells):
            raise InputError(f"-samplesize: a crystal of {size * 1e3:g} mm has more unit cells than can be counted")
        counts.append(max(float(math.ceil(cells)), 1.0))
    return tuple(counts)


def read_matrix(path: str) -> tuple[Vector, Vector, Vector]:
    """a*, b*, c* from the first nine numbers of a file: one component of all three in each row."""
    return parse_matrix(read_bytes(path, "-mat"), path)


def parse_matrix(content: bytes, path: str) -> tuple[Vector, Vector, Vector]:
    """a*, b*, c* of a matrix file's text."""
    if b"\0" in content:
        raise InputError(f"{path}: -mat expects a text file with nine numbers; this one is binary")
    numbers: list[float] = []
    for line_number, line in enumerate(io.BytesIO(content), 1):
        # Nine numbers are wanted: more words than that are not looked at.
        for word in line.split(maxsplit=9)[:9]:
            numbers += _numbers_in(word.decode("latin-1"), f"{path}: line {line_number}")
            if len(numbers) >= 9:
                return tuple((numbers[i], numbers[i + 3], numbers[i + 6]) for i in range(3))
    raise InputError(f"{path}: -mat expects nine numbers (a* b* c*, one component in each row); found {len(numbers)}")


def _numbers_in(word: str, where: str) -> list[float]:
    """Numbers of a word; fixed-width matrix files run them together where all places are used (0.01-0.02)."""
    numbers: list[float] = []
    at = 0
    while at < len(word) and len(numbers) < 9:
        value, used = leading_real(word, at)
        if used == 0 or not math.isfinite(value):
            raise InputError(f"{where}: expected a number of the matrix, got '{shown(word)}'")
        numbers.append(value)
        at += used
    return numbers
