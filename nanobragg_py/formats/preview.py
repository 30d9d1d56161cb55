"""A picture of a diffraction image for people: spots in contrast, resolution rings, beam centre, caption."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np

from ..base.c_numbers import leading_real
from ..base.errors import InputError, shown
from ..base.files import check_writable, whole_file, written_directly
from ..base.optional import require
from ..base.vectors import Vector, cross, dot, unit
from ..model.detector import Detector, beam_spot
from ..model.experiment import Experiment

# Longest side of the picture in pixels; larger images are made smaller, keeping the brightest of the merged pixels.
LONGEST_SIDE = 1400
SHORTEST_SIDE = 700
# Rings to choose from, in Å: about four of them fit on any detector.
NICE_RINGS_A = (
    50, 30, 20, 15, 12, 10, 8, 7, 6, 5, 4.5, 4, 3.5, 3, 2.5, 2.2, 2, 1.8, 1.6, 1.4, 1.2, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5,
)  # fmt: skip


RINGS_SHOWN = 5
RING_COLOUR = (200, 60, 40)
CENTRE_COLOUR = (30, 90, 200)
POINTS_PER_RING = 1440
# Ink of the brightest background, and how much of what is shown black it must be to get as much.
SHADOW = 0.3
SHADOW_FROM = 0.01
# The background is looked for in tiles: their smallest side (pixels), how many there must be along the longer side, the
# share of a tile's pixels that are taken for background, how many tiles a spot with its surroundings may fill, and how
# much the background may differ between neighbouring tiles.
TILE = 8
TILES_NEEDED = 16
BACKGROUND_SHARE = 0.2
SPOT_TILES = 5
ABOUT_THE_SAME = 0.2
# What a spot must be above the background to show; the share of the spots' intensity that is shown black, which is at
# least LEAST_CONTRAST of the brightest background, so that what the smooth background leaves over does not show; greys,
# few enough for small files.
STANDS_OUT = 0.01
LEAST_CONTRAST = 0.3
BLACK_SHARE = 0.8
GREYS = 85


OPTION = "--preview"
# Pillow's name of a format, and how it is written, by the ending of the file's name.
FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG", "optimize": True},
    ".jpg": {"format": "JPEG", "quality": 90},
    ".jpeg": {"format": "JPEG", "quality": 90},
}


def check_preview(path: str) -> None:
    """Raise InputError, before the work is done, when no picture could be drawn or written."""
    _format(path)
    require("PIL", OPTION, "pillow")
    check_writable(path, OPTION)


def _format(path: str) -> dict[str, Any]:
    """How a picture is written that is called so. Raises InputError for an ending that no format goes with."""
    ending = os.path.splitext(path)[1].lower()
    # A device or a pipe has no ending.
    if not ending and written_directly(path):
        ending = ".png"
    if ending not in FORMATS:
        raise InputError(f"{OPTION} {path}: expected a name that ends in {', '.join(FORMATS)}")
    return FORMATS[ending]


def write_preview(path: str, image: np.ndarray, experiment: Experiment, rings_A: tuple[float, ...] = ()) -> None:
    """Write a picture of a float32 image (slow, fast); rings_A: resolutions to mark, chosen when empty.

    The name's ending decides the format (FORMATS). Raises InputError for another ending, and for a full disk and so on.
    """
    written_as = _format(path)
    from PIL import Image, ImageDraw

    detector = experiment.detector
    grey, zoom = picture(image)
    height, width = grey.shape
    letter = max(14, round(max(width, height) / 60))
    font = _font(letter)
    lines = wrapped(caption(experiment), font.getlength, width - 2 * letter)
    sheet = Image.new("RGB", (width, height + (len(lines) + 1) * (letter + 6)), "white")
    sheet.paste(Image.fromarray(grey), (0, 0))
    draw = ImageDraw.Draw(sheet)
    wavelength_A = experiment.beam.wavelength_m * 1e10
    for spacing_A in rings_A or choose_rings(detector, wavelength_A):
        _draw_ring(draw, ring(detector, wavelength_A, spacing_A) * zoom, width, height, f"{spacing_A:g} A", font)
    _draw_centre(draw, detector, zoom, letter)
    for number, line in enumerate(lines):
        draw.text((letter, height + letter // 2 + number * (letter + 6)), line, fill="black", font=font)
    buffer = io.BytesIO()
    sheet.save(buffer, **written_as)
    with whole_file(path, OPTION) as file:
        file.write(buffer.getvalue())


def _font(size: int) -> Any:
    from PIL import ImageFont

    try:
        return ImageFont.load_default(size)
    except TypeError:  # Pillow before 10.1 has one size only
        return ImageFont.load_default()


def picture(image: np.ndarray) -> tuple[np.ndarray, float]:
    """Grey levels uint8 (dark spots on white) and display pixels for each pixel of the image."""
    longest = max(image.shape)
    merge = max(1, -(-longest // LONGEST_SIDE))
    grow = max(1, SHORTEST_SIDE // longest)
    small = brightest_of_blocks(np.nan_to_num(image, nan=0.0), merge)
    around = background(small)
    spots = np.clip(small - (1.0 + STANDS_OUT) * around, 0.0, None)
    black = max(black_level(spots), LEAST_CONTRAST * around.max())
    # Spots up to black, a little lighter than proportional so that weak ones show, over a shadow of the background.
    ink = np.clip(spots / (black or 1.0), 0.0, 1.0) ** 0.6
    ink += (1.0 - ink) * SHADOW * np.clip(around / (max(around.max(), SHADOW_FROM * black) or 1.0), 0.0, 1.0)
    ink[small <= 0.0] = 0.0
    grey = (255 - 255 // GREYS * np.rint(GREYS * np.clip(ink, 0.0, 1.0))).astype(np.uint8)
    return np.repeat(np.repeat(grey, grow, axis=0), grow, axis=1), grow / merge


def brightest_of_blocks(image: np.ndarray, side: int) -> np.ndarray:
    """Largest value of each side x side block, so that a spot of one pixel survives."""
    if side == 1:
        return image
    slow, fast = (-(-size // side) for size in image.shape)
    padded = np.zeros((slow * side, fast * side), dtype=image.dtype)
    padded[: image.shape[0], : image.shape[1]] = image
    largest: np.ndarray = padded.reshape(slow, side, fast, side).max(axis=(1, 3))
    return largest


def background(image: np.ndarray) -> np.ndarray:
    """The smooth part of an image, below the spots: float64 (slow, fast). An image too small for tiles has one level.

    What a tile's darker pixels say counts where its surroundings say about the same: a tile that spots fill takes after
    those, so that no spot has a halo of background that is not in the data. Done twice, the second time with the slope
    within the tiles divided out, which would make the darker pixels too dark.
    """
    slow, fast = image.shape
    if max(slow, fast) < TILES_NEEDED * TILE:
        return np.full(image.shape, _level(image))
    side = max(TILE, max(slow, fast) // 64)
    edges = [np.linspace(0, size, max(1, size // side) + 1).astype(int) for size in (slow, fast)]
    levels = _levels(image, edges)
    low = _opened(levels)
    levels = np.where((levels > 0.0) & (levels < (1.0 + ABOUT_THE_SAME) * low), levels, low)
    first = _smoothed(levels, edges)
    with np.errstate(divide="ignore", invalid="ignore"):
        levels = _levels(np.nan_to_num(image / first, posinf=0.0), edges)
    levels = np.where(np.abs(levels - 1.0) < ABOUT_THE_SAME, levels, 1.0)
    level: np.ndarray = first * _smoothed(levels, edges)
    return level


def _levels(image: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    """The level of each tile."""
    levels: np.ndarray = np.array([
        [_level(image[top:bottom, left:right]) for left, right in pairwise(edges[1])]
        for top, bottom in pairwise(edges[0])
    ])  # fmt: skip
    return levels


def _opened(levels: np.ndarray) -> np.ndarray:
    """The largest of the smallest values around: whatever is narrower than SPOT_TILES tiles is levelled.

    Where nothing was rendered nothing is low, and tiles take after their neighbours.
    """
    smallest = _around(np.where(levels > 0.0, levels, np.inf), SPOT_TILES, np.min)
    return _around(np.where(np.isinf(smallest), 0.0, smallest), SPOT_TILES, np.max)


def _around(values: np.ndarray, width: int, function: Callable[..., Any]) -> np.ndarray:
    """A function of the width x width values about each one; beyond the edge those at the edge go on."""
    framed = np.pad(values, width // 2, mode="edge")
    found: np.ndarray = function(np.lib.stride_tricks.sliding_window_view(framed, (width, width)), axis=(2, 3))
    return found


def _smoothed(levels: np.ndarray, edges: list[np.ndarray]) -> np.ndarray:
    """Values of tiles, averaged with their neighbours', for every pixel: bilinear between the tiles' middles.

    Slopes go on beyond the edge, in the average and in what is drawn.
    """
    thin = min(levels.shape) == 1
    framed = np.pad(levels, 1, mode="edge") if thin else np.pad(levels, 1, mode="reflect", reflect_type="odd")
    level: np.ndarray = np.lib.stride_tricks.sliding_window_view(framed, (3, 3)).mean(axis=(2, 3))
    for axis in (0, 1):
        edge = edges[axis]
        middles = (edge[1:] + edge[:-1] - 1) / 2
        pixels = np.arange(edge[-1])
        first = np.clip(np.searchsorted(middles, pixels, side="right") - 1, 0, max(len(middles) - 2, 0))
        second = np.minimum(first + 1, len(middles) - 1)
        width = np.maximum(middles[second] - middles[first], 1.0)
        part = np.expand_dims((pixels - middles[first]) / width, 1 - axis)
        level = (1.0 - part) * level.take(first, axis) + part * level.take(second, axis)
    smooth: np.ndarray = np.maximum(level, 0.0)
    return smooth


def _level(tile: np.ndarray) -> float:
    """What lies below the spots: BACKGROUND_SHARE of the pixels that were rendered are darker; 0 if none were."""
    lit = tile[tile > 0.0]
    rank = int(BACKGROUND_SHARE * lit.size)
    return float(np.partition(lit, rank)[rank]) if lit.size else 0.0


def black_level(spots: np.ndarray) -> float:
    """The level above which most of the spots' intensity lies: few strong spots do not hide all the others."""
    values = np.sort(spots[spots > 0.0], axis=None)
    if not values.size:
        return 0.0
    below = np.cumsum(values)
    return float(values[np.searchsorted(below, (1.0 - BLACK_SHARE) * below[-1])])


