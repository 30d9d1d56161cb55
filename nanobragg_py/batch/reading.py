"""Reading a batch for learning: images and labels by row, or in shuffled shards."""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..base.errors import InputError, shown
from ..formats.shard import RENDERED, ShardReader
from ..spots import Spots
from .columns import is_empty
from .pixels import decoded
from .plan import Plan, load_plan
from .shards import failures, missing_shards

# Shards that are open at a time.
MOST_OPEN = 8


class Sample(NamedTuple):
    """An image of a batch with what is true of it.

    row: its number in the table. image: (slow, fast), counts or photons. values: the row, without its empty cells.
    rotation: float64 (3, 3), by which the crystal is turned from its standard setting (a* along x, b* in the xy plane;
    or the matrix file's). matrix: float64 (3, 3), a*, b*, c* as columns, times the wavelength in Å. spots: see Spots;
    None in a batch without labels.
    """

    row: int
    image: np.ndarray
    values: dict[str, Any]
    rotation: np.ndarray
    matrix: np.ndarray
    spots: Spots | None

    def __repr__(self) -> str:
        slow, fast = self.image.shape
        spots = "no labels" if self.spots is None else f"{len(self.spots.hkl)} spots"
        return f"<Sample: row {self.row}, {fast} x {slow} pixels, {spots}>"


class Batch:
    """The images of a batch that nb-batch run made, also of one that is not complete.

    batch[i] is row i of the table. A row that failed, or is not there yet, raises InputError; `good` has the rows that
    are there. It can be sent to other processes and used in forked ones: each opens files of its own. Its methods are
    not for several threads at a time.

    >>> from nanobragg_py import Batch
    >>> batch = Batch("stills")                                    # doctest: +SKIP
    >>> for sample in batch.shuffled(seed=1):                      # doctest: +SKIP
    ...     sample.image, sample.spots.position
    """

    def __init__(self, folder: str | os.PathLike[str], decode: bool = True) -> None:
        """folder: of nb-batch run --out. decode: counts from coded pixels (float32), or pixels as they are stored.

        Raises InputError for a folder that has no batch.
        """
        self.plan: Plan = load_plan(os.fspath(folder))
        self.decode = decode
        missing = set(missing_shards(self.plan))
        there = np.ones(self.plan.rows, dtype=bool)
        for first in missing:
            there[first : first + self.plan.rows_of(first)] = False
        failed = failures(self.plan)
        there[list(failed)] = False
        self.good: np.ndarray = np.flatnonzero(there)
        self._forget()

    def _forget(self) -> None:
        self._open: OrderedDict[int, ShardReader] = OrderedDict()
        self._process = os.getpid()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_open", "_process")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()

    def __repr__(self) -> str:
        slow, fast = self.plan.shape
        return f"<Batch: {len(self.good)} of {len(self)} images of {fast} x {slow} pixels>"

    def __len__(self) -> int:
        """Rows of the table."""
        return self.plan.rows

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the shards that are open; they are opened again if need be."""
        if self._process == os.getpid():
            for reader in self._open.values():
                reader.close()
        self._forget()

    def __getitem__(self, row: int) -> Sample:
        """Row i; -1 is the last. Raises IndexError beyond the table, InputError for a row that has no image."""
        reader, at, row = self._find(row)
        spots = Spots(**reader.labels(at)) if reader.has_labels else None
        values = {c.name: v for c, v in zip(self.plan.columns, reader.values(at), strict=True) if not is_empty(v)}
        rotation, matrix = reader.value("rotation", at), reader.value("matrix", at)
        return Sample(row, self._pixels(reader, at), values, rotation, matrix, spots)

    def image(self, row: int) -> np.ndarray:
        """The image of a row alone, (slow, fast)."""
        reader, at, _ = self._find(row)
        return self._pixels(reader, at)

    def images(self, rows: Sequence[int]) -> np.ndarray:
        """Images of several rows, (n, slow, fast)."""
        return np.stack([self.image(row) for row in rows]) if len(rows) else np.empty((0, *self.plan.shape))

    def column(self, name: str) -> np.ndarray:
        """A column of the table, one value for each row: float64 (nan: empty), int64, or objects. Raises InputError."""
        names = [column.name for column in self.plan.columns]
        if name not in names:
            raise InputError(f"no column '{shown(name)}' in the table; expected one of {', '.join(names)}")
        return self.plan.table.column(names.index(name))

    def __iter__(self) -> Iterator[Sample]:
        """All rows that are there, in order."""
        return (self[row] for row in self.good.tolist())

    def shuffled(self, seed: int = 0, part: tuple[int, int] = (0, 1)) -> Iterator[Sample]:
        """All rows that are there, once each: shards in random order, and in each its rows in random order.

        So files are read one after the other. seed: another one gives another order; use the number of the epoch.
        part: (i, n), every n-th shard of that order from the i-th on, i from 0: for n readers.
        """
        random = np.random.default_rng(seed)
        by_shard = self.good // self.plan.shard_rows
        order = random.permutation(np.unique(by_shard))
        for number, shard in enumerate(order.tolist()):
            rows = random.permutation(self.good[by_shard == shard])
            if number % part[1] == part[0]:
                yield from (self[row] for row in rows.tolist())

    def _pixels(self, reader: ShardReader, at: int) -> np.ndarray:
        pixels = reader.pixels(at)
        return decoded(pixels, self.plan.storage) if self.decode else pixels

    def _find(self, row: int) -> tuple[ShardReader, int, int]:
        """The shard of a row, its number there, and the row's."""
        number = int(row) + (len(self) if row < 0 else 0)
        if not 0 <= number < len(self):
            raise IndexError(f"row {row} of {len(self)}")
        first = number - number % self.plan.shard_rows
        reader = self._reader(first)
        at = number - first
        if reader.status[at] != RENDERED:
            raise InputError(f"row {number} has no image: {reader.message(at)}")
        return reader, at, number

    def _reader(self, first: int) -> ShardReader:
        """An open shard."""
        if self._process != os.getpid():
            self._forget()
        if first in self._open:
            self._open.move_to_end(first)
            return self._open[first]
        path = self.plan.shard_path(first)
        try:
            reader = ShardReader(path)
        except FileNotFoundError as error:
            raise InputError(f"row {first} and those after it are not there yet: {path} is missing") from error
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error}") from error
        self._open[first] = reader
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)[1].close()
        return reader
