"""The seam between the renderer and what computes pixels.

The renderer knows threads, the order of pixels and what one pixel leaves to the next; a backend knows how pixels are
computed. Its calls are those of Scene and Backend below. Any backend may make the fast walk its own, as long as it
keeps the error bound and lists the pixels that the bound leaves open; `pixels`, the definition, is always the C
library's arithmetic, so a backend on another device hands it to CompiledKernels.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from ..base.shapes import SHAPES
from ..kernels import layout
from ..kernels.library import address, kernel
from .fast_walk import broken_assumption
from .inputs import KernelInputs


class LeftGrid(NamedTuple):
    """Miller indices, and the nearest whole ones, at which interpolation left the reflection list."""

    h: float
    k: float
    l: float
    h0: float
    k0: float
    l0: float


class Walk:
    """What a walk through pixels, in order, carries from one to the next; updated by Scene.pixels.

    interpolating: whether interpolation is still on. first_step: whether the run's very first step is still to come.
    left_grid: where interpolation left the reflection list, when it did.
    """

    def __init__(self, interpolating: bool, first_step: bool = False):
        self.state = np.zeros(1, dtype=layout.WALK)
        self.state["interpolating"], self.state["first_step"] = interpolating, first_step

    @property
    def interpolating(self) -> bool:
        """See the class."""
        return bool(self.state["interpolating"][0])

    @property
    def first_step(self) -> bool:
        """See the class."""
        return bool(self.state["first_step"][0])

    @property
    def left_grid(self) -> LeftGrid:
        """See the class."""
        h, k, l, h0, k0, l0 = (float(self.state[name][0]) for name in LeftGrid._fields)
        return LeftGrid(h, k, l, h0, k0, l0)


class WalkedRows(NamedTuple):
    """What a fast walk over rows leaves: pixels that need a second look (flat indices, int64), and where it ended.

    end is the flat index of the first pixel that was not computed: the one after the last row, or the first of the
    block in which, perhaps, interpolation leaves the list.
    """

    open_pixels: np.ndarray
    end: int


class Scene(Protocol):
    """One image on its way, with the inputs that it is made of. Rows and pixels of it may be computed by any thread."""

    def rows(self, first: int, last: int, interpolating: bool, omega: np.ndarray) -> WalkedRows:
        """The fast walk over rows first..last-1: fills the image and the rows of omega, float64 (spixels,).

        omega gets the sum of solid angles (steradian) of all sub-pixels of a row.
        """

    def pixels(
        self, first: int, last: int, walk: Walk, omega: np.ndarray,
        chosen: np.ndarray | None = None, record: np.ndarray | None = None,
    ) -> int:  # fmt: skip
        """Pixels first..last-1 by the definition: of the image (flat indices), or numbers of `chosen`, int64.

        Stops after one in which interpolation left the list, or which was the first to see the crystal while the walk
        asked for that; returns the number of the next one. Solid angles are added to omega. record, float64 (rows,
        layout.RECORD_COLUMNS): gets the values of the last pixel, for the trace.
        """

    def solid_angle_sum(self) -> float:
        """Solid angles of all sub-pixels, added one by one in the C program's order: slow, right to the last bit."""


class Backend(Protocol):
    """A way of computing pixels."""

    def walks_fast(self, inputs: KernelInputs) -> bool:
        """Whether Scene.rows serves these inputs; if not, all pixels are computed by the definition."""

    def scene(
        self, inputs: KernelInputs, image: np.ndarray, interpolates: bool, geometry: np.ndarray | None = None
    ) -> Scene:
        """A scene for an image, float32 (slow, fast). interpolates: whether it may interpolate structure factors.

        geometry: what store_geometry gave for this detector and beam.
        """

    def store_geometry(self, inputs: KernelInputs) -> np.ndarray:
        """Scattering vectors [1/m] and product of factors of every pixel, float64 (slow, 4, fast)."""


