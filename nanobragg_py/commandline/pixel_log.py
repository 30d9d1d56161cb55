"""Rendering with the lines that belong to pixels, in pixel order: progress, warnings, traces."""

from __future__ import annotations

from collections.abc import Iterator

from ..base.errors import InputError
from ..base.progress import progress_counts
from ..model.experiment import Experiment
from ..options.config import Config
from ..rendering.renderer import Renderer
from . import run_log, trace
from .printout import Printout
from .progress import progress_bar
from .standard_output import flush, say


class PixelLog:
    """Renders an image, and says what the C program says meanwhile."""

    def __init__(self, config: Config, experiment: Experiment, renderer: Renderer):
        self.config = config
        self.experiment = experiment
        self.renderer = renderer
        self.rendered = experiment.rendered
        # Flat indices of the pixels to trace.
        self.wanted = list(dict.fromkeys(slow * renderer.fpixels + fast for slow, fast in config.trace_pixels))

    def check_traced_pixels(self) -> None:
        """A pixel that is not rendered cannot be traced. Raises InputError."""
        spixels, fpixels = self.rendered.shape
        if self.config.trace_only and not self.wanted:
            raise InputError("--trace-only needs -trace_pixel")
        for slow, fast in self.config.trace_pixels:
            if not (0 <= slow < spixels and 0 <= fast < fpixels):
                raise InputError(
                    f"-trace_pixel {slow} {fast}: expected slow 0 to {spixels - 1}, fast 0 to {fpixels - 1}"
                )
            if not self.rendered.contains(slow, fast):
                raise InputError(f"-trace_pixel {slow} {fast}: the pixel is outside -roi or masked")

    def render(self) -> None:
        """Render all pixels."""
        self._announce()
        if self.config.printout:
            Printout(self.experiment, self.renderer, self.config.printout_pixel, self._traced_if_wanted).run()
        else:
            first, last = self.rendered.region.slow_first, self.rendered.region.slow_last
            with progress_bar(last + 1 - first, self.config.progress) as show:
                for row in self._rows():
                    show(row - first)
        say("\n")

    def trace_only(self) -> None:
        """Render just the traced pixels, and whatever before them decides how they are computed."""
        self._announce()
        if self.experiment.interpolation.used:
            last = max(self.wanted) // self.renderer.fpixels
            for row in self.renderer.rows():
                if row > last:
                    break
        else:
            self.renderer.first_visit()
        for index in self.wanted:
            say(self._traced(index))

    def _announce(self) -> None:
        if len(self.config.trace_pixels) == 1:
            say(trace.announcement(*self.config.trace_pixels[0]))

    def _rows(self) -> Iterator[int]:
        """Render; yields the first row that is not finished, once the log's lines up to it are out."""
        renderer = self.renderer
        total = self.experiment.region.progress_pixels if self.config.progress else 0
        pending = sorted(self.wanted)
        before = 0
        warned = False
        for row in renderer.rows():
            after = self.rendered.before_row(row)
            lines: list[tuple[int, int, str]] = []
            lines += [(n, 2, run_log.progress_line(n, total)) for n in progress_counts(before, after, total)]
            left_at = renderer.left_grid_at
            if left_at is not None and not warned and left_at < row * renderer.fpixels:
                warned = True
                if left_at not in self.wanted:
                    lines.append((self.rendered.before(left_at), 0, run_log.left_grid_warning(renderer.left_grid)))
            while pending and pending[0] < row * renderer.fpixels:
                index = pending.pop(0)
                lines.append((self.rendered.before(index), 1, self._traced(index)))
            for _, _, text in sorted(lines):
                say(text)
                flush()
            before = after
            yield row

    def _traced_if_wanted(self, index: int) -> str:
        return self._traced(index) if index in self.wanted else ""

    def _traced(self, index: int) -> str:
        """Trace lines of a pixel, with its announcement when there are several."""
        renderer = self.renderer
        slow, fast = divmod(index, renderer.fpixels)
        record = renderer.record(slow, fast)
        warning = run_log.left_grid_warning(renderer.left_grid) if index == renderer.left_grid_at else ""
        stored = float(renderer.image[slow, fast])
        text = trace.pixel_block(self.experiment, record, stored, self.config.trace_prefix, warning)
        return (trace.announcement(slow, fast) if len(self.config.trace_pixels) > 1 else "") + text
