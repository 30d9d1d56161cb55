"""The Python API: simulate() renders an image from keyword arguments, arrays and files."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Set
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .base.errors import InputError
from .model.experiment import Experiment
from .options.config import Config
from .options.keywords import settings
from .rendering.renderer import Renderer
from .resolve.arrays import Arrays, mask_of, matrix_of, reflections_of, sources_of
from .resolve.defects import defects_of, warning, worth_a_warning
from .resolve.stages import resolve
from .result import Result

if TYPE_CHECKING:
    from typing import Unpack

    from .options.keyword_types import Keywords

# Keywords that take an array in place of a file's name, with what reads it and the field of Arrays that gets it.
ARRAY_KEYWORDS = {
    "hkl": (reflections_of, "reflections"),
    "mask": (mask_of, "mask"),
    "sources": (sources_of, "sources"),
    "matrix": (matrix_of, "matrix"),
}


FILE_KEYWORDS = {"sources": "sourcefile"}


class DefectWarning(UserWarning):
    """An image has known defects of the C program, whose bytes it has; the text names the corrections."""


def simulate(config: Config | None = None, /, **keywords: Unpack[Keywords]) -> Result:
    """Render one diffraction image; the pixels are those of the command line, bit for bit.

    config: what the keywords are added to (Config.from_argv makes one of a command line); or keywords alone.
    keywords: the command line's options in its units, which the names end with: cell=(42, 42, 89, 90, 90, 90) [Å, °],
    misset=(20, 35, 50) [°], wavelength_A, energy_eV, distance_mm, pixel_mm, detpixels=(fast, slow), N=(5, 5, 5),
    mosaic_deg, mosaic_domains, phi_deg, osc_deg, phisteps, fluence [photons/m²], water_um, oversample, convention,
    Xbeam_mm, shape, seed, threads, ...; nanobragg_py.options.keywords.keywords() has them all. They act in the order
    given; None stands for what is not given.
    hkl: a file, an array (n, 4) of h k l F, or a pair of arrays (n, 3), (n,); F in electrons.
    mask: a file or an array (slow, fast), 0 = skip. sources: a file or an array (n, 5) of x y z [m], weight,
    wavelength [m]. matrix: a file or an array (3, 3) with columns a*, b*, c* [1/Å] times the wavelength [Å].
    misset: three angles, "random", or SciPy's Rotation.

    photons = r_e² fluence / steps · solid angle · polarization · capture · Σ |F_cell F_latt|² + background.

    Nothing is printed on standard output and no file is written. Raises InputError, a ValueError, for what cannot be.
    DefectWarning tells of known defects of the C program that the image has, because its pixels are that program's.

    >>> from nanobragg_py import simulate
    >>> result = simulate(cell=(70, 80, 90), default_F=100, N=5, detpixels=64, pixel_mm=1.6, oversample=1)
    >>> result.image.shape, result.image.dtype.name
    ((64, 64), 'float32')
    >>> simulate(cell=(70, 80, 90), default_F=100, distance=100)
    Traceback (most recent call last):
        ...
    nanobragg_py.base.errors.InputError: no keyword 'distance'; did you mean distance_mm?
    """
    config, arrays = arranged(config, keywords)
    experiment = resolve(config, arrays)
    renderer = Renderer(experiment, config.threads)
    image = renderer.render()
    warn_of_defects(experiment, config, renderer.left_grid_at is not None)
    return Result(experiment, image, config)


def arranged(config: Config | None, keywords: Mapping[str, Any]) -> tuple[Config, Arrays]:
    """The configuration, and the arrays, of what simulate() was given. Raises InputError."""
    if config is not None and not isinstance(config, Config):
        raise InputError(f"expected a Config and keywords, got {type(config).__name__}; see Config.from_argv")
    settable, arrays = told_apart(keywords)
    if config is None:
        return Config.from_keywords(**settable), Arrays(**arrays)
    return replace(config, **settings(settable)), Arrays(**arrays)


def told_apart(keywords: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keywords for the configuration, and fields of Arrays, of keywords that may be either. Raises InputError."""
    settable: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    for name, value in keywords.items():
        if name in ARRAY_KEYWORDS and not isinstance(value, (str, os.PathLike)):
            if value is not None:
                read, field = ARRAY_KEYWORDS[name]
                arrays[field] = read(value)
        else:
            settable[FILE_KEYWORDS.get(name, name)] = value
    return settable, arrays


def warn_of_defects(
    experiment: Experiment, config: Config, left_grid: bool = False, but: Set[str] = frozenset(), stacklevel: int = 3
) -> Set[str]:
    """Warn of known defects of the C program that change an image, unless they are accepted; their names.

    left_grid: whether interpolation left the reflection list in it. but: those that need no warning. stacklevel: whose
    line the warning is for.
    """
    if config.defects_accepted:
        return frozenset()
    found = [defect for defect in defects_of(experiment, config.fixes, left_grid) if defect.name not in but]
    if text := warning(found, "fix='{}'", "docs/differences.md explains"):
        warnings.warn(text, DefectWarning, stacklevel)
    return frozenset(defect.name for defect in worth_a_warning(found))
