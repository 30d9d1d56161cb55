"""Structure factors from a reflection list, crystal data, an array, the dump of an earlier run, or one default."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from ..base.errors import warn
from ..base.files import file_is_there
from ..base.opening import CannotOpen, Opened, open_input
from ..formats.dump import read_dump
from ..formats.reflection_list import EmptyList, read_list
from ..model.structure_factors import Grid, grid_of, no_list
from ..options.config import Config
from .arrays import Arrays
from .listener import Listener

if TYPE_CHECKING:
    from ..formats.crystal_files import CrystalData


def resolve_structure_factors(
    config: Config, arrays: Arrays, data: CrystalData | Opened | None, listener: Listener
) -> Grid:
    """The grid that the kernels look into. Raises InputError, naming the file and line.

    data: what take_crystal_data found in -hkl; None if it could not be opened. A list that is missing lets the C
    program use the dump of an earlier run; so do we, and say so.
    """
    if arrays.reflections is not None:
        return replace(grid_of(*arrays.reflections, config.default_F, "hkl"), source="")
    if config.hkl_file is not None:
        return _from_list(config.hkl_file, config.default_F, data, listener)
    if file_is_there(config.dump_file):
        listener.dump_opened(config.dump_file)
        unasked = "; -default_F counts only outside its range" if config.default_F != 0.0 else ""
        warn(f"no -hkl: structure factors come from the dump of an earlier run, {config.dump_file}{unasked}")
        return read_dump(config.dump_file, config.default_F)
    return no_list(config.default_F)


def _from_list(path: str, default_F: float, data: CrystalData | Opened | None, listener: Listener) -> Grid:
    if data is None:
        data = _opened(path, listener)
    listener.list_opened(path)
    if isinstance(data, Opened):
        try:
            with data:
                grid = read_list(data, default_F)
        except EmptyList:
            listener.list_is_empty(path)
            raise
    else:
        grid = grid_of(data.hkl, data.F, default_F, path)
    listener.list_read(path, grid)
    return grid


def _opened(path: str, listener: Listener) -> Opened:
    """A list that could not be opened before, so that its error comes where the C program has it."""
    try:
        return open_input(path, "-hkl")
    except CannotOpen:
        if os.path.isdir(path):  # which C opens, and finds nothing in
            listener.list_opened(path)
            listener.list_is_empty(path)
        else:
            listener.list_is_missing(path)
        raise
