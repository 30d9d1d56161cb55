"""Each assumption of the fast walk's error bound, aimed at on purpose: what breaks one goes by the definition."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from nanobragg_py.base.shapes import SHAPES
from nanobragg_py.model.beam import R_E_SQR_M2
from nanobragg_py.model.experiment import Experiment
from nanobragg_py.options.config import scan
from nanobragg_py.rendering.backend import COMPILED_KERNELS, CompiledKernels
from nanobragg_py.rendering.fast_walk import broken_assumption
from nanobragg_py.rendering.inputs import KernelInputs, kernel_inputs
from nanobragg_py.rendering.renderer import Renderer
from nanobragg_py.resolve.stages import resolve

CAMERA = "-distance 100 -detpixels 24 -pixel 1 -oversample 1 -seed 1"
CRYSTAL = "-cell 50 60 70 80 90 100 -default_F 100 -misset 10 20 30 -nointerpolate"
# Scattering of water per m³ of it and electron²: 2.57², molecules in 1e6 g/m³ at 18 g/mol.
WATER_PER_M3 = 2.57**2 * 1e6 * 6.02214179e23 / 18.0

Resolve = Callable[[str], Experiment]
# Examples are drawn by the dozen; a folder for all of them will do.
several = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


class Definition(CompiledKernels):
    """Every pixel by the definition."""

    def walks_fast(self, inputs: KernelInputs) -> bool:
        """See Backend."""
        return False


class Reckless(CompiledKernels):
    """The fast walk whether its bound holds or not."""

    def walks_fast(self, inputs: KernelInputs) -> bool:
        """See Backend."""
        return True


@pytest.fixture
def experiment(tmp_path, monkeypatch) -> Resolve:
    """Experiments from command lines, in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    write_list(tmp_path / "signed.hkl", lambda h, k, l: 100.0 * (-1.0) ** (h + k + l))
    return lambda words: resolve(scan(words.split())[0])


def write_list(path, amplitude) -> None:
    rows = [(h, k, l) for h in range(-6, 7) for k in range(-6, 7) for l in range(-6, 7)]
    path.write_text("".join(f"{h} {k} {l} {amplitude(h, k, l):g}\n" for h, k, l in rows))


def image(experiment: Experiment, backend: CompiledKernels = COMPILED_KERNELS) -> np.ndarray:
    return Renderer(experiment, 1, backend=backend).render()


def same(experiment: Experiment, backend: CompiledKernels = COMPILED_KERNELS) -> bool:
    """Whether an image is the definition's, to the bit: not-a-number too."""
    return image(experiment, backend).tobytes() == image(experiment, Definition()).tobytes()


# A detector's fast axis that runs towards its normal: pixels of one row are in front of the sample and behind.
OBLIQUE = "-fdet_vector 1 0 1 -sdet_vector 0 -1 0 -odet_vector 1 0 0"
# What breaks an assumption, in which words, and whether the fast walk would then be wrong in so small an image.
BREAKS = [
    ("-oversample_thick -detector_thick 10 -detector_abs 20", "running sum is multiplied", True),
    ("-water -50 -fluence 1e30", "background is negative", False),
    ("-gauss_xtal -fudge -10 -N 10", "-fudge is negative", True),
    ("-round_xtal -fudge -1 -N 5", "-fudge is negative", False),
    ("-lambda 1e-9 -N 5", "Miller indices may be beyond 32 bits", False),
    ("-lambda 1e-9 -N 5 -round_xtal", "Miller indices may be beyond 32 bits", True),
    ("-cell 1e16 -N 5 -gauss_xtal", "Miller indices may be beyond 32 bits", True),
    ("-xtalsize 1e9 -beamsize -1", "arguments of sines may be beyond 1e10", True),
    ("-N 5 -fudge 1e30 -round_xtal", "arguments of sines may be beyond 1e10", False),
    ("-gauss_xtal -fluence 1e250 -default_F 1e100 -N 20", "products may be beyond", True),
    ("-fluence 1e-280 -default_F 1e140 -N 1", "products may be beyond", False),
    (f"{OBLIQUE} -Xbeam 150 -N 3", "has no direction", False),
    ("-distance 1e-100 -pixel 1e-102 -N 3", "has no direction", False),
    (f"{OBLIQUE} -Xbeam 200 -detector_thick 10 -detector_abs 20 -N 3", "capture fractions may be negative", False),
    ("-detector_thick 10 -detector_abs 20 -curved_det x", "capture fractions may be negative", False),
    ("-polar 3 -dispersion 3 -dispsteps 3 --fix subpixel", "polarization factor is negative", False),
]


@pytest.mark.parametrize(("words", "reason", "wrong"), BREAKS)
def test_what_breaks_an_assumption_goes_by_the_definition(experiment, words, reason, wrong):
    broken = experiment(f"{CAMERA} {CRYSTAL} {words}")
    assert reason in str(broken_assumption(kernel_inputs(broken)))
    assert same(broken)
    if wrong:
        assert not same(broken, Reckless()), "then the assumption need not be made"


KEEPS = [
    "-N 5",
    "-N 1000 -lambda 0.1",
    "-Na 2 -Nb 1 -Nc 30 -interpolate -hkl signed.hkl",
    "-xtalsize 1 -lambda 0.5 -cell 300 400 500",
    "-round_xtal -fudge 0 -N 5",
    "-gauss_xtal -fudge 100 -N 5",
    "-tophat_spots -mosaic 90 -mosaic_domains 3",
    "-water 100 -polar 1 -fluence 1e35 -default_F 1e5",
    "-detector_thick 450 -detector_abs 235 -detector_thicksteps 5 -detector_rotx 40",
    "-detector_thick 450 -detector_abs inf",
    "-curved_det x -distance 1000",
    "-point_pixel -distance 1e-3",
    "-dispersion 20 -dispsteps 5 -hdivrange 10 -hdivsteps 3",
    "-phi -1 -osc 360 -phisteps 50",
    "-detector_roty 180 -N 3",
    "-default_F 0 -hkl signed.hkl -N 4",
]


