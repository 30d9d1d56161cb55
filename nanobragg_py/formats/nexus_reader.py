"""Images in HDF5, such as NXmx files and the masters of Eiger detectors: one frame of many, or the detector's mask.

Runs in the process that foreign_process.py starts, never in the program's own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import h5py
import numpy as np

from ..base.errors import InputError, shown
from ..base.optional import installs
from .hdf5_links import LinkedFiles
from .image_header import check_size
from .nexus_geometry import attribute, nexus_header, text

# Objects looked at for an image where none is in its usual place; names of them in a message.
_MOST_OBJECTS = 10_000
_MOST_NAMES = 5
# Bytes of a chunk of stored data.
_LARGEST_CHUNK = 2**30
_COMMON_FILTERS = {32008: "bitshuffle", 32004: "LZ4", 32001: "Blosc", 32015: "Zstandard", 32026: "Blosc 2"}
_PIXEL_MASKS = ("pixel_mask", "detectorSpecific/pixel_mask")


class Found(NamedTuple):
    """What was read: fields of ImageHeader; pixels (slow, fast) or None; whether they are a pixel_mask; its name."""

    header: dict[str, Any]
    pixels: np.ndarray | None
    is_pixel_mask: bool
    form: str


class Frames(NamedTuple):
    """Data sets that hold the frames, one after the other, and how many there are."""

    parts: list[Any]
    number: int
    height: int
    width: int


def read_hdf5(path: str, dataset: str | None, frame: int | None, as_mask: bool, want_pixels: bool) -> Found:
    """Read one image or mask.

    dataset: where in the file, None for the usual place. frame: which of many, from 1; None for the only one.
    as_mask: take the detector's pixel_mask if there is one. Raises InputError.
    """
    files = LinkedFiles(path)
    try:
        return _read(files, dataset, frame, as_mask, want_pixels)
    finally:
        files.close()


def _read(files: LinkedFiles, dataset: str | None, frame: int | None, as_mask: bool, want_pixels: bool) -> Found:
    entry = _entry(files)
    mask = _pixel_mask(files, entry) if as_mask and dataset is None and frame is None else None
    if mask is not None:
        chosen, is_mask = _frames(files, [mask]), True
    else:
        chosen = _frames(files, _named(files, dataset) if dataset is not None else _usual(files, entry))
        is_mask = dataset is not None and dataset.rstrip("/").rpartition("/")[2] == "pixel_mask"
    if frame is not None and not 1 <= frame <= chosen.number:
        raise InputError(f"frame {frame}: expected 1 to {chosen.number}")
    if frame is None and chosen.number > 1 and want_pixels:
        raise InputError(f"{chosen.number} images in one file; expected one: FILE::NUMBER chooses one, from 1")
    header = nexus_header(files, entry, (frame or 1) - 1)
    header |= {"fpixels": chosen.width, "spixels": chosen.height}
    if chosen.number > 1:
        header["frame"] = f"frame {frame or 1} of {chosen.number}"
    pixels = _pixels(files, chosen, (frame or 1) - 1) if want_pixels else None
    form = "HDF5 (NXmx)" if text(files.find("definition", entry)) == "NXmx" else "HDF5"
    return Found(header, pixels, is_mask, form)


def _entry(files: LinkedFiles) -> Any:
    """The first NXentry, or what is called entry, or the root."""
    named = files.find("entry")
    if isinstance(named, h5py.Group):
        return named
    for name in _members(files.main):
        group = files.find(name)
        if isinstance(group, h5py.Group) and attribute(group, "NX_class") in ("NXentry", b"NXentry"):
            return group
    return files.main


def _members(group: Any) -> Iterator[str]:
    """Names in a group, in order, and not more than are worth looking at."""
    for count, name in enumerate(group):
        if count >= _MOST_OBJECTS:
            return
        yield name


def _pixel_mask(files: LinkedFiles, entry: Any) -> Any:
    for name in _PIXEL_MASKS:
        found = files.find(f"instrument/detector/{name}", entry)
        if isinstance(found, h5py.Dataset) and found.ndim >= 2:
            return found
    return None


def _named(files: LinkedFiles, path: str) -> list[Any]:
    """The data set that the user names, or the frames in the group."""
    found = files.find("/" + path.lstrip("/"))
    if found is None:
        raise InputError(f"there is no '{shown(path)}' in it")
    return [found] if isinstance(found, h5py.Dataset) else _frames_in(files, found)


def _usual(files: LinkedFiles, entry: Any) -> list[Any]:
    """The data sets of frames in their usual place, or the only image in the file."""
    for name in ("data", "instrument/detector"):
        group = files.find(name, entry)
        if isinstance(group, h5py.Dataset):
            return [group]
        if isinstance(group, h5py.Group):
            found = _frames_in(files, group)
            if found:
                return found
    images = list(_all_images(files))
    if not images:
        raise InputError("there is no image in it: expected a data set of two dimensions or more")
    if len(images) > 1:
        names = ", ".join(shown(image.name) for image in images[:_MOST_NAMES])
        raise InputError(f"several images in one file: FILE::NAME chooses one, such as {names}")
    return images


def _frames_in(files: LinkedFiles, group: Any) -> list[Any]:
    """The signal of a group, or its data, or data_000001 and those that follow it."""
    signal = attribute(group, "signal")
    names = [signal] if isinstance(signal, str) else []
    for name in (*names, "data"):
        found = files.find(name, group)
        if isinstance(found, h5py.Dataset) and found.ndim >= 2:
            return [found]
    numbered = sorted(name for name in _members(group) if name.startswith("data_") and name[5:].isdecimal())
    found = [files.find(name, group) for name in numbered]
    return [each for each in found if isinstance(each, h5py.Dataset)]


def _all_images(files: LinkedFiles) -> Iterator[Any]:
    """Every data set that may be an image, in the file itself."""
    groups, looked = [files.main], 0
    while groups:
        group = groups.pop()
        for name in _members(group):
            looked += 1
            if looked > _MOST_OBJECTS:
                return
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                continue
            member = group.get(name)
            if isinstance(member, h5py.Dataset) and member.ndim >= 2 and member.dtype.kind in "biuf":
                yield member
            elif isinstance(member, h5py.Group):
                groups.append(member)


def _frames(files: LinkedFiles, parts: list[Any]) -> Frames:
    """Check data sets of frames. Raises InputError for what is no image."""
    if not parts:
        raise InputError("there is no image in it: expected a data set of two dimensions or more")
    count = 0
    height, width = parts[0].shape[-2:] if parts[0].ndim >= 2 else (0, 0)
    for part in parts:
        if part.ndim not in (2, 3) or part.dtype.kind not in "biuf" or part.shape[-2:] != (height, width):
            raise InputError(
                f"'{shown(part.name)}': expected images of real numbers of one size, found "
                f"{shown(part.dtype.name)} of shape {shown(str(part.shape))}"
            )
        check_size(width, height, part.dtype.itemsize, f"'{shown(part.name)}'")
        count += part.shape[0] if part.ndim == 3 else 1
    if count < 1:
        raise InputError(f"'{shown(parts[0].name)}' has no frame in it")
    return Frames(parts, count, height, width)


def _pixels(files: LinkedFiles, frames: Frames, index: int) -> np.ndarray:
    """Pixels of one frame, counted from 0 over all parts."""
    for part in frames.parts:
        count = part.shape[0] if part.ndim == 3 else 1
        if index < count:
            files.check_storage(part)
            for stored in files.sources(part):
                _check_filters(stored)
            pixels: np.ndarray = part[index] if part.ndim == 3 else part[()]
            return pixels
        index -= count
    raise InputError("there is no such frame")


def _check_filters(dataset: Any) -> None:
    """Raise InputError for chunks that no image has, and for a compression that this machine cannot undo."""
    if dataset.chunks is not None and np.prod([float(n) for n in dataset.chunks]) * dataset.dtype.itemsize > (
        _LARGEST_CHUNK
    ):
        raise InputError(f"'{shown(dataset.name)}' is stored in chunks of {shown(str(dataset.chunks))} pixels")
    properties = dataset.id.get_create_plist()
    for at in range(properties.get_nfilters()):
        code = properties.get_filter(at)[0]
        if not h5py.h5z.filter_avail(code):
            with suppress(ImportError):
                import hdf5plugin  # noqa: F401 -- slow to load, and few files want its compressions
        if not h5py.h5z.filter_avail(code):
            name = _COMMON_FILTERS.get(code, f"filter {code}")
            raise InputError(
                f"'{shown(dataset.name)}' is compressed by {name}: {installs('hdf5plugin')}, and try again"
            )
