"""MTZ files as programs of forty years wrote them: flags, pairs, differences, data sets, symmetry, odd columns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

gemmi = pytest.importorskip("gemmi")

from reflection_files import CELL, as_dict, write_mtz  # noqa: E402

from nanobragg_py.base.errors import InputError  # noqa: E402
from nanobragg_py.formats.crystal_files import read_reflections  # noqa: E402

NAN = np.nan
GROUP = "P 21 21 21"
MATES = [(1, 2, 3), (-1, -2, 3), (-1, 2, -3), (1, -2, -3)]


def mates(found: dict[tuple[int, int, int], float]) -> tuple[float, float]:
    """F of 1 2 3 and of -1 -2 -3, which all their equivalents must have."""
    plus = {found.get(hkl) for hkl in MATES}
    minus = {found.get(tuple(-i for i in hkl)) for hkl in MATES}
    assert len(plus) == len(minus) == 1
    return plus.pop(), minus.pop()


def patched(path: Path, *changes: tuple[bytes, bytes]) -> Path:
    """A file with records of its header, or parts of them, exchanged for others of the same length."""
    content = path.read_bytes()
    for old, new in changes:
        assert content.count(old) == 1 and len(new) <= len(old), old
        content = content.replace(old, new.ljust(len(old)))
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("flag", [NAN, -1e10, 0.0])
def test_missing_values(tmp_path, flag):
    """NaN, -999 and the file's own flag are missing, in amplitudes and intensities."""
    rows = [[1, 1, 1, 100, 9], [2, 1, 1, -999, -999], [3, 1, 1, NAN, NAN], [4, 1, 1, flag, flag], [5, 1, 1, 50, 4]]
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"FP": "F", "IMEAN": "J"}, rows)
    if not np.isnan(flag):
        patched(path, (b"VALM NAN           ", f"VALM {flag:g}".encode()))
    for column, values in (("FP", {100.0, 50.0}), ("IMEAN", {3.0, 2.0})):
        data = read_reflections(path, column)
        assert set(data.F) == values and {abs(h) for h in data.hkl[:, 0]} == {1, 5}
        assert "1 values of -999 are missing values" in data.notes


@pytest.mark.parametrize("kind", ["F", "G", "R"])
@pytest.mark.parametrize(("plus", "minus"), [("F(+)", "F(-)"), ("F[+]", "F[-]"), ("F+", "F-"), ("F_plus", "F_minus")])
def test_pairs_are_known_by_name_whatever_their_type(tmp_path, kind, plus, minus):
    columns = {plus: kind, "SIGF(+)": "Q", minus: kind, "SIGF(-)": "Q"}
    path = write_mtz(tmp_path / "a.mtz", GROUP, columns, [[1, 2, 3, 110, 1, 90, 1], [0, 1, 2, 70, 1, 70, 1]])
    for column in (None, plus, minus, "F", f"{plus},{minus}"):
        if kind == "R" and "_" in plus and column == "F":
            continue
        data = read_reflections(path, column)
        assert mates(as_dict(data)) == (110, 90) and as_dict(data)[0, 1, 2] == 70
        assert data.column == f"{plus}, {minus}" and "anomalous amplitudes" in data.description
        assert not data.warnings


def test_a_pair_without_its_mate_is_none(tmp_path):
    """F(+) of type F alone is an amplitude like any other; of type G it needs its mate, unless it is named."""
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"F(+)": "G"}, [[1, 2, 3, 7]])
    with pytest.raises(InputError, match="no column of amplitudes"):
        read_reflections(path)
    assert mates(as_dict(read_reflections(path, "F(+)"))) == (7, 7)
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"F(+)": "F"}, [[1, 2, 3, 7]])
    assert mates(as_dict(read_reflections(path))) == (7, 7)


def test_anomalous_differences(tmp_path):
    """F + D/2 and F - D/2; where D is missing, F for both. F alone by its name; a pair there is, is taken instead."""
    rows = [[1, 2, 3, 100, 30], [2, 3, 4, 50, NAN], [0, 1, 2, 40, 0], [3, 1, 1, NAN, 3]]
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"F": "F", "DANO": "D"}, rows)
    data = read_reflections(path)
    found = as_dict(data)
    assert data.column == "F, DANO"
    assert mates(found) == (115, 85) and found[2, 3, 4] == found[-2, -3, -4] == 50 and found[0, 1, 2] == 40
    assert (3, 1, 1) not in found and not data.warnings
    assert mates(as_dict(read_reflections(path, "F"))) == (100, 100)
    assert (
        mates(as_dict(read_reflections(path, "DANO"))) == mates(as_dict(read_reflections(path, "F, DANO"))) == (115, 85)
    )
    columns = {"F": "F", "DANO": "D", "F(+)": "G", "F(-)": "G"}
    path = write_mtz(tmp_path / "b.mtz", GROUP, columns, [[1, 2, 3, 100, 30, 116, 84]])
    assert mates(as_dict(read_reflections(path))) == (116, 84)


