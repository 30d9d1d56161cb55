"""noisify's options: a table, the scan of a command line by it, and what was said, frozen.

The C program finds an option wherever its name occurs inside a word that starts with '-' (some names must be the whole
word), looks at every word, also at one that was another option's value, and takes the last of two that set the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..base.c_numbers import leading_integer, leading_real, to_int32, wrap32
from ..base.errors import InputError, shown
from ..options.own_words import Said, note_ignored, read_threads, reader_of_fixes, take_own
from .fixes import NO_CORRECTIONS, Corrections

# A word that holds this names the float image.
FLOAT_NAME = "floatimage.bin"
HELP_NAMES = ("-h", "--help", "-help")
VERSION_NAMES = ("--version", "-version")


@dataclass(frozen=True)
class Option:
    """One row: names, the fields of Settings that it sets, the kind of value, what is said about it."""

    names: tuple[str, ...]
    sets: tuple[str, ...]
    kind: str
    metavar: str
    about: str
    divisor: float = 1.0
    whole_word: bool = False

    def matches(self, word: str) -> bool:
        """Whether the C program takes a word for this option."""
        return any(word == name if self.whole_word else name in word for name in self.names)


def _real(names: str, sets: str, metavar: str, about: str, divisor: float = 1.0, whole: bool = False) -> Option:
    return Option(tuple(names.split()), tuple(sets.split()), "real", metavar, about, divisor, whole)


def _text(names: str, sets: str, about: str) -> Option:
    return Option(tuple(names.split()), (sets,), "text", "FILE", about)


OPTIONS = (
    _text("-floatfile -floatimage -bin", "float_file", "photons per pixel: float32 numbers, row after row"),
    _text("-header", "header_file", "SMV image that gives the header and the geometry"),
    _text("-intfile -intimage", "int_file", "SMV image without noise (intimage.img)"),
    _text("-pgmfile -pgmimage", "pgm_file", "PGM image without noise (image.pgm)"),
    _text("-noisefile -noiseimage", "noise_file", "SMV image with noise (noiseimage.img)"),
    Option(("-bits",), ("bits",), "integer", "N", "16 or 32 bits a pixel (16)"),
    Option(("-nonoise",), ("noise",), "off", "", "no noise"),
    Option(("-nopgm",), ("write_pgm",), "off", "", "no PGM image"),
    _real("-scale", "scale", "X", "factor on all photons (1)"),
    _real("-fluence", "fluence_per_m2", "PHOTONS/M2", "fluence, photons/m²: the float image is in units of r_e²"),
    _real("-flicker", "flicker", "X", "relative rms change of the whole beam, drawn for each pixel (0)"),
    _real("-calibration", "calibration", "X", "relative rms error of each pixel's calibration (0.03)"),
    _real("-readout -readnoi -readout_noise -readnoise", "readout_counts", "COUNTS", "rms readout noise (0)"),
    _real("-gain", "gain", "COUNTS", "counts a photon (1)"),
    _real("-adc", "offset_counts", "COUNTS", "offset added to each pixel (40)"),
    Option(("-psf",), ("spread",), "spread", "gauss|fiber", "point spread function", whole_word=True),
    _real(
        "-psf_si -psf_fw -psf_wi -psf_size -psf_fwhm -psf_width",
        "spread_fwhm_m",
        "UM",
        "its full width at half maximum, µm (46)",
        1e6,
    ),
    Option(("-psf_rad", "-psf_radius"), ("spread_radius",), "cut", "PIXELS", "radius to draw it in (0: automatic)"),
    Option(("-seed",), ("seed",), "seed", "N", "seed of all noise but the calibration (the time)"),
    Option(("-calib_seed",), ("calibration_seed",), "seed", "N", "seed of the calibration error"),
    Option(("-badpix_seed",), ("badpix_seed",), "seed", "N", "no effect"),
    Option(("-hotpix_seed",), ("hotpix_seed",), "seed", "N", "no effect"),
    Option(("-detpixels",), ("fpixels", "spixels"), "integer", "N", "pixels along both edges", whole_word=True),
    Option(("-detpixels_x",), ("fpixels",), "integer", "N", "pixels along the fast edge"),
    Option(("-detpixels_y",), ("spixels",), "integer", "N", "pixels along the slow edge"),
    _real("-detsize", "detsize_fast_m detsize_slow_m", "MM", "length of both edges, mm", 1000.0, True),
    _real("-detsize_x", "detsize_fast_m", "MM", "length of the fast edge, mm", 1000.0),
    _real("-detsize_y", "detsize_slow_m", "MM", "length of the slow edge, mm", 1000.0),
    _real("-pixel", "pixel_size_m", "MM", "pixel size, mm (0.1)", 1000.0),
    _real("-distance", "distance_m", "MM", "distance of the detector, mm (100)", 1000.0),
    _real("-Xbeam", "Xbeam_m", "MM", "beam centre, mm (the middle)", 1000.0),
    _real("-Ybeam", "Ybeam_m", "MM", "beam centre, mm (the middle)", 1000.0),
    _real("-lambda", "wavelength_A", "A", "wavelength, Å, for the header (1)"),
    _real("-phi", "phi_deg", "DEG", "spindle angle, degrees, for the header (0)"),
    _real("-osc", "osc_deg", "DEG", "oscillation range, degrees, for the header (1)"),
)
SPREAD_METHODS = ("exact", "fft")
# Options that the C program does not have.
OWN = {
    "--add": "FILE  float image of the same size to add first (repeatable)",
    "--fix": "NAME[,NAME...]  correct known defects of the C program (repeatable): all, none, names; list tells more",
    "--psf-method": "exact|fft  point spread with the C program's bytes (exact), or quick, by Fourier transforms",
    "--threads": "N  threads of the point spread (all cores); the image does not depend on it",
}


@dataclass(frozen=True)
class Settings:
    """What was said: lengths in metres, 0 pixels and None for what was not."""

    float_file: str | None = None
    header_file: str | None = None
    int_file: str = "intimage.img"
    pgm_file: str = "image.pgm"
    noise_file: str = "noiseimage.img"
    bits: int = 16
    noise: bool = True
    write_pgm: bool = True
    scale: float = 1.0
    # One photon a steradian from one electron.
    fluence_per_m2: float = 125932015286227086360700780544.0
    flicker: float = 0.0
    calibration: float = 0.03
    readout_counts: float = 0.0
    gain: float = 1.0
    offset_counts: float = 40.0
    spread: str = ""
    spread_fwhm_m: float = 46e-6
    spread_radius: int = 0
    # Where the streams begin; None is the clock's.
    seed: int | None = None
    calibration_seed: int = 123456789
    badpix_seed: int = 1234
    hotpix_seed: int = 5678
    fpixels: int = 0
    spixels: int = 0
    detsize_fast_m: float = 102.4e-3
    detsize_slow_m: float = 102.4e-3
    pixel_size_m: float = 0.1e-3
    distance_m: float = 100.0e-3
    Xbeam_m: float | None = None
    Ybeam_m: float | None = None
    wavelength_A: float = 1.0
    phi_deg: float = 0.0
    osc_deg: float = 1.0
    added_files: tuple[str, ...] = ()
    threads: int | None = None
    fixes: Corrections = NO_CORRECTIONS
    spread_method: str = "exact"
    # Words after -psf that are no point spread function, which standard output tells of first.
    unknown_spreads: tuple[str, ...] = field(default=())


def scan(argv: Sequence[str]) -> tuple[Settings, list[str]]:
    """What a command line (without the program's name) says, and warnings. Raises InputError."""
    said, words = take_own(argv, OWN, _READERS)
    warnings: list[str] = []
    values_at: set[int] = set()
    for at, word in enumerate(words):
        if FLOAT_NAME in word:
            said["float_file"] = word
            continue
        if not word.startswith("-"):
            continue
        rows = [row for row in OPTIONS if row.matches(word)]
        for row in rows:
            if row.kind == "off":
                said[row.sets[0]] = False
                continue
            if at + 1 == len(words):
                raise InputError(f"option {word} needs a value ({row.metavar}), but the line ends")
            values_at.add(at + 1)
            _apply(row, word, words[at + 1], said, warnings)
        if rows and not any(word in row.names for row in rows):
            names = " and ".join(next(name for name in row.names if name in word) for row in rows)
            warnings.append(f"{word} is read as {names} (as in the C program)")
    warnings += _ignored(words, values_at)
    return Settings(**said), warnings


def _add_file(name: str, value: str, said: Said) -> None:
    said["added_files"] = (*said.get("added_files", ()), value)


def _read_spread_method(name: str, value: str, said: Said) -> None:
    if value not in SPREAD_METHODS:
        raise InputError(f"option {name}: expected {' or '.join(SPREAD_METHODS)}, got '{shown(value)}'")
    said["spread_method"] = value


_READERS = {
    "--add": _add_file,
    "--fix": reader_of_fixes(NO_CORRECTIONS),
    "--psf-method": _read_spread_method,
    "--threads": read_threads,
}


def _apply(row: Option, word: str, text: str, said: dict[str, Any], warnings: list[str]) -> None:
    value: Any
    if row.kind == "text":
        value = text
    elif row.kind == "spread":
        value = "fiber" if "fiber" in text else "gauss" if "gauss" in text else ""
        if not value:
            said["unknown_spreads"] = (*said.get("unknown_spreads", ()), text)
    else:
        value = _number(row, word, text, warnings)
    said.update(dict.fromkeys(row.sets, value))


def _number(row: Option, word: str, text: str, warnings: list[str]) -> Any:
    """The value of a numeric option. Raises InputError for what is no number, or no finite one."""
    whole = row.kind in ("integer", "seed")
    value, length = leading_integer(text) if whole else leading_real(text)
    real_length = leading_real(text)[1]
    if max(length, real_length) == 0:
        raise InputError(f"option {word}: expected a {'whole ' if whole else ''}number, got '{shown(text)}'")
    if length != len(text):
        warnings.append(f"{word} {shown(text)} is read as {value:g}")
    if not math.isfinite(value):
        raise InputError(f"option {word}: expected a finite number, got '{shown(text)}'")
    if row.kind == "seed":
        return wrap32(-int(value))
    if row.kind == "cut":
        return to_int32(value)
    return value if whole else value / row.divisor


def _ignored(words: list[str], values_at: set[int]) -> list[str]:
    """Warnings of words that are no option and no value. Raises InputError for one that can only be one of ours."""
    known = [*(name for row in OPTIONS for name in row.names), *OWN, *HELP_NAMES, *VERSION_NAMES]

    def means(at: int) -> bool:
        word = words[at]
        option = word.startswith("-") and any(row.matches(word) for row in OPTIONS)
        return at in values_at or FLOAT_NAME in word or option

    return note_ignored(words, means, known, "noisify")


def help_text() -> str:
    """All options, from the table."""
    lines = ["usage: noisify -floatfile FILE [options]", "", "Make a detector's image of photons per pixel.", ""]
    for row in OPTIONS:
        lines.append(f"  {', '.join(row.names)} {row.metavar}".rstrip())
        lines.append(f"        {row.about}")
    for name, about in OWN.items():
        metavar, text = about.split("  ")
        lines += [f"  {name} {metavar}", f"        {text}"]
    lines += ["  -h, --help", "        this text", "  --version", "        the version"]
    return "\n".join(lines)