def ring(detector: Detector, wavelength_A: float, spacing_A: float) -> np.ndarray:
    """Where a cone of equal resolution meets the detector: pixels (n, 2) fast, slow; nan where it does not."""
    sine = wavelength_A / (2.0 * spacing_A)
    if sine > 1.0:
        return np.full((1, 2), np.nan)
    two_theta = 2.0 * math.asin(sine)
    beam = np.array(detector.axes.beam)
    side = np.array(unit(cross(detector.axes.beam, _least_along(detector.axes.beam))))
    up = np.cross(beam, side)
    azimuth = np.linspace(0.0, 2.0 * np.pi, POINTS_PER_RING)[:, None]
    rays = beam * math.cos(two_theta) + (side * np.cos(azimuth) + up * np.sin(azimuth)) * math.sin(two_theta)
    points = _on_curved(detector, rays) if detector.curved else _on_plane(detector, rays)
    on_plane = points - np.array(detector.pix0_m)
    fast = on_plane @ np.array(detector.axes.fdet)
    slow = on_plane @ np.array(detector.axes.sdet)
    return np.column_stack((fast, slow)) / detector.pixel_size_m


def _on_plane(detector: Detector, rays: np.ndarray) -> np.ndarray:
    """Where rays (n, 3) from the sample meet the detector's plane, metres; nan for those that lead away from it."""
    towards = rays @ np.array(detector.axes.odet)
    with np.errstate(divide="ignore", invalid="ignore"):
        return rays * np.where(towards > 1e-6, detector.close_distance_m / towards, np.nan)[:, None]


