"""-img and -mask in formats that fabio, NumPy and other programs write; the detector that comes out of them."""

from __future__ import annotations

import gzip
from pathlib import Path

import fabio
import numpy as np
import pytest

from nanobragg_py import Config, InputError, simulate
from nanobragg_py.formats.mini_cbf import dectris_header
from nanobragg_py.formats.smv import C_PROGRAMS_START, is_smv

HEADER = """
# Detector: PILATUS3 6M, S/N 60-0126
# Pixel_size 172e-6 m x 172e-6 m
# Silicon sensor, thickness 0.000450 m
# Wavelength 0.97934 A
# Detector_distance 0.25012 m
# Beam_xy (30.50, 21.25) pixels
# Start_angle 12.5000 deg.
# Angle_increment 0.2000 deg.
"""
CRYSTAL = dict(cell=(40, 50, 60, 80, 95, 105), default_F=10, N=5, oversample=1)


def write_cbf(path: Path, header: str = HEADER) -> Path:
    """A miniCBF of 60 x 40 pixels with a gap and a bad pixel."""
    pixels = np.ones((40, 60), dtype=np.int32)
    pixels[10:12] = -1
    pixels[30, 5] = -2
    image = fabio.cbfimage.CbfImage(data=pixels, header={"_array_data.header_contents": header})
    image.write(str(path))
    return path


@pytest.fixture
def cbf(tmp_path) -> Path:
    return write_cbf(tmp_path / "frame_00001.cbf")


def test_mini_cbf_gives_the_geometry(cbf, capsys) -> None:
    """Detector, distance, wavelength, beam centre and angles in each convention; the words are on standard error."""
    where = {"mosflm": (21.25, 30.5), "xds": (30.5, 21.25), "denzo": (21.25, 30.5), "adxv": (30.5, 40 - 21.25)}
    for convention, (x, y) in where.items():
        experiment = simulate(img=cbf, convention=convention, **CRYSTAL).experiment
        d, spindle = experiment.detector, experiment.spindle
        half = 0.5 if convention == "mosflm" else 0.0
        assert (d.fpixels, d.spixels, d.pixel_size_m) == (60, 40, 172e-6)
        assert d.distance_m == pytest.approx(0.25012) and experiment.beam.wavelength_m == pytest.approx(0.97934e-10)
        assert (d.Xbeam_m, d.Ybeam_m) == pytest.approx(((x - half) * 172e-6, (y - half) * 172e-6))
        assert (d.Fbeam_m, d.Sbeam_m) == pytest.approx((30.5 * 172e-6, 21.25 * 172e-6))
        assert (spindle.start_rad, spindle.range_rad) == pytest.approx(np.radians((12.5, 0.2)))
    heard = capsys.readouterr()
    assert heard.out == "" and "beam at fast 30.5 slow 21.25 px" in heard.err and "distance 250.12 mm" in heard.err
    # Kernels that are compiled for the first time are told of, too.
    said = [line for line in heard.err.splitlines() if "compiling the kernels" not in line]
    assert "warning" not in heard.err and len(said) == len(where)


def test_options_win_over_the_header(cbf) -> None:
    """What is said on the command line is not taken from the header."""
    config = Config.from_argv(f"-img {cbf} -distance 300 -pixel 0.2 -detpixels 50 -lambda 1 -phi 0 -osc 1".split())
    experiment = simulate(config, **CRYSTAL).experiment
    assert experiment.detector.distance_m == 0.3 and experiment.detector.fpixels == 50
    assert experiment.beam.wavelength_m == 1e-10 and experiment.spindle.start_rad == 0.0


