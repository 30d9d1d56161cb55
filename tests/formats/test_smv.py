"""SMV headers and masks: any bytes at all, numbers that are none, types of pixels, headers of odd length."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
from forked import run_forked
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from nanobragg_py import InputError, simulate
from nanobragg_py.formats.image_header import ImageHeader
from nanobragg_py.formats.smv import frame_size, layout, smv_header_of, smv_pixels

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
NUMBERS = st.one_of(
    st.integers(-30, 30).map(str),
    st.floats(allow_nan=True).map(repr),
    st.sampled_from(
        "0x1p99999 -0x.8 1e999 1e-999 inf -nan nan(9) nan(0x1) . + - 1.2.3 --5 1e 0x 9999999999 \xb2".split()
    ),
)
KEYWORDS = st.sampled_from(
    "HEADER_BYTES SIZE1 SIZE2 DETECTOR_DIMENSIONS PIXEL_SIZE DISTANCE CLOSE_DISTANCE WAVELENGTH BEAM_CENTER_X "
    "BEAM_CENTER_Y XDS_ORGX ORGY PHI OSC_RANGE DIM TYPE Data_type BYTE_ORDER SIZE3 TWOTHETA".split()
)
TYPES = st.sampled_from(
    ["long int", "float IEEE", "unsigned_char", "short int", "unsigned_short", "double", "big_endian"]
)
HEADER_LINES = st.lists(st.tuples(KEYWORDS, NUMBERS | TYPES | st.integers(0, 9).map(str)), max_size=12).map(
    lambda pairs: "".join(f"{key}={value};\n" for key, value in pairs)
)


def read_or_refuse(content: bytes) -> tuple[ImageHeader, np.ndarray] | None:
    """Header and pixels of an SMV file, or None if it is refused; anything else it may raise is a failure."""
    try:
        found = layout(content, "file")
    except InputError as error:
        assert len(str(error)) < 400
        return None
    return smv_header_of(found), smv_pixels(found, content)


@FUZZ
@given(
    HEADER_LINES,
    st.binary(max_size=300),
    st.sampled_from(["512", " 512", "1024", "600", "513", "0", "-1", "1e9", "nan"]),
)
@example("SIZE1=4;\nSIZE2=4;\nDIM=3;\nSIZE3=99999;\n", bytes(32), "512")
@example("SIZE1=4;\nSIZE2=4;\nDIM=1000000000;\n", bytes(32), "512")
@example("SIZE1=4;\nSIZE2=2;\nData_type=float IEEE;\n", bytes(32), "512")
@example("SIZE1=4;\nSIZE2=2;\n", bytes(33), "513")
@example("SIZE1=1e10;\nSIZE2=1e300;\n", bytes(32), "512")
def test_any_header(lines: str, pixels: bytes, size: str) -> None:
    """A header is refused, or its pixels are all in the file and are read."""
    head = f"{{\nHEADER_BYTES={size};\n{lines}}}\f".encode()
    content = head.ljust(512) + pixels
    found = read_or_refuse(content)
    if found is not None:
        header, mask = found
        width, height = frame_size(layout(content, "file").text)
        assert width > 0 and height > 0 and mask.nbytes <= len(content)
        assert mask.shape == (height, width) == (header.spixels, header.fpixels)


@FUZZ
@given(st.binary(max_size=700))
def test_any_bytes(content: bytes) -> None:
    for start in (b"", b"{\nHEADER_BYTES=512;\n"):
        read_or_refuse(start + content)


# --- as a user meets them ----

CRYSTAL = dict(cell=(40, 50, 60), default_F=100, N=5, oversample=1)
# CLOSE_DISTANCE stands before DISTANCE, which would be found in it if it were the last.
KEYS = {
    "PIXEL_SIZE": "0.5", "CLOSE_DISTANCE": "119", "DISTANCE": "120.5", "WAVELENGTH": "0.97934", "BEAM_CENTER_X": "4",
    "BEAM_CENTER_Y": "6.5", "XDS_ORGX": "12.5", "XDS_ORGY": "9", "PHI": "12", "OSC_RANGE": "0.5",
}  # fmt: skip


def smv(
    keys: dict[str, str], size: int = 512, lines: str = "TYPE=unsigned_short;\n", pixels: bytes | None = None
) -> bytes:
    """An SMV image of 20 x 16 pixels of 1, in the first row 0."""
    text = f"{{\nHEADER_BYTES={size:5d};\nDIM=2;\nBYTE_ORDER=little_endian;\n{lines}SIZE1=20;\nSIZE2=16;\n"
    text += "".join(f"{name}={value};\n" for name, value in keys.items()) + "}\f"
    return text.encode().ljust(size) + (bytes(40) + b"\1\0" * 300 if pixels is None else pixels)


def without(name: str) -> dict[str, str]:
    return {key: value for key, value in KEYS.items() if key != name}


@pytest.mark.parametrize("spelling", ["nan", "-NaN", "nan(0x1)"])
@pytest.mark.parametrize("keyword", KEYS)
def test_nan_is_no_value(keyword: str, spelling: str, tmp_path: Path) -> None:
    """Image and log are those of the header without the keyword, for both options and where the origin counts too."""
    runs = []
    for keys in (KEYS | {keyword: spelling}, without(keyword)):
        (tmp_path / "a.img").write_bytes(smv(keys))
        for words in ("-img a.img", "-mask a.img", "-img a.img -xds"):
            line = f"{words} -cell 40 50 60 -default_F 100 -N 5 -oversample 1 -seed 1 -nonoise -nopgm".split()
            run = run_forked(line, tmp_path)
            assert run.status == 0, run.err
            runs.append((run.out, run.files["floatimage.bin"], run.warnings))
    assert runs[:3] == runs[3:]
    assert not np.isnan(np.frombuffer(runs[0][1], np.float32)).any()


@pytest.mark.parametrize("keyword", KEYS)
@pytest.mark.parametrize("spelling", ["inf", "-infinity", "1e999"])
def test_an_infinite_number_names_file_and_keyword(keyword: str, spelling: str, tmp_path: Path) -> None:
    path = tmp_path / "a.img"
    path.write_bytes(smv(without("CLOSE_DISTANCE") | {keyword: spelling}))
    for option in ("img", "mask"):
        name = keyword.removeprefix("CLOSE_").removeprefix("XDS_")
        with pytest.raises(
            InputError, match=rf"a\.img: '.*{name}={spelling}': expected a finite number; -\w+ overrides"
        ):
            simulate(**{option: path}, **CRYSTAL)


@pytest.mark.parametrize("keyword", ["PIXEL_SIZE", "DISTANCE", "CLOSE_DISTANCE", "WAVELENGTH"])
@pytest.mark.parametrize("value", ["0", "-100.0", "1e300"])
def test_sizes_that_cannot_be_name_file_and_keyword(keyword: str, value: str, tmp_path: Path) -> None:
    """And an option that says the same is taken in their place."""
    path = tmp_path / "a.img"
    path.write_bytes(smv(without("CLOSE_DISTANCE") | {keyword: value}))
    with pytest.raises(
        InputError, match=rf"a\.img: '.*{keyword.removeprefix('CLOSE_')}={value}': expected a size above 0"
    ):
        simulate(img=path, **CRYSTAL)
    said = {"PIXEL_SIZE": "pixel_mm", "DISTANCE": "distance_mm", "WAVELENGTH": "wavelength_A"}.get(keyword)
    if said is not None:
        assert simulate(img=path, **{said: 1.0}, **CRYSTAL).image.shape == (16, 20)


def test_odd_headers_are_counted_in_words(tmp_path: Path) -> None:
    """As the C program counts them: 1025 bytes are 512 words."""
    content = smv(KEYS, 1025, pixels=b"")[:1024] + struct.pack("<320H", *[0] * 5 + [7] * 315) + b"\n"
    (tmp_path / "odd.img").write_bytes(content)
    image = simulate(mask=tmp_path / "odd.img", **CRYSTAL).image
    assert not image[0, :5].any() and image.reshape(-1)[5:].all()


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("TYPE=long_integer;\nData_type=long int;\n", "<i4"),
        ("TYPE=float;\n", "<f4"),
        ("Data_type=unsigned long int;\nBYTE_ORDER=big_endian;\n", ">u4"),
        ("Data_type=unsigned char;\n", "u1"),
    ],
)
def test_masks_of_other_than_16_bits(lines: str, code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Read as they are; what the C program would make of them is said."""
    values = np.arange(320).reshape(16, 20) % 7
    (tmp_path / "a.img").write_bytes(smv(KEYS, 1024, lines, values.astype(code).tobytes()))
    image = simulate(mask=tmp_path / "a.img", **CRYSTAL).image
    assert np.array_equal(image > 0, values > 0)
    err = capsys.readouterr().err
    assert (
        "the C program takes any for 16 bits" in err and f"skips {np.count_nonzero(values == 0)} of 320 pixels" in err
    )


