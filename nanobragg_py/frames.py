"""Series of frames: a rotation in steps of the spindle, or stills in given orientations, from one experiment."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np

from .base.errors import InputError
from .base.vectors import RADIAN_IN_DEGREES, Triad
from .model.experiment import Experiment, NoiseSeed
from .options.config import Config
from .rendering.backend import COMPILED_KERNELS
from .rendering.inputs import kernel_inputs, turned_inputs
from .rendering.renderer import Renderer, default_threads
from .rendering.stored_geometry import ERROR_SCALE, can_be_stored
from .resolve.random import stream_of
from .resolve.stages import with_crystal
from .result import Result

T = TypeVar("T")
# Frames that are rendered ahead of the one that is handed out, for each thread.
AHEAD = 2
# Angles of frames have as many digits, so that -phi of a single run can say the same.
ANGLE_DIGITS = 10


def frame_seed(seed: int, number: int) -> int:
    """Seed of a frame's noise: 31 bits of NumPy's SeedSequence for (seed, number of the frame), never 0.

    A frame's noise depends neither on how many frames there are nor on which was rendered before. `-seed` of a single
    run takes the same number.
    """
    words = np.random.SeedSequence(seed % 2**32, spawn_key=(number,)).generate_state(1, np.uint32)
    return max(int(words[0]) >> 1, 1)


def frame_angle_deg(start_rad: float, width_deg: float, number: int) -> float:
    """Spindle angle of a frame in degrees, as -phi says it: start + number * width, to ANGLE_DIGITS digits."""
    return float(f"{start_rad * RADIAN_IN_DEGREES + number * width_deg:.{ANGLE_DIGITS}g}")


class Series:
    """Frames of one experiment, that differ in the spindle's angle or in the crystal's orientation.

    Each frame is the image of a single run, bit for bit: config_of says of which.
    """

    def __init__(self, base: Experiment, config: Config, threads: int | None = None):
        """base: resolved from config; it stays as it is. Raises InputError for one without frames."""
        self.base = base
        self.config = config
        self.threads = threads or config.threads or default_threads()
        self.seed = -base.noise_seed.stream
        self._inputs = kernel_inputs(base, ERROR_SCALE)
        self._geometry = COMPILED_KERNELS.store_geometry(self._inputs) if can_be_stored(base) else None

    def __len__(self) -> int:
        raise NotImplementedError

    def setting(self, number: int) -> tuple[Experiment, Config]:
        """Experiment and configuration of a frame, but for its noise seed."""
        raise NotImplementedError

    def frame(self, number: int) -> tuple[Experiment, Config]:
        """Experiment and configuration of a frame, from 0 on."""
        experiment, config = self.setting(number)
        seed = frame_seed(self.seed, number)
        noise_seed = NoiseSeed(stream_of(seed), experiment.noise_seed.table)
        return replace(experiment, noise_seed=noise_seed), replace(config, seed=seed)

    def render(self, number: int, threads: int = 1) -> Result:
        """One frame."""
        experiment, config = self.frame(number)
        inputs = turned_inputs(self._inputs, experiment)
        stored = self._geometry if experiment.oversampling.used == 1 else None
        renderer = Renderer(experiment, threads, inputs=inputs, geometry=stored)
        return Result(experiment, renderer.render(), config)

    def __iter__(self) -> Iterator[Result]:
        return self.map(lambda number, result: result)

    def map(self, work: Callable[[int, Result], T], numbers: Sequence[int] | None = None) -> Iterator[T]:
        """work(number, frame) of every frame, or of those listed, in order.

        Frames are rendered by one thread each, several at a time, and worked on in that thread; a single one by all.
        """
        wanted = range(len(self)) if numbers is None else numbers
        if len(wanted) < 2 or self.threads < 2:
            for number in wanted:
                yield work(number, self.render(number, self.threads))
            return
        from concurrent.futures import Future, ThreadPoolExecutor

        waiting: deque[Future[T]] = deque()
        with ThreadPoolExecutor(self.threads, thread_name_prefix="nanobragg_py") as pool:
            try:
                for number in wanted:
                    waiting.append(pool.submit(lambda n: work(n, self.render(n)), number))
                    if len(waiting) > AHEAD * self.threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


class Rotation(Series):
    """Frames of a rotation: frame i begins at the base's spindle angle plus i times the width."""

    def __init__(
        self, base: Experiment, config: Config, frames: int, width_deg: float | None = None, threads: int | None = None
    ):  # fmt: skip
        """width_deg: from frame to frame; the base's own sweep if None."""
        super().__init__(base, config, threads)
        swept = float(f"{base.spindle.range_rad * RADIAN_IN_DEGREES:.{ANGLE_DIGITS}g}")
        if width_deg is None and swept == 0.0:
            raise InputError("--frames: frames of no width: expected -osc, or --frame-width in degrees")
        self.frames = frames
        self.width_deg = swept if width_deg is None else width_deg

    def __len__(self) -> int:
        return self.frames

    def setting(self, number: int) -> tuple[Experiment, Config]:
        """See Series."""
        start_rad = frame_angle_deg(self.base.spindle.start_rad, self.width_deg, number) / RADIAN_IN_DEGREES
        return self.base.at_spindle_angle(start_rad), replace(self.config, phi=start_rad)


class Stills(Series):
    """Frames in given orientations: matrices as -mat reads them, a*, b*, c* times the wavelength in Å."""

    def __init__(self, base: Experiment, config: Config, matrices: Sequence[Triad], threads: int | None = None):
        super().__init__(base, config, threads)
        self.matrices = matrices

    def __len__(self) -> int:
        return len(self.matrices)

    def setting(self, number: int) -> tuple[Experiment, Config]:
        """See Series."""
        config = replace(self.config, misset=None, misset_random=False, cell=None)
        return with_crystal(self.base, config, None, self.matrices[number]), config
