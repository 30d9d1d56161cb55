"""What NXmx files and the masters of Eiger detectors say of beam, detector and spindle.

Directions are in the McStas frame of NeXus (z along the beam). Units are read where they are given; else they are
metres, Å and degrees, as Eiger masters mean them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np

from ..base.vectors import Vector
from .hdf5_links import LinkedFiles
from .image_header import metres, placed, positive, radians, wavelength_in_metres

_MOST_VALUES = 1_000_000
_LONGEST_CHAIN = 32
_WAVELENGTHS = (
    "instrument/beam/incident_wavelength",
    "sample/beam/incident_wavelength",
    "instrument/monochromator/wavelength",
    "instrument/beam/wavelength",
)
_ENERGIES = (
    "instrument/beam/incident_energy",
    "sample/beam/incident_energy",
    "instrument/monochromator/energy",
    "instrument/detector/detectorSpecific/photon_energy",
)


def attribute(thing: Any, name: str) -> Any:
    """An attribute, as text if it is bytes; None where there is none."""
    value = thing.attrs.get(name)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def text(dataset: Any) -> str:
    """The text of a small data set; '' for anything else."""
    if not isinstance(dataset, h5py.Dataset) or dataset.size != 1 or h5py.check_string_dtype(dataset.dtype) is None:
        return ""
    if dataset.external or dataset.is_virtual:
        return ""
    value = np.ravel(dataset[()])[0]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def nexus_header(files: LinkedFiles, entry: Any, frame: int) -> dict[str, Any]:
    """Fields of ImageHeader, with what is said of them under 'spelled' and 'remarks'."""
    spelled: dict[str, str] = {}
    found: dict[str, Any] = {}

    def take(field: str, paths: tuple[str, ...], convert: Any) -> None:
        for path in paths:
            said = _value(files.find(path, entry), frame)
            value = None if said is None else convert(*said)
            if said is not None and value is not None:
                found[field], spelled[field] = value, f"{path} = {said[0]:g} {said[1]}".rstrip()
                return

    detector = "instrument/detector"
    take("pixel_size_m", (f"{detector}/x_pixel_size",), metres)
    take("pixel_slow_m", (f"{detector}/y_pixel_size",), metres)
    take("distance_m", (f"{detector}/distance", f"{detector}/detector_distance"), metres)
    take("wavelength_m", _WAVELENGTHS, _wavelength)
    take("wavelength_m", () if "wavelength_m" in found else _ENERGIES, _energy)
    remarks = positive(found, spelled)
    take("centre_x", (f"{detector}/beam_center_x",), lambda value, unit: _pixels_of(value, unit, found))
    take("centre_y", (f"{detector}/beam_center_y",), lambda value, unit: _pixels_of(value, unit, found))
    x, y = found.pop("centre_x", None), found.pop("centre_y", None)
    if x is not None and y is not None:
        found["beam_px"] = (x, y)
    found |= _angles(files, entry, frame)
    found |= _position(files, entry, found.get("pixel_size_m"))
    if "close_distance_m" in found and "distance_m" not in found and not found.get("tilt_deg"):
        found["distance_m"] = found["close_distance_m"]
    if "tilt_deg" in found:
        spelled["tilt_deg"] = f"{detector}/module"
    return found | {"spelled": spelled, "remarks": remarks}


def _wavelength(value: float, unit: str) -> float | None:
    return wavelength_in_metres(value, unit, "A")


def _energy(value: float, unit: str) -> float | None:
    return wavelength_in_metres(value, unit, "eV")


def _pixels_of(value: float, unit: str, found: dict[str, Any]) -> float | None:
    """A beam centre in pixels, also of a length."""
    if unit.lower().startswith(("px", "pix")) or not unit or not found.get("pixel_size_m"):
        return value
    length = metres(value, unit)
    return value if length is None else length / float(found["pixel_size_m"])


def _values(dataset: Any) -> np.ndarray | None:
    """All numbers of a small data set, float64; None for anything else."""
    if not isinstance(dataset, h5py.Dataset) or dataset.dtype.kind not in "iuf" or dataset.external:
        return None
    if not 0 < (dataset.size or 0) <= _MOST_VALUES or dataset.is_virtual:
        return None
    return np.ravel(np.asarray(dataset[()], dtype=np.float64))


def _value(dataset: Any, frame: int) -> tuple[float, str] | None:
    """The number of a data set for a frame, and its unit; None where there is none."""
    values = _values(dataset)
    if values is None:
        return None
    value = float(values[frame] if 1 < len(values) > frame else values[0])
    unit = attribute(dataset, "units")
    return None if np.isnan(value) else (value, unit if isinstance(unit, str) else "")


def _angles(files: LinkedFiles, entry: Any, frame: int) -> dict[str, Any]:
    """Start and range of the rotation that the frames are steps of, or of the only rotation."""
    axes = [path for path in _rotation_axes(files, entry) if _values(files.find(path, entry)) is not None]
    if not axes:
        return {}
    ranges = [(_range(files, entry, path, frame), path) for path in axes]
    osc, path = next(((osc, path) for osc, path in ranges if osc), ranges[0])
    start = _value(files.find(path, entry), frame)
    unit = start[1] if start else ""
    found = {}
    if start is not None and (phi := radians(start[0], unit)) is not None:
        found["phi"] = phi
    if osc is not None and (width := radians(osc, unit)) is not None:
        found["osc"] = width
    return found


def _rotation_axes(files: LinkedFiles, entry: Any) -> Iterator[str]:
    """Data sets of angles: the chain that the sample depends on, then those of Eiger's goniometer."""
    path = text(files.find("sample/depends_on", entry))
    for _ in range(_LONGEST_CHAIN):
        axis = files.find(path, entry) if path not in ("", ".") else None
        if not isinstance(axis, h5py.Dataset):
            break
        if attribute(axis, "transformation_type") == "rotation":
            yield axis.name
        path = str(attribute(axis, "depends_on") or ".")
    for name in ("omega", "phi", "kappa", "chi"):
        for group in ("sample/goniometer", "sample/transformations"):
            if isinstance(files.find(f"{group}/{name}", entry), h5py.Dataset):
                yield f"{group}/{name}"


