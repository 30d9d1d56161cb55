"""Input files that stages ask for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from ..base.errors import InputError, warn
from ..base.files import file_is_there, read_bytes
from ..formats.dump import read_dump, write_dump
from ..formats.reflection_list import make_grid
from ..formats.smv import HeaderDefaults, add_header, read_header, read_mask
from ..model import structure_factors
from ..model.detector import Detector
from ..model.structure_factors import Grid
from ..options.config import Config

if TYPE_CHECKING:
    from ..formats.crystal_files import CrystalData


def _is_foreign(path: str) -> bool:
    """Whether an image is none of the C program's format."""
    from ..formats.foreign_images import is_foreign

    return is_foreign(path)


def resolve_headers(config: Config) -> tuple[HeaderDefaults, tuple[str, ...]]:
    """Defaults from -mask and -img headers (the latter wins), and the files read, in order."""
    defaults = HeaderDefaults()
    read = []
    for path, option in ((config.mask_file, "-mask"), (config.image_file, "-img")):
        if path is None:
            continue
        if _is_foreign(path):
            from ..formats.foreign_images import add_foreign_header

            defaults = add_foreign_header(defaults, path, option, config.convention)
        else:
            defaults = add_header(defaults, read_header(path, option), flip_Y=option == "-mask")
        read.append(path)
    return defaults, tuple(read)


def _load_list(config: Config, say: Callable[[str], None], data: CrystalData | None) -> Grid:
    """The reflection list; its dump is written for next time."""
    path = config.hkl_file
    if not file_is_there(path):
        say(f"ERROR: unable to open {path}.")
    content = b" " if data else read_bytes(path, "-hkl", may_be_empty=True)
    say(f"counting entries in {path}\n")
    if data is not None:
        grid = structure_factors.grid_of(data.hkl, data.F, config.default_F, path)
    else:
        if not content.strip():
            say("".join(f"{axis}: 1000000000 - -1000000000\n" for axis in "hkl"))
            say(f"ERROR: not enough HKL indices in {path}\n")
        grid = make_grid(content, path, config.default_F)
    if config.default_F != 0.0:
        say(f"initializing to default_F = {config.default_F:g}:\ndone initializing:\n")
    say(f"re-reading {path}\n")
    try:
        write_dump(grid, config.dump_file)
        say(f"writing dump file for next time: {config.dump_file}\n")
    except InputError as error:
        say(f"WARNING: unable to open dump file: {config.dump_file}\n")
        warn(str(error))
    return grid


def load_grid(config: Config, say: Callable[[str], None], data: CrystalData | None = None) -> Grid:
    """Structure factors from the list, the dump, or nothing but default_F; `say` gets the run log's lines.

    data: what -hkl holds if it is no list.
    """
    if config.hkl_file is not None:
        return _load_list(config, say, data)
    if file_is_there(config.dump_file):
        say(f"reading Fs from {config.dump_file}\n")
        unasked = "; -default_F counts only outside its range" if config.default_F != 0.0 else ""
        warn(f"no -hkl: structure factors come from the dump of an earlier run, {config.dump_file}{unasked}")
        return read_dump(config.dump_file, config.default_F)
    return structure_factors.no_list(config.default_F)


def _read_any_mask(path: str) -> np.ndarray:
    """A mask file's pixels, in the C program's format or any other."""
    if not _is_foreign(path):
        return read_mask(path)
    from ..formats.foreign_images import foreign_mask

    return foreign_mask(path)


def resolve_mask(config: Config, detector: Detector, given: np.ndarray | None = None) -> np.ndarray | None:
    """The mask's pixels, as given or from its file; its size must be the detector's."""
    if given is None and config.mask_file is None:
        return None
    mask = _read_any_mask(config.mask_file) if given is None else given
    if mask.shape != (detector.spixels, detector.fpixels):
        raise InputError(
            f"{config.mask_file or 'mask'}: the mask has {mask.shape[1]} x {mask.shape[0]} pixels; "
            f"expected the detector's {detector.fpixels} x {detector.spixels}"
        )
    return mask
