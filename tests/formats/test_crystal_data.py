"""MTZ, mmCIF and coordinate files as lists of P1; gemmi writes the files, the sums are made here."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

gemmi = pytest.importorskip("gemmi")

from reflection_files import CELL, SMALL_MODEL, as_dict, mmcif, write_mtz  # noqa: E402

from nanobragg_py.base.errors import InputError  # noqa: E402
from nanobragg_py.formats.crystal_files import read_reflections, recognise  # noqa: E402
from nanobragg_py.formats.expansion import expand_to_p1  # noqa: E402
from nanobragg_py.formats.symmetry import Symmetry  # noqa: E402

TESTS = Path(__file__).parents[1]
MODEL_1A8O = TESTS / "data" / "1a8o.pdb.gz"  # coordinates as deposited; public domain
LIST_1A8O = TESTS.parent / "golden" / "1a8o.hkl"


@pytest.mark.parametrize("group", ["P 1", "P 21 21 21", "C 1 2 1", "P 43 21 2", "F 4 3 2", "P -1", "I 41 3 2"])
def test_expansion_fills_the_sphere_once(tmp_path, group):
    """A complete asymmetric unit gives each reflection that symmetry allows, with its F of the unit."""
    symmetry = gemmi.SpaceGroup(group)
    cell = gemmi.UnitCell(30, 30, 30, 90, 90, 90)
    asu = gemmi.make_miller_array(cell, symmetry, 4.93)
    F = np.arange(1, len(asu) + 1)
    path = write_mtz(tmp_path / "a.mtz", group, {"FC": "F"}, np.column_stack([asu, F]), tuple(cell.parameters))
    found = as_dict(read_reflections(path))
    reach = np.arange(-6, 7)
    grid = np.stack(np.meshgrid(reach, reach, reach), axis=-1).reshape(-1, 3).astype(np.int32)
    operations = symmetry.operations()
    inside = (cell.calculate_d_array(grid) >= 4.93) & grid.any(axis=1)
    allowed = grid[inside & ~operations.systematic_absences(grid)]
    assert set(found) == set(map(tuple, allowed.tolist()))
    reciprocal = gemmi.ReciprocalAsu(symmetry)
    representative = dict(zip(map(tuple, asu.tolist()), F.tolist(), strict=True))
    for hkl, value in found.items():
        assert value == representative[tuple(reciprocal.to_asu(hkl, operations)[0])]


def test_expansion_agrees_with_gemmi_operation_by_operation():
    operations = gemmi.SpaceGroup("P 31 2 1").operations()
    hkl, F = expand_to_p1(np.array([[1, 2, 3]]), np.array([7.0]), None, Symmetry("P 31 2 1", operations))
    direct = {tuple(op.apply_to_hkl([1, 2, 3])) for op in operations}
    assert set(map(tuple, hkl.tolist())) == direct | {tuple(-i for i in one) for one in direct}
    assert (F == 7.0).all()
    assert hkl.dtype == np.int32 and F.dtype == np.float64


def test_anomalous_pairs_stay_apart(tmp_path):
    """F(+) goes to the equivalents of hkl and F(-) to those of -hkl; centric reflections need F(+) only."""
    nan = np.nan
    rows = [[1, 2, 3, 10, 20, 15], [2, 3, 4, 11, nan, 11], [0, 2, 3, 12, nan, 12], [3, 1, 1, nan, nan, 13]]
    columns = {"F(+)": "G", "F(-)": "G", "F": "F"}
    path = write_mtz(tmp_path / "a.mtz", "P 21 21 21", columns, rows)
    data = read_reflections(path)
    found = as_dict(data)
    assert data.column == "F(+), F(-)" and "anomalous" in data.description
    for plus in [(1, 2, 3), (-1, -2, 3), (-1, 2, -3), (1, -2, -3)]:
        assert found[plus] == 10 and found[tuple(-i for i in plus)] == 20
    assert found[2, 3, 4] == 11 and (-2, -3, -4) not in found  # not measured: no value is made up
    assert {found[h] for h in [(0, 2, 3), (0, -2, -3), (0, -2, 3), (0, 2, -3)]} == {12.0}
    assert len(found) == 8 + 4 + 4
    mean = as_dict(read_reflections(path, "f"))
    assert mean[1, 2, 3] == mean[-1, -2, -3] == 15 and len(mean) == 8 + 8 + 4 + 8


def test_intensities_missing_values_absences_and_repeats(tmp_path):
    nan = np.nan
    rows = [
        [0, 0, 0, 9],
        [0, 0, 1, 9],
        [1, 1, 1, 16],
        [2, 1, 1, -4],
        [3, 1, 1, nan],
        [1, 2, 2, 4],
        [-1, -2, 2, 16],
    ]
    found = as_dict(read_reflections(write_mtz(tmp_path / "a.mtz", "P 21 21 21", {"IMEAN": "J"}, rows)))
    assert set(map(lambda h: tuple(map(abs, h)), found)) == {(1, 1, 1), (2, 1, 1), (1, 2, 2)}
    assert len(found) == 3 * 8
    assert (found[1, 1, 1], found[2, -1, 1], found[1, 2, -2]) == (
        4.0,
        0.0,
        3.0,
    )  # √16, √0, mean of √4 and √16


def test_friedel_mates_listed_apart_keep_their_values(tmp_path):
    rows = [[1, 2, 3, 10], [-1, -2, -3, 20]]
    found = as_dict(read_reflections(write_mtz(tmp_path / "a.mtz", "P 21 21 21", {"F": "F"}, rows)))
    assert found[1, -2, -3] == 10 and found[1, 2, -3] == 20


@pytest.mark.parametrize(
    ("columns", "best"),
    [
        ({"FP": "F", "FC": "F", "FC_ALL": "F", "FWT": "F"}, "FC_ALL"),
        ({"I-obs": "J", "F-obs": "F", "F-model": "F", "2FOFCWT": "F"}, "F-model"),
        ({"I(+)": "K", "I(-)": "K", "IMEAN": "J", "F": "F"}, "F"),
        ({"FWT": "F", "DELFWT": "F", "I": "J", "SIGI": "Q"}, "I"),
        ({"IMEAN": "J", "I(+)": "K", "I(-)": "K"}, "I(+), I(-)"),
    ],
)
def test_default_column(tmp_path, columns, best):
    path = write_mtz(tmp_path / "a.mtz", "P 1", columns, [[1, 2, 3, *range(4, 4 + len(columns))]])
    data = read_reflections(path)
    assert data.column == best and best in data.description
    for label, kind in columns.items():
        if kind != "Q":
            assert label in read_reflections(path, label).column.split(", ")
    with pytest.raises(InputError, match=r"no amplitudes or intensities in a column 'PHIC' \(there are: "):
        read_reflections(path, "PHIC")


def test_resolution_limit_and_cell(tmp_path):
    cell = gemmi.UnitCell(*CELL)
    hkl = gemmi.make_miller_array(cell, gemmi.SpaceGroup("P 1"), 4.0)
    path = write_mtz(tmp_path / "a.mtz", "P 1", {"F": "F"}, np.column_stack([hkl, np.ones(len(hkl))]))
    data = read_reflections(path, resolution_A=6.03)
    assert data.cell == CELL and data.space_group == "P 1"
    assert cell.calculate_d_array(data.hkl).min() == pytest.approx(data.resolution_A) and data.resolution_A > 6.03
    assert len(data.hkl) == 2 * len(gemmi.make_miller_array(cell, gemmi.SpaceGroup("P 1"), 6.03))


def test_mmcif_structure_factors(tmp_path):
    path = tmp_path / "a.txt"
    rows = "1 2 3 o 10.5 100 ? 7\n2 3 4 x 11 100 ? 8\n3 4 5 o ? 49 ? 9\n"
    path.write_text(mmcif("status F_meas_au intensity_meas F_calc phase_calc", rows))
    assert recognise(path) == "mmcif-reflections"
    data = read_reflections(path)  # F_calc has no values
    assert data.column == "F_meas_au" and as_dict(data) == dict.fromkeys(as_dict(data), 10.5)
    assert len(data.hkl) == 8
    assert sorted(set(read_reflections(path, "_refln.intensity_meas").F)) == [7.0, 10.0]
    path.write_text(mmcif("pdbx_F_plus pdbx_F_minus F_meas", "1 2 3 4 5 4.5\n"))
    found = as_dict(read_reflections(path))
    assert found[1, 2, 3] == 4 and found[-1, -2, -3] == 5
    path.write_text(mmcif("F_meas", "1 2 3 4\n", "P 99"))
    with pytest.raises(InputError, match="space group"):
        read_reflections(path)


def direct_sum(structure, hkl: np.ndarray) -> np.ndarray:
    """Σ f(s) occ exp(-B s²/4) exp(2πi h·x) over atoms and symmetry, IT92; complex128 (n,)."""
    s2 = structure.cell.calculate_1_d2_array(hkl) / 4
    F = np.zeros(len(hkl), complex)
    for site in structure[0].all():
        atom, form = site.atom, site.atom.element.it92
        f = form.c + sum(a * np.exp(-b * s2) for a, b in zip(form.a, form.b, strict=True))
        x = np.array(structure.cell.fractionalize(atom.pos).tolist())
        for op in structure.find_spacegroup().operations():
            moved = np.array(op.rot) / op.DEN @ x + np.array(op.tran) / op.DEN
            F += atom.occ * f * np.exp(-atom.b_iso * s2 + 2j * np.pi * (hkl @ moved))
    return F


def test_model_amplitudes_are_the_direct_sum_in_electrons(tmp_path, monkeypatch):
    """Without solvent, each amplitude within 1 % (or 0.1 e) of the sum over atoms; solvent fills the gaps."""
    path = tmp_path / "model"
    path.write_text(SMALL_MODEL)
    assert recognise(path) == "pdb"
    with_solvent = read_reflections(path, resolution_A=2.0)
    monkeypatch.setattr("nanobragg_py.formats.model_amplitudes.SOLVENT_DENSITY", 0.0)
    data = read_reflections(path, resolution_A=2.0)
    expected = np.abs(direct_sum(gemmi.read_pdb_string(SMALL_MODEL), data.hkl))
    np.testing.assert_allclose(data.F, expected, rtol=1e-2, atol=0.1)
    assert np.abs(data.F - expected).sum() < 1e-3 * expected.sum()
    found = as_dict(data)
    assert all(found[tuple(-i for i in hkl)] == F for hkl, F in found.items())
    assert np.array_equal(with_solvent.hkl, data.hkl) and with_solvent.F.max() < data.F.max()


def test_pdb_and_mmcif_give_the_same(tmp_path):
    structure = gemmi.read_pdb_string(SMALL_MODEL)
    document = structure.make_mmcif_document()
    (tmp_path / "a.pdb").write_text(SMALL_MODEL)
    (tmp_path / "a.cif").write_text("# a comment\n\n" + document.as_string())
    assert recognise(tmp_path / "a.cif") == "mmcif-model"
    one, other = (read_reflections(tmp_path / name, resolution_A=3.0) for name in ("a.pdb", "a.cif"))
    assert np.array_equal(one.hkl, other.hkl) and one.space_group == other.space_group == "P 1 21 1"
    np.testing.assert_allclose(one.F, other.F, rtol=1e-3, atol=1e-2)


def test_1a8o_is_the_golden_list():
    """Coordinates as deposited give the list that the golden images were made with, to its two decimals."""
    assert recognise(MODEL_1A8O) == "pdb"
    data = read_reflections(MODEL_1A8O, resolution_A=2.5)
    golden = np.loadtxt(LIST_1A8O)
    assert len(data.hkl) == 41836 and "644 atoms" in data.description
    assert np.array_equal(data.hkl, golden[:, :3])
    np.testing.assert_allclose(data.F, golden[:, 3], rtol=1e-4, atol=0.0051)


def test_amplitudes_do_not_depend_on_the_resolution_asked_for():
    fine, coarse = (as_dict(read_reflections(MODEL_1A8O, resolution_A=d)) for d in (2.5, 5.0))
    for hkl, F in coarse.items():
        assert pytest.approx(fine[hkl], rel=1e-2, abs=0.1) == F


def nb_hkl(*arguments: object, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TESTS.parent / "bin" / "nb-hkl"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def test_command(tmp_path):
    source = write_mtz(tmp_path / "a.mtz", "P 21 21 21", {"FC": "F", "FP": "F"}, [[1, 2, 3, 1234.5678, 9]])
    (tmp_path / "out.hkl").write_text("old")
    done = nb_hkl(source, tmp_path / "out.hkl")
    assert (done.returncode, done.stdout) == (0, "")
    assert "calculated amplitudes FC" in done.stderr and "-cell 30 40 50 90 90 90" in done.stderr
    lines = (tmp_path / "out.hkl").read_text().splitlines()
    assert lines[0] == "-1 -2 -3 1234.57" and len(lines) == 8
    assert nb_hkl(source, tmp_path / "out.hkl", "--column", "FP").returncode == 0
    assert (tmp_path / "out.hkl").read_text().startswith("-1 -2 -3 9\n")
    assert sorted(os.listdir(tmp_path)) == ["a.mtz", "out.hkl"]


def bad_inputs(tmp_path: Path) -> dict[str, tuple[bytes, str]]:
    good = write_mtz(tmp_path / "good.mtz", "P 1", {"F": "F"}, [[1, 2, h, 4] for h in range(99)]).read_bytes()
    columns = {"M/ISYM": "Y", "I": "J"}
    unmerged = write_mtz(tmp_path / "u.mtz", "P 1", columns, [[1, 2, 3, 1, 4], [1, 2, 3, 1, 5]]).read_bytes()
    nothing = write_mtz(tmp_path / "n.mtz", "P 1", {"F": "F"}, [[1, 2, 3, np.nan]]).read_bytes()
    model = SMALL_MODEL.encode()
    far = bytearray(good)
    far[4:8] = (2**31 - 1).to_bytes(4, "little")
    return {
        "empty": (b"", "is empty"),
        "a plain list": (b"1 2 3 4.5\n", "neither an MTZ file"),
        "binary": (bytes(range(256)) * 40, "neither an MTZ file"),
        "MTZ of four bytes": (b"MTZ ", "truncated"),
        "MTZ cut in its data": (good[:500], "truncated"),
        "MTZ cut in its header": (good[:-300], "not a readable MTZ file|has no"),
        "MTZ with its header far off": (bytes(far), "truncated"),
        "unmerged MTZ": (unmerged, "unmerged data; merge it first"),
        "MTZ without values": (nothing, "with values"),
        "cut gzip": (gzip.compress(model)[:-20], "decompressed|neither an MTZ file"),
        "unmerged mmCIF": (b"data_a\nloop_\n_diffrn_refln.index_h\n_diffrn_refln.id\n1 2\n", "unmerged"),
        "cut mmCIF": (mmcif("F_meas", "1 2 3 4\n1 2").encode(), "not a readable mmCIF file"),
        "mmCIF of something else": (b"data_a\n_entry.id a\n", "has no atoms"),
        "PDB without atoms": (b"HEADER    NOTHING\nEND\n", "has no atoms"),
        "PDB without a cell": (model[model.index(b"ATOM") :], "has no unit cell"),
        "PDB with a flat cell": (model.replace(b" 22.000 ", b"  0.000 "), "is not possible"),
        "PDB without resolution": (model, "states no resolution"),
        "PDB with infinite B": (model.replace(b" 12.00 ", b"   inf "), "out of range"),
        "PDB of an unknown group": (model.replace(b"P 1 21 1", b"Q 1 21 1"), "space group"),
    }


def test_bad_input_is_named_and_explained(tmp_path):
    for name, (content, message) in bad_inputs(tmp_path).items():
        path = tmp_path / "input"
        path.write_bytes(content)
        with pytest.raises(InputError) as caught:
            print(name, read_reflections(path))
        assert re.search(message, str(caught.value)), name
        assert str(caught.value).startswith(f"{path}: "), name


def test_recognise_leaves_everything_else_alone(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "list").write_text("1 2 3 4.5\n")
    for path in ("pipe", "list", "missing", ".", "/dev/null"):
        assert recognise(tmp_path / path) is None


def test_command_errors(tmp_path):
    """One line on standard error, status 9, no traceback, and what was at OUT.hkl stays."""
    (tmp_path / "bad").write_bytes(b"MTZ garbage")
    (tmp_path / "out").write_text("old")
    source = write_mtz(tmp_path / "a.mtz", "P 1", {"F": "F"}, [[1, 2, 3, 4]])
    for arguments in [
        (tmp_path / "bad", tmp_path / "out"),
        (tmp_path / "missing", tmp_path / "out"),
        (tmp_path, tmp_path / "out"),
        (source, source),
        (source, tmp_path / "no" / "out"),
        (source, tmp_path / "out", "--column", "X"),
        (source, tmp_path / "out", "--resolution", "-1"),
        (source, tmp_path / "out", "--resolution", "nan"),
        (MODEL_1A8O, tmp_path / "out", "--resolution", "0.01"),
        (MODEL_1A8O, tmp_path / "out", "--column", "FP"),
    ]:
        done = nb_hkl(*arguments)
        assert done.returncode == 9 and done.stdout == "", (arguments, done)
        assert done.stderr.startswith("nb-hkl: error: ") and done.stderr.count("\n") == 1, done.stderr
    assert (tmp_path / "out").read_text() == "old"
    assert read_reflections(source).F.tolist() == [4.0, 4.0]


def test_without_gemmi_the_error_says_what_to_install(tmp_path):
    path = write_mtz(tmp_path / "a.mtz", "P 1", {"F": "F"}, [[1, 2, 3, 4]])
    code = (
        "import sys; sys.modules['gemmi'] = None\n"
        "from nanobragg_py.formats.crystal_files import *\n"
        f"assert recognise({str(path)!r}) == 'mtz'\n"
        f"try: read_reflections({str(path)!r})\n"
        "except InputError as error: print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=TESTS.parent, timeout=60)
    assert "pip install gemmi" in done.stdout and "nanobragg_py[mtz]" in done.stdout, done