def test_a_type_that_the_pixels_are_not_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.img").write_bytes(smv(KEYS, lines="TYPE=long_integer;\n"))
    image = simulate(mask=tmp_path / "a.img", **CRYSTAL).image
    assert not image[0].any() and image[1:].all()
    assert "room for pixels of 16 bits only" in capsys.readouterr().err


def test_one_line_where_nothing_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.img").write_bytes(smv(KEYS))
    for option, says in (("img", "a.img: -img: SMV, 20 x 16 pixels"), ("mask", "0 is skipped: skips 20 of 320 pixels")):
        simulate(**{option: tmp_path / "a.img"}, **CRYSTAL)
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and says in err and "warning" not in err


def test_what_the_header_says_without_effect(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A tilt, unless an option gives one; -distance, over which the header's near distance wins as in the C program."""
    (tmp_path / "a.img").write_bytes(smv(KEYS | {"TWOTHETA": "5"}))
    simulate(img=tmp_path / "a.img", **CRYSTAL)
    assert "tilted by 5° ('TWOTHETA=5')" in capsys.readouterr().err
    simulate(img=tmp_path / "a.img", twotheta_deg=5, **CRYSTAL)
    assert "tilted" not in capsys.readouterr().err
    found = simulate(img=tmp_path / "a.img", distance_mm=200, **CRYSTAL).experiment.detector
    assert found.close_distance_m == 0.119
    assert "'CLOSE_DISTANCE=119' wins over -distance" in capsys.readouterr().err
