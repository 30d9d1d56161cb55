"""Searches for labels: reflections near the Ewald sphere, and the image's maxima."""

from __future__ import annotations

import numpy as np

from ..jit import inlined

# Reflections looked at together, by SIMD, before any is listed: in few of such blocks is one near the sphere.
BLOCK = 16


@inlined
def near_sphere(hkl, metric, along, limit, index):
    """List, in index int64 (n,), the reflections near the Ewald sphere; how many there are.

    hkl float64 (3, n), in rows; metric (6,): a*·a*, b*·b*, c*·c*, 2 b*·c*, 2 a*·c*, 2 a*·b*; along (3,): 2 k0·a*,
    2 k0·b*, 2 k0·c*. Listed is what has | |k0 + q|² - |k0|² | = |q·q + 2 k0·q| below limit (all in 1/Å²).
    """
    metric = metric[0], metric[1], metric[2], metric[3], metric[4], metric[5]
    along = along[0], along[1], along[2]
    count = np.int64(0)
    for first in range(0, hkl.shape[1], BLOCK):
        last = min(first + BLOCK, hkl.shape[1])
        h, k, l = hkl[0][first:last], hkl[1][first:last], hkl[2][first:last]
        near = np.int64(0)
        for i in range(len(h)):
            near += np.int64(abs(excess(h[i], k[i], l[i], metric, along)) < limit)
        if near:
            for i in range(len(h)):
                index[count] = first + i
                count += np.int64(abs(excess(h[i], k[i], l[i], metric, along)) < limit)
    return count


@inlined
def excess(h, k, l, metric, along):
    """q·q + 2 k0·q of one reflection, see near_sphere."""
    aa, bb, cc, bc, ac, ab = metric
    return h * (aa * h + ab * k + ac * l + along[0]) + k * (bb * k + bc * l + along[1]) + l * (cc * l + along[2])


@inlined
def climb(image, position, steps, pixel, top):
    """Follow an image, float32 (slow, fast), uphill from positions float64 (n, 2), fast and slow, within it.

    From the brightest of the four pixels about a position, by at most so many steps, each to the brightest of the eight
    neighbours (the first of equals; none if none is brighter). pixel int64 (n, 2) gets where that ends; top uint8 (n,):
    whether it is a maximum.
    """
    for i in range(position.shape[0]):
        low_fast, low_slow = np.int64(np.floor(position[i, 0])), np.int64(np.floor(position[i, 1]))
        fast, slow = low_fast, low_slow
        fast, slow = brightest(image, low_fast, low_fast + 1, low_slow, low_slow + 1, fast, slow)
        top[i] = 0
        for _ in range(steps + 1):
            at_fast, at_slow = brightest(image, fast - 1, fast + 1, slow - 1, slow + 1, fast, slow)
            if at_fast == fast and at_slow == slow:
                top[i] = 1
                break
            fast, slow = at_fast, at_slow
        pixel[i, 0], pixel[i, 1] = fast, slow


@inlined
def brightest(image, first_fast, last_fast, first_slow, last_slow, fast, slow):
    """Fast and slow index of the brightest pixel of a box, as far as it lies within the image.

    fast, slow: the pixel that is taken if none is brighter.
    """
    fast, slow = min(max(fast, 0), image.shape[1] - 1), min(max(slow, 0), image.shape[0] - 1)
    height = image[slow, fast]
    for s in range(max(first_slow, 0), min(last_slow + 1, image.shape[0])):
        for f in range(max(first_fast, 0), min(last_fast + 1, image.shape[1])):
            if image[s, f] > height:
                height, fast, slow = image[s, f], f, s
    return fast, slow
