"""-hkl with MTZ, mmCIF or coordinates: the list that nb-hkl would make, the file's cell, and what is said about it."""

from __future__ import annotations

import gzip
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

gemmi = pytest.importorskip("gemmi")

from nanobragg_py import Config, InputError, simulate  # noqa: E402
from nanobragg_py.formats.crystal_files import read_reflections  # noqa: E402
from nanobragg_py.formats.image_header import HeaderDefaults  # noqa: E402
from nanobragg_py.resolve.beam import resolve_beam  # noqa: E402
from nanobragg_py.resolve.crystal_data import finest_resolution_A  # noqa: E402
from nanobragg_py.resolve.detector import resolve_detector  # noqa: E402
from nanobragg_py.resolve.sources import resolve_sources  # noqa: E402

MODEL = Path(__file__).parents[1] / "data" / "1a8o.pdb.gz"
CELL = (41.98, 41.98, 88.92, 90, 90, 90)
GEOMETRY = "-N 5 -distance 100 -detpixels 64 -pixel 1.6 -oversample 1 -seed 1 -noprogress".split()


def program(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder."""
    command = [sys.executable, "-m", "nanobragg_py", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


@pytest.fixture
def mtz(tmp_path) -> Path:
    """Two calculated columns to 4 Å, cell in float32."""
    data = read_reflections(MODEL, None, 4.0)
    unique = gemmi.ReciprocalAsu(gemmi.SpaceGroup("P 43 21 2"))
    chosen = np.array([unique.is_in(list(map(int, hkl))) for hkl in data.hkl])
    file = gemmi.Mtz(with_base=True)
    file.spacegroup = gemmi.SpaceGroup("P 43 21 2")
    file.set_cell_for_all(gemmi.UnitCell(*CELL))
    file.add_dataset("data")
    file.add_column("FC", "F")
    file.add_column("FTWICE", "F")
    file.set_data(np.column_stack([data.hkl[chosen], data.F[chosen], 2 * data.F[chosen]]).astype(np.float32))
    path = tmp_path / "data.mtz"
    file.write_to_file(str(path))
    return path


def lines_that_differ(a: str, b: str) -> list[str]:
    """Lines of a log that are not in the other."""
    return [x for x, y in zip(a.splitlines(), b.splitlines(), strict=True) if x != y]


def test_coordinates_without_a_cell(tmp_path) -> None:
    """The same bytes and the same log as a list of the amplitudes with the cell on the command line."""
    found = program(tmp_path, "-hkl", MODEL, *GEOMETRY)
    assert found.returncode == 0, found.stderr
    assert "-cell 41.98 41.98 88.92 90 90 90" in found.stderr and "coordinates" in found.stderr
    image = (tmp_path / "floatimage.bin").read_bytes()
    config = Config.from_argv(["-hkl", str(MODEL), *GEOMETRY])
    detector = resolve_detector(config, HeaderDefaults())
    sources = resolve_sources(config, resolve_beam(config, HeaderDefaults()), detector.axes)
    finest = finest_resolution_A(sources, detector)
    assert finest == pytest.approx(1 / (2 * math.sin(math.atan(51.2 * math.sqrt(2) / 100) / 2)), rel=0.04)
    data = read_reflections(MODEL, None, 0.99 * finest)
    rows = zip(data.hkl.tolist(), data.F.tolist(), strict=True)
    (tmp_path / "list.hkl").write_text("".join(f"{h} {k} {m} {F!r}\n" for (h, k, m), F in rows))
    again = program(tmp_path, "-hkl", "list.hkl", "-cell", *CELL, *GEOMETRY)
    assert (tmp_path / "floatimage.bin").read_bytes() == image
    assert all("list.hkl" in line or str(MODEL) in line for line in lines_that_differ(found.stdout, again.stdout))
    plain = tmp_path / "model.pdb"
    plain.write_bytes(gzip.decompress(MODEL.read_bytes()))
    assert simulate(Config.from_argv(["-hkl", str(plain), *GEOMETRY])).image.tobytes() == image
    assert simulate(hkl=plain, N=5, detpixels=64, pixel_mm=1.6, oversample=1).image.tobytes() == image


def edges(result) -> tuple[float, float, float]:
    """a, b, c (Å) of the cell that the crystal was made of."""
    given = result.experiment.crystal.setting.given_cell
    return (given.a, given.b, given.c)


def test_column_cell_and_resolution(mtz, tmp_path, capsys) -> None:
    """--column chooses; -cell and -mat win over the file's cell; --sf-resolution leaves out the rest."""
    options = dict(hkl=mtz, N=5, detpixels=64, pixel_mm=1.6, oversample=1)
    first = simulate(**options)
    assert edges(first) == CELL[:3]
    assert "calculated amplitudes FC" in capsys.readouterr().err
    twice = simulate(column="FTWICE", **options)
    assert np.allclose(twice.image, 4 * first.image, rtol=1e-5)
    assert edges(simulate(cell=(50, 50, 80), **options)) == (50, 50, 80)
    coarse = simulate(sf_resolution_A=8, **options).experiment.structure_factors.reflections
    assert 0 < coarse < first.experiment.structure_factors.reflections
    with pytest.raises(InputError, match="FTWICE"):
        simulate(column="NONE", **options)


def test_options_for_a_list_are_warned_of(golden_folder, tmp_path) -> None:
    """A plain list goes its old way; what only data take is warned of; values are checked."""
    words = ("-hkl", golden_folder / "1a8o.hkl", "-cell", "42", *GEOMETRY)
    found = program(tmp_path, *words, "--column", "FC")
    assert found.returncode == 0 and "have no effect" in found.stderr
    assert program(tmp_path, *words).stderr.strip() == ""
    for value in ("0", "-1", "nan", "x"):
        assert "expected a number above 0" in program(tmp_path, *words, "--sf-resolution", value).stderr


def test_damaged_data_stop_the_run(mtz, tmp_path) -> None:
    """A truncated file is named; without gemmi the error says what to install."""
    mtz.write_bytes(mtz.read_bytes()[:400])
    found = program(tmp_path, "-hkl", mtz, *GEOMETRY)
    assert found.returncode == 9 and "data.mtz" in found.stderr
    (tmp_path / "gemmi.py").write_text("raise ImportError\n")
    found = program(tmp_path, "-hkl", MODEL, *GEOMETRY)
    assert found.returncode == 9 and "pip install gemmi" in found.stderr


def matrix_of(cell) -> str:
    """A matrix file for 1 Å: the reciprocal axes of a cell, turned by some angle about x."""
    fractional = np.array(gemmi.UnitCell(*cell).frac.mat.tolist())
    turn = np.array([[1, 0, 0], [0, 0.8, -0.6], [0, 0.6, 0.8]])
    return "\n".join(" ".join(f"{value:.8f}" for value in row) for row in turn @ fractional.T) + "\n"


@pytest.mark.parametrize(
    ("words", "cell", "said"),
    [
        (["-cell", "100", "100", "100"], None, "that of -cell 100 100 100 90 90 90: the crystal has the latter"),
        (["-cell", "42"], None, "that of -cell 42 42 42 90 90 90"),
        (["-cell", "41.98", "41.98", "88.92", "90", "90", "91"], None, "that of -cell 41.98 41.98 88.92 90 90 91"),
        (["-cell", "42", "42", "89"], None, ""),
        (["-mat", "A.mat"], (41.98, 41.98, 88.92, 90, 90, 90), ""),
        (
            ["-mat", "A.mat", "-lambda", "1"],
            (43, 41.98, 88.92, 90, 90, 90),
            "that of -mat A.mat 43 41.98 88.92 90 90 90",
        ),
        (
            ["-mat", "A.mat", "-cell", "100"],
            (41.98, 41.98, 88.92, 90, 90, 90),
            "that of -mat A.mat with -cell 100 100 100 90 90 90",
        ),
    ],
)
def test_a_cell_that_is_not_the_files_is_said(mtz, tmp_path, words, cell, said) -> None:
    """Beyond 0.5 % or 0.5 degrees, of -cell or of -mat, whose axes -cell scales."""
    if cell is not None:
        (tmp_path / "A.mat").write_text(matrix_of(cell))
    found = program(tmp_path, "-hkl", mtz, "-lambda", "1", *words, *GEOMETRY)
    assert found.returncode == 0
    lines = [line for line in found.stderr.splitlines() if "its cell is" in line]
    assert len(lines) == bool(said) and all(said in line for line in lines)
    assert all(
        line.startswith(f"nanoBragg: warning: {mtz}: its cell is 41.98 41.98 88.92 90 90 90, ") for line in lines
    )


def test_cell_and_symmetry_complete_a_file(tmp_path) -> None:
    """A CIF without them: -cell and --symmetry, and the keywords of the same names."""
    path = tmp_path / "ß.cif"
    path.write_text("data_a\nloop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n_refln.F_meas\n1 2 3 9\n")
    found = program(tmp_path, "-hkl", path, *GEOMETRY)
    assert found.returncode == 9 and "has no unit cell; expected -cell" in found.stderr
    found = program(tmp_path, "-hkl", path, "-cell", "40", "50", "60", *GEOMETRY)
    assert found.returncode == 9 and "has no space group; expected --symmetry" in found.stderr
    found = program(tmp_path, "-hkl", path, "-cell", "40", "50", "60", "--symmetry", "P 2 2 2", *GEOMETRY)
    assert found.returncode == 0 and "8 reflections of P1" in found.stderr
    assert "the cell given beside it is taken, 40 50 60 90 90 90" in found.stderr
    result = simulate(hkl=path, cell=(40, 50, 60), symmetry=16, N=5, detpixels=8, pixel_mm=1.6, oversample=1)
    assert result.experiment.structure_factors.reflections == 8


def test_data_from_a_pipe(mtz, tmp_path) -> None:
    """An MTZ or a model that comes through a pipe, compressed or not, is what it is in a file."""
    expected = program(tmp_path, "-hkl", mtz, *GEOMETRY)
    image = (tmp_path / "floatimage.bin").read_bytes()
    for line in (f"cat {mtz} |", f"gzip -c {mtz} |"):
        command = f"{line} {sys.executable} -m nanobragg_py -hkl /dev/stdin {' '.join(GEOMETRY)}"
        found = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert found.returncode == 0
        assert found.stderr.replace("/dev/stdin", str(mtz)) == expected.stderr
        assert (tmp_path / "floatimage.bin").read_bytes() == image
