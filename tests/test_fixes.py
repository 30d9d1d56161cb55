"""--fix: corrected images against the textbook, which shares nothing with the package; and that each is needed."""

from __future__ import annotations

import math
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from textbook import Setup, image, reciprocal_vectors

from nanobragg_py import Config, simulate
from nanobragg_py.base.errors import InputError
from nanobragg_py.options.fixes import NAMES, Corrections

RIGHT = Setup(cell=(50.0, 60.0, 70.0, 90.0, 100.0, 90.0))
THREE = (((0.3, 0.1, -10.0), 1.0, 0.2), ((0.0, 0.0, -10.0), 1.01, 1.5), ((-0.2, 0.4, -10.0), 1.02, 0.7))
FACTORS = "-oversample_omega -oversample_polar"


def words_of(s: Setup, folder: Path) -> list[str]:
    """The command line of a textbook setup, uncorrected."""
    phis, org = s.phis_deg, s.pixels / 2 + 0.5
    words = ["-xds", "-ORGX", org, "-ORGY", org, "-distance", s.distance_mm, "-detpixels", s.pixels]
    words += ["-pixel", s.pixel_mm, "-lambda", s.wavelength_A, "-cell", *s.cell, "-default_F", 100]
    words += ["-Na", s.N[0], "-Nb", s.N[1], "-Nc", s.N[2], "-fluence", s.fluence_per_m2, "-nointerpolate"]
    words += ["-oversample", s.oversample, "-polar", s.kahn, "-phi", phis[0], "-dumpfile", folder / "none.bin"]
    if len(phis) > 1:
        words += ["-phistep", phis[1] - phis[0], "-osc", (phis[1] - phis[0]) * len(phis), "-phisteps", len(phis)]
    if s.thickness_um:
        words += ["-detector_thick", s.thickness_um, "-detector_abs", s.depth_um, "-detector_thicksteps", s.layers]
    if len(s.sources) > 1:
        rows = ["{} {} {} {} {}".format(*place, weight, wave * 1e-10) for place, wave, weight in s.sources]
        (folder / "sources.txt").write_text("\n".join(rows) + "\n")
        words += ["-sourcefile", folder / "sources.txt"]
    words += ["-water", s.water_um] if s.water_um else []
    words += [f"-{s.shape}_xtal" if s.shape == "gauss" else "-tophat_spots"] if s.shape != "square" else []
    return [str(word) for word in words]


def rendered(words: list[str]) -> np.ndarray:
    return simulate(Config.from_argv(words)).image.astype(np.float64)


def agree(a: np.ndarray, b: np.ndarray) -> bool:
    """Alike to float32's precision; zeros of the lattice's transform amplify roundings."""
    return np.allclose(a, b, rtol=2e-6, atol=1e-9 * b.max())


CASES = [
    ("upstream", replace(RIGHT, phis_deg=(0.0, 0.25)), ""),
    ("upstream", replace(RIGHT, phis_deg=(-0.25, 0.0, 0.25)), ""),
    ("upstream", replace(RIGHT, oversample=3, kahn=0.9), FACTORS),
    ("cell", Setup(), ""),
    ("cell", Setup(cell=(60.0, 60.0, 60.0, 70.0, 70.0, 70.0)), ""),
    ("water", replace(RIGHT, water_um=2.0), ""),
    ("water", replace(RIGHT, water_um=2.0, phis_deg=(10.0, 10.5), thickness_um=0.0), ""),
    ("weights", replace(RIGHT, sources=THREE), "--fix upstream -oversample_polar"),
    ("layers", replace(RIGHT, thickness_um=450.0, depth_um=235.0, layers=4, one_solid_angle=True), ""),
    ("layers", replace(RIGHT, thickness_um=450.0, depth_um=235.0, layers=3, one_solid_angle=True), "-oversample_thick"),
    ("layers,subpixel", replace(RIGHT, thickness_um=450.0, depth_um=235.0, layers=3, oversample=2), ""),
    ("subpixel", replace(RIGHT, oversample=4, kahn=0.9), ""),
    ("spot-width", replace(RIGHT, shape="gauss"), ""),
    ("spot-width", replace(RIGHT, shape="tophat", N=(3, 9, 4)), ""),
    ("all", Setup(oversample=2, kahn=0.7, sources=THREE, phis_deg=(0.0, 0.25), thickness_um=450.0, depth_um=235.0,
                  layers=3, water_um=2.0), ""),
    ("all", Setup(oversample=2, shape="gauss", sources=THREE, phis_deg=(0.0, 0.25), water_um=2.0), FACTORS),
    ("water,subpixel", replace(RIGHT, water_um=2.0, oversample=2), ""),
]  # fmt: skip


