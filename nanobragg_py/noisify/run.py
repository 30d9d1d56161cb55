"""A run of noisify: the order of its stages."""

from __future__ import annotations

import time

import numpy as np

from ..base.c_numbers import c_format
from ..base.errors import InputError
from ..base.files import check_writable, file_is_there, read_bytes
from ..model.beam import R_E_SQR_M2
from ..rendering.renderer import default_threads
from . import chain, log
from .geometry import Geometry, read_geometry, smv_header
from .images import add_image, image_from, write_pgm, write_smv
from .options import Settings


def run(s: Settings, say: chain.Say) -> None:
    """Make a detector's image; `say` writes to standard output. Raises InputError."""
    for word in s.unknown_spreads:
        say(log.unknown_spread(word))
    say(log.BANNER)
    if s.float_file is None or not file_is_there(s.float_file):
        say(log.usage())
        where = "" if s.float_file is None else f"{s.float_file}: "
        raise InputError(f"{where}no float image: expected -floatfile FILE")
    _check_outputs(s)
    content = read_bytes(s.float_file, "-floatfile", may_be_empty=True)
    g = read_geometry(s, len(content), say)
    say(f"importing {g.pixels} pixel intensites: {s.float_file}\n")
    image = image_from(content, s.float_file, g)
    for path in s.added_files:
        add_image(image, path)
    stream = -int(time.time()) if s.seed is None else s.seed
    say(log.summary(s, g, stream))
    photons = _photons(image, s, say)
    if not s.noise:
        photons = _spread(photons, s, g, say)
    generator = chain.Generator(stream, s.calibration_seed)
    _write_without_noise(photons, s, g, generator, say)
    if s.noise:
        _write_with_noise(photons, s, g, generator, say)


def _check_outputs(s: Settings) -> None:
    """Find out before the work, not after it, that a file cannot be written. Raises InputError."""
    check_writable(s.int_file, "-intfile")
    if s.write_pgm:
        check_writable(s.pgm_file, "-pgmfile")
    if s.noise:
        check_writable(s.noise_file, "-noisefile")


def _photons(image: np.ndarray, s: Settings, say: chain.Say) -> np.ndarray:
    """Photons per pixel, float32, of the float image's values."""
    for value in image[image < 0.0].tolist():
        say(c_format("WARNING: negative intensity in %s: %g\n", s.float_file, value))
    largest = float(np.fmax.reduce(image, axis=None, initial=np.float32(0.0)))
    on_scale = largest * s.scale * s.fluence_per_m2 * R_E_SQR_M2
    say(c_format("maximum value in input file: %g ( %g on photon scale)\n", largest, on_scale))
    factor = (s.fluence_per_m2 * R_E_SQR_M2) * s.scale
    with np.errstate(all="ignore"):
        return (factor * image.astype(np.float64)).astype(np.float32)


def _spread(photons: np.ndarray, s: Settings, g: Geometry, say: chain.Say, total: float | None = None) -> np.ndarray:
    """The image after the point spread, if there is one; total: photons on the noise image before it."""
    if not s.spread or not g.spread_fwhm_m > 0.0:
        return photons
    if g.pixel_size_m == 0.0:
        raise InputError("-psf needs a pixel size above 0 (-pixel)")
    fwhm = g.spread_fwhm_m / g.pixel_size_m
    if total is None:
        say(c_format("  applying PSF to noiseless image width = %g pixels\n", fwhm))
    else:
        say(c_format("%.0f photons on noise image before PSF\n", total))
        say(c_format("  applying PSF width = %g um\n", g.spread_fwhm_m * 1e6))
    return chain.spread(photons, s.spread, fwhm, s.spread_radius, s.threads or default_threads(), say)


def _write_without_noise(
    photons: np.ndarray, s: Settings, g: Geometry, generator: chain.Generator, say: chain.Say
) -> None:
    counts = chain.read_out(photons, s.gain, s.offset_counts, 0.0, chain.MOST_16, generator)
    say(log.writing(s.int_file, s.bits, g.pixels))
    write_smv(s.int_file, "-intfile", smv_header(s, g), counts.of_bits(s.bits))
    if s.write_pgm:
        say(f"writing {s.pgm_file} as 1-byte integers\n")
        write_pgm(s.pgm_file, counts.words)


def _write_with_noise(
    photons: np.ndarray, s: Settings, g: Geometry, generator: chain.Generator, say: chain.Say
) -> None:
    total = chain.draw_photons(photons, s.flicker, s.calibration, generator)
    photons = _spread(photons, s, g, say, total)
    counts = chain.read_out(photons, s.gain, s.offset_counts, s.readout_counts, chain.MOST_32, generator)
    overloads = counts.overloads.get(s.bits, 0)
    say(c_format("%.0f photons on noise image (%d overloads)\n", counts.photons, overloads))
    say(log.writing(s.noise_file, s.bits))
    write_smv(s.noise_file, "-noisefile", smv_header(s, g), counts.of_bits(s.bits))
