"""A run of noisify: the order of its stages."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from ..base.c_numbers import c_format
from ..base.errors import InputError, warn
from ..base.files import check_writable, file_is_there, read_bytes, written_directly
from ..model.beam import R_E_SQR_M2
from ..options import corrections
from ..rendering.renderer import default_threads
from . import chain, log
from .background import in_background
from .fixes import CORRECTIONS
from .geometry import Geometry, read_geometry, smv_header
from .images import add_image, image_from, write_pgm, write_smv
from .options import Settings
from .spread import Say, Spreader, largest_of

# From here on files are written while other threads go on.
MANY_PIXELS = 2**18


def run(s: Settings, say: Say) -> None:
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
    # What the image has of the C program's known defects: a text for each, by its field of Corrections.
    defects: dict[str, str] = {}
    if not s.noise:
        photons = _spread(photons, s, g, defects, say)
    generator = chain.Generator(stream, s.calibration_seed, s.fixes.calibration)
    written = _write_without_noise(photons, s, g, generator, defects, say)
    if s.noise:
        try:
            counts = _with_noise(photons, s, g, generator, defects, say)
        finally:
            written()
        _write_with_noise(counts, s, g, say)
    else:
        written()
    if text := corrections.warning(CORRECTIONS, defects, s.fixes):
        warn(text)


def _check_outputs(s: Settings) -> None:
    """Find out before the work, not after it, that a file cannot be written. Raises InputError."""
    check_writable(s.int_file, "-intfile")
    if s.write_pgm:
        check_writable(s.pgm_file, "-pgmfile")
    if s.noise:
        check_writable(s.noise_file, "-noisefile")


def _photons(image: np.ndarray, s: Settings, say: Say) -> np.ndarray:
    """Photons per pixel, float32, of the float image's values."""
    for value in image[image < 0.0].tolist():
        say(c_format("WARNING: negative intensity in %s: %g\n", s.float_file, value))
    largest = largest_of(image)
    on_scale = largest * s.scale * s.fluence_per_m2 * R_E_SQR_M2
    say(c_format("maximum value in input file: %g ( %g on photon scale)\n", largest, on_scale))
    factor = (s.fluence_per_m2 * R_E_SQR_M2) * s.scale
    with np.errstate(all="ignore"):
        return (factor * image.astype(np.float64)).astype(np.float32)


def _spread(
    photons: np.ndarray, s: Settings, g: Geometry, defects: dict[str, str], say: Say, total: float | None = None
) -> np.ndarray:
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
    threads = s.threads or default_threads()
    spreader = Spreader(s.spread, fwhm, s.spread_radius, threads, s.spread_method, wraps=not s.fixes.psf_edge)
    image, wrapped = spreader.apply(photons, say)
    if wrapped > 0.0:
        defects["psf_edge"] = f"{wrapped:.3g} photons spread to the other edge"
    return image


def _converter(s: Settings) -> chain.Converter:
    return chain.Converter(s.gain, s.offset_counts, s.fixes.rounding, s.fixes.underflow)


def _write_without_noise(
    photons: np.ndarray, s: Settings, g: Geometry, generator: chain.Generator, defects: dict[str, str], say: Say
) -> Callable[[], None]:
    """Write the image without noise, and the PGM; returns what waits for that, and may raise InputError."""
    whole = s.fixes.int32 and s.bits == 32
    counts = chain.read_out(photons, _converter(s), 0.0, chain.MOST_32 if whole else chain.MOST_16, generator)
    if s.bits == 32 and not whole and counts.overloads[32]:
        defects["int32"] = f"{_pixels(counts.overloads[32])} of {s.int_file} cut off at 65535"
    _note_integers(counts, s.int_file, defects)
    say(log.writing(s.int_file, s.bits, g.pixels))
    if s.write_pgm:
        say(f"writing {s.pgm_file} as 1-byte integers\n")

    def write() -> None:
        write_smv(s.int_file, "-intfile", smv_header(s, g), counts.of_bits(s.bits))
        if s.write_pgm:
            write_pgm(s.pgm_file, counts.words)

    # Where a path is a terminal, or a pipe that standard output goes into, too, the order of writing counts.
    alone = any(map(written_directly, (s.int_file, s.pgm_file)))
    if alone or g.pixels < MANY_PIXELS or (s.threads or default_threads()) == 1:
        write()
        return lambda: None
    return in_background(write)


def _with_noise(
    photons: np.ndarray, s: Settings, g: Geometry, generator: chain.Generator, defects: dict[str, str], say: Say
) -> chain.Counts:
    if s.calibration > 0.0 and not s.fixes.calibration:
        defects["calibration"] = "another map with each -seed"
    total = chain.draw_photons(photons, s.flicker, s.calibration, generator)
    photons = _spread(photons, s, g, defects, say, total)
    counts = chain.read_out(photons, _converter(s), s.readout_counts, chain.MOST_32, generator)
    _note_integers(counts, s.noise_file, defects)
    return counts


def _write_with_noise(counts: chain.Counts, s: Settings, g: Geometry, say: Say) -> None:
    overloads = counts.overloads.get(s.bits, 0)
    say(c_format("%.0f photons on noise image (%d overloads)\n", counts.photons, overloads))
    say(log.writing(s.noise_file, s.bits))
    write_smv(s.noise_file, "-noisefile", smv_header(s, g), counts.of_bits(s.bits))


def _note_integers(counts: chain.Counts, path: str, defects: dict[str, str]) -> None:
    """Add what has become of counts that are no integers, or below 0."""
    for name, pixels, fate in (
        ("underflow", counts.wrapped, "wrapped"),
        ("rounding", counts.not_nearest, "one count too near to 0"),
    ):
        if pixels:
            before = f"{defects[name]}, " if name in defects else ""
            defects[name] = f"{before}{_pixels(pixels)} of {path} {fate}"


def _pixels(count: int) -> str:
    return f"{count} pixel{'s' if count != 1 else ''}"
