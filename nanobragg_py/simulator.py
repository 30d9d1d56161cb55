"""Many images of one crystal: structure factors, arrays, kernels and threads are kept from image to image."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .api import ARRAY_KEYWORDS, arranged, told_apart, warn_of_defects
from .base.errors import InputError
from .base.records import with_values
from .base.vectors import Vector
from .frames import frame_seed
from .measurement.detector import Measurements
from .measurement.sharing import one_after_the_other
from .model.experiment import Experiment, NoiseSeed
from .options.config import Config
from .options.keywords import SAME_GEOMETRY_FIELDS, changes
from .options.table import UNITS
from .rendering.amorphous_image import BackgroundImage, background_image
from .rendering.backend import COMPILED_KERNELS
from .rendering.inputs import KernelInputs, kernel_inputs, turned_inputs
from .rendering.renderer import Renderer, default_threads
from .rendering.stored_geometry import ERROR_SCALE, can_be_stored
from .rendering.threads import Chunk, KeptThreads, Work, sharing
from .resolve.arrays import array_of_rotation, matrix_of
from .resolve.input_images import open_input_images
from .resolve.random import random_rotation, stream_of
from .resolve.stages import header_defaults, resolve, with_crystal, with_instrument
from .result import Noise, Result
from .spots import Indices, Limits, Spots, find_spots, indices_of

if TYPE_CHECKING:
    from typing import Unpack

    from .options.keyword_types import Changes, Keywords

ORTHOGONAL = 1e-6


class Still(NamedTuple):
    """A labelled image.

    image: float32 (slow, fast), photons. orientation: float64 (3, 3), the rotation that turns the crystal from its
    standard setting (a* along x, b* in the xy plane; or the matrix file's). matrix: float64 (3, 3), columns a*, b*,
    c* times the wavelength, the numbers of a matrix file that gives the same image. spots: see Spots.
    result: the image with its experiment, noise and files. noise: what the configuration's detector reports of it; None
    without a detector: result.noise() draws the C program's numbers.
    """

    image: np.ndarray
    orientation: np.ndarray
    matrix: np.ndarray
    spots: Spots
    result: Result
    noise: Noise | None = None

    def __repr__(self) -> str:
        slow, fast = self.image.shape
        return f"<Still: {fast} x {slow} pixels, {len(self.spots.hkl)} spots>"


class Simulator:
    """Renders many orientations of one crystal on one detector.

    Takes what simulate() takes. Any number of threads may call it at the same time, and so may forked processes; it can
    be pickled, and sent to others. Use it in a `with`, or close() it, to end its threads; the garbage collector does
    so, too.

    >>> from nanobragg_py import Simulator
    >>> with Simulator(cell=(70, 80, 90), default_F=100, N=5, detpixels=64, pixel_mm=1.6, oversample=1) as simulator:
    ...     image = simulator.render((10, 20, 30)).image
    >>> image.shape, image.dtype.name
    ((64, 64), 'float32')
    """

    def __init__(self, config: Config | None = None, /, **keywords: Unpack[Keywords]):
        """threads: how many to render with, all cores by default; results do not depend on it. Raises InputError."""
        config, arrays = arranged(config, keywords)
        images = open_input_images(config)
        self.threads = config.threads or default_threads()
        self.base: Experiment = resolve(config, arrays, inputs=images)
        self._config = config
        self._header = header_defaults(images, arrays)
        self._sources = arrays.sources
        self._prepare()
        # Defects that were warned of, and the sets of keywords with whose images that was looked at.
        self._warned = warn_of_defects(self.base, config)
        self._looked_at: list[Set[str]] = []

    def _prepare(self) -> None:
        """What follows from the experiment."""
        self._inputs = kernel_inputs(self.base, ERROR_SCALE)
        self._geometry = COMPILED_KERNELS.store_geometry(self._inputs) if can_be_stored(self.base) else None
        setting = self.base.crystal.setting
        self._standard = np.array(setting.unturned).T * (self.base.beam.wavelength_m * 1e10)
        self._indices: Indices | None = None
        self._kept = KeptThreads(self.threads)
        self._measurements = Measurements()
        self._background: BackgroundImage | None = None

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs; threads, and what is computed quickly, it makes anew."""
        names = ("threads", "base", "_config", "_header", "_sources", "_warned", "_looked_at")
        return {name: self.__dict__[name] for name in names} | {"closed": self._kept.closed}

    def __setstate__(self, state: dict[str, Any]) -> None:
        closed = state.pop("closed")
        self.__dict__.update(state)
        self._prepare()
        self._kept.closed = closed

    def __repr__(self) -> str:
        detector, (a, b, c) = self.base.detector, self.base.crystal.real
        cell = ", ".join(f"{np.linalg.norm(edge):g}" for edge in (a, b, c))
        closed = ", closed" if self._kept.closed else ""
        return (
            f"<Simulator: cell of {cell} Å, {detector.fpixels} x {detector.spixels} pixels, "
            f"{self.threads} thread{'s' if self.threads > 1 else ''}{closed}>"
        )

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads; nothing can be rendered after that."""
        self._kept.close()

    def matrix(self, orientation: Any) -> np.ndarray:
        """a*, b*, c* times the wavelength in Å as columns, float64 (3, 3), for a rotation matrix (3, 3).

        Written row by row, with 17 digits, it is the file with which -mat, in place of -cell and -misset, gives the
        same image on the command line. SciPy's Rotation is taken, too.
        """
        try:
            rotation = np.asarray(array_of_rotation(orientation), dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(f"orientation: expected a rotation matrix (3, 3): {error}") from error
        if rotation.shape != (3, 3) or not np.isfinite(rotation).all():
            raise InputError(f"orientation: expected a finite rotation matrix (3, 3), got shape {rotation.shape}")
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > ORTHOGONAL or np.linalg.det(rotation) < 0.0:
            raise InputError("orientation: expected a rotation matrix: orthogonal, of determinant 1; else give matrix=")
        return rotation @ self._standard

    def render(
        self, orientation: Any = None, *, matrix: Any = None, out: np.ndarray | None = None, **changed: Unpack[Changes]
    ) -> Result:
        """One image, by all threads.

        orientation: angles (3,) in degrees, as -misset takes them, or a rotation, from the standard setting: a matrix
        (3, 3) or SciPy's Rotation; it replaces the configuration's misset. matrix: instead, columns a*, b*, c* (3, 3),
        each times the wavelength in Å. Neither: as configured.
        out: float32 (slow, fast), to be filled with the image instead of a new array.
        changed: keywords that shall have another value in this image: of the beam, the detector's place and the
        spindle, as phi_deg=3, distance_mm=200, fluence=1e24, sources=array (options.keyword_types.Changes has all).
        What the structure factors, the crystal's size, its mosaic domains or the pixels depend on needs a new
        Simulator. With changes other than the spindle's the detector's geometry is computed anew.
        The image has the bits that the command line gives with -misset or -mat and these options. Raises InputError.
        """
        if out is not None:
            self._check_out(out)
        setup = self._setup(orientation, matrix, changed)
        result = self._rendered(setup, out, self.threads)
        if changed and set(changed) not in self._looked_at:
            self._looked_at.append(set(changed))
            self._warned |= warn_of_defects(setup.experiment, setup.config, but=self._warned)
        return result

    def stills(
        self, n: int, seed: int | Sequence[int] | None = 0, weakest: float = 1.0, reach: float = 1.0
    ) -> Iterator[Still]:
        """n labelled images in random orientations, uniform over all rotations.

        Rotations are those of random unit quaternions (Shoemake, Graphics Gems III (1992), 124).
        seed: a whole number, or several; the same gives the same orientations and the same noise, whatever n and the
        number of threads. Each still's noise has a seed of its own, result.config.seed.
        weakest: spots whose brightest pixel has fewer photons are not labelled. reach: how much of the way from the
        middle of a reflection's main lobe to its edge the Ewald sphere may cut it for a label, above 0 and up to 1.
        Each image is rendered by one thread, several ahead. Raises InputError.

        >>> from nanobragg_py import Simulator
        >>> options = dict(cell=(70, 80, 90), default_F=100, N=20, detpixels=128, pixel_mm=0.8, oversample=1)
        >>> with Simulator(**options) as simulator:
        ...     for still in simulator.stills(2, seed=1):
        ...         fast, slow = still.spots.pixel[0]
        ...         assert still.image[slow, fast] == still.spots.peak[0]
        """
        self._kept.executor()
        if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 0:
            raise InputError(f"n: expected how many stills to make, got {n!r}")
        limits = Limits.of(weakest, reach)
        if self._indices is None:
            self._indices = indices_of(self.base)
        try:
            random = np.random.Generator(np.random.PCG64(0 if seed is None else seed))
        except (TypeError, ValueError) as error:
            raise InputError(f"seed: expected a whole number of 0 or more, or several, got {seed!r}") from error
        first = int(np.random.SeedSequence(0 if seed is None else seed).generate_state(1)[0])
        return self._stills(n, random, self._indices, limits, first)

    def _stills(
        self, n: int, random: np.random.Generator, indices: Indices, limits: Limits, seed: int
    ) -> Iterator[Still]:
        waiting: deque[tuple[tuple[np.ndarray, Indices, Limits, int], Executor, Future[Still]]] = deque()
        try:
            for number in range(n + 2 * self.threads):
                if number < n:
                    task = (random_rotation(random), indices, limits, frame_seed(seed, number))
                    executor = self._kept.executor()
                    waiting.append((task, executor, executor.submit(self._still, *task)))
                if number >= 2 * self.threads or number >= n:
                    if not waiting:
                        return
                    task, executor, future = waiting.popleft()
                    # A forked child waits in vain for the threads of its parent.
                    asked = executor is self._kept.executor()
                    yield future.result() if asked else self._still(*task)
        finally:
            for _, _, future in waiting:
                future.cancel()

    def _still(self, rotation: np.ndarray, indices: Indices, limits: Limits, seed: int) -> Still:
        setup = self._setup(rotation, None, {})
        start = NoiseSeed(stream_of(seed), setup.experiment.noise_seed.table)
        setup = setup._replace(
            experiment=with_values(setup.experiment, noise_seed=start), config=with_values(setup.config, seed=seed)
        )
        result = self._rendered(setup, None, 1)
        spots = find_spots(result.experiment, indices, result.image, limits)
        noise = result.noise() if setup.config.has_detector else None
        return Still(result.image, rotation, result.matrix, spots, result, noise)

    def _check_out(self, out: np.ndarray) -> None:
        shape = (self.base.detector.spixels, self.base.detector.fpixels)
        if not isinstance(out, np.ndarray) or out.shape != shape or out.dtype != np.float32:
            raise InputError(f"out: expected a float32 array of shape {shape}")
        if not out.flags.c_contiguous or not out.flags.writeable:
            raise InputError("out: expected a contiguous array that can be written to")

    def _rendered(self, setup: _Setup, out: np.ndarray | None, threads: int) -> Result:
        executor = self._kept.executor()
        if out is not None:
            out.fill(0.0)
        experiment, config = setup.experiment, setup.config
        renderer = Renderer(
            experiment, threads, inputs=setup.inputs, image=out, geometry=setup.geometry,
            background=self._background_of(experiment, setup.inputs),
        )  # fmt: skip
        image = renderer.render(executor)
        if renderer.left_grid_at is not None and "interpolation" not in self._warned:
            self._warned |= warn_of_defects(experiment, config, True, but=self._warned, stacklevel=4)
        return Result(
            experiment, image, config, self._measurements, self._share if threads > 1 else one_after_the_other
        )

    def _share(self, work: Work, chunks: Sequence[Chunk]) -> None:
        """Give parts of the work to the kept threads."""
        sharing(self.threads, self._kept.executor())(work, chunks)

    def _background_of(self, experiment: Experiment, inputs: KernelInputs) -> BackgroundImage | None:
        """The background of an experiment, kept until another one is needed."""
        if not experiment.amorphous:
            return None
        kept = self._background
        if kept is None or not kept.fits(experiment):
            kept = background_image(experiment, self.threads, inputs)
            self._background = kept
        return kept

    def _setup(self, orientation: Any, matrix: Any, changed: Mapping[str, Any]) -> _Setup:
        """What an image is rendered from."""
        if orientation is None and matrix is None and not changed:
            return _Setup(self.base, self._config, self._inputs, self._geometry)
        experiment, config, same_geometry = self._changed(changed) if changed else (self.base, self._config, True)
        experiment, config = self._turned(experiment, config, orientation, matrix)
        geometry = self._geometry if same_geometry and experiment.oversampling.used == 1 else None
        if not changed and experiment.oversampling.used == self.base.oversampling.used:
            return _Setup(experiment, config, turned_inputs(self._inputs, experiment), geometry)
        return _Setup(experiment, config, kernel_inputs(experiment, ERROR_SCALE, self._inputs), geometry)

    def _changed(self, changed: Mapping[str, Any]) -> tuple[Experiment, Config, bool]:
        """Experiment and configuration with other values of some keywords; whether the detector's geometry is the same.

        The crystal, and what the sum in each pixel is made of, are yet to be set.
        """
        for name in changed:
            if name in ARRAY_KEYWORDS and name != "sources":
                raise InputError(f"render: another {name} needs a new Simulator")
        settable, arrays = told_apart(changed)
        said = changes(settable)
        config = with_values(self._config, **said)
        listed = arrays.get("sources", None if "source_file" in said else self._sources)
        amorphous = None if said.keys() & {"background", "beamsize_m"} else self.base.amorphous
        experiment = with_instrument(self.base, config, self._header, listed, amorphous)
        return experiment, config, not arrays and said.keys() <= SAME_GEOMETRY_FIELDS

    def _turned(
        self, experiment: Experiment, config: Config, orientation: Any, matrix: Any
    ) -> tuple[Experiment, Config]:
        """The experiment with its crystal turned, and the configuration that says so."""
        if orientation is not None and matrix is not None:
            raise InputError("give orientation or matrix, not both")
        orientation, setting = array_of_rotation(orientation), self.base.crystal.setting
        if matrix is None and (orientation is None or np.shape(orientation) == (3,)):
            angles = setting.misset if orientation is None else self._angles(orientation)
            turned = with_values(config, misset=angles, misset_random=False)
            experiment = with_crystal(experiment, turned, self._cell, setting.from_matrix)
            return experiment, config if orientation is None else turned
        columns = matrix_of(self.matrix(orientation) if matrix is None else matrix)
        config = with_values(config, misset=None, misset_random=False)
        return with_crystal(experiment, config, None, columns), config

    @property
    def _cell(self) -> tuple[float, ...] | None:
        """Edges (Å) and angles (radians) that the crystal was constructed from."""
        given = self.base.crystal.setting.given_cell
        return None if given is None else (given.a, given.b, given.c, given.alpha, given.beta, given.gamma)

    def _angles(self, angles: Any) -> Vector:
        try:
            degrees = [float(angle) for angle in angles]
        except (TypeError, ValueError) as error:
            raise InputError(f"orientation: expected three angles in degrees: {error}") from error
        if not np.isfinite(degrees).all():
            raise InputError(f"orientation: expected finite angles in degrees, got {degrees}")
        x, y, z = (UNITS["deg"](angle) for angle in degrees)
        return (x, y, z)


class _Setup(NamedTuple):
    """What an image is rendered from. geometry: of the detector, if it was computed before."""

    experiment: Experiment
    config: Config
    inputs: KernelInputs
    geometry: np.ndarray | None
