"""XDS_ASCII, CrystFEL, SHELX HKLF 4 and SCALEPACK: merged lists in text, and what is recognised only to be named."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

gemmi = pytest.importorskip("gemmi")

from reflection_files import (  # noqa: E402
    CELL,
    CRYSTFEL,
    SCALEPACK,
    SCALEPACK_MEANS,
    SHELX,
    SHELX_END,
    XDS,
    as_dict,
    write_mtz,
)

from nanobragg_py.base.errors import InputError  # noqa: E402
from nanobragg_py.formats.crystal_files import CrystalData, read_reflections, recognise  # noqa: E402
from nanobragg_py.formats.crystfel import POINT_GROUPS  # noqa: E402


def read(folder: Path, text: str, **more) -> CrystalData:
    (folder / "a.hkl").write_text(text)
    return read_reflections(folder / "a.hkl", **more)


def test_xds_ascii(tmp_path):
    """Intensities, as gemmi reads them; Friedel mates of their own; a negative sigma marks a misfit."""
    data = read(tmp_path, XDS)
    found = as_dict(data)
    assert recognise(tmp_path / "a.hkl") == "xds"
    assert found[1, 2, 3] == found[-1, -2, 3] == 10 and found[-1, -2, -3] == found[1, 2, -3] == 12
    assert (2, 3, 4) not in found and found[3, -4, 5] == found[-3, -4, -5] == 0
    assert data.space_group == "P 21 21 21" and data.cell == CELL and data.column == "IOBS"
    assert "1 reflections that XDS marks as misfits (negative sigma) left out" in data.notes
    judge = gemmi.read_xds_ascii(str(tmp_path / "a.hkl"))
    for hkl, intensity, sigma in zip(judge.miller_array, judge.iobs_array, judge.sigma_array, strict=True):
        if sigma > 0:
            assert found[tuple(hkl.tolist())] == pytest.approx(max(intensity, 0) ** 0.5)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("MERGE=TRUE", "MERGE=FALSE", "unmerged data of XDS; merge it first"),
        ("!ITEM_IOBS=4", "!ITEM_IOBS=four", "!ITEM_ lines do not say which column is which"),
        ("!ITEM_IOBS=4\n", "", "no !ITEM_ of H, K, L and IOBS"),
        ("1.000E+02", "********", r"line 12: expected 5 numbers, found '1     2     3  \*"),
        (" 1.100E+00\n    -1", "\n    -1", "line 12: expected 5 numbers"),
        ("    30.000    40", "    thirty    40", "UNIT_CELL_CONSTANTS: expected six numbers, found 'thirty 40"),
        ("NUMBER=   19", "NUMBER=   999", "has no space group that is known|has no space group"),
        ("     1     2", "   1.5     2", "Miller indices that are not whole numbers"),
    ],
)
def test_xds_ascii_that_cannot_be_read(tmp_path, old, new, says):
    assert old in XDS
    with pytest.raises(InputError, match=says):
        read(tmp_path, XDS.replace(old, new, 1))


def test_crystfel(tmp_path):
    """Intensities in the list's point group, with the user's cell."""
    with pytest.raises(InputError, match="has no unit cell; expected -cell"):
        read(tmp_path, CRYSTFEL.format("mmm"))
    data = read(tmp_path, CRYSTFEL.format("mmm"), cell=CELL)
    found = as_dict(data)
    assert recognise(tmp_path / "a.hkl") == "crystfel"
    assert len(found) == 24 and found[-1, 2, -3] == 10 and found[2, -3, 4] == 5 and found[3, -4, 5] == 0
    assert "point group mmm" in " ".join(data.notes) and data.space_group == "P m m m"
    chiral = as_dict(read(tmp_path, CRYSTFEL.format("222"), cell=CELL))
    assert found == chiral  # Friedel's law
    assert len(as_dict(read(tmp_path, CRYSTFEL.format("1"), cell=CELL))) == 6
    with pytest.raises(InputError, match="expected a point group of CrystFEL, found Symmetry: '7'"):
        read(tmp_path, CRYSTFEL.format("7"), cell=CELL)
    with pytest.raises(InputError, match="has no space group; expected --symmetry"):
        read(tmp_path, CRYSTFEL.replace("Symmetry: {}\n", ""), cell=CELL)
    with pytest.raises(InputError, match="truncated: no line 'End of reflections'"):
        read(tmp_path, CRYSTFEL.format("mmm").replace("End of", "end"), cell=CELL)
    with pytest.raises(InputError, match="line 5: expected h k l I, found '2    3    x"):
        read(tmp_path, CRYSTFEL.format("mmm").replace("   4      25", "   x      25"), cell=CELL)


CUBE, HEXAGON, RHOMB = (40, 40, 40, 90, 90, 90), (40, 40, 40, 90, 90, 120), (40, 40, 40, 70, 70, 70)
# Of each Laue class, how many equivalents a general reflection has.
ORDERS = {
    2: "1 -1", 4: "2/m 2 m", 8: "mmm 222 mm2 4/m 4 -4", 16: "4/mmm 422 -42m -4m2 4mm", 6: "3_R -3_R 3_H -3_H",
    12: "32_R 3m_R -3m_R 321_H 312_H 3m1_H 31m_H -3m1_H -31m_H 6/m 6 -6", 24: "6/mmm 622 -62m -6m2 6mm 23 m-3",
    48: "432 -43m m-3m",
}  # fmt: skip


@pytest.mark.parametrize(
    ("order", "name"), [(order, name) for order, names in ORDERS.items() for name in names.split()]
)
def test_point_groups(tmp_path, order, name):
    """Each reflection has the equivalents of the Laue class, on a cell that its axes fit."""
    hexagonal = name.endswith("_H") or name.strip("-").startswith("6")
    cell = RHOMB if name.endswith("_R") else HEXAGON if hexagonal else CUBE
    data = read(tmp_path, CRYSTFEL.format(name), cell=cell)
    assert len(data.hkl) == 3 * order and not data.warnings
    assert len(POINT_GROUPS) == sum(len(names.split()) for names in ORDERS.values())


@pytest.mark.parametrize(
    ("name", "mate"),
    [
        ("2", (-1, -2, 3)), ("2_uab", (-1, 2, -3)), ("2_uaa", (1, -2, -3)), ("2/m_uab", (-1, 2, -3)),
        ("4_uaa", (1, -3, 2)), ("4_uab", (-3, 2, 1)), ("mm2_uab", (-1, 2, -3)),
    ],
)  # fmt: skip
def test_unique_axes(tmp_path, name, mate):
    found = as_dict(read(tmp_path, CRYSTFEL.format(name), cell=CUBE))
    assert found[1, 2, 3] == 10 and 10 in (found.get(mate), found.get((mate[0], -mate[1], -mate[2])))


def test_shelx(tmp_path):
    """F squared in fixed columns to 0 0 0; symmetry and cell from the user; repeats said."""
    with pytest.raises(InputError, match=r"has no space group|has no unit cell"):
        read(tmp_path, SHELX)
    for text in (SHELX, SHELX + SHELX_END, re.sub(r"   1\n", "\n", SHELX)):
        data = read(tmp_path, text, cell=CELL, symmetry="P 21 21 21")
        found = as_dict(data)
        assert recognise(tmp_path / "a.hkl") == "shelx"
        assert found[2, -3, 4] == 5 and found[1, 2, 3] == found[-1, -2, -3] == 11 and len(found) == 16
        assert "1 reflections stand in several rows" in data.warnings[0]
    crowded = "-100-200-30012345.67  123.45\n"
    data = read(tmp_path, crowded, cell=(300, 300, 300, 90, 90, 90), symmetry="1")
    assert as_dict(data)[-100, -200, -300] == pytest.approx(12345.67**0.5)
    with pytest.raises(InputError, match="HKLF 5"):
        read(tmp_path, SHELX.replace("1.00   1\n  -1", "1.00  -1\n  -1"), cell=CELL, symmetry="1")
    with pytest.raises(InputError, match="line 31: expected h k l F² sigma in columns of HKLF 4"):
        read(tmp_path, SHELX * 10 + "x", cell=CELL, symmetry="1")


def test_scalepack(tmp_path):
    data = read(tmp_path, SCALEPACK)
    found = as_dict(data)
    assert recognise(tmp_path / "a.hkl") == "scalepack"
    assert found[1, 2, 3] == 10 and found[-1, -2, -3] == 12 and found[2, 3, 4] == 5 and (-2, -3, -4) not in found
    assert found[0, 1, 2] == 6 and data.space_group == "P 21 21 21" and data.cell == CELL
    data = read(tmp_path, SCALEPACK_MEANS)
    assert as_dict(data)[-1, -2, -3] == 10 and data.column == "I"
    with pytest.raises(InputError, match="line 4: expected h k l I sigma of SCALEPACK"):
        read(tmp_path, SCALEPACK.replace("   100.0", "*********"[:8]))


@pytest.mark.parametrize(
    ("start", "says"),
    [
        ("CrystFEL stream format 2.3\n", "a stream of CrystFEL: merge it"),
        ("!OUTPUT_FILE=INTEGRATE.HKL  DATE=\n", "INTEGRATE.HKL of XDS"),
        (" NREFlection=  10\n ANOMalous=FALSe\n", "a reflection file of CNS"),
        ("{ comment }\n INDE 1 2 3 FOBS= 10\n", "a reflection file of CNS"),
        ("<!DOCTYPE html>\n<html>", "a web page"),
        ("\x89HDF\r\n\x1a\n", "HDF5"),
    ],
)
def test_what_is_recognised_but_not_read(tmp_path, start, says):
    (tmp_path / "a").write_bytes(start.encode("latin-1") + b" " * 100)
    with pytest.raises(InputError, match=f"a: this is {says}"):
        read_reflections(tmp_path / "a")


PLAIN_LISTS = [
    "1 2 3 4.5\n", "   1   2   3  100.00\n", "  -1  -2  -3  100.00\n   1   2   3   12.50\n", "1 2 3 4 5 6 7 8\n",
    "\n\n 0 0 0 1\n", "1\t2\t3\t4\n", "+1 -2 3 1e3\n", "   1   2   3   12.5    4   5   6    1.20\n", "1 2 3 4 5\n",
    "1 2 3 4.0 5.0\n", "h k l F\n", "# 1 2 3 4\n", "    1\n -987\n", "1\n-2\n3 4 5 6 7 8\n",
]  # fmt: skip


@pytest.mark.parametrize("text", PLAIN_LISTS)
def test_plain_lists_stay_what_they_are(tmp_path, text):
    (tmp_path / "a.hkl").write_text(text)
    assert recognise(tmp_path / "a.hkl") is None


def test_all_formats_give_what_an_mtz_of_the_same_data_gives(tmp_path):
    """One set of intensities of P 21 21 21, with each of its mates, in every format."""
    symmetry = gemmi.SpaceGroup("P 21 21 21")
    hkl = gemmi.make_miller_array(gemmi.UnitCell(*CELL), symmetry, 6.0)
    hkl = hkl[~symmetry.operations().systematic_absences(hkl)]
    intensity = np.random.default_rng(1).integers(1, 9000, len(hkl))
    columns = np.column_stack([hkl, intensity])
    expected = as_dict(read_reflections(write_mtz(tmp_path / "a.mtz", "P 21 21 21", {"I": "J"}, columns)))
    rows = [(*map(int, index), int(value)) for index, value in zip(hkl, intensity, strict=True)]
    head, _ = XDS.replace("S_LAW=FALSE", "S_LAW=TRUE").split("!END_OF_HEADER\n")
    texts = {
        "xds": head + "!END_OF_HEADER\n" + "".join("{} {} {} {} 1\n".format(*row) for row in rows) + "!END_OF_DATA\n",
        "crystfel": CRYSTFEL.format("222").split("   1    2")[0]
        + "".join("{:4} {:4} {:4} {:10.2f} - 1.00 1\n".format(*row) for row in rows)
        + "End of reflections\n",
        "shelx": "".join("{:4}{:4}{:4}{:8.2f}    1.00\n".format(*row) for row in rows),
        "scalepack": SCALEPACK.split("   1   2   3")[0]
        + "".join("{:4}{:4}{:4}{:8.1f}     1.0\n".format(*row) for row in rows),
    }
    for kind, text in texts.items():
        found = as_dict(read(tmp_path, text, cell=CELL, symmetry="P 21 21 21"))
        assert recognise(tmp_path / "a.hkl") == kind
        assert found == pytest.approx(expected), kind