@pytest.mark.parametrize(
    ("line", "replaced", "field", "value"),
    [
        ("Energy 12660.0 eV", "Wavelength 0.97934 A", "wavelength_m", 12398.42 / 12660.0 * 1e-10),
        ("Photon_energy 12.66 keV", "Wavelength 0.97934 A", "wavelength_m", 12398.42 / 12660.0 * 1e-10),
        ("Wavelength 0.097934 nm", "Wavelength 0.97934 A", "wavelength_m", 0.97934e-10),
        ("Wavelength = 0.97934", "Wavelength 0.97934 A", "wavelength_m", 0.97934e-10),
        ("Wavelength nan A", "Wavelength 0.97934 A", "wavelength_m", 1e-10),
        ("Detector_distance 250.12 mm", "Detector_distance 0.25012 m", "distance_m", 0.25012),
        ("Detector_distance: 0.25012", "Detector_distance 0.25012 m", "distance_m", 0.25012),
        ("Pixel_size 172 um x 172 um", "Pixel_size 172e-6 m x 172e-6 m", "pixel_size_m", 172e-6),
        ("Pixel_size 0.172 mm x 0.172 mm", "Pixel_size 172e-6 m x 172e-6 m", "pixel_size_m", 172e-6),
        ("Pixel_size 172e-6 172e-6", "Pixel_size 172e-6 m x 172e-6 m", "pixel_size_m", 172e-6),
        ("Beam_xy (5.246, 3.655) mm", "Beam_xy (30.50, 21.25) pixels", "Fbeam_m", 30.5 * 172e-6),
        ("Omega 12.5 deg.", "Start_angle 12.5000 deg.", "start_rad", np.radians(12.5)),
    ],
)
def test_units_and_keywords_of_dectris_headers(line, replaced, field, value, tmp_path) -> None:
    """Energy for wavelength, millimetres for metres, no unit at all: the same detector."""
    assert replaced in HEADER
    found = simulate(img=write_cbf(tmp_path / "a.cbf", HEADER.replace(replaced, line)), **CRYSTAL).experiment
    part = {"wavelength_m": found.beam, "start_rad": found.spindle}.get(field, found.detector)
    assert getattr(part, field) == pytest.approx(value, rel=1e-9)


def test_an_energy_is_what_the_option_makes_of_it(tmp_path) -> None:
    text = HEADER.replace("Wavelength 0.97934 A", "Energy 12660 eV")
    header = simulate(img=write_cbf(tmp_path / "a.cbf", text), **CRYSTAL).experiment.beam.wavelength_m
    assert header == simulate(energy_eV=12660, detpixels=4, **CRYSTAL).experiment.beam.wavelength_m


def test_a_tiff_of_dectris_gives_the_geometry(tmp_path) -> None:
    """The same lines as in a CBF stand in its description."""
    from PIL import Image, TiffImagePlugin

    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = HEADER
    Image.fromarray(np.ones((40, 60), np.int32)).save(tmp_path / "a.tif", tiffinfo=tags)
    found = simulate(img=tmp_path / "a.tif", **CRYSTAL).experiment
    assert found.detector.distance_m == pytest.approx(0.25012) and found.detector.Fbeam_m == pytest.approx(
        30.5 * 172e-6
    )
    assert found.beam.wavelength_m == pytest.approx(0.97934e-10)


def test_other_formats_of_fabio_give_the_size(tmp_path, capsys) -> None:
    """And say what they do not give."""
    fabio.bruker100image.Bruker100Image(data=np.ones((40, 60), np.int32)).write(str(tmp_path / "a.sfrm"))
    found = simulate(img=tmp_path / "a.sfrm", **CRYSTAL).experiment.detector
    assert (found.fpixels, found.spixels) == (60, 40)
    assert "Bruker, 60 x 40 pixels" in (err := capsys.readouterr().err) and "no distance (100 mm)" in err


def test_rectangular_pixels(tmp_path, capsys) -> None:
    """No size stands in for both sides, unless one is given."""
    path = write_cbf(tmp_path / "a.cbf", HEADER.replace("x 172e-6", "x 86e-6"))
    with pytest.raises(InputError, match=r"a\.cbf: -img has pixels of 0\.172 x 0\.086 mm; expected square ones"):
        simulate(img=path, **CRYSTAL)
    assert simulate(img=path, pixel_mm=0.1, **CRYSTAL).experiment.detector.pixel_size_m == 0.1e-3
    assert "taken for squares of 0.1 mm" in capsys.readouterr().err


def test_what_is_missing_is_said_with_the_default_that_stands_in(tmp_path, capsys) -> None:
    """One warning for one image; nothing that an option or the other image says is missing."""
    lines = [line for line in HEADER.splitlines() if "Wavelength" not in line and "Beam" not in line]
    path = write_cbf(tmp_path / "a.cbf", "\n".join([*lines, "# Wavelength 0.0 A"]))
    simulate(img=path, **CRYSTAL)
    err = capsys.readouterr().err
    assert err.count("\n") == 2 and err.count("warning") == 1
    assert "'Wavelength 0.0 A' is no value; no wavelength (1 Å), no beam centre (the middle of the detector)" in err
    simulate(img=path, wavelength_A=1.1, Xbeam_mm=3, Ybeam_mm=3, **CRYSTAL)
    assert "(1 Å)" not in capsys.readouterr().err
    np.save(tmp_path / "mask.npy", np.ones((40, 60), bool))
    simulate(mask=tmp_path / "mask.npy", **CRYSTAL)
    err = capsys.readouterr().err
    for stand_in in ("pixel size (0.1 mm)", "distance (100 mm)", "start angle (0°)", "oscillation range (a still)"):
        assert f"no {stand_in}" in err
    simulate(mask=tmp_path / "mask.npy", img=write_cbf(tmp_path / "b.cbf"), **CRYSTAL)
    err = capsys.readouterr().err
    assert "warning" not in err and err.count("\n") == 2


