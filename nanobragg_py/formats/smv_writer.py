"""SMV images of 16 bits, in the C program's bytes (fabio's writer gives others)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import numpy as np

from ..base.c_numbers import c_format
from ..base.files import whole_file
from ..base.vectors import RADIAN_IN_DEGREES
from ..kernels.library import address, kernel
from ..model.beam import Beam
from ..model.counts import Counts
from ..model.detector import Detector
from ..model.region import Region, runs_of_rows
from ..model.spindle import Spindle
from .facts import response_facts

HEADER_BYTES, LONG_HEADER_BYTES = 512, 1024
KERNELS = ("scale_to_words",)


def smv_header(
    detector: Detector, beam: Beam, spindle: Spindle, noise: bool = False, counts: Counts | None = None
) -> bytes:
    """The 512 bytes before the pixels, with beam centre and origin in everybody's convention.

    The noise image's differs from the other's in the sign of a zero: DENZO's centre is a sum there, a difference here.
    counts: of a detector with noise of its own, whose properties and seeds need a header of 1024 bytes.
    """
    size = HEADER_BYTES if counts is None else LONG_HEADER_BYTES
    kind = "unsigned_short" if counts is None or counts.bits == 16 else "unsigned_long"
    d = detector
    denzo = tuple((value + 0.0 if noise else value) * 1000.0 for value in (d.Sbeam_m, d.Fbeam_m))
    half = 0.5 * d.pixel_size_m
    start_deg, range_deg = spindle.start_rad * RADIAN_IN_DEGREES, spindle.range_rad * RADIAN_IN_DEGREES
    rows: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("{\nHEADER_BYTES=%d;\nDIM=2;\nBYTE_ORDER=%s;\nTYPE=%s;\n", (size, f"{sys.byteorder}_endian", kind)),
        ("SIZE1=%d;\nSIZE2=%d;\n", (d.fpixels, d.spixels)),
        ("PIXEL_SIZE=%g;\nDISTANCE=%g;\n", (d.pixel_size_m * 1000.0, d.distance_m * 1000.0)),
        ("WAVELENGTH=%g;\n", (beam.wavelength_m * 1e10,)),
        ("BEAM_CENTER_X=%g;\nBEAM_CENTER_Y=%g;\n", (d.Xbeam_m * 1000.0, d.Ybeam_m * 1000)),
        ("ADXV_CENTER_X=%g;\nADXV_CENTER_Y=%g;\n", (d.Fbeam_m * 1000.0, (d.detsize_slow_m - d.Sbeam_m) * 1000)),
        ("MOSFLM_CENTER_X=%g;\nMOSFLM_CENTER_Y=%g;\n", ((d.Sbeam_m - half) * 1000.0, (d.Fbeam_m - half) * 1000)),
        ("DENZO_X_BEAM=%g;\nDENZO_Y_BEAM=%g;\n", denzo),
        ("DIALS_ORIGIN=%g,%g,%g\n", d.dials_origin_mm),
        ("XDS_ORGX=%g;\nXDS_ORGY=%g;\n", (d.ORGX, d.ORGY)),
        ("CLOSE_DISTANCE=%g;\n", (d.close_distance_m * 1000.0,)),
        ("PHI=%g;\nOSC_START=%g;\nOSC_RANGE=%g;\n", (start_deg, start_deg, range_deg)),
        ("TWOTHETA=%g;\nDETECTOR_SN=000;\nBEAMLINE=fake;\n", (d.twotheta * RADIAN_IN_DEGREES,)),
        ("%s}\f", (_response_lines(counts),)),
    )
    text = "".join(c_format(template, *values) for template, values in rows)
    return text.encode("ascii").ljust(size)


def _response_lines(counts: Counts | None) -> str:
    """Properties and seeds of a detector with noise of its own."""
    named = {} if counts is None else response_facts(counts)
    return "".join(f"{name.upper()}={value};\n" for name, value in named.items())


def write_integers(
    path: str, header: bytes, image: np.ndarray, region: Region, scale: float, offset: float
) -> None:  # fmt: skip
    """Write value*scale + offset of an image, float32 (slow, fast); pixels outside the region are 0."""
    convert = kernel("scale_to_words")
    with whole_file(path, "-intfile") as file:
        file.write(header)
        for first, last in runs_of_rows(image):
            words = np.empty((last - first, image.shape[1]), dtype=np.uint16)
            values = image[first:last]
            convert(address(values), address(words), values.size, scale, offset)
            region.blank_outside(words, first)
            file.write(words.data.cast("B"))


def write_words(
    path: str, header: bytes, rows: Iterable[np.ndarray], before_last: Callable[[], None] = lambda: None
) -> None:
    """Write runs of rows, uint16 (rows, fast), as they come: the noise image.

    before_last: called when all is written, before the file gets its name.
    """
    with whole_file(path, "-noisefile") as file:
        file.write(header)
        for words in rows:
            file.write(words.data.cast("B"))
        before_last()
