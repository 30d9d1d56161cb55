"""Raw images: native float32 pixels, row after row, without a header."""

from __future__ import annotations

import numpy as np

from ..base.files import whole_file


def write_floats(path: str, image: np.ndarray) -> None:
    """Write an image, float32 (slow, fast)."""
    with whole_file(path, "-floatfile") as file:
        file.write(image.data.cast("B"))
