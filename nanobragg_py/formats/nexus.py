"""NXmx, the NeXus definition for macromolecular crystallography, in HDF5: beam, detector, goniometer, sample, images.

Directions are in the McStas frame that NeXus prescribes: z along the beam, y up, x to the left of somebody who looks
along the beam. The simulated laboratory knows no up; x is taken against the polarization vector, so that the E vector
is horizontal as at synchrotrons, and MOSFLM's and XDS's fast and slow axes come out as the usual -x and -y.
"""

from __future__ import annotations

import errno
import zlib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..base.records import record
from ..base.vectors import Vector, cross, dot, length, scaled, unit
from ..model.detector import Axes, Detector, beam_spot
from ..model.experiment import Experiment
from .chunk_filter import chunk_by_hdf5, filter_of
from .hdf5_output import Hdf5Output

# Bit of NXdetector.pixel_mask for pixels that the user left out.
LEFT_OUT = 1 << 8
# Readers divide by the sensor's thickness: this is as good as none (metres).
NO_PARALLAX_M = 1e-9
COMPRESSION_LEVEL = 1
# gzip, which every reader has; or bitshuffle with LZ4, which takes the package hdf5plugin, here and there.
COMPRESSIONS = ("gzip", "bitshuffle")


@record
class NexusFrames:
    """What the images of a file are.

    experiments: one for each frame, in order. stills: whether the crystal is set anew for each, and not turned.
    saturation, underload: largest and smallest value to be trusted; None for photons that nobody counted.
    compression: a name of COMPRESSIONS; None for the best there is.
    """

    experiments: Sequence[Experiment]
    dtype: np.dtype
    stills: bool = False
    saturation: int | None = None
    underload: int | None = None
    compression: str | None = None


class NexusFile:
    """An NXmx file that frames are written to, one after the other, in any order.

    It can be opened again: `missing` says which frames are not there yet.
    """

    def __init__(self, path: str | Hdf5Output, frames: NexusFrames, again: bool = False):
        """Make the file, or open one that was begun (again). Raises OSError for what is none, or is of other frames."""
        import h5py

        self.frames = frames
        first = frames.experiments[0]
        self.shape = (first.detector.spixels, first.detector.fpixels)
        self.file = h5py.File(path, "r+" if again else "w")
        if not again:
            _write_entry(self.file, frames)
        self._data = self.file["entry/data/data"]
        self._done = self.file["entry/frames_written"]
        self._gzip = self._data.compression == "gzip"
        self._filter = None if self._gzip else filter_of(self._data)
        if self._data.shape != (len(frames.experiments), *self.shape) or self._data.dtype != frames.dtype:
            self.file.close()
            raise OSError("it holds other frames")

    def __enter__(self) -> NexusFile:
        return self

    def __exit__(self, *error: object) -> None:
        try:
            self.file.flush()
            self.file.close()
        except (OSError, RuntimeError) as failure:
            # h5py has several exceptions for a full disk, which it notices when it writes at last.
            raise OSError(errno.ENOSPC, "the file could not be written to its end (is the disk full?)") from failure

    @property
    def missing(self) -> list[int]:
        """Numbers of the frames that are not there yet."""
        return np.flatnonzero(self._done[()] == 0).tolist()

    def packed(self, image: np.ndarray) -> bytes:
        """A frame as its chunk of the file, for `write`; to be called by any thread: it is the slow part."""
        image = np.ascontiguousarray(image, dtype=self.frames.dtype)
        if not self._gzip:
            packed = None if self._filter is None else self._filter(image)
            return chunk_by_hdf5(image, filters(self.frames.compression)) if packed is None else packed
        size = image.dtype.itemsize
        shuffled = np.ascontiguousarray(image.view(np.uint8).reshape(-1, size).T)
        return zlib.compress(shuffled.data, COMPRESSION_LEVEL)

    def write(self, number: int, packed: bytes) -> None:
        """Put a frame in its place, and note that it is there."""
        self.put(number, packed)
        self._done[number] = 1

    def put(self, number: int, packed: bytes) -> None:
        """Put a frame in its place, in a file that nobody will go on with."""
        self._data.id.write_direct_chunk((number, 0, 0), packed)

    def flush(self) -> None:
        """Bring what was written so far to the disk."""
        self.file.flush()


