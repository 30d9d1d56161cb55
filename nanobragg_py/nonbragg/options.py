"""nonBragg's command line: what was said, frozen, and the scan that finds it out.

The C program finds an option wherever its name occurs inside a word that starts with '-' (some names must be the whole
word), looks at every word, also at one that was another option's value, and takes the last of two that set the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..base.c_numbers import leading_real, to_int32
from ..base.errors import InputError, shown
from ..base.vectors import Vector
from ..options.own_words import note_ignored, read_threads, reader_of_fixes, take_own
from ..options.scan import apply_row
from ..options.table import Option
from .fixes import NO_CORRECTIONS, Corrections
from .table import GROUPS, OPTIONS, OWN

HELP_NAMES = ("-h", "--help", "-help")
VERSION_NAMES = ("--version", "-version")


@dataclass(frozen=True)
class Settings:
    """What was said: metres, radians; None for what was not, where a header or another option may say it."""

    stol_file: str | None = None
    stol_option: str = "-stol"
    image_file: str | None = None
    ignored_values: tuple[int, ...] = ()
    stolout_file: str = "output.stol"
    gain: float = 1.0
    sample_x_m: float = 1e-4
    sample_y_m: float = 1e-4
    sample_z_m: float = 1e-4
    density_g_per_m3: float = 1.0e6
    molecules: float = 0.0
    molecular_weight: float = 18.0
    Xbeam_m: float | None = None
    Ybeam_m: float | None = None
    Xclose_m: float | None = None
    Yclose_m: float | None = None
    ORGX: float | None = None
    ORGY: float | None = None
    pivot: str = "beam"
    pivot_named: str | None = None
    fdet_vector: Vector = (0.0, 0.0, 1.0)
    sdet_vector: Vector = (0.0, -1.0, 0.0)
    odet_vector: Vector | None = None
    beam_vector: Vector = (1.0, 0.0, 0.0)
    polar_vector: Vector = (0.0, 0.0, 1.0)
    spindle_axis: Vector | None = None
    twotheta_axis: Vector = (0.0, 1.0, 0.0)
    pix0_vector: Vector | None = None
    distance_m: float | None = None
    close_distance_m: float | None = None
    source_distance_m: float = 10.0
    twotheta: float = 0.0
    rotx: float = 0.0
    roty: float = 0.0
    rotz: float = 0.0
    detsize_fast_m: float | None = None
    detsize_slow_m: float | None = None
    fpixels: int | None = None
    spixels: int | None = None
    pixel_size_m: float | None = None
    curved: bool = False
    point_pixel: bool = False
    Fmap: bool = False
    polarization: float = 0.0
    nopolar: bool = False
    oversample: int = 1
    roi_fast_first: int = -1
    roi_fast_last: int = -1
    roi_slow_first: int = -1
    roi_slow_last: int = -1
    wavelength_m: float | None = None
    # One photon a steradian from one electron.
    fluence_per_m2: float = 125932015286227086360700780544.0
    flux_per_s: float = 0.0
    exposure_s: float = 1.0
    beamsize_m: float = 1e-4
    dispersion: float = 0.0
    dispersion_steps: int | None = None
    hdiv_range: float | None = None
    hdiv_step: float | None = None
    hdiv_steps: int | None = None
    vdiv_range: float | None = None
    vdiv_step: float | None = None
    vdiv_steps: int | None = None
    round_divergence: bool = True
    source_file: str | None = None
    offset_counts: float = 40.0
    phi: float | None = None
    osc: float | None = None
    phi_step: float | None = None
    phi_steps: int | None = None
    float_file: str = "floatimage.bin"
    int_file: str = "intimage.img"
    pgm_file: str = "image.pgm"
    noise_file: str = "noiseimage.img"
    noise: bool = True
    write_pgm: bool = True
    int_scale: float = 0.0
    pgm_scale: float = 0.0
    printout: bool = False
    printout_pixel: tuple[int, int] | None = None
    progress: bool = True
    # None is the clock's.
    seed: int | None = None
    fixes: Corrections = NO_CORRECTIONS
    threads: int | None = None


def scan(argv: Sequence[str]) -> tuple[Settings, list[str]]:
    """What a command line (without the program's name) says, and warnings. Raises InputError."""
    said, words = take_own(argv, OWN, _READERS)
    warnings: list[str] = []
    values_at: set[int] = set()
    for at, word in enumerate(words):
        rows = [row for row in OPTIONS if row.matches(word)] if word.startswith("-") else []
        for row in rows:
            there = len(words) - at - 1
            if there < row.values:
                wanted = f"{row.values} values" if row.values > 1 else "a value"
                if row is rows[-1] or row.values == 1:
                    raise InputError(f"option {word} needs {wanted}, but the line ends")
                continue
            if row.kind == "follower":
                if there:
                    said.update(row.also)
                else:
                    warnings.append(f"{word} as the last word is ignored (as in the C program)")
                continue
            values_at.update(range(at + 1, at + 1 + row.values))
            _apply(row, words[at:], said, warnings)
        if rows and not any(word in (*row.names, *row.aliases) for row in rows):
            names = " and ".join(next(name for name in row.names if name in word) for row in rows)
            warnings.append(f"{word} is read as {names} (as in the C program)")
    warnings += _ignored(words, values_at)
    return Settings(**said), warnings


def _apply(row: Option, words: list[str], said: dict[str, Any], warnings: list[str]) -> None:
    if row.kind != "ignored":
        apply_row(row, words[0], words, said, warnings)
        return
    value, length = leading_real(words[1])
    if not length:
        raise InputError(f"option {words[0]}: expected a number, got '{shown(words[1])}'")
    said["ignored_values"] = (*said.get("ignored_values", ()), to_int32(value) % 65536)


_READERS = {"--fix": reader_of_fixes(NO_CORRECTIONS), "--threads": read_threads}


def _ignored(words: list[str], values_at: set[int]) -> list[str]:
    """Warnings of words that are no option and no value. Raises InputError for one that can only be one of ours."""
    known = [*(name for row in OPTIONS for name in row.spellings), *OWN, *HELP_NAMES, *VERSION_NAMES]

    def means(at: int) -> bool:
        word = words[at]
        return at in values_at or (word.startswith("-") and any(row.matches(word) for row in OPTIONS))

    return note_ignored(words, means, known, "nonBragg")


def help_text() -> str:
    """All options, from the table."""
    lines = ["usage: nonBragg -stol FILE [options]", "", "Scattering of an amorphous material into a detector."]
    for group in GROUPS:
        lines += ["", f"{group}:"]
        for row in OPTIONS:
            if row.group == group:
                lines += [f"  {', '.join(row.spellings)} {_metavar(row)}".rstrip(), f"        {row.help}"]
    lines += ["", "Beyond the C program:"]
    for name, about in OWN.items():
        metavar, text = about.split("  ")
        lines += [f"  {name} {metavar}", f"        {text}"]
    lines += ["  -h, --help", "        this text", "  --version", "        the version"]
    return "\n".join(lines)


def _metavar(row: Option) -> str:
    if row.kind in ("flag", "follower"):
        return ""
    if row.kind == "text":
        return "FILE"
    if row.kind in ("real", "ignored"):
        return row.unit or "X"
    return {"vector": "X Y Z", "pair": "FAST SLOW", "pivot": "beam|sample"}.get(row.kind, "N")
