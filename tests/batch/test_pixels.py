"""What is stored of an image, and what comes back."""

from __future__ import annotations

from pathlib import Path

import making
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nanobragg_py import Batch
from nanobragg_py.batch.check import check_batch
from nanobragg_py.batch.pixels import SQRT_STEPS, Storage, decoded, storage_of, stored

COUNTS = arrays(np.int32, (3, 4), elements=st.integers(0, 2**31 - 3))


@given(COUNTS)
def test_square_roots(counts: np.ndarray) -> None:
    """Small counts come back as they are, large ones within an eighth of their own spread; none beyond 16 bits."""
    storage = storage_of("uint16", "sqrt", True)
    pixels, beyond = stored(counts, storage)
    assert pixels.dtype == np.uint16
    largest = (65535.5 / SQRT_STEPS) ** 2
    assert beyond == np.count_nonzero(counts > largest)
    back = decoded(pixels, storage)
    fits = counts <= largest
    assert np.all(np.abs(back - counts)[fits] <= np.sqrt(counts[fits]) / SQRT_STEPS + 1)
    assert np.array_equal(back[counts < 60], counts[counts < 60])


@given(COUNTS, st.sampled_from([0.25, 1.0, 1.5, 4.0]))
def test_gain(counts: np.ndarray, factor: float) -> None:
    storage = storage_of("uint16", f"gain:{factor}", True)
    pixels, beyond = stored(counts, storage)
    fits = np.rint(counts * factor) <= 65535
    assert beyond == np.count_nonzero(~fits) and np.all(pixels[~fits] == 65535)
    assert np.all(np.abs(decoded(pixels, storage) - counts)[fits] <= 0.5 / factor + 1e-2)


@given(COUNTS)
def test_plain_words_and_integers(counts: np.ndarray) -> None:
    pixels, beyond = stored(counts, Storage("uint16"))
    assert np.array_equal(pixels, np.minimum(counts, 65535)) and beyond == np.count_nonzero(counts > 65535)
    same, none = stored(counts, Storage("int32"))
    assert same is counts and none == 0
    photons = np.array([[0.4, -1.0, 0.6, 1e10]], dtype=np.float32)
    pixels, beyond = stored(photons, Storage("uint16"))
    assert pixels.tolist() == [[0, 0, 1, 65535]] and beyond == 2
    pixels, beyond = stored(photons, Storage("int32"))
    assert pixels.tolist() == [[0, -1, 1, 2**31 - 3]] and beyond == 1


@pytest.mark.parametrize(
    "dtype, code", [("uint16", None), ("uint16", "sqrt"), ("uint16", "gain:0.5"), ("float32", None)]
)
def test_batches_of_each_kind(tmp_path: Path, dtype: str, code: str | None) -> None:
    """What Batch gives is what was stored, decoded; raw pixels if wanted; pixels that did not fit are counted."""
    path = making.folder(tmp_path)
    plain = Batch(making.made(path, "plain").folder)
    plan = making.made(path, "coded", dtype=dtype, code=code)
    raw, decoding = Batch(plan.folder, decode=False), Batch(plan.folder)
    for row in range(7):
        pixels, _ = stored(plain.image(row), plan.storage)
        assert raw.image(row).dtype == np.dtype(dtype) and np.array_equal(raw.image(row), pixels)
        assert np.array_equal(decoding.image(row), decoded(pixels, plan.storage))
        assert np.all(np.abs(decoding.image(row) - plain.image(row)) <= np.maximum(2, plain.image(row) * 0.05))
    assert check_batch(plan, 3, 0) == 0