def write_nexus(path: str, image: np.ndarray, experiment: Experiment, frames: NexusFrames | None = None) -> None:
    """Write one image (slow, fast) as an NXmx file of one frame; photons, float32, unless frames says otherwise."""
    frames = frames or NexusFrames([experiment], np.dtype(np.float32))
    with NexusFile(path, frames) as file:
        file.write(0, file.packed(image))


def compression_of(name: str | None) -> str:
    """A name of COMPRESSIONS; None: bitshuffle, which readers of large data sets are fast with, where it is there."""
    return name or ("gzip" if find_spec("hdf5plugin") is None else "bitshuffle")


def filters(name: str | None) -> Any:
    """What h5py is told of a compression."""
    if compression_of(name) == "gzip":
        return {"compression": "gzip", "compression_opts": COMPRESSION_LEVEL, "shuffle": True}
    import hdf5plugin

    return hdf5plugin.Bitshuffle(cname="lz4")


def _write_entry(file: Any, frames: NexusFrames) -> None:
    """Everything but the images."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    experiment = frames.experiments[0]
    file.attrs["default"] = "entry"
    file.attrs["creator"] = "nanobragg_py"
    file.attrs["NX_class"] = "NXroot"
    entry = _group(file, "entry", "NXentry", default="data")
    _put(entry, "definition", "NXmx", version="1.0")
    _put(entry, "title", "simulated by nanobragg_py")
    for name in ("start_time", "end_time", "end_time_estimated"):
        _put(entry, name, now)
    source = _group(entry, "source", "NXsource")
    _put(source, "name", "simulation", short_name="simulation")
    _put(source, "probe", "x-ray")
    instrument = _group(entry, "instrument", "NXinstrument")
    _put(instrument, "name", "nanobragg_py", short_name="nanobragg_py")
    to_mcstas = mcstas_rotation(experiment.detector.axes)
    _put_beam(instrument, experiment)
    _put_detector(instrument, frames, to_mcstas)
    _put_sample(entry, frames, to_mcstas)
    _put_data(entry, frames)
    entry["sample/beam"] = instrument["beam"]


def mcstas_rotation(axes: Axes) -> np.ndarray:
    """Rotation matrix, float64 (3, 3), from the program's laboratory to the McStas frame."""
    z = unit(axes.beam)
    x = _across(scaled(axes.polar, -1.0), z)
    if length(x) < 1e-6:
        x = _across(scaled(axes.spindle, -1.0), z)
    if length(x) < 1e-6:
        x = _across((1.0, 0.0, 0.0) if abs(z[0]) <= abs(z[1]) else (0.0, 1.0, 0.0), z)
    x = unit(x)
    return np.array((x, cross(z, x), z))


def _across(vector: Vector, z: Vector) -> Vector:
    """The part of a vector that is normal to z."""
    along = dot(vector, z)
    return (vector[0] - along * z[0], vector[1] - along * z[1], vector[2] - along * z[2])


def _group(parent: Any, name: str, nx_class: str, **attributes: str) -> Any:
    group = parent.create_group(name)
    group.attrs["NX_class"] = nx_class
    for key, value in attributes.items():
        group.attrs[key] = value
    return group


def _put(group: Any, name: str, value: Any, units: str | None = None, **attributes: Any) -> Any:
    """A field with its units and other attributes."""
    dataset = group.create_dataset(name, data=value)
    if units is not None:
        dataset.attrs["units"] = units
    for key, attribute in attributes.items():
        dataset.attrs[key] = attribute
    return dataset


def _axis(
    group: Any, name: str, value: Any, units: str, kind: str, vector: np.ndarray, depends_on: str, offset: Any = None
) -> None:  # fmt: skip
    """One link of a depends_on chain: a translation or rotation about or along a unit vector, after an offset (m)."""
    attributes = {"transformation_type": kind, "vector": vector, "depends_on": depends_on}
    if offset is not None:
        attributes |= {"offset": offset, "offset_units": "m"}
    _put(group, name, value, units, **attributes)


