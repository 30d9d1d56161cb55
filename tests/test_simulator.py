"""Many images of one crystal: the bits of single ones, in any number of threads, with other values of keywords."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from nanobragg_py import Config, DefectWarning, InputError, Simulator, simulate
from nanobragg_py.commandline.cli import run
from nanobragg_py.resolve.random import random_rotation

CELL = dict(cell=(40, 50, 60, 80, 95, 105), default_F=10)
SMALL = dict(detpixels=48, pixel_mm=1, oversample=1, N=5)
SHAPES = ("square", "round", "gauss", "tophat")


@pytest.fixture
def protein(golden_folder) -> Path:
    """The protein's reflection list."""
    return golden_folder / "1a8o.hkl"


@pytest.fixture
def list_of_protein(protein) -> np.ndarray:
    """The same as an array (n, 4)."""
    return np.loadtxt(protein)


@pytest.mark.parametrize("shape", SHAPES)
def test_simulator_is_simulate(shape, list_of_protein) -> None:
    """Angles: the image of simulate() with that misset, for every shape, whether or not geometry is stored."""
    base = dict(hkl=list_of_protein, cell=(42, 42, 89), shape=shape, N=12, pixel_mm=1)
    variants = (
        dict(detpixels=(70, 40), oversample=1, mosaic_deg=0.5, mosaic_domains=3, phi_deg=0, osc_deg=1, phisteps=3),
        dict(detpixels=50, oversample=2, dispersion_percent=1, dispsteps=2),
        dict(detpixels=50, oversample=1, dmin_A=3, water_um=10, polar=0.5, curved_detector=True, roi=(3, 44, 5, 40)),
        dict(detpixels=50, oversample=1, detector_thick_um=300, detector_absorption_um=200, thicksteps=3),
        dict(detpixels=50, N=2),
    )
    for variant in variants:
        options = {**base, **variant}
        with Simulator(threads=2, **options) as simulator:
            for angles in ((20, 35, 50), (0, 0, 0), (-3, 181, 1e-3)):
                found = simulator.render(angles)
                assert np.array_equal(found.image, simulate(misset=angles, **options).image), (variant, angles)


def test_simulator_is_the_command_line_for_the_same_matrix(protein, tmp_path, monkeypatch, capsys) -> None:
    """A rotation's matrix, written to a file, gives the command line the same bytes."""
    monkeypatch.chdir(tmp_path)
    words = f"-hkl {protein} -cell 42 42 89 -detpixels 64 -pixel 1 -N 20 -oversample 1 -seed 1".split()
    seeds = set()
    with Simulator(Config.from_argv(words), misset=(5, 6, 7)) as simulator:
        for still in simulator.stills(3, seed=11):
            np.savetxt("a.mat", still.matrix, fmt="%.17g")
            at = words.index("-cell")
            # Each still has a noise of its own.
            seed = still.result.config.seed
            assert run([*words[:at], "-mat", "a.mat", *words[at + 4 :], "-seed", str(seed)]) == 0
            assert Path("floatimage.bin").read_bytes() == still.image.tobytes()
            assert np.array_equal(simulator.render(still.orientation).image, still.image)
            assert np.array_equal(simulator.render(matrix=still.matrix).image, still.image)
            Path("other").mkdir(exist_ok=True)
            still.result.write("other")
            for name in ("intimage.img", "image.pgm", "noiseimage.img"):
                assert Path(name).read_bytes() == (Path("other") / name).read_bytes()
            seeds.add(seed)
    assert len(seeds) == 3
    capsys.readouterr()


def test_out_is_filled_and_base_is_as_configured() -> None:
    """A buffer of the caller's is used again; without an orientation the image is simulate()'s."""
    options = dict(misset=(1, 2, 3), roi=(4, 30, 5, 31), **CELL, **SMALL)
    with Simulator(**options) as simulator:
        out = np.full((48, 48), 9, dtype=np.float32)
        result = simulator.render(out=out)
        assert result.image is out and np.array_equal(out, simulate(**options).image)


def test_many_threads_may_call(list_of_protein) -> None:
    """Images asked for from several threads at once are those asked for one after the other."""
    options = dict(hkl=list_of_protein, cell=(42, 42, 89), N=12, detpixels=64, pixel_mm=1, oversample=1)
    angles = [(number, 2 * number, 3) for number in range(24)]
    with Simulator(threads=2, **options) as simulator, ThreadPoolExecutor(6) as callers:
        one_by_one = [simulator.render(each).image for each in angles]
        at_once = list(callers.map(lambda each: simulator.render(each).image, angles))
        simulated = list(callers.map(lambda each: simulate(misset=each, threads=2, **options).image, angles[:6]))
        several = list(callers.map(lambda seed: [s.image for s in simulator.stills(5, seed)], [1, 2, 1]))
    assert all(map(np.array_equal, one_by_one, at_once))
    assert all(map(np.array_equal, one_by_one, simulated))
    assert all(map(np.array_equal, several[0], several[2]))


