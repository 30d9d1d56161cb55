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


def test_chosen_rings_lie_on_the_detector():
    config, _ = scan(DARK_TO_DMIN.split())
    assert isinstance(config, Config)
    rings = preview.choose_rings(resolve(config).detector, 1.2)
    assert 3 <= len(rings) <= 5 and list(rings) == sorted(rings, reverse=True)


@pytest.mark.parametrize("text", ["", "3,x", "0", "-2", "nan"])
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
