"""Sources from a list, or as a grid of divergence and dispersion."""

from __future__ import annotations

import numpy as np

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..base.memory import _require_room
from ..base.vectors import Vector, scaled, turned_about, unit
from ..formats.tables import read_columns
from ..model.beam import Sources
from ..model.experiment import Camera
from ..model.steps import Steps
from ..options.config import Config

SOURCE_DISTANCE_M = 10.0


def generate_sources(
    beam_vector: Vector, polar_vector: Vector, vertical: Vector, wavelength_m: float,
    horizontal: Steps, upright: Steps, dispersion: Steps, rounded: bool,
) -> Sources:  # fmt: skip
    """A grid of directions (an ellipse of them, if rounded) times a row of wavelengths."""
    deviations = [
        (hdiv, vdiv)
        for hdiv in horizontal.positions(-horizontal.range / 2.0)
        for vdiv in upright.positions(-upright.range / 2.0)
        if not (rounded and _outside_ellipse(hdiv, vdiv, horizontal, upright))
    ]
    wavelengths = [
        wavelength_m * (1.0 + dispersion.step * tic - dispersion.range / 2.0) for tic in range(dispersion.count)
    ]
    back = scaled(beam_vector, -SOURCE_DISTANCE_M)
    points = [turned_about(turned_about(back, polar_vector, vdiv), vertical, hdiv) for hdiv, vdiv in deviations]
    count = len(points) * len(wavelengths)
    position = np.repeat(np.array(points, dtype=np.float64).reshape(-1, 3), len(wavelengths), axis=0)
    return Sources(
        position,
        _directions(position),
        np.full(count, 1.0 / count if count else 0.0),
        np.tile(np.array(wavelengths), len(points)),
        tuple(deviations),
        tuple(wavelengths),
        len(deviations),
    )


def _outside_ellipse(hdiv: float, vdiv: float, horizontal: Steps, upright: Steps) -> bool:
    """Whether a direction lies in a corner; a range of 0 gives not-a-number, which is inside."""
    test = _squared_fraction(hdiv, horizontal) + _squared_fraction(vdiv, upright)
    return test * 4.0 > 1.1


def _squared_fraction(angle: float, steps: Steps) -> float:
    centred = angle * angle - steps.step * steps.step / 4.0 * (1 - steps.count % 2)
    return divide(divide(centred, steps.range), steps.range)


def listed_sources(rows: np.ndarray, beam_vector: Vector, wavelength_m: float) -> Sources:
    """Sources from a file's rows (n, 5), nan where a column was missing: x, y, z in metres, weight, wavelength."""
    defaults = (*scaled(beam_vector, -SOURCE_DISTANCE_M), 1.0, wavelength_m)
    filled = np.where(np.isnan(rows), np.array(defaults), rows)
    position = np.ascontiguousarray(filled[:, :3])
    return Sources(position, _directions(position), filled[:, 3].copy(), filled[:, 4].copy())


def _directions(position_m: np.ndarray) -> np.ndarray:
    return np.array([unit((x, y, z)) for x, y, z in position_m.tolist()], dtype=np.float64).reshape(-1, 3)


# What one source, spindle step or mosaic domain, and its line in the run log, takes while it is worked out (bytes).
SOURCE_BYTES = 1000


def resolve_sources(config: Config, camera: Camera) -> Sources:
    """Sources from a file, or a grid of divergence times dispersion."""
    axes = camera.detector.axes
    if config.source_file is not None:
        rows = read_columns(config.source_file, 5, "-sourcefile")
        return checked_sources(rows, config.source_file, camera, config.fixes.weights)
    count = camera.horizontal.count * camera.upright.count * camera.dispersion.count
    _require_room(count, SOURCE_BYTES, "sources")
    sources = generate_sources(
        axes.beam, axes.polar, camera.vertical, camera.wavelength_m,
        camera.horizontal, camera.upright, camera.dispersion, config.round_divergence,
    )  # fmt: skip
    if not len(sources.weight):
        raise InputError("the divergence steps leave no source inside the ellipse: give more steps, or -square_div")
    return sources


def checked_sources(rows: np.ndarray, name: str, camera: Camera, weighted: bool = False) -> Sources:
    """Sources of a list's rows, float64 (n, 5); name is the list's, for messages. weighted: weights will be used."""
    sources = listed_sources(rows, camera.detector.axes.beam, camera.wavelength_m)
    bad = np.flatnonzero(~(sources.wavelength_m > 0.0) | ~np.any(sources.direction != 0.0, axis=1))
    if len(bad):
        raise InputError(
            f"{name}: source {bad[0] + 1}: expected a position other than the sample's "
            "and a wavelength above 0 (in metres)"
        )
    if weighted and not (np.all(sources.weight >= 0.0) and 0.0 < np.sum(sources.weight) < np.inf):
        raise InputError(f"{name}: --fix weights: expected weights of 0 or more, and one above 0")
    return sources
