"""The stages of a run, in the C program's order: from a configuration, and files or arrays, to the experiment.

The one place where they stand in order, for the command and for Python alike.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from ..base.c_numbers import divide, to_int32
from ..base.errors import InputError, warn
from ..base.files import file_is_there
from ..base.records import with_values
from ..base.vectors import Triad
from ..formats.image_header import HeaderDefaults
from ..formats.matrix import read_matrix
from ..model.amorphous import AmorphousLayer
from ..model.background import AVOGADRO, WATER_F, WATER_MOLECULAR_WEIGHT, Background
from ..model.beam import R_E_SQR_M2, Beam, Sources
from ..model.crystal import Crystal
from ..model.detector import Detector
from ..model.experiment import Experiment, Interpolation, NoiseSeed
from ..model.mosaic import Mosaic
from ..model.spindle import Spindle
from ..model.structure_factors import Grid
from ..model.subpixels import Oversampling, SampledFactors
from ..options.config import Config
from .arrays import NO_ARRAYS, Arrays
from .beam import resolve_beam, sample_size
from .crystal import resolve_crystal
from .crystal_data import check_matrix, take_crystal_data
from .detector import resolve_detector
from .doubts import doubts
from .ignored import ignored_options
from .input_images import InputImages, open_input_images, resolve_mask
from .listener import Listener
from .random import DEFAULT_MOSAIC_SEED, RandomTable, clock_seed, stream_of
from .sampling import resolve_mosaic, resolve_region, resolve_spindle
from .sources import resolve_sources
from .structure_factors import resolve_structure_factors

SILENT = Listener()


class NothingToDo(InputError):
    """Structure factors or a cell are missing: the C program prints its usage and exits.

    factors, cell: whether there are some; what was resolved so far goes with it, for the usage text.
    """

    def __init__(self, factors: bool, cell: bool, beam: Beam, detector: Detector):
        missing = [] if factors else ["no structure factors: give hkl (a file or an array), or default_F"]
        missing += [] if cell else ["no unit cell: give cell, or matrix"]
        super().__init__("; ".join(missing))
        self.factors, self.cell, self.beam, self.detector = factors, cell, beam, detector


def resolve(
    config: Config, arrays: Arrays = NO_ARRAYS, listener: Listener = SILENT, inputs: InputImages | None = None,
    factors: Grid | None = None,
) -> Experiment:  # fmt: skip
    """The experiment of a configuration.

    arrays: in place of files. listener: hears of each stage. inputs: what -mask and -img gave, if they have been read.
    factors: the structure factors, if they have been; then -hkl is not opened, nor its cell looked for.
    Prints nothing on standard output, and writes no file. Raises InputError for whatever the user can mend,
    NothingToDo where the C program prints its usage.
    """
    inputs = open_input_images(config) if inputs is None else inputs
    header = header_defaults(inputs, arrays)
    listener.headers_read(inputs.files)
    beam = resolve_beam(config, header)
    detector = resolve_detector(config, header)
    spindle = resolve_spindle(config, header, detector.axes.spindle)
    mosaic = resolve_mosaic(config.mosaic_spread, config.mosaic_domains)
    region = resolve_region(config, detector.fpixels, detector.spixels)
    listener.instrument_resolved(beam, detector)

    known = arrays.reflections is not None or factors is not None
    cell, data = (config.cell, None) if known else take_crystal_data(config, beam, detector)
    _check_there_is_something_to_do(config, arrays, cell, beam, detector)
    for message in (*ignored_options(config, header, detector), *doubts(config, beam, detector, region)):
        warn(message)
    interpolation = resolve_interpolation(config)
    listener.work_begins(detector, mosaic, interpolation)

    clock, random = clock_seed(), RandomTable()
    matrix = arrays.matrix if config.mat_file is None or arrays.matrix is not None else read_matrix(config.mat_file)
    sample = sample_size(config, beam.intensity)
    crystal = resolve_crystal(config, beam.wavelength_m, random, clock, cell, matrix, sample)
    if matrix is not None:
        check_matrix(config, data, crystal)
    listener.crystal_resolved(crystal, beam)
    oversampling = resolve_oversampling(config.oversample, beam, detector, crystal)
    listener.oversampling_resolved(crystal, oversampling)
    grid = resolve_structure_factors(config, arrays, data, listener) if factors is None else factors
    listener.structure_factors_resolved(detector, spindle)
    sources = resolve_sources(config, beam, detector.axes, arrays.sources)
    listener.sources_resolved(sources)

    mosaic_seed = DEFAULT_MOSAIC_SEED if config.mosaic_seed is None else config.mosaic_seed
    domains = random.rotations(mosaic_seed, mosaic.spread_rad, mosaic.domains)
    # The first domain is forced to be aligned.
    domains[0] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    sums = resolve_sums(config, beam, detector, sources, spindle, mosaic, oversampling)
    return Experiment(
        detector=detector,
        region=region,
        mask=resolve_mask(config, detector, inputs.mask if arrays.mask is None else arrays.mask),
        beam=beam,
        sources=sources,
        spindle=spindle,
        crystal=crystal,
        mosaic=mosaic,
        cells=spindle.cells(crystal.real_m),
        domains=domains,
        structure_factors=grid,
        interpolation=replace(interpolation, used=interpolation.used and grid.reflections > 0),
        dmin_m=config.dmin_m,
        oversampling=oversampling,
        factors=sums.factors,
        steps=sums.steps,
        background=sums.background,
        noise_seed=NoiseSeed(stream_of(clock if config.seed is None else config.seed), random.table),
        amorphous=_amorphous(config, beam),
    )


def _amorphous(config: Config, beam: Beam) -> tuple[AmorphousLayer, ...]:
    """Materials without order, if there are some."""
    if not config.background:
        return ()
    # Not at the top: few runs have one, and all would wait for it.
    from .amorphous import resolve_amorphous

    return resolve_amorphous(config.background, beam)


def header_defaults(inputs: InputImages, arrays: Arrays) -> HeaderDefaults:
    """Defaults from the headers of -mask and -img; a mask that is an array gives its size."""
    if arrays.mask is None:
        return inputs.defaults
    return replace(inputs.defaults, fpixels=arrays.mask.shape[1], spixels=arrays.mask.shape[0])


def with_crystal(
    experiment: Experiment, config: Config, cell: tuple[float, ...] | None, matrix: Triad | None
) -> Experiment:
    """The experiment with its crystal set anew; all else stays. cell, matrix: see resolve_crystal."""
    e, beam = experiment, experiment.beam
    sample = sample_size(config, beam.intensity)
    # Whatever is drawn here must not change the streams that the experiment has drawn from already.
    crystal = resolve_crystal(config, beam.wavelength_m, RandomTable(), 0, cell, matrix, sample)
    oversampling = resolve_oversampling(config.oversample, beam, e.detector, crystal)
    sums = resolve_sums(config, beam, e.detector, e.sources, e.spindle, e.mosaic, oversampling)
    return with_values(
        experiment,
        crystal=crystal,
        oversampling=oversampling,
        cells=e.spindle.cells(crystal.real_m),
        factors=sums.factors,
        steps=sums.steps,
        background=sums.background,
    )


def with_instrument(
    experiment: Experiment, config: Config, header: HeaderDefaults, listed: np.ndarray | None,
    amorphous: tuple[AmorphousLayer, ...] | None = None,
) -> Experiment:  # fmt: skip
    """The experiment with beam, detector and spindle resolved anew, for a crystal that is set afterwards.

    Structure factors, mask, mosaic domains and the seed of the noise stay, so the configuration must not change those,
    nor the number of pixels. listed: sources in place of a file, see resolve_sources. amorphous: materials, if they
    are resolved already.
    """
    beam = resolve_beam(config, header)
    detector = resolve_detector(config, header)
    return replace(
        experiment,
        beam=beam,
        detector=detector,
        region=resolve_region(config, detector.fpixels, detector.spixels),
        spindle=resolve_spindle(config, header, detector.axes.spindle),
        sources=resolve_sources(config, beam, detector.axes, listed),
        dmin_m=config.dmin_m,
        amorphous=_amorphous(config, beam) if amorphous is None else amorphous,
    )


def _check_there_is_something_to_do(
    config: Config, arrays: Arrays, cell: tuple[float, ...] | None, beam: Beam, detector: Detector
) -> None:
    """Raise NothingToDo where the C program prints its usage."""
    factors = arrays.reflections is not None or config.hkl_file is not None or config.default_F != 0.0
    factors = factors or file_is_there(config.dump_file)
    has_cell = arrays.matrix is not None or config.mat_file is not None or bool(cell and cell[0] != 0.0)
    if not (factors and has_cell):
        raise NothingToDo(factors, has_cell, beam, detector)


def resolve_interpolation(config: Config) -> Interpolation:
    """On when asked for, or when nothing was said and the crystal is at most two cells wide somewhere."""
    automatic = config.interpolate is None
    narrow = any(count is None or count <= 2 for count in (config.Na, config.Nb, config.Nc))
    return Interpolation(narrow if automatic else bool(config.interpolate), automatic, config.fixes.interpolation)


def resolve_oversampling(wanted: int | None, beam: Beam, detector: Detector, crystal: Crystal) -> Oversampling:
    """Sub-pixels from the crystal's width against the size of a pixel in reciprocal space, or as wanted."""
    reciprocal_pixel = beam.wavelength_m * detector.distance_m / detector.pixel_size_m
    needed = divide(3.0 * max(crystal.size_m), reciprocal_pixel)
    given = wanted if wanted is not None and wanted > 0 else None
    if 1e5 < needed < 2**31 and given is None:
        raise InputError(f"oversampling of {needed:.3g} would be needed: give -oversample, a smaller -N, or pixels")
    if not needed < 2**31 and given is None:
        # It becomes the lowest number that there is in 32 bits, and so 1 in the end.
        warn(f"oversampling of {needed:.3g} would be needed, more than can be counted: 1 is used, as in the C program")
    recommended = max(to_int32(-(-needed // 1)), 1)
    return Oversampling(recommended if given is None else given, recommended, given is None, reciprocal_pixel)


class Sums(NamedTuple):
    """How the sum in each pixel is made: see Experiment for its parts."""

    factors: SampledFactors
    steps: int
    background: Background


def resolve_sums(
    config: Config, beam: Beam, detector: Detector, sources: Sources, spindle: Spindle, mosaic: Mosaic,
    oversampling: Oversampling,
) -> Sums:  # fmt: skip
    """Factors, number of steps and background of a pixel's sum. Raises InputError for too many steps."""
    steps = _counted(sources.count * mosaic.domains * spindle.steps.count * oversampling.used * oversampling.used)
    factors = resolve_factors(config, detector, oversampling.used, sources.count)
    return Sums(factors, steps, resolve_background(config, beam, detector, factors, steps))


def resolve_factors(config: Config, detector: Detector, oversample: int, sources: int) -> SampledFactors:
    """Which factors are sampled: as asked for, and as corrections need it."""
    fixes = config.fixes
    each_subpixel = fixes.subpixel and (oversample > 1 or sources > 1 or detector.layers.count > 1)
    return SampledFactors(
        thick=detector.thickness_m != 0.0 if fixes.layers else config.oversample_thick,
        polar=config.oversample_polar or (each_subpixel and not config.nopolar),
        omega=config.oversample_omega or each_subpixel,
        per_term=fixes.upstream or fixes.layers or fixes.subpixel or fixes.water,
    )


def resolve_background(
    config: Config, beam: Beam, detector: Detector, factors: SampledFactors, steps: int
) -> Background:
    """Water's scattering, which in the C program is scaled by r_e²·fluence here and again with the lattice's."""
    edge = config.water_m
    if not config.fixes.water:
        scaled = WATER_F * WATER_F * R_E_SQR_M2 * beam.intensity.fluence_per_m2
        at_start = scaled * edge * edge * edge * 1e6 * AVOGADRO / WATER_MOLECULAR_WEIGHT
        return Background(edge, at_start, 0.0, beyond_dmin=False)
    each = WATER_F * WATER_F * edge * edge * edge * 1e6 * AVOGADRO / WATER_MOLECULAR_WEIGHT
    beyond = edge != 0.0
    if factors.any:
        return Background(edge, 0.0, each, beyond)
    return Background(edge, each * steps * detector.layers.count, 0.0, beyond)


def _counted(steps: int) -> int:
    """The number of terms in a pixel's sum, if a pixel can have as many."""
    if steps >= 2**31:
        raise InputError(
            f"{steps:.3g} steps in each pixel: expected fewer sources, mosaic domains, spindle steps or sub-pixels, "
            "below 2^31 in all"
        )
    return steps
