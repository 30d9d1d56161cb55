"""What must hold whatever the program: geometry, scaling of a peak, corrections and random numbers by other ways."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from forked import LIST, run_forked
from hypothesis import given, settings
from hypothesis import strategies as st

from nanobragg_py.base.vectors import angles_of, turned, turned_about
from nanobragg_py.formats.matrix import read_matrix
from nanobragg_py.model.beam import R_E_SQR_M2
from nanobragg_py.options.config import scan
from nanobragg_py.resolve.crystal import resolve_crystal
from nanobragg_py.resolve.random import RandomTable

QUICK = settings(max_examples=100, deadline=None)
COMPONENT = st.floats(-10, 10).map(lambda value: round(value, 6))
VECTOR = st.tuples(COMPONENT, COMPONENT, COMPONENT)
DIRECTION = VECTOR.filter(lambda v: np.linalg.norm(v) > 0.1).map(lambda v: tuple(np.array(v) / np.linalg.norm(v)))
ANGLE = st.floats(-7, 7).map(lambda value: round(value, 6))


# --- rotations ----


def exponential(matrix: np.ndarray) -> np.ndarray:
    """exp(matrix) by its series, with scaling and squaring."""
    small, total, term = matrix / 2**20, np.eye(3), np.eye(3)
    for order in range(1, 12):
        term = term @ small / order
        total = total + term
    for _ in range(20):
        total = total @ total
    return total


def rotation(axis: tuple[float, float, float], angle: float) -> np.ndarray:
    """Matrix of a right-handed rotation about a unit vector: the exponential of its generator."""
    x, y, z = np.array(axis) * angle
    return exponential(np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]))


@QUICK
@given(VECTOR, DIRECTION, ANGLE)
def test_rotation_about_an_axis(vector, axis, angle) -> None:
    found = np.array(turned_about(vector, axis, angle))
    np.testing.assert_allclose(found, rotation(axis, angle) @ vector, atol=1e-8)
    assert np.linalg.norm(found) == pytest.approx(np.linalg.norm(vector), abs=1e-12)


@QUICK
@given(VECTOR, ANGLE, ANGLE, ANGLE)
def test_rotation_about_x_y_z(vector, phi_x, phi_y, phi_z) -> None:
    matrix = rotation((0, 0, 1), phi_z) @ rotation((0, 1, 0), phi_y) @ rotation((1, 0, 0), phi_x)
    found = np.array(turned(vector, phi_x, phi_y, phi_z))
    np.testing.assert_allclose(found, matrix @ vector, atol=1e-8)


@QUICK
@given(DIRECTION, ANGLE)
def test_angles_of_a_rotation_make_it_again(axis, angle) -> None:
    matrix = rotation(axis, angle)
    angles = angles_of(tuple(matrix.ravel()))
    if abs(matrix[2, 0]) < 0.999:
        again = np.array([turned(tuple(column), *angles) for column in np.eye(3)]).T
        np.testing.assert_allclose(again, matrix, atol=1e-6)


# --- the crystal ----


def crystal(words: str):
    """The crystal of a command line in a beam of 1 Å."""
    config, _ = scan(words.split())
    matrix = None if config.mat_file is None else read_matrix(config.mat_file)
    return resolve_crystal(config, 1e-10, RandomTable(), 1, config.cell, matrix, (0.0, 0.0, 0.0))


def check_reciprocity(found, tolerance: float = 1e-9) -> None:
    """a·a* = 1, a·b* = 0, and so on."""
    products = np.array(found.real) @ np.array(found.reciprocal).T
    np.testing.assert_allclose(products, np.eye(3), atol=tolerance)
    assert found.volume_A3 == pytest.approx(abs(np.linalg.det(found.real)), rel=1e-9)


@QUICK
@given(st.lists(st.floats(-0.05, 0.05), min_size=9, max_size=9), ANGLE)
def test_reciprocity_of_a_matrix(tmp_path_factory, numbers, angle) -> None:
    matrix = np.array(numbers).reshape(3, 3)
    with np.errstate(under="ignore"):
        if matrix[0] @ np.cross(matrix[1], matrix[2]) < 1e-6:
            return
    path = tmp_path_factory.getbasetemp() / "any.mat"
    path.write_text("".join("{!r} {!r} {!r}\n".format(*row) for row in matrix.tolist()))
    found = crystal(f"-mat {path} -misset {angle} 20 30")
    check_reciprocity(found)
    for vector, column in zip(found.reciprocal, matrix.T, strict=True):
        assert np.linalg.norm(vector) == pytest.approx(np.linalg.norm(column), rel=1e-9)


@QUICK
@given(st.tuples(*[st.integers(20, 200)] * 3), st.integers(60, 120), st.tuples(*[st.integers(-180, 180)] * 3))
def test_reciprocity_of_a_monoclinic_cell(edges, beta, misset) -> None:
    words = "-cell {} {} {} 90 {} 90 -misset {} {} {}".format(*edges, beta, *misset)
    found = crystal(words)
    check_reciprocity(found)
    np.testing.assert_allclose([np.linalg.norm(v) for v in found.real], edges, rtol=1e-9)
    a, b, c = (np.array(v) for v in found.real)
    assert math.degrees(math.acos(a @ c / edges[0] / edges[2])) == pytest.approx(beta, abs=1e-6)
    np.testing.assert_allclose([a @ b, b @ c], 0, atol=1e-6)


# --- images ----


def image(words: str, folder: Path) -> np.ndarray:
    """The float image of a command line, square."""
    result = run_forked(f"-lambda 1 -distance 50 -oversample 1 -nonoise -nopgm {words}".split(), folder)
    assert result.status == 0, result.err
    pixels = np.frombuffer(result.files["floatimage.bin"], np.float32)
    return pixels.reshape(math.isqrt(pixels.size), -1)


FLUENCE = 1e25
FAST, SLOW, BEAM = np.array([0.0, 0.0, 1.0]), np.array([0.0, -1.0, 0.0]), np.array([1.0, 0.0, 0.0])
POLARIZED = np.array([0.0, 0.0, 1.0])


def pixel_positions(pixels: int, size: float, distance: float, turn: np.ndarray, beam_at: float) -> np.ndarray:
    """Centres of pixels (slow, fast, 3) of a MOSFLM detector turned about the beam spot; lengths in mm."""
    middle = (np.arange(pixels) + 0.5) * size - (beam_at + 0.5 * size)
    fast, slow = turn @ FAST, turn @ SLOW
    return distance * BEAM + middle[None, :, None] * fast + middle[:, None, None] * slow


def polarization(directions: np.ndarray, kahn: float) -> np.ndarray:
    """Kahn's factor for scattering into unit vectors from a beam along x polarized along z."""
    cosine = directions @ BEAM
    electric = directions @ POLARIZED
    magnetic = directions @ np.cross(POLARIZED, BEAM)
    twice_psi = 2 * np.arctan2(magnetic, electric)
    return 0.5 * (1 + cosine**2 - kahn * np.cos(twice_psi) * (1 - cosine**2))