def _put_beam(instrument: Any, experiment: Experiment) -> None:
    """Wavelength in Å (mean of the sources), flux, size, and polarization as Stokes parameters about x."""
    said = experiment.beam
    beam = _group(instrument, "beam", "NXbeam")
    wavelengths_A = experiment.sources.wavelength_m * 1e10
    nominal = float(wavelengths_A.mean()) if experiment.sources.listed else said.wavelength_m * 1e10
    _put(beam, "incident_wavelength", nominal, "angstrom")
    if np.ptp(wavelengths_A) > 0.0:
        _put(beam, "incident_wavelength_spread", float(np.ptp(wavelengths_A)), "angstrom")
    _put(beam, "total_flux", said.intensity.flux_per_s, "Hz")
    _put(beam, "fluence", said.intensity.fluence_per_m2, "1/m^2")
    size = said.intensity.beamsize_m
    _put(beam, "incident_beam_size", [size, size], "m")
    _put(beam, "profile", "rectangular")
    if said.polarized:
        _put(beam, "incident_polarization_stokes", [1.0, said.kahn_factor, 0.0, 0.0])


def _put_detector(instrument: Any, frames: NexusFrames, to_mcstas: np.ndarray) -> None:
    """Pixel sizes, distance, beam centre (pixels; the first pixel's outer edge is 0), and the module's position."""
    experiment = frames.experiments[0]
    detector = experiment.detector
    pixel = detector.pixel_size_m
    centre_fast, centre_slow, distance = beam_spot(detector)
    group = _group(instrument, "detector", "NXdetector")
    _put(group, "depends_on", "/entry/instrument/detector/transformations/distance")
    _put(group, "description", "simulated by nanobragg_py")
    _put(group, "type", "simulation")
    _put(group, "distance", distance, "m")
    _put(group, "beam_center_x", centre_fast, "pixels")
    _put(group, "beam_center_y", centre_slow, "pixels")
    _put(group, "x_pixel_size", pixel, "m")
    _put(group, "y_pixel_size", pixel, "m")
    _put(group, "sensor_material", "Si")
    _put(group, "sensor_thickness", max(detector.thickness_m, NO_PARALLAX_M), "m")
    _put(group, "bit_depth_readout", 32)
    _put(group, "bit_depth_image", 32)
    _put(group, "pixel_mask_applied", False)
    _put(group, "flatfield_applied", False)
    if frames.saturation is not None and frames.underload is not None:
        _put(group, "saturation_value", frames.saturation)
        _put(group, "underload_value", frames.underload)
        # What neggia (XDS) looks for.
        specific = _group(group, "detectorSpecific", "NXcollection")
        _put(specific, "nimages", len(frames.experiments))
        _put(specific, "ntrigger", 1)
        _put(specific, "x_pixels_in_detector", detector.fpixels)
        _put(specific, "y_pixels_in_detector", detector.spixels)
        _put(specific, "saturation_value", frames.saturation)
        specific["pixel_mask"] = _pixel_mask(group, experiment)
    for name in ("count_time", "frame_time"):
        _put(group, name, experiment.beam.intensity.exposure_s, "s")
    if "pixel_mask" not in group:
        left_out = pixels_left_out(experiment)
        if left_out is not None:
            _pixel_mask(group, experiment)
    chain = _group(group, "transformations", "NXtransformations")
    along = np.array((0.0, 0.0, 1.0))
    _axis(chain, "distance", [distance], "m", "translation", along, ".")
    _put_module(group, detector, to_mcstas)


def _put_module(group: Any, detector: Detector, to_mcstas: np.ndarray) -> None:
    """Where the first pixel's outer corner lies, seen from the point on the beam, and which way pixels go."""
    pixel = detector.pixel_size_m
    module = _group(group, "module", "NXdetector_module")
    _put(module, "data_origin", np.array((0, 0)))
    _put(module, "data_size", np.array((detector.spixels, detector.fpixels)))
    _put(module, "data_stride", np.array((1, 1)))
    base = "/entry/instrument/detector"
    corner = to_mcstas @ np.array(detector.pix0_m) - np.array((0.0, 0.0, beam_spot(detector)[2]))
    far = float(np.linalg.norm(corner))
    towards = corner / far if far > 0.0 else np.array((1.0, 0.0, 0.0))
    _axis(module, "module_offset", far, "m", "translation", towards, f"{base}/transformations/distance", np.zeros(3))
    for name, axis in (("fast", detector.axes.fdet), ("slow", detector.axes.sdet)):
        direction = to_mcstas @ np.array(axis)
        start = f"{base}/module/module_offset"
        _axis(module, f"{name}_pixel_direction", pixel, "m", "translation", direction, start, np.zeros(3))


