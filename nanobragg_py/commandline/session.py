"""A run from command line to files: each stage resolves, then its lines are logged."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np

from ..base.errors import EXIT_STATUS, InputError, warn
from ..base.files import check_writable, file_is_there, written_directly
from ..formats import images
from ..formats.smv import smv_header
from ..formats.tables import read_columns
from ..kernels.library.load import prepare
from ..model.experiment import Camera, Experiment
from ..options.config import Config
from ..rendering.crew import Meanwhile
from ..rendering.renderer import Renderer, block_kernel
from ..rendering.statistics import image_statistics
from ..resolve import defects
from ..resolve.crystal_data import take_crystal_data
from ..resolve.files import load_grid, resolve_headers
from ..resolve.random import RandomTable
from ..resolve.sources import resolve_sources
from ..resolve.stages import (
    NothingToDo,
    check_there_is_something_to_do,
    clock_seed,
    complete,
    make_crystal,
    resolve_camera,
    resolve_interpolation,
    resolve_oversampling,
)
from . import run_log, trace
from .printout import Printout
from .progress import PixelCounter, progress_bar, progress_counts


def say(text: str) -> None:
    """Write to the run log."""
    sys.stdout.write(text)


class Session:
    """One run of the program."""

    def __init__(self, config: Config):
        self.config = config
        self.tracing = bool(config.trace_pixels)

    def run(self) -> int:
        """Run it; returns the exit status. Raises InputError for whatever the user can mend."""
        try:
            experiment = self.resolve()
        except NothingToDo:
            return EXIT_STATUS
        renderer = Renderer(experiment, self.config.threads)
        if self.config.trace_only:
            self.trace_only(experiment, renderer)
            return 0
        self.render(experiment, renderer)
        self.warn_of_defects(experiment, renderer)
        self.write(experiment, renderer)
        return 0

    def kernels(self) -> list[str]:
        """Names of the kernels that this run will surely need, the one that takes longest to compile first."""
        config = self.config
        factors_each_step = config.oversample_thick or config.oversample_polar or config.oversample_omega
        pixel_by_pixel = config.printout or config.trace_only or (factors_each_step and not config.fixes.any)
        listed = config.hkl_file is not None or file_is_there(config.dump_file)
        interpolate = listed and resolve_interpolation(config)
        names = [] if pixel_by_pixel else [block_kernel(config.shape, interpolate)]
        names += ["render_pixels", "add_up", "squared_deviations", "scale_to_words"]
        names += ["read_plain_list"] if config.hkl_file is not None else []
        names += ["scale_to_bytes"] if config.write_pgm else []
        names += ["poisson_words"] if config.write_noise else []
        return [*names, "mosaic_rotations"]

    def resolve(self) -> Experiment:
        """From what was said to the complete experiment, with the log's lines in the C program's order."""
        config = self.config
        header, header_files = resolve_headers(config)
        say(run_log.header_lines(header_files))
        camera = resolve_camera(config, header)
        say(run_log.opening(camera))
        self.config, crystal_data = take_crystal_data(config, camera)
        config = self.config
        try:
            check_there_is_something_to_do(config)
        except NothingToDo:
            no_factors = config.hkl_file is None and config.default_F == 0.0
            no_dump = not file_is_there(config.dump_file)
            say(run_log.usage(camera, config, no_factors and no_dump))
            raise
        self.check_outputs()
        prepare(self.kernels())
        self.log_geometry(camera)
        clock = clock_seed()
        random = RandomTable()
        interpolate = resolve_interpolation(config)
        say(run_log.interpolation(config, interpolate))
        crystal = make_crystal(config, camera, random, clock)
        self.log_crystal(crystal, camera)
        oversampling = resolve_oversampling(config, camera, crystal)
        say(run_log.crystal_size(crystal, oversampling))
        grid = load_grid(config, say, crystal_data)
        self.check_unused_table()
        say(run_log.sampling(camera))
        sources = resolve_sources(config, camera)
        say(run_log.sources(sources))
        noise_seed = clock if config.seed is None else config.seed
        experiment = complete(config, camera, crystal, interpolate, oversampling, grid, sources, random, noise_seed)
        say(run_log.summary(experiment))
        return experiment

    def warn_of_defects(self, experiment: Experiment, renderer: Renderer) -> None:
        """Tell of known defects of the C program that the image has, on standard error."""
        found = defects.defects_of(experiment, self.config.fixes, renderer.left_grid_at is not None)
        if found.any:
            warn(defects.warning(found))

    def check_outputs(self) -> None:
        """Find out before the work, not after it, that a file cannot be written."""
        config = self.config
        check_writable(config.float_file, "-floatfile")
        check_writable(config.int_file, "-intfile")
        if config.write_pgm:
            check_writable(config.pgm_file, "-pgmfile")
        if config.write_noise:
            check_writable(config.noise_file, "-noisefile")
        if config.preview is not None:
            from ..formats.preview import check_preview

            check_preview(config.preview)
            self.rings_A()
        if config.save_orientation is not None:
            check_writable(config.save_orientation, "--save-orientation")
        if config.save:
            from ..formats.save import check_save

            for path in config.save:
                check_save(path)

    def check_unused_table(self) -> None:
        """The C program reads a table of angles, and does not use it."""
        if self.config.stol_file is not None:
            say(f"reading {self.config.stol_file}\n")
            read_columns(self.config.stol_file, 2, "-stol")

    def log_geometry(self, camera: Camera) -> None:
        """Detector lines, and the trace's among them."""
        say(run_log.geometry(camera))
        beam_pivot = camera.detector.pivot == "beam"
        if not beam_pivot:
            say(run_log.pivot_line(camera))
        if self.tracing:
            say(trace.detector_axes(camera))
        if beam_pivot:
            say(run_log.pivot_line(camera))
            if self.tracing:
                say(trace.pivot_block(camera, self.config.trace_prefix))
        if self.tracing:
            say(trace.detector_origin(camera))
        say(run_log.beam_in_detector(camera))

    def log_crystal(self, crystal, camera: Camera) -> None:
        """Cell lines, and the trace's among them."""
        say(run_log.cell_construction(crystal))
        if crystal.mat_file is not None:
            say(run_log.matrix_line(crystal))
            if self.tracing:
                say(trace.matrix_block(crystal, camera.wavelength_m))
        say(run_log.random_orientation(crystal))
        if self.tracing:
            say(trace.misset_block(crystal))
            say(trace.cell_block(crystal))
        say(run_log.cell(crystal))
        if self.tracing:
            say(trace.metre_block(crystal))

    def render(self, experiment: Experiment, renderer: Renderer) -> None:
        """Render, with the lines that belong to pixels in pixel order."""
        config = self.config
        counter = PixelCounter(renderer.region, renderer.fpixels, experiment.mask)
        self.check_traced_pixels(counter, renderer)
        if len(config.trace_pixels) == 1:
            say(trace.announcement(*config.trace_pixels[0]))
        if config.printout:
            Printout(experiment, renderer, counter, say).run(self.traced_lines(experiment, renderer))
            say("\n")
            return
        first, end = renderer.region[2], renderer.region[3] + 1
        with progress_bar(end - first, config.progress) as show:
            for row in self.rendered_rows(experiment, renderer, counter):
                show(row - first)
        say("\n")

    def rendered_rows(self, experiment: Experiment, renderer: Renderer, counter: PixelCounter) -> Iterator[int]:
        """Render; yields the first row that is not finished, once the log's lines up to it are out."""
        config = self.config
        total = experiment.camera.region.progress_pixels if config.progress else 0
        pending = sorted(slow * renderer.fpixels + fast for slow, fast in set(config.trace_pixels))
        before = 0
        warned = False
        for row in renderer.rows():
            after = counter.before_row(row)
            events: list[tuple[int, int, str]] = []
            events += [(n, 2, run_log.progress_line(n, total)) for n in progress_counts(before, after, total)]
            left_at = renderer.left_grid_at
            if left_at is not None and not warned and left_at < row * renderer.fpixels:
                warned = True
                if left_at not in pending:
                    events.append((counter.before(left_at), 0, run_log.left_grid_warning(renderer.latch)))
            while pending and pending[0] < row * renderer.fpixels:
                index = pending.pop(0)
                events.append((counter.before(index), 1, self.traced(experiment, renderer, index)))
            for _, _, text in sorted(events):
                say(text)
                sys.stdout.flush()
            before = after
            yield row

    def check_traced_pixels(self, counter: PixelCounter, renderer: Renderer) -> None:
        """A pixel that is not rendered cannot be traced."""
        for slow, fast in self.config.trace_pixels:
            if not (0 <= slow < renderer.spixels and 0 <= fast < renderer.fpixels):
                raise InputError(
                    f"-trace_pixel {slow} {fast}: expected slow 0 to {renderer.spixels - 1}, "
                    f"fast 0 to {renderer.fpixels - 1}"
                )
            if not counter.contains(slow, fast):
                raise InputError(f"-trace_pixel {slow} {fast}: the pixel is outside -roi or masked")

    def traced(self, experiment: Experiment, renderer: Renderer, index: int) -> str:
        """Trace lines of a pixel, with its announcement when there are several."""
        slow, fast = divmod(index, renderer.fpixels)
        record = renderer.record(slow, fast)
        warning = run_log.left_grid_warning(renderer.latch) if index == renderer.left_grid_at else ""
        stored = float(renderer.image[slow, fast])
        text = trace.pixel_block(experiment, record, stored, self.config.trace_prefix, warning)
        return (trace.announcement(slow, fast) if len(self.config.trace_pixels) > 1 else "") + text

    def traced_lines(self, experiment: Experiment, renderer: Renderer):
        """For -printout: the trace lines of a pixel, or nothing."""
        wanted = {slow * renderer.fpixels + fast for slow, fast in self.config.trace_pixels}
        return lambda index: self.traced(experiment, renderer, index) if index in wanted else ""

    def trace_only(self, experiment: Experiment, renderer: Renderer) -> None:
        """Render just the traced pixels, and whatever before them decides how they are computed."""
        config = self.config
        counter = PixelCounter(renderer.region, renderer.fpixels, experiment.mask)
        if not config.trace_pixels:
            raise InputError("--trace-only needs -trace_pixel")
        self.check_traced_pixels(counter, renderer)
        if len(config.trace_pixels) == 1:
            say(trace.announcement(*config.trace_pixels[0]))
        if experiment.interpolate:
            last = max(slow for slow, _ in config.trace_pixels)
            for row in renderer.rows():
                if row > last:
                    break
        else:
            renderer.first_visit()
        for slow, fast in dict.fromkeys(config.trace_pixels):
            say(self.traced(experiment, renderer, slow * renderer.fpixels + fast))

    def write(self, experiment: Experiment, renderer: Renderer) -> None:
        """Statistics and files."""
        config, image = self.config, renderer.image

        def solid_angle(omega_sum: float) -> str:
            return run_log.solid_angle(omega_sum, experiment.steps)

        say(solid_angle(renderer.omega_sum(solid_angle)))
        if config.write_noise and not written_directly(config.noise_file):
            # It takes one thread as long as all the other files take together; it gets its name after them.
            noise = Meanwhile(lambda: self.write_noise(experiment, image, noise.after_body))
            with noise:
                self.write_images(experiment, image)
            say(noise.result)
        else:
            self.write_images(experiment, image)
            if config.write_noise:
                say(self.write_noise(experiment, image, lambda: None))
        self.write_extras(experiment, image)

    def header(self, experiment: Experiment, noise: bool = False) -> bytes:
        """Header of an SMV image."""
        camera = experiment.camera
        return smv_header(camera.detector, camera.wavelength_m, camera.phi_start, camera.phi.range, noise)

    def write_noise(self, experiment: Experiment, image: np.ndarray, before_last: Callable[[], None]) -> str:
        """The image with photon noise; returns its lines of the log. before_last: see images.py."""
        config = self.config
        photons, overloads = images.write_noise(
            config.noise_file, self.header(experiment, noise=True), image, experiment.region, config.adc_offset,
            experiment.random.table, experiment.noise_seed, before_last,
        )  # fmt: skip
        return run_log.photons(photons, overloads) + run_log.written(config.noise_file, None, 2)

    def write_images(self, experiment: Experiment, image: np.ndarray) -> None:
        """The images without noise, and their lines of the log."""
        config, detector, region = self.config, experiment.camera.detector, experiment.region
        say(run_log.written(config.float_file, detector.pixels, 4))
        with Meanwhile(images.write_floats, config.float_file, image):
            found = image_statistics(image, experiment.mask, region, detector, experiment.oversampling.used)
        scale = images.integer_scale(config, found)
        say(run_log.statistics(found, scale))
        say(run_log.written(config.int_file, None, 2))
        images.write_integers(config.int_file, self.header(experiment), image, region, scale, config.adc_offset)
        if config.write_pgm:
            grey_scale = images.grey_scale(config, found)
            say(run_log.grey_scale(grey_scale))
            say(run_log.written(config.pgm_file, None, 1))
            images.write_pgm(config.pgm_file, image, region, grey_scale)

    def write_extras(self, experiment: Experiment, image: np.ndarray) -> None:
        """The files that the C program has not."""
        config = self.config
        if config.preview is not None:
            from ..formats.preview import write_preview

            write_preview(config.preview, image, experiment, self.rings_A())
        if config.save_orientation is not None:
            from ..formats.matrix import write_orientation

            write_orientation(config.save_orientation, experiment.crystal, experiment.camera.wavelength_m)
        for path in config.save:
            from ..formats.save import save_image

            save_image(path, image, experiment)

    def rings_A(self) -> tuple[float, ...]:
        """Resolutions that the picture shall mark, as said; none leaves the choice to it."""
        if self.config.show_rings is None:
            return ()
        from ..formats.preview import parse_rings

        return parse_rings(self.config.show_rings)
