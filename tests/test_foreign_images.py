"""-img and -mask in formats that fabio, NumPy and other programs write; the detector that comes out of them."""

from __future__ import annotations

from pathlib import Path

import fabio
import numpy as np
import pytest

from nanobragg_py import Config, InputError, simulate
from nanobragg_py.formats.foreign_images import is_foreign, mini_cbf_geometry

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


@pytest.fixture
def cbf(tmp_path) -> Path:
    """A miniCBF of 60 x 40 pixels with a gap and a bad pixel."""
    pixels = np.ones((40, 60), dtype=np.int32)
    pixels[10:12] = -1
    pixels[30, 5] = -2
    path = tmp_path / "frame_00001.cbf"
    image = fabio.cbfimage.CbfImage(data=pixels, header={"_array_data.header_contents": HEADER})
    image.write(str(path))
    return path


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


def test_options_win_over_the_header(cbf) -> None:
    """What is said on the command line is not taken from the header."""
    config = Config.from_argv(f"-img {cbf} -distance 300 -pixel 0.2 -detpixels 50 -lambda 1 -phi 0 -osc 1".split())
    experiment = simulate(config, **CRYSTAL).experiment
    assert experiment.detector.distance_m == 0.3 and experiment.detector.fpixels == 50
    assert experiment.beam.wavelength_m == 1e-10 and experiment.spindle.start_rad == 0.0


def test_masks_of_any_format(cbf, tmp_path) -> None:
    """Gaps, bad pixels and zeros are skipped, whatever the format; the image elsewhere is that without a mask."""
    keep = fabio.open(str(cbf)).data > 0
    np.save(tmp_path / "mask", keep)
    (tmp_path / "mask.npy").rename(tmp_path / "mask_without_suffix")
    fabio.edfimage.EdfImage(data=keep.astype(np.float32)).write(str(tmp_path / "mask.edf"))
    marked = np.where(keep, 7, np.iinfo(np.uint32).max).astype(np.uint32)
    np.save(tmp_path / "marked.npy", marked)
    (tmp_path / "mask.pgm").write_bytes(b"P5\n60 40\n255\n" + (keep * 9).astype(np.uint8).tobytes())
    whole = simulate(detpixels=(60, 40), pixel_mm=0.5, **CRYSTAL).image
    for name in ("mask_without_suffix", "mask.edf", "marked.npy", "mask.pgm"):
        image = simulate(mask=tmp_path / name, pixel_mm=0.5, **CRYSTAL).image
        assert np.array_equal(image, np.where(keep, whole, 0)), name
    assert not simulate(mask=cbf, **CRYSTAL).image[~keep].any()


def test_smv_of_other_programs(golden_folder, tmp_path) -> None:
    """Carriage returns and blanks about keywords: the numbers that the plain header gives."""
    plain = golden_folder / "inputs" / "header.img"
    content = plain.read_bytes()
    text, pixels = content[:512].split(b"}")[0].decode(), content[512:]
    other = text.replace("\n", "\r\n").replace("=", " = ") + "}\r\n"
    path = tmp_path / "other.img"
    path.write_bytes(other.encode().ljust(512) + pixels)
    assert is_foreign(str(path)) and not is_foreign(str(plain))
    if fabio_reads(path):
        assert simulate(img=path, **CRYSTAL).image.shape == simulate(img=plain, **CRYSTAL).image.shape


def fabio_reads(path: Path) -> bool:
    """Whether this version of fabio knows the dialect."""
    try:
        fabio.open(str(path)).close()
    except Exception:
        return False
    return True


@pytest.mark.parametrize(
    "content", [b"no image at all\n", b"###CBF: damaged", b"\x93NUMPY\x01", b"P5\n3 3\n255\n12", b"{"]
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
    geometry = mini_cbf_geometry("# Wavelength 0.0 A\n# Detector_distance 0 m\n# Beam_xy (1..2, 3) pixels\n")
    assert geometry.wavelength_m is None and geometry.distance_m is None and geometry.beam_px is None
