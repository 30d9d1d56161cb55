"""NXmx, the NeXus definition for macromolecular crystallography, in HDF5: beam, detector, goniometer, sample, image.

Directions are in the McStas frame that NeXus prescribes: z along the beam, y up, x to the left of somebody who looks
along the beam. The simulated laboratory knows no up; x is taken against the polarization vector, so that the E vector
is horizontal as at synchrotrons, and MOSFLM's and XDS's fast and slow axes come out as the usual -x and -y.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from ..base.vectors import Vector, cross, dot, length, scaled, unit
from ..model.detector import Axes, Detector, beam_spot
from ..model.experiment import Experiment

# Bit of NXdetector.pixel_mask for pixels that the user left out.
LEFT_OUT = 1 << 8


def write_nexus(path: str, image: np.ndarray, experiment: Experiment) -> None:
    """Write an image, float32 (slow, fast), as an NXmx file of one frame."""
    import h5py

    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with h5py.File(path, "w") as file:
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
        _put_detector(instrument, experiment, to_mcstas)
        _put_sample(entry, experiment, to_mcstas)
        _put_data(entry, image, experiment)
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


def _put_detector(instrument: Any, experiment: Experiment, to_mcstas: np.ndarray) -> None:
    """Pixel sizes, distance, beam centre (pixels; the first pixel's outer edge is 0), and the module's position."""
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
    _put(group, "sensor_thickness", detector.thickness_m, "m")
    _put(group, "bit_depth_readout", 32)
    for name in ("count_time", "frame_time"):
        _put(group, name, experiment.beam.intensity.exposure_s, "s")
    left_out = pixels_left_out(experiment)
    if left_out is not None:
        mask = group.create_dataset("pixel_mask", data=left_out, compression="gzip", compression_opts=1)
        mask.attrs["description"] = "0: rendered; 256: outside the region of interest, or masked by the user"
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


def pixels_left_out(experiment: Experiment) -> np.ndarray | None:
    """uint32 (slow, fast), not 0 where nothing was rendered; None if all pixels were."""
    rendered = experiment.rendered.as_array()
    return None if rendered.all() else np.where(rendered, 0, LEFT_OUT).astype(np.uint32)


def _put_sample(entry: Any, experiment: Experiment, to_mcstas: np.ndarray) -> None:
    """The spindle (degrees), and the crystal at spindle angle 0: cell (Å, degrees) and UB matrix (columns, Å⁻¹)."""
    spindle, crystal = experiment.spindle, experiment.crystal
    sample = _group(entry, "sample", "NXsample")
    _put(sample, "name", "crystal")
    _put(sample, "type", "sample")
    _put(sample, "depends_on", "/entry/sample/transformations/phi")
    chain = _group(sample, "transformations", "NXtransformations")
    start, width = np.degrees((spindle.start_rad, spindle.range_rad))
    axis = to_mcstas @ np.array(unit(spindle.axis))
    _axis(chain, "phi", [start], "deg", "rotation", axis, ".")
    _put(chain, "phi_end", [start + width], "deg")
    _put(chain, "phi_range_average", width, "deg")
    real = np.array(crystal.real)
    lengths = np.linalg.norm(real, axis=1)
    a, b, c = real / lengths[:, None]
    angles = np.degrees(np.arccos(np.clip((b @ c, c @ a, a @ b), -1.0, 1.0)))
    _put(sample, "unit_cell", [[*lengths, *angles]])
    _put(sample, "unit_cell_abc", lengths, "angstrom")
    _put(sample, "unit_cell_alphabetagamma", angles, "deg")
    _put(sample, "unit_cell_volume", [abs(float(np.linalg.det(real)))], "angstrom^3")
    _put(sample, "ub_matrix", [to_mcstas @ np.linalg.inv(real)], "1/angstrom")


def _put_data(entry: Any, image: np.ndarray, experiment: Experiment) -> None:
    """The image as the one frame of the default plot; long runs of equal pixels are stored short."""
    data = _group(entry, "data", "NXdata", signal="data")
    rows = max(1, min(image.shape[0], (1 << 18) // max(image.shape[1], 1)))
    dataset = data.create_dataset(
        "data", data=image[None], chunks=(1, rows, image.shape[1]),
        compression="gzip", compression_opts=1, shuffle=True,
    )  # fmt: skip
    dataset.attrs["units"] = "photons"
    dataset.attrs["long_name"] = "photons per pixel"
