"""From photons per pixel to counts: noise, as the C program noisify has it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..kernels.library import address, kernel

# Integers of 32 bits are cut off there; those without noise already at 65535.
MOST_32, MOST_16 = 2147483647.0, 65535.0


class Generator:
    """The C program's random numbers: two streams that share one table and a spare Gaussian deviate.

    With a `lasting_calibration`, that stream has a table and a spare deviate of its own, and always begins with its
    seed, which in the C program a stream above 0 does not.
    """

    def __init__(self, stream: int, calibration_stream: int, lasting_calibration: bool = False):
        self.table = np.zeros(33, dtype=np.int64)
        self.stream = np.array([stream], dtype=np.int64)
        self.calibration_stream = np.array([calibration_stream], dtype=np.int64)
        self.singles = np.array([0, 0, -1, 0, 0, 0], dtype=np.float32)
        self.calibration_table, self.calibration_singles = self.table, self.singles
        if lasting_calibration:
            self.calibration_stream = -np.abs(self.calibration_stream)
            self.calibration_table, self.calibration_singles = np.zeros_like(self.table), self.singles.copy()


def draw_photons(photons: np.ndarray, flicker: float, calibration: float, generator: Generator) -> float:
    """Put photon counts in place of their means, float32; returns their sum."""
    g = generator
    total: float = kernel("draw_photons")(
        address(photons), photons.size, flicker, calibration, address(g.table), address(g.stream),
        address(g.singles), g.calibration_table is not g.table, address(g.calibration_table),
        address(g.calibration_stream), address(g.calibration_singles),
    )  # fmt: skip
    return total


@dataclass(frozen=True)
class Counts:
    """What the detector reports, uint16 and uint32 (slow, fast); the photons; pixels cut off, by bits.

    wrapped: pixels whose counts were below 0 and are not; not_nearest: those whose counts were not rounded.
    """

    words: np.ndarray
    long_words: np.ndarray
    photons: float
    overloads: dict[int, int]
    wrapped: int
    not_nearest: int

    def of_bits(self, bits: int) -> bytes:
        """The pixels of an SMV file; none for a number of bits that is not known."""
        return {16: self.words.tobytes, 32: self.long_words.tobytes}.get(bits, bytes)()


@dataclass(frozen=True)
class Converter:
    """How counts become integers: photons*gain + offset, rounded or cut off, those below 0 as 0 or wrapped."""

    gain: float
    offset: float
    rounded: bool = False
    none_below_0: bool = False


def read_out(photons: np.ndarray, to: Converter, readout: float, limit: float, g: Generator) -> Counts:
    """The counts, with noise of rms `readout`, as integers: `limit` is the largest of 32 bits."""
    words, long_words = np.empty(photons.shape, np.uint16), np.empty(photons.shape, np.uint32)
    totals = np.zeros(5)
    lowest = 0.0 if to.none_below_0 else -math.inf
    kernel("read_out")(
        address(photons), address(words), address(long_words), photons.size, to.gain, to.offset, readout,
        limit, to.rounded, lowest, address(g.table), address(g.stream), address(g.singles), address(totals),
    )  # fmt: skip
    photons_in_all, cut_32, cut_16, wrapped, not_nearest = totals.tolist()
    return Counts(words, long_words, photons_in_all, {32: int(cut_32), 16: int(cut_16)}, int(wrapped), int(not_nearest))
