"""Materials without order in the beam: their tables, and how many molecules there are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..base.errors import InputError, shown
from ..formats.stol import read_stol
from ..model.amorphous import AmorphousLayer, ScatteringTable, molecules_in, scattering_table
from ..model.beam import Beam
from ..model.materials import MATERIALS
from ..options.amorphous import Amorphous

PER_ANGSTROM = 1e10


def resolve_amorphous(said: Sequence[Amorphous], beam: Beam) -> tuple[AmorphousLayer, ...]:
    """What was said of materials, with their tables read and their molecules counted: those in a square beam.

    Raises InputError for a property that nobody said, and for a table that cannot be read.
    """
    return tuple(_layer(material, beam) for material in said)


def _layer(said: Amorphous, beam: Beam) -> AmorphousLayer:
    name = said.material if isinstance(said.material, str) else "table"
    known = MATERIALS.get(name)
    if said.thickness_mm is None:
        raise InputError(f"--background {shown(name)}: expected --background-thick, in mm along the beam")
    density = said.density_g_per_cm3 or (known and known.density_g_per_cm3)
    weight = said.molecular_weight or (known and known.molecular_weight)
    if not density or not weight:
        missing = " and ".join(
            option
            for option, value in (("--background-density (g/cm³)", density), ("--background-mw (g/mol)", weight))
            if not value
        )
        raise InputError(f"--background {shown(name)}: expected {missing}; known for {', '.join(MATERIALS)} only")
    volume_m3 = said.thickness_mm * 1e-3 * beam.intensity.beamsize_m**2
    return AmorphousLayer(name, _table(said, name), molecules_in(volume_m3, density * 1e6, weight))


def _table(said: Amorphous, name: str) -> ScatteringTable:
    if name in MATERIALS:
        stol, F = MATERIALS[name].table()
        return scattering_table(stol * PER_ANGSTROM, F)
    if isinstance(said.material, str):
        return read_stol(said.material)
    rows = np.array(said.material, dtype=np.float64)
    if not (len(rows) > 1 and np.isfinite(rows).all() and (np.diff(rows[:, 0]) > 0.0).all()):
        raise InputError("background: expected rows of finite numbers with ascending sin(theta)/lambda, at least two")
    return scattering_table(rows[:, 0] * PER_ANGSTROM, rows[:, 1])
