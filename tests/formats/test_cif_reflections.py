"""Reflections in CIF: of proteins and small molecules, with whatever items state cell and symmetry, one set of many."""

from __future__ import annotations

import pytest

gemmi = pytest.importorskip("gemmi")

from reflection_files import CELL, SMALL_MOLECULE, as_dict, mmcif  # noqa: E402

from nanobragg_py.base.errors import InputError  # noqa: E402
from nanobragg_py.formats.crystal_files import read_reflections, recognise  # noqa: E402

GROUP = "P 21 21 21"
WITHOUT_GROUP = mmcif("F_meas_au", "1 2 3 10\n").replace(f"_symmetry.space_group_name_H-M '{GROUP}'\n", "{}\n")
TRIPLETS = ("x,y,z", "1/2+x,1/2-y,-z", "-x,1/2+y,1/2-z", "1/2-x,-y,1/2+z")


def loop(tag: str, values: tuple[str, ...]) -> str:
    return "loop_\n" + tag + "\n" + "".join(f"'{value}'\n" for value in values)


@pytest.mark.parametrize(
    "symmetry",
    [
        "_symmetry.Int_Tables_number 19",
        "_symmetry_Int_Tables_number 19",
        "_space_group.IT_number 19",
        "_space_group_IT_number 19",
        "_symmetry.space_group_name_H-M P212121",
        "_symmetry_space_group_name_H-M 'P 21 21 21'",
        "_space_group.name_H-M_alt 'P 21 21 21'",
        "_space_group_name_H-M_alt 'P 21 21 21'",
        "_space_group.name_Hall 'P 2ac 2ab'",
        "_symmetry_space_group_name_Hall 'P 2ac 2ab'",
        "_SYMMETRY.SPACE_GROUP_NAME_H-M 'p 21 21 21'",
        loop("_symmetry_equiv_pos_as_xyz", TRIPLETS),
        loop("_symmetry_equiv.pos_as_xyz", TRIPLETS),
        loop("_space_group_symop.operation_xyz", TRIPLETS),
        loop("_space_group_symop_operation_xyz", TRIPLETS),
        "_symmetry.space_group_name_H-M ?\n_symmetry.Int_Tables_number 19",
        "_symmetry.space_group_name_H-M 'P 1'\n_symmetry.Int_Tables_number 19",
    ],
)
def test_symmetry_by_any_of_its_items(tmp_path, symmetry):
    path = tmp_path / "a.cif"
    path.write_text(WITHOUT_GROUP.replace("{}", symmetry))
    data = read_reflections(path)
    assert data.space_group == GROUP and len(data.hkl) == 8 and not data.warnings


def test_what_is_stated_twice_and_differs_is_said(tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(
        WITHOUT_GROUP.replace("{}", f"_symmetry.space_group_name_H-M '{GROUP}'\n_symmetry.Int_Tables_number 4")
    )
    data = read_reflections(path)
    assert data.space_group == GROUP
    assert data.warnings == ("its space group P 21 21 21 is taken; the number beside it is 4",)


def test_without_symmetry(tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(WITHOUT_GROUP.replace("{}", ""))
    with pytest.raises(InputError, match="has no space group; expected --symmetry with a space group's name or number"):
        read_reflections(path)
    assert read_reflections(path, symmetry="P212121").space_group == GROUP
    path.write_text(WITHOUT_GROUP.replace("{}", "_symmetry.space_group_name_H-M 'P 9'"))
    with pytest.raises(InputError, match="has no space group that is known"):
        read_reflections(path)


def test_without_a_cell(tmp_path):
    path = tmp_path / "a.cif"
    lines = mmcif("F_meas", "1 2 3 10\n").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("_cell")))
    with pytest.raises(InputError, match="has no unit cell; expected -cell"):
        read_reflections(path)
    data = read_reflections(path, cell=CELL)
    assert data.cell == CELL and "the cell given beside it is taken, 30 40 50 90 90 90" in data.notes[-1]
    path.write_text("".join(lines).replace("length_b 40.0", "length_b forty"))
    with pytest.raises(InputError, match=r"_cell\.length_b: expected a number, found 'forty'"):
        read_reflections(path)


def test_a_file_of_small_molecules(tmp_path):
    """Names with underscores, F squared, standard uncertainties in brackets, symmetry as a list; x is missing."""
    path = tmp_path / "a.fcf"
    path.write_text(SMALL_MOLECULE)
    assert recognise(path) == "mmcif-reflections"
    data = read_reflections(path)
    found = as_dict(data)
    assert data.column == "F_squared_meas" and data.cell == CELL and data.space_group == GROUP
    assert found[1, -2, 3] == 10 and found[2, 3, -4] == 5 and len(found) == 16
    assert data.description.startswith("CIF, observed intensities F_squared_meas")
    path.write_text(SMALL_MOLECULE.replace("F_squared_sigma", "F_calc"))
    assert read_reflections(path).column == "F_calc"
    assert set(read_reflections(path, "_refln_F_squared_meas").F) == {10.0, 5.0}