@pytest.mark.parametrize("kahn", [0, 0.7, 1, -1])
@pytest.mark.parametrize("rotations", [(0, 0, 0, 0), (10, -7, 25, 0), (3, 4, -5, 20)])
def test_polarization_and_solid_angle(kahn: float, rotations: tuple[float, ...], tmp_path: Path) -> None:
    """A crystal of one cell scatters F² everywhere: what is left of a pixel is solid angle and polarization."""
    x, y, z, twotheta = (math.radians(angle) for angle in rotations)
    turn = rotation((0, 0, -1), twotheta) @ rotation((0, 0, 1), z) @ rotation((0, 1, 0), y) @ rotation((1, 0, 0), x)
    words = "-detector_rotx {} -detector_roty {} -detector_rotz {} -twotheta {}".format(*rotations)
    words += f" -cell 30 -N 1 -default_F 100 -fluence {FLUENCE} -detpixels 20 -pixel 4 -Xbeam 33 -Ybeam 33"
    found = image(f"{words} -polar {kahn}", tmp_path)
    positions = pixel_positions(20, 4, 50, turn, 33)
    distance = np.linalg.norm(positions, axis=2)
    obliquity = abs(positions[0, 0] @ (turn @ BEAM)) / distance
    omega = 4**2 / distance**2 * obliquity
    factor = polarization(positions / distance[..., None], kahn)
    expected = R_E_SQR_M2 * FLUENCE * 100**2 * omega * factor
    np.testing.assert_allclose(found, expected, rtol=3e-6)


