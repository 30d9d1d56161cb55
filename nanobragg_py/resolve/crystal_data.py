"""-hkl: what it holds, how much of it is needed, and the cell that comes with it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..base.errors import note, warn
from ..base.opening import CannotOpen, Opened, open_input
from ..base.vectors import RADIAN_IN_DEGREES, Vector, combined, dot, length, scaled
from ..formats.reflection_list import looks_like_a_list
from ..model.beam import Beam, Sources
from ..model.crystal import Crystal
from ..model.detector import Detector
from ..options.config import Config
from .sources import resolve_sources

if TYPE_CHECKING:
    from ..formats.crystal_files import CrystalData

# A spot just beyond the detector's edge still reaches onto it.
BEYOND_CORNER = 0.99
# Cells further apart than this are not the same (share of an edge, degrees).
EDGE_TOLERANCE, ANGLE_TOLERANCE = 0.005, 0.5


def take_crystal_data(
    config: Config, beam: Beam, detector: Detector
) -> tuple[tuple[float, ...] | None, CrystalData | Opened | None]:
    """The cell as Config has it, or from the file where neither -cell nor -mat is there; and what -hkl holds.

    It is opened here, once: a plain list is handed on open. None if there is no -hkl, or if it cannot be opened, which
    is said where the C program says it. What was chosen is said on standard error. Raises InputError for a damaged
    file, or if gemmi is missing.
    """
    path = config.hkl_file
    opened = None
    if path is not None:
        with contextlib.suppress(CannotOpen):
            opened = open_input(path, "-hkl")
    data = None
    if opened is not None and not looks_like_a_list(opened):
        data = _read(opened, config, beam, detector)
    if data is None:
        if any(said is not None for said in (config.sf_column, config.sf_resolution_A, config.sf_symmetry)):
            warn("--column, --sf-resolution and --symmetry have no effect: -hkl is a plain list, or not there")
        return config.cell, opened
    for text in data.notes:
        note(f"{path}: {text}")
    for text in data.warnings:
        warn(f"{path}: {text}")
    said = said_cell(config)
    if config.mat_file is None:
        if said is None:
            return _cell_of(data, f"{path}"), data
        _compare_cells(data, f"{path}", "-cell", said)
    return config.cell, data


def check_matrix(config: Config, data: CrystalData | Opened | None, crystal: Crystal) -> None:
    """Warn if the cell of a crystal whose axes come from -mat, scaled to -cell, is not that of the reflections."""
    if data is None or isinstance(data, Opened):
        return
    a, b, c = crystal.real
    pairs = ((b, c), (a, c), (a, b))
    angles = [math.degrees(math.acos(dot(u, v) / (length(u) * length(v)))) for u, v in pairs]
    cell = (length(a), length(b), length(c), *angles)
    option = f"-mat {config.mat_file or ''}".strip() + (" with -cell" if said_cell(config) is not None else "")
    _compare_cells(data, config.hkl_file or "", option, cell)


def _read(opened: Opened, config: Config, beam: Beam, detector: Detector) -> CrystalData | None:
    """Reflections of P1 in a file that is no plain list; None if it is nothing that is known, either."""
    from ..formats import crystal_files  # only where it is needed: start-up

    kind = crystal_files.kind_of(opened)
    if kind is None:
        return None
    resolution = config.sf_resolution_A
    if resolution is None and kind in crystal_files.COORDINATES:
        finest = finest_resolution_A(resolve_sources(config, beam, detector.axes), detector)
        resolution = BEYOND_CORNER * max(finest, config.dmin_m * 1e10)
    data = crystal_files.read_reflections(opened, config.sf_column, resolution, said_cell(config), config.sf_symmetry)
    note(f"{opened.path}: {data.description}")
    return data


def said_cell(config: Config) -> tuple[float, ...] | None:
    """-cell in Å and degrees, with what it leaves out as the C program fills it in; None if there is none."""
    said = config.cell or ()
    if not said or said[0] == 0.0:
        return None
    edges = [*said[:3], 0.0, 0.0][:3]
    angles = [*(angle * RADIAN_IN_DEGREES for angle in said[3:]), 0.0, 0.0, 0.0][:3]
    return (*(edge if edge > 0.0 else said[0] for edge in edges), *(angle if angle > 0.0 else 90.0 for angle in angles))


def _compare_cells(data: CrystalData, path: str, option: str, cell: Sequence[float]) -> None:
    """Warn if the file's cell is not that of the crystal, which an option gives: a, b, c [Å], angles [degrees]."""
    edges = all(abs(a / b - 1) <= EDGE_TOLERANCE for a, b in zip(data.cell[:3], cell[:3], strict=True))
    angles = all(abs(a - b) <= ANGLE_TOLERANCE for a, b in zip(data.cell[3:], cell[3:], strict=True))
    if not (edges and angles):
        file_cell, said = (" ".join(f"{value:.6g}" for value in one) for one in (data.cell, cell))
        warn(f"{path}: its cell is {file_cell}, that of {option} {said}: the crystal has the latter")


def _cell_of(data: CrystalData, path: str) -> tuple[float, ...]:
    """The file's cell as -cell reads it (Å, radians), from the seven digits that are shown."""
    words = [f"{value:.7g}" for value in data.cell]
    note(f"{path}: -cell {' '.join(words)}")
    numbers = [float(word) for word in words]
    return (*numbers[:3], *(angle / RADIAN_IN_DEGREES for angle in numbers[3:]))


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
