"""MiniCBF, with the header of Dectris detectors: what DIALS, XDS and ALBULA read of frame series.

The format says where the beam meets a detector that stands square to it, and turns about its fast axis; for other
geometries the header is only near the truth, and a warning says so. Its compression takes whole numbers.
"""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from typing import BinaryIO

import numpy as np

from ..base.errors import note, warn
from ..base.vectors import cross, dot, unit
from ..model.detector import Detector, beam_spot
from ..model.experiment import Experiment
from .facts import SavedImage, counted_facts, directions, number

LARGEST = 2**31 - 1
# Sizes (fast, slow) and pixels (metres) of detectors that readers know by name; any other is generic.
DETECTORS = {
    (487, 619): ("PILATUS 300K", 172e-6),
    (981, 1043): ("PILATUS 1M", 172e-6),
    (1475, 1679): ("PILATUS 2M", 172e-6),
    (2463, 2527): ("PILATUS 6M", 172e-6),
    (1030, 1065): ("EIGER 1M", 75e-6),
    (2070, 2167): ("EIGER 4M", 75e-6),
    (3110, 3269): ("EIGER 9M", 75e-6),
    (4150, 4371): ("EIGER 16M", 75e-6),
}
# Cosine that two directions must have to count as one.
PARALLEL = 1.0 - 1e-9


def write_cbf(file: BinaryIO, image: SavedImage) -> None:
    """Write counts as they are, photons rounded; `file` is one of the disk."""
    from fabio.cbfimage import CbfImage

    pixels = image.pixels if image.counts is not None else _rounded(image.photons)
    convention = "PILATUS_1.2" if detector_name(image.experiment.detector).startswith("PILATUS") else "GENERIC_MINI"
    header = {
        "_array_data.header_convention": f'"{convention}"',
        "_array_data.header_contents": "\r\n".join(f"# {line}" for line in header_lines(image)),
    }
    # By its descriptor: fabio calls the data block after the file, in ASCII, and this one does not have its name yet.
    CbfImage(data=pixels, header=header).write(os.dup(file.fileno()))
    with open(file.name, "rb") as written:
        content = written.read()
    file.seek(0)
    file.write(re.sub(rb"\ndata_[^\r\n]*", b"\ndata_nanobragg_py", content, count=1))
    file.truncate()


def _rounded(photons: np.ndarray) -> np.ndarray:
    whole = np.rint(np.clip(np.nan_to_num(photons, nan=0.0), -LARGEST, LARGEST).astype(np.float64))
    lost = float(np.abs(whole - photons).sum()) / max(float(np.abs(photons, dtype=np.float64).sum()), 1e-300)
    if lost > 0.01:
        note(f"--save: CBF holds whole photons; rounding changed {100 * lost:.3g} % of the intensity")
    rounded: np.ndarray = whole.astype(np.int32)
    return rounded


def detector_name(detector: Detector) -> str:
    """The name that readers know a detector by, or one that promises nothing."""
    name, pixel = DETECTORS.get((detector.fpixels, detector.spixels), ("", 0.0))
    known = name and abs(detector.pixel_size_m - pixel) < 1e-9
    return f"{name}, simulated by nanobragg_py" if known else "simulated by nanobragg_py"


def header_lines(image: SavedImage) -> list[str]:
    """The header, without the sign of comment before each line."""
    experiment, counts = image.experiment, image.counts
    detector, beam, spindle = experiment.detector, experiment.beam, experiment.spindle
    pixel, thickness = detector.pixel_size_m, detector.thickness_m
    centre_fast, centre_slow, distance = beam_spot(detector)
    start, width = np.degrees((spindle.start_rad, spindle.range_rad))
    exposure = beam.intensity.exposure_s
    lines = [
        f"Detector: {detector_name(detector)}",
        datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3],
        f"Pixel_size {pixel:g} m x {pixel:g} m",
        # Readers correct for parallax by the thickness, and divide by it.
        *([f"Silicon sensor, thickness {thickness:.6f} m"] if thickness > 0.0 else []),
        f"Exposure_time {exposure:g} s",
        f"Exposure_period {exposure:g} s",
        f"Count_cutoff {LARGEST if counts is None else counts.saturation} counts",
        f"Wavelength {number(beam.wavelength_m * 1e10)} A",
        f"Detector_distance {number(distance)} m",
        f"Beam_xy ({number(centre_fast)}, {number(centre_slow)}) pixels",
        f"Flux {number(beam.intensity.flux_per_s)} ph/s",
        f"Start_angle {number(start)} deg.",
        f"Angle_increment {number(width)} deg.",
        f"Phi {number(start)} deg.",
        f"Detector_2theta {number(np.degrees(detector.twotheta))} deg.",
        f"Polarization {beam.kahn_factor:g}",
    ]
    said = directions(experiment) | ({} if counts is None else counted_facts(counts))
    return [*lines, *(f"nanobragg_py_{name} {value}" for name, value in said.items())]


def warn_of_geometry(option: str, experiment: Experiment) -> None:
    """Say what a miniCBF header cannot: whoever reads it takes the detector to be square to the beam, and so on."""
    detector, axes = experiment.detector, experiment.detector.axes
    doubts = []
    if dot(unit(axes.beam), unit(axes.odet)) < PARALLEL:
        doubts.append("the detector's tilt or two-theta")
    if dot(unit(experiment.spindle.axis), unit(axes.fdet)) < PARALLEL:
        doubts.append("a spindle that is not along the fast axis")
    if dot(cross(axes.fdet, axes.sdet), axes.beam) < 0.0:
        doubts.append("an image that is mirrored (fast, slow and beam are left-handed here, as in ADXV's convention)")
    if detector.curved:
        doubts.append("a curved detector")
    if doubts:
        warn(f"{option}: CBF headers have no place for {' and '.join(doubts)}; NXmx (.nxs) has, but for the curve")