def _on_curved(detector: Detector, rays: np.ndarray) -> np.ndarray:
    """The same for a curved detector: points of the flat one whose y and z are the angles that lead to the ray.

    Those angles are sensible where the beam goes along x and meets the detector squarely; else there are no points.
    """
    axes = detector.axes
    if abs(axes.beam[0]) < 1.0 - 1e-9 or abs(dot(axes.beam, axes.odet)) < 1.0 - 1e-9:
        return np.full(rays.shape, np.nan)
    about_slow = np.arcsin(np.clip(rays @ np.array(cross(axes.sdet, axes.beam)), -1.0, 1.0))
    about_fast = np.arctan2(rays @ np.array(cross(axes.fdet, axes.beam)), rays @ np.array(axes.beam))
    straight = np.full(len(rays), axes.beam[0])
    return detector.distance_m * np.column_stack((straight, about_slow, about_fast))


def _least_along(vector: Vector) -> Vector:
    """The coordinate axis that a vector has least of."""
    smallest = min(range(3), key=lambda i: abs(vector[i]))
    return (float(smallest == 0), float(smallest == 1), float(smallest == 2))


def choose_rings(detector: Detector, wavelength_A: float) -> tuple[float, ...]:
    """A few round resolutions whose rings show on the detector, evenly spread."""
    visible = [d for d in NICE_RINGS_A if d > wavelength_A / 2 and _shows(ring(detector, wavelength_A, d), detector)]
    if len(visible) <= RINGS_SHOWN:
        return tuple(visible)
    sines = [1.0 / d for d in visible]
    wanted = np.linspace(sines[0], sines[-1], RINGS_SHOWN)
    return tuple(dict.fromkeys(visible[int(np.argmin(np.abs(np.array(sines) - w)))] for w in wanted))


