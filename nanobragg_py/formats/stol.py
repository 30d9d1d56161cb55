"""Tables of structure factors against angle (.stol): two columns, an angle's measure and F of one molecule."""

from __future__ import annotations

import math

import numpy as np

from ..base.errors import InputError
from ..model.amorphous import ScatteringTable, scattering_table
from .tables import read_columns

# What a table's first column is, and what makes stol in 1/m of it.
SCALES = {
    "-stol": 1e10,  # sin(theta)/lambda, 1/Å
    "-4stol": 1e10 / 4,  # 4 sin(theta)/lambda, 1/Å
    "-Q": 1e10 / math.pi / 4,  # 4 pi sin(theta)/lambda, 1/Å
}


def read_stol(path: str, option: str = "-stol") -> ScatteringTable:
    """Read a table; the option (a key of SCALES) says what its first column is.

    Separators, blank lines and lines with one number are as in formats/tables.py: F is missing there. Raises
    InputError, naming file and line.
    """
    rows = read_columns(path, 2, option)
    if np.isnan(rows[:, 1]).all():
        raise InputError(f"{path}: {option}: no line has an F: expected two numbers, an angle's measure and F")
    return scattering_table(rows[:, 0] * SCALES[option], rows[:, 1].copy())
