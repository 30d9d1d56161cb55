"""From what was said to what will be computed: resolve() reads like a table of contents of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from . import structure_factors
from .beam import Intensity, Sources, generate_sources, listed_sources, resolve_intensity
from .c_numbers import divide
from .config import Config, Vector
from .crystal import Crystal, RandomTable, resolve_crystal
from .detector import Detector, resolve_detector
from .errors import InputError, warn
from .headers import HeaderDefaults, add_header, read_header, read_mask
from .memory import require_memory
from .records import record
from .sampling import (
    Mosaic,
    Region,
    Steps,
    resolve_mosaic,
    resolve_phi,
    resolve_range,
    resolve_region,
    spindle_cells,
)
from .structure_factors import Grid
from .tables import read_columns
from .vectors import cross, unit

if TYPE_CHECKING:
    from .crystal_data import CrystalData

AVOGADRO = 6.02214179e23
# Forward scattering of water, electrons, and its molecular weight: a background without structure.
WATER_F = 2.57
WATER_MOLECULAR_WEIGHT = 18.0
DEFAULT_MOSAIC_SEED = -12345678
# What one source, spindle step or mosaic domain, and its line in the run log, takes while it is worked out (bytes).
SOURCE_BYTES = 1000
STEP_BYTES = 1200
DOMAIN_BYTES = 72
MOST_OF_A_KIND = 10_000_000


class NothingToDo(Exception):
    """Neither structure factors nor a cell were given: the C program prints its usage and exits."""


@record
class Camera:
    """What is known before the crystal: detector, beam intensity, and steps of every kind."""

    detector: Detector
    intensity: Intensity
    wavelength_m: float
    vertical: Vector
    phi_start: float
    phi: Steps
    horizontal: Steps
    upright: Steps
    dispersion: Steps
    mosaic: Mosaic
    region: Region


@record
class Oversampling:
    """Sub-pixels along each side of a pixel: as said, and what the reference recommends."""

    used: int
    recommended: int
    automatic: bool
    reciprocal_pixel_m: float


@record
class SampledFactors:
    """Which of a pixel's factors are computed anew for each sub-pixel, layer and source.

    per_term: they then multiply the new term; in the reference, the sum so far (docs/differences.md).
    """

    thick: bool
    polar: bool
    omega: bool
    per_term: bool

    @property
    def any(self) -> bool:
        """Whether the order of steps within a pixel matters."""
        return self.thick or self.polar or self.omega


@record
class Background:
    """Water's |F|² summed over its molecules: what a pixel's sum starts with, and what each step adds to it."""

    at_start: float
    each_step: float


@record
class Experiment:
    """Everything that an image depends on, complete and frozen."""

    config: Config
    camera: Camera
    crystal: Crystal
    interpolate: bool
    oversampling: Oversampling
    grid: Grid
    sources: Sources
    cells: np.ndarray
    domains: np.ndarray
    mask: np.ndarray | None
    steps: int
    factors: SampledFactors
    background: Background
    noise_seed: int
    random: RandomTable

    @property
    def region(self) -> tuple[int, int, int, int]:
        """First and last fast, first and last slow pixel that are rendered."""
        detector = self.camera.detector
        return self.camera.region.clipped(detector.fpixels, detector.spixels)


def _is_foreign(path: str) -> bool:
    """Whether an image is none of the C program's format."""
    from .foreign_images import is_foreign

    return is_foreign(path)


def resolve_headers(config: Config) -> tuple[HeaderDefaults, tuple[str, ...]]:
    """Defaults from -mask and -img headers (the latter wins), and the files read, in order."""
    defaults = HeaderDefaults()
    read = []
    for path, option in ((config.mask_file, "-mask"), (config.image_file, "-img")):
        if path is None:
            continue
        if _is_foreign(path):
            from .foreign_images import add_foreign_header

            defaults = add_foreign_header(defaults, path, option, config.convention)
        else:
            defaults = add_header(defaults, read_header(path, option), flip_Y=option == "-mask")
        read.append(path)
    return defaults, tuple(read)


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


def _require_room(count: int, each: int, what: str) -> None:
    """Refuse numbers of steps that neither fit into memory nor could ever be rendered."""
    require_memory(count * each, f"{count} {what}")
    if count >= MOST_OF_A_KIND:
        raise InputError(f"{count} {what}: expected fewer than {MOST_OF_A_KIND}")


def check_there_is_something_to_do(config: Config) -> None:
    """Raise NothingToDo where the C program prints its usage."""
    no_factors = (
        config.hkl_file is None and config.default_F == 0.0 and not structure_factors.file_is_there(config.dump_file)
    )
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


