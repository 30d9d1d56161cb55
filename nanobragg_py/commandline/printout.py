"""-printout: what each pixel, or one, saw last; in the C program's words."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..base.c_numbers import c_format
from ..kernels.layout import PIXEL_COLUMNS
from ..model.experiment import Experiment
from ..rendering.backend import Walk
from ..rendering.renderer import Renderer
from . import run_log
from .standard_output import flush, say

# Planes along each axis of the table that the C program copies a neighbourhood to when it interpolates.
COPIED_PLANES = 6.0


class Printout:
    """Renders an image and prints pixels.

    What is printed may be left over from an earlier pixel, as when dmin cuts all of a pixel's rays off: the last
    row of the record is therefore carried from pixel to pixel.
    """

    def __init__(
        self, experiment: Experiment, renderer: Renderer, only: tuple[int, int] | None, traced: Callable[[int], str]
    ):  # fmt: skip
        """only: fast and slow of the one pixel to print, if not all. traced: trace lines of a pixel (flat index)."""
        self.experiment = experiment
        self.renderer = renderer
        self.rendered = experiment.rendered
        self.only = only
        self.traced = traced

    def run(self) -> None:
        """Render; print all pixels, or the one."""
        fast, slow = self.only or (-1, -1)
        if fast < 0:
            self.all_pixels()
        else:
            self.one_pixel(slow, fast)

    def all_pixels(self) -> None:
        """One pixel after the other, as they are printed."""
        renderer, region = self.renderer, self.rendered.region
        record = renderer.new_record()
        walk = Walk(self.experiment.interpolation.used, first_step=True)
        for slow in range(region.slow_first, region.slow_last + 1):
            for fast in range(region.fast_first, region.fast_last + 1):
                if not self.rendered.contains(slow, fast):
                    continue
                left = renderer.pixel_in_order(record, walk, slow, fast)
                trace_lines = self.traced(slow * renderer.fpixels + fast)
                if left and not trace_lines:
                    # Otherwise it stands in the midst of the trace.
                    say(run_log.left_grid_warning(renderer.left_grid))
                say(trace_lines)
                say(self.pixel_lines(record[-1], slow, fast))

    def one_pixel(self, slow: int, fast: int) -> None:
        """Render as ever, then look at one pixel; go back as far as its values are older."""
        renderer = self.renderer
        renderer.render()
        texts = [(index, 1, text) for index in range(renderer.image.size) if (text := self.traced(index))]
        left_at = renderer.left_grid_at
        if left_at is not None and left_at not in [index for index, _, _ in texts]:
            texts.append((left_at, 0, run_log.left_grid_warning(renderer.left_grid)))
        if self.rendered.contains(slow, fast):
            index = slow * renderer.fpixels + fast
            texts.append((index, 2, self.pixel_lines(self.last_seen(slow, fast), slow, fast)))
        for _, _, text in sorted(texts):
            say(text)
        flush()

    def last_seen(self, slow: int, fast: int) -> np.ndarray:
        """Last row of the record of a pixel, with values it did not compute from the pixels before it."""
        renderer = self.renderer
        region = self.rendered.region
        row: np.ndarray = renderer.record(slow, fast)[-1]
        while np.isnan(row[: PIXEL_COLUMNS["intensity"]]).any():
            fast -= 1
            if fast < region.fast_first:
                fast, slow = region.fast_last, slow - 1
            if slow < region.slow_first:
                break
            if self.rendered.contains(slow, fast):
                earlier = renderer.record(slow, fast)[-1]
                row = np.where(np.isnan(row), earlier, row)
        return row

    def _before_the_first_step(self) -> dict[str, float]:
        """What the C program's variables hold before the run's first step, by the names of a record's columns.

        The cell is the unturned one, the reflection is the last of the list; but h0 and k0 have counted planes of the
        table since then. The transform of the lattice has no value yet: it prints what is in memory, we say nan.
        """
        experiment = self.experiment
        cell = [component for vector in experiment.crystal.real_m for component in vector]
        names = ("ax", "ay", "az", "bx", "by", "bz", "cx", "cy", "cz")
        grid = experiment.structure_factors
        if not grid.reflections:
            return dict(zip(names, cell, strict=True))
        h, k, l = (float(index) for index in grid.last_hkl)
        h_size, k_size, _ = (float(size) for size in grid.shape)
        if experiment.interpolation.used:
            h_size = k_size = COPIED_PLANES
        reflection = {"h": h, "k": k, "l": l, "h0": h_size, "k0": k_size, "l0": l, "F_cell": grid.last_F}
        return {**dict(zip(names, cell, strict=True)), **reflection}

    def pixel_lines(self, row: np.ndarray, slow: int, fast: int) -> str:
        """The C program's lines for one pixel."""
        v = {name: float(row[column]) for name, column in PIXEL_COLUMNS.items()}
        for name, value in self._before_the_first_step().items():
            if math.isnan(v[name]):
                v[name] = value
        two_theta = math.atan2(math.sqrt(v["y"] * v["y"] + v["z"] * v["z"]), v["x"])
        stol = math.sin(two_theta / 2.0) / (self.experiment.beam.wavelength_m * 1e10)
        nearest = tuple(0 if math.isnan(v[name]) else int(v[name]) for name in ("h0", "k0", "l0"))
        rows = (
            ("%4d %4d : stol = %g or %g\n", (fast, slow, v["stol"], stol)),
            ("at %g %g %g\n", (v["x"], v["y"], v["z"])),
            ("hkl= %f %f %f  hkl0= %d %d %d\n", (v["h"], v["k"], v["l"], *nearest)),
            (" F_cell=%g  F_latt=%g   I = %g\n", (v["F_cell"], v["F_latt"], v["intensity"])),
            ("I/steps %15.10g\n", (v["intensity"] / self.experiment.steps,)),
            ("polar   %15.10g\n", (v["polarization"],)),
            ("omega   %15.10g\n", (v["omega"],)),
            ("capfrac %15.10g\n", (v["capture"],)),
            ("pixel   %15.10g\n", (float(self.renderer.image[slow, fast]),)),
            ("real-space cell vectors (Angstrom):\n", ()),
            ("     %-10s  %-10s  %-10s\n", ("a", "b", "c")),
            ("X: %11.8f %11.8f %11.8f\n", tuple(v[f"{name}x"] * 1e10 for name in "abc")),
            ("Y: %11.8f %11.8f %11.8f\n", tuple(v[f"{name}y"] * 1e10 for name in "abc")),
            ("Z: %11.8f %11.8f %11.8f\n", tuple(v[f"{name}z"] * 1e10 for name in "abc")),
        )
        return "".join(c_format(template, *values) for template, values in rows)