def test_stills_do_not_depend_on_number_or_threads() -> None:
    """The same seed gives the same images and labels; another seed others; leaving early is fine."""
    options = dict(**CELL, **SMALL)
    with Simulator(threads=1, **options) as one, Simulator(threads=3, **options) as three:
        a, b = list(one.stills(7, seed=5)), list(three.stills(9, seed=5))
        other = next(three.stills(100, seed=6))
    assert len(a) == 7 and len(b) == 9
    for x, y in zip(a, b, strict=False):
        assert np.array_equal(x.image, y.image) and np.array_equal(x.orientation, y.orientation)
        assert all(map(np.array_equal, x.spots, y.spots))
    assert not np.array_equal(other.orientation, a[0].orientation)
    assert np.allclose(a[0].orientation @ a[0].orientation.T, np.eye(3)) and np.linalg.det(a[0].orientation) > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(orientation=(1, 2)), "rotation matrix"),
        (dict(orientation="up"), "rotation matrix"),
        (dict(N=3), "another N needs a new Simulator"),
        (dict(hkl=np.ones((1, 4))), "another hkl needs a new Simulator"),
        (dict(phi=3), "did you mean phi_deg"),
        (dict(distance_mm=-5), "expected a size above 0 mm"),
        (dict(sources=np.zeros((2, 5))), "source 1: expected a position"),
        (dict(orientation=("a", 2, 3)), "three angles"),
        (dict(orientation=(np.nan, 2, 3)), "finite angles"),
        (dict(orientation=2 * np.eye(3)), "orthogonal"),
        (dict(orientation=-np.eye(3)), "determinant"),
        (dict(matrix=np.eye(2)), "(3, 3)"),
        (dict(orientation=(1, 2, 3), matrix=np.eye(3)), "not both"),
        (dict(out=np.zeros((48, 48))), "float32"),
        (dict(out=np.zeros((48, 96), np.float32)[:, ::2]), "contiguous"),
    ],
)
def test_bad_orientations_raise(arguments, message) -> None:
    """Whatever render() cannot take."""
    with Simulator(**CELL, **SMALL) as simulator, pytest.raises(InputError) as caught:
        simulator.render(**arguments)
    assert message in str(caught.value)


ROWS = np.array([[-10, 0, 0, 1, 1e-10], [-10, 0.01, 0, 1, 1.01e-10]])
CHANGES = (
    (dict(phi_deg=3), "-phi 3"),
    (dict(phi_deg=0, osc_deg=1, phisteps=3), "-phi 0 -osc 1 -phisteps 3"),
    (dict(osc_deg=2, phistep_deg=0.5), "-osc 2 -phistep 0.5"),
    (dict(distance_mm=140), "-distance 140"),
    (dict(close_distance_mm=90, twotheta_deg=10), "-close_distance 90 -twotheta 10"),
    (dict(Xbeam_mm=20, Ybeam_mm=21.5, detector_roty_deg=5), "-Xbeam 20 -Ybeam 21.5 -detector_roty 5"),
    (dict(fluence=1e24, polar=0.9), "-fluence 1e24 -polar 0.9"),
    (dict(flux=1e12, beamsize_mm=0.01, nopolar=True), "-flux 1e12 -beamsize 0.01 -nopolar"),
    (dict(sources=ROWS), "-sourcefile sources.txt"),
    (dict(sources="sources.txt"), "-sourcefile sources.txt"),
    (dict(divergence_mrad=2, divsteps=3, round_divergence=False), "-divergence 2 -divsteps 3 -square_div"),
    (dict(dispersion_percent=2, dispsteps=3), "-dispersion 2 -dispsteps 3"),
    (dict(oversample=2, oversample_omega=True), "-oversample 2 -oversample_omega"),
    (dict(detector_thick_um=300, detector_absorption_um=200, thicksteps=3),
     "-detector_thick 300 -detector_abs 200 -thicksteps 3"),
    (dict(roi=(3, 25, 5, 30), dmin_A=3, water_um=20), "-roi 3 25 5 30 -dmin 3 -water 20"),
)  # fmt: skip
BASES = {
    "stored geometry": "-N 12 -oversample 1 -mosaic 0.3 -mosaic_domains 3",
    "sub-pixels": "-N 6 -oversample 2 -phi 1",
    "corrected": "-N 12 --fix all",
    "random": "-N 12 -oversample 1 -misset random -misset_seed 4 -sourcefile other.txt",
    "matrix": "-N 12 -oversample 1 -mat a.mat",
}


