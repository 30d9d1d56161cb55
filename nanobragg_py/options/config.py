"""What the user said on the command line: frozen, in SI units, None where nothing was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from ..base.errors import InputError, shown
from ..base.records import by_value, record
from ..base.shapes import SQUARE
from ..base.vectors import Vector
from .fixes import NO_CORRECTIONS, Corrections
from .scan import fields_said
from .table import OPTIONS, OWN_OPTIONS, RESPONSE_FIELDS

if TYPE_CHECKING:
    from .amorphous import Amorphous


@by_value
@record
class Config:
    """One command line (angles in radians, lengths in metres, cell edges in Å, fluence in photons/m²)."""

    # crystal
    Na: int | None = None
    Nb: int | None = None
    Nc: int | None = None
    cell: tuple[float, ...] | None = None
    misset: Vector | None = None
    misset_random: bool = False
    misset_seed: int | None = None
    sample_x_m: float | None = None
    sample_y_m: float | None = None
    sample_z_m: float | None = None
    density_g_per_m3: float | None = None
    molecular_weight: float | None = None
    shape: str = SQUARE.name
    fudge: float = 1.0
    mosaic_spread: float | None = None
    mosaic_domains: int | None = None
    mosaic_seed: int | None = None
    # structure factors
    mat_file: str | None = None
    hkl_file: str | None = None
    dump_file: str = "Fdump.bin"
    default_F: float = 0.0
    interpolate: bool | None = None
    dmin_m: float = 0.0
    stol_file: str | None = None
    stolout_file: str | None = None
    # beam
    wavelength_m: float | None = None
    fluence_per_m2: float | None = None
    flux_per_s: float = 0.0
    exposure_s: float = 1.0
    beamsize_m: float = 1e-4
    polarization: float = 0.0
    nopolar: bool = False
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
    # detector
    image_file: str | None = None
    mask_file: str | None = None
    Xbeam_m: float | None = None
    Ybeam_m: float | None = None
    Xclose_m: float | None = None
    Yclose_m: float | None = None
    ORGX: float | None = None
    ORGY: float | None = None
    pivot: str | None = None
    pivot_named: str | None = None
    convention: str = "mosflm"
    fdet_vector: Vector | None = None
    sdet_vector: Vector | None = None
    odet_vector: Vector | None = None
    beam_vector: Vector | None = None
    polar_vector: Vector | None = None
    spindle_axis: Vector | None = None
    twotheta_axis: Vector | None = None
    pix0_vector: Vector | None = None
    distance_m: float | None = None
    close_distance_m: float | None = None
    twotheta: float = 0.0
    detector_rotx: float = 0.0
    detector_roty: float = 0.0
    detector_rotz: float = 0.0
    detsize_fast_m: float | None = None
    detsize_slow_m: float | None = None
    detpixels_fast: int | None = None
    detpixels_slow: int | None = None
    pixel_size_m: float | None = None
    curved_detector: bool = False
    point_pixel: bool = False
    attenuation_per_m: float | None = None
    thickness_m: float | None = None
    thickness_steps: int | None = None
    # sampling
    oversample: int | None = None
    oversample_thick: bool = False
    oversample_polar: bool = False
    oversample_omega: bool = False
    roi_fast_first: int | None = None
    roi_fast_last: int | None = None
    roi_slow_first: int | None = None
    roi_slow_last: int | None = None
    phi: float | None = None
    osc: float | None = None
    phi_step: float | None = None
    phi_steps: int | None = None
    # output
    float_file: str = "floatimage.bin"
    int_file: str = "intimage.img"
    pgm_file: str = "image.pgm"
    noise_file: str = "noiseimage.img"
    write_pgm: bool = True
    write_noise: bool = True
    scale: float = 0.0
    pgm_scale: float = 0.0
    adc_offset: float = 40.0
    seed: int | None = None
    water_m: float = 0.0
    coherent: bool = False
    printout: bool = False
    printout_pixel: tuple[int, int] | None = None
    progress: bool = True
    # background and detector: see options/amorphous.py and model/response.py
    background: tuple[Amorphous, ...] = ()
    detector: str | None = None
    psf: str | None = None
    psf_fwhm_um: float | None = None
    psf_radius: int | None = None
    gain: float | None = None
    offset: float | None = None
    readout_noise: float | None = None
    calibration: float | None = None
    calibration_seed: int | None = None
    flicker: float | None = None
    saturation: int | None = None
    bits: int | None = None
    # ours
    sf_column: str | None = None
    sf_resolution_A: float | None = None
    sf_symmetry: str | None = None
    mask_keeps: str | None = None
    threads: int | None = None
    preview: str | None = None
    show_rings: str | None = None
    save: tuple[str, ...] = ()
    save_orientation: str | None = None
    save_noise: tuple[str, ...] = ()
    frames: int | None = None
    frame_width_deg: float | None = None
    orientations_file: str | None = None
    resume: bool = False
    compression: str | None = None
    ground_truth: str | None = None
    inputs_folder: str | None = None
    trace_pixels: tuple[tuple[int, int], ...] = ()
    trace_prefix: str = "TRACE_PY"
    trace_only: bool = False
    fixes: Corrections = NO_CORRECTIONS
    defects_accepted: bool = False
    quiet: bool = False
    verbose: bool = False

    @property
    def has_detector(self) -> bool:
        """Whether a detector with noise of its own is asked for; else the noise is the C program's."""
        return any(getattr(self, name) is not None for name in RESPONSE_FIELDS)

    @classmethod
    def from_argv(cls, words: str | Sequence[str]) -> Config:
        """Config of a command line's words, without the program's name; or of one text, split as a shell would.

        What the program would warn of is a UserWarning here. Raises InputError for a missing or unreadable value, or a
        quotation mark without its fellow.
        """
        # Not at the top: the command has its words, and starts without these.
        import shlex
        import warnings

        if isinstance(words, str):
            text = words
            try:
                words = shlex.split(text)
            except ValueError as error:
                raise InputError(f"command line: {error}, in {shown(text)}") from error
        config, messages = scan([str(word) for word in words])
        for message in messages:
            warnings.warn(message, stacklevel=2)
        return config

    @classmethod
    def from_keywords(cls, **keywords: Any) -> Config:
        """Config of keyword arguments in the command line's units: distance_mm=100, cell=(42, 42, 89, 90, 90, 90).

        The binary dump of structure factors is neither read nor written unless it is named (dumpfile="Fdump.bin").
        Raises InputError for an unknown keyword, with the nearest one there is, and for an impossible value.
        """
        from .keywords import settings

        return cls(**{"dump_file": "", **settings(keywords)})


def scan(argv: Sequence[str]) -> tuple[Config, list[str]]:
    """Config of a command line (without the program's name), and warnings about what was ignored.

    Raises InputError for a missing or unreadable value.
    """
    said, warnings = fields_said(argv)
    return Config(**said), warnings


_SET = {name for row in OPTIONS for name in (*row.sets, *row.also)} | {
    option.sets for option in OWN_OPTIONS if option.kind != "of_background"
}
if unknown := _SET - {field.name for field in fields(Config)}:
    raise AssertionError(f"the option table names fields that Config does not have: {sorted(unknown)}")
