"""What simulate() returns: the image, what is known of it, photon noise, and the program's files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from .base.errors import InputError
from .base.records import with_values
from .formats.dump import write_dump
from .formats.floats import write_floats
from .formats.pgm import write_pgm
from .formats.preview import check_preview, write_preview
from .formats.save import save_image
from .formats.smv_writer import smv_header, write_integers, write_words
from .measurement.counts import poisson_counts
from .measurement.detector import Measurements
from .measurement.poisson import PoissonNoise
from .measurement.sharing import Share
from .model.counts import Counts
from .model.experiment import Experiment
from .model.region import runs_of_rows
from .model.response import Detector
from .options.amorphous import Amorphous
from .options.config import Config
from .rendering.amorphous_image import background_of
from .rendering.renderer import default_threads
from .rendering.statistics import Statistics, grey_scale, image_statistics, integer_scale
from .rendering.threads import sharing
from .resolve.amorphous import resolve_amorphous
from .resolve.random import stream_of
from .resolve.response import detector_of
from .spots import Limits, Spots, find_spots, indices_of

FILES = ("float_file", "int_file", "pgm_file", "noise_file", "dump_file")


class NoiseTotals(NamedTuple):
    """What was written of a noise image: photons, pixels cut off, bytes of each pixel."""

    photons: float
    overloads: int
    pixel_bytes: int


class Noise(NamedTuple):
    """An image with noise, as a detector reports it.

    image: uint16 (slow, fast), or int32 from a detector of 32 bits. photons: how many were counted in all. overloads:
    pixels cut off at the largest count.
    """

    image: np.ndarray
    photons: float
    overloads: int

    def __repr__(self) -> str:
        slow, fast = self.image.shape
        return f"<Noise: {fast} x {slow} pixels, {self.photons:g} photons, {self.overloads} overloads>"


@contextmanager
def _called(option: str, name: str) -> Iterator[None]:
    """What the command line calls an option is called by a method's name here."""
    try:
        yield
    except InputError as error:
        raise InputError(str(error).replace(option, name)) from error


