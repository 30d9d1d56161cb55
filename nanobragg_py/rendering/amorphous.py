"""An image of what an amorphous material scatters: rows shared among threads, the same for any number of them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from ..base.vectors import Vector, unit
from ..kernels import layout
from ..kernels.library import address, kernel
from ..model.amorphous import ScatteringTable
from .amorphous_table import PreparedTable, prepare
from .fast_walk import FIELDS, LARGEST_PRODUCT, NEAREST_M, Parameters, along_normal
from .renderer import default_threads
from .threads import finished_chunks

# Steps that a thread takes on before it looks for more work.
STEPS_AT_A_TIME = 4_000_000
STEPS_WITHOUT_THREADS = 500_000
SHARES = 8
# Normalisations after which the polarization axis no longer changes; it hardly ever takes more than two.
MOST_NORMALISATIONS = 8
SEEN = ("stol", "F", "polarization", "omega", "place")


class AmorphousRenderer:
    """One image of an amorphous material, in photons per pixel.

    image: float32 (slow, fast); pixels outside the region of interest stay 0. omega: float64, solid angles (steradian)
    of all sub-pixels, in parts to be added up. seen: float64 (pixels, 5), where asked for: what each pixel's last step
    saw (SEEN; stol in 1/m).
    """

    def __init__(
        self, parameters: np.ndarray, sources: np.ndarray, table: ScatteringTable, molecules: float,
        threads: int | None = None, *, see: bool = False, exactly: bool = False, image: np.ndarray | None = None,
    ):  # fmt: skip
        """parameters: one record of layout.PARAMETERS, of which these fields are used: those of the detector (pixel and
        sub-pixel size, distances, axes, pix0, pixels, region, oversample, layers, thickness, attenuation, curved,
        point_pixel) and of the beam (beam, polarization_axis, kahn, nopolar, r_e_sqr, fluence, sources). sources:
        float64 (n, 5), see there; the weights count. molecules: in the beam. threads: all cores unless the image is
        small. see: fill `seen`, which takes all pixels by the definition, as exactly does. image: to be filled, of 0.
        """
        self.parameters, self.sources, self.table, self.molecules = parameters, sources, table, molecules
        p = dict(zip(FIELDS, parameters[0].item(), strict=True))
        self.fpixels, self.spixels = p["fpixels"], p["spixels"]
        self.first_row, self.end_row = max(p["roi_slow_first"], 0), min(p["roi_slow_last"] + 1, self.spixels)
        self.first_column, self.end_column = max(p["roi_fast_first"], 0), min(p["roi_fast_last"] + 1, self.fpixels)
        self.steps_of_a_row = max(1, self.fpixels * p["sources"] * p["oversample"] ** 2 * p["layers"])
        self.image = np.zeros((self.spixels, self.fpixels), dtype=np.float32) if image is None else image
        self.omega = np.zeros(max(self.spixels, 1))
        self.seen = np.zeros((self.image.size if see else 1, len(SEEN)))
        self.given_axis: Vector = tuple(p["polarization_axis"].tolist())
        settled, self.unsettled_steps = _settled(self.given_axis, p["kahn"] != 0.0 and not p["nopolar"])
        self.see = see
        # What the C program carries from pixel to pixel must be carried in their order.
        self.in_order = settled is None or not table.ascends
        self._axis = np.array(self.given_axis if self.in_order else settled)
        self._place = np.zeros(1, dtype=np.int64)
        self._before_settled: dict[int, tuple[float, np.ndarray]] = {}
        self.prepared = None if see or exactly or self.in_order else prepared_table(p, sources, table, molecules)
        small = (self.end_row - self.first_row) * self.steps_of_a_row <= STEPS_WITHOUT_THREADS
        self.threads = 1 if self.in_order else threads or (1 if small else default_threads())

    def rows(self) -> Iterator[int]:
        """Render; yields the first row that is not finished yet, in order."""
        self._first_pixels()
        chunks = self._chunks()
        finished = finished_chunks(self._work, chunks, self.threads)
        try:
            for number in finished:
                yield chunks[number][1]
        finally:
            finished.close()

    def render(self) -> np.ndarray:
        """Render all rows; the image."""
        for _ in self.rows():
            pass
        return self.image

    def exact_omega(self) -> float:
        """Solid angles of all sub-pixels, added up one by one in the C program's order: slow, right to the last bit."""
        p = self.parameters.copy()
        # Sources do not matter.
        p["sources"], p["nopolar"] = 1, 1
        total, nowhere, seen = np.zeros(1), np.zeros_like(self.image), np.zeros((1, len(SEEN)))
        self._by_definition(nowhere, 0, self.image.size, total, parameters=p, seen=seen, see=False)
        return float(total[0])

    def _chunks(self) -> list[tuple[int, int]]:
        first, end = self.first_row, self.end_row
        shares = SHARES if self.threads > 1 else 1
        size = max(1, min(STEPS_AT_A_TIME // self.steps_of_a_row, (end - first) // (shares * self.threads), 256))
        return [(row, min(row + size, end)) for row in range(first, end, size)]

    def _first_pixels(self) -> None:
        """Those that see the polarization axis before it is settled: one pixel at least for each such step."""
        if not self.unsettled_steps or self.in_order:
            return
        columns = range(self.first_column, self.end_column)
        places = ((row, column) for row in range(self.first_row, self.end_row) for column in columns)
        first = [row * self.fpixels + column for row, column in islice(places, self.unsettled_steps)]
        image, seen, chosen = np.zeros_like(self.image), np.zeros_like(self.seen), np.array(first, dtype=np.int64)
        axis = np.array(self.given_axis)
        self._by_definition(image, 0, len(first), np.zeros(1), chosen=chosen, axis=axis, seen=seen)
        self._before_settled = {i: (image.flat[i], seen[i if self.see else 0]) for i in first}

    def _work(self, first: int, last: int) -> None:
        """Render rows first..last-1."""
        begin, end = first * self.fpixels, last * self.fpixels
        if self.in_order:
            self._by_definition(self.image, begin, end, self.omega[:1], place=self._place, axis=self._axis)
        elif self.prepared is None:
            self._by_definition(self.image, begin, end, self.omega[first : first + 1])
        else:
            listed = self._fast(self.prepared, first, last)
            if len(listed):
                # Their solid angles have been added up already.
                self._by_definition(self.image, 0, len(listed), np.zeros(1), chosen=listed)
        for i, (value, seen) in self._before_settled.items():
            if begin <= i < end:
                self.image.flat[i] = value
                if self.see:
                    self.seen[i] = seen

    def _fast(self, prepared: PreparedTable, first: int, last: int) -> np.ndarray:
        """Rows first..last-1 in blocks; flat indices, int64, of the pixels that need a second look."""
        scratch, listed = np.empty(layout.SCRATCH), np.empty(self.fpixels * (last - first), dtype=np.int64)
        found = kernel("amorphous_rows")(
            address(self.parameters), address(self.sources), address(self._axis), address(prepared.rows),
            len(prepared.rows), address(prepared.starts), len(prepared.starts), prepared.slots_per_stol,
            self.molecules, address(self.image), address(scratch), address(listed), address(self.omega), first, last,
        )  # fmt: skip
        return listed[:found]

    def _by_definition(
        self, image: np.ndarray, first: int, last: int, omega: np.ndarray, *, chosen: np.ndarray | None = None,
        place: np.ndarray | None = None, axis: np.ndarray | None = None, seen: np.ndarray | None = None,
        parameters: np.ndarray | None = None, see: bool | None = None,
    ) -> None:  # fmt: skip
        """Pixels first..last-1 (flat indices, or numbers of chosen); without place and axis, those of any pixel."""
        kernel("amorphous_pixels")(
            address(self.parameters if parameters is None else parameters), address(self.sources),
            address(self.table.stol_per_m), address(self.table.F), self.table.points, self.molecules, address(image),
            address(np.ones(1, dtype=np.int64) if place is None else place),
            address(self._axis.copy() if axis is None else axis), address(omega),
            address(self.seen if seen is None else seen), self.see if see is None else see, address(chosen),
            0 if chosen is None else len(chosen), first, last,
        )  # fmt: skip


def _settled(axis: Vector, wanted: bool) -> tuple[Vector | None, int]:
    """The polarization axis after many normalisations, and how many of them are not the last one yet.

    None where it never settles; as it is where no step looks at it.
    """
    if not wanted:
        return axis, 0
    for number in range(MOST_NORMALISATIONS):
        again = unit(axis)
        if again == axis:
            return axis, max(number - 1, 0)
        axis = again
    return None, 0


def prepared_table(
    p: Parameters, sources: np.ndarray, table: ScatteringTable, molecules: float
) -> PreparedTable | None:
    """The table for the walk in blocks; None where its bound of errors would not hold. Not-a-number breaks it."""
    if not (np.all(sources[:, 3] > 0.0) and np.all(np.isfinite(sources))):
        return None
    nearest, farthest = (abs(p["distance_m"]),) * 2 if p["curved"] else along_normal(p)
    if not (NEAREST_M < nearest <= farthest or nearest <= farthest < -NEAREST_M):
        return None
    steps = p["sources"] * p["oversample"] ** 2 * p["layers"]
    across = 1.0
    if p["kahn"] != 0.0 and not p["nopolar"]:
        across = float(np.linalg.norm(np.cross(p["polarization_axis"], sources[:, :3]), axis=1).min())
    prepared = prepare(table, float(sources[:, 3].min()), p["sources"], steps, p["kahn"], across)
    if prepared is None:
        return None
    reach = max(nearest, -farthest)
    area = 1.0 if p["point_pixel"] else p["pixel_size_m"] ** 2
    product = 1.0
    for factor in (
        prepared.largest_F**2, 1.0 + abs(p["kahn"]), float(steps), float(np.abs(sources[:, 4]).max()),
        area / reach / reach, abs(p["close_distance_m"]) / reach, abs(p["fluence_per_m2"]), abs(molecules),
    ):  # fmt: skip
        # Not-a-number is kept.
        product *= 1.0 if factor < 1.0 else factor
    return prepared if product < LARGEST_PRODUCT else None
