"""The master of a batch: an NXmx file in which the images of many shards are one data set, without a copy of them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import h5py
import numpy as np

from .hdf5_output import Hdf5Output, one_at_a_time
from .shard import EACH_ROW, LABELS

# Beyond so many, files that cannot be opened all at once are filled in silence, and opening takes long.
MOST_SHARDS = 500
# Everything of a shard's entry that is not made anew.
MADE_HERE = ("data", "rows", "labels", "sample", "messages", "frames_written", *(name for name, _, _ in EACH_ROW))


def write_master(path: str, shards: Sequence[str]) -> None:
    """Write the master of shards that lie in the same folder; all links are relative. Raises OSError."""
    names = [os.path.basename(shard) for shard in shards]
    output = Hdf5Output(path)
    try:
        _write(output, names, shards)
        output.finish()
    finally:
        output.close()


def _write(output: Hdf5Output, names: Sequence[str], shards: Sequence[str]) -> None:
    with one_at_a_time, h5py.File(shards[0], "r") as first, h5py.File(output, "w") as file:
        for name, value in first.attrs.items():
            file.attrs[name] = value
        entry = file.create_group("entry")
        _copy_attributes(first["entry"], entry)
        for name in first["entry"]:
            if name not in MADE_HERE:
                first.copy(first["entry"][name], entry, name)
        sample = entry.create_group("sample")
        _copy_attributes(first["entry/sample"], sample)
        for name in first["entry/sample"]:
            if name not in ("ub_matrix", "beam"):
                first.copy(first["entry/sample"][name], sample, name)
        sample["beam"] = entry["instrument/beam"]
        opened = [_sizes(shard) for shard in shards]
        sizes = [one[0] for one in opened]
        _put_data(entry, first["entry/data"], names, sizes)
        ub = _virtual(sample, first["entry/sample/ub_matrix"], "ub_matrix", "entry/sample/ub_matrix", names, sizes)
        _copy_attributes(first["entry/sample/ub_matrix"], ub)
        for name in ("messages", *(name for name, _, _ in EACH_ROW)):
            _virtual(entry, first["entry"][name], name, f"entry/{name}", names, sizes)
        rows = entry.create_group("rows")
        _copy_attributes(first["entry/rows"], rows)
        for name in first["entry/rows"]:
            _virtual(rows, first["entry/rows"][name], name, f"entry/rows/{name}", names, sizes)
        specific = entry.get("instrument/detector/detectorSpecific/nimages")
        if specific is not None:
            specific[...] = sum(sizes)
        if "labels" in first["entry"]:
            _put_labels(entry.create_group("labels"), first["entry/labels"], names, [one[1] for one in opened])


def _sizes(path: str) -> tuple[int, np.ndarray]:
    """How many rows a shard has, and the offsets of its labels."""
    with h5py.File(path, "r") as file:
        rows = int(file["entry/row"].shape[0])
        offset = file["entry/labels/offset"][()] if "labels" in file["entry"] else np.zeros(rows + 1, dtype=np.int64)
    return rows, offset


def _copy_attributes(source: Any, target: Any) -> None:
    for name, value in source.attrs.items():
        target.attrs[name] = value


def _virtual(
    group: Any, like: Any, name: str, path: str, names: Sequence[str], sizes: Sequence[int]
) -> Any:  # fmt: skip
    """A virtual data set of those of all shards, one after the other."""
    layout = h5py.VirtualLayout((sum(sizes), *like.shape[1:]), like.dtype)
    at = 0
    for shard, size in zip(names, sizes, strict=True):
        if size:
            layout[at : at + size] = h5py.VirtualSource(shard, path, (size, *like.shape[1:]), like.dtype)
        at += size
    return group.create_virtual_dataset(name, layout)


def _put_data(entry: Any, like: Any, names: Sequence[str], sizes: Sequence[int]) -> None:
    """The images as one data set, and a link to those of each shard, for programs that want them."""
    data = entry.create_group("data")
    _copy_attributes(like, data)
    dataset = _virtual(data, like["data"], "data", "entry/data/data", names, sizes)
    _copy_attributes(like["data"], dataset)
    for number, name in enumerate(names, 1):
        data[f"data_{number:06d}"] = h5py.ExternalLink(name, "/entry/data/data")


def _put_labels(group: Any, like: Any, names: Sequence[str], offsets: Sequence[np.ndarray]) -> None:
    counts = [int(offset[-1]) for offset in offsets]
    before = np.concatenate([[0], np.cumsum(counts)])
    whole = [offset[:-1] + start for offset, start in zip(offsets, before[:-1], strict=True)]
    group.create_dataset("offset", data=np.concatenate([*whole, before[-1:]]).astype(np.int64))
    for name, _, _ in LABELS:
        _virtual(group, like[name], name, f"entry/labels/{name}", names, counts)