@pytest.mark.parametrize("base", BASES)
def test_changes_are_options(base, protein, tmp_path, monkeypatch, capsys) -> None:
    """Keywords of render() give the bits of the command line with these options at its end."""
    monkeypatch.chdir(tmp_path)
    np.savetxt("sources.txt", ROWS)
    np.savetxt("other.txt", ROWS[:, :3] + 0.02)
    Path("a.mat").write_text("0.02 0.001 0\n0.002 0.021 0.001\n0 0.001 0.0112\n")
    cell = "" if base == "matrix" else "-cell 42 42 89 80 95 105"
    words = f"-hkl {protein} {cell} -detpixels 32 -pixel 1.5 {BASES[base]} -seed 1 -noprogress -nopgm"
    with Simulator(Config.from_argv(words), threads=2) as simulator:
        before = simulator.render().image
        for changed, options in CHANGES:
            assert run([*words.split(), *options.split()]) == 0
            result = simulator.render(**changed)
            assert result.image.any() and Path("floatimage.bin").read_bytes() == result.image.tobytes(), options
            result.write(noise_file="n.img", int_file="i.img")
            assert Path("n.img").read_bytes() == Path("noiseimage.img").read_bytes()
            assert Path("i.img").read_bytes() == Path("intimage.img").read_bytes()
            if base != "matrix":
                turned = words.replace("-misset random", "") + " -misset 20 35 50"
                assert run([*turned.split(), *options.split()]) == 0
                image = simulator.render((20, 35, 50), **changed).image
                assert Path("floatimage.bin").read_bytes() == image.tobytes(), options
        assert np.array_equal(simulator.render().image, before), "changes are for one image"
    capsys.readouterr()


def test_changes_with_a_mask_array() -> None:
    """A mask given as an array goes on to count, and to give the size."""
    mask = np.ones((40, 48), dtype=bool)
    mask[10:20, 5:9] = False
    options = dict(mask=mask, pixel_mm=1, oversample=1, N=5, **CELL)
    with Simulator(**options) as simulator:
        image = simulator.render(distance_mm=150, phi_deg=2).image
    assert np.array_equal(image, simulate(distance_mm=150, phi_deg=2, **options).image)


def test_a_matrix_may_ask_for_other_sub_pixels(list_of_protein) -> None:
    """Where their number follows from the crystal's size, it follows the cell of each matrix."""
    options = dict(hkl=list_of_protein, N=30, detpixels=40, pixel_mm=0.4, distance_mm=200, fix="subpixel", polar=0.9)
    small, large = np.diag([1 / 30, 1 / 30, 1 / 30]), np.diag([1 / 300, 1 / 300, 1 / 300])
    for first in (small, large):
        with Simulator(matrix=first, **options) as simulator:
            used = []
            for matrix in (small, large):
                result = simulator.render(matrix=matrix)
                assert np.array_equal(result.image, simulate(matrix=matrix, **options).image)
                used.append(result.experiment.oversampling.used)
            assert used[0] < used[1]


class Turned:
    """What SciPy's Rotation gives, of a matrix."""

    def __init__(self, matrix: np.ndarray):
        self.matrix = matrix

    def as_matrix(self) -> np.ndarray:
        """The matrix."""
        return self.matrix


def test_rotations_of_other_libraries() -> None:
    """Whatever has as_matrix() is taken for its matrix."""
    matrix = random_rotation(np.random.Generator(np.random.PCG64(1)))
    with Simulator(**CELL, **SMALL) as simulator:
        assert np.array_equal(simulator.matrix(Turned(matrix)), simulator.matrix(matrix))
        assert np.array_equal(simulator.render(Turned(matrix)).image, simulator.render(matrix).image)
        with pytest.raises(InputError, match="orthogonal"):
            simulator.render(Turned(2 * matrix))


def test_scipys_rotations() -> None:
    """Wherever a rotation matrix is taken."""
    transform = pytest.importorskip("scipy.spatial.transform")
    rotation = transform.Rotation.random(random_state=1)
    with Simulator(**CELL, **SMALL) as simulator:
        assert np.array_equal(simulator.matrix(rotation), simulator.matrix(rotation.as_matrix()))
        assert np.array_equal(simulator.render(rotation).image, simulator.render(rotation.as_matrix()).image)
        with pytest.raises(InputError, match=r"got shape \(3, 3, 3\)"):
            simulator.render(transform.Rotation.random(3, random_state=1))


