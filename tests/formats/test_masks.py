"""-mask: which pixels each format's values keep, what is said of it, and what forces it the other way."""

from __future__ import annotations

from pathlib import Path

import fabio
import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nanobragg_py import InputError, simulate
from nanobragg_py.formats.mask_values import COUNTS, NOT_ZERO_IS_GOOD, ZERO_IS_GOOD, kept
from nanobragg_py.options.config import scan

CRYSTAL = dict(cell=(40, 50, 60), default_F=100, N=5, oversample=1, pixel_mm=0.5)
KEEP = np.arange(40 * 60).reshape(40, 60) % 7 > 1
PIXELS = KEEP.size
SKIPPED = PIXELS - np.count_nonzero(KEEP)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def write_hdf5(path: Path, pixels: np.ndarray, name: str = "entry/data/data_000001") -> None:
    with h5py.File(path, "w") as file:
        file[name] = pixels


def rendered(path: object, **said: object) -> np.ndarray:
    return simulate(mask=path, **CRYSTAL, **said).image > 0


# --- the meaning of a format ----


def test_fit2d_masks_mark_what_is_skipped(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1 is masked; fabio writes the file."""
    fabio.fit2dmaskimage.Fit2dMaskImage(data=(~KEEP).astype(np.uint8)).write(str(folder / "m.msk"))
    assert np.array_equal(rendered(folder / "m.msk"), KEEP)
    assert f"what is not 0 is skipped: skips {SKIPPED} of {PIXELS} pixels" in capsys.readouterr().err


@pytest.mark.parametrize("width", [1, 31, 32, 33, 64, 65])
def test_fit2d_masks_of_any_width(width: int, folder: Path) -> None:
    marks = (np.arange(3 * width).reshape(3, width) % 3 == 0).astype(np.uint8)
    fabio.fit2dmaskimage.Fit2dMaskImage(data=marks).write(str(folder / "m.msk"))
    image = simulate(mask=folder / "m.msk", **CRYSTAL).experiment.mask
    assert np.array_equal(image != 0, marks == 0)


@pytest.mark.parametrize("code", ["u1", "u2", "u4", "u8"])
def test_eiger_marks_in_every_width(code: str, folder: Path) -> None:
    """The largest number is a gap, the one below a bad pixel."""
    largest = np.iinfo(code).max
    pixels = np.full(KEEP.shape, largest, dtype=code)
    pixels[KEEP] = 3
    pixels[0, :9] = largest - 1
    pixels[1, :9] = largest - 2
    expected = KEEP.copy()
    expected[0, :9], expected[1, :9] = False, True
    write_hdf5(folder / "u.h5", pixels[None])
    assert np.array_equal(rendered(folder / "u.h5"), expected)


@pytest.mark.parametrize("code", ["u2", "u4", "i4", "f4"])
def test_marks_in_other_formats(code: str, folder: Path) -> None:
    """Marks of unsigned types, negative numbers, and what is not a number."""
    bad = {"u": np.iinfo("u2").max if code == "u2" else np.iinfo("u4").max, "i": -2, "f": np.nan}[code[0]]
    pixels = np.where(KEEP, 3, bad).astype(code)
    np.save(folder / "m.npy", pixels)
    fabio.tifimage.TifImage(data=pixels).write(str(folder / "m.tif"))
    fabio.edfimage.EdfImage(data=pixels).write(str(folder / "m.edf"))
    for name in ("m.npy", "m.tif", "m.edf"):
        assert np.array_equal(rendered(folder / name), KEEP), name


def test_masks_painted_in_black_and_white(folder: Path) -> None:
    """White is kept, although 255 would be a mark in an image of a detector."""
    white = np.where(KEEP, 255, 0).astype(np.uint8)
    write_hdf5(folder / "m.h5", white, "mask")
    np.save(folder / "m.npy", white)
    fabio.tifimage.TifImage(data=white).write(str(folder / "m.tif"))
    (folder / "m.pgm").write_bytes(b"P5\n60 40\n255\n" + white.tobytes())
    for name in ("m.h5", "m.npy", "m.tif", "m.pgm"):
        assert np.array_equal(rendered(folder / name), KEEP), name


@pytest.mark.parametrize("place", ["pixel_mask", "detectorSpecific/pixel_mask"])
def test_the_pixel_mask_of_a_master(place: str, folder: Path) -> None:
    """0 is good, whatever the image is; a data set that is named is taken."""
    bits = np.where(KEEP, 0, 1 << 8).astype(np.uint32)
    with h5py.File(folder / "m.h5", "w") as file:
        file["entry/data/data_000001"] = np.zeros((3, 40, 60), np.uint16)
        file["entry/instrument/detector/" + place] = bits
    assert np.array_equal(rendered(folder / "m.h5"), KEEP)
    assert np.array_equal(rendered(f"{folder}/m.h5::/entry/instrument/detector/{place}"), KEEP)
    assert not rendered(f"{folder}/m.h5::2").any()


def test_numpy_booleans_say_what_is_kept(folder: Path) -> None:
    np.save(folder / "m.npy", KEEP)
    assert np.array_equal(rendered(folder / "m.npy"), KEEP)
    assert np.array_equal(rendered(KEEP), KEEP)


def test_masked_arrays_say_what_is_masked() -> None:
    """Whatever the data are."""
    assert np.array_equal(rendered(np.ma.array(np.zeros(KEEP.shape), mask=~KEEP)), KEEP)
    assert rendered(np.ma.array(np.ones(KEEP.shape))).all()


@given(hnp.arrays(st.sampled_from([np.bool_, np.uint8, np.uint16, np.int32, np.float32]), (3, 4)), st.booleans())
def test_any_values(pixels: np.ndarray, narrow: bool) -> None:
    """0 and 1 mean the same everywhere; zero and nonzero are each other's opposite."""
    assert np.array_equal(kept(pixels, ZERO_IS_GOOD), ~kept(pixels, NOT_ZERO_IS_GOOD))
    keep = kept(pixels, COUNTS, narrow)
    assert keep.shape == pixels.shape and keep.dtype == bool
    assert not keep[pixels == 0].any() and keep[pixels == 1].all()
    if pixels.dtype.kind in "if":
        assert not keep[~(pixels > 0)].any()


# --- forced, and said ----


def test_the_meaning_can_be_forced(folder: Path) -> None:
    """For files and arrays, on the command line and in Python."""
    np.save(folder / "m.npy", ~KEEP)
    fabio.fit2dmaskimage.Fit2dMaskImage(data=KEEP.astype(np.uint8)).write(str(folder / "m.msk"))
    assert np.array_equal(rendered(folder / "m.npy", mask_keeps="zero"), KEEP)
    assert np.array_equal(rendered(folder / "m.msk", mask_keeps="nonzero"), KEEP)
    assert np.array_equal(rendered(~KEEP, mask_keeps="zero"), KEEP)
    assert np.array_equal(rendered(KEEP, mask_keeps="nonzero"), KEEP)
    assert scan(["-mask", "m.npy", "--mask-keeps", "zero"])[0].mask_keeps == "zero"
    with pytest.raises(InputError, match="--mask-keeps: expected zero or nonzero, got 'one'"):
        scan(["--mask-keeps=one"])
    with pytest.raises(InputError, match="mask_keeps: expected 'zero' or 'nonzero', got 1"):
        rendered(KEEP, mask_keeps=1)


@pytest.mark.parametrize("keeps", [None, "zero"])
def test_a_mask_that_leaves_nothing(keeps: str | None, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The image is black, and a warning says so and how to read the mask the other way."""
    empty = np.full(KEEP.shape, keeps is not None)
    np.save(folder / "m.npy", empty)
    for mask in (folder / "m.npy", empty):
        assert not rendered(mask, mask_keeps=keeps).any()
        err = capsys.readouterr().err
        assert (
            f"leaves no pixel to render, the image is 0; --mask-keeps {'zero' if keeps is None else 'nonzero'}" in err
        )
    assert f"skips {PIXELS} of {PIXELS} pixels" in err or "m.npy" not in err


def test_a_mask_of_another_size_names_it(folder: Path) -> None:
    np.save(folder / "m.npy", KEEP)
    with pytest.raises(InputError, match=r"m\.npy: the mask has 60 x 40 pixels; expected the detector's 50 x 50"):
        simulate(mask=folder / "m.npy", detpixels=50, **CRYSTAL)