class Result:
    """One rendered image.

    image: float32 (slow, fast), photons per pixel; [0, 0] is the first pixel of the files.
    experiment: everything that the image was computed from, in SI units (nanobragg_py.model.experiment.Experiment).
    config: what was asked for.
    """

    def __init__(
        self, experiment: Experiment, image: np.ndarray, config: Config, measurements: Measurements | None = None,
        share: Share | None = None,
    ):  # fmt: skip
        """measurements: kept from other images of the same size. share: gives parts of the work to threads, see
        rendering/threads.py; None: to as many as the configuration says.
        """
        self.experiment = experiment
        self.image = image
        self.config = config
        self._measurements = Measurements() if measurements is None else measurements
        self._share = share

    def __getstate__(self) -> dict[str, Any]:
        """What another process needs; what a detector was prepared with it makes anew."""
        return self.__dict__ | {"_measurements": None, "_share": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._measurements = Measurements()

    def __repr__(self) -> str:
        slow, fast = self.image.shape
        return f"<Result: {fast} x {slow} pixels, brightest {self.statistics.largest:g} photons>"

    def _repr_png_(self) -> bytes | None:
        """The picture that a notebook shows; none where Pillow is missing."""
        with TemporaryDirectory(prefix="nanobragg_py") as folder:
            path = os.path.join(folder, "preview.png")
            try:
                write_preview(path, self.image, self.experiment)
            except (ImportError, InputError):
                return None
            with open(path, "rb") as file:
                return file.read()

    @property
    def region(self) -> tuple[int, int, int, int]:
        """First and last fast, first and last slow pixel that were rendered; the others are 0."""
        return self.experiment.rendered.region.limits

    @cached_property
    def statistics(self) -> Statistics:
        """Brightest pixel (photons, and where it is, in metres), mean, rms and rms deviation, as in the log."""
        return image_statistics(self.image, self.experiment)

    @property
    def matrix(self) -> np.ndarray:
        """a*, b*, c* in Å⁻¹ times the wavelength in Å, as columns, float64 (3, 3): the numbers of a matrix file.

        Where the crystal was given as a matrix, the very numbers of that, before any misset.
        """
        wavelength_A = self.experiment.beam.wavelength_m * 1e10
        setting = self.experiment.crystal.setting
        if setting.from_matrix is not None and setting.misset is None:
            return np.array(setting.from_matrix).T
        return np.array(self.experiment.crystal.reciprocal).T * wavelength_A

    @cached_property
    def detector(self) -> Detector | None:
        """The detector that the configuration asks for; None where the noise is the C program's."""
        return detector_of(self.config)

    def noise(self, seed: int | None = None) -> Noise:
        """The image with noise: `-noisefile`'s pixels with `-seed`; None: the configuration's seed.

        By the configuration's detector, see measure(), if it has one. Else Poisson deviates plus the ADC offset, the C
        program's numbers, whose generator is serial: about 30 ns per pixel.
        """
        if self.detector is not None:
            return self.measure(seed=seed)
        noise = self.poisson(seed)
        noisy = np.empty(self.image.shape, dtype=np.uint16)
        first = 0
        for words in noise.rows():
            noisy[first : first + len(words)] = words
            first += len(words)
        return Noise(noisy, noise.photons, noise.overloads)

    def poisson(self, seed: int | None = None) -> PoissonNoise:
        start = self.experiment.noise_seed
        if seed is not None:
            start = replace(start, stream=stream_of(int(seed)))
        return PoissonNoise(self.image, self.experiment.rendered.region, self.config.adc_offset, start)

    def measure(self, detector: Detector | str | None = None, seed: int | None = None) -> Noise:
        """What a detector reports of the image: point spread, gain, noise and limits, see Detector.

        detector: or the name of a kind of them; the configuration's if None. seed: of the noise; the configuration's
        if None. The numbers depend on the seeds alone, not on the number of threads. Raises InputError.

        >>> from nanobragg_py import Detector, simulate
        >>> result = simulate(cell=(70, 80, 90), default_F=100, N=5, detpixels=64, pixel_mm=1.6, oversample=1)
        >>> noisy = result.measure(Detector(gain=1.8, offset=40, readout_noise=3), seed=1)
        >>> noisy.image.shape, noisy.image.dtype.name
        ((64, 64), 'int32')
        """
        counts = self._counts(self._chosen(detector), seed)
        dtype = np.uint16 if counts.response is not None and counts.response.bits == 16 else np.int32
        return Noise(counts.pixels.astype(dtype, copy=False), counts.photons, counts.overloads)

    def counts(self) -> Counts:
        """Counts for files of 32 bits: by the configuration's detector, or else the C program's deviates."""
        if self.detector is not None:
            return self._counts(self.detector, None)
        return poisson_counts(self.image, self.experiment, self.experiment.noise_seed)

    def _chosen(self, detector: Any) -> Detector:
        if isinstance(detector, str):
            return Detector.preset(detector)
        chosen = self.detector if detector is None else detector
        if chosen is None:
            raise InputError("measure: expected a detector, as in measure(Detector(gain=1.8)) or measure('ccd')")
        if not isinstance(chosen, Detector):
            raise InputError(f"measure: expected a Detector or the name of a kind, got {chosen!r}")
        return chosen

    def _counts(self, detector: Detector, seed: int | None) -> Counts:
        e = self.experiment
        measurement = self._measurements.of(detector, self.image.shape, e.detector.pixel_size_m)
        stream = -e.noise_seed.stream if seed is None else int(seed)
        return measurement.counts(self.image, e.rendered, stream, self._share or sharing(self._threads))

    @property
    def _threads(self) -> int:
        return self.config.threads or default_threads()

    def add(self, *others: Amorphous | Result | np.ndarray) -> Result:
        """The image with more photons in it, as a new result; this one stays.

        others: materials without order, whose scattering is computed for this experiment; results; or arrays (slow,
        fast) of photons. Pixels that were not rendered stay 0. Raises InputError.
        """
        total = self.image.astype(np.float64)
        for other in others:
            total += self._photons_of(other)
        image = np.where(self.experiment.rendered.as_array(), total, 0.0).astype(np.float32)
        return Result(self.experiment, image, self.config, self._measurements, self._share)

    def _photons_of(self, other: Amorphous | Result | np.ndarray) -> np.ndarray:
        if isinstance(other, Amorphous):
            layers = resolve_amorphous((other,), self.experiment.beam)
            return background_of(with_values(self.experiment, amorphous=layers), self._threads)
        image = other.image if isinstance(other, Result) else np.asarray(other)
        if image.shape != self.image.shape or image.dtype.kind not in "fiu":
            raise InputError(f"add: expected photons of shape {self.image.shape}, got {image.dtype} {image.shape}")
        return image.astype(np.float64)

    def spots(self, weakest: float = 1.0, reach: float = 1.0) -> Spots:
        """Miller indices and places of the image's spots, brightest first; see Spots.

        weakest: spots whose brightest pixel has fewer photons are left out. reach: how much of the way from the middle
        of a reflection's main lobe to its edge the Ewald sphere may cut it, above 0 and up to 1. Raises InputError for
        a curved detector.
        """
        limits = Limits.of(weakest, reach)
        return find_spots(self.experiment, indices_of(self.experiment), self.image, limits)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the image in the format of the name's ending, as --save does: .cbf, .edf, .tif, .npy, .nxs, .h5.

        Photons as float32, with the geometry where the format has a place for it (CBF: rounded to whole photons).
        Raises InputError for another ending, a missing library, or a name that cannot be written.
        """
        with _called("--save", "save"):
            save_image(os.fspath(path), self.image, self.experiment)

    def preview(self, path: str | os.PathLike[str], rings_A: Sequence[float] = ()) -> None:
        """Write a picture with resolution rings, beam centre and caption, as --preview does.

        rings_A: resolutions to mark, in Å; chosen when there are none. Raises InputError, also if Pillow is missing.
        """
        with _called("--preview", "preview"):
            check_preview(os.fspath(path))
            write_preview(os.fspath(path), self.image, self.experiment, tuple(rings_A))

    def write(self, folder: str | os.PathLike[str] | None = None, **files: str | os.PathLike[str]) -> dict[str, str]:
        """Write the program's files, in its bytes; returns the names of the files written.

        folder: write the float, integer, PGM and noise images, under the configuration's names, into this folder.
        Or name the files that are wanted: float_file, int_file, pgm_file, noise_file, dump_file (the binary copy of
        the structure factors). Raises InputError for a name that cannot be written.
        """
        if unknown := set(files) - set(FILES):
            raise InputError(f"write: no file '{min(unknown)}'; expected {', '.join(FILES)}")
        targets = {name: os.fspath(path) for name, path in files.items()}
        if folder is not None:
            wanted = {"pgm_file": self.config.write_pgm, "noise_file": self.config.write_noise}
            for name in FILES[:-1]:
                if wanted.get(name, True) and name not in targets:
                    targets[name] = os.path.join(os.fspath(folder), getattr(self.config, name))
        elif not targets:
            raise InputError(f"write: expected a folder, or names of files: {', '.join(FILES)}")
        for name in FILES:
            if name in targets:
                getattr(self, f"_write_{name}")(targets[name])
        return targets

    def _header(self) -> bytes:
        e = self.experiment
        return smv_header(e.detector, e.beam, e.spindle)

    @property
    def _integer_scale(self) -> float:
        return integer_scale(self.config.scale, self.statistics)

    def _write_float_file(self, path: str) -> None:
        write_floats(path, self.image)

    def _write_int_file(self, path: str) -> None:
        region = self.experiment.rendered.region
        write_integers(path, self._header(), self.image, region, self._integer_scale, self.config.adc_offset)

    def _write_pgm_file(self, path: str) -> None:
        scale = grey_scale(self.config.pgm_scale, self.statistics, self._integer_scale)
        write_pgm(path, self.image, self.experiment.rendered.region, scale)

    def _write_noise_file(self, path: str) -> None:
        write_noise(path, self)

    def _write_dump_file(self, path: str) -> None:
        write_dump(self.experiment.structure_factors, path)


def write_noise(path: str, result: Result, before_last: Callable[[], None] = lambda: None) -> NoiseTotals:
    """Write the noise image, SMV of 16 bits, or of 32 from a detector that has as many.

    before_last: called when all is written, before the file gets its name.
    """
    e = result.experiment
    if result.detector is None:
        noise = result.poisson()
        write_words(path, smv_header(e.detector, e.beam, e.spindle, noise=True), noise.rows(), before_last)
        return NoiseTotals(noise.photons, noise.overloads, 2)
    counts = result.counts()
    size = result.detector.bits // 8
    header = smv_header(e.detector, e.beam, e.spindle, noise=True, counts=counts)
    runs = (counts.pixels[first:last].astype(f"u{size}") for first, last in runs_of_rows(counts.pixels))
    write_words(path, header, runs, before_last)
    return NoiseTotals(counts.photons, counts.overloads, size)
