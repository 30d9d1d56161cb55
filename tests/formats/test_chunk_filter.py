"""HDF5's filters called by themselves: the bytes that HDF5 stores."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import numpy as np
import pytest

from nanobragg_py.formats import chunk_filter
from nanobragg_py.formats.chunk_filter import chunk_by_hdf5, filter_of

hdf5plugin = pytest.importorskip("hdf5plugin")


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (64, 64), (200, 301)])
def test_the_bytes_that_hdf5_stores(tmp_path: Path, dtype: type, shape: tuple[int, int]) -> None:
    """From several threads at a time, and they are read back."""
    images = [np.random.default_rng(seed).poisson(3, shape).astype(dtype) for seed in range(6)]
    images.append(
        np.random.default_rng(9).integers(0, 255, (*shape, np.dtype(dtype).itemsize), np.uint8).view(dtype)[..., 0]
    )
    with h5py.File(tmp_path / "x.h5", "w") as file:
        options = dict(
            shape=(len(images), *shape), dtype=dtype, chunks=(1, *shape), **hdf5plugin.Bitshuffle(cname="lz4")
        )
        by_hdf5, by_us = (file.create_dataset(name, **options) for name in "ab")
        packs = filter_of(by_us)
        assert packs is not None
        with ThreadPoolExecutor(4) as pool:
            packed = list(pool.map(packs, images))
        for number, (image, chunk) in enumerate(zip(images, packed, strict=True)):
            by_hdf5[number] = image
            assert chunk is not None
            by_us.id.write_direct_chunk((number, 0, 0), chunk)
        file.flush()
        for number, image in enumerate(images):
            assert by_us[number].tobytes() == image.tobytes()
            assert by_us.id.read_direct_chunk((number, 0, 0)) == by_hdf5.id.read_direct_chunk((number, 0, 0))
            assert chunk_by_hdf5(image, hdf5plugin.Bitshuffle(cname="lz4")) == packed[number]


def test_other_data_sets_have_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with h5py.File(tmp_path / "x.h5", "w") as file:
        assert filter_of(file.create_dataset("plain", data=[1])) is None
        assert filter_of(file.create_dataset("zip", data=[1], chunks=(1,), compression="gzip")) is None
        assert filter_of(file.create_dataset("two", data=[1], chunks=(1,), compression="gzip", shuffle=True)) is None
        dataset = file.create_dataset("bits", data=[1], chunks=(1,), **hdf5plugin.Bitshuffle())
        monkeypatch.setattr(hdf5plugin, "get_config", lambda: None)
        chunk_filter._function.cache_clear()
        assert filter_of(dataset) is None
    chunk_filter._function.cache_clear()
