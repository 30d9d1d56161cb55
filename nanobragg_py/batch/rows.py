"""From a row of the table to its image: the same bits whichever rows were rendered before, and by whom."""

from __future__ import annotations

import threading
import zlib
from collections.abc import Sequence
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import InputError
from ..base.records import with_values
from ..base.vectors import turned
from ..formats.crystal_files import recognise
from ..frames import frame_seed
from ..model.experiment import Experiment, NoiseSeed
from ..model.structure_factors import Grid
from ..options.config import Config
from ..options.keywords import OWN_KEYWORDS, settings
from ..rendering.inputs import KernelInputs, kernel_inputs
from ..rendering.renderer import Renderer
from ..resolve.random import stream_of
from ..resolve.stages import resolve
from ..result import Result
from ..simulator import Simulator
from ..spots import Indices, Limits, Spots, find_spots, indices_of
from .columns import RowWords, row_words
from .pixels import image_of, stored
from .plan import Plan

# Keywords on which it does not depend which reflections can be seen at all.
LABELS_KEPT = frozenset(
    "fluence polar nopolar water_um phi_deg osc_deg osc_range_deg phistep_deg phisteps roi oversample_polar "
    "oversample_omega oversample_thick".split()
) | frozenset(OWN_KEYWORDS)

# Fields on which structure factors depend, whatever file they come from.
FACTORS_FIELDS = ("hkl_file", "default_F", "dump_file", "sf_column", "sf_symmetry", "sf_resolution_A")


class RowImage(NamedTuple):
    """An image as it is kept.

    pixels: as stored, (slow, fast). beyond: how many of them did not fit. matrix: a*, b*, c* times the wavelength in Å,
    as columns. rotation: the turn by the row's angles, from the standard setting or the matrix file's. real: a, b, c in
    Å as rows, for NXmx. spots: None without labels.
    """

    row: int
    pixels: np.ndarray
    beyond: int
    matrix: np.ndarray
    rotation: np.ndarray
    real: np.ndarray
    spots: Spots | None