def test_corrections_can_be_turned_off(tmp_path: Path) -> None:
    """Without polarization, a curved detector is evenly lit; -point_pixel is 1/R² alone."""
    base = f"-cell 30 -N 1 -default_F 100 -fluence {FLUENCE} -detpixels 20 -pixel 4 -nopolar"
    curved = image(base + " -curved_det -noprogress", tmp_path)
    np.testing.assert_allclose(curved, curved[0, 0], rtol=1e-6)
    flat, point = image(base, tmp_path), image(base + " -point_pixel", tmp_path)
    ratio = flat.astype(float) / point
    positions = pixel_positions(20, 4, 50, np.eye(3), (80 + 4) / 2)
    # The one is 1/R² for R in metres, the other a solid angle.
    np.testing.assert_allclose(ratio, 0.004**2 * 50 / np.linalg.norm(positions, axis=2), rtol=1e-6)


def bragg_matrix(position: np.ndarray, folder: Path, off: float = 0.0) -> str:
    """-mat of a crystal whose reflection (1, 0, 0) goes to a point, for 1 Å, but for a part `off` of its length."""
    q = (position / np.linalg.norm(position) - BEAM) * (1 + off)
    other = np.cross(q, [0.3, 0.5, 0.8])
    other *= 0.02 / np.linalg.norm(other)
    third = np.cross(q, other)
    third *= 0.03 / np.linalg.norm(third)
    rows = np.array([q, other, third]).T
    (folder / "bragg.mat").write_text("".join("{!r} {!r} {!r}\n".format(*row) for row in rows.tolist()))
    return "-mat bragg.mat"


@pytest.mark.parametrize("shape", ["-square_xtal", "-round_xtal", "-gauss_xtal", "-tophat_spots"])
def test_peak_grows_with_the_sixth_power(shape: str, tmp_path: Path) -> None:
    """The brightest point of a reflection is r_e² · fluence · F² · (Na·Nb·Nc)² for N cells a side, times N⁶."""
    position = pixel_positions(8, 2, 50, np.eye(3), 9)[5, 2]
    # The formula for round crystals is 0/0 in the very middle of a spot, and loses all digits near it.
    off = 1e-4 if shape == "-round_xtal" else 0.0
    words = f"{bragg_matrix(position, tmp_path, off)} -default_F 10 -fluence {FLUENCE} -nopolar {shape}"
    words += " -detpixels 8 -pixel 2 -Xbeam 9 -Ybeam 9"
    peaks = {n: float(image(f"{words} -N {n}", tmp_path)[5, 2]) for n in (3, 6, 12)}
    distance = np.linalg.norm(position)
    omega = 2**2 / distance**2 * 50 / distance
    # Height of a spot, relative to a parallelepiped's (round crystals have pi/6 of its volume, and so on).
    height = peaks[3] / (R_E_SQR_M2 * FLUENCE * 10**2 * 27**2 * omega)
    if shape == "-square_xtal":
        assert height == pytest.approx(1, rel=1e-5)
    assert 0.2 < height < 1.3
    assert peaks[6] / peaks[3] == pytest.approx(2**6, rel=1e-4)
    assert peaks[12] / peaks[3] == pytest.approx(4**6, rel=1e-4)


