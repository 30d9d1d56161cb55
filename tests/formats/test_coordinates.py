"""Coordinates as programs write them: blank fields, misplaced names, records that contradict each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

gemmi = pytest.importorskip("gemmi")

from reflection_files import ATOMS, CRYST1, IDENTITY_SCALE, SMALL_MODEL, as_mmcif, model  # noqa: E402

from nanobragg_py.base.errors import InputError  # noqa: E402
from nanobragg_py.formats.crystal_files import CrystalData, read_reflections  # noqa: E402


def read(path: Path, text: str, **more) -> CrystalData:
    path.write_text(text)
    return read_reflections(path, resolution_A=4.0, **more)


@pytest.fixture(scope="module")
def right(tmp_path_factory) -> CrystalData:
    """What the model gives when it is written as the format says."""
    data = read(tmp_path_factory.mktemp("right") / "a.pdb", model(ATOMS))
    assert not data.warnings and not data.notes
    return data


def test_blank_occupancy_is_one_and_said(tmp_path, right):
    data = read(tmp_path / "a.pdb", model(ATOMS, "       15.00"))
    assert np.array_equal(data.F, right.F)
    assert data.warnings == (f"{len(ATOMS)} of {len(ATOMS)} atoms have no occupancy: 1 is taken",)


def test_blank_B_is_said(tmp_path, right):
    data = read(tmp_path / "a.pdb", model(ATOMS, "  1.00      "))
    assert np.array_equal(data.F, read(tmp_path / "b.pdb", model(ATOMS, "  1.00 20.00")).F)
    assert data.warnings == (f"{len(ATOMS)} of {len(ATOMS)} atoms have no B factor: 20 Å² is taken",)
    short = "".join(f"{line[:54]}\n" if line.startswith("ATOM") else f"{line}\n" for line in model(ATOMS).split("\n"))
    assert len(read(tmp_path / "a.pdb", short).warnings) >= 2


def test_names_without_elements(tmp_path, right):
    """Columns are all that tell calcium from an alpha carbon, and where they do, nothing is said."""
    data = read(tmp_path / "a.pdb", model([(name, residue, "") for name, residue, _ in ATOMS]))
    assert np.array_equal(data.F, right.F) and not data.warnings


@pytest.mark.parametrize("elements", [False, True])
def test_left_justified_names_are_repaired_in_standard_residues(tmp_path, right, elements):
    """Without elements, or with the elements that such names were taken for; ions stay what they are."""
    names = [(f"{name.strip():4}", residue, element) for name, residue, element in ATOMS]
    wrong = {"CA": "CA", "CD": "CD", "HG2": "HG", "NE2": "NE", "CE1": "CE", "HO2": "HO"}
    rows = [(name, residue, (wrong.get(name.strip(), element) if elements else "")) for name, residue, element in names]
    data = read(tmp_path / "a.pdb", model(rows))
    assert np.array_equal(data.F, right.F)
    (text,) = data.warnings
    # Of OE1 no element is read at all, where none is given.
    assert text.startswith(f"{6 if elements else 7} atoms have improbable elements") and "CA of GLU: C, not Ca" in text


def test_selenium_without_an_element(tmp_path, right):
    """A name in column 14 would be read as sulfur."""
    rows = [(" SE " if residue == "MSE" else name, residue, "") for name, residue, _ in ATOMS]
    data = read(tmp_path / "a.pdb", model(rows))
    assert np.array_equal(data.F, right.F) and "SE of MSE: Se, not S" in data.warnings[0]


def test_ions_by_their_residues_names(tmp_path, right):
    """Calcium of a residue CA is calcium, wherever its name begins."""
    rows = [
        (f" {name.strip():3}" if residue.strip() == name.strip() else name, residue, "") for name, residue, _ in ATOMS
    ]
    data = read(tmp_path / "a.pdb", model(rows))
    assert np.array_equal(data.F, right.F) and "CA of CA: Ca, not C" in data.warnings[0]


def test_improbable_elements_elsewhere_are_said(tmp_path):
    """In a ligand, no table says what is right: elements that follow from the names alone are named."""
    rows = [("CD1 ", "LIG", ""), (" O1 ", "LIG", ""), ("NP  ", "LIG", "")]
    (text,) = read(tmp_path / "a.pdb", model(rows)).warnings
    assert "CD1 of LIG as Cd" in text and "NP of LIG as Np" in text and "O1" not in text
    rows = [(name, residue, element) for (name, residue, _), element in zip(rows, ("CD", "O", "NP"), strict=True)]
    assert not read(tmp_path / "a.pdb", model(rows)).warnings
    rows = [("ZQ  ", "LIG", "X"), (" O1 ", "LIG", "O")]
    assert "1 atoms are of no known element" in read(tmp_path / "a.pdb", model(rows)).warnings[-1]


def test_scale_records(tmp_path, right):
    """Left out where they are the identity, of another cell, or without an inverse; those that agree are kept."""
    data = read(tmp_path / "a.pdb", model(ATOMS, head=CRYST1 + IDENTITY_SCALE))
    assert np.array_equal(data.F, right.F)
    assert data.warnings == ("its SCALE records are the identity, which is not that of its cell: left out",)
    cells = {"another cell than CRYST1, 20": (20, 32, 36), "": (30, 32, 36), "have no inverse": (1e9, 1e9, 1e9)}
    for said, edges in cells.items():
        scale = "".join(
            f"SCALE{i + 1}    " + "".join(f"{(1 / edges[i]) * (i == j):10.6f}" for j in range(3)) + "        0.00000\n"
            for i in range(3)
        )
        data = read(tmp_path / "a.pdb", model(ATOMS, head=CRYST1 + scale))
        assert np.array_equal(data.F, right.F)
        assert bool(data.warnings) == bool(said) and all(said in text for text in data.warnings)


def test_without_a_cell(tmp_path, right):
    """The true reason; a cell from the user completes the file, and so does a space group."""
    path = tmp_path / "a.pdb"
    with pytest.raises(InputError, match=r"has no unit cell: there is no CRYST1 record; expected -cell"):
        read(path, model(ATOMS, head=""))
    placeholder = "CRYST1    1.000    1.000    1.000  90.00  90.00  90.00 P 1           1\n"
    with pytest.raises(InputError, match=r"its record 'CRYST1    1.000 .* is none, or a placeholder"):
        read(path, model(ATOMS, head=placeholder))
    cell = (30.0, 32.0, 36.0, 90.0, 90.0, 90.0)
    with pytest.raises(InputError, match=r"has no space group; expected --symmetry"):
        read(path, model(ATOMS, head=""), cell=cell)
    data = read(path, model(ATOMS, head=""), cell=cell, symmetry="19")
    assert np.array_equal(data.F, right.F) and data.space_group == "P 21 21 21"
    with pytest.raises(InputError, match=r"no space group that is known \('P 99'\)"):
        read(path, model(ATOMS, head=CRYST1.replace("P 21 21 21", "P 99      ")))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("   3.700", "********", r"line 2: atom 1 N GLU A 1: expected x in columns 31 to 38, found '\*{8}'"),
        ("   3.700", "  3.7.00", "line 2: .*expected x"),
        ("   3.700", "        ", "line 2: .*expected x in columns 31 to 38, found ''"),
        ("  1.00", "  one ", "line 2: .*expected occupancy in columns 55 to 60, found 'one'"),
        (" 15.00", " 15-00", "line 2: .*expected B factor"),
        ("   3.700", "     nan", "out of range|expected x"),
        ("   3.700", "     inf", "out of range|expected x"),
        ("   3.700", "   1_000", "line 2: .*expected x"),
    ],
)
def test_what_is_no_number_is_named(tmp_path, old, new, says):
    with pytest.raises(InputError, match=says):
        read(tmp_path / "a.pdb", model(ATOMS[:1]).replace(old, new))


def test_dark_models_are_said(tmp_path):
    data = read(tmp_path / "a.pdb", model(ATOMS, "  0.00 15.00"))
    assert "all occupancies are zero" in data.warnings[0]


def test_old_files_with_the_entrys_name_where_elements_are(tmp_path, right):
    lines = [f"{line[:72]}1ABC{i:4}" for i, line in enumerate(model(ATOMS).splitlines())]
    data = read(tmp_path / "a.pdb", "\n".join(lines) + "\n")
    assert np.array_equal(data.F, right.F) and not data.warnings


def test_mmcif_of_the_same_kinds(tmp_path):
    path = tmp_path / "a.cif"
    text = as_mmcif(SMALL_MODEL)
    whole = read(path, text)
    assert not whole.warnings
    blank = read(path, text.replace(" 1 12 ", " ? 12 "))
    assert np.array_equal(blank.F, whole.F) and blank.warnings == ("1 atoms have no occupancy: 1 is taken",)
    with pytest.raises(InputError, match=r"atom 1 N GLY: expected a number for Cartn_x, found 'x'"):
        read(path, text.replace("11.28", "x"))
    with pytest.raises(InputError, match=r"expected a number for Cartn_x, found '\?'"):
        read(path, text.replace("11.28", "?"))
    data = read(path, text + text.replace("data_string", "data_B"))
    assert "data block string is taken, of 2 with atoms" in data.warnings
    with pytest.raises(InputError, match="small molecule"):
        read(path, "data_a\nloop_\n_atom_site_label\n_atom_site_fract_x\nC1 0.1\n")
    without = "\n".join(line for line in text.splitlines() if not line.startswith("_cell.")) + "\n"
    with pytest.raises(InputError, match=r"has no unit cell \(_cell.length_a"):
        read(path, without)
    cell = (20.0, 22.0, 25.0, 90.0, 100.0, 90.0)
    assert np.array_equal(read(path, without, cell=cell).F, whole.F)