class CompiledKernels:
    """The backend for this machine's processor: kernels/library."""

    def walks_fast(self, inputs: KernelInputs) -> bool:
        """Where the fast walk's error bound holds: see fast_walk.py."""
        return broken_assumption(inputs) is None

    def scene(
        self, inputs: KernelInputs, image: np.ndarray, interpolates: bool, geometry: np.ndarray | None = None
    ) -> Scene:
        """See Backend."""
        if geometry is None:
            return _CompiledScene(inputs, image, interpolates)
        return _StoredScene(inputs, image, geometry)

    def store_geometry(self, inputs: KernelInputs) -> np.ndarray:
        """See Backend."""
        p = inputs.parameters[0]
        geometry = np.zeros((int(p["spixels"]), 4, int(p["fpixels"])))
        scratch = np.empty(layout.SCRATCH)
        first, end = int(p["roi_slow_first"]), int(p["roi_slow_last"]) + 1
        kernel("store_geometry")(
            address(inputs.parameters), address(inputs.sources), address(geometry), address(scratch),
            first, max(end, first),
        )  # fmt: skip
        return geometry


class _CompiledScene:
    """Calls of the kernels with this image's arrays."""

    # Indices for a second look that a kernel may list for each pixel: it has as many reasons.
    reasons = 3

    def __init__(self, inputs: KernelInputs, image: np.ndarray, interpolates: bool):
        self.inputs = inputs
        self.arrays = tuple(address(array) for array in (*inputs, image))
        # The addresses do not keep the image alive.
        self.image = image
        p = inputs.parameters[0]
        self.fpixels = int(p["fpixels"])
        self.shape = SHAPES[int(p["shape"])].name
        self.interpolates = interpolates

    def rows(self, first: int, last: int, interpolating: bool, omega: np.ndarray) -> WalkedRows:
        """See Scene."""
        scratch, listed = self._working_memory(first, last)
        left = np.full(1, -1, dtype=np.int64)
        found = kernel(row_kernel(self.shape, self.interpolates))(
            *self.arrays, address(scratch), address(listed), address(omega), address(left), interpolating, first, last,
        )  # fmt: skip
        return WalkedRows(listed[:found], int(left[0]) if left[0] >= 0 else last * self.fpixels)

    def _working_memory(self, first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        size = self.reasons * self.fpixels * (last - first)
        return np.empty(layout.SCRATCH), np.empty(size, dtype=np.int64)

    def pixels(
        self, first: int, last: int, walk: Walk, omega: np.ndarray,
        chosen: np.ndarray | None = None, record: np.ndarray | None = None,
    ) -> int:  # fmt: skip
        """See Scene."""
        after: int = kernel("render_pixels")(
            *self.arrays, address(walk.state), address(omega), address(record),
            0 if record is None else len(record), address(chosen), 0 if chosen is None else len(chosen), first, last,
        )  # fmt: skip
        return after

    def solid_angle_sum(self) -> float:
        """See Scene."""
        total: float = kernel("solid_angle_sum")(address(self.inputs.parameters), address(self.inputs.mask))
        return total


class _StoredScene(_CompiledScene):
    """The same with the detector's geometry from memory; omega is left alone."""

    reasons = 2

    def __init__(self, inputs: KernelInputs, image: np.ndarray, geometry: np.ndarray):
        super().__init__(inputs, image, interpolates=False)
        self.geometry = geometry

    def rows(self, first: int, last: int, interpolating: bool, omega: np.ndarray) -> WalkedRows:
        """See Scene."""
        scratch, listed = self._working_memory(first, last)
        found = kernel(f"render_stored_{self.shape}")(
            *self.arrays, address(scratch), address(listed), address(self.geometry), first, last
        )
        return WalkedRows(listed[:found], last * self.fpixels)


def row_kernel(shape: str, interpolates: bool) -> str:
    """Name of the kernel that walks rows: one that can interpolate serves a run to the end of the image."""
    return f"render_{shape}{'_tricubic' if interpolates else ''}"


def kernels_needed(shape: str, interpolates: bool, fast: bool) -> list[str]:
    """Names of the kernels that an image surely needs, the one that takes longest to compile first."""
    return [*([row_kernel(shape, interpolates)] if fast else []), "render_pixels"]


COMPILED_KERNELS: Backend = CompiledKernels()
