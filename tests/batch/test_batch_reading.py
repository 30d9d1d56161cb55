"""Batch: images and labels by row, all of them once in any shuffling, from several processes."""

from __future__ import annotations

import itertools
import os
import pickle
from multiprocessing import get_context
from pathlib import Path

import making
import numpy as np
import pytest

from nanobragg_py import Batch, InputError, Sample, Spots
from nanobragg_py.batch.plan import Plan


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    return making.made(making.folder(tmp_path_factory.mktemp("batch"), making.VARIED), shard_rows=3)


def test_rows(plan: Plan) -> None:
    with Batch(plan.folder) as batch:
        assert len(batch) == 8 and batch.good.tolist() == list(range(8))
        assert repr(batch) == "<Batch: 8 of 8 images of 40 x 40 pixels>"
        sample = batch[3]
        assert isinstance(sample, Sample) and sample.row == 3 and isinstance(sample.spots, Spots)
        assert repr(sample) == f"<Sample: row 3, 40 x 40 pixels, {len(sample.spots.hkl)} spots>"
        assert sample.values["misset_x"] == 11.5 and "Na" not in sample.values and sample.values["noise_seed"] == 3
        assert np.array_equal(batch[-5].image, sample.image) and batch[np.int64(3)].row == 3
        fast, slow = sample.spots.pixel[0]
        assert sample.spots.peak[0] >= 1 and sample.image[slow, fast] > 0
        assert np.array_equal(batch.images([3, 0]), np.stack([sample.image, batch.image(0)]))
        assert batch.images([]).shape == (0, 40, 40)
        for row in (8, -9):
            with pytest.raises(IndexError):
                batch[row]
        assert batch.column("Na").dtype == np.int64
        np.testing.assert_array_equal(batch.column("distance_mm"), [50, 50, 50, 60, 60, np.nan, np.nan, 55.25])
        assert batch.column("shape").tolist()[:3] == ["square", "gauss", ""]
        with pytest.raises(InputError, match="no column 'x' in the table; expected one of misset_x"):
            batch.column("x")


def test_every_row_once(plan: Plan) -> None:
    """In any shuffling, with any number of readers; the same seed gives the same order."""
    batch = Batch(plan.folder)
    orders = [[sample.row for sample in batch.shuffled(seed)] for seed in (0, 1, 2, 0)]
    assert all(sorted(order) == list(range(8)) for order in orders)
    assert orders[0] == orders[3] and len(set(map(tuple, orders))) == 3
    for order in orders:
        shards = [row // 3 for row in order]
        assert sum(a != b for a, b in itertools.pairwise(shards)) == 2, "a shard is read in one go"
    parts = [[sample.row for sample in batch.shuffled(5, (i, 2))] for i in range(2)]
    assert sorted(parts[0] + parts[1]) == list(range(8)) and all(parts)
    assert [sample.row for sample in batch] == list(range(8))


def rows_read(batch: Batch) -> list[tuple[int, int]]:
    return [(sample.row, int(sample.image.sum())) for sample in batch.shuffled(1)]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_in_other_processes(plan: Plan, method: str) -> None:
    """After shards were opened here: each process opens its own."""
    batch = Batch(plan.folder)
    here = rows_read(batch)
    with get_context(method).Pool(2) as pool:
        assert pool.map(rows_read, [batch] * 4) == [here] * 4
    assert rows_read(batch) == here
    assert rows_read(pickle.loads(pickle.dumps(batch))) == here


def test_an_incomplete_batch(tmp_path: Path) -> None:
    plan = making.made(making.folder(tmp_path), shard_rows=2, labels=False)
    os.unlink(plan.shard_path(2))
    batch = Batch(plan.folder)
    assert batch.good.tolist() == [0, 1, 4, 5, 6] and batch[0].spots is None
    assert repr(batch[0]) == "<Sample: row 0, 40 x 40 pixels, no labels>"
    with pytest.raises(InputError, match="row 2 and those after it are not there yet"):
        batch[3]
    Path(plan.shard_path(4)).write_bytes(b"no HDF5")
    with pytest.raises(InputError, match="cannot be read"):
        batch[4]
    with pytest.raises(InputError, match="there is no batch here"):
        Batch(tmp_path)


def test_many_shards(tmp_path: Path) -> None:
    """Not all of them are open at a time."""
    table = making.TURNED + making.TURNED.split("\n", 1)[1] * 2
    plan = making.made(making.folder(tmp_path, table), shard_rows=1)
    batch = Batch(plan.folder)
    first = [batch.image(row) for row in range(21)]
    assert len(os.listdir("/proc/self/fd")) < 60
    assert all(np.array_equal(first[row], first[row % 7]) for row in range(21))