class RowRenderer:
    """Renders rows of a plan; any number of threads may call it at the same time.

    One Simulator is kept while rows come that agree in what needs a new one; where they do not, the structure factors.
    """

    def __init__(self, plan: Plan, threads: int = 1) -> None:
        """threads: that share the work on an image."""
        self.plan = plan
        self.threads = threads
        self._seed = plan.config.seed if plan.config.seed is not None else 0
        self._lock = threading.Lock()
        self._key: tuple[Any, ...] | None = None
        self._kept: _Kept | None = None
        self._factors_key: tuple[Any, ...] | None = None
        self._factors: _Factors | None = None

    def words(self, row: int, values: Sequence[Any]) -> RowWords:
        """The row's keywords; a row without a seed has one of its own, see frame_seed. Raises InputError."""
        words = row_words(self.plan.columns, values)
        if words.seed is None and self.plan.noise:
            return words._replace(seed=frame_seed(self._seed, row))
        return words

    def result(self, row: int, values: Sequence[Any]) -> Result:
        """The row's image as simulate() would return it. Raises InputError."""
        return self._rendered(self.words(row, values))[0]

    def _rendered(self, words: RowWords) -> tuple[Result, _Kept | None]:
        """The row's image, and the Simulator that made it, if one did."""
        kept = self._simulator(words)
        if kept is None:
            return self._once(words), None
        result = kept.simulator.render(words.misset_deg, **words.changed)
        if words.seed is not None:
            start = NoiseSeed(stream_of(words.seed), result.experiment.noise_seed.table)
            result.experiment = with_values(result.experiment, noise_seed=start)
            result.config = with_values(result.config, seed=words.seed)
        return result, kept

    def _once(self, words: RowWords) -> Result:
        """The row's image without a Simulator, of which there would be no use for the next row."""
        config = row_config(self.plan, words)
        key = _factors_key(config)
        with self._lock:
            factors = self._factors if key == self._factors_key else None
        # A cell that is only in the reflection file comes from there.
        reused = factors is not None and (config.cell is not None or config.mat_file is not None)
        experiment = resolve(config, factors=factors.grid if factors is not None and reused else None)
        inputs = kernel_inputs(experiment, 1.0, factors.inputs if factors is not None and reused else None)
        if not reused:
            with self._lock:
                self._factors_key, self._factors = key, _Factors(experiment.structure_factors, inputs)
        renderer = Renderer(experiment, self.threads, inputs=inputs)
        return Result(experiment, renderer.render(), config)

    def image(self, row: int, values: Sequence[Any]) -> RowImage:
        """The row's image as it is kept. Raises InputError."""
        plan = self.plan
        words = self.words(row, values)
        result, kept = self._rendered(words)
        if result.image.shape != plan.shape:
            slow, fast = result.image.shape
            raise InputError(f"its image has {fast} x {slow} pixels, the others {plan.shape[1]} x {plan.shape[0]}")
        spots = None if plan.limits is None else self._spots(result, words, kept, Limits(*plan.limits))
        pixels, beyond = stored(image_of(result, plan.noise), plan.storage)
        crystal = result.experiment.crystal
        return RowImage(row, pixels, beyond, result.matrix, _rotation(result.experiment), np.array(crystal.real), spots)

    @cached_property
    def template(self) -> Experiment:
        """The experiment whose geometry NXmx files state."""
        row = self.plan.template_row
        return self.result(row, self.plan.values(row)).experiment

    def _spots(self, result: Result, words: RowWords, kept: _Kept | None, limits: Limits) -> Spots:
        """Labels; which reflections can be seen at all is looked for once, where neither cell nor instrument differ."""
        same = kept is not None and LABELS_KEPT.issuperset(words.changed)
        indices = kept.indices() if kept is not None and same else indices_of(result.experiment)
        return find_spots(result.experiment, indices, result.image, limits)

    def _simulator(self, words: RowWords) -> _Kept | None:
        """The Simulator of a row, the one at hand if that will do; None for the first of rows that agree."""
        key = tuple((name, repr(value)) for name, value in words.fixed.items())
        with self._lock:
            if key != self._key:
                self._key, self._kept = key, None
                return None
            if self._kept is not None:
                return self._kept
        kept = _Kept(Simulator(self.plan.config, threads=self.threads, **words.fixed))
        with self._lock:
            if key == self._key:
                self._kept = kept
        return kept


def row_config(plan: Plan, words: RowWords) -> Config:
    """The configuration of a row. Raises InputError."""
    return with_values(plan.config, **settings(words.keywords()))


def _factors_key(config: Config) -> tuple[Any, ...]:
    """All that structure factors depend on: of crystal data, which may be cut off, also the cell and the wavelength."""
    said = tuple(getattr(config, name) for name in FACTORS_FIELDS)
    if config.hkl_file is None or _is_plain(config.hkl_file):
        return said
    return (*said, config.cell, config.mat_file, config.wavelength_m)


@cache
def _is_plain(path: str) -> bool:
    """Whether reflections are a plain list of h k l F."""
    return recognise(path) is None


class _Factors(NamedTuple):
    """Structure factors, and kernel inputs that were made from them."""

    grid: Grid
    inputs: KernelInputs


class _Kept:
    """A Simulator, with the reflections that it can show."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self._indices: Indices | None = None
        self._lock = threading.Lock()

    def indices(self) -> Indices:
        """See indices_of."""
        with self._lock:
            if self._indices is None:
                self._indices = indices_of(self.simulator.base)
            return self._indices


def checksum_of(values: bytes, chunk: bytes) -> int:
    """CRC-32 of a row's values and of its image, compressed, as it lies in the file."""
    return zlib.crc32(chunk, zlib.crc32(values))


def _rotation(experiment: Experiment) -> np.ndarray:
    """The rotation matrix, float64 (3, 3), by the crystal's angles."""
    angles = experiment.crystal.setting.misset or (0.0, 0.0, 0.0)
    return np.array([turned(axis, *angles) for axis in ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))]).T
