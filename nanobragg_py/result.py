"""What simulate() returns: the image, what is known of it, photon noise, and the program's files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from .base.errors import InputError
from .formats.dump import write_dump
from .formats.floats import write_floats
from .formats.pgm import write_pgm
from .formats.preview import check_preview, write_preview
from .formats.save import save_image
from .formats.smv_writer import smv_header, write_integers, write_words
from .measurement.poisson import PoissonNoise
from .model.experiment import Experiment
from .options.config import Config
from .rendering.statistics import Statistics, grey_scale, image_statistics, integer_scale
from .resolve.random import stream_of
from .spots import Limits, Spots, find_spots, indices_of

FILES = ("float_file", "int_file", "pgm_file", "noise_file", "dump_file")


class Noise(NamedTuple):
    """An image with photon noise.

    image: uint16 (slow, fast), Poisson deviates plus the ADC offset. photons: their sum. overloads: pixels at 65535.
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

    def __init__(self, experiment: Experiment, image: np.ndarray, config: Config):
        self.experiment = experiment
        self.image = image
        self.config = config

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

    def noise(self, seed: int | None = None) -> Noise:
        """Poisson deviates about the image, the numbers that `-seed` gives; None: the configuration's seed.

        The generator is serial: about 30 ns per pixel.
        """
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

    def _header(self, noise: bool = False) -> bytes:
        e = self.experiment
        return smv_header(e.detector, e.beam, e.spindle, noise)

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
        write_words(path, self._header(noise=True), self.poisson().rows())

    def _write_dump_file(self, path: str) -> None:
        write_dump(self.experiment.structure_factors, path)
