"""-printout: what each pixel, or one, saw last; in the C program's words."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable

import numpy as np

from ..base.c_numbers import c_format
from ..kernels import layout
from ..kernels.layout import PIXEL_COLUMNS
from ..model.experiment import Experiment
from ..rendering.renderer import Renderer
from . import run_log
from .progress import PixelCounter


class Printout:
    """Renders an image and prints pixels.

    What is printed may be left over from an earlier pixel, as when dmin cuts all of a pixel's rays off: the last
    row of the record is therefore carried from pixel to pixel.
    """

    def __init__(
        self, experiment: Experiment, renderer: Renderer, counter: PixelCounter, say: Callable[[str], None]
    ):  # fmt: skip
        self.experiment = experiment
        self.renderer = renderer
        self.counter = counter
        self.say = say

    def run(self, traced: Callable[[int], str]) -> None:
        """Render; print all pixels, or the one of -printout_pixel. `traced` gives a pixel's trace lines, if any."""
        fast, slow = self.experiment.config.printout_pixel or (-1, -1)
        if fast < 0:
            self.all_pixels(traced)
        else:
            self.one_pixel(slow, fast, traced)

    def _record(self) -> np.ndarray:
        p = self.renderer.inputs.parameters[0]
        rows = int(p["layers"]) * int(p["oversample"]) ** 2 + 1
        return np.full((rows, layout.RECORD_COLUMNS), np.nan)

    def all_pixels(self, traced: Callable[[int], str]) -> None:
        """One pixel after the other, as they are printed."""
        renderer = self.renderer
        record = self._record()
        state = np.array([self.experiment.interpolate, 1], dtype=np.int64)
        fast_first, fast_last, slow_first, slow_last = renderer.region
        for slow in range(slow_first, slow_last + 1):
            for fast in range(fast_first, fast_last + 1):
                if not self.counter.contains(slow, fast):
                    continue
                was_interpolating, was_first = state.tolist()
                latch = np.zeros(6)
                renderer.record_into(record, state, latch, renderer.omega, slow, fast)
                index = slow * renderer.fpixels + fast
                left = was_interpolating and not state[0]
                if left:
                    renderer.left_grid_at = index
                    renderer.latch[:] = latch
                if was_first and not state[1]:
                    renderer.first_visited = index
                trace_lines = traced(index)
                if left and not trace_lines:
                    # Otherwise it stands in the midst of the trace.
                    self.say(run_log.left_grid_warning(renderer.latch))
                self.say(trace_lines)
                self.say(self.pixel_lines(record[-1], slow, fast))

    def one_pixel(self, slow: int, fast: int, traced: Callable[[int], str]) -> None:
        """Render as ever, then look at one pixel; go back as far as its values are older."""
        renderer = self.renderer
        texts: list[tuple[int, int, str]] = []
        for _ in renderer.rows():
            pass
        wanted = {spixel * renderer.fpixels + fpixel for spixel, fpixel in self.experiment.config.trace_pixels}
        texts += [(index, 1, traced(index)) for index in wanted]
        left_at = renderer.left_grid_at
        if left_at is not None and left_at not in wanted:
            texts.append((left_at, 0, run_log.left_grid_warning(renderer.latch)))
        if self.counter.contains(slow, fast):
            index = slow * renderer.fpixels + fast
            texts.append((index, 2, self.pixel_lines(self.last_seen(slow, fast), slow, fast)))
        for _, _, text in sorted(texts):
            self.say(text)
        sys.stdout.flush()

    def last_seen(self, slow: int, fast: int) -> np.ndarray:
        """Last row of the record of a pixel, with values it did not compute from the pixels before it."""
        renderer = self.renderer
        fast_first, fast_last, slow_first, _ = renderer.region
        row = renderer.record(slow, fast)[-1]
        while np.isnan(row[: PIXEL_COLUMNS["intensity"]]).any():
            fast -= 1
            if fast < fast_first:
                fast, slow = fast_last, slow - 1
            if slow < slow_first:
                break
            if self.counter.contains(slow, fast):
                earlier = renderer.record(slow, fast)[-1]
                row = np.where(np.isnan(row), earlier, row)
        return row

    def pixel_lines(self, row: np.ndarray, slow: int, fast: int) -> str:
        """The C program's lines for one pixel."""
        v = {name: float(row[column]) for name, column in PIXEL_COLUMNS.items()}
        if math.isnan(v["F_cell"]):
            # No step has needed a structure factor yet: the C program's variable still holds the list's last.
            v["F_cell"] = self.experiment.grid.last_F
        two_theta = math.atan2(math.sqrt(v["y"] * v["y"] + v["z"] * v["z"]), v["x"])
        stol = math.sin(two_theta / 2.0) / (self.experiment.camera.wavelength_m * 1e10)
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
