"""--preview: rings where a cutoff in resolution ends the image, spots that survive being made smaller, clear errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from forked import BASE, LIST, OUTPUTS, run_forked
from PIL import Image

from nanobragg_py.formats import preview
from nanobragg_py.options.config import Config, scan
from nanobragg_py.resolve.stages import resolve

DARK_TO_DMIN = "-default_F 1e-9 -cell 50 -N 5 -water 100 -lambda 1.2 -dmin 3 -oversample 1 -distance 60 -pixel 0.2"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "P1.hkl").write_text(LIST)
    return tmp_path


@pytest.mark.parametrize(
    "geometry",
    [
        "-mosflm -Xbeam 18 -Ybeam 25",
        "-mosflm -detector_rotx 5 -detector_roty 25 -detector_rotz 15",
        "-xds -twotheta 20",
        "-dials",
        "-mosflm -curved_det",
    ],
)
def test_rings_are_where_the_resolution_ends(folder, geometry):
    """Nothing is rendered beyond -dmin: that edge and the ring are within a pixel of one another, all around."""
    words = [*DARK_TO_DMIN.split(), *geometry.split(), "-detpixels_f", "240", "-detpixels_s", "200"]
    result = run_forked([*words, "-nonoise", "-nopgm"], folder)
    assert result.status == 0, result.err
    lit = np.fromfile(folder / "floatimage.bin", np.float32).reshape(200, 240) > 0
    detector = resolve(scan(words)[0]).detector
    inner, outer = (preview.ring(detector, 1.2, d) for d in (3.03, 2.97))
    compared = 0
    for points, expected in ((inner, True), (outer, False)):
        on = preview._inside(points, 240, 200)
        fast, slow = points[on].astype(int).T
        assert (lit[slow, fast] == expected).mean() > 0.995
        compared += on.sum()
    assert compared > 500


def test_picture_has_rings_and_leaves_the_rest_alone(folder):
    plain = run_forked(["-hkl", "P1.hkl", *BASE, "-detpixels", "150"], folder)
    drawn = run_forked(["-hkl", "P1.hkl", *BASE, "-detpixels", "150", "--preview", "a.png"], folder)
    assert (drawn.status, drawn.out) == (0, plain.out)
    assert all(drawn.files[name] == plain.files[name] for name in OUTPUTS)
    with Image.open(folder / "a.png") as picture:
        pixels = np.asarray(picture.convert("RGB")).astype(int)
    red = (pixels == preview.RING_COLOUR).all(axis=2)
    blue = (pixels == preview.CENTRE_COLOUR).all(axis=2)
    assert red.sum() > 500
    zoom = 700 // 150
    slow, fast = np.argwhere(blue).mean(axis=0)
    # MOSFLM's default beam centre lies half a pixel beyond the detector's middle, and its half pixel further.
    assert (slow, fast) == pytest.approx((76 * zoom, 76 * zoom), abs=1)


def test_single_pixels_survive_in_a_large_image():
    image = np.full((4100, 3000), 5.0, dtype=np.float32)
    spots = [(100, 200), (2049, 1501), (4099, 2999)]
    for slow, fast in spots:
        image[slow, fast] = 1e4
    grey, zoom = preview.picture(image)
    assert max(grey.shape) <= preview.LONGEST_SIDE
    assert [int(grey[int(s * zoom), int(f * zoom)]) for s, f in spots] == [0, 0, 0]
    assert (grey < 100).sum() == len(spots)


@pytest.mark.parametrize("level", [0.0, 7.0, np.nan])
def test_images_without_spots_are_drawn(level):
    grey, _ = preview.picture(np.full((30, 40), level, dtype=np.float32))
    assert grey.dtype == np.uint8 and np.ptp(grey) == 0


def with_spots(level: np.ndarray, spacing: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """An image of square spots of many strengths on a background; and where they are, bool."""
    image = level.astype(np.float32)
    spots = np.zeros(image.shape, dtype=bool)
    strengths = level.max() * np.geomspace(0.3, 60.0, 7)
    for number, slow in enumerate(range(spacing // 2, image.shape[0] - width, spacing)):
        for fast in range(spacing // 2 + number % 3, image.shape[1] - width, spacing):
            box = np.s_[slow : slow + width, fast : fast + width]
            image[box] += strengths[(slow + 3 * fast) % 7]
            spots[box] = True
    return image, spots


@pytest.mark.parametrize(("side", "spacing", "width"), [
    (64, 9, 2), (200, 7, 3), (512, 11, 2), (512, 40, 17), (1024, 60, 3), (1024, 23, 8), (1400, 50, 25),
])  # fmt: skip
def test_no_halo_where_the_background_is_even(side: int, spacing: int, width: int) -> None:
    """All that is not a spot has one grey, also close to strong spots."""
    image, spots = with_spots(np.full((side, side), 150.0), spacing, width)
    grey, zoom = preview.picture(image)
    shown = np.repeat(np.repeat(spots, int(zoom), axis=0), int(zoom), axis=1)
    assert np.ptp(grey[~shown]) <= 255 // preview.GREYS
    assert grey[shown].min() == 0 and 150 < grey[~shown][0] < 200


@pytest.mark.parametrize("side", [256, 600, 1300])
def test_no_halo_where_the_background_is_smooth(side: int) -> None:
    """The shadow is that of the background alone, within two of 85 greys."""
    slow, fast = np.mgrid[:side, :side] / side - 0.4
    level = 20.0 / (1.0 + 4.0 * (slow**2 + fast**2))
    image, spots = with_spots(level, 37, 4)
    found = preview.background(image)
    assert np.abs(found / level - 1.0).max() < 0.02
    grey, zoom = preview.picture(image)
    expected = 255 - 3 * np.rint(85 * preview.SHADOW * level / level.max())
    difference = grey[:: int(zoom), :: int(zoom)].astype(int) - expected
    assert np.abs(difference[~spots]).max() <= 2 * 3
    # Without any spot there is no contrast to be had from what is left over.
    plain, zoom = preview.picture(level.astype(np.float32))
    assert np.abs(plain[:: int(zoom), :: int(zoom)].astype(int) - expected).max() <= 2 * 3


def test_nothing_is_shadow_where_nothing_was_rendered() -> None:
    """A region of interest has no border of shadow, inside or outside."""
    image = np.zeros((512, 512), dtype=np.float32)
    image[100:300, 77:400] = 5.0
    image[150, 150] = 1e4
    grey, _ = preview.picture(image)
    lit = image > 0.0
    assert np.ptp(grey[lit & (image < 6.0)]) == 0 and (grey[~lit] == 255).all()


def test_formats(folder: Path) -> None:
    """By the ending of the name, in any alphabet; another one is refused before anything is rendered."""
    words = ["-hkl", "P1.hkl", *BASE]
    for name, kind in (
        ("a.png", "PNG"),
        ("b.jpg", "JPEG"),
        ("c.JPEG", "JPEG"),
        ("\N{LATIN SMALL LETTER U WITH DIAERESIS}.png", "PNG"),
    ):
        result = run_forked([*words, "--preview", name], folder)
        assert (result.status, result.err) == (0, "")
        with Image.open(folder / name) as picture:
            assert picture.format == kind and picture.size == (688, 688 + picture.size[1] - 688)
    for name in ("a.bmp", "a", "a.png.gz", "a.svg", ""):
        result = run_forked([*words, "--preview", name], folder)
        assert result.status == 9
        assert result.complaint == f"--preview {name}: expected a name that ends in .png, .jpg, .jpeg"


def test_jpeg_is_the_same_picture(folder: Path) -> None:
    for name in ("a.png", "a.jpg"):
        assert run_forked(["-hkl", "P1.hkl", *BASE, "--preview", name], folder).status == 0
    with Image.open(folder / "a.png") as exact, Image.open(folder / "a.jpg") as near:
        difference = np.asarray(exact.convert("L")).astype(int) - np.asarray(near.convert("L")).astype(int)
    assert np.abs(difference).mean() < 3


def test_chosen_rings_lie_on_the_detector():
    config, _ = scan(DARK_TO_DMIN.split())
    assert isinstance(config, Config)
    rings = preview.choose_rings(resolve(config).detector, 1.2)
    assert 3 <= len(rings) <= 5 and list(rings) == sorted(rings, reverse=True)


@pytest.mark.parametrize(
    "text", ["", "3,x", "0", "-2", "nan", "nan(0x1)", "1_0", "3,,4", "\N{ARABIC-INDIC DIGIT THREE}"]
)
def test_bad_rings_are_refused_before_rendering(folder, text):
    result = run_forked(["-hkl", "P1.hkl", *BASE, "--preview", "a.png", "--show-rings", text], folder)
    assert result.status == 9 and result.complaint.startswith("--show-rings: expected resolutions in Å")
    assert set(result.files) == {"P1.hkl"}


def test_caption_fits_the_picture():
    phrases = ["cell 10", "crystal 5 x 5 x 5", "a phrase that is wider than all", "end"]
    lines = preview.wrapped(phrases, len, 24)
    assert lines == ["cell 10", "crystal 5 x 5 x 5", "a phrase that is wider than all", "end"]
    assert preview.wrapped(phrases, len, 28)[0] == "cell 10    crystal 5 x 5 x 5"
    assert "    ".join(preview.wrapped(phrases, len, 30)) == "    ".join(phrases)
