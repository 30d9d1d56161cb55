"""Sources from a list, or as a grid of divergence and dispersion."""

from __future__ import annotations

import numpy as np

from ..base.c_numbers import divide
from ..base.errors import InputError
from ..base.memory import require_room
from ..base.vectors import cross, scaled, turned_about, unit
from ..formats.tables import read_columns
from ..model.beam import Beam, Sources
from ..model.detector import Axes
from ..model.steps import Steps
from ..options.config import Config

SOURCE_DISTANCE_M = 10.0
# What one source and its line in the run log takes while it is worked out (bytes).
SOURCE_BYTES = 1000


def resolve_sources(config: Config, beam: Beam, axes: Axes, listed: np.ndarray | None = None) -> Sources:
    """Sources from a list, or a grid of divergence times dispersion.

    listed: rows of a list, float64 (n, 5); read from -sourcefile if None. Raises InputError.
    """
    if listed is not None:
        return listed_sources(listed, "sources", beam, axes, config.fixes.weights)
    if config.source_file is not None:
        rows = read_columns(config.source_file, 5, "-sourcefile")
        return listed_sources(rows, config.source_file, beam, axes, config.fixes.weights)
    require_room(beam.horizontal.count * beam.vertical.count * beam.dispersion.count, SOURCE_BYTES, "sources")
    sources = generated_sources(beam, axes, config.round_divergence)
    if not sources.count:
        raise InputError("the divergence steps leave no source inside the ellipse: give more steps, or -square_div")
    shortest = min(sources.wavelengths_m)
    if not shortest > 0.0:
        percent = 100.0 * beam.dispersion.range
        raise InputError(
            f"-dispersion {percent:g} % has wavelengths from {shortest * 1e10:g} Å on: expected a wavelength above 0"
        )
    return sources


def generated_sources(
    beam: Beam, axes: Axes, rounded: bool, distance_m: float = SOURCE_DISTANCE_M
) -> Sources:  # fmt: skip
    """A grid of directions (an ellipse of them, if rounded) times a row of wavelengths."""
    horizontal, vertical, dispersion = beam.horizontal, beam.vertical, beam.dispersion
    deviations = [
        (hdiv, vdiv)
        for hdiv in horizontal.positions(-horizontal.range / 2.0)
        for vdiv in vertical.positions(-vertical.range / 2.0)
        if not (rounded and _outside_ellipse(hdiv, vdiv, horizontal, vertical))
    ]
    wavelengths = [
        beam.wavelength_m * (1.0 + dispersion.step * tic - dispersion.range / 2.0) for tic in range(dispersion.count)
    ]
    back, upright = scaled(axes.beam, -distance_m), unit(cross(axes.beam, axes.polar))
    points = [turned_about(turned_about(back, axes.polar, vdiv), upright, hdiv) for hdiv, vdiv in deviations]
    count = len(points) * len(wavelengths)
    position = np.repeat(np.array(points, dtype=np.float64).reshape(-1, 3), len(wavelengths), axis=0)
    return Sources(
        position_m=position,
        direction=_directions(position),
        weight=np.full(count, 1.0 / count if count else 0.0),
        share=np.ones(count),
        wavelength_m=np.tile(np.array(wavelengths), len(points)),
        deviations_rad=tuple(deviations),
        wavelengths_m=tuple(wavelengths),
        divergence_steps=len(deviations),
    )


def _outside_ellipse(hdiv: float, vdiv: float, horizontal: Steps, vertical: Steps) -> bool:
    """Whether a direction lies in a corner; a range of 0 gives not-a-number, which is inside."""
    test = _squared_fraction(hdiv, horizontal) + _squared_fraction(vdiv, vertical)
    return test * 4.0 > 1.1


def _squared_fraction(angle: float, steps: Steps) -> float:
    centred = angle * angle - steps.step * steps.step / 4.0 * (1 - steps.count % 2)
    return divide(divide(centred, steps.range), steps.range)


def listed_sources(
    rows: np.ndarray, name: str, beam: Beam, axes: Axes, weighted: bool = False, distance_m: float = SOURCE_DISTANCE_M
) -> Sources:
    """Sources of a list's rows, float64 (n, 5): x, y, z in metres, weight, wavelength in metres.

    nan stands for a column that is missing: on the beam axis, weight 1, the beam's wavelength. name: the list's, for
    messages. weighted: each source counts by its share of the weights; in the C program all count alike. Raises
    InputError.
    """
    defaults = (*scaled(axes.beam, -distance_m), 1.0, beam.wavelength_m)
    filled = np.where(np.isnan(rows), np.array(defaults), rows)
    position = np.ascontiguousarray(filled[:, :3])
    direction, weight, wavelength = _directions(position), filled[:, 3].copy(), filled[:, 4].copy()
    bad = np.flatnonzero(~(wavelength > 0.0) | ~np.any(direction != 0.0, axis=1))
    if len(bad):
        raise InputError(
            f"{name}: source {bad[0] + 1}: expected a position other than the sample's "
            "and a wavelength above 0 (in metres)"
        )
    if weighted and not (np.all(weight >= 0.0) and 0.0 < np.sum(weight) < np.inf):
        raise InputError(f"{name}: --fix weights: expected weights of 0 or more, and one above 0")
    share = np.ones(len(weight))
    if weighted and not np.all(weight == weight[0]):
        share = weight * (len(weight) / np.sum(weight))
    return Sources(position, direction, weight, share, wavelength)


def _directions(position_m: np.ndarray) -> np.ndarray:
    """Unit vectors from the sample to each position, float64 (n, 3)."""
    return np.array([unit((x, y, z)) for x, y, z in position_m.tolist()], dtype=np.float64).reshape(-1, 3)
