"""Tables: which columns there are, what stands in them, and what is wrong with others."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nanobragg_py import InputError
from nanobragg_py.base.vectors import turned
from nanobragg_py.batch.base import Base
from nanobragg_py.batch.columns import REAL, TEXT, WHOLE, Column, columns_of, misset_of, row_words
from nanobragg_py.batch.table_file import open_table
from nanobragg_py.batch.words import check_same, words_of
from nanobragg_py.formats.row_table import RowTable, write_rows
from nanobragg_py.options.config import Config
from nanobragg_py.options.keywords import settings


def read(path: Path, text: str) -> list[tuple[object, ...]]:
    path.write_text(text)
    table = open_table(str(path))
    return [row for block in table.blocks for row in zip(*block.values, strict=True)]


@pytest.mark.parametrize(
    "text, message",
    [
        ("", "table.csv: TABLE is empty"),
        ("distence_mm\n1\n", "line 1: no keyword 'distence_mm'; did you mean distance_mm"),
        ("distance\n1\n", "line 1: no keyword 'distance'; did you mean distance_mm"),
        ("distance_mm,fluence\n1,2\n\n3\n", "line 4: expected 2 values, got 1"),
        ("distance_mm\n1\n2,5\n", "line 3: expected 1 values, got 2"),
        ("distance_mm\n1\nfar\n", "line 3: column 'distance_mm': expected a number, got 'far'"),
        ("distance_mm\ninf\n", "line 2: column 'distance_mm': expected a number, got 'inf'"),
        ("noise_seed\n1.5\n", "line 2: column 'noise_seed': expected a whole number, got '1.5'"),
        ("noise_seed\n1_000\n", "expected a whole number"),
        ("noise_seed\n99999999999999999999\n", "expected a whole number"),
        ("qw,qx,qy\n1,0,0\n", "line 1: qw, qx, qy, qz belong together: qz missing"),
        ("cell_a\n1\n", "belong together"),
        ("threads\n1\n", "column 'threads': a batch has its own files and threads"),
        ("background\nwater\n", "line 1: column 'background': expected it in the base"),
        ("gain\nhigh\n", "line 2: column 'gain': expected a number"),
        ("floatfile\nx\n", "column 'floatfile': a batch has"),
        ("wavelength_A,energy_eV\n1,12000\n", "columns 'wavelength_A' and 'energy_eV' set the same"),
        ("N,Na\n1,2\n", "columns 'N' and 'Na' set the same"),
        ("seed,noise_seed\n1,2\n", "set the same"),
        ("fluence,fluence\n1,2\n", "set the same"),
        ("misset,qw,qx,qy,qz\n1 2 3,1,0,0,0\n", "set the same"),
        ("misset_x,misset_y,misset_z,qw,qx,qy,qz\n1,2,3,1,0,0,0\n", "set the same"),
        ('fluence\n"1\n', "line"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path: Path, text: str, message: str) -> None:
    """Told with the file and the line."""
    with pytest.raises(InputError) as error:
        read(tmp_path / "table.csv", text)
    assert message in str(error.value)
    assert str(error.value).startswith(str(tmp_path / "table.csv"))


def test_files_that_are_no_table(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_bytes(b"\x89HDF\r\n\xff")
    for name, message in (("table.csv", "no text in UTF-8"), ("none.csv", "no such file"), (".", "it is a folder")):
        with pytest.raises(InputError, match=message):
            open_table(str(tmp_path / name))


def test_cells(tmp_path: Path) -> None:
    """Numbers, texts, empty cells, blank lines, Windows' line ends and the mark that Excel begins with."""
    text = "\ufeffdistance_mm, noise_seed ,shape,cell\r\n 1e2 ,7,gauss,1 2 3\r\n\r\n,,,\r\n5,,square,\r\n"
    rows = read(tmp_path / "t.csv", text)
    assert rows[0] == (100.0, 7, "gauss", "1 2 3")
    assert len(rows) == 2 and rows[1][0] == 5.0 and rows[1][2] == "square"
    columns = columns_of(["distance_mm", "noise_seed", "shape", "cell"], "t")
    assert [column.kind for column in columns] == [REAL, WHOLE, TEXT, TEXT]
    words = row_words(columns, rows[0])
    assert words.fixed == {"shape": "gauss", "cell": [1.0, 2.0, 3.0]}
    assert words.changed == {"distance_mm": 100.0} and words.seed == 7 and words.misset_deg is None
    assert row_words(columns, rows[1]).keywords() == {"shape": "square", "distance_mm": 5.0}