def test_each_difference_goes_with_its_own_amplitude(tmp_path):
    columns = {"F_pk": "F", "F_rm": "F", "DANO_pk": "D", "DANO_rm": "D", "FC": "F"}
    path = write_mtz(tmp_path / "a.mtz", GROUP, columns, [[1, 2, 3, 100, 200, 10, 20, 7]])
    assert mates(as_dict(read_reflections(path, "DANO_pk"))) == (105, 95)
    assert mates(as_dict(read_reflections(path, "DANO_rm"))) == (210, 190)
    assert read_reflections(path).column == "FC"
    columns = {"FP": "F", "SIGFP": "Q", "FPH": "F", "SIGFPH": "Q", "DPH": "D"}
    path = write_mtz(tmp_path / "a.mtz", GROUP, columns, [[1, 2, 3, 100, 1, 200, 1, 10]])
    assert read_reflections(path).column == "FPH, DPH"
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"FP": "F", "FOM": "W", "DPH": "D"}, [[1, 2, 3, 100, 1, 10]])
    assert read_reflections(path).column == "FP"  # nothing says that they belong together


def test_any_column_by_name(tmp_path):
    """Whatever could be an amplitude is read when it is named, and what its type says is said."""
    columns = {"FP": "F", "FOO": "R", "I_obs": "R", "SIGFP": "Q", "W": "W", "PHIB": "P", "FLAG": "I", "HLA": "A"}
    path = write_mtz(tmp_path / "a.mtz", GROUP, columns, [[1, 2, 3, 10, 11, 144, 13, 14, 15, 16, 17]])
    data = read_reflections(path)
    assert data.column == "FP" and any("I_obs" in text for text in data.notes)
    for column, value in (("FP", 10), ("foo", 11), ("I_obs", 12), ("SIGFP", 13), ("W", 14), ("FLAG", 16)):
        data = read_reflections(path, column)
        assert set(data.F) == {value}
        assert bool(data.warnings) == (column not in ("FP", "I_obs"))
    assert "SIGFP is a standard deviation" in read_reflections(path, "SIGFP").warnings[0]
    for column in ("PHIB", "HLA", "H", "nothing"):
        with pytest.raises(InputError, match=f"no amplitudes or intensities in a column '{column}'"):
            read_reflections(path, column)


def test_real_columns_by_their_names(tmp_path):
    """Type R, of programs of other fields: F... and I... are data, after whatever has a type of its own."""
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"FREE": "R", "FOM": "R", "IMEAN": "R"}, [[1, 2, 3, 1, 0.5, 144]])
    assert read_reflections(path).column == "IMEAN" and set(read_reflections(path).F) == {12}
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"F-model": "R", "I": "J"}, [[1, 2, 3, 10, 144]])
    assert read_reflections(path).column == "I"


def test_columns_by_label_not_by_place(tmp_path):
    """As cctbx may write them: the intensity first, and a dummy M_ISYM (zeros, or whatever one writer leaves)."""
    for dummy in (0, 1, 3):
        mtz = gemmi.Mtz()
        mtz.spacegroup = gemmi.SpaceGroup(GROUP)
        mtz.set_cell_for_all(gemmi.UnitCell(*CELL))
        mtz.add_dataset("d")
        for label, kind in (("I", "J"), ("L", "H"), ("M_ISYM", "Y"), ("H", "H"), ("K", "H")):
            mtz.add_column(label, kind)
        mtz.set_data(np.array([[100, 3, dummy, 1, 2], [144, 4, dummy, 2, 3]], np.float32))
        mtz.write_to_file(str(tmp_path / "a.mtz"))
        found = as_dict(read_reflections(tmp_path / "a.mtz"))
        assert mates(found) == (10, 10) and found[2, 3, 4] == 12


