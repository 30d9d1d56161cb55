"""What the pixels of a mask mean: which are kept. Formats for masks have their own meaning; images have marks."""

from __future__ import annotations

import numpy as np

# Where a format says that 0 is good, whatever else a pixel may be.
ZERO_IS_GOOD = "what is not 0 is skipped"
NOT_ZERO_IS_GOOD = "0 is skipped"
# As NOT_ZERO_IS_GOOD, and no marks of bad pixels are taken for counts.
COUNTS = "0, and marks of gaps and bad pixels, are skipped"
# For --mask-keeps.
KEEPS = {"zero": ZERO_IS_GOOD, "nonzero": NOT_ZERO_IS_GOOD}


def kept(pixels: np.ndarray, meaning: str, narrow_marks: bool = False) -> np.ndarray:
    """Whether each pixel is kept, bool (slow, fast).

    Counts: pixels that are 0, negative or not finite are skipped, and so are the two largest numbers of an unsigned
    type of 16 bits or more, with which detectors mark gaps and bad pixels (narrow_marks: of 8 bits too, unless there is
    nothing but 0 and 255, which is a mask painted in black and white).
    """
    if meaning == ZERO_IS_GOOD:
        return np.asarray(pixels == 0)
    if meaning == NOT_ZERO_IS_GOOD:
        return np.asarray(pixels != 0)
    keep: np.ndarray = pixels > 0
    if pixels.dtype.kind == "f":
        return np.asarray(keep & np.isfinite(pixels))
    if pixels.dtype.kind == "u" and (narrow_marks or pixels.dtype.itemsize > 1):
        largest = np.iinfo(pixels.dtype).max
        painted = pixels.dtype.itemsize == 1 and not (keep & (pixels != largest)).any()
        return keep if painted else np.asarray(keep & (pixels < largest - 1))
    return keep
