"""The run log, and the trace's lines, of the stages before an image is rendered."""

from __future__ import annotations

from ..base.errors import InputError, warn
from ..base.files import check_writable, file_is_there
from ..formats import pgm, reflection_list, smv_writer
from ..formats.dump import write_dump
from ..formats.tables import read_columns
from ..kernels.library import prepare
from ..measurement import poisson
from ..model.beam import Beam, Sources
from ..model.crystal import Crystal
from ..model.detector import Detector
from ..model.experiment import Interpolation
from ..model.mosaic import Mosaic
from ..model.spindle import Spindle
from ..model.structure_factors import Grid
from ..model.subpixels import Oversampling
from ..options.config import Config
from ..rendering import statistics
from ..rendering.backend import kernels_needed
from ..resolve.listener import Listener
from ..resolve.random import KERNELS as RANDOM_KERNELS
from . import run_log, trace
from .output import check_outputs
from .standard_output import say


class StageLog(Listener):
    """Writes the lines of each stage, in the C program's order; checks outputs, and compiles, before the work."""

    def __init__(self, config: Config):
        self.config = config
        self.tracing = bool(config.trace_pixels)
        self._dump: tuple[Grid, str] | None = None

    def headers_read(self, paths: tuple[str, ...]) -> None:
        """See Listener."""
        say(run_log.header_lines(paths))

    def instrument_resolved(self, beam: Beam, detector: Detector) -> None:
        """See Listener."""
        say(run_log.opening(beam, detector))

    def work_begins(self, detector: Detector, mosaic: Mosaic, interpolation: Interpolation) -> None:
        """See Listener."""
        check_outputs(self.config)
        prepare(self.kernels(interpolation))
        say(run_log.geometry(detector, mosaic))
        beam_pivot = detector.pivot == "beam"
        if not beam_pivot:
            say(run_log.pivot_line(detector))
        if self.tracing:
            say(trace.detector_axes(detector))
        if beam_pivot:
            say(run_log.pivot_line(detector))
            if self.tracing:
                say(trace.pivot_block(detector, self.config.trace_prefix))
        if self.tracing:
            say(trace.detector_origin(detector))
        say(run_log.beam_in_detector(detector))
        say(run_log.interpolation(interpolation))

    def kernels(self, interpolation: Interpolation) -> list[str]:
        """Names of the kernels that this run will surely need, the one that takes longest to compile first."""
        config = self.config
        factors_each_step = config.oversample_thick or config.oversample_polar or config.oversample_omega
        pixel_by_pixel = config.printout or config.trace_only or (factors_each_step and not config.fixes.any)
        listed = config.hkl_file is not None or file_is_there(config.dump_file)
        names = kernels_needed(config.shape, listed and interpolation.used, fast=not pixel_by_pixel)
        names += [*statistics.KERNELS, *smv_writer.KERNELS, *RANDOM_KERNELS]
        names += reflection_list.KERNELS if config.hkl_file is not None else ()
        names += pgm.KERNELS if config.write_pgm else ()
        names += poisson.KERNELS if config.write_noise else ()
        return names

    def crystal_resolved(self, crystal: Crystal, beam: Beam) -> None:
        """See Listener."""
        say(run_log.cell_construction(crystal))
        if self.config.mat_file is not None:
            say(run_log.matrix_line(self.config.mat_file))
            if self.tracing:
                say(trace.matrix_block(crystal, beam))
        say(run_log.random_orientation(crystal))
        if self.tracing:
            say(trace.misset_block(crystal))
            say(trace.cell_block(crystal))
        say(run_log.cell(crystal))
        if self.tracing:
            say(trace.metre_block(crystal))

    def oversampling_resolved(self, crystal: Crystal, oversampling: Oversampling) -> None:
        """See Listener."""
        say(run_log.crystal_size(crystal, oversampling))

    def list_is_missing(self, path: str) -> None:
        """See Listener."""
        say(run_log.list_is_missing(path))

    def list_opened(self, path: str) -> None:
        """See Listener."""
        say(run_log.list_opened(path))

    def list_is_empty(self, path: str) -> None:
        """See Listener."""
        say(run_log.list_is_empty(path))

    def list_read(self, path: str, grid: Grid) -> None:
        """See Listener."""
        say(run_log.list_read(path, grid.default_F))
        dump = self.config.dump_file
        try:
            check_writable(dump, "-dump")
            self._dump = (grid, dump)
        except InputError as error:
            warn(str(error))
        say(run_log.dump_written(dump, self._dump is not None))

    def dump_opened(self, path: str) -> None:
        """See Listener."""
        say(run_log.dump_opened(path))

    def structure_factors_resolved(self, detector: Detector, spindle: Spindle) -> None:
        """See Listener."""
        if self.config.stol_file is not None:
            # The C program reads a table of angles, and does not use it.
            say(run_log.table_opened(self.config.stol_file))
            read_columns(self.config.stol_file, 2, "-stol")
        say(run_log.sampling(detector, spindle))

    def sources_resolved(self, sources: Sources) -> None:
        """See Listener."""
        say(run_log.sources(sources))

    def write_dump(self) -> None:
        """The dump of structure factors for next time, once nothing can stop the run any more."""
        if self._dump is not None:
            try:
                write_dump(*self._dump)
            except InputError as error:
                warn(str(error))
