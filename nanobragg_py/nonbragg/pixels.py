"""The pixels of a run of nonBragg, with the lines that belong to them, in pixel order."""

from __future__ import annotations

import math

import numpy as np

from ..base.c_numbers import divide
from ..base.progress import progress_counts
from ..base.vectors import Vector, scaled, turned_about
from ..model.beam import Beam
from ..rendering.amorphous import AmorphousRenderer
from . import log
from .geometry import Geometry
from .options import Settings
from .output import Say


def render(
    s: Settings, g: Geometry, beam: Beam, renderer: AmorphousRenderer, last_weight: float, steps: int, say: Say
) -> None:
    """Fill the renderer's image. last_weight: that of the last source; steps: of a pixel."""
    region = g.region.clipped(g.frame.fpixels, g.frame.spixels)
    columns = range(region.fast_first, region.fast_last + 1)
    total, row = g.region.progress_pixels, region.slow_first
    for end in renderer.rows():
        if s.Fmap:
            _put_F(renderer, row, end, columns)
        if s.printout:
            say(_printed(s, g, beam, renderer, range(row, end), columns, last_weight, steps))
        elif s.progress:
            before, after = ((at - region.slow_first) * len(columns) for at in (row, end))
            say("".join(log.progress(n, total) for n in progress_counts(before, after, total)))
        row = end


def _put_F(renderer: AmorphousRenderer, first: int, last: int, columns: range) -> None:
    """F in place of photons: that of each pixel's last step."""
    F = renderer.seen[:, 1].reshape(renderer.image.shape)
    part = (slice(first, last), slice(columns.start, columns.stop))
    with np.errstate(over="ignore"):
        renderer.image[part] = F[part]


def _printed(
    s: Settings, g: Geometry, beam: Beam, renderer: AmorphousRenderer, rows: range, columns: range,
    last_weight: float, steps: int,
) -> str:  # fmt: skip
    """What -printout shows of some rows: all their pixels, or the one that was asked for."""
    wanted = s.printout_pixel
    lines = []
    for spixel in rows:
        for fpixel in columns:
            if wanted is not None and wanted[0] >= 0 and (fpixel, spixel) != tuple(wanted):
                continue
            seen = tuple(renderer.seen[spixel * g.frame.fpixels + fpixel].tolist())
            position = _last_subpixel(s, g, spixel, fpixel)
            photons = float(renderer.image[spixel, fpixel])
            lines.append(log.printed_pixel(fpixel, spixel, seen, position, beam, last_weight, steps, photons))
    return "".join(lines)


def _last_subpixel(s: Settings, g: Geometry, spixel: int, fpixel: int) -> Vector:
    """Position of a pixel's last sub-pixel, m."""
    oversample = max(s.oversample, 1)
    size = g.frame.pixel_size_m / oversample
    fast, slow = (size * (pixel * oversample + oversample - 1) + size / 2.0 for pixel in (fpixel, spixel))
    x, y, z = (fast * g.fdet[i] + slow * g.sdet[i] + 0.0 * g.odet[i] + g.pix0_m[i] for i in range(3))
    if not s.curved:
        return (x, y, z)
    straight = scaled(g.beam, g.distance_m)
    about_slow, about_fast = divide(y, g.distance_m), divide(z, g.distance_m)
    if not (math.isfinite(about_slow) and math.isfinite(about_fast)):
        # There is no place at such an angle.
        return (math.nan, math.nan, math.nan)
    return turned_about(turned_about(straight, g.sdet, about_slow), g.fdet, about_fast)