@pytest.mark.parametrize(("names", "setup", "more"), CASES, ids=[f"{i}-{case[0]}" for i, case in enumerate(CASES)])
def test_corrected_image_is_the_textbooks(names: str, setup: Setup, more: str, tmp_path: Path) -> None:
    words = [*words_of(setup, tmp_path), *more.split()]
    expected = image(setup)
    assert agree(rendered([*words, "--fix", names]), expected)
    assert not agree(rendered(words), expected), "the defect does not show: the test proves nothing"


def test_without_defects_nothing_changes(tmp_path: Path) -> None:
    """Where no defect shows, the image is the textbook's as it is, and the corrections leave it alone."""
    words = words_of(RIGHT, tmp_path)
    plain = rendered(words)
    assert agree(plain, image(RIGHT))
    assert np.array_equal(plain, rendered([*words, "--fix", "all"]))


def test_interpolation_falls_back_for_one_evaluation_only(tmp_path: Path) -> None:
    size = 4
    random = np.random.default_rng(1)
    table = random.uniform(50.0, 150.0, (2 * size + 1,) * 3)
    nodes = product(range(-size, size + 1), repeat=3)
    lines = [f"{h} {k} {l} {float(table[h + size, k + size, l + size])!r}\n" for h, k, l in nodes]
    (tmp_path / "list.hkl").write_text("".join(lines))

    def amplitude(hkl: np.ndarray) -> np.ndarray:
        flat = hkl.reshape(-1, 3)
        values = np.empty(len(flat))
        for row, (h, k, l) in enumerate(flat):
            index = np.array((h, k, l))
            nearest = np.ceil(index - 0.5).astype(int)
            first = np.floor(index).astype(int) - 1
            # The C program wants one index more than the four it takes.
            if np.all(index - 2 >= -size) and np.all(index + 2 <= size):
                nodes = [np.vander(first[i] + np.arange(4.0) - index[i], increasing=True) for i in range(3)]
                at = [np.linalg.inv(matrix)[0] for matrix in nodes]
                block = table[tuple(slice(f + size, f + size + 4) for f in first)]
                values[row] = np.einsum("i,j,k,ijk", *at, block)
            elif np.all(abs(nearest) <= size):
                values[row] = table[tuple(nearest + size)]
            else:
                values[row] = 100.0
        return values.reshape(hkl.shape[:-1])

    setup = replace(RIGHT, N=(1, 1, 1), amplitude=amplitude, pixel_mm=0.7)
    words = [w for w in words_of(setup, tmp_path) if w != "-nointerpolate"]
    words += ["-interpolate", "-hkl", str(tmp_path / "list.hkl")]
    expected = image(setup)
    assert agree(rendered([*words, "--fix", "interpolation"]), expected)
    assert not agree(rendered(words), expected)


def test_pix0_is_the_corner_of_the_first_pixel(tmp_path: Path) -> None:
    setup = replace(RIGHT, corner_mm=(-20.0, -45.0), distance_mm=80.0)
    words = words_of(setup, tmp_path)
    words += ["-fdet_vector", "1", "0", "0", "-sdet_vector", "0", "1", "0", "-odet_vector", "0", "0", "1"]
    words += ["-beam_vector", "0", "0", "1", "-polar_vector", "1", "0", "0", "-spindle_axis", "1", "0", "0"]
    words += ["-pix0_vector", "-0.020", "-0.045", "0.080"]
    expected = image(setup)
    assert agree(rendered([*words, "--fix", "pix0"]), expected)
    assert not agree(rendered(words), expected)
    backwards = [*words, "-pix0_vector", "0", "0", "-1", "--fix", "pix0"]
    with pytest.raises(InputError, match="-pix0_vector 0 0 -1"):
        rendered(backwards)