@pytest.mark.parametrize("words", KEEPS)
def test_ordinary_images_keep_every_assumption(experiment, words):
    ordinary = experiment(f"{CAMERA} {CRYSTAL} {words}")
    assert broken_assumption(kernel_inputs(ordinary)) is None
    assert same(ordinary)


def test_numbers_that_are_none_break_an_assumption(experiment):
    """Whatever is not-a-number or infinite among what the kernels are given."""
    inputs = kernel_inputs(experiment(f"{CAMERA} {CRYSTAL} -N 5 -gauss_xtal"))
    assert broken_assumption(inputs) is None
    for field in ("fluence_per_m2", "largest_F", "background", "fudge", "pixel_size_m", "pix0_m", "fdet", "odet", "Na"):
        for value in (math.nan, math.inf, -math.inf):
            parameters = inputs.parameters.copy()
            parameters[field] = value
            assert broken_assumption(inputs._replace(parameters=parameters)) is not None, (field, value)
    for array in ("sources", "cells"):
        for value in (math.nan, math.inf):
            changed = getattr(inputs, array).copy()
            changed.flat[3] = value
            assert broken_assumption(inputs._replace(**{array: changed})) is not None, (array, value)


shapes = st.sampled_from([flag for shape in SHAPES for flag in shape.flags])


@several
@given(shapes, st.floats(7, 17), st.floats(0, 9), st.integers(0, 2**31))
def test_large_arguments(experiment, shape, size, fraction, seed):
    """Arguments of sines from 1e7 to 1e17, made of many cells and of large indices in any proportion."""
    cells = 10 ** min(fraction, size - 1.0)
    wavelength = 10 ** (cells and (1.0 - (size - math.log10(cells))))
    words = f"{shape} -N {cells:.0f} -lambda {max(wavelength, 1e-12):.6g} -misset random -misset_seed {seed}"
    assert same(experiment(f"{CAMERA} {CRYSTAL} {words}"))


@several
@given(shapes, st.integers(0, 575), st.floats(-1e-13, 1e-13), st.floats(1, 6))
def test_background_that_cancels(experiment, shape, pixel, offset, cells):
    """A negative background that leaves nothing, or next to nothing, of one pixel's photons."""
    words = f"{CAMERA} {CRYSTAL} {shape} -N {cells:.0f} -nopolar -point_pixel -fluence 1e24"
    without = experiment(words)
    photons = float(image(without, Definition()).flat[pixel])
    assume(photons > 0.0)
    fluence = without.beam.intensity.fluence_per_m2
    inputs = kernel_inputs(without)
    row, column = divmod(pixel, 24)
    far = np.hypot(100.0, np.hypot(column + 0.5 - 13.0, row + 0.5 - 13.0)) * 1e-3
    intensity = photons * far**2 / (R_E_SQR_M2 * fluence)
    edge_um = -1e6 * (intensity * (1.0 + offset) / (WATER_PER_M3 * R_E_SQR_M2 * fluence)) ** (1.0 / 3.0)
    assert inputs.parameters["background"][0] == 0.0
    assert same(experiment(f"{words} -water {edge_um:.17g}"))


@several
@given(shapes, st.floats(-3, 4), st.integers(1, 20))
@example("-gauss_xtal", 1.0, 10)
def test_negative_fudge(experiment, shape, exponent, cells):
    assert same(experiment(f"{CAMERA} {CRYSTAL} {shape} -N {cells} -fudge {-(10.0**exponent):g}"))


@several
@given(shapes, st.sampled_from(["checks", "planes", "one", "opposite"]), st.floats(0.5, 40), st.floats(-200, 200))
def test_interpolation_between_amplitudes_that_cancel(experiment, tmp_path, shape, pattern, cell, power):
    """Sums that are exactly 0, or a rounding away from it, at any scale."""
    scale = 10.0**power
    patterns = {
        "checks": lambda h, k, l: scale * (-1.0) ** (h + k + l),
        "planes": lambda h, k, l: scale * (-1.0) ** h,
        "one": lambda h, k, l: scale * float((h, k, l) == (0, 0, 0)),
        "opposite": lambda h, k, l: scale * (h - 0.5) * abs(k + l),
    }
    write_list(tmp_path / "drawn.hkl", patterns[pattern])
    words = f"-hkl drawn.hkl -cell {cell:.6g} -default_F 0 -misset 90 0 0 -N 1 -interpolate {shape}"
    assert same(experiment(f"{CAMERA} {words}"))


@several
@given(shapes, st.floats(-150, 150), st.floats(-300, 300), st.floats(0, 30), st.floats(-90, 90))
@example("-gauss_xtal", 100.0, 250.0, 1.3, 1.0)
@example("-square_xtal", -150.0, 200.0, 30.0, 1.0)
def test_order_of_products(experiment, shape, F, fluence, cells, lengths):
    """Factors whose partial products overflow or underflow in one order and not in another."""
    camera = f"-distance {10.0**lengths:g} -pixel {10.0 ** (lengths - 2):g} -detpixels 12 -oversample 1 -seed 1"
    crystal = f"-default_F {10.0**F:g} -fluence {10.0**fluence:g} -xtalsize {5e-6 * 10.0**cells:g} -beamsize -1"
    assert same(experiment(f"{CRYSTAL} {camera} {crystal} {shape}"))
