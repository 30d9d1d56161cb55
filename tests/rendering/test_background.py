"""Materials without order in the simulator: their photons from the formula, and how they are added to an image."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import fabio
import numpy as np
import pytest

from nanobragg_py import Amorphous, Config, InputError, Result, Simulator, simulate
from nanobragg_py.model.materials import MATERIALS

CELL: dict[str, Any] = {
    "cell": (50, 60, 70, 80, 90, 100), "default_F": 50, "N": 4, "detpixels": (48, 40), "pixel_mm": 1.5,
    "distance_mm": 90, "wavelength_A": 1.1, "oversample": 1, "fluence": 1e24, "beamsize_mm": 0.2,
    "misset": (10, 20, 30), "polar": 0.9,
}  # fmt: skip
WATER = Amorphous("water", thickness_mm=0.3)
AVOGADRO, R_E_SQUARED = 6.02214179e23, 7.94079248018965e-30


def expected_photons(result: Result, fast: float, slow: float) -> float:
    """Of water, in plain Python, at one point of the detector (pixels, from the first one's outer corner)."""
    detector, pixel, wavelength_A = result.experiment.detector, 1.5e-3, 1.1
    axes = detector.axes
    at = [
        corner + pixel * (fast * along_fast + slow * along_slow)
        for corner, along_fast, along_slow in zip(detector.pix0_m, axes.fdet, axes.sdet, strict=True)
    ]
    away = math.hypot(*at)
    ray = [coordinate / away for coordinate in at]
    stol = math.sin(math.acos(np.dot(ray, axes.beam)) / 2.0) / wavelength_A
    omega = pixel**2 * 0.09 / away**3
    # A wave with its field along E, or square to it, is not scattered along its field.
    along = 1.0 - float(np.dot(ray, axes.polar)) ** 2
    across = 1.0 - float(np.dot(ray, np.cross(axes.beam, axes.polar))) ** 2
    polarization = 0.95 * along + 0.05 * across
    molecules = 0.3e-3 * (0.2e-3) ** 2 * 0.998e6 / 18.015 * AVOGADRO
    squared = float(MATERIALS["water"].squared(np.array([stol]))[0])
    return R_E_SQUARED * 1e24 * molecules * squared * omega * polarization


def bare(**changed: Any) -> Result:
    """The crystal alone."""
    return simulate(**{**CELL, **changed})


def test_photons_follow_the_formula() -> None:
    """Pixels all over the detector, each the mean of four points."""
    result = simulate(**{**CELL, "default_F": 1e-9, "background": WATER})
    for slow, fast in ((3, 5), (10, 40), (30, 12), (39, 47), (20, 30), (19, 24)):
        points = [expected_photons(result, fast + f, slow + s) for f in (0.25, 0.75) for s in (0.25, 0.75)]
        assert result.image[slow, fast] == pytest.approx(sum(points) / 4.0, rel=2e-4)


def test_background_is_added_to_the_crystals_photons() -> None:
    """With a material the image is the crystal's plus the material's, as result.add gives it, rounded once."""
    alone, together = bare(), simulate(**CELL, background=WATER)
    added = alone.add(WATER)
    assert np.array_equal(added.image, together.image)
    water = together.image.astype(np.float64) - alone.image
    assert water.min() > 0.0
    # A difference of two float32 has no more digits than a double holds: the sum is rounded once here, too.
    assert np.array_equal(alone.add(water).image, together.image)


def test_materials_add_up() -> None:
    """Two layers of a material scatter as one of their thickness; others add."""
    two = simulate(**CELL, background=[Amorphous("water", 0.1), Amorphous("water", 0.2), Amorphous("air", 40)])
    one = bare().add(WATER, Amorphous("air", 40))
    assert two.image == pytest.approx(one.image, rel=1e-6)


def test_scattering_is_proportional_to_molecules() -> None:
    """Twice as dense, or half as heavy, or twice as thick: twice as much."""
    alone = bare().image.astype(np.float64)
    base = bare().add(Amorphous("water", 0.1)).image - alone
    for other in (
        Amorphous("water", 0.2),
        Amorphous("water", 0.1, density_g_per_cm3=2 * 0.998),
        Amorphous("water", 0.1, molecular_weight=18.015 / 2),
    ):
        assert bare().add(other).image - alone == pytest.approx(2.0 * base, rel=1e-5)


def test_tables_of_ones_own(tmp_path: Path) -> None:
    """A file and an array with the same numbers give the same image; the file needs density and weight."""
    stol = np.linspace(0.0, 0.6, 50)
    table = np.column_stack((stol, 10.0 * np.exp(-stol)))
    np.savetxt(tmp_path / "own.stol", table, fmt="%.17g")
    said = {"thickness_mm": 0.1, "density_g_per_cm3": 1.2, "molecular_weight": 30.0}
    from_file = simulate(**CELL, background=Amorphous(tmp_path / "own.stol", **said))
    from_array = simulate(**CELL, background=Amorphous(table, **said))
    assert np.array_equal(from_file.image, from_array.image)
    with pytest.raises(InputError, match=r"--background-density \(g/cm³\) and --background-mw"):
        simulate(**CELL, background=Amorphous(tmp_path / "own.stol", thickness_mm=0.1))


def test_pixels_that_are_not_rendered_stay_zero() -> None:
    mask = np.ones((40, 48), np.uint16)
    mask[:, 11] = 0
    image = simulate(**CELL, background=WATER, mask=mask, roi=(5, 40, 3, 30)).image
    inside = np.zeros_like(image, dtype=bool)
    inside[3:31, 5:41] = True
    inside[:, 11] = False
    assert (image[inside] > 0.0).all()
    assert not image[~inside].any()


def test_many_images_have_the_bits_of_single_ones() -> None:
    """The kept background serves other orientations and fluences; another distance gets one of its own."""
    with Simulator(**CELL, background=WATER) as simulator:
        for changed in ({}, {"fluence": 3e24}, {"distance_mm": 95}, {"phi_deg": 5}, {"beamsize_mm": 0.1}, {}):
            kept = simulator.render((1, 2, 3), **changed)
            alone = simulate(**{**CELL, "background": WATER, "misset": (1, 2, 3), **changed})
            assert np.array_equal(kept.image, alone.image), changed
        first = simulator._background
        simulator.render((4, 5, 6), fluence=1e23)
        assert simulator._background is first


def test_threads_do_not_matter() -> None:
    images = [
        simulate(**{**CELL, "detpixels": 300, "pixel_mm": 0.2}, background=WATER, threads=n).image for n in (1, 2, 5)
    ]
    assert np.array_equal(images[0], images[1])
    assert np.array_equal(images[0], images[2])


def test_weights_of_sources_and_layers_of_the_sensor_count() -> None:
    """The camera is the crystal's: a sensor that captures a part of the photons captures that part of water's, too."""
    thin = {"detector_absorb_um": 100, "detector_thick_um": 20}
    everything = simulate(**{**CELL, "default_F": 1e-9}, background=WATER).image
    captured = simulate(**{**CELL, "default_F": 1e-9, **thin}, background=WATER).image
    share = captured / everything
    # Where rays are nearly square to the sensor.
    assert share[20, 24] == pytest.approx(1.0 - math.exp(-0.2), rel=0.02)
    assert (share > share[20, 24] * 0.999).all()


def test_the_command_gives_the_same_bytes(tmp_path: Path) -> None:
    """Options on the command line, keywords in Python: one image, and its trace tells the pixel's value."""
    words = (
        "-cell 50 60 70 80 90 100 -default_F 50 -N 4 -detpixels_x 48 -detpixels_y 40 -pixel 1.5 -distance 90 "
        "-lambda 1.1 -oversample 1 -fluence 1e24 -beamsize 0.2 -misset 10 20 30 -polar 0.9 "
        "--background water --background-thick 0.3 --background air --background-thick 40 --fix none"
    ).split()
    result = simulate(Config.from_argv(words))
    assert np.array_equal(result.image, simulate(**CELL, background=[WATER, Amorphous("air", 40)], fix="none").image)
    said = run_program([*words, "-trace_pixel", "7", "9", "-seed", "1"], tmp_path)
    written = np.fromfile(tmp_path / "floatimage.bin", np.float32).reshape(40, 48)
    assert np.array_equal(written, result.image)
    assert f"floatimage_accumulated {float(written[7, 9]):.15g}" in said
    noise = fabio.open(tmp_path / "noiseimage.img").data
    assert np.array_equal(noise, result.noise(1).image)
    printed = run_program([*words, "-printout", "-seed", "1"], tmp_path)
    assert np.array_equal(np.fromfile(tmp_path / "floatimage.bin", np.float32).reshape(40, 48), result.image)
    assert f"pixel   {float(written[7, 9]):15.10g}" in printed


def run_program(words: list[str], folder: Path, status: int = 0) -> str:
    """Standard output of nanoBragg; of a run that fails, standard error."""
    command = [sys.executable, str(Path(__file__).resolve().parents[2] / "bin" / "nanoBragg"), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--background water", "--background water: expected --background-thick"),
        ("--background-thick 1", "expected after the --background"),
        ("--background water --background-thick 0", "expected a number above 0"),
        ("--background none.stol --background-thick 1 --background-density 1 --background-mw 18", "none.stol"),
        ("--background wter --background-thick 1", "known for water, air, paraffin only"),
    ],
)
def test_what_is_wrong_is_said(words: str, message: str, tmp_path: Path) -> None:
    base = "-cell 50 60 70 90 90 90 -default_F 1 -N 1 -detpixels 8"
    error = run_program([*base.split(), *words.split()], tmp_path, status=9)
    assert error.startswith("nanoBragg: error: ")
    assert message in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "value, message",
    [
        (5, "Amorphous"),
        ([("water", 1)], "Amorphous"),
        ("water", "water: expected --background-thick"),
        ([WATER, "air"], "air: expected --background-thick"),
        ({"thickness_mm": 1}, "expected material"),
        ({"material": "water", "thickness": 1}, "got 'thickness'"),
    ],
)
def test_backgrounds_that_are_none(value: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        simulate(**CELL, background=value)


def test_materials_by_their_fields() -> None:
    """As a file of keywords has them: the same as Amorphous."""
    plain = simulate(**CELL, background={"material": "water", "thickness_mm": 0.3})
    assert plain.config.background == (WATER,)
    assert np.array_equal(plain.image, simulate(**CELL, background=WATER).image)
    assert simulate(**CELL, background=None).config.background == ()


@pytest.mark.parametrize(
    "values", [{"material": 5}, {"material": "water", "thickness_mm": -1}, {"material": [(1, 2, 3)]}]
)
def test_materials_that_are_none(values: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        Amorphous(**values)


def test_tables_must_ascend() -> None:
    with pytest.raises(InputError, match="ascending"):
        bare().add(Amorphous([(0.1, 1.0), (0.0, 2.0)], 1.0, 1.0, 18.0))