def test_edges_of_a_crystal_count_each(tmp_path: Path) -> None:
    """Na, Nb, Nc enter the peak's square root alike."""
    position = pixel_positions(8, 2, 50, np.eye(3), 9)[5, 2]
    words = f"{bragg_matrix(position, tmp_path)} -default_F 10 -detpixels 8 -pixel 2 -Xbeam 9 -Ybeam 9"
    base = float(image(f"{words} -N 4", tmp_path)[5, 2])
    for edge in "abc":
        more = float(image(f"{words} -N 4 -N{edge} 12", tmp_path)[5, 2])
        assert more / base == pytest.approx(9, rel=1e-4)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A folder with a reflection list."""
    (tmp_path / "P1.hkl").write_text(LIST)
    return tmp_path


DEMO = "-hkl P1.hkl -cell 30 40 50 -N 5 -detpixels 40 -pixel 1 -mosaic 0.4 -mosaic_dom 3 -dispersion 1 -dispsteps 2"


def test_intensity_is_the_square_of_F(listed: Path) -> None:
    rows = [line.split() for line in LIST.splitlines()]
    (listed / "P2.hkl").write_text("".join(f"{h} {k} {i} {2.5 * float(F)}\n" for h, k, i, F in rows))
    once, more = image(DEMO, listed), image(DEMO.replace("P1", "P2"), listed)
    assert once.max() > 0
    np.testing.assert_allclose(more, 2.5**2 * once.astype(float), rtol=1e-6)


def test_intensity_is_proportional_to_fluence(listed: Path) -> None:
    once, more = image(DEMO + " -fluence 1e24", listed), image(DEMO + " -fluence 3e24", listed)
    np.testing.assert_allclose(more, 3 * once.astype(float), rtol=1e-6)


@pytest.mark.parametrize("region", [(0, 39, 0, 39), (3, 30, 7, 20), (5, 5, 5, 5), (39, 39, 0, 10), (30, 99, 30, 99)])
def test_region_has_the_same_pixels(region: tuple[int, ...], listed: Path) -> None:
    """Bit for bit those of the whole image; the rest is 0."""
    whole = image(DEMO, listed)
    part = image(DEMO + " -roi {} {} {} {}".format(*region), listed)
    x0, x1, y0, y1 = region
    inside = np.zeros(whole.shape, bool)
    inside[y0 : y1 + 1, x0 : x1 + 1] = True
    assert np.array_equal(part, np.where(inside, whole, np.float32(0)))


def test_mask_hides_and_changes_nothing_else(listed: Path) -> None:
    rng = np.random.default_rng(1)
    mask = rng.integers(0, 3, (40, 40)).astype(np.uint16)
    header = "{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\nSIZE1=40;\nSIZE2=40;\n"
    header += "PIXEL_SIZE=1;\n}\f"
    (listed / "mask.img").write_bytes(header.encode().ljust(512) + mask.tobytes())
    whole, part = image(DEMO, listed), image(DEMO + " -mask mask.img", listed)
    assert np.array_equal(part, np.where(mask == 0, np.float32(0), whole))


def test_dump_gives_the_same_image(listed: Path) -> None:
    first = image(DEMO, listed)
    again = image(DEMO.replace("-hkl P1.hkl", ""), listed)
    assert np.array_equal(first, again)


def test_symmetry_of_the_detector(tmp_path: Path) -> None:
    """An orthorhombic crystal along the axes scatters alike to the left and right, above and below."""
    found = image("-cell 30 40 50 -N 2 -default_F 7 -detpixels 21 -pixel 2 -Xbeam 20 -Ybeam 20 -nopolar", tmp_path)
    np.testing.assert_allclose(found, found[::-1], rtol=2e-4)
    np.testing.assert_allclose(found, found[:, ::-1], rtol=2e-4)


# --- random numbers ----


class Ran1:
    """The published generator: Park and Miller's, shuffled in a table of 32 (Bays and Durham), one deviate a time."""

    def __init__(self, seed: int):
        state = max(abs(seed), 1)
        warmed = []
        for _ in range(40):
            state = state * 16807 % 2147483647
            warmed.append(state)
        self.state, self.table = state, warmed[:7:-1]
        self.last = self.table[0]

    def __call__(self) -> np.float32:
        """The next deviate, in single precision."""
        self.state = self.state * 16807 % 2147483647
        slot = self.last // 67108864
        self.last, self.table[slot] = self.table[slot], self.state
        return min(np.float32(self.last / 2147483647), np.float32(1 - 1.2e-7))


