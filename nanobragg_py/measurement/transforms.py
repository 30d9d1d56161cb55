"""Convolution of images with a function that is even along both edges, by Fourier transforms without wrapping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .sharing import Share, chunks_of


class Convolution:
    """With the function whose values for pixels dy, dx apart are given; in double precision."""

    def __init__(self, quadrant: NDArray[np.float64], reach: int):
        """quadrant: float64 (slow, fast), as large as the images. reach: beyond so many pixels it is 0."""
        self.shape = quadrant.shape
        self._padded = [_fast_length(n + min(reach, n - 1)) for n in quadrant.shape]
        self._transform = _even_transform(quadrant, self._padded)

    def apply(self, image: NDArray[np.float32], share: Share) -> NDArray[np.float32]:
        """The convolved image, float32 (slow, fast); beside the given one, which stays, there is nothing."""
        slow, fast = self.shape
        padded_slow, padded_fast = self._padded
        # Columns lie one after the other in memory, so that both passes read whole lines.
        columns = np.empty((padded_fast // 2 + 1, slow), dtype=np.complex128)
        result = np.empty(self.shape, dtype=np.float32)

        def along_rows(first: int, last: int) -> None:
            columns[:, first:last] = np.fft.rfft(image[first:last].astype(np.float64), n=padded_fast).T

        def along_columns(first: int, last: int) -> None:
            lines = np.fft.fft(columns[first:last], n=padded_slow)
            lines *= self._transform[first:last]
            columns[first:last] = np.fft.ifft(lines)[:, :slow]

        def back_along_rows(first: int, last: int) -> None:
            result[first:last] = np.fft.irfft(columns[:, first:last].T, n=padded_fast)[:, :fast]

        share(along_rows, chunks_of(slow))
        share(along_columns, chunks_of(len(columns)))
        share(back_along_rows, chunks_of(slow))
        return result


def _even_transform(quadrant: NDArray[np.float64], padded: Sequence[int]) -> NDArray[np.float64]:
    """Fourier transform, real, (padded fast / 2 + 1, padded slow), of the function that is even along both edges."""
    whole = np.zeros(padded)
    # Two pixels of an image are never further apart than its edge; beyond half of the padded edge come negative steps.
    slow, fast = (min(n, size // 2 + 1) for n, size in zip(quadrant.shape, padded, strict=True))
    part = quadrant[:slow, :fast]
    whole[:slow, :fast] = part
    whole[padded[0] - slow + 1 :, :fast] = part[:0:-1]
    whole[:, padded[1] - fast + 1 :] = whole[:, fast - 1 : 0 : -1]
    return np.ascontiguousarray(np.fft.rfft2(whole).real.T)


def _fast_length(least: int) -> int:
    """The smallest even length from `least` on that is a product of powers of 2, 3 and 5."""
    length = least + least % 2
    while True:
        rest = length
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return length
        length += 2
