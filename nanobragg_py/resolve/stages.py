"""From a configuration, and arrays in place of files, to the complete experiment: a run's stages without its log."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..base.files import file_is_there
from ..base.memory import _require_room
from ..base.vectors import Vector, cross, unit
from ..formats.reflection_list import read_list
from ..formats.smv import HeaderDefaults
from ..model import structure_factors
from ..model.background import AVOGADRO, WATER_F, WATER_MOLECULAR_WEIGHT, Background
from ..model.beam import R_E_SQR_M2, Sources
from ..model.crystal import Crystal
from ..model.detector import Detector
from ..model.experiment import Camera, Experiment
from ..model.spindle import spindle_cells
from ..model.structure_factors import Grid
from ..model.subpixels import Oversampling, SampledFactors
from ..options.config import Config
from .arrays import NO_ARRAYS, Arrays
from .beam import resolve_intensity
from .crystal import resolve_crystal
from .crystal_data import take_crystal_data
from .detector import resolve_detector
from .files import load_grid, resolve_headers, resolve_mask
from .random import RandomTable
from .sampling import resolve_mosaic, resolve_phi, resolve_range, resolve_region
from .sources import checked_sources, resolve_sources

DEFAULT_MOSAIC_SEED = -12345678
STEP_BYTES = 1200
DOMAIN_BYTES = 72


class NothingToDo(Exception):
    """Neither structure factors nor a cell were given: the C program prints its usage and exits."""


def resolve_camera(config: Config, header: HeaderDefaults) -> Camera:
    """Detector, beam and steps."""
    intensity = resolve_intensity(config)
    wavelength = next((v for v in (config.wavelength_m, header.wavelength_m) if v is not None), 1e-10)
    if not 0.0 < wavelength < 1.0:
        raise InputError(f"-lambda: expected a wavelength above 0 Å, got {wavelength * 1e10:g}")
    detector = resolve_detector(config, header)
    phi = resolve_phi(config.osc if config.osc is not None else header.osc, config.phi_step, config.phi_steps)
    if phi.count < 1:
        raise InputError("-osc 0 with -phistep gives no spindle steps: expected a range above 0 degrees")
    mosaic = resolve_mosaic(config.mosaic_spread, config.mosaic_domains)
    _require_room(phi.count, STEP_BYTES, "spindle steps")
    _require_room(detector.layers.count, STEP_BYTES, "layers of the sensor")
    _require_room(mosaic.domains, DOMAIN_BYTES, "mosaic domains")
    axes = detector.axes
    return Camera(
        detector=detector,
        intensity=intensity,
        wavelength_m=wavelength,
        vertical=unit(cross(axes.beam, axes.polar)),
        phi_start=next((v for v in (config.phi, header.phi) if v is not None), 0.0),
        phi=phi,
        horizontal=resolve_range(config.hdiv_range, config.hdiv_step, config.hdiv_steps),
        upright=resolve_range(config.vdiv_range, config.vdiv_step, config.vdiv_steps),
        dispersion=resolve_range(config.dispersion, None, config.dispersion_steps),
        mosaic=mosaic,
        region=resolve_region(config, detector.fpixels, detector.spixels),
    )


def check_there_is_something_to_do(config: Config) -> None:
    """Raise NothingToDo where the C program prints its usage."""
    no_factors = config.hkl_file is None and config.default_F == 0.0 and not file_is_there(config.dump_file)
    no_cell = config.mat_file is None and not (config.cell and config.cell[0] != 0.0)
    if no_factors or no_cell:
        raise NothingToDo


def resolve_interpolation(config: Config) -> bool:
    """On when asked for, or when nothing was said and the crystal is at most two cells wide somewhere."""
    if config.interpolate is not None:
        return config.interpolate
    return any(count is None or count <= 2 for count in (config.Na, config.Nb, config.Nc))


def resolve_oversampling(config: Config, camera: Camera, crystal: Crystal) -> Oversampling:
    """Sub-pixels from the crystal's width against the size of a pixel in reciprocal space."""
    detector = camera.detector
    largest = max(crystal.size_m)
    reciprocal_pixel = camera.wavelength_m * detector.distance_m / detector.pixel_size_m
    wanted = divide(3.0 * largest, reciprocal_pixel)
    if not wanted <= 1e5 and not (config.oversample or 0) > 0:
        raise InputError(f"oversampling of {wanted:.3g} would be needed: give -oversample, a smaller -N, or pixels")
    recommended = int(-(-wanted // 1)) if wanted < 2**31 else 2**31 - 1
    recommended = max(recommended, 1)
    automatic = config.oversample is None or config.oversample <= 0
    return Oversampling(recommended if automatic else config.oversample, recommended, automatic, reciprocal_pixel)


def complete(
    config: Config, camera: Camera, crystal: Crystal, interpolate: bool, oversampling: Oversampling,
    grid: Grid, sources: Sources, random: RandomTable, noise_seed: int, mask: np.ndarray | None = None,
) -> Experiment:  # fmt: skip
    """Put the parts together: orientations, mask, number of steps, background.

    mask: uint16 (slow, fast), 0 = skip; read from config.mask_file if None.
    """
    mosaic, phi = camera.mosaic, camera.phi
    seed = DEFAULT_MOSAIC_SEED if config.mosaic_seed is None else config.mosaic_seed
    domains, _ = random.rotations(seed, mosaic.spread, mosaic.domains)
    # The first domain is forced to be aligned.
    domains[0] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    steps = len(sources.weight) * mosaic.domains * phi.count * oversampling.used * oversampling.used
    if steps >= 2**31:
        raise InputError(
            f"{steps:.3g} steps in each pixel: expected fewer sources, mosaic domains, spindle steps or sub-pixels, "
            "below 2^31 in all"
        )
    factors = resolve_factors(config, camera.detector, oversampling.used, len(sources.weight))
    return Experiment(
        config=config,
        camera=camera,
        crystal=crystal,
        interpolate=interpolate and grid.reflections > 0,
        oversampling=oversampling,
        grid=grid,
        sources=sources,
        cells=turned_cells(config, camera, crystal),
        domains=domains,
        mask=resolve_mask(config, camera.detector, mask),
        steps=steps,
        factors=factors,
        background=_background(config, camera, factors, steps),
        noise_seed=noise_seed,
        random=random,
    )


def turned_cells(config: Config, camera: Camera, crystal: Crystal) -> np.ndarray:
    """Cell vectors at each spindle step, float64 (2, steps, 9): see spindle_cells."""
    positions = camera.phi.positions(camera.phi_start)
    return spindle_cells(crystal.real_m, camera.detector.axes.spindle, positions, not config.fixes.upstream)


def resolve_factors(config: Config, detector: Detector, oversample: int, sources: int) -> SampledFactors:
    """From the options and corrections (fixes.py)."""
    fixes = config.fixes
    each_subpixel = fixes.subpixel and (oversample > 1 or sources > 1 or detector.layers.count > 1)
    return SampledFactors(
        thick=detector.thickness_m != 0.0 if fixes.layers else config.oversample_thick,
        polar=config.oversample_polar or (each_subpixel and not config.nopolar),
        omega=config.oversample_omega or each_subpixel,
        per_term=fixes.upstream or fixes.layers or fixes.subpixel or fixes.water,
    )


def _background(config: Config, camera: Camera, factors: SampledFactors, steps: int) -> Background:
    """Water's scattering, which in the reference is scaled by r_e²·fluence here and again with the lattice's."""
    edge = config.water_m
    if not config.fixes.water:
        scaled = WATER_F * WATER_F * R_E_SQR_M2 * camera.intensity.fluence_per_m2
        return Background(scaled * edge * edge * edge * 1e6 * AVOGADRO / WATER_MOLECULAR_WEIGHT, 0.0)
    each = WATER_F * WATER_F * edge * edge * edge * 1e6 * AVOGADRO / WATER_MOLECULAR_WEIGHT
    return Background(0.0, each) if factors.any else Background(each * steps * camera.detector.layers.count, 0.0)


def clock_seed() -> int:
    """Seed of a run that gives none."""
    return -int(time.time())


def make_crystal(
    config: Config, camera: Camera, random: RandomTable, clock: int,
    matrix: tuple[Vector, Vector, Vector] | None = None,
) -> Crystal:  # fmt: skip
    """The crystal in this camera's beam. matrix: see resolve_crystal."""
    return resolve_crystal(config, camera.wavelength_m, camera.intensity.sample_m, random, clock, matrix)


def resolve(config: Config, arrays: Arrays = NO_ARRAYS, grid: Grid | None = None) -> Experiment:
    """The experiment of a configuration. grid: structure factors that are loaded already.

    Nothing is printed on standard output, and no file is written. Raises InputError.
    """
    header, _ = resolve_headers(config)
    if arrays.mask is not None:
        header = replace(header, fpixels=arrays.mask.shape[1], spixels=arrays.mask.shape[0])
    camera = resolve_camera(config, header)
    data = None
    if arrays.reflections is None and grid is None:
        config, data = take_crystal_data(config, camera)
    _check_there_is_enough(config, arrays, grid)
    clock = clock_seed()
    random = RandomTable()
    crystal = make_crystal(config, camera, random, clock, arrays.matrix)
    oversampling = resolve_oversampling(config, camera, crystal)
    grid = grid or _grid(config, arrays, data)
    return complete(
        config, camera, crystal, resolve_interpolation(config), oversampling, grid,
        _sources(config, camera, arrays), random, clock if config.seed is None else config.seed, arrays.mask,
    )  # fmt: skip


def _check_there_is_enough(config: Config, arrays: Arrays, grid: Grid | None) -> None:
    """Raise InputError where the program would print its usage."""
    no_list = grid is None and arrays.reflections is None and config.hkl_file is None
    if no_list and config.default_F == 0.0 and not file_is_there(config.dump_file):
        raise InputError("no structure factors: give hkl (a file or an array), or default_F")
    if arrays.matrix is None and config.mat_file is None and not (config.cell and config.cell[0] != 0.0):
        raise InputError("no unit cell: give cell, or matrix")


def _grid(config: Config, arrays: Arrays, data: Any) -> Grid:
    """Structure factors, without the dump that a run of the program leaves behind."""
    if arrays.reflections is not None:
        return structure_factors.grid_of(*arrays.reflections, config.default_F, "hkl")
    if data is not None:
        return structure_factors.grid_of(data.hkl, data.F, config.default_F, config.hkl_file or "")
    if config.hkl_file is not None:
        return read_list(config.hkl_file, config.default_F)
    return load_grid(config, lambda text: None)


def _sources(config: Config, camera: Camera, arrays: Arrays) -> Any:
    if arrays.sources is None:
        return resolve_sources(config, camera)
    return checked_sources(arrays.sources, "sources", camera, config.fixes.weights)