def test_anomalous_difference(tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(mmcif("F_meas_au pdbx_anom_difference", "1 2 3 100 30\n2 3 4 50 ?\n"))
    found = as_dict(read_reflections(path))
    assert found[1, 2, 3] == 115 and found[-1, -2, -3] == 85 and found[2, 3, 4] == found[-2, -3, -4] == 50


def test_flags_of_missing_values(tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(mmcif("F_meas_au status", "1 2 3 10 o\n2 3 4 -999 o\n3 4 5 ? o\n4 5 6 . o\n5 6 7 8 -\n6 7 8 7 f\n"))
    assert set(read_reflections(path).F) == {10.0, 7.0}


def test_any_item_by_name(tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(mmcif("F_meas_au F_part_au my_intensity phase_meas status", "1 2 3 10 11 144 90 o\n"))
    data = read_reflections(path, "F_part_au")
    assert set(data.F) == {11} and "read as amplitudes" in data.warnings[0]
    assert set(read_reflections(path, "_refln.my_intensity").F) == {12}
    for item in ("phase_meas", "status", "index_h"):
        with pytest.raises(InputError, match=f"in a column '{item}'"):
            read_reflections(path, item)


def test_one_of_several_blocks_is_taken_and_named(tmp_path):
    """Cell and symmetry may stand in another block than the reflections."""
    path = tmp_path / "a.cif"
    bare = "data_second\nloop_\n_refln.index_h\n_refln.index_k\n_refln.index_l\n_refln.intensity_meas\n1 2 3 49\n"
    path.write_text(mmcif("F_meas", "1 2 3 10\n") + bare)
    data = read_reflections(path)
    assert set(data.F) == {10} and data.warnings == (
        "data block rtest is taken, of 2 with reflections; others: second",
    )
    data = read_reflections(path, "intensity_meas")
    assert set(data.F) == {7} and data.warnings[0].startswith("data block second is taken")


@pytest.mark.parametrize("item", ["wavelength_id", "crystal_id", "scale_group_code"])
def test_one_of_several_sets_in_a_list_is_taken_and_named(tmp_path, item):
    path = tmp_path / "a.cif"
    path.write_text(mmcif(f"F_meas {item}", "1 2 3 ? 0\n1 2 3 10 7\n2 3 4 11 7\n1 2 3 20 8\n"))
    data = read_reflections(path)
    assert set(data.F) == {10, 11}
    assert data.warnings == (f"F_meas of {item} 7 is taken, of 2 (reflections of 7: 2, 8: 1)",)


def test_repeats_are_said(tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(mmcif("F_meas", "1 2 3 10\n-1 -2 3 12\n"))
    assert "1 reflections stand in several rows" in read_reflections(path).warnings[0]


def test_words_that_are_no_numbers_are_named(tmp_path):
    path = tmp_path / "a.cif"
    path.write_text(mmcif("F_meas", "1 2 3 10\n2 3 4 ten\n"))
    with pytest.raises(InputError, match=r"a.cif: _refln.F_meas: expected numbers, found 'ten'"):
        read_reflections(path)
    path.write_text(mmcif("F_meas", "1 2 3 10\n2 3.5 4 7\n"))
    with pytest.raises(InputError, match="Miller indices that are not whole numbers"):
        read_reflections(path)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8", "utf-8-sig"])
def test_letters_of_any_encoding(tmp_path, encoding):
    """Authors' names are not needed, and do no harm, quoted or not."""
    authors = "_audit_author_name 'Müller, Å.'\n_chemical_name Ä\n_exptl_special_details\n;\n0.7 Å, 90°\n;\nloop_\n"
    path = tmp_path / "ä.cif"
    path.write_bytes(SMALL_MOLECULE.replace("loop_\n", authors, 1).encode(encoding))
    assert set(read_reflections(path).F) == {10.0, 5.0}


def test_recognising_takes_no_time(tmp_path):
    """Comments with blanks before them, and a great many of them, before the first block."""
    path = tmp_path / "a.cif"
    path.write_text("   # a\n" * 400 + "x")
    assert recognise(path) is None
    path.write_text("   # a\n" * 400 + mmcif("F_meas", "1 2 3 10\n"))
    assert recognise(path) == "mmcif-reflections"
