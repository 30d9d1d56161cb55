"""The Python API: simulate() renders an image from keyword arguments, arrays and files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .base.errors import InputError
from .options.config import Config
from .options.keywords import settings
from .rendering.renderer import Renderer
from .resolve.arrays import Arrays, mask_of, matrix_of, reflections_of, sources_of
from .resolve.stages import resolve
from .result import Result

# Keywords that take an array in place of a file's name, with what reads it and the field of Arrays that gets it.
ARRAY_KEYWORDS = {
    "hkl": (reflections_of, "reflections"),
    "mask": (mask_of, "mask"),
    "sources": (sources_of, "sources"),
    "matrix": (matrix_of, "matrix"),
}


FILE_KEYWORDS = {"sources": "sourcefile"}


def simulate(config: Config | None = None, /, **keywords: Any) -> Result:
    """Render one diffraction image; the pixels are those of the command line, bit for bit.

    config: what the keywords are added to (Config.from_argv makes one of a command line); or keywords alone.
    keywords: the command line's options in its units, which the names end with: cell=(42, 42, 89, 90, 90, 90) [Å, °],
    misset=(20, 35, 50) [°], wavelength_A, energy_eV, distance_mm, pixel_mm, detpixels=(fast, slow), N=(5, 5, 5),
    mosaic_deg, mosaic_domains, phi_deg, osc_deg, phisteps, fluence [photons/m²], water_um, oversample, convention,
    Xbeam_mm, shape, seed, threads, ...; nanobragg_py.keywords.keywords() has them all. They act in the order given.
    hkl: a file, an array (n, 4) of h k l F, or a pair of arrays (n, 3), (n,); F in electrons.
    mask: a file or an array (slow, fast), 0 = skip. sources: a file or an array (n, 5) of x y z [m], weight,
    wavelength [m]. matrix: a file or an array (3, 3) with columns a*, b*, c* [1/Å] times the wavelength [Å].

    photons = r_e² fluence / steps · solid angle · polarization · capture · Σ |F_cell F_latt|² + background.

    Nothing is printed on standard output and no file is written. Raises InputError, a ValueError's kind of mistake.

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
    return Result(experiment, Renderer(experiment, config.threads).render(), config)


def arranged(config: Config | None, keywords: Mapping[str, Any]) -> tuple[Config, Arrays]:
    """The configuration, and the arrays, of what simulate() was given. Raises InputError."""
    if config is not None and not isinstance(config, Config):
        raise InputError(f"expected a Config and keywords, got {type(config).__name__}; see Config.from_argv")
    settable: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    for name, value in keywords.items():
        if name in ARRAY_KEYWORDS and not isinstance(value, (str, os.PathLike)):
            if value is not None:
                read, field = ARRAY_KEYWORDS[name]
                arrays[field] = read(value)
        else:
            settable[FILE_KEYWORDS.get(name, name)] = value
    if config is None:
        return Config.from_keywords(**settable), Arrays(**arrays)
    return replace(config, **settings(settable)), Arrays(**arrays)
