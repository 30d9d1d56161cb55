"""Many orientations of one crystal: structure factors, arrays, kernels and threads are kept from image to image."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from .api import arranged
from .base.errors import InputError
from .base.vectors import Vector
from .model.experiment import Experiment
from .options.config import Config
from .options.table import UNITS
from .rendering.backend import COMPILED_KERNELS
from .rendering.inputs import kernel_inputs, turned_inputs
from .rendering.renderer import Renderer, default_threads
from .rendering.stored_geometry import ERROR_SCALE, can_be_stored
from .resolve.arrays import matrix_of
from .resolve.crystal_data import finest_resolution_A
from .resolve.random import random_rotation
from .resolve.stages import resolve, with_crystal
from .result import Result
from .spots import Indices, Spots, find_spots, indices_of

ORTHOGONAL = 1e-6


class Still(NamedTuple):
    """A labelled image.

    image: float32 (slow, fast), photons. orientation: float64 (3, 3), the rotation that turns the crystal from its
    standard setting (a* along x, b* in the xy plane; or the matrix file's). matrix: float64 (3, 3), columns a*, b*,
    c* times the wavelength, the numbers of a matrix file that gives the same image. spots: see Spots.
    result: the image with its experiment, noise and files.
    """

    image: np.ndarray
    orientation: np.ndarray
    matrix: np.ndarray
    spots: Spots
    result: Result


class Simulator:
    """Renders many orientations of one crystal on one detector.

    Takes what simulate() takes. Any number of threads may call it at the same time. Use it in a `with`, or close()
    it, to end its threads; the garbage collector does so, too.

    >>> from nanobragg_py import Simulator
    >>> with Simulator(cell=(70, 80, 90), default_F=100, N=5, detpixels=64, pixel_mm=1.6, oversample=1) as simulator:
    ...     image = simulator.render((10, 20, 30)).image
    >>> image.shape, image.dtype.name
    ((64, 64), 'float32')
    """

    def __init__(self, config: Config | None = None, /, *, threads: int | None = None, **keywords: Any):
        """threads: how many to render with, all cores by default; results do not depend on it. Raises InputError."""
        config, arrays = arranged(config, keywords)
        self.threads = threads or config.threads or default_threads()
        self.base: Experiment = resolve(config, arrays)
        self._inputs = kernel_inputs(self.base, ERROR_SCALE)
        self._geometry = COMPILED_KERNELS.store_geometry(self._inputs) if can_be_stored(self.base) else None
        self._config = config
        self._unturned = replace(config, misset=None, misset_random=False)
        setting = self.base.crystal.setting
        self._standard = np.array(setting.unturned).T * (self.base.beam.wavelength_m * 1e10)
        self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="nanobragg_py")

    def __enter__(self) -> Simulator:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads; nothing can be rendered after that."""
        self._executor.shutdown()

    @functools.cached_property
    def _indices(self) -> Indices:
        """Reflections that labels are looked for among."""
        cell_A = np.array(self.base.crystal.real)
        finest_A = finest_resolution_A(self.base.sources, self.base.detector)
        return indices_of(self.base.structure_factors, cell_A, finest_A)

    def matrix(self, orientation: Any) -> np.ndarray:
        """a*, b*, c* times the wavelength in Å as columns, float64 (3, 3), for a rotation matrix (3, 3).

        Written row by row, with 17 digits, it is the file with which -mat, in place of -cell and -misset, gives the
        same image on the command line.
        """
        rotation = np.asarray(orientation, dtype=np.float64)
        if rotation.shape != (3, 3) or not np.isfinite(rotation).all():
            raise InputError(f"orientation: expected a finite rotation matrix (3, 3), got shape {rotation.shape}")
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > ORTHOGONAL or np.linalg.det(rotation) < 0.0:
            raise InputError("orientation: expected a rotation matrix: orthogonal, of determinant 1; else give matrix=")
        return rotation @ self._standard

    def render(self, orientation: Any = None, *, matrix: Any = None, out: np.ndarray | None = None) -> Result:
        """One image, by all threads.

        orientation: angles (3,) in degrees, as -misset takes them, or a rotation matrix (3, 3), from the standard
        setting; it replaces the configuration's misset. matrix: instead, columns a*, b*, c* (3, 3), each times the
        wavelength in Å. Neither: as configured.
        out: float32 (slow, fast), to be filled with the image instead of a new array.
        The image has the bits that the command line gives with -misset or -mat. Raises InputError.
        """
        if out is not None:
            self._check_out(out)
        experiment, config = self._turned(orientation, matrix)
        return self._rendered(experiment, config, out, self.threads)

    def stills(self, n: int, seed: int = 0, weakest: float = 1.0) -> Iterator[Still]:
        """n labelled images in random orientations, uniform over all rotations.

        Rotations are those of random unit quaternions (Shoemake, Graphics Gems III (1992), 124).
        seed: the same one gives the same orientations, whatever n and the number of threads. weakest: spots whose
        brightest pixel has fewer photons are not labelled. Each image is rendered by one thread, several ahead.

        >>> from nanobragg_py import Simulator
        >>> options = dict(cell=(70, 80, 90), default_F=100, N=20, detpixels=128, pixel_mm=0.8, oversample=1)
        >>> with Simulator(**options) as simulator:
        ...     for still in simulator.stills(2, seed=1):
        ...         fast, slow = still.spots.pixel[0]
        ...         assert still.image[slow, fast] == still.spots.peak[0]
        """
        if self.base.detector.curved:
            raise InputError("stills: labels are for flat detectors only")
        random = np.random.Generator(np.random.PCG64(seed))
        waiting: deque[Future[Still]] = deque()
        try:
            for number in range(n + 2 * self.threads):
                if number < n:
                    waiting.append(self._executor.submit(self._still, random_rotation(random), weakest))
                if number >= 2 * self.threads or number >= n:
                    if not waiting:
                        return
                    yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _still(self, rotation: np.ndarray, weakest: float) -> Still:
        experiment, config = self._turned(rotation, None)
        result = self._rendered(experiment, config, None, 1)
        spots = find_spots(experiment, self._indices, result.image, weakest)
        return Still(result.image, rotation, result.matrix, spots, result)

    def _check_out(self, out: np.ndarray) -> None:
        shape = (self.base.detector.spixels, self.base.detector.fpixels)
        if not isinstance(out, np.ndarray) or out.shape != shape or out.dtype != np.float32:
            raise InputError(f"out: expected a float32 array of shape {shape}")
        if not out.flags.c_contiguous or not out.flags.writeable:
            raise InputError("out: expected a contiguous array that can be written to")

    def _rendered(self, experiment: Experiment, config: Config, out: np.ndarray | None, threads: int) -> Result:
        if out is not None:
            out.fill(0.0)
        stored = self._geometry if experiment.oversampling.used == 1 else None
        inputs = turned_inputs(self._inputs, experiment)
        renderer = Renderer(experiment, threads, inputs=inputs, image=out, geometry=stored)
        return Result(experiment, renderer.render(self._executor), config)

    def _turned(self, orientation: Any, matrix: Any) -> tuple[Experiment, Config]:
        """The experiment with its crystal turned, and the configuration that says so."""
        if orientation is None and matrix is None:
            return self.base, self._config
        if orientation is not None and matrix is not None:
            raise InputError("give orientation or matrix, not both")
        setting = self.base.crystal.setting
        if np.shape(orientation) == (3,):
            config = replace(self._unturned, misset=self._angles(orientation))
            return with_crystal(self.base, config, self._cell, setting.from_matrix), config
        columns = matrix_of(self.matrix(orientation) if matrix is None else matrix)
        return with_crystal(self.base, self._unturned, None, columns), self._unturned

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
