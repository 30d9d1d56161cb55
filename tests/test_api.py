"""The Python API: the command line's bytes, arrays for files, many threads, labels that are right, clear errors."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import re
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import goldenlib
import numpy as np
import pytest

import nanobragg_py
from nanobragg_py import Config, InputError, Simulator, simulate
from nanobragg_py.commandline.cli import run
from nanobragg_py.options.keywords import keywords

EXACT = goldenlib.rounds_as_recorded()
CASES = {
    name: case
    for name, case in goldenlib.load_cases().items()
    if case.stdout != "trace lines" and not name.startswith(("demo", "seed_4096", "missing_stol"))
}
ROOT = Path(__file__).resolve().parent.parent
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


def config_of(words: list[str]) -> Config:
    """Config of a command line whose warnings are expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Config.from_argv(words)


@pytest.mark.parametrize("name", CASES)
def test_files_are_the_command_lines(name, tmp_path, monkeypatch, capsys) -> None:
    """Every golden case through the API: the files have the C program's bytes, and nothing is printed."""
    case = CASES[name]
    expected = goldenlib.load_expected(case)
    monkeypatch.chdir(tmp_path)
    for target, source in case.files_needed.items():
        (tmp_path / target).write_bytes(source.read_bytes())
    if expected.status != 0 or not expected.files:
        with contextlib.suppress(InputError):
            simulate(config_of(case.our_words))
        assert capsys.readouterr().out == ""
        return
    result = simulate(config_of(case.our_words))
    result.write(".")
    config = result.config
    if config.hkl_file and config.dump_file in expected.files:
        result.write(dump_file=config.dump_file)
    assert capsys.readouterr().out == ""
    files = goldenlib.written_files(case, tmp_path)
    found = goldenlib.Result(expected.status, expected.stdout, files)
    assert not (problems := goldenlib.compare(expected, found, EXACT)), "\n".join(problems)


KEYWORDS_AND_WORDS = (
    (dict(cell=(42, 42, 89, 90, 90, 90), misset=(20, 35, 50)), "-cell 42 42 89 90 90 90 -misset 20 35 50"),
    (dict(wavelength_A=0.97, distance_mm=123.4, pixel_mm=0.17), "-wavelength 0.97 -distance 123.4 -pixel 0.17"),
    (dict(energy_eV=12345, detpixels=(300, 200)), "-energy 12345 -detpixels_f 300 -detpixels_s 200"),
    (dict(N=(3, 4, 5), mosaic_deg=0.3, mosaic_domains=7), "-Na 3 -Nb 4 -Nc 5 -mosaic 0.3 -mosaic_domains 7"),
    (dict(phi_deg=1, osc_deg=0.5, phisteps=4), "-phi 1 -osc 0.5 -phisteps 4"),
    (dict(fluence=1e24, water_um=20, oversample=2), "-fluence 1e24 -water 20 -oversample 2"),
    (dict(convention="xds", Xbeam_mm=10, Ybeam_mm=11.5), "-xds -Xbeam 10 -Ybeam 11.5"),
    (dict(Xclose_mm=10, convention="adxv"), "-Xclose 10 -adxv"),
    (dict(shape="gauss", fudge=0.7, interpolate=False), "-gauss_xtal -fudge 0.7 -nointerpolate"),
    (dict(roi=(1, 2, 3, 4), seed=5, mosaic_seed=6), "-roi 1 2 3 4 -seed 5 -mosaic_seed 6"),
    (dict(detector_thick_um=300, detector_absorption_um=200), "-detector_thick 300 -detector_abs 200"),
    (dict(dispersion_percent=1, dispsteps=3, divergence_mrad=2), "-dispersion 1 -dispsteps 3 -divergence 2"),
    (dict(fdet_vector=(0, 0, 1), twotheta_deg=5, dmin_A=2), "-fdet_vector 0 0 1 -twotheta 5 -dmin 2"),
    (dict(misset="random", misset_seed=3, nopolar=True), "-misset random -misset_seed 3 -nopolar"),
    (dict(hkl="a.hkl", mat="a.mat", dumpfile="d"), "-hkl a.hkl -mat a.mat -dump d"),
    (dict(threads=2, column="FP", sf_resolution_A=2), "--threads 2 --column FP --sf-resolution 2"),
)


@pytest.mark.parametrize(("given", "words"), KEYWORDS_AND_WORDS, ids=lambda value: str(value)[:40])
def test_keywords_are_options(given, words) -> None:
    """Keywords set the fields that the options set, to the last bit."""
    assert Config.from_keywords(**{"dumpfile": "Fdump.bin", **given}) == config_of(words.split())