def _range(files: LinkedFiles, entry: Any, path: str, frame: int) -> float | None:
    """Range of one frame, in the unit of its start: as it is said, or up to its end, or to the start of the next."""
    for ending in ("_range_average", "_increment", "_increment_set"):
        said = _value(files.find(path + ending, entry), frame)
        if said is not None:
            return said[0]
    starts = _values(files.find(path, entry))
    ends = _values(files.find(path + "_end", entry))
    if starts is None or frame >= len(starts):
        return None
    if ends is not None and len(ends) == len(starts):
        return float(ends[frame] - starts[frame])
    if len(starts) > 1:
        at = min(frame, len(starts) - 2)
        return float(starts[at + 1] - starts[at])
    return None


def _position(files: LinkedFiles, entry: Any, pixel_m: float | None) -> dict[str, Any]:
    """Near point and tilt, from the module's chain of translations and rotations; none where it has none."""
    module = files.find("instrument/detector/module", entry)
    if not isinstance(module, h5py.Group) or pixel_m is None:
        return {}
    fast = files.find("fast_pixel_direction", module)
    slow = files.find("slow_pixel_direction", module)
    if not isinstance(fast, h5py.Dataset) or not isinstance(slow, h5py.Dataset):
        return {}
    here, there = _placement(files, entry, fast), _placement(files, entry, slow)
    along, across = _vector(fast), _vector(slow)
    if here is None or there is None or along is None or across is None:
        return {}
    beam = (0.0, 0.0, 1.0)
    return placed(_tuple(here[:3, :3] @ along), _tuple(there[:3, :3] @ across), _tuple(here[:3, 3]), beam, pixel_m)


def _tuple(vector: np.ndarray) -> Vector:
    return (float(vector[0]), float(vector[1]), float(vector[2]))


def _vector(axis: Any) -> np.ndarray | None:
    vector = np.ravel(np.asarray(axis.attrs.get("vector", ()), dtype=np.float64))
    return vector if vector.shape == (3,) and np.isfinite(vector).all() else None


def _placement(files: LinkedFiles, entry: Any, pixel_axis: Any) -> np.ndarray | None:
    """Matrix, float64 (4, 4), metres, of what an axis of pixels depends on; None for a chain that cannot be read."""
    total = np.eye(4)
    axis = pixel_axis
    for _ in range(_LONGEST_CHAIN):
        if axis is not pixel_axis:
            step = _step(axis)
            if step is None:
                return None
            total = step @ total
        path = str(attribute(axis, "depends_on") or ".")
        if path == ".":
            return total
        axis = files.find(path, axis.parent)
        if not isinstance(axis, h5py.Dataset):
            return None
    return None


def _step(axis: Any) -> np.ndarray | None:
    """Matrix of one link of a chain."""
    said, vector = _value(axis, 0), _vector(axis)
    offset = np.ravel(np.asarray(axis.attrs.get("offset", (0.0, 0.0, 0.0)), dtype=np.float64))
    unit = metres(1.0, str(attribute(axis, "offset_units") or ""))
    if said is None or vector is None or offset.shape != (3,) or unit is None or not np.linalg.norm(vector) > 0.0:
        return None
    step = np.eye(4)
    step[:3, 3] = offset * unit
    vector = vector / np.linalg.norm(vector)
    if attribute(axis, "transformation_type") == "rotation":
        angle = radians(*said)
        if angle is None:
            return None
        skew = np.array([[0, -vector[2], vector[1]], [vector[2], 0, -vector[0]], [-vector[1], vector[0], 0]])
        # Rodrigues' formula.
        step[:3, :3] += np.sin(angle) * skew + (1.0 - np.cos(angle)) * (skew @ skew)
        return step
    shift = metres(*said)
    if shift is None:
        return None
    step[:3, 3] += shift * vector
    return step
