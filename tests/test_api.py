"""simulate(): the command line's bytes, arrays for files, warnings, clear errors; and the guide."""

from __future__ import annotations

import contextlib
import doctest
import importlib
import re
import subprocess
import sys
import warnings
from pathlib import Path

import goldenlib
import numpy as np
import pytest

import nanobragg_py
from nanobragg_py import Config, DefectWarning, InputError, simulate

EXACT = goldenlib.rounds_as_recorded()
CASES = {
    name: case
    for name, case in goldenlib.load_cases().items()
    if case.stdout != "trace lines" and not name.startswith(("demo", "seed_4096", "missing_stol"))
}
ROOT = Path(__file__).resolve().parent.parent
CELL = dict(cell=(40, 50, 60, 80, 95, 105), default_F=10)
SMALL = dict(detpixels=48, pixel_mm=1, oversample=1, N=5)


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


WRONG = (
    (dict(distance=100), "did you mean distance_mm"),
    (dict(wavelength=1), "did you mean wavelength_A"),
    (dict(colour=3), "no keyword 'colour'"),
    (dict(distance_mm="far"), "distance_mm: expected a number"),
    (dict(distance_mm=(1, 2)), "distance_mm: expected 1 numbers, got 2"),
    (dict(distance_mm=float("nan")), "finite"),
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
    (dict(cell=None), "no unit cell"),
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


def test_other_bad_input_raises() -> None:
    """What is no keyword argument of simulate()."""
    with pytest.raises(InputError, match="no unit cell"):
        simulate(default_F=1)
    with pytest.raises(InputError, match="expected a Config"):
        simulate({"cell": 3})


def test_mistakes_are_values_that_cannot_be() -> None:
    """Whoever catches ValueError catches what the user can mend."""
    assert issubclass(InputError, ValueError)
    with pytest.raises(ValueError, match="no unit cell"):
        simulate(default_F=1)


def test_none_is_not_given() -> None:
    """None for a keyword, or for an array, is as if it were not there."""
    nothing = dict(seed=None, distance_mm=None, mask=None, sources=None, matrix=None, hkl=None, fix=None, threads=None)
    assert np.array_equal(simulate(**CELL, **SMALL, **nothing).image, simulate(**CELL, **SMALL).image)


def test_a_rotation_is_a_misset() -> None:
    """SciPy's Rotation sets the crystal as its angles do."""
    transform = pytest.importorskip("scipy.spatial.transform")
    rotation = transform.Rotation.from_euler("xyz", (20, 35, 50), degrees=True)
    turned, said = (simulate(misset=misset, **CELL, **SMALL).image for misset in (rotation, (20, 35, 50)))
    assert said.any() and np.allclose(turned, said, rtol=1e-4, atol=1e-6 * said.max())


HARMLESS = dict(cell=(40, 50, 60), default_F=10, **SMALL)
DEFECTIVE = (
    (dict(cell=(40, 50, 60, 80, 95, 105)), "cell"),
    (dict(water_um=10, fluence=1e24), "water"),
    (dict(phi_deg=0, osc_deg=1, phisteps=3), "upstream"),
    (dict(misset="random", misset_seed=1), "misset"),
)


@pytest.mark.parametrize(("given", "name"), DEFECTIVE, ids=[name for _, name in DEFECTIVE])
def test_known_defects_are_warned_of(given, name) -> None:
    """One warning for the caller's line, which names the correction; none of an image that is right."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        simulate(**HARMLESS)
        simulate(**{**HARMLESS, **given, "fix": "all"})
        assert not caught
        simulate(**{**HARMLESS, **given})
    assert [(warning.category, warning.filename) for warning in caught] == [(DefectWarning, __file__)]
    assert name in str(caught[0].message)


def test_interpolation_that_ends_is_warned_of(list_of_protein) -> None:
    """What only the rendering finds out."""
    options = dict(hkl=list_of_protein[:2000], cell=(42, 42, 89), N=2, detpixels=32, pixel_mm=3, oversample=1)
    with pytest.warns(DefectWarning, match="interpolation"):
        simulate(**options)


@pytest.mark.parametrize(
    "name", ["", ".api", ".simulator", ".options.config", ".options.keywords", ".result", ".spots"]
)
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
