"""Rows of a table in an HDF5 file: a data set for each column, from which any run of rows is read at once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import h5py
import numpy as np

from .hdf5_output import Hdf5Output, one_at_a_time

CHUNK_ROWS = 4096
# How columns of each kind are kept (batch/columns.py has the kinds).
DTYPES: dict[str, Any] = {"real": np.float64, "whole": np.int64, "text": h5py.string_dtype()}


def write_rows(path: str, columns: Sequence[tuple[str, str]], blocks: Iterable[Sequence[list[Any]]]) -> tuple[int, str]:
    """Write a table of columns (name, kind), block by block; its number of rows, and a digest of all values.

    The digest does not depend on the blocks, nor on how numbers were written out in the file that they come from.
    Raises OSError.
    """
    output = Hdf5Output(path)
    try:
        found = _write(output, columns, blocks)
        output.finish()
        return found
    finally:
        output.close()


def _write(
    output: Hdf5Output, columns: Sequence[tuple[str, str]], blocks: Iterable[Sequence[list[Any]]]
) -> tuple[int, str]:
    digests = [hashlib.sha256(f"{name} {kind}".encode()) for name, kind in columns]
    rows = 0
    with one_at_a_time, h5py.File(output, "w") as file:
        kept = [
            file.create_dataset(str(at), (0,), DTYPES[kind], maxshape=(None,), chunks=(CHUNK_ROWS,), compression="gzip")
            for at, (_, kind) in enumerate(columns)
        ]
        file.attrs["columns"] = [name for name, _ in columns]
        file.attrs["kinds"] = [kind for _, kind in columns]
        for block in blocks:
            count = len(block[0])
            for dataset, digest, (_, kind), values in zip(kept, digests, columns, block, strict=True):
                dataset.resize((rows + count,))
                array = np.array(values, dtype=object if kind == "text" else DTYPES[kind])
                dataset[rows:] = array
                digest.update("\0".join([*values, ""]).encode() if kind == "text" else array.tobytes())
            rows += count
            output.raise_error()
    return rows, hashlib.sha256(b"".join(digest.digest() for digest in digests)).hexdigest()


class RowTable:
    """A table that write_rows wrote."""

    def __init__(self, path: str) -> None:
        self.path = path
        with one_at_a_time, h5py.File(path, "r") as file:
            self.columns: list[tuple[str, str]] = list(
                zip(file.attrs["columns"].tolist(), file.attrs["kinds"].tolist(), strict=True)
            )
            self.rows = int(file["0"].shape[0])

    def column(self, at: int, first: int = 0, end: int | None = None) -> np.ndarray:
        """Values of a column: float64, int64, or objects (text)."""
        with one_at_a_time, h5py.File(self.path, "r") as file:
            return self._values(file, at, first, self.rows if end is None else end)

    def read(self, first: int, end: int) -> Iterator[tuple[Any, ...]]:
        """Rows first..end-1 as Python's numbers and texts."""
        with one_at_a_time, h5py.File(self.path, "r") as file:
            values = [self._values(file, at, first, end).tolist() for at in range(len(self.columns))]
        return zip(*values, strict=True)

    def _values(self, file: Any, at: int, first: int, end: int) -> np.ndarray:
        dataset = file[str(at)]
        if self.columns[at][1] == "text":
            dataset = dataset.asstr()
        return np.asarray(dataset[first:end])
