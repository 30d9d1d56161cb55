"""Rows of an image shared among threads, and the few things that make the order of pixels matter."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator

import numpy as np

from ..kernels import layout
from ..kernels.library.load import address, kernel
from ..model.experiment import Experiment
from .crew import Crew
from .inputs import KernelInputs, kernel_inputs

# Steps that a thread takes on before it looks for more work: a fraction of a second.
STEPS_AT_A_TIME = 4_000_000
# Far more than the roundings of any sum that a run can make.
OMEGA_ERROR = 1e-9


def block_kernel(shape: str, interpolate: bool) -> str:
    """Name of the kernel that renders rows of a run: one that can interpolate serves it to the end of the image."""
    return f"render_{shape}{'_tricubic' if interpolate else ''}"


class Renderer:
    """One image of one experiment.

    The image does not depend on the number of threads: every pixel is a sum of its own, and what the reference
    carries from pixel to pixel is settled in pixel order: the run's very first step, before the threads start, and
    the pixel where interpolation leaves the list, of which the first one counts.
    """

    # Chunks of rows for each of several threads: enough that all finish at about the same time.
    shares = 8

    def __init__(
        self, experiment: Experiment, threads: int | None = None, error_scale: float = 1.0,
        inputs: KernelInputs | None = None, image: np.ndarray | None = None,
    ):  # fmt: skip
        """inputs: those of the experiment, if they are there already. image: float32 (slow, fast), 0 to begin with."""
        self.experiment = experiment
        self.inputs = inputs or kernel_inputs(experiment, error_scale)
        self.threads = threads or default_threads()
        p = self.inputs.parameters[0]
        self.fpixels, self.spixels = int(p["fpixels"]), int(p["spixels"])
        self.region = tuple(int(p[f"roi_{name}"]) for name in ("fast_first", "fast_last", "slow_first", "slow_last"))
        self.image = np.zeros((self.spixels, self.fpixels), dtype=np.float32) if image is None else image
        self.omega = np.zeros(self.spixels)
        self.scene = tuple(address(array) for array in (*self.inputs, self.image))
        self.interpolating = experiment.interpolate
        self.block_kernel = block_kernel(experiment.config.shape, experiment.interpolate)
        self.left_grid_at: int | None = None
        self.latch = np.zeros(6)
        self.first_visited: int | None = None
        self._with_interpolation: set[int] = set()
        running_sum = experiment.factors.any and not experiment.factors.per_term
        self.in_blocks = not running_sum and p["outside"] < 2**31

    def first_visit(self) -> dict[int, float]:
        """Render the pixel that sees the unrotated cell, if there is one; its photons, by flat index."""
        cells = self.inputs.cells
        if np.array_equal(cells[0], cells[1]):
            return {}
        first, _, slow, _ = self.region
        state = np.array([self.interpolating, 1], dtype=np.int64)
        dummy = np.zeros(self.spixels)
        after = slow * self.fpixels + first
        end = self.spixels * self.fpixels
        while after < end and state[1]:
            after = self._pixels(state, self.latch, dummy, after, end)
            if self.interpolating and not state[0]:
                self.left_grid_at = after - 1
                self.interpolating = False
        if state[1]:
            return {}
        self.first_visited = after - 1
        return {self.first_visited: self.image.flat[self.first_visited]}

    def rows(self, crew_of: Callable[..., Crew] = Crew) -> Iterator[int]:
        """Render; yields the first row that is not finished yet, in order. crew_of: who does it, see crew.py."""
        kept = self.first_visit()
        self.omega[:] = 0.0
        chunks = self._chunks()
        crew = crew_of(self._work, chunks, self.threads)
        try:
            for number in crew.finished():
                first, last = chunks[number]
                if first in self._with_interpolation and self._past_grid(first):
                    # Another thread has found an earlier pixel that leaves the list.
                    self.omega[first:last] = 0.0
                    self._without_interpolation(first, last)
                for index, value in kept.items():
                    self.image.flat[index] = value
                yield last
        finally:
            crew.stop()

    def _chunks(self) -> list[tuple[int, int]]:
        """Runs of rows, small enough that all threads finish at about the same time."""
        p = self.inputs.parameters[0]
        first, end = self.region[2], self.region[3] + 1
        a_row = max(1, self.fpixels * int(p["steps"]) * int(p["layers"]))
        shares = self.shares if self.threads > 1 else 1
        size = max(1, min(STEPS_AT_A_TIME // a_row, (end - first) // (shares * self.threads), 256))
        return [(row, min(row + size, end)) for row in range(first, end, size)]

    def _work(self, first: int, last: int) -> None:
        """Render rows first..last-1."""
        if not self.interpolating or self._past_grid(first):
            self._without_interpolation(first, last)
            return
        self._with_interpolation.add(first)
        at = self._blocks(first, last, interpolating=True) if self.in_blocks else first * self.fpixels
        # Somewhere in the block at `at` a neighbourhood leaves the list, perhaps.
        after = self._exact(at, last * self.fpixels, True)
        if after < last * self.fpixels:
            row = min(after // self.fpixels + 1, last)
            self._exact(after, row * self.fpixels, False)
            self._without_interpolation(row, last)

    def _without_interpolation(self, first: int, last: int) -> None:
        if self.in_blocks:
            self._blocks(first, last)
        else:
            self._exact(first * self.fpixels, last * self.fpixels, False)

    def _past_grid(self, row: int) -> bool:
        at = self.left_grid_at
        return at is not None and at < row * self.fpixels

    def _blocks(self, first: int, last: int, interpolating: bool = False) -> int:
        """Rows in blocks, and a second look where it is due; the flat index where the work ended."""
        scratch = np.empty(layout.SCRATCH)
        again = np.empty(3 * self.fpixels * (last - first), dtype=np.int64)
        left = np.full(1, -1, dtype=np.int64)
        found = kernel(self.block_kernel)(
            *self.scene, address(scratch), address(again), address(self.omega), address(left),
            interpolating, first, last,
        )  # fmt: skip
        self._second_look(again[:found], interpolating)
        return int(left[0]) if left[0] >= 0 else last * self.fpixels

    def _pixels(
        self, state: np.ndarray, latch: np.ndarray, omega: np.ndarray, first: int, last: int,
        chosen: np.ndarray | None = None, record: np.ndarray | None = None,
    ) -> int:  # fmt: skip
        """Pixels by the definition, of the image or those chosen; see kernels/entry.py."""
        return kernel("render_pixels")(
            *self.scene, address(state), address(latch), address(omega), address(record),
            0 if record is None else len(record), address(chosen), 0 if chosen is None else len(chosen), first, last,
        )  # fmt: skip

    def _second_look(self, chosen: np.ndarray, interpolating: bool) -> None:
        """Compute listed pixels again; their solid angles have been added up already."""
        if len(chosen):
            state = np.array([interpolating, 0], dtype=np.int64)
            self._pixels(state, np.zeros(6), np.zeros(self.spixels), 0, len(chosen), chosen)

    def _exact(self, first: int, last: int, interpolating: bool) -> int:
        state = np.array([interpolating, 0], dtype=np.int64)
        latch = np.zeros(6)
        after = self._pixels(state, latch, self.omega, first, last)
        if interpolating and not state[0]:
            self._left_grid(after - 1, latch)
        return after

    def _left_grid(self, index: int, latch: np.ndarray) -> None:
        with _LATCH_LOCK:
            if self.left_grid_at is None or index < self.left_grid_at:
                self.left_grid_at = index
                self.latch[:] = latch

    def omega_sum(self, shown: Callable[[float], str]) -> float:
        """Solid angles of all sub-pixels, as precisely as `shown` shows them.

        Rows are added up on their own, which rounds differently from the reference's sum over all sub-pixels; where
        that could change what is shown, they are added up as the reference does it.
        """
        total = 0.0
        for omega in self.omega.tolist():
            total += omega
        if shown(total * (1.0 - OMEGA_ERROR)) == shown(total * (1.0 + OMEGA_ERROR)):
            return total
        return kernel("solid_angle_sum")(address(self.inputs.parameters), address(self.inputs.mask))

    def state_at(self, index: int) -> np.ndarray:
        """Flags that pixel `index` (flat) is computed with, once the image is known up to it."""
        interpolating = self.experiment.interpolate and (self.left_grid_at is None or index <= self.left_grid_at)
        return np.array([interpolating, index == self.first_visited], dtype=np.int64)

    def record(self, spixel: int, fpixel: int) -> np.ndarray:
        """Compute one pixel again with a record of its values (rows and columns: kernels/layout.py)."""
        p = self.inputs.parameters[0]
        rows = int(p["layers"]) * int(p["oversample"]) ** 2 + 1
        record = np.full((rows, layout.RECORD_COLUMNS), np.nan)
        state = self.state_at(spixel * self.fpixels + fpixel)
        self.record_into(record, state, np.zeros(6), np.zeros(self.spixels), spixel, fpixel)
        return record

    def record_into(
        self, record: np.ndarray, state: np.ndarray, latch: np.ndarray, omega: np.ndarray, spixel: int, fpixel: int
    ) -> None:
        """Compute one pixel with given flags, which are updated; see kernels/entry.py."""
        index = spixel * self.fpixels + fpixel
        self._pixels(state, latch, omega, index, index + 1, record=record)


_LATCH_LOCK = threading.Lock()


def default_threads() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1