def test_parquet_says_the_same(tmp_path: Path) -> None:
    """Typed columns, lists and empty cells as in CSV; the digest is the same."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    columns = {
        "distance_mm": [0.1, None, 1e-300],
        "noise_seed": [7, 2**40, None],
        "shape": ["gauss", None, "square"],
        "cell": [[30.0, 40.5, 50.0], None, [1.0]],
        "fluence": pyarrow.array([1e24, float("nan"), 2e24], pyarrow.float64()),
    }
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    text = "distance_mm,noise_seed,shape,cell,fluence\n0.1,7,gauss,30.0 40.5 50.0,1e24\n,1099511627776,,,\n"
    (tmp_path / "t.csv").write_text(text + "1e-300,,square,1.0,2e24\n")
    found = []
    for name in ("t.parquet", "t.csv"):
        table = open_table(str(tmp_path / name))
        found.append(write_rows(str(tmp_path / "t.h5"), table.columns, (block.values for block in table.blocks)))
    assert found[0] == found[1]
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"bad\.parquet: cannot be read as Parquet"):
        open_table(str(tmp_path / "bad.parquet"))
    parquet.write_table(pyarrow.table({"distance_mm": ["far"]}), tmp_path / "bad.parquet")
    with pytest.raises(InputError, match=r"bad\.parquet: row 0: column 'distance_mm': expected a number, got 'far'"):
        list(open_table(str(tmp_path / "bad.parquet")).blocks)


@pytest.mark.parametrize("text", ["2 0 0 0", "0 0 0 0", "0.9 0 0 0"])
def test_a_quaternion_has_length_1(text: str) -> None:
    with pytest.raises(InputError, match="expected a quaternion of length 1"):
        row_words(columns_of(["qw", "qx", "qy", "qz"], "t"), [float(word) for word in text.split()])


def test_some_of_a_quaternion() -> None:
    with pytest.raises(InputError, match="all of qw, qx, qy, qz, or none"):
        row_words(columns_of(["qw", "qx", "qy", "qz"], "t"), [1.0, math.nan, 0.0, 0.0])


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: math.hypot(*q) > 0.1))
@example([1e-12, 1.0, 0.0, 1.0])
@example([1.0, 0.0, 1.0, 0.0])
@example([1.0, 1e-9, -1.0, 0.0])
@example([0.5, 0.5, 0.5, 0.5])
def test_quaternion_and_angles_turn_alike(parts: list[float]) -> None:
    """By the definition of a rotation by a quaternion: v' = q v q*."""
    w, x, y, z = np.array(parts) / np.linalg.norm(parts)
    angles = np.radians(misset_of((w, x, y, z)))
    for v in np.eye(3):
        axis = np.array([x, y, z])
        expected = v + 2 * w * np.cross(axis, v) + 2 * np.cross(axis, np.cross(axis, v))
        np.testing.assert_allclose(turned(tuple(v), *angles), expected, atol=1e-14)


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(
    st.lists(st.tuples(st.floats(), st.integers(-(2**63), 2**63 - 1), TEXTS), min_size=1, max_size=20),
    st.integers(1, 7),
)
def test_rows_come_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple], size: int) -> None:
    """Any run of them, bit for bit; the digest does not depend on the blocks in which they came."""
    path = str(tmp_path_factory.mktemp("rows") / "t.h5")
    columns = [Column("a", REAL), Column("b", WHOLE), Column("c", TEXT)]
    blocks = [list(map(list, zip(*rows[at : at + size], strict=True))) for at in range(0, len(rows), size)]
    count, digest = write_rows(path, columns, blocks)
    assert count == len(rows)
    table = RowTable(path)
    assert table.rows == count and table.columns == columns
    assert repr(list(table.read(0, count))) == repr(rows)
    assert repr(list(table.read(count // 2, count))) == repr(rows[count // 2 :])
    other = write_rows(path, columns, [list(map(list, zip(*rows, strict=True)))])
    assert other == (count, digest)
    changed = [(rows[0][0], rows[0][1] ^ 1, rows[0][2]), *rows[1:]]
    assert write_rows(path, columns, [list(map(list, zip(*changed, strict=True)))])[1] != digest


KEYWORDS = {
    "cell": [30.0, 40.0, 50.0, 90.0, 91.5, 90.0], "N": [3, 4, 5], "Na": 7, "misset": [1.5, -2.25, 1e-20],
    "distance_mm": 123.456, "close_distance_mm": 12.5, "Xbeam_mm": 1.0, "ORGX": 5.5, "detpixels": [10, 20],
    "detsize_mm": [5.0, 6.0], "pixel_mm": 0.1, "wavelength_A": 0.97, "energy_eV": 12398.0, "fluence": 1e24,
    "flux": 1e12, "exposure_s": 0.1, "beamsize_mm": 0.01, "mosaic_deg": 0.5, "mosaic_domains": 5, "phi_deg": 3.0,
    "osc_deg": 0.1, "phisteps": 4, "phistep_deg": 0.05, "polar": 0.9, "nopolar": True, "roi": [1, 2, 3, 4],
    "convention": "xds", "shape": "tophat", "interpolate": False, "round_divergence": False, "curved_detector": True,
    "point_pixel": True, "detector_absorb_um": 10.0, "detector_thick_um": 450.0, "detector_thicksteps": 3,
    "thicksteps": 2, "twotheta_deg": 20.0, "detector_rotx_deg": 1.0, "pivot": "sample", "divergence_mrad": 1.0,
    "hdivrange_mrad": 2.0, "vdivstep_mrad": 0.5, "hdivsteps": 3, "dispersion_percent": 0.2, "dispsteps": 5,
    "fdet_vector": [1.0, 0.0, 0.0], "beam_vector": [0.0, 0.0, 1.0], "pix0_vector_m": [0.1, 0.2, 0.3],
    "hkl": "a b.hkl", "mat": "m.mat", "mask": "mask.img", "sourcefile": "s.txt", "default_F": 5.0, "dmin_A": 2.0,
    "seed": 5, "mosaic_seed": 6, "misset_seed": 7, "fudge": 0.5, "water_um": 3.0, "oversample": 2,
    "samplesize_mm": 0.001, "xtal_x_mm": 0.002, "sample_height_mm": 0.003, "fix": "water,cell", "column": "F",
    "symmetry": "P 1", "mask_keeps": "zero", "sf_resolution_A": 2.5, "oversample_thick": True, "detpixels_x": 4,
    "spindle_axis": [0.0, 1.0, 0.0], "detsize_fast_mm": 3.0, "detector_absorption_um": "inf", "divsteps": 4,
    "detector": "ccd", "psf": "fiber", "psf_fwhm_um": 50.0, "psf_radius": 3, "gain": 1.8, "offset": 20.0,
    "readout_noise": 3.5, "calibration": 0.02, "calibration_seed": 4, "flicker": 0.01, "saturation": 60000, "bits": 32,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(KEYWORDS))
def test_keywords_as_options(name: str) -> None:
    """The words of a keyword set what the keyword sets."""
    words = words_of({name: KEYWORDS[name]})
    # A flag that only counts when another word follows has one in every command line of a batch.
    check_same([*words, "-nopgm"], Config(**settings({name: KEYWORDS[name]})))


def test_every_column_is_tried() -> None:
    """By one of its names."""
    from nanobragg_py.batch.columns import NOT_OF_A_ROW, OF_THE_BASE
    from nanobragg_py.options.keywords import keywords

    known = keywords()
    tried = {known[name].row or known[name].name for name in KEYWORDS}
    left = {name for name, one in known.items() if (one.row or one.name) not in tried} - NOT_OF_A_ROW - OF_THE_BASE
    # Their siblings along y and z, horizontal and vertical, are tried.
    alike = {"Nb", "Nc", "Ybeam_mm", "ORGY", "Xclose_mm", "Yclose_mm", "odet_vector", "sdet_vector", "polar_vector"}
    alike |= {"twotheta_axis", "detector_roty_deg", "detector_rotz_deg", "vdivrange_mrad", "hdivstep_mrad", "vdivsteps"}
    alike |= {"detpixels_y", "detpixels_slow", "detsize_slow_mm", "img", "mosaicity_deg", "mosaic_spread_deg"}
    alike |= {"oversample_polar", "oversample_omega", "xtalsize_mm", "xtal_size_mm", "adc", "adc_offset"}
    prefixes = ("sample_", "xtal_", "width", "height")
    assert {name for name in left - alike if not name.startswith(prefixes)} == set()


def test_what_no_option_says() -> None:
    with pytest.raises(InputError, match="no option of the command line says so"):
        words_of({"nopolar": False})
    with pytest.raises(InputError, match="no command line says the same: distance_m would differ"):
        check_same(["-distance", "5"], Config(distance_m=0.006, pivot="beam"))


def test_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A command line, a file with one, TOML and JSON say the same; names of files become absolute."""
    monkeypatch.chdir(tmp_path)
    text = "-hkl 'a b.hkl' -cell 30 40 50 90 90 90 -N 3 -distance 60"
    (tmp_path / "base.txt").write_text(f"# the base\nnanoBragg {text} \\\n -seed 3\n")
    toml = 'hkl = "a b.hkl"\ncell = [30, 40, 50, 90, 90, 90]\nN = 3\ndistance_mm = 60\nseed = 3\n'
    (tmp_path / "base.toml").write_text(toml)
    (tmp_path / "base.json").write_text('{"hkl": "a b.hkl", "cell": [30,40,50,90,90,90], "N": 3, "distance_mm": 60.0,'
                                        ' "seed": 3}')  # fmt: skip
    found = [Base.of_file(f"base.{ending}").config() for ending in ("txt", "toml", "json")]
    assert found[0] == found[1] == found[2]
    assert found[0].hkl_file == str(tmp_path / "a b.hkl") and found[0].Na == 3
    assert Base.of_file("base.toml").says_noise and not Base.of_words(["-distance", "5"]).says_noise
    assert not Base.of_words("-seed 5 -nonoise".split()).says_noise
    capsys.readouterr()
    Base.of_words("-distance 5 --preview p.png -nosuch".split())
    said = capsys.readouterr().err
    assert "--preview: no effect in a batch" in said and "unknown option -nosuch is ignored" in said


@pytest.mark.parametrize(
    "name, text, message",
    [
        ("b.toml", "distance_mm = far", "b.toml: --base: "),
        ("b.toml", "distence_mm = 1", "b.toml: no keyword 'distence_mm'; did you mean distance_mm"),
        ("b.toml", "threads = 1", "b.toml: threads: a batch has its own"),
        ("b.toml", "background = 5", "b.toml: background: expected Amorphous(...), a name, or a mapping"),
        ("b.toml", "background = {thickness_mm = 1}", "background: expected material, thickness_mm, "),
        ("b.toml", 'background = {material = "ice", thick = 1}', "density_g_per_cm3, molecular_weight, got 'thick'"),
        ("b.toml", 'background = {material = "ice", thickness_mm = 0}', "background: thickness_mm: expected a number"),
        ("b.json", "[1]", "expected keywords and their values"),
        ("b.json", "{", "b.json: --base: "),
        ("b.txt", "-distance 1\n-distance 2\n", "expected one command line, found 2"),
        ("b.txt", "\n-distance far\n", "b.txt: line 2: option -distance: expected a number"),
        ("b.txt", "-distance 1 --frames 5 -osc 1\n", "--frames: a series within a batch"),
    ],
)
def test_bad_base(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError) as error:
        Base.of_file(str(tmp_path / name))
    assert message in str(error.value)
