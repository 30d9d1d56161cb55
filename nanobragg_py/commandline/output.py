"""The files of a run, and their lines of the run log."""

from __future__ import annotations

import threading

import numpy as np

from ..base.files import check_writable, written_directly
from ..formats.floats import write_floats
from ..formats.pgm import write_pgm
from ..formats.smv_writer import smv_header, write_integers, write_words
from ..measurement.poisson import PoissonNoise
from ..model.experiment import Experiment
from ..options.config import Config
from ..rendering.renderer import Renderer
from ..rendering.statistics import Statistics, grey_scale, image_statistics, integer_scale
from . import run_log
from .standard_output import say

# Smaller images are written before a second thread has started (pixels).
WORTH_A_THREAD = 1 << 17


def check_outputs(config: Config) -> None:
    """Find out before the work, not after it, that a file cannot be written. Raises InputError."""
    check_writable(config.float_file, "-floatfile")
    check_writable(config.int_file, "-intfile")
    if config.write_pgm:
        check_writable(config.pgm_file, "-pgmfile")
    if config.write_noise:
        check_writable(config.noise_file, "-noisefile")
    if config.preview is not None:
        # Imported where it is asked for, to keep the start short; the same below.
        from ..formats.preview import check_preview

        check_preview(config.preview)
        _rings_A(config)
    if config.save_orientation is not None:
        check_writable(config.save_orientation, "--save-orientation")
    if config.save or config.save_noise:
        from ..formats.save import check_save

        for path in config.save:
            check_save(path)
        for path in config.save_noise:
            check_save(path, "--save-noise")


def write_files(config: Config, experiment: Experiment, renderer: Renderer) -> None:
    """Statistics and files, in the C program's order; then those that it does not have."""

    def solid_angle(omega_sum: float) -> str:
        return run_log.solid_angle(omega_sum, experiment.steps)

    image = renderer.image
    say(solid_angle(renderer.omega_sum(solid_angle)))
    if not config.write_noise:
        _write_images(config, experiment, image)
    elif image.size < WORTH_A_THREAD or written_directly(config.noise_file):
        _write_images(config, experiment, image)
        say(_write_noise(config, experiment, image, _open_gate()))
    else:
        _write_noise_beside_images(config, experiment, image)
    _write_extras(config, experiment, image)


class _Gate:
    """Holds the noise image back from getting its name until the images before it have theirs."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._failed = False

    def open(self, failed: bool) -> None:
        """Let it pass; or, if writing the others failed, not at all."""
        self._failed = failed
        self._event.set()

    def wait(self) -> None:
        """Called by the writer of the noise image when all is written."""
        self._event.wait()
        if self._failed:
            raise _OthersFailed


def _open_gate() -> _Gate:
    """A gate that holds nothing back."""
    gate = _Gate()
    gate.open(failed=False)
    return gate


class _OthersFailed(Exception):
    """The images before the noise image could not be written."""


def _write_noise_beside_images(config: Config, experiment: Experiment, image: np.ndarray) -> None:
    """Noise takes one thread as long as all the other files take together."""
    from concurrent.futures import ThreadPoolExecutor

    gate = _Gate()
    with ThreadPoolExecutor(1) as pool:
        try:
            noise = pool.submit(_write_noise, config, experiment, image, gate)
        except RuntimeError:
            # The system allows no more threads.
            _write_images(config, experiment, image)
            gate.open(failed=False)
            say(_write_noise(config, experiment, image, gate))
            return
        failed = True
        try:
            _write_images(config, experiment, image)
            failed = False
        finally:
            gate.open(failed)
        say(noise.result())


def _write_noise(config: Config, experiment: Experiment, image: np.ndarray, gate: _Gate) -> str:
    """The image with photon noise; returns its lines of the log."""
    if config.has_detector:
        # Imported where it is asked for, to keep the start short.
        from ..result import Result, write_noise

        written = write_noise(config.noise_file, Result(experiment, image, config), gate.wait)
        size = written.pixel_bytes
        return run_log.photons(written.photons, written.overloads) + run_log.written(config.noise_file, None, size)
    noise = PoissonNoise(image, experiment.rendered.region, config.adc_offset, experiment.noise_seed)
    header = smv_header(experiment.detector, experiment.beam, experiment.spindle, noise=True)
    write_words(config.noise_file, header, noise.rows(), gate.wait)
    return run_log.photons(noise.photons, noise.overloads) + run_log.written(config.noise_file, None, 2)


def _write_images(config: Config, experiment: Experiment, image: np.ndarray) -> None:
    """The images without noise, and their lines of the log."""
    region = experiment.rendered.region
    say(run_log.written(config.float_file, experiment.detector.pixels, 4))
    found = _write_floats_and_add_up(config.float_file, experiment, image)
    scale = integer_scale(config.scale, found)
    say(run_log.statistics(found, scale))
    say(run_log.written(config.int_file, None, 2))
    header = smv_header(experiment.detector, experiment.beam, experiment.spindle)
    write_integers(config.int_file, header, image, region, scale, config.adc_offset)
    if config.write_pgm:
        grey = grey_scale(config.pgm_scale, found, scale)
        say(run_log.grey_scale(grey))
        say(run_log.written(config.pgm_file, None, 1))
        write_pgm(config.pgm_file, image, region, grey)


def _write_floats_and_add_up(path: str, experiment: Experiment, image: np.ndarray) -> Statistics:
    """Write the float image; the statistics, which are computed meanwhile if there is much to write."""
    if image.size < WORTH_A_THREAD or written_directly(path):
        write_floats(path, image)
        return image_statistics(image, experiment)
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        try:
            written = pool.submit(write_floats, path, image)
        except RuntimeError:
            # The system allows no more threads.
            write_floats(path, image)
            return image_statistics(image, experiment)
        found = image_statistics(image, experiment)
        written.result()
    return found


def _write_extras(config: Config, experiment: Experiment, image: np.ndarray) -> None:
    """The files that the C program does not have."""
    if config.preview is not None:
        from ..formats.preview import write_preview

        write_preview(config.preview, image, experiment, _rings_A(config))
    if config.save_orientation is not None:
        from ..formats.matrix import write_orientation

        write_orientation(config.save_orientation, experiment.crystal, experiment.beam.wavelength_m)
    if config.save or config.save_noise:
        from ..formats.save import save_image

        for path in config.save:
            save_image(path, image, experiment)
        if config.save_noise:
            from ..result import Result

            counts = Result(experiment, image, config).counts()
            for path in config.save_noise:
                save_image(path, image, experiment, counts, "--save-noise")


def _rings_A(config: Config) -> tuple[float, ...]:
    """Resolutions that the picture shall mark, as said; none leaves the choice to it."""
    if config.show_rings is None:
        return ()
    from ..formats.preview import parse_rings

    return parse_rings(config.show_rings)