def _shows(points: np.ndarray, detector: Detector) -> bool:
    """Whether a fair part of a ring lies on the detector, and not too near the beam centre."""
    inside = _inside(points, detector.fpixels, detector.spixels)
    if inside.mean() < 0.25:
        return False
    spread = np.ptp(points[inside], axis=0).max()
    return bool(spread > 0.08 * max(detector.fpixels, detector.spixels))


def _inside(points: np.ndarray, width: float, height: float) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        inside: np.ndarray = (points >= 0).all(axis=1) & (points[:, 0] < width) & (points[:, 1] < height)
    return inside


def _draw_ring(draw: Any, points: np.ndarray, width: int, height: int, label: str, font: Any) -> None:
    inside = _inside(points, width, height)
    if not inside.any():
        return
    # Dashes: every other stretch, so that spots under the ring stay visible.
    for start in range(0, len(points) - 1, 8):
        stretch = slice(start, start + 5)
        if inside[stretch].all() and len(points[stretch]) > 1:
            draw.line([tuple(p) for p in points[stretch].tolist()], fill=RING_COLOUR, width=1)
    candidates = points[inside]
    # Along the diagonal to the upper right, where labels of different rings keep out of each other's way.
    best = candidates[np.argmax(candidates[:, 0] - candidates[:, 1])]
    box = draw.textbbox((0, 0), label, font=font)
    x = min(max(best[0] - box[2] / 2, 2), width - box[2] - 2)
    y = min(max(best[1] - box[3] / 2, 2), height - box[3] - 2)
    draw.rectangle((x - 3, y - 1, x + box[2] + 3, y + box[3] + 3), fill="white")
    draw.text((x, y), label, fill=RING_COLOUR, font=font)


def _draw_centre(draw: Any, detector: Detector, zoom: float, arm: float) -> None:
    """A cross where the direct beam meets the detector."""
    x, y, _ = (v * zoom for v in beam_spot(detector))
    draw.line([(x - arm, y), (x + arm, y)], fill=CENTRE_COLOUR, width=2)
    draw.line([(x, y - arm), (x, y + arm)], fill=CENTRE_COLOUR, width=2)


def wrapped(phrases: list[str], length: Callable[[str], float], widest: float) -> list[str]:
    """Phrases in as few lines as they fit into, none wider than `widest` unless a phrase is; length measures text."""
    lines = phrases[:1]
    for phrase in phrases[1:]:
        longer = f"{lines[-1]}    {phrase}"
        if length(longer) <= widest:
            lines[-1] = longer
        else:
            lines.append(phrase)
    return lines


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def caption(experiment: Experiment) -> list[str]:
    """What a person would ask first, in phrases."""
    detector, beam, crystal = experiment.detector, experiment.beam, experiment.crystal
    lengths = [math.sqrt(dot(v, v)) for v in crystal.real]
    angles = [math.degrees(angle) for angle in crystal.real_angles.angles]
    cell = " ".join(f"{v:.2f}" for v in lengths) + " A  " + " ".join(f"{v:g}" for v in angles) + " deg"
    mosaic, sweep, source = experiment.mosaic, experiment.spindle.steps, experiment.structure_factors.source
    # The letters of Pillow's own font: no Å, no ×, no superscripts.
    phrases = [source] if source else []
    phrases += [
        f"cell {cell}",
        f"crystal {crystal.Na:g} x {crystal.Nb:g} x {crystal.Nc:g} cells",
        f"wavelength {beam.wavelength_m * 1e10:g} A",
        f"distance {detector.distance_m * 1e3:g} mm",
        f"{detector.fpixels} x {detector.spixels} pixels of {detector.pixel_size_m * 1e3:g} mm",
        f"{beam.intensity.fluence_per_m2:.3g} photons/m^2",
    ]
    if mosaic.domains > 1:
        phrases.append(f"{mosaic.domains} mosaic domains ({math.degrees(mosaic.spread_rad):g} deg)")
    if sweep.range > 0.0:
        phrases.append(f"sweep {math.degrees(sweep.range):g} deg in {_counted(sweep.count, 'step')}")
    return phrases


def parse_rings(text: str) -> tuple[float, ...]:
    """Resolutions in Å from `d1,d2,...`. Raises InputError for anything else."""
    read = [(*leading_real(word.strip()), len(word.strip())) for word in text.split(",")]
    rings = tuple(value if used == length else 0.0 for value, used, length in read)
    if not all(0.0 < d < 1e4 for d in rings):
        raise InputError(f"--show-rings: expected resolutions in Å separated by commas, got '{shown(text)}'")
    return rings
