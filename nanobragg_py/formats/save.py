"""--save and --save-noise: images in other programs' formats, chosen by the name's ending."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

import numpy as np

from ..base.errors import InputError, warn
from ..base.files import check_writable, whole_file
from ..base.optional import require
from ..base.records import record
from ..model.counts import Counts
from ..model.detector import beam_spot
from ..model.experiment import Experiment
from .cbf_writer import warn_of_geometry, write_cbf
from .facts import SavedImage, facts, number


def check_save(path: str, option: str = "--save") -> None:
    """Raise InputError, before the work is done, for a name that no format goes with or that cannot be written."""
    library = format_of(path, option).library
    if library is not None:
        require(library, f"{option} {path}")
    check_writable(path, option)
    if os.path.exists(path) and not os.path.isfile(path):
        raise InputError(f"{path}: {option} expects a regular file")


def save_image(
    path: str, photons: np.ndarray, experiment: Experiment, counts: Counts | None = None, option: str = "--save"
) -> None:
    """Write photons, float32 (slow, fast), or what was counted of them.

    Raises InputError for an unknown ending and a full disk.
    """
    check_save(path, option)
    form = format_of(path, option)
    if form.warn is not None:
        form.warn(option, experiment)
    with whole_file(path, option) as file:
        form.write(file, SavedImage(photons, experiment, counts))


def _write_npy(file: BinaryIO, image: SavedImage) -> None:
    np.save(file, image.pixels, allow_pickle=False)


def _write_edf(file: BinaryIO, image: SavedImage) -> None:
    """EDF with the lengths also under the names that small-angle programs look for, in metres."""
    from fabio.edfimage import EdfImage

    detector = image.experiment.detector
    centre_fast, centre_slow, distance = beam_spot(detector)
    names = {
        "PSize_1": detector.pixel_size_m,
        "PSize_2": detector.pixel_size_m,
        "Center_1": centre_fast,
        "Center_2": centre_slow,
        "SampleDistance": distance,
        "WaveLength": image.experiment.beam.wavelength_m,
    }
    header = {name: number(value) for name, value in names.items()} | facts(image)
    EdfImage(data=image.pixels, header=header).write(file.name)


def _write_tiff(file: BinaryIO, image: SavedImage) -> None:
    """TIFF of 4 bytes a pixel; the header is the image's description, a line for each fact."""
    from fabio.TiffIO import TiffIO

    file.close()  # it is opened again by its name
    TiffIO(file.name, mode="wb+").writeImage(image.pixels, info=facts(image), software="nanobragg_py")


def _write_nexus(file: BinaryIO, image: SavedImage) -> None:
    from .nexus import NexusFrames, write_nexus

    counts, experiment = image.counts, image.experiment
    if counts is None:
        write_nexus(file.name, image.photons, experiment)
        return
    frames = NexusFrames([experiment], np.dtype(np.int32), saturation=counts.saturation, underload=counts.underload)
    write_nexus(file.name, counts.pixels, experiment, frames)


def warn_of_curve(option: str, experiment: Experiment) -> None:
    """NXmx knows flat detectors."""
    if experiment.detector.curved:
        warn(f"{option}: NXmx knows no curved detector; the geometry in the file is the flat one's")


@record
class Format:
    """One row: how an image is written, the library that does it, and what the format cannot say of a geometry."""

    write: Callable[[BinaryIO, SavedImage], None]
    library: str | None = None
    warn: Callable[[str, Experiment], None] | None = None


FORMATS: dict[str, Format] = {
    ".cbf": Format(write_cbf, "fabio", warn_of_geometry),
    ".edf": Format(_write_edf, "fabio"),
    ".tif": Format(_write_tiff, "fabio"),
    ".tiff": Format(_write_tiff, "fabio"),
    ".npy": Format(_write_npy),
    ".nxs": Format(_write_nexus, "h5py", warn_of_curve),
    ".h5": Format(_write_nexus, "h5py", warn_of_curve),
}


def format_of(path: str, option: str) -> Format:
    """The format that a name's ending asks for. Raises InputError for an unknown one."""
    ending = os.path.splitext(path)[1].lower()
    if ending not in FORMATS:
        raise InputError(f"{option} {path}: expected a name that ends in {', '.join(FORMATS)}")
    return FORMATS[ending]
