"""Reflections near the Ewald sphere."""

from __future__ import annotations

import numpy as np

from ..jit import inlined


@inlined
def near_sphere(hkl, metric, along, limit, index):
    """List, in index int64 (n,), the reflections near the Ewald sphere; how many there are.

    hkl float64 (3, n), in rows; metric (6,): a*·a*, b*·b*, c*·c*, 2 b*·c*, 2 a*·c*, 2 a*·b*; along (3,): 2 k0·a*,
    2 k0·b*, 2 k0·c*. Listed is what has | |k0 + q|² - |k0|² | = |q·q + 2 k0·q| below limit (all in 1/Å²).
    """
    aa, bb, cc, bc, ac, ab = metric[0], metric[1], metric[2], metric[3], metric[4], metric[5]
    a0, b0, c0 = along[0], along[1], along[2]
    count = np.int64(0)
    for i in range(hkl.shape[1]):
        h, k, l = hkl[0, i], hkl[1, i], hkl[2, i]
        excess = h * (aa * h + ab * k + ac * l + a0) + k * (bb * k + bc * l + b0) + l * (cc * l + c0)
        index[count] = i
        count += np.int64(abs(excess) < limit)
    return count