def test_merged_data_whose_rows_say_which_mate_they_are(tmp_path):
    """An even symmetry number in M/ISYM: the row is of -h -k -l; a repeat makes the data unmerged."""
    rows = [[1, 2, 3, 1, 100], [1, 2, 3, 2, 144]]
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"M/ISYM": "Y", "I": "J"}, rows)
    assert mates(as_dict(read_reflections(path))) == (10, 12)
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"M/ISYM": "Y", "I": "J"}, [*rows, [1, 2, 3, 260, 1]])
    with pytest.raises(InputError, match="unmerged data; merge it first"):
        read_reflections(path)
    # Truncate's ISYM of merged data: 0, 1 or 2, and the same index once.
    rows = [[1, 2, 3, 2, 100], [2, 3, 4, 0, 144]]
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"ISYM": "Y", "I": "J"}, rows)
    assert mates(as_dict(read_reflections(path))) == (10, 10)


def test_batches_are_unmerged(tmp_path):
    columns = {"M/ISYM": "Y", "BATCH": "B", "I": "J"}
    path = write_mtz(tmp_path / "a.mtz", GROUP, columns, [[1, 2, 3, 1, 1, 100], [2, 3, 4, 1, 2, 144]])
    with pytest.raises(InputError, match="unmerged data; merge it first"):
        read_reflections(path)


NAMED = b"'P 21 21 21' PG222"


@pytest.mark.parametrize("name", [b"''", b"'P 1' PG1", b"'?'", b"'Pnonsense'", b"' '"])
@pytest.mark.parametrize("number", [b"19", b" 1", b" 0"])
def test_symmetry_from_its_operations(tmp_path, name, number):
    """Where the name is missing, not known or a dummy."""
    expected = as_dict(read_reflections(write_mtz(tmp_path / "a.mtz", GROUP, {"F": "F"}, [[1, 2, 3, 9]])))
    data = read_reflections(patched(tmp_path / "a.mtz", (b"P    19 ", b"P    " + number + b" "), (NAMED, name)))
    assert as_dict(data) == expected and data.space_group == GROUP


def test_symmetry_in_a_setting_that_has_no_name(tmp_path):
    """I 2 3 on a primitive cell: twelve operations, of which no table has a name."""
    path = write_mtz(
        tmp_path / "a.mtz", "P 2 3", {"F": "F"}, [[1, 2, 4, 9]], (60, 60, 60, 109.4712, 109.4712, 109.4712)
    )
    primitive = np.array([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / 2
    rotations = [np.array(op.rot) for op in gemmi.SpaceGroup("P 2 3").operations()]
    symmetry = [gemmi.Op("x,y,z") for _ in rotations]
    for op, rotation in zip(symmetry, rotations, strict=True):
        op.rot = np.rint(np.linalg.inv(primitive) @ rotation @ primitive).astype(int).tolist()
    content = path.read_bytes()
    start = content.index(b"SYMM ")
    records = b"".join(f"SYMM {op.triplet().upper()}".encode().ljust(80) for op in symmetry)
    path.write_bytes(content[:start] + records + content[start + 960 :])
    patched(path, (b"P   195 ", b"P   197 "), (b"'P 2 3' PG23", b"'I 2 3*'"))
    data = read_reflections(path)
    direct = {tuple(op.apply_to_hkl([1, 2, 4])) for op in symmetry}
    assert set(as_dict(data)) == direct | {tuple(-i for i in hkl) for hkl in direct}
    assert not data.warnings


def test_a_name_and_operations_that_disagree(tmp_path):
    """The operations count, as they do for CCP4, and both are named; identity alone is no list."""
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"F": "F"}, [[1, 2, 3, 9]])
    data = read_reflections(patched(path, (NAMED, b"'P 1 2 1' PG2"), (b"P    19 ", b"P     3 ")))
    assert len(data.hkl) == 8 and data.space_group == GROUP
    assert "P 1 2 1 is not that of its list of 4 symmetry operations (P 21 21 21)" in data.warnings[0]
    path = write_mtz(tmp_path / "a.mtz", "P 1", {"F": "F"}, [[1, 2, 3, 9]])
    data = read_reflections(patched(path, (b"P     1 ", b"P    19 "), (b"'P 1' PG1   ", b"'P21 21 21'")))
    assert len(data.hkl) == 8 and "only the identity is listed" in data.notes[0]


def test_operations_that_are_no_group_are_left_out(tmp_path):
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"F": "F"}, [[1, 2, 3, 9]])
    data = read_reflections(patched(path, (b"SYMM -X,Y+1/2,-Z+1/2", b"SYMM X,X,Z")))
    assert len(data.hkl) == 8 and "is not a group" in data.warnings[0]
    with pytest.raises(InputError, match="has no space group"):
        read_reflections(patched(path, (NAMED, b"''"), (b"P    19 ", b"P     0 ")))
    data = read_reflections(path, symmetry="P 2 2 2")
    assert len(data.hkl) == 8 and data.space_group == "P 2 2 2"
    assert read_reflections(path, symmetry="16").space_group == "P 2 2 2"
    with pytest.raises(InputError, match="--symmetry: expected the name or number of a space group, got 'P 9'"):
        read_reflections(path, symmetry="P 9")