@given(
    st.tuples(*[st.floats(20.0, 200.0)] * 3),
    st.tuples(*[st.floats(65.0, 115.0)] * 3),
)
def test_any_cell_has_its_angles(edges: tuple[float, ...], angles: tuple[float, ...]) -> None:
    words = ["-cell", *edges, *angles, "-default_F", 1, "-detpixels", 2, "--fix", "cell", "-dumpfile", ""]
    real = np.array(simulate(Config.from_argv([str(w) for w in words])).experiment.crystal.real)
    expected = np.linalg.inv(reciprocal_vectors((*edges, *angles)))
    assert np.allclose(real @ real.T, expected @ expected.T, rtol=1e-9, atol=1e-9 * max(edges) ** 2)


def test_random_orientations_are_uniform() -> None:
    """Angle θ of a uniform rotation is distributed as (θ - sin θ)/π, and the crystal's axes point everywhere alike."""
    from nanobragg_py.resolve.crystal import resolve_crystal
    from nanobragg_py.resolve.random import RandomTable

    def axes(fixes: Corrections) -> np.ndarray:
        found = []
        for seed in range(1, 1001):
            config = Config(cell=(10.0, 10.0, 10.0), misset_random=True, misset_seed=seed, fixes=fixes)
            crystal = resolve_crystal(config, 1e-10, RandomTable(), 0, config.cell, None, (0.0, 0.0, 0.0))
            found.append(np.array(crystal.real).T / 10.0)
        return np.array(found)

    def kolmogorov(rotations: np.ndarray) -> float:
        cosine = (np.trace(rotations, axis1=1, axis2=2) - 1.0) / 2.0
        theta = np.sort(np.arccos(np.clip(cosine, -1.0, 1.0)))
        rank = np.arange(1, len(theta) + 1) / len(theta)
        return float(np.abs(rank - (theta - np.sin(theta)) / math.pi).max() * math.sqrt(len(theta)))

    uniform, reference = axes(Corrections(misset=True)), axes(Corrections())
    # 1.95: probability 0.001 (Kolmogorov); the seeds are fixed, so that the outcome is, too.
    assert kolmogorov(uniform) < 1.95
    assert kolmogorov(reference) > 1.95
    assert np.abs(uniform.mean(axis=0)).max() < 4.0 / math.sqrt(3 * 1000)


def test_curved_detector_counts_as_the_last_word() -> None:
    words = ["-cell", "10", "-default_F", "1"]
    assert Config.from_argv([*words, "--fix", "upstream", "-curved_det"]).curved_detector
    with pytest.warns(UserWarning, match="--fix upstream"):
        assert not Config.from_argv([*words, "-curved_det"]).curved_detector


def test_weights_must_be_usable(tmp_path: Path) -> None:
    words = words_of(replace(RIGHT, sources=tuple((p, w, 0.0) for p, w, _ in THREE)), tmp_path)
    with pytest.raises(InputError, match="expected weights of 0 or more"):
        rendered([*words, "--fix", "weights"])


def test_names() -> None:
    assert Corrections().and_named("all").names == NAMES
    assert Corrections().and_named("water, cell").names == ("cell", "water")
    with pytest.raises(InputError, match="no correction 'watre'"):
        Corrections().and_named("watre")
    assert Config.from_argv(["--fix", "cell", "--fix=water"]).fixes == Corrections(cell=True, water=True)
    assert Config.from_keywords(fix="cell,water").fixes == Corrections(cell=True, water=True)


def run(tmp_path: Path, *words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "nanobragg_py", *words]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)


def test_a_run_says_what_is_wrong_with_its_image(tmp_path: Path) -> None:
    """One line on standard error, with the names; none when they were corrected."""
    words = words_of(replace(Setup(), oversample=2, water_um=1.0), tmp_path)
    before = run(tmp_path, *words, "-nonoise", "-nopgm")
    assert before.returncode == 0
    assert [line for line in before.stderr.splitlines() if "--fix cell,water,subpixel " in line]
    after = run(tmp_path, *words, "-nonoise", "-nopgm", "--fix", "cell,water,subpixel")
    assert (after.returncode, "--fix" in after.stderr) == (0, False)
    assert run(tmp_path, "--fix", "typo").returncode == 9
    listed = run(tmp_path, "--fix", "list")
    assert listed.returncode == 0
    assert all(name in listed.stdout.splitlines() for name in (*NAMES, "all"))
