"""--save FILE: the float image in other programs' formats, chosen by the name's ending."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from ..base.errors import InputError, note, warn
from ..base.files import check_writable, whole_file
from ..base.optional import require
from ..model.detector import beam_spot
from ..model.experiment import Experiment

OPTION = "--save"
LARGEST_CBF = 2**31 - 1


def check_save(path: str) -> None:
    """Raise InputError, before the work is done, for a name that no format goes with or that cannot be written."""
    _writer(path)
    library = LIBRARIES.get(_ending(path))
    if library is not None:
        require(library, f"{OPTION} {path}")
    check_writable(path, OPTION)
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path}: {OPTION} expects a regular file")


def save_image(path: str, image: np.ndarray, experiment: Experiment) -> None:
    """Write a float32 image (slow, fast; photons). Raises InputError for an unknown ending and a full disk."""
    check_save(path)
    writer = _writer(path)
    with whole_file(path, OPTION) as file:
        writer(file, image, experiment)


def facts(experiment: Experiment) -> dict[str, str]:
    """What headers say of a run: names with units, twelve digits.

    Beam centre and near point count pixels from the outer edge of the first one, so that its middle is 0.5.
    """
    detector, beam, spindle = experiment.detector, experiment.beam, experiment.spindle
    pixel = detector.pixel_size_m
    centre_fast, centre_slow, distance = beam_spot(detector)
    numbers = {
        "wavelength_A": beam.wavelength_m * 1e10,
        "distance_mm": distance * 1e3,
        "close_distance_mm": detector.close_distance_m * 1e3,
        "pixel_mm": pixel * 1e3,
        "beam_center_fast_px": centre_fast,
        "beam_center_slow_px": centre_slow,
        "near_point_fast_px": detector.Fclose_m / pixel,
        "near_point_slow_px": detector.Sclose_m / pixel,
        "twotheta_deg": np.degrees(detector.twotheta),
        "phi_start_deg": np.degrees(spindle.start_rad),
        "osc_deg": np.degrees(spindle.range_rad),
        "fluence_photons_per_m2": beam.intensity.fluence_per_m2,
        "polarization": beam.kahn_factor if beam.polarized else 0.0,
    }
    shown = {name: _number(value) for name, value in numbers.items()}
    return {"program": "nanobragg_py"} | shown | directions(experiment)


def directions(experiment: Experiment) -> dict[str, str]:
    """Vectors for headers, in the laboratory's frame as in the run log; the crystal's before the spindle turns it."""
    detector, crystal = experiment.detector, experiment.crystal
    axes = detector.axes
    vectors = {
        "fast_axis": axes.fdet,
        "slow_axis": axes.sdet,
        "origin_mm": tuple(1e3 * v for v in detector.pix0_m),
        "beam_axis": axes.beam,
        "spindle_axis": axes.spindle,
        "polarization_axis": axes.polar,
        "a_A": crystal.real[0],
        "b_A": crystal.real[1],
        "c_A": crystal.real[2],
    }
    return {name: " ".join(_number(v) for v in vector) for name, vector in vectors.items()}


def _number(value: float) -> str:
    return f"{value:.12g}"


def _write_npy(file: BinaryIO, image: np.ndarray, experiment: Experiment) -> None:
    np.save(file, image, allow_pickle=False)


def _write_edf(file: BinaryIO, image: np.ndarray, experiment: Experiment) -> None:
    """EDF with the lengths also under the names that small-angle programs look for, in metres."""
    from fabio.edfimage import EdfImage

    pixel = experiment.detector.pixel_size_m
    centre_fast, centre_slow, distance = beam_spot(experiment.detector)
    names = {
        "PSize_1": pixel,
        "PSize_2": pixel,
        "Center_1": centre_fast,
        "Center_2": centre_slow,
        "SampleDistance": distance,
        "WaveLength": experiment.beam.wavelength_m,
    }
    header = {name: _number(value) for name, value in names.items()} | facts(experiment)
    EdfImage(data=image, header=header).write(file.name)


def _write_tiff(file: BinaryIO, image: np.ndarray, experiment: Experiment) -> None:
    """TIFF of 4-byte floats; the header is the image's description, a line for each fact."""
    from fabio.TiffIO import TiffIO

    file.close()  # it is opened again by its name
    TiffIO(file.name, mode="wb+").writeImage(image, info=facts(experiment), software="nanobragg_py")


