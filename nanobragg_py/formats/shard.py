"""A shard of a batch: an NXmx file of consecutive rows, with what is true of each image.

Beside the images: `entry/rows` (a data set for each column of the table), `entry/row` (numbers of the rows),
`entry/status` (0: rendered, 1: failed) and `entry/messages`, `entry/checksum`, `entry/matrix`, `entry/rotation`, and
`entry/labels`, where the labels of image i are those from `offset[i]` up to `offset[i + 1]`.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from ..base.records import record
from ..model.experiment import Experiment
from .hdf5_output import Hdf5Output, one_at_a_time
from .nexus import NexusFile, NexusFrames, filters, mcstas_rotation
from .row_table import DTYPES

# Labels: name, type, shape of each.
LABELS: tuple[tuple[str, Any, tuple[int, ...]], ...] = (
    ("hkl", np.int32, (3,)),
    ("position", np.float64, (2,)),
    ("pixel", np.int32, (2,)),
    ("peak", np.float32, ()),
    ("intensity", np.float64, ()),
)
# What there is for each row: name, type, shape.
EACH_ROW: tuple[tuple[str, Any, tuple[int, ...]], ...] = (
    ("row", np.int64, ()),
    ("status", np.uint8, ()),
    ("checksum", np.uint32, ()),
    ("pixels_beyond", np.int64, ()),
    ("matrix", np.float64, (3, 3)),
    ("rotation", np.float64, (3, 3)),
)
RENDERED, FAILED = 0, 1
# Numbers that are not worth compressing.
SMALL = 1000


@record
class ShardFacts:
    """What a shard is: its first row, how many, the template of its geometry, and how its pixels are stored."""

    first: int
    rows: int
    template: Experiment
    dtype: str
    attributes: dict[str, Any]
    columns: Sequence[tuple[str, str]]
    largest: int | None = None
    compression: str | None = None
    labels: bool = True


class ShardWriter:
    """Writes a shard, image by image, and then everything else."""

    def __init__(self, path: str, facts: ShardFacts):
        """Raises OSError for a full disk and the like."""
        self.path = path
        self.facts = facts
        frames = NexusFrames(
            [facts.template] * facts.rows,
            np.dtype(facts.dtype),
            stills=True,
            saturation=facts.largest,
            underload=None if facts.largest is None else 0,
            compression=facts.compression,
        )
        self._output = Hdf5Output(path)
        with one_at_a_time:
            self._nexus = NexusFile(self._output, frames)
        self._to_mcstas = mcstas_rotation(facts.template.detector.axes)
        self._each = {name: np.zeros((facts.rows, *shape), dtype) for name, dtype, shape in EACH_ROW}
        self._each["row"][:] = np.arange(facts.first, facts.first + facts.rows)
        self._each["status"][:] = FAILED
        self._messages = [""] * facts.rows
        self._ub = np.full((facts.rows, 3, 3), np.nan)
        self._labels: list[dict[str, np.ndarray]] = [{} for _ in range(facts.rows)]

    def packed(self, pixels: np.ndarray) -> bytes:
        """An image as its chunk of the file; to be called by any thread."""
        return self._nexus.packed(pixels)

    def write(
        self, at: int, packed: bytes, real: np.ndarray, labels: dict[str, np.ndarray] | None, **each: Any
    ) -> None:
        """One image: its number in the shard, a, b, c in Å as rows, its labels, and values of EACH_ROW."""
        with one_at_a_time:
            self._nexus.put(at, packed)
        self._output.raise_error()
        self._ub[at] = self._to_mcstas @ np.linalg.inv(real)
        self._labels[at] = labels or {}
        self._each["status"][at] = RENDERED
        for name, value in each.items():
            self._each[name][at] = value

    def fail(self, at: int, message: str) -> None:
        """A row has no image, and why."""
        self._messages[at] = message

    def finish(self, rows: Sequence[Sequence[Any]]) -> None:
        """Write what goes with the images, and close the file, which then is on the disk. Raises OSError.

        rows: values of the table, one sequence for each row.
        """
        with one_at_a_time, self._nexus as nexus:
            entry = nexus.file["entry"]
            for name, value in self.facts.attributes.items():
                entry.attrs[name] = value
                entry["data/data"].attrs[name] = value
            for name, array in self._each.items():
                entry.create_dataset(name, data=array)
            entry["sample/ub_matrix"][...] = self._ub
            entry["frames_written"][...] = self._each["status"] == RENDERED
            entry.create_dataset("messages", data=self._messages, dtype=h5py.string_dtype())
            group = entry.create_group("rows")
            group.attrs["columns"] = [name for name, _ in self.facts.columns]
            group.attrs["kinds"] = [kind for _, kind in self.facts.columns]
            for (name, kind), values in zip(self.facts.columns, zip(*rows, strict=True), strict=True):
                group.create_dataset(name, data=list(values), dtype=DTYPES[kind])
            if self.facts.labels:
                self._put_labels(entry.create_group("labels"))
        self._output.finish()

    def _put_labels(self, group: Any) -> None:
        counts = [len(labels.get("peak", ())) for labels in self._labels]
        group.create_dataset("offset", data=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
        packing = filters(self.facts.compression)
        for name, dtype, shape in LABELS:
            parts = [labels[name] for labels in self._labels if labels]
            array = np.concatenate([np.empty((0, *shape), dtype), *parts]).astype(dtype)
            group.create_dataset(name, data=array, **(packing if array.size > SMALL else {}))

    def abandon(self) -> None:
        """Close the file as it is, to be removed."""
        with one_at_a_time, contextlib.suppress(OSError, RuntimeError, ValueError):
            self._nexus.file.close()
        self._output.close()


def sync(path: str) -> None:
    """Bring a file to the disk. Raises OSError."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