def _load_list(config: Config, say: Callable[[str], None], data: CrystalData | None) -> Grid:
    """The reflection list; its dump is written for next time."""
    path = config.hkl_file
    if not structure_factors.file_is_there(path):
        say(f"ERROR: unable to open {path}.")
    content = b" " if data else structure_factors.read_bytes(path, "-hkl", may_be_empty=True)
    say(f"counting entries in {path}\n")
    if data is not None:
        grid = structure_factors.grid_of(data.hkl, data.F, config.default_F, path)
    else:
        if not content.strip():
            say("".join(f"{axis}: 1000000000 - -1000000000\n" for axis in "hkl"))
            say(f"ERROR: not enough HKL indices in {path}\n")
        grid = structure_factors.make_grid(content, path, config.default_F)
    if config.default_F != 0.0:
        say(f"initializing to default_F = {config.default_F:g}:\ndone initializing:\n")
    say(f"re-reading {path}\n")
    try:
        structure_factors.write_dump(grid, config.dump_file)
        say(f"writing dump file for next time: {config.dump_file}\n")
    except InputError as error:
        say(f"WARNING: unable to open dump file: {config.dump_file}\n")
        warn(str(error))
    return grid


def load_grid(config: Config, say: Callable[[str], None], data: CrystalData | None = None) -> Grid:
    """Structure factors from the list, the dump, or nothing but default_F; `say` gets the run log's lines.

    data: what -hkl holds if it is no list.
    """
    if config.hkl_file is not None:
        return _load_list(config, say, data)
    if structure_factors.file_is_there(config.dump_file):
        say(f"reading Fs from {config.dump_file}\n")
        unasked = "; -default_F counts only outside its range" if config.default_F != 0.0 else ""
        warn(f"no -hkl: structure factors come from the dump of an earlier run, {config.dump_file}{unasked}")
        return structure_factors.read_dump(config.dump_file, config.default_F)
    return structure_factors.no_list(config.default_F)


def resolve_sources(config: Config, camera: Camera) -> Sources:
    """Sources from a file, or a grid of divergence times dispersion."""
    axes = camera.detector.axes
    if config.source_file is not None:
        rows = read_columns(config.source_file, 5, "-sourcefile")
        return checked_sources(rows, config.source_file, camera, "weights" in config.fixes)
    count = camera.horizontal.count * camera.upright.count * camera.dispersion.count
    _require_room(count, SOURCE_BYTES, "sources")
    sources = generate_sources(
        axes.beam, axes.polar, camera.vertical, camera.wavelength_m,
        camera.horizontal, camera.upright, camera.dispersion, config.round_divergence,
    )  # fmt: skip
    if not len(sources.weight):
        raise InputError("the divergence steps leave no source inside the ellipse: give more steps, or -square_div")
    return sources


def checked_sources(rows: np.ndarray, name: str, camera: Camera, weighted: bool = False) -> Sources:
    """Sources of a list's rows, float64 (n, 5); name is the list's, for messages. weighted: weights will be used."""
    sources = listed_sources(rows, camera.detector.axes.beam, camera.wavelength_m)
    bad = np.flatnonzero(~(sources.wavelength_m > 0.0) | ~np.any(sources.direction != 0.0, axis=1))
    if len(bad):
        raise InputError(
            f"{name}: source {bad[0] + 1}: expected a position other than the sample's "
            "and a wavelength above 0 (in metres)"
        )
    if weighted and not (np.all(sources.weight >= 0.0) and 0.0 < np.sum(sources.weight) < np.inf):
        raise InputError(f"{name}: --fix weights: expected weights of 0 or more, and one above 0")
    return sources


def _read_any_mask(path: str) -> np.ndarray:
    """A mask file's pixels, in the C program's format or any other."""
    if not _is_foreign(path):
        return read_mask(path)
    from .foreign_images import foreign_mask

    return foreign_mask(path)


def resolve_mask(config: Config, detector: Detector, given: np.ndarray | None = None) -> np.ndarray | None:
    """The mask's pixels, as given or from its file; its size must be the detector's."""
    if given is None and config.mask_file is None:
        return None
    mask = _read_any_mask(config.mask_file) if given is None else given
    if mask.shape != (detector.spixels, detector.fpixels):
        raise InputError(
            f"{config.mask_file or 'mask'}: the mask has {mask.shape[1]} x {mask.shape[0]} pixels; "
            f"expected the detector's {detector.fpixels} x {detector.spixels}"
        )
    return mask


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
    return spindle_cells(crystal.real_m, camera.detector.axes.spindle, positions, "upstream" not in config.fixes)


def resolve_factors(config: Config, detector: Detector, oversample: int, sources: int) -> SampledFactors:
    """From the options and corrections (fixes.py)."""
    fixes = config.fixes
    each_subpixel = "subpixel" in fixes and (oversample > 1 or sources > 1 or detector.layers.count > 1)
    return SampledFactors(
        thick=detector.thickness_m != 0.0 if "layers" in fixes else config.oversample_thick,
        polar=config.oversample_polar or (each_subpixel and not config.nopolar),
        omega=config.oversample_omega or each_subpixel,
        per_term=any(name in fixes for name in ("upstream", "layers", "subpixel", "water")),
    )


def _background(config: Config, camera: Camera, factors: SampledFactors, steps: int) -> Background:
    """Water's scattering, which in the reference is scaled by r_e²·fluence here and again with the lattice's."""
    from .beam import R_E_SQR_M2

    edge = config.water_m
    if "water" not in config.fixes:
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
