"""What nonBragg writes: the float image, and integers, grey values and photon counts made of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from ..base.c_numbers import c_format
from ..formats.floats import write_floats
from ..formats.pgm import write_pgm
from ..formats.smv_writer import write_integers, write_words
from ..kernels.library import address, kernel
from ..measurement.poisson import PoissonNoise
from ..model.experiment import NoiseSeed
from ..rendering.statistics import Statistics, grey_scale, integer_scale
from . import log
from .geometry import Geometry
from .options import Settings

Say = Callable[[str], None]
# Of the beam centre, about which a warning would be noise (m).
NEARLY = 1e-9
# Part of the rms deviation from which on it is told of.
MUCH = 0.01


class Output:
    """The files of one run.

    photons: float32 (pixels + some 0,), row after row. header: of the SMV images. defects: gets what is found.
    """

    def __init__(
        self, s: Settings, g: Geometry, photons: np.ndarray, oversample: int, header: bytes, defects: dict[str, str],
        say: Say,
    ):  # fmt: skip
        self.s, self.g, self.header, self.defects, self.say = s, g, header, defects, say
        self.flat, self.oversample = photons, oversample
        frame = g.frame
        self.image = photons[: frame.pixels].reshape(frame.spixels, frame.fpixels)
        self.region = g.region.clipped(frame.fpixels, frame.spixels)

    def write(self, pixels_of_mean: int | None, stream: int) -> None:
        """Write all files. pixels_of_mean: by which the C program divides, where that is not the number rendered."""
        s, say = self.s, self.say
        self._note_geometry()
        say(f"writing {s.float_file} as {self.g.frame.pixels} 4-byte floats\n")
        write_floats(s.float_file, self.image)
        found = self._statistics(None if s.fixes.mean else pixels_of_mean)
        say(log.statistics(found))
        scale = integer_scale(s.int_scale, found)
        say(c_format("intfile_scale = %g\n", scale))
        say(f"writing {s.int_file} as 2-byte integers\n")
        write_integers(s.int_file, self.header, self.image, self.region, scale, s.offset_counts)
        self._write_pgm(found, scale)
        if s.noise:
            self._write_noise(stream)

    def _note_geometry(self) -> None:
        frame = self.g.frame
        away = [value * 1e3 for value in self.g.away_from_spots_m]
        if max(map(abs, away)) > NEARLY * 1e3:
            self.defects["centre"] = "fast {:+.4g} mm, slow {:+.4g} mm from nanoBragg's".format(*away)
        if frame.more_than_asked:
            asked = [length / frame.pixel_size_m for length in (frame.fast_m, frame.slow_m)]
            self.defects["pixels"] = "{} x {} for {:.6g} x {:.6g}".format(frame.fpixels, frame.spixels, *asked)

    def _statistics(self, pixels_of_mean: int | None) -> Statistics:
        fpixels, spixels = self.g.frame.fpixels, self.g.frame.spixels
        roi, totals, no_mask = np.array(self.region.limits, dtype=np.int64), np.zeros(5), np.zeros(1, dtype=np.uint16)
        kernel("add_up")(
            address(self.image), address(no_mask), False, fpixels, spixels, address(roi), address(totals)
        )  # fmt: skip
        total, squares, rendered, largest, where = totals.tolist()
        count = max(int(rendered) if pixels_of_mean is None else pixels_of_mean, 1)
        mean = total / count
        # That of the next pixel, for each in the region.
        shifted, right = (
            self._deviation(image, mean, int(rendered)) for image in (self.flat[1:], self.flat)
        )  # fmt: skip
        if abs(shifted - right) > MUCH * abs(right):
            self.defects["rmsd"] = c_format("%.4g for %.4g", shifted, right)
        at = (self._last_subpixel(where % fpixels), self._last_subpixel(where // fpixels)) if where >= 0 else (0.0, 0.0)
        rms = _root(squares / (max(count, 2) - 1))
        return Statistics(largest, *at, mean, rms, right if self.s.fixes.rmsd else shifted)

    def _deviation(self, flat: np.ndarray, mean: float, rendered: int) -> float:
        roi = np.array(self.region.limits, dtype=np.int64)
        frame = self.g.frame
        squares = kernel("squared_deviations")(address(flat), frame.fpixels, frame.spixels, address(roi), mean)
        return _root(squares / (max(rendered, 2) - 1))

    def _last_subpixel(self, pixel: float) -> float:
        """Where the last sub-pixel of a pixel is along an edge, m."""
        size = self.g.frame.pixel_size_m / self.oversample
        return size * (int(pixel) * self.oversample + self.oversample - 1) + size / 2.0

    def _write_pgm(self, found: Statistics, int_scale: float) -> None:
        s = self.s
        scale = grey_scale(s.pgm_scale, found, int_scale)
        self.say(c_format("pgm_scale = %g\n", scale))
        if s.fixes.pgm and not s.write_pgm:
            return
        self.say(f"writing {s.pgm_file} as 1-byte integers\n")
        write_pgm(s.pgm_file, self.image, self.region, scale, 0 if s.fixes.pgm else self.g.frame.pixels)
        self.defects["pgm"] = f"{s.pgm_file} has bytes behind the image"

    def _write_noise(self, stream: int) -> None:
        s = self.s
        noise = PoissonNoise(self.image, self.region, s.offset_counts, NoiseSeed(stream, np.zeros(33, dtype=np.int64)))
        gained = _Gained(noise, s.gain, s.offset_counts) if s.fixes.gain else noise
        write_words(s.noise_file, self.header, gained.rows(), lambda: self._say_noise(gained))
        if s.gain != 1.0:
            self.defects["gain"] = c_format("-gain %g", s.gain)

    def _say_noise(self, noise: PoissonNoise | _Gained) -> None:
        self.say(c_format("%.0f photons on noise image (%d overloads)\n", noise.photons, noise.overloads))
        self.say(f"writing {self.s.noise_file} as 2-byte integers\n")


class _Gained:
    """The same deviates times a gain, plus the offset, cut off at both ends of 16 bits."""

    def __init__(self, noise: PoissonNoise, gain: float, offset: float):
        self._noise, self._gain, self._offset = noise, gain, offset
        self.photons, self.overloads = 0.0, 0

    def rows(self) -> Iterator[np.ndarray]:
        """See PoissonNoise.rows."""
        first, inside = 0, np.ones(self._noise.image.shape, dtype=bool)
        self._noise.region.blank_outside(inside)
        for drawn in self._noise.deviates():
            counts = drawn.astype(np.float64) * self._gain + self._offset
            here = inside[first : first + len(drawn)]
            self.photons += float(drawn.astype(np.float64).sum())
            self.overloads += int(np.count_nonzero(here & (counts > 65535.0)))
            yield np.where(here, np.clip(np.nan_to_num(counts), 0.0, 65535.0), 0.0).astype(np.uint16)
            first += len(drawn)


def _root(value: float) -> float:
    return math.sqrt(value) if value >= 0.0 else value