def _write_cbf(file: BinaryIO, image: np.ndarray, experiment: Experiment) -> None:
    """MiniCBF with a Pilatus-like header. The format's compression takes whole numbers: photons are rounded."""
    from fabio.cbfimage import CbfImage

    photons = np.rint(np.clip(np.nan_to_num(image, nan=0.0), -LARGEST_CBF, LARGEST_CBF).astype(np.float64))
    lost = float(np.abs(photons - image).sum()) / max(float(np.abs(image, dtype=np.float64).sum()), 1e-300)
    if lost > 0.01:
        note(f"{OPTION}: CBF holds whole photons; rounding changed {100 * lost:.3g} % of the intensity")
    header = {
        "_array_data.header_convention": '"PILATUS_1.2"',
        "_array_data.header_contents": "\r\n".join(f"# {line}" for line in _pilatus_lines(experiment)),
    }
    CbfImage(data=photons.astype(np.int32), header=header).write(file.name)
    with open(file.name, "rb") as written:
        content = written.read()
    # The data block is called after the file, which does not have its name yet.
    file.write(re.sub(rb"\ndata_[^\r\n]*", b"\ndata_nanobragg_py", content, count=1))
    file.truncate()


def _pilatus_lines(experiment: Experiment) -> list[str]:
    detector, beam, spindle = experiment.detector, experiment.beam, experiment.spindle
    pixel = detector.pixel_size_m
    centre_fast, centre_slow, distance = beam_spot(detector)
    phi_deg, osc_deg = np.degrees((spindle.start_rad, spindle.range_rad))
    return [
        "Detector: simulated by nanobragg_py",
        f"Pixel_size {pixel:g} m x {pixel:g} m",
        f"Silicon sensor, thickness {detector.thickness_m:.6f} m",
        f"Exposure_time {beam.intensity.exposure_s:g} s",
        f"Exposure_period {beam.intensity.exposure_s:g} s",
        f"Count_cutoff {LARGEST_CBF} counts",
        f"Wavelength {_number(beam.wavelength_m * 1e10)} A",
        f"Detector_distance {_number(distance)} m",
        f"Beam_xy ({_number(centre_fast)}, {_number(centre_slow)}) pixels",
        f"Start_angle {_number(phi_deg)} deg.",
        f"Angle_increment {_number(osc_deg)} deg.",
        f"Detector_2theta {_number(np.degrees(detector.twotheta))} deg.",
        f"Polarization {beam.kahn_factor:g}",
        *(f"nanobragg_py_{name} {value}" for name, value in directions(experiment).items()),
    ]


def _write_nexus(file: BinaryIO, image: np.ndarray, experiment: Experiment) -> None:
    from .nexus import write_nexus

    if experiment.detector.curved:
        warn(f"{OPTION}: NXmx knows no curved detector; the geometry in the file is the flat one's")
    write_nexus(file.name, image, experiment)


WRITERS: dict[str, Callable[[BinaryIO, np.ndarray, Experiment], None]] = {
    ".cbf": _write_cbf,
    ".edf": _write_edf,
    ".tif": _write_tiff,
    ".tiff": _write_tiff,
    ".npy": _write_npy,
    ".nxs": _write_nexus,
    ".h5": _write_nexus,
}
# What writes them, where that is not NumPy.
LIBRARIES = {".cbf": "fabio", ".edf": "fabio", ".tif": "fabio", ".tiff": "fabio", ".nxs": "h5py", ".h5": "h5py"}


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def _writer(path: str) -> Callable[[BinaryIO, np.ndarray, Experiment], None]:
    """The writer that a name's ending asks for."""
    ending = _ending(path)
    if ending not in WRITERS:
        raise InputError(f"{OPTION} {path}: expected a name that ends in {', '.join(WRITERS)}")
    return WRITERS[ending]