def test_every_option_has_a_keyword() -> None:
    """All that the image depends on can be said; the names are Python's."""
    names = keywords()
    assert all(name.isidentifier() for name in names)
    for name in "cell misset wavelength_A energy_eV distance_mm pixel_mm detpixels N fluence convention".split():
        assert name in names
    for name in "wave_A heigh_mm detector_abs_um printout trace_pixel".split():
        assert name not in names


def test_numbers_of_numpy_are_numbers() -> None:
    """NumPy's scalars and arrays are taken like Python's."""
    plain = Config.from_keywords(cell=[40, 50, 60], N=3, misset=(1, 2, 3))
    numpy = Config.from_keywords(cell=np.array([40.0, 50, 60]), N=np.int64(3), misset=np.arange(1, 4))
    assert plain == numpy


def test_arrays_are_files(protein, list_of_protein, tmp_path) -> None:
    """Reflections and sources as arrays give the bits that their files give."""
    more = dict(cell=(42, 42, 89), N=5, detpixels=48, pixel_mm=1, oversample=1)
    rows = np.array([[-10, 0, 0, 1, 1e-10], [-10, 0.01, 0, 1, 1.01e-10]])
    np.savetxt(tmp_path / "sources.txt", rows)
    from_files = simulate(hkl=protein, sourcefile=tmp_path / "sources.txt", **more).image
    hkl, F = list_of_protein[:, :3].astype(int), list_of_protein[:, 3]
    assert from_files.any()
    for reflections in (list_of_protein, (hkl, F), (hkl.tolist(), F.tolist())):
        assert np.array_equal(simulate(hkl=reflections, sources=rows, **more).image, from_files)
    assert np.array_equal(simulate(hkl=list_of_protein, sources=rows[:, :5], **more).image, from_files)


def test_mask_array_gives_the_size() -> None:
    """What is masked is 0, the rest as without a mask; the mask's size is the detector's."""
    mask = np.ones((40, 48), dtype=bool)
    mask[10:20, 5:9] = False
    masked = simulate(mask=mask, pixel_mm=1, oversample=1, N=5, **CELL).image
    whole = simulate(detpixels=(48, 40), pixel_mm=1, oversample=1, N=5, **CELL).image
    assert masked.shape == mask.shape and not masked[~mask].any()
    assert np.array_equal(masked[mask], whole[mask])


def test_matrix_array_is_a_matrix_file(golden_folder) -> None:
    """Nine numbers of a matrix file as an array."""
    path = golden_folder / "inputs" / "plain.mat"
    columns = np.loadtxt(path).reshape(3, 3)
    options = dict(default_F=10, **SMALL)
    assert np.array_equal(simulate(mat=path, **options).image, simulate(matrix=columns, **options).image)
    assert np.array_equal(simulate(matrix=columns, **options).matrix, columns)


def test_config_with_keywords() -> None:
    """Keywords are added to a Config."""
    config = Config.from_argv("-cell 40 50 60 80 95 105 -default_F 10 -detpixels 48 -pixel 1 -N 5".split())
    assert np.array_equal(simulate(config, oversample=1).image, simulate(**CELL, **SMALL).image)


def test_noise_is_the_noise_image(tmp_path) -> None:
    """noise() twice gives the same numbers, those of the noise file; another seed gives others."""
    result = simulate(seed=7, fluence=1e30, roi=(3, 40, 2, 30), **CELL, **SMALL)
    noise = result.noise()
    assert noise.image.dtype == np.uint16 and noise.image.shape == result.image.shape
    result.write(noise_file=tmp_path / "n.img")
    assert (tmp_path / "n.img").read_bytes()[512:] == noise.image.tobytes()
    again, other = result.noise(7), result.noise(8)
    assert np.array_equal(noise.image, again.image) and noise.photons == again.photons > 0
    assert not np.array_equal(noise.image, other.image)


