"""Addresses of arrays that kernels are given."""

from __future__ import annotations

import numpy as np
import pytest

from nanobragg_py.kernels.layout import PARAMETERS
from nanobragg_py.kernels.library import address


@pytest.mark.parametrize("dtype", [np.float32, np.uint8, np.int64, PARAMETERS])
@pytest.mark.parametrize("shape", [(), (3,), (2, 5), (0,), (0, 4)])
@pytest.mark.parametrize("writeable", [True, False])
def test_of_contiguous_arrays(dtype: np.dtype, shape: tuple[int, ...], writeable: bool) -> None:
    """That of the first element, whether or not it may be written, and is there at all."""
    array = np.zeros(shape, dtype)
    array.flags.writeable = writeable
    assert address(array) == array.__array_interface__["data"][0]


@pytest.mark.parametrize("writeable", [True, False])
def test_of_others(writeable: bool) -> None:
    array = np.zeros((4, 6))
    array.flags.writeable = writeable
    for part in (array[:, :3], array.T, array[::2], array[:, ::-1]):
        with pytest.raises(ValueError, match="kernels take contiguous arrays"):
            address(part)
    assert address(None) is None


def test_of_parts() -> None:
    """A part begins where its own first element is."""
    array = np.zeros((4, 6), np.float32)
    first = address(array)
    assert first is not None
    assert (address(array[2:]), address(array[1, 3:])) == (first + 4 * 12, first + 4 * 9)
