"""-hkl with real crystallographic data instead of a list: how much of it is needed, and the cell that comes with it."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

from ..base.errors import note, warn
from ..base.vectors import RADIAN_IN_DEGREES, Vector, combined, dot, length, scaled
from ..model.beam import Beam, Sources
from ..model.detector import Detector
from ..options.config import Config
from .sources import resolve_sources

if TYPE_CHECKING:
    from ..formats.crystal_files import CrystalData


LIST_STARTS_WITH = b"0123456789+-. \t\r\n\v\f"
# A spot just beyond the detector's edge still reaches onto it.
BEYOND_CORNER = 0.99


def take_crystal_data(
    config: Config, beam: Beam, detector: Detector
) -> tuple[tuple[float, ...] | None, CrystalData | None]:
    """The cell as Config has it, or from the file where neither -cell nor -mat is there; and what -hkl holds if it is
    MTZ, mmCIF or PDB.

    A file that is none of these, or missing, gives None: then -hkl is a plain list. What was chosen is said on
    standard error. Raises InputError for a damaged file, or if gemmi is missing.
    """
    path = config.hkl_file
    data = None
    if path is not None and not _starts_like_a_list(path):
        from ..formats import crystal_files as crystal_data

        kind = crystal_data.recognise(path)
        if kind is not None:
            resolution = config.sf_resolution_A
            if resolution is None and kind in ("pdb", "mmcif-model"):
                sources = resolve_sources(config, beam, detector.axes)
                finest = finest_resolution_A(sources, detector)
                resolution = BEYOND_CORNER * max(finest, config.dmin_m * 1e10)
            data = crystal_data.read_reflections(path, config.sf_column, resolution)
            note(f"{path}: {data.description}")
    if data is None:
        if config.sf_column is not None or config.sf_resolution_A is not None:
            warn("--column and --sf-resolution have no effect: -hkl is no MTZ, mmCIF or PDB file")
        return config.cell, None
    if config.mat_file is None and not (config.cell and config.cell[0] != 0.0):
        return cell_of(data, str(path)), data
    return config.cell, data


def cell_of(data: CrystalData, path: str) -> tuple[float, ...]:
    """The file's cell as -cell reads it (Å, radians), from the seven digits that are shown."""
    words = [f"{value:.7g}" for value in data.cell]
    note(f"{path}: -cell {' '.join(words)}")
    numbers = [float(word) for word in words]
    return (*numbers[:3], *(angle / RADIAN_IN_DEGREES for angle in numbers[3:]))


def _starts_like_a_list(path: str) -> bool:
    """Whether a file's first byte is a list's; also for what is missing or no regular file (a pipe loses its bytes)."""
    try:
        if not os.path.isfile(path):
            return True
        with open(path, "rb") as file:
            return file.read(1) in LIST_STARTS_WITH
    except (OSError, ValueError):
        return True


def finest_resolution_A(sources: Sources, detector: Detector) -> float:
    """The smallest d that any pixel sees, in Å: lambda / (2 sin theta) (Bragg) over sources and the frame's edges.

    A detector that reaches beyond 2 theta = 90 degrees, or is curved, is taken to see half the wavelength.
    """
    half = 0.5 * float(sources.wavelength_m.min()) * 1e10
    if detector.curved:
        return half
    largest_square = 0.0
    rays = [scaled(ray, 1.0 / length(ray)) for ray in edge_points(detector) if length(ray) > 0.0]
    for direction in sources.direction.tolist():
        cosine = min(-dot(direction, ray) for ray in rays)
        if cosine < 0.0:
            return half
        largest_square = max(largest_square, 0.5 * (1.0 - cosine))
    return half / math.sqrt(largest_square) if largest_square > 0.0 else math.inf


def edge_points(detector: Detector, each_side: int = 8) -> list[Vector]:
    """Points on the frame's edge in metres from the sample, the corners among them."""
    at = [step / each_side for step in range(each_side + 1)]
    edges = [(t, s) for t in at for s in (0.0, 1.0)] + [(s, t) for t in at for s in (0.0, 1.0)]
    points = []
    for fast, slow in edges:
        f, s = fast * detector.detsize_fast_m, slow * detector.detsize_slow_m
        points.append(combined(-f, detector.axes.fdet, -s, detector.axes.sdet, 1.0, detector.pix0_m))
    return points