def test_write_names_what_it_wrote(tmp_path) -> None:
    """A folder gets all images but those that are switched off; named files are the only ones."""
    result = simulate(write_pgm=False, **CELL, **SMALL)
    written = result.write(tmp_path)
    assert sorted(written) == ["float_file", "int_file", "noise_file"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["floatimage.bin", "intimage.img", "noiseimage.img"]
    (tmp_path / "more").mkdir()
    result.write(pgm_file=tmp_path / "more" / "a.pgm")
    assert [path.name for path in (tmp_path / "more").iterdir()] == ["a.pgm"]
    assert result.statistics.largest == result.image.max() and "48 x 48" in repr(result)


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
    with Simulator(Config.from_argv(words), misset=(5, 6, 7)) as simulator:
        for still in simulator.stills(3, seed=11):
            np.savetxt("a.mat", still.matrix, fmt="%.17g")
            at = words.index("-cell")
            assert run([*words[:at], "-mat", "a.mat", *words[at + 4 :]]) == 0
            assert Path("floatimage.bin").read_bytes() == still.image.tobytes()
            assert np.array_equal(simulator.render(still.orientation).image, still.image)
            assert np.array_equal(simulator.render(matrix=still.matrix).image, still.image)
            Path("other").mkdir(exist_ok=True)
            still.result.write("other")
            for name in ("intimage.img", "image.pgm", "noiseimage.img"):
                assert Path(name).read_bytes() == (Path("other") / name).read_bytes()
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


def nearest_node(still, fast: int, slow: int, wavelength_A: float) -> np.ndarray:
    """Fractional Miller indices at the middle of a pixel, by the textbook: A^-1 (k1 - k0), in plain NumPy."""
    detector = still.result.experiment.detector
    axes, size = detector.axes, detector.pixel_size_m
    place = np.array(detector.pix0_m) + (fast + 0.5) * size * np.array(axes.fdet)
    place += (slow + 0.5) * size * np.array(axes.sdet)
    scattering = place / np.linalg.norm(place) - np.array(axes.beam)
    return np.linalg.solve(still.matrix, scattering)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("convention", ["mosflm", "xds"])
def test_labels_are_local_maxima_of_their_reflection(shape, convention, list_of_protein) -> None:
    """A label's pixel is the brightest of its neighbours; the node nearest to it is the label's hkl."""
    options = dict(hkl=list_of_protein, cell=(42, 42, 89), N=20, detpixels=256, pixel_mm=0.4, oversample=1)
    fudge = {"gauss": 1e-4, "tophat": 1e-4}.get(shape, 1)
    options |= dict(fluence=1e24, shape=shape, fudge=fudge, convention=convention, wavelength_A=1.1, twotheta_deg=3)
    seen = 0
    with Simulator(**options) as simulator:
        for still in simulator.stills(4, seed=3):
            spots = still.spots
            for hkl, place, (fast, slow), peak, intensity in zip(*spots, strict=True):
                around = still.image[max(slow - 1, 0) : slow + 2, max(fast - 1, 0) : fast + 2]
                assert still.image[slow, fast] == peak == around.max()
                assert np.hypot(*(place - (fast, slow))) < 4.5
                assert intensity >= peak >= 1.0
                assert np.abs(nearest_node(still, fast, slow, 1.1) - hkl).max() <= 0.5
            seen += len(spots.hkl)
            assert len({tuple(pixel) for pixel in spots.pixel.tolist()}) == len(spots.pixel)
            assert (np.diff(spots.peak) <= 0).all()
    assert seen > 40


def test_labels_find_the_bright_spots(list_of_protein) -> None:
    """Nearly every pixel that stands out is labelled, and predicted to within a pixel."""
    options = dict(hkl=list_of_protein, cell=(42, 42, 89), N=20, detpixels=512, pixel_mm=0.2, oversample=1)
    with Simulator(fluence=1e24, **options) as simulator:
        for still in simulator.stills(3, seed=4):
            bright = np.argwhere(still.image > 0.1 * still.spots.peak[0])[:, ::-1]
            away = np.abs(bright[:, None] - still.spots.pixel[None]).max(axis=2).min(axis=1)
            assert (away <= 2).mean() > 0.9
            offset = np.hypot(*(still.spots.position - still.spots.pixel).T)
            assert np.median(offset) < 0.6


WRONG = (
    (dict(distance=100), "did you mean distance_mm"),
    (dict(wavelength=1), "did you mean wavelength_A"),
    (dict(colour=3), "no keyword 'colour'"),
    (dict(distance_mm="far"), "distance_mm: expected a number"),
    (dict(distance_mm=(1, 2)), "distance_mm: expected 1 numbers, got 2"),
    (dict(distance_mm=float("nan")), "finite"),
    (dict(distance_mm=None), "distance_mm: expected a number"),
    (dict(distance_mm=-5), "expected a size above 0 mm"),
    (dict(N=2.5), "N: expected a whole number"),
    (dict(N=True), "N: expected a whole number"),
    (dict(N=(1, 2)), "N: expected 1 numbers"),
    (dict(misset=(1, 2)), "misset: expected 3 numbers"),
    (dict(cell=()), "cell: expected one to six"),
    (dict(convention="fit2d"), "convention: expected one of"),
    (dict(shape="cube"), "shape: expected one of"),
    (dict(pivot="nose"), "pivot"),
    (dict(nopolar=3), "nopolar: expected True or False"),
    (dict(threads=0), "threads: expected a number above 0"),
    (dict(hkl=np.zeros((3, 5))), "hkl: expected an array (n, 4)"),
    (dict(hkl=(np.zeros((3, 3)), np.zeros(2))), "hkl: expected indices (n, 3)"),
    (dict(hkl=[[1, 2, 3.5, 4]]), "hkl: expected whole numbers"),
    (dict(hkl=[[1, 2, 3, np.inf]]), "hkl: expected finite F"),
    (dict(hkl=[[0, 0, 0, 1], [2e6, 2e6, 2e6, 1]]), "need a grid"),
    (dict(hkl=[[0, 0, 0, 1], [1, 2, 3]]), "hkl: expected an array of numbers"),
    (dict(hkl="nowhere.hkl"), "nowhere.hkl"),
    (dict(hkl=3), "hkl: expected an array"),
    (dict(mask=np.zeros(3)), "mask: expected an array (slow, fast)"),
    (dict(mask=np.ones((3, 4)), detpixels=5), "the mask has 4 x 3 pixels"),
    (dict(sources=np.zeros((2, 7))), "sources: expected a finite array (n, 5)"),
    (dict(sources=np.zeros((2, 5))), "source 1: expected a position"),
    (dict(matrix=np.zeros((2, 2))), "matrix: expected a finite array (3, 3)"),
    (dict(matrix=np.zeros((3, 3))), "lie in a plane"),
    (dict(cell=None), "cell"),
    (dict(default_F=0), "no structure factors"),
)


@pytest.mark.parametrize(("given", "message"), WRONG, ids=lambda value: str(value)[:40])
def test_bad_input_raises(given, message, capsys, tmp_path, monkeypatch) -> None:
    """InputError with the keyword in it, and silence on standard output."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError) as caught:
        simulate(**{**CELL, "N": 2, "detpixels": 8, "oversample": 1, **given})
    assert message in str(caught.value)
    assert capsys.readouterr().out == ""
    assert not list(tmp_path.iterdir())


def test_other_bad_input_raises(tmp_path) -> None:
    """What is no keyword argument of simulate()."""
    with pytest.raises(InputError, match="no unit cell"):
        simulate(default_F=1)
    with pytest.raises(InputError, match="expected a Config"):
        simulate({"cell": 3})
    with pytest.raises(InputError, match="needs a value"):
        Config.from_argv(["-cell"])
    with pytest.warns(UserWarning, match="did you mean -distance"):
        Config.from_argv(["-distnace"])
    result = simulate(**CELL, **SMALL)
    with pytest.raises(InputError, match="no file 'png_file'"):
        result.write(png_file="a")
    with pytest.raises(InputError, match="expected a folder"):
        result.write()
    with pytest.raises(InputError, match="cannot be written"):
        result.write(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(orientation=(1, 2)), "rotation matrix"),
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


@pytest.mark.parametrize("name", ["", ".api", ".simulator", ".options.config", ".options.keywords"])
def test_examples_in_docstrings(name, tmp_path, monkeypatch) -> None:
    """Examples are run."""
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module("nanobragg_py" + name)
    assert doctest.testmod(module).failed == 0


def test_guide_runs(protein, tmp_path, monkeypatch) -> None:
    """Every block of docs/python.md, one after the other, as a reader would try them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "P1.hkl").symlink_to(protein)
    names: dict = {}
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.DOTALL)
    assert len(blocks) > 4
    for block in blocks:
        exec(block, names)
    assert (tmp_path / "noiseimage.img").is_file() and len(names["still"].spots.hkl) > 10


def test_import_is_light() -> None:
    """The package alone loads neither NumPy nor LLVM; the names are there all the same."""
    code = "import nanobragg_py, sys; print(sorted({'numpy', 'llvmlite', 'numba', 'fabio'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert set(nanobragg_py.__all__) <= set(dir(nanobragg_py))
    assert all(hasattr(nanobragg_py, name) for name in nanobragg_py.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Simulater'"):
        nanobragg_py.Simulater  # noqa: B018