@pytest.mark.parametrize("seed", [-1, -12345678, -2147483646, 0])
def test_random_rotations(seed: int) -> None:
    """Axis and angle from three deviates each; every matrix is a rotation by no more than the spread."""
    matrices = RandomTable().rotations(-seed, 0.3, 200)
    draw = Ran1(seed)
    for matrix in matrices.reshape(-1, 3, 3):
        r1, r2, r3 = (2.0 * float(draw()) - 1.0 for _ in range(3))
        radius = math.sqrt(1 - r2 * r2)
        axis = (radius * math.sin(math.pi * r1), radius * math.cos(math.pi * r1), r2)
        angle = 0.3 * (1 - r3 * r3) ** (1 / 3)
        np.testing.assert_allclose(matrix, rotation(axis, angle), atol=1e-6)
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(matrix) == pytest.approx(1)
        assert math.acos(min((np.trace(matrix) - 1) / 2, 1)) <= 0.3 + 1e-6


@pytest.mark.parametrize("seed", [1, 777])
def test_noise_of_few_photons(seed: int, listed: Path) -> None:
    """Below 12 photons a Poisson deviate is the number of uniform ones whose product stays above exp(-mean)."""
    words = f"-lambda 1 -distance 50 -oversample 1 {DEMO} -nopgm -adc 0 -seed {seed} -fluence 4e26"
    result = run_forked(words.split(), listed)
    pixels = np.frombuffer(result.files["floatimage.bin"], np.float32)
    noisy = np.frombuffer(result.files["noiseimage.img"][512:], np.uint16)
    assert 0.05 < pixels.max() < 12
    # A seed of its own fills the shared table anew, whatever mosaic domains have drawn.
    draw = Ran1(-seed)
    expected = []
    for mean in pixels:
        limit, product, count = np.float32(math.exp(-float(mean))), np.float32(1), -1
        while count < 0 or product > limit:
            count += 1
            product = product * draw()
        expected.append(count)
    assert noisy.tolist() == expected


def test_noise_has_the_mean_and_spread_of_photons(listed: Path) -> None:
    """Over all pixels, (count - mean)/sqrt(mean) has mean 0 and variance 1 for few photons and for many."""
    for fluence in ("1e21", "1e23", "1e24"):
        base = "-cell 30 -N 1 -default_F 100 -detpixels 60 -pixel 1 -lambda 1 -distance 50 -oversample 1 -adc 0 -nopgm"
        result = run_forked(f"{base} -seed 5 -fluence {fluence}".split(), listed)
        mean = np.frombuffer(result.files["floatimage.bin"], np.float32).astype(float)
        noisy = np.frombuffer(result.files["noiseimage.img"][512:], np.uint16).astype(float)
        if noisy.max() == 65535 or mean.min() < 0.01:
            continue
        pulls = (noisy - mean) / np.sqrt(mean)
        assert abs(pulls.mean()) < 5 / math.sqrt(pulls.size)
        assert abs(pulls.var() - 1) < 0.2
