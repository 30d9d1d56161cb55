"""Images that a run reads: headers of -img and -mask, and the mask's pixels."""

from __future__ import annotations

import numpy as np

from ..base.errors import InputError
from ..formats.smv import HeaderDefaults, add_header, read_header, read_mask
from ..model.detector import Detector
from ..options.config import Config


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


def _read_any_mask(path: str) -> np.ndarray:
    """A mask file's pixels, in the C program's format or any other."""
    if not _is_foreign(path):
        return read_mask(path)
    from ..formats.foreign_images import foreign_mask

    return foreign_mask(path)


def resolve_mask(config: Config, detector: Detector, given: np.ndarray | None = None) -> np.ndarray | None:
    """The mask's pixels, as given or from its file; its size must be the detector's."""
    if given is not None:
        mask = given
    elif config.mask_file is not None:
        mask = _read_any_mask(config.mask_file)
    else:
        return None
    if mask.shape != (detector.spixels, detector.fpixels):
        raise InputError(
            f"{config.mask_file or 'mask'}: the mask has {mask.shape[1]} x {mask.shape[0]} pixels; "
            f"expected the detector's {detector.fpixels} x {detector.spixels}"
        )
    return mask