def two_sets(path: Path) -> Path:
    """Two data sets, of their own cells and wavelengths, with the same labels in both."""
    mtz = gemmi.Mtz(with_base=True)
    mtz.spacegroup = gemmi.SpaceGroup(GROUP)
    mtz.set_cell_for_all(gemmi.UnitCell(1, 1, 1, 90, 90, 90))
    for name, edge, wavelength in (("peak", 31, 0.979), ("remote", 33, 0.9)):
        dataset = mtz.add_dataset(name)
        dataset.cell.set(edge, 40, 50, 90, 90, 90)
        dataset.wavelength = wavelength
        mtz.add_column("F", "F")
    mtz.set_data(np.array([[1, 2, 3, 10, 20]], np.float32))
    mtz.write_to_file(str(path))
    return path


def test_of_several_data_sets_one_is_taken_with_its_cell_and_that_is_said(tmp_path):
    path = two_sets(tmp_path / "a.mtz")
    data = read_reflections(path)
    assert (data.F[0], data.cell[0]) == (10, 31)
    assert "of data set peak (0.979 Å), one of 2" in data.description
    assert data.warnings == ("several data sets: F of peak is taken; --column names another: F of remote",)
    data = read_reflections(path, "remote/F")
    assert (data.F[0], data.cell[0]) == (20, 33) and "of data set remote (0.9 Å)" in data.description


def test_repeats_are_not_averaged_in_silence(tmp_path):
    rows = [[1, 2, 3, 100], [-1, -2, 3, 110], [2, 3, 4, 50], [2, 3, 4, 50], [3, 4, 5, 1]]
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"F": "F"}, rows)
    data = read_reflections(path)
    assert mates(as_dict(data)) == (105, 105)
    assert data.warnings == (
        "2 reflections stand in several rows, as themselves or as symmetry equivalents: the mean of their F is taken, "
        "from which they differ by 3.2% on average and 4.8% at most",
    )
    data = read_reflections(write_mtz(tmp_path / "a.mtz", GROUP, {"F": "F"}, rows[2:]))
    assert not data.warnings and any("with equal F" in text for text in data.notes)


def test_two_values_of_centric_reflections(tmp_path):
    """Nothing is said where F(+) and F(-) of a centric reflection agree."""
    columns = {"F(+)": "G", "F(-)": "G"}
    path = write_mtz(tmp_path / "a.mtz", GROUP, columns, [[1, 2, 3, 9, 8], [0, 2, 3, 7, 7]])
    assert not read_reflections(path).warnings
    path = write_mtz(tmp_path / "a.mtz", GROUP, columns, [[1, 2, 3, 9, 8], [0, 2, 3, 6, 8]])
    data = read_reflections(path)
    assert as_dict(data)[0, 2, 3] == 7 and data.warnings[0].startswith("1 reflections are centric, and have two values")


def test_what_is_left_out_and_what_is_dark_is_said(tmp_path):
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"I": "J"}, [[1, 0, 0, 16], [1, 2, 3, -4], [2, 3, 4, 4]])
    data = read_reflections(path)
    assert "1 reflections that are systematically absent in P 21 21 21 left out" in " ".join(data.notes)
    assert "1 intensities below zero: F = 0 taken" in data.notes
    path = write_mtz(tmp_path / "a.mtz", GROUP, {"F": "F"}, [[1, 2, 3, 0]])
    assert read_reflections(path).warnings == ("all 8 structure factors are zero",)


def test_a_cell_that_its_symmetry_does_not_have(tmp_path):
    path = write_mtz(tmp_path / "a.mtz", "P 4", {"F": "F"}, [[1, 2, 3, 9]])
    assert read_reflections(path).warnings == ("its cell 30 40 50 90 90 90 has not the symmetry of P 4",)
    for group, cell in (("R 3:H", (30, 30, 50, 90, 90, 120)), ("R 3:R", (30, 30, 30, 80, 80, 80))):
        path = write_mtz(tmp_path / "a.mtz", group, {"F": "F"}, [[1, 1, 3, 9]], cell)
        data = read_reflections(path)
        assert data.space_group == group and not data.warnings
