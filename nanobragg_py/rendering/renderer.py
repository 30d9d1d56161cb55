"""Rows of an image shared among threads, and the few things that make the order of pixels matter."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from ..kernels import layout
from ..model.experiment import Experiment
from .backend import COMPILED_KERNELS, Backend, LeftGrid, Walk
from .inputs import KernelInputs, kernel_inputs
from .threads import finished_chunks

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from .amorphous_image import BackgroundImage

# Steps that a thread takes on before it looks for more work: a fraction of a second.
STEPS_AT_A_TIME = 4_000_000
# The fast walk takes 3 ms for so many on one core; Python's pool of threads takes 5 to load.
STEPS_WITHOUT_THREADS = 500_000
# Chunks of rows for each of several threads: enough that all finish at about the same time.
SHARES = 8
# Far more than the roundings of any sum that a run can make.
OMEGA_ERROR = 1e-9

NOWHERE = LeftGrid(0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


class Renderer:
    """One image of one experiment.

    The image does not depend on the number of threads: every pixel is a sum of its own, and what the C program carries
    from pixel to pixel is settled in pixel order: the run's very first step, before the threads start, and the pixel
    where interpolation leaves the list, of which the first one counts.

    image: float32 (slow, fast). left_grid_at: flat index of the pixel in which interpolation left the reflection list,
    None if it did not; left_grid: where, see Walk.
    """

    def __init__(
        self, experiment: Experiment, threads: int | None = None, *, error_scale: float = 1.0,
        inputs: KernelInputs | None = None, image: np.ndarray | None = None, geometry: np.ndarray | None = None,
        background: BackgroundImage | None = None, backend: Backend = COMPILED_KERNELS,
    ):  # fmt: skip
        """threads: how many to render with; all cores unless the image is small.

        inputs: those of the experiment, if they are there already. image: filled with 0 to begin with.

        geometry: what the backend stored for this detector and beam; then omega is not summed. background: the
        experiment's, if it is there already.
        """
        self.experiment = experiment
        self.inputs = inputs or kernel_inputs(experiment, error_scale)
        detector, rendered = experiment.detector, experiment.rendered
        self.fpixels, self.spixels = detector.fpixels, detector.spixels
        self.region = rendered.region
        self.image = np.zeros((self.spixels, self.fpixels), dtype=np.float32) if image is None else image
        self.omega = np.zeros(self.spixels)
        self.interpolating = experiment.interpolation.used
        self.scene = backend.scene(self.inputs, self.image, self.interpolating, geometry)
        self.walks_fast = backend.walks_fast(self.inputs)
        self.threads = threads or (1 if self._too_small_for_threads() else default_threads())
        self.background = background
        if background is None and experiment.amorphous:
            # Not at the top: few runs have one, and all would wait for it.
            from .amorphous_image import background_image

            self.background = background_image(experiment, self.threads, self.inputs)
        self.left_grid_at: int | None = None
        self.left_grid = NOWHERE
        self.first_visited: int | None = None
        self._with_interpolation: set[int] = set()
        self._lock = threading.Lock()

    def first_visit(self) -> dict[int, float]:
        """Render the pixel that sees the unrotated cell, if there is one; its photons, by flat index."""
        if np.array_equal(self.inputs.cells[0], self.inputs.cells[1]):
            return {}
        walk = Walk(self.interpolating, first_step=True)
        not_counted = np.zeros(self.spixels)
        after = self.region.slow_first * self.fpixels + self.region.fast_first
        end = self.spixels * self.fpixels
        while after < end and walk.first_step:
            after = self.scene.pixels(after, end, walk, not_counted)
            if self.interpolating and not walk.interpolating:
                self.left_grid_at = after - 1
                self.left_grid = walk.left_grid
                self.interpolating = False
        if walk.first_step:
            return {}
        self.first_visited = after - 1
        return {self.first_visited: float(self.image.flat[self.first_visited])}

    def rows(self, executor: Executor | None = None) -> Iterator[int]:
        """Render; yields the first row that is not finished yet, in order. executor: whose threads to use."""
        kept = self.first_visit()
        self.omega[:] = 0.0
        chunks = self._chunks()
        finished = finished_chunks(self._work, chunks, self.threads, executor)
        try:
            for number in finished:
                first, last = chunks[number]
                if first in self._with_interpolation and self._past_grid(first):
                    # Another thread has found an earlier pixel that leaves the list.
                    self.omega[first:last] = 0.0
                    self._without_interpolation(first, last)
                for index, value in kept.items():
                    self.image.flat[index] = value
                self._add_background(first, last)
                kept = {index: value for index, value in kept.items() if index >= last * self.fpixels}
                yield last
        finally:
            finished.close()

    def _add_background(self, first: int, last: int) -> None:
        """Add what is not the crystal's to rows first..last-1, which must be finished."""
        self._add_background_to(first * self.fpixels, last * self.fpixels)

    def _add_background_to(self, first: int, last: int) -> None:
        """The same for pixels (flat indices)."""
        if self.background is not None:
            self.background.add_to(self.image, self.experiment, first, last)

    def render(self, executor: Executor | None = None) -> np.ndarray:
        """Render all rows; the image."""
        for _ in self.rows(executor):
            pass
        return self.image

    def _steps_of_a_row(self) -> int:
        return max(1, self.fpixels * self.experiment.steps * self.experiment.detector.layers.count)

    def _too_small_for_threads(self) -> bool:
        """Whether the image is rendered before new threads have started."""
        rows = self.region.slow_last + 1 - self.region.slow_first
        return self.walks_fast and rows * self._steps_of_a_row() <= STEPS_WITHOUT_THREADS

    def _chunks(self) -> list[tuple[int, int]]:
        """Runs of rows, small enough that all threads finish at about the same time."""
        first, end = self.region.slow_first, self.region.slow_last + 1
        shares = SHARES if self.threads > 1 else 1
        size = max(1, min(STEPS_AT_A_TIME // self._steps_of_a_row(), (end - first) // (shares * self.threads), 256))
        return [(row, min(row + size, end)) for row in range(first, end, size)]

    def _work(self, first: int, last: int) -> None:
        """Render rows first..last-1."""
        if not self.interpolating or self._past_grid(first):
            self._without_interpolation(first, last)
            return
        self._with_interpolation.add(first)
        at = self._walk_fast(first, last, interpolating=True) if self.walks_fast else first * self.fpixels
        # Somewhere in the block at `at` a neighbourhood leaves the list, perhaps.
        after = self._by_definition(at, last * self.fpixels, True)
        if after < last * self.fpixels:
            row = min(after // self.fpixels + 1, last)
            self._by_definition(after, row * self.fpixels, False)
            self._without_interpolation(row, last)

    def _without_interpolation(self, first: int, last: int) -> None:
        if self.walks_fast:
            self._walk_fast(first, last, interpolating=False)
        else:
            self._by_definition(first * self.fpixels, last * self.fpixels, False)

    def _past_grid(self, row: int) -> bool:
        at = self.left_grid_at
        return at is not None and at < row * self.fpixels

    def _walk_fast(self, first: int, last: int, interpolating: bool) -> int:
        """Rows by the fast walk, and a second look where it is due; the flat index where the walk ended."""
        walked = self.scene.rows(first, last, interpolating, self.omega)
        chosen = walked.open_pixels
        if len(chosen):
            # Their solid angles have been added up already.
            not_counted = np.zeros(self.spixels)
            self.scene.pixels(0, len(chosen), Walk(interpolating), not_counted, chosen=chosen)
        return walked.end

    def _by_definition(self, first: int, last: int, interpolating: bool) -> int:
        """Pixels first..last-1 (flat indices), or up to the one in which interpolation leaves the list."""
        walk = Walk(interpolating)
        after = self.scene.pixels(first, last, walk, self.omega)
        if interpolating and not walk.interpolating:
            with self._lock:
                if self.left_grid_at is None or after - 1 < self.left_grid_at:
                    self.left_grid_at = after - 1
                    self.left_grid = walk.left_grid
        return after

    def omega_sum(self, shown: Callable[[float], str]) -> float:
        """Solid angles of all sub-pixels, as precisely as `shown` shows them.

        Rows are added up on their own, which rounds differently from the C program's sum over all sub-pixels; where
        that could change what is shown, they are added up as the C program does it.
        """
        total = 0.0
        for omega in self.omega.tolist():
            total += omega
        if shown(total * (1.0 - OMEGA_ERROR)) == shown(total * (1.0 + OMEGA_ERROR)):
            return total
        return self.scene.solid_angle_sum()

    def new_record(self) -> np.ndarray:
        """An empty record of a pixel's values: rows and columns as kernels/layout.py has them, all nan."""
        e = self.experiment
        rows = e.detector.layers.count * e.oversampling.used**2 + 1
        return np.full((rows, layout.RECORD_COLUMNS), np.nan)

    def record(self, spixel: int, fpixel: int) -> np.ndarray:
        """Compute one pixel again, once the image is known up to it, with a record of its values."""
        index = spixel * self.fpixels + fpixel
        interpolating = self.experiment.interpolation.used and (self.left_grid_at is None or index <= self.left_grid_at)
        record = self.new_record()
        self.record_into(record, Walk(interpolating, index == self.first_visited), spixel, fpixel)
        return record

    def record_into(
        self, record: np.ndarray, walk: Walk, spixel: int, fpixel: int, omega: np.ndarray | None = None
    ) -> None:
        """Compute one pixel as the next of a walk. omega: where its solid angles are added up, if they are."""
        index = spixel * self.fpixels + fpixel
        not_counted = np.zeros(self.spixels) if omega is None else omega
        self.scene.pixels(index, index + 1, walk, not_counted, record=record)
        self._add_background_to(index, index + 1)

    def pixel_in_order(self, record: np.ndarray, walk: Walk, spixel: int, fpixel: int) -> bool:
        """Render one pixel as the next of the whole image's walk, with a record; whether interpolation left the list.

        For whoever renders all pixels one by one, in order (-printout).
        """
        interpolating, first_step = walk.interpolating, walk.first_step
        self.record_into(record, walk, spixel, fpixel, self.omega)
        index = spixel * self.fpixels + fpixel
        if first_step and not walk.first_step:
            self.first_visited = index
        if interpolating and not walk.interpolating:
            self.left_grid_at = index
            self.left_grid = walk.left_grid
            return True
        return False


_said_threads: int | None = None


@contextmanager
def threads_by_default(count: int | None) -> Iterator[None]:
    """While in here, default_threads() is this many, unless None."""
    global _said_threads
    before, _said_threads = _said_threads, count
    try:
        yield
    finally:
        _said_threads = before


def default_threads() -> int:
    """Cores that this process may use."""
    if _said_threads is not None:
        return _said_threads
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