def test_angles_and_their_matrix_are_one_orientation() -> None:
    """The standard setting is turned about x, y and z, in this order."""
    transform = pytest.importorskip("scipy.spatial.transform")
    rotation = transform.Rotation.from_euler("xyz", (20, 35, 50), degrees=True)
    with Simulator(cell=(40, 50, 60), default_F=10, **SMALL) as simulator:
        one, two = simulator.render((20, 35, 50)).image, simulator.render(rotation).image
    assert one.any() and np.allclose(one, two, rtol=1e-4, atol=1e-6 * one.max())


def test_threads_are_as_asked_for() -> None:
    """By keyword or by Config; None stands for all cores."""
    config = Config.from_argv("-cell 40 50 60 -default_F 1 -detpixels 16 -N 2 --threads 3")
    for simulator, threads in (
        (Simulator(config), 3),
        (Simulator(config, threads=5), 5),
        (Simulator(config, threads=None), 3),
        (
            Simulator(cell=50, default_F=1, detpixels=16, N=2, threads=None),
            Simulator(cell=50, default_F=1, N=2).threads,
        ),
    ):
        assert simulator.threads == threads
    with pytest.raises(InputError, match="threads: expected a number above 0"):
        Simulator(config, threads=0)


def test_what_it_says_of_itself() -> None:
    """Cell, detector, threads; of a still, how many spots."""
    with Simulator(cell=(40, 50, 60), default_F=10, threads=2, **SMALL) as simulator:
        assert repr(simulator) == "<Simulator: cell of 40, 50, 60 Å, 48 x 48 pixels, 2 threads>"
        still = next(simulator.stills(1))
        assert repr(still) == f"<Still: 48 x 48 pixels, {len(still.spots.hkl)} spots>"
    with Simulator(cell=(40, 50, 60), default_F=10, threads=1, **SMALL) as simulator:
        assert repr(simulator).endswith(", 1 thread>")


def test_interpolation_that_ends_is_warned_of_once(list_of_protein) -> None:
    """By the image in which it ends."""
    options = dict(hkl=list_of_protein[:2000], cell=(42, 42, 89), N=2, detpixels=32, pixel_mm=3, oversample=1)
    with warnings.catch_warnings(record=True) as caught, Simulator(**options) as simulator:
        warnings.simplefilter("always")
        for angles in ((1, 2, 3), (4, 5, 6), (7, 8, 9)):
            simulator.render(angles)
    assert [warning.category for warning in caught] == [DefectWarning]
    assert "interpolation" in str(caught[0].message) and caught[0].filename == __file__


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(n=-1), "n: expected how many stills"),
        (dict(n=2.5), "n: expected how many stills"),
        (dict(n="two"), "n: expected how many stills"),
        (dict(n=1, seed=-1), "seed: expected a whole number of 0 or more"),
        (dict(n=1, seed="x"), "seed: expected"),
        (dict(n=1, seed=1.5), "seed: expected"),
    ],
)
def test_bad_stills_raise(arguments, message) -> None:
    """When they are asked for, and not with the first of them."""
    with Simulator(**CELL, **SMALL) as simulator, pytest.raises(InputError, match=message):
        simulator.stills(**arguments)


def test_seeds_of_stills() -> None:
    """None is the default; several numbers are a seed, too, for each number of a data set, say."""
    with Simulator(**CELL, **SMALL) as simulator:
        orientations = [next(simulator.stills(1, seed=seed)).orientation for seed in (None, 0, (7, 1), [7, 1], (7, 2))]
    assert np.array_equal(orientations[0], orientations[1]) and np.array_equal(orientations[2], orientations[3])
    assert not np.array_equal(orientations[3], orientations[4])
    assert not np.array_equal(orientations[0], orientations[2])


def test_orientations_are_uniform() -> None:
    """Each element of the matrices is spread as on a sphere, and the angle of turn has its density."""
    random = np.random.Generator(np.random.PCG64(5))
    matrices = np.array([random_rotation(random) for _ in range(5000)])
    with Simulator(**CELL, **SMALL) as simulator:
        for still, matrix in zip(simulator.stills(3, seed=5), matrices, strict=False):
            assert np.array_equal(still.orientation, matrix)
    assert np.abs(matrices @ matrices.transpose(0, 2, 1) - np.eye(3)).max() < 1e-12
    assert np.abs(matrices.mean(axis=0)).max() < 0.03
    assert np.abs((matrices**2).mean(axis=0) - 1 / 3).max() < 0.02
    # Of a uniform rotation's angle t the density is (1 - cos t)/pi, so that the mean of cos t is -1/2.
    assert np.mean((np.trace(matrices, axis1=1, axis2=2) - 1) / 2) == pytest.approx(-0.5, abs=0.03)