@pytest.mark.parametrize("line", ["Wavelength inf A", "Detector_distance 1e999 m", "Beam_xy (inf, 2) pixels"])
def test_infinite_numbers_of_foreign_headers(line, tmp_path) -> None:
    """The file and its keyword are named."""
    name = line.split()[0]
    lines = [f"# {line}" if name in old else old for old in HEADER.splitlines()]
    with pytest.raises(InputError, match=rf"a\.cbf: '{name} .*': expected a finite number; -"):
        simulate(img=write_cbf(tmp_path / "a.cbf", "\n".join(lines)), **CRYSTAL)


def test_masks_of_any_format(cbf, tmp_path) -> None:
    """Gaps, bad pixels and zeros are skipped, whatever the format; the image elsewhere is that without a mask."""
    keep = fabio.open(str(cbf)).data > 0
    np.save(tmp_path / "mask", keep)
    (tmp_path / "mask.npy").rename(tmp_path / "mask_without_suffix")
    fabio.edfimage.EdfImage(data=keep.astype(np.float32)).write(str(tmp_path / "mask.edf"))
    marked = np.where(keep, 7, np.iinfo(np.uint32).max).astype(np.uint32)
    np.save(tmp_path / "marked.npy", marked)
    fabio.tifimage.TifImage(data=np.where(keep, 3, -1).astype(np.int32)).write(str(tmp_path / "mask.tif"))
    (tmp_path / "mask.pgm").write_bytes(b"P5\n60 40\n255\n" + (keep * 9).astype(np.uint8).tobytes())
    whole = simulate(detpixels=(60, 40), pixel_mm=0.5, **CRYSTAL).image
    for name in ("mask_without_suffix", "mask.edf", "marked.npy", "mask.tif", "mask.pgm"):
        image = simulate(mask=tmp_path / name, pixel_mm=0.5, **CRYSTAL).image
        assert np.array_equal(image, np.where(keep, whole, 0)), name
    assert not simulate(mask=cbf, **CRYSTAL).image[~keep].any()


def test_long_headers_are_read_to_their_end(tmp_path) -> None:
    """Keywords behind 64 kB of other lines count, compressed or not."""
    filler = "".join(f"# Comment {n:060d}\n" for n in range(2000))
    path = write_cbf(tmp_path / "a.cbf", filler + HEADER)
    packed = tmp_path / "a.cbf.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    for name in (path, packed):
        found = simulate(img=name, **CRYSTAL).experiment
        assert found.beam.wavelength_m == pytest.approx(0.97934e-10) and found.detector.pixel_size_m == 172e-6


def test_smv_of_other_programs(golden_folder, tmp_path) -> None:
    """Carriage returns and blanks about keywords: the image that the plain header gives, and the mask."""
    plain = golden_folder / "inputs" / "header.img"
    content = plain.read_bytes()
    text, pixels = content[:1024].split(b"}")[0].decode(), content[1024:]
    other = text.replace("\n", "\r\n").replace("=", " = ") + "}\r\n"
    path = tmp_path / "other.img"
    path.write_bytes(other.encode().ljust(1024) + pixels)
    assert is_smv(path.read_bytes()) and not path.read_bytes().startswith(C_PROGRAMS_START)
    for option in ("img", "mask"):
        assert np.array_equal(simulate(**{option: path}, **CRYSTAL).image, simulate(**{option: plain}, **CRYSTAL).image)


@pytest.mark.parametrize(
    "content",
    [
        b"no image at all\n",
        b"###CBF: damaged",
        b"\x93NUMPY\x01",
        b"P5\n3 3\n255\n12",
        b"{",
        b"II*\0damaged",
        b"\x89HDF",
    ],
)
def test_what_is_no_image_is_named(content, tmp_path) -> None:
    """An InputError with the file's name; standard output stays the caller's."""
    path = tmp_path / "bad.img"
    path.write_bytes(content)
    for option in ("img", "mask"):
        with pytest.raises(InputError, match=r"bad\.img"):
            simulate(**{option: path}, **CRYSTAL)


def test_headers_that_cannot_be() -> None:
    """A beamline that writes 0 where it knows nothing leaves the default."""
    geometry = dectris_header("# Wavelength 0.0 A\n# Detector_distance 0 m\n# Beam_xy (1..2, 3) pixels\n", 3, 3)
    assert geometry.wavelength_m is None and geometry.distance_m is None and geometry.beam_px is None
