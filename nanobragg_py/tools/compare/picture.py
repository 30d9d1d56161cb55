"""A picture of two images and their difference side by side, drawn with Pillow."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np

from ...base.files import whole_file
from .statistics import Pixels

if TYPE_CHECKING:
    from PIL import Image, ImageDraw, ImageFont

Colours = tuple[tuple[int, int, int], ...]
Ticks = list[tuple[float, str]]  # place on a bar (0 to 1), text

PANEL = 520  # pixels of the longer side of a panel, about
NARROWEST = 300  # room for a title and the marks of a bar
GAP, LEFT, TOP, BOTTOM, BAR = 64, 64, 76, 110, 14  # around and between the panels; height of a colour bar
DECADES_OF_INTENSITY, DECADES_OF_DIFFERENCE = 6, 4
INK, GREY = (30, 30, 30), (110, 110, 110)
# From dark blue over purple and orange to pale yellow: lightness rises evenly.
INTENSITY: Colours = (
    (2, 2, 22),
    (52, 16, 102),
    (122, 28, 109),
    (188, 55, 84),
    (237, 105, 37),
    (251, 179, 25),
    (252, 255, 190),
)
# Blue below 0, nearly white at 0, red above.
DIFFERENCE: Colours = (
    (5, 48, 120),
    (67, 147, 195),
    (209, 229, 240),
    (248, 248, 248),
    (253, 219, 199),
    (214, 96, 77),
    (110, 0, 30),
)


def save_picture(path: str, a: Pixels, b: Pixels, titles: tuple[str, str], origin: tuple[int, int]) -> None:
    """Write a PNG of A, B (one logarithmic scale) and B−A (logarithmic on both sides of 0).

    a and b have one shape (slow, fast); origin is the (slow, fast) pixel of their first element in the whole
    image. A large image is reduced by the brightest pixel, and the largest difference, of each cell, so that
    no spot gets lost. Raises InputError when the file cannot be written.
    """
    from PIL import Image, ImageDraw

    cell = max(1, math.ceil(max(a.shape) / PANEL))
    zoom = max(1, PANEL // max(a.shape))
    small_a, small_b, small_d = reduce(a, b, cell)
    low, high = intensity_range(small_a, small_b)
    limit = float(np.abs(small_d).max())
    levels = (log_level(small_a, low, high), log_level(small_b, low, high), symmetric_level(small_d, limit))
    height, width = (size * zoom for size in small_a.shape)
    room = max(width, NARROWEST)
    step = room + GAP
    canvas = Image.new("RGB", (LEFT + 3 * step, TOP + height + BOTTOM), "white")
    draw = ImageDraw.Draw(canvas)
    for i, (level, title) in enumerate(zip(levels, (*titles, "B - A"), strict=True)):
        left = LEFT + i * step
        pixels = colours(level, DIFFERENCE if i == 2 else INTENSITY)
        panel = Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST)
        canvas.paste(panel, (left, TOP))
        name = title if i == 2 else f"{'AB'[i]}: {title}"
        frame(draw, (left, TOP, width, height), name, a.shape, origin, room)
    bar(
        canvas,
        (LEFT, TOP + height + 48, step + room),
        INTENSITY,
        intensity_ticks(low, high),
        "intensity, log scale",
    )
    ticks = difference_ticks(limit)
    bar(
        canvas,
        (LEFT + 2 * step, TOP + height + 48, room),
        DIFFERENCE,
        ticks,
        "B - A, log scale on both sides of 0",
    )
    buffer = io.BytesIO()
    canvas.save(buffer, format="PNG")
    with whole_file(path, "--png") as file:
        file.write(buffer.getvalue())


def reduce(a: Pixels, b: Pixels, cell: int) -> tuple[Pixels, Pixels, Pixels]:
    """Of each cell x cell pixels: the brightest of A and of B, and B−A where it is largest (float64)."""
    strips = []
    for first in range(0, a.shape[0], cell):
        x, y = (np.nan_to_num(v[first : first + cell].astype(np.float64), posinf=0.0, neginf=0.0) for v in (a, b))
        difference = y - x
        starts = np.arange(0, a.shape[1], cell)
        most = np.maximum.reduceat(difference.max(axis=0), starts)
        least = np.minimum.reduceat(difference.min(axis=0), starts)
        brightest = (np.maximum.reduceat(v.max(axis=0), starts) for v in (x, y))
        strips.append((*brightest, np.where(most >= -least, most, least)))
    brightest_a, brightest_b, differences = (np.array(rows) for rows in zip(*strips, strict=True))
    return brightest_a, brightest_b, differences


def intensity_range(a: Pixels, b: Pixels) -> tuple[float, float]:
    """Limits of the scale: the brightest pixel, and the faintest but for the last half percent."""
    positive = np.concatenate([v[v > 0.0] for v in (a.ravel(), b.ravel())])
    if not positive.size:
        return 0.1, 1.0
    high = float(positive.max())
    low = max(float(np.percentile(positive, 0.5)), high * 10.0**-DECADES_OF_INTENSITY)
    return (low, high) if low < high / 1.01 else (high / 10.0, high)


def log_level(values: Pixels, low: float, high: float) -> Pixels:
    """0 to 1 over the range, logarithmically; what is not positive is 0."""
    bounded = np.clip(values, low, high)
    return np.asarray(np.log(bounded / low) / math.log(high / low))


def symmetric_level(values: Pixels, limit: float) -> Pixels:
    """0 to 1 with 0.5 at 0: logarithmic in the size of the difference, linear below the last decade."""
    if not limit > 0.0:
        return np.full(values.shape, 0.5)
    steepness = 10.0**DECADES_OF_DIFFERENCE
    size = np.log1p(np.abs(values) / limit * steepness) / math.log1p(steepness)
    return np.asarray(0.5 + 0.5 * np.sign(values) * size)


def colours(level: Pixels, table: Colours) -> Pixels:
    """RGB bytes of shape (…, 3) of levels 0 to 1, between the colours of the table."""
    at = np.linspace(0.0, 1.0, len(table))
    channels = [np.interp(level, at, [colour[i] for colour in table]) for i in range(3)]
    return np.stack(channels, axis=-1).round().astype(np.uint8)


def intensity_ticks(low: float, high: float) -> Ticks:
    """Position (0 to 1) and text of the marks: powers of ten, and the ends."""
    span = math.log(high / low)
    powers = [10.0**k for k in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    inner = [(math.log(p / low) / span, f"{p:g}") for p in powers]
    ends = [(0.0, f"{low:.3g}"), (1.0, f"{high:.3g}")]
    return ends + [tick for tick in inner if 0.08 < tick[0] < 0.92]


def difference_ticks(limit: float) -> Ticks:
    """Marks at 0, the largest difference and a hundredth of it, on both sides."""
    if not limit > 0.0:
        return [(0.5, "0: no difference")]
    values = np.array([-limit, -limit / 100.0, 0.0, limit / 100.0, limit])
    return [
        (float(at), f"{v:+.3g}" if v else "0") for at, v in zip(symmetric_level(values, limit), values, strict=True)
    ]


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def frame(
    draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], title: str, shape: tuple[int, int],
    origin: tuple[int, int], room: int,
) -> None:  # fmt: skip
    """Border, title and the pixel numbers of the corners around a panel (left, top, width, height)."""
    left, top, width, height = box
    draw.rectangle((left - 1, top - 1, left + width, top + height), outline=GREY)
    while draw.textlength(title, font=font(17)) > room and len(title) > 8:
        title = title[:4] + "..." + title[8:]
    draw.text((left, top - 50), title, fill=INK, font=font(17))
    last = (origin[0] + shape[0] - 1, origin[1] + shape[1] - 1)
    draw.text((left, top - 22), f"fast {origin[1]}", fill=GREY, font=font(12))
    draw.text((left + width, top - 22), str(last[1]), fill=GREY, font=font(12), anchor="ra")
    draw.text((left - 6, top), f"slow\n{origin[0]}", fill=GREY, font=font(12), anchor="ra", align="right")
    draw.text((left - 6, top + height), str(last[0]), fill=GREY, font=font(12), anchor="rs")


def bar(
    canvas: Image.Image, box: tuple[int, int, int], table: Colours,
    ticks: Ticks, label: str,
) -> None:  # fmt: skip
    """A colour bar (left, top, width) with marks below and its meaning above."""
    from PIL import Image, ImageDraw

    left, top, width = box
    level = np.broadcast_to(np.linspace(0.0, 1.0, width), (BAR, width))
    canvas.paste(Image.fromarray(colours(level, table)), (left, top))
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((left - 1, top - 1, left + width, top + BAR), outline=GREY)
    draw.text((left, top - 22), label, fill=INK, font=font(13))
    for at, text in ticks:
        x = left + round(at * (width - 1))
        draw.line((x, top + BAR, x, top + BAR + 4), fill=GREY)
        anchor = "la" if at < 0.04 else "ra" if at > 0.96 else "ma"
        draw.text((x, top + BAR + 6), text, fill=INK, font=font(12), anchor=anchor)