class ShardReader:
    """A shard that is open for reading."""

    def __init__(self, path: str):
        """Raises OSError for a file that is none."""
        self.path = path
        self.file = h5py.File(path, "r")
        try:
            self._entry = self.file["entry"]
            self._data = self._entry["data/data"]
            if self._data.id.get_create_plist().get_nfilters() and not _readable(self._data):
                import hdf5plugin  # noqa: F401 -- slow to load
            self.first = int(self._entry["row"][0])
            self.status: np.ndarray = self._entry["status"][()]
            self.checksum: np.ndarray = self._entry["checksum"][()]
            self.has_labels = "labels" in self._entry
            self._offset = self._entry["labels/offset"][()] if self.has_labels else None
        except (KeyError, ValueError) as error:
            self.file.close()
            raise OSError(f"it is no whole shard: {error}") from error
        self.rows = len(self.status)
        self._values: list[list[Any]] | None = None

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def pixels(self, at: int) -> np.ndarray:
        """An image as it is stored, (slow, fast)."""
        return np.asarray(self._data[at])

    def chunk(self, at: int) -> bytes:
        """The bytes of an image in the file, compressed. Raises OSError or RuntimeError if they cannot be read."""
        return bytes(self._data.id.read_direct_chunk((at, 0, 0))[1])

    def value(self, name: str, at: int) -> Any:
        """A value of EACH_ROW."""
        return self._entry[name][at]

    def message(self, at: int) -> str:
        """Why a row failed."""
        return str(self._entry["messages"].asstr()[at])

    def labels(self, at: int) -> dict[str, np.ndarray]:
        """Labels of an image, by the names of LABELS."""
        if self._offset is None:
            return {}
        first, end = int(self._offset[at]), int(self._offset[at + 1])
        return {name: self._entry["labels"][name][first:end] for name, _, _ in LABELS}

    def values(self, at: int) -> tuple[Any, ...]:
        """The table's values of a row, in the order of its columns."""
        if self._values is None:
            self._values = self._columns()
        return tuple(column[at] for column in self._values)

    def _columns(self) -> list[list[Any]]:
        group = self._entry["rows"]
        columns = []
        for name, kind in zip(group.attrs["columns"], group.attrs["kinds"], strict=True):
            dataset = group[name].asstr() if kind == "text" else group[name]
            columns.append(np.asarray(dataset[()]).tolist())
        return columns


def _readable(dataset: Any) -> bool:
    properties = dataset.id.get_create_plist()
    codes = [properties.get_filter(at)[0] for at in range(properties.get_nfilters())]
    return all(h5py.h5z.filter_avail(code) for code in codes)
