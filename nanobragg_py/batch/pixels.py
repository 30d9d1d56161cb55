"""What is kept of an image: photons or counts, and the code by which they are stored."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..base.errors import InputError, shown
from ..model.counts import LARGEST_COUNT
from ..result import Result

DTYPES = ("float32", "int32", "uint16")
CODES = ("none", "sqrt", "gain")
LARGEST_WORD = 65535
# Steps of the square-root code between consecutive square roots: a step is an eighth of a photon count's own spread.
SQRT_STEPS = 16.0


class Storage(NamedTuple):
    """How pixels are stored: a name of DTYPES, a name of CODES, and the code's factor (counts to stored numbers)."""

    dtype: str
    code: str = "none"
    factor: float = 1.0

    @property
    def decode(self) -> str:
        """How counts come from what is stored, for people."""
        return {
            "none": "counts = stored",
            "sqrt": f"counts = round((stored / {self.factor:g})**2)",
            "gain": f"counts = stored / {self.factor:g}",
        }[self.code]

    @property
    def largest(self) -> int | None:
        """The largest number that is stored; None for real numbers."""
        return {"float32": None, "int32": LARGEST_COUNT, "uint16": LARGEST_WORD}[self.dtype]


def storage_of(dtype: str | None, code: str | None, noise: bool) -> Storage:
    """What is asked for. code: none, sqrt, gain:FACTOR. Raises InputError.

    Without a dtype: int32 for counts, float32 for photons.
    """
    dtype = dtype or ("int32" if noise else "float32")
    name, _, factor = (code or "none").partition(":")
    if name not in CODES or (factor and name != "gain"):
        raise InputError(f"--code: expected none, sqrt or gain:FACTOR, got '{shown(code or '')}'")
    if name == "none":
        return Storage(dtype)
    if dtype != "uint16":
        raise InputError(f"--code {name}: expected --dtype uint16 with it")
    if name == "sqrt":
        return Storage(dtype, name, SQRT_STEPS)
    try:
        value = float(factor)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1e6:
        raise InputError(f"--code: expected gain:FACTOR with a factor above 0, got '{shown(code or '')}'")
    return Storage(dtype, name, value)


def image_of(result: Result, noise: bool) -> np.ndarray:
    """The image that a row asks for: counts, int32 (slow, fast), or photons, float32.

    Counts are those of --save-noise: by the detector that is asked for, or else the C program's deviates, without its
    ADC offset and its limit of 16 bits.
    """
    return result.counts().pixels if noise else result.image


def stored(image: np.ndarray, storage: Storage) -> tuple[np.ndarray, int]:
    """An image as it is stored, and how many pixels did not fit; they have the nearest number that does."""
    if storage.dtype == image.dtype.name:
        return image, 0
    if storage.dtype == "float32":
        return image.astype(np.float32), 0
    values = image.astype(np.float64)
    if storage.code == "sqrt":
        values = np.sqrt(np.maximum(values, 0.0)) * storage.factor
    elif storage.code == "gain":
        values = values * storage.factor
    values = np.rint(values)
    lowest, largest = (0 if storage.dtype == "uint16" else -LARGEST_COUNT), storage.largest or 0
    beyond = int(np.count_nonzero((values < lowest) | (values > largest)))
    return np.clip(values, lowest, largest).astype(storage.dtype), beyond


def decoded(pixels: np.ndarray, storage: Storage) -> np.ndarray:
    """Counts or photons from what is stored: of a code float32, otherwise as stored."""
    if storage.code == "sqrt":
        return np.rint(np.square(pixels.astype(np.float64) / storage.factor)).astype(np.float32)
    if storage.code == "gain":
        return (pixels / storage.factor).astype(np.float32)
    return pixels