def _pixel_mask(group: Any, experiment: Experiment) -> Any:
    """The mask of the detector's pixels."""
    left_out = pixels_left_out(experiment)
    if left_out is None:
        left_out = np.zeros((experiment.detector.spixels, experiment.detector.fpixels), dtype=np.uint32)
    mask = group.create_dataset("pixel_mask", data=left_out, compression="gzip", compression_opts=1)
    mask.attrs["description"] = "0: rendered; 256: outside the region of interest, or masked by the user"
    return mask


def pixels_left_out(experiment: Experiment) -> np.ndarray | None:
    """uint32 (slow, fast), not 0 where nothing was rendered; None if all pixels were."""
    rendered = experiment.rendered.as_array()
    return None if rendered.all() else np.where(rendered, 0, LEFT_OUT).astype(np.uint32)


def _put_sample(entry: Any, frames: NexusFrames, to_mcstas: np.ndarray) -> None:
    """The spindle (degrees), and the crystal at spindle angle 0: cell (Å, degrees) and UB matrix (columns, Å⁻¹).

    Stills have no spindle, and a matrix for each frame.
    """
    experiments = frames.experiments
    sample = _group(entry, "sample", "NXsample")
    _put(sample, "name", "crystal")
    _put(sample, "type", "sample")
    if frames.stills:
        _put(sample, "depends_on", ".")
    else:
        _put(sample, "depends_on", "/entry/sample/transformations/phi")
        _put_spindle(sample, experiments, to_mcstas)
    crystals = [one.crystal for one in (experiments if frames.stills else experiments[:1])]
    real = np.array(crystals[0].real)
    lengths = np.linalg.norm(real, axis=1)
    a, b, c = real / lengths[:, None]
    angles = np.degrees(np.arccos(np.clip((b @ c, c @ a, a @ b), -1.0, 1.0)))
    _put(sample, "unit_cell", [[*lengths, *angles]])
    _put(sample, "unit_cell_abc", lengths, "angstrom")
    _put(sample, "unit_cell_alphabetagamma", angles, "deg")
    _put(sample, "unit_cell_volume", [abs(float(np.linalg.det(real)))], "angstrom^3")
    matrices = [to_mcstas @ np.linalg.inv(np.array(crystal.real)) for crystal in crystals]
    _put(sample, "ub_matrix", matrices, "1/angstrom")


def _put_spindle(sample: Any, experiments: Sequence[Experiment], to_mcstas: np.ndarray) -> None:
    """Angle of the spindle at the beginning and the end of each frame, and its axis."""
    chain = _group(sample, "transformations", "NXtransformations")
    start = np.degrees([one.spindle.start_rad for one in experiments])
    width = np.degrees([one.spindle.range_rad for one in experiments])
    axis = to_mcstas @ np.array(unit(experiments[0].spindle.axis))
    _axis(chain, "phi", start, "deg", "rotation", axis, ".")
    _put(chain, "phi_end", start + width, "deg")
    _put(chain, "phi_range_average", float(width.mean()), "deg")
    _put(chain, "phi_range_total", float(width.sum()), "deg")


def _put_data(entry: Any, frames: NexusFrames) -> None:
    """Room for the images, each a chunk of its own; the default plot is the first."""
    detector = frames.experiments[0].detector
    shape = (len(frames.experiments), detector.spixels, detector.fpixels)
    data = _group(entry, "data", "NXdata", signal="data")
    packing = filters(frames.compression)
    dataset = data.create_dataset("data", shape=shape, dtype=frames.dtype, chunks=(1, *shape[1:]), **packing)
    counted = frames.saturation is not None
    dataset.attrs["units"] = "counts" if counted else "photons"
    dataset.attrs["long_name"] = "counts per pixel" if counted else "photons per pixel"
    # What XDS looks for.
    data["data_000001"] = dataset
    # So that an interrupted file can be gone on with.
    entry.create_dataset("frames_written", shape=shape[:1], dtype=np.uint8)
