"""PGM images of 8 bits, in the C program's bytes."""

from __future__ import annotations

import numpy as np

from ..base.c_numbers import c_format
from ..base.files import whole_file
from ..kernels.library import address, kernel
from ..model.region import Region, runs_of_rows

KERNELS = ("scale_to_bytes",)


def write_pgm(path: str, image: np.ndarray, region: Region, scale: float, bytes_behind: int = 0) -> None:
    """Write value*scale of an image, float32 (slow, fast); pixels outside the region are 0.

    bytes_behind: zeros after the image.
    """
    convert = kernel("scale_to_bytes")
    with whole_file(path, "-pgmfile") as file:
        file.write(c_format("P5\n%d %d\n# pixels scaled by %g\n255\n", image.shape[1], image.shape[0], scale).encode())
        for first, last in runs_of_rows(image):
            grey = np.empty((last - first, image.shape[1]), dtype=np.uint8)
            values = image[first:last]
            convert(address(values), address(grey), values.size, scale)
            region.blank_outside(grey, first)
            file.write(grey.data.cast("B"))
        file.write(bytes(bytes_behind))
