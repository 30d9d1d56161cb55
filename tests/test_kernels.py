"""The two walks over the formula agree bit for bit, and what the second look is for."""

from __future__ import annotations

import platform
import subprocess
import sys

import numpy as np
import pytest

from nanobragg_py.base.errors import InputError
from nanobragg_py.model.experiment import Experiment
from nanobragg_py.options.config import scan
from nanobragg_py.rendering.renderer import Renderer
from nanobragg_py.resolve.stages import resolve as resolved

SHAPES = ("-square_xtal", "-round_xtal", "-gauss_xtal", "-tophat_spots -fudge 0.003")
CRYSTAL = (
    "-hkl 1a8o.hkl -cell 41.98 41.98 88.92 90 90 90 -misset 20 35 50 -lambda 1.0 -distance 160 "
    "-fluence 3e24 -seed 1 -noprogress"
)
OPTIONS = (
    "-N 20 -oversample 2",
    "-N 20 -oversample 1 -phi 0 -osc 0.3 -phisteps 3 -mosaic 0.3 -mosaic_domains 4",
    "-N 9 -oversample 2 -detector_thick 300 -detector_abs 200 -detector_thicksteps 3",
    "-N 12 -oversample 2 -dispersion 1 -dispsteps 3 -hdivrange 0.5 -hdivsteps 3 -polar 0.8",
    "-N 15 -oversample 1 -dmin 4 -water 20 -curved_det -nopolar",
    "-N 15 -oversample 1 -dmin 6 -polar 1 -roi 10 50 7 40 -point_pixel",
    "-Na 1 -Nb 7 -Nc 2 -oversample 2 -interpolate -default_F 20",
    "-Na 3 -Nb 1 -Nc 2 -oversample 1 -interpolate -dispersion 2 -dispsteps 2 -dmin 3.5",
    "-N 9 -oversample 2 -detector_thick 300 -detector_abs 200 -detector_thicksteps 3 -dispersion 2 -dispsteps 2 "
    "-polar 0.8 -water 20 --fix all",
    "-Na 3 -Nb 1 -Nc 2 -oversample 1 -interpolate -dispersion 2 -dispsteps 2 -dmin 3.5 -water 20 --fix all",
)


@pytest.fixture
def resolve(tmp_path, monkeypatch, golden_folder, capsys):
    """Experiments from command lines, in a folder with the protein's reflections."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "1a8o.hkl").symlink_to(golden_folder / "1a8o.hkl")

    def experiment(words: str) -> Experiment:
        config, _ = scan(words.split())
        return resolved(config)

    return experiment


def image(experiment: Experiment, threads: int = 2, error_scale: float = 1.0) -> np.ndarray:
    return Renderer(experiment, threads, error_scale=error_scale).render()


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_blocks_agree_with_the_definition(resolve, shape, options):
    """A bound so wide that every pixel gets a second look gives the same image."""
    experiment = resolve(f"{CRYSTAL} -detpixels 64 -pixel 1.2 {shape} {options}")
    quick = image(experiment)
    assert quick.any()
    assert np.array_equal(quick, image(experiment, error_scale=1e13))


@pytest.mark.parametrize("options", OPTIONS)
def test_threads_do_not_matter(resolve, options):
    experiment = resolve(f"{CRYSTAL} -detpixels 100 -pixel 0.9 {options}")
    alone = image(experiment, threads=1)
    for threads in (2, 7):
        assert np.array_equal(alone, image(experiment, threads=threads))


def test_without_a_second_look_pixels_differ(resolve):
    """The bound is needed: with none, a few pixels of a million round to another float32."""
    experiment = resolve(f"{CRYSTAL} -detpixels 1024 -distance 300 -pixel 0.05 -N 20 -oversample 1")
    differing = np.count_nonzero(image(experiment) != image(experiment, error_scale=0.0))
    assert 0 < differing < 100


def test_processor_without_fused_multiply_add(tmp_path, monkeypatch):
    """Code for the plainest x86-64 has no such instructions, and gives the same bytes."""
    if platform.machine() != "x86_64":
        pytest.skip("x86-64 only")
    command = [sys.executable, "-m", "nanobragg_py", "-default_F", "100", "-cell", "50", "60", "70", "80", "90", "100"]
    command += "-N 5 -detpixels 32 -pixel 2 -oversample 2 -nonoise -nopgm".split()
    images = []
    for processor in ("", "x86-64"):
        monkeypatch.setenv("NANOBRAGG_PROCESSOR", processor)
        if processor:
            monkeypatch.setenv("NANOBRAGG_CACHE", str(tmp_path / "kernels"))
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        images.append((tmp_path / "floatimage.bin").read_bytes())
    assert images[0] == images[1]
    assert list((tmp_path / "kernels").glob("render_square-*.o")), "compiled anew"


def test_a_grid_too_large_is_refused(resolve, tmp_path):
    (tmp_path / "far.hkl").write_text("0 0 0 1\n99999 99999 99999 1\n")
    with pytest.raises(InputError, match="GiB"):
        resolve("-hkl far.hkl -cell 50 -N 2 -detpixels 8")
