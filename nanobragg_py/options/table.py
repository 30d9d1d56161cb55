"""The flag table: one row for each option, as data.

The table stands in the order in which the C program looks through it; that order is visible where one option's side
effect meets another's. How a command line is matched against it: options.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import field
from typing import Any

from ..base.records import record
from ..base.shapes import SHAPES
from ..base.vectors import RADIAN_IN_DEGREES

CONVENTIONS = ("custom", "adxv", "mosflm", "xds", "dials", "denzo")
# From the unit on the command line to the unit in Config; the operations are the C program's.
UNITS: dict[str, Callable[[float], float]] = {
    "": lambda v: v,
    "mm": lambda v: v / 1000.0,
    "m": lambda v: v,
    "px": lambda v: v,
    "deg": lambda v: v / RADIAN_IN_DEGREES,
    "mrad": lambda v: v / 1000.0,
    "percent": lambda v: v / 100.0,
    "µm": lambda v: v * 1e-6,
    "µm of water": lambda v: v / 1e6,
    "Å": lambda v: v / 1.0e10,
    "Å resolution": lambda v: v * 1e-10,
    "eV": lambda v: (12398.42 / v) / 1.0e10 if v != 0.0 else math.inf,
    "g/cm³": lambda v: v * 1e6,
    "electrons": lambda v: v,
    "photons/m²": lambda v: v,
    "photons/s": lambda v: v,
    "s": lambda v: v,
    "g/mol": lambda v: v,
    "counts": lambda v: v,
}


@record
class Option:
    """One row of the flag table.

    names: what to look for in a word; whole: it must be the entire word; kind: real, integer, seed, text, flag,
    vector, or the name of a reader of its own; sets: fields of Config that get the value (one value for all, or
    one each); also: fields that get a constant; last_look: no further row is tried on the word.
    """

    names: tuple[str, ...]
    sets: tuple[str, ...]
    kind: str
    help: str
    group: str
    unit: str = ""
    values: int = 1
    whole: bool = False
    also: dict[str, Any] = field(default_factory=dict)
    last_look: bool = False
    default: str = ""
    aliases: tuple[str, ...] = ()
    unused: bool = False

    def matches(self, word: str) -> bool:
        """Whether the C program would take `word` for this option."""
        if self.whole:
            return word in self.names
        return any(name in word for name in self.names)

    @property
    def spellings(self) -> list[str]:
        """Whole names, without those that are only the beginning of a word (-wave, -detector_abs)."""
        names = list(dict.fromkeys((*self.names, *self.aliases)))

        def cut_short(name: str) -> bool:
            longer = [other[len(name) :] for other in (*names, "-height") if other.startswith(name)]
            return self.kind != "text" and any(rest[:1].isalpha() for rest in longer)

        return [name for name in names if not cut_short(name)]


CRYSTAL, FACTORS, BEAM, CAMERA, SAMPLING, OUTPUT = (
    "Crystal",
    "Structure factors",
    "Beam",
    "Detector",
    "Sampling",
    "Output and run",
)


GROUPS = (CRYSTAL, FACTORS, BEAM, CAMERA, SAMPLING, OUTPUT)
SAMPLE = {"pivot": "sample"}
AT_BEAM = {"pivot": "beam"}
CUSTOM = {"convention": "custom"}


def _o(names: str, sets: str, kind: str, group: str, text: str, **more: Any) -> Option:
    return Option(tuple(names.split()), tuple(sets.split()), kind, text, group, **more)


OPTIONS: tuple[Option, ...] = (
    _o("-img", "image_file", "text", CAMERA,
       "take detector, distance, wavelength, beam centre, angles from this image's header: SMV, CBF, EDF, NXmx, ..."),
    _o("-mask", "mask_file", "text", CAMERA,
       "skip pixels that are 0 in this image, or masked in its format: SMV, CBF, NPY, NXmx, Fit2D, ...; its header "
       "counts too"),
    _o("-Na", "Na", "integer", CRYSTAL, "unit cells along a", last_look=True, default="1"),
    _o("-Nb", "Nb", "integer", CRYSTAL, "unit cells along b", last_look=True, default="1"),
    _o("-Nc", "Nc", "integer", CRYSTAL, "unit cells along c", last_look=True, default="1"),
    _o("-N", "Na Nb Nc", "integer", CRYSTAL, "unit cells along a, b and c", whole=True, last_look=True, default="1"),
    _o("-cell", "cell", "cell", CRYSTAL, "unit cell, instead of -mat: a b c alpha beta gamma; one to six numbers",
       unit="Å and deg", aliases=("-unit_cell",)),
    _o("-misset", "misset", "misset", CRYSTAL, "turn the crystal about x, y, z; or the word 'random'", unit="deg",
       values=3),
    _o("-samplesize -sample_size", "sample_x_m sample_y_m sample_z_m", "real", CRYSTAL, "full width of the crystal",
       unit="mm"),
    _o("-sample_thick -sample_x", "sample_x_m", "real", CRYSTAL, "size along a", unit="mm",
       aliases=("-sample_thickness",)),
    _o("-sample_width -sample_y -width", "sample_y_m", "real", CRYSTAL, "size along b", unit="mm"),
    _o("-sample_heigh -sample_z -heigh", "sample_z_m", "real", CRYSTAL, "size along c", unit="mm",
       aliases=("-sample_height", "-height")),
    _o("-xtalsize -xtal_size", "sample_x_m sample_y_m sample_z_m", "real", CRYSTAL,
       "full width of the crystal, instead of -N", unit="mm"),
    _o("-xtal_thick -xtal_x", "sample_x_m", "real", CRYSTAL, "size along a", unit="mm", aliases=("-xtal_thickness",)),
    _o("-xtal_width -xtal_y -width", "sample_y_m", "real", CRYSTAL, "size along b", unit="mm"),
    _o("-xtal_heigh -xtal_z -heigh", "sample_z_m", "real", CRYSTAL, "size along c", unit="mm",
       aliases=("-xtal_height",)),
    _o("-density -sample_den", "density_g_per_m3", "real", CRYSTAL, "read, and not used", unit="g/cm³", unused=True,
       aliases=("-sample_density",)),
    _o("-MW", "molecular_weight", "real", CRYSTAL, "read, and not used", unit="g/mol", whole=True, unused=True),
    _o("-molec", "molecular_weight", "real", CRYSTAL, "read, and not used", unit="g/mol", unused=True,
       aliases=("-molecular_weight",)),
    _o("-Xbeam", "Xbeam_m", "real", CAMERA, "direct beam, X of the convention", unit="mm", also=AT_BEAM,
       default="centre"),
    _o("-Ybeam", "Ybeam_m", "real", CAMERA, "direct beam, Y of the convention", unit="mm", also=AT_BEAM,
       default="centre"),
    _o("-Xclose", "Xclose_m", "real", CAMERA, "point nearest to the sample, X", unit="mm", also=SAMPLE),
    _o("-Yclose", "Yclose_m", "real", CAMERA, "point nearest to the sample, Y", unit="mm", also=SAMPLE),
    _o("-ORGX", "ORGX", "real", CAMERA, "XDS origin, fast", unit="px", also=SAMPLE),
    _o("-ORGY", "ORGY", "real", CAMERA, "XDS origin, slow", unit="px", also=SAMPLE),
    _o("-pivot", "pivot", "pivot", CAMERA, "turn the detector about 'beam' or 'sample'; only custom axes heed it"),
    _o("-mosflm", "", "flag", CAMERA, "MOSFLM's axes and beam centre (the default)", values=0,
       also={"convention": "mosflm", **AT_BEAM}),
    _o("-xds", "", "flag", CAMERA, "XDS's axes and origin", values=0, also={"convention": "xds", **SAMPLE}),
    _o("-adxv", "", "flag", CAMERA, "ADXV's axes and beam centre", values=0, also={"convention": "adxv", **AT_BEAM}),
    _o("-denzo", "", "flag", CAMERA, "DENZO's axes and beam centre", values=0,
       also={"convention": "denzo", **AT_BEAM}),
    _o("-dials", "", "flag", CAMERA, "DIALS's axes and beam centre", values=0,
       also={"convention": "dials", **AT_BEAM}),
    _o("-fdet_vector", "fdet_vector", "vector", CAMERA, "fast axis; this and the next seven make the axes custom",
       values=3, also=CUSTOM),
    _o("-sdet_vector", "sdet_vector", "vector", CAMERA, "slow axis", values=3, also=CUSTOM),
    _o("-odet_vector", "odet_vector", "vector", CAMERA, "normal of the detector", values=3, also=CUSTOM),
    _o("-beam_vector", "beam_vector", "vector", CAMERA, "direction of the beam", values=3, also=CUSTOM),
    _o("-polar_vector", "polar_vector", "vector", CAMERA, "direction of the E vector", values=3, also=CUSTOM),
    _o("-spindle_axis", "spindle_axis", "vector", CAMERA, "rotation axis of phi", values=3, also=CUSTOM),
    _o("-twotheta_axis", "twotheta_axis", "vector", CAMERA, "axis of the two-theta swing; also sets -twotheta to x",
       values=3, also=CUSTOM),
    _o("-pix0_vector", "pix0_vector", "vector", CAMERA, "corner of the first pixel; used with --fix pix0 only",
       values=3, also=CUSTOM, unit="m"),
    _o("-distance", "distance_m", "real", CAMERA, "from the sample to the direct beam spot", unit="mm", also=AT_BEAM,
       default="100"),
    _o("-close_distance", "close_distance_m", "real", CAMERA, "from the sample to the nearest point", unit="mm",
       also=SAMPLE),
    _o("-detector_abs", "attenuation_per_m", "absorption", CAMERA, "attenuation depth of the sensor, or 'inf'",
       unit="µm", aliases=("-detector_absorb", "-detector_absorption")),
    _o("-detector_thick", "thickness_m", "real", CAMERA, "thickness of the sensor", unit="µm", whole=True,
       default="0"),
    _o("-detector_thicksteps", "thickness_steps", "integer", CAMERA, "layers of the sensor"),
    _o("-thicksteps", "thickness_steps", "integer", CAMERA, "layers of the sensor"),
    _o("-twotheta", "twotheta", "real", CAMERA, "swing of the detector", unit="deg", also=SAMPLE, default="0"),
    _o("-detector_rotx", "detector_rotx", "real", CAMERA, "turn of the detector about x", unit="deg"),
    _o("-detector_roty", "detector_roty", "real", CAMERA, "turn of the detector about y", unit="deg"),
    _o("-detector_rotz", "detector_rotz", "real", CAMERA, "turn of the detector about z", unit="deg"),
    _o("-detsize", "detsize_fast_m detsize_slow_m", "real", CAMERA, "width and height of the detector", unit="mm",
       whole=True, default="102.4"),
    _o("-detsize_f", "detsize_fast_m", "real", CAMERA, "width of the detector", unit="mm", aliases=("-detsize_fast",)),
    _o("-detsize_s", "detsize_slow_m", "real", CAMERA, "height of the detector", unit="mm",
       aliases=("-detsize_slow",)),
    _o("-detpixels", "detpixels_fast detpixels_slow", "integer", CAMERA, "width and height in pixels", whole=True),
    _o("-detpixels_f -detpixels_x", "detpixels_fast", "integer", CAMERA, "width in pixels",
       aliases=("-detpixels_fast",)),
    _o("-detpixels_s -detpixels_y", "detpixels_slow", "integer", CAMERA, "height in pixels",
       aliases=("-detpixels_slow",)),
    _o("-curved_det", "", "follower", CAMERA, "all pixels equally far; counts only when another word follows",
       values=0, also={"curved_detector": True}, aliases=("-curved_detector",)),
    _o("-pixel", "pixel_size_m", "real", CAMERA, "size of a pixel", unit="mm", default="0.1", aliases=("-pixel_size",)),
    _o("-point_pixel", "", "flag", CAMERA, "solid angle 1/r² only", values=0, also={"point_pixel": True}),
    _o("-polar", "polarization", "real", BEAM, "Kahn polarization factor", whole=True, also={"nopolar": False},
       default="0"),
    _o("-nopolar", "", "flag", BEAM, "no polarization correction", values=0, also={"nopolar": True}),
    _o("-oversample_thick", "", "flag", SAMPLING, "sensor effect anew for each sub-pixel (see docs/differences.md)",
       values=0, also={"oversample_thick": True}, last_look=True),
    _o("-oversample_polar", "", "flag", SAMPLING, "polarization anew for each sub-pixel", values=0,
       also={"oversample_polar": True}, last_look=True),
    _o("-oversample_omega", "", "flag", SAMPLING, "solid angle anew for each sub-pixel", values=0,
       also={"oversample_omega": True}, last_look=True),
    _o("-oversample", "oversample", "integer", SAMPLING, "sub-pixels along each side of a pixel",
       default="from crystal and pixel size"),
    _o("-roi", "roi_fast_first roi_fast_last roi_slow_first roi_slow_last", "integer", SAMPLING,
       "render only these pixels: xmin xmax ymin ymax, both ends included", unit="px", values=4),
    _o("-lambda -wave", "wavelength_m", "real", BEAM, "wavelength", unit="Å", default="1", aliases=("-wavelength",)),
    _o("-energy", "wavelength_m", "real", BEAM, "photon energy, instead of -lambda", unit="eV"),
    _o("-fluence", "fluence_per_m2", "real", BEAM, "photons through the sample", unit="photons/m²",
       default="1.26e29"),
    _o("-flux", "flux_per_s", "real", BEAM, "with -exposure and -beamsize, instead of -fluence", unit="photons/s"),
    _o("-exposure", "exposure_s", "real", BEAM, "time", unit="s", default="1"),
    _o("-beamsize", "beamsize_m", "real", BEAM, "width of the beam; clips the sample", unit="mm", default="0.1"),
    _o("-mosaic", "mosaic_spread", "real", CRYSTAL, "mosaic spread", unit="deg", whole=True),
    _o("-mosaici -mosaic_spr", "mosaic_spread", "real", CRYSTAL, "mosaic spread", unit="deg",
       aliases=("-mosaicity", "-mosaic_spread")),
    _o("-mosaic_dom", "mosaic_domains", "integer", CRYSTAL, "number of mosaic domains",
       aliases=("-mosaic_domains",), default="1, or 10 with a spread"),
    _o("-dispersion", "dispersion", "real", BEAM, "width of the spectrum, of the wavelength", unit="percent"),
    _o("-dispsteps", "dispersion_steps", "integer", BEAM, "number of wavelengths"),
    _o("-divergence", "hdiv_range vdiv_range", "real", BEAM, "divergence, horizontal and vertical", unit="mrad"),
    _o("-hdivrange", "hdiv_range", "real", BEAM, "horizontal divergence", unit="mrad"),
    _o("-vdivrange", "vdiv_range", "real", BEAM, "vertical divergence", unit="mrad"),
    _o("-hdivstep", "hdiv_step", "real", BEAM, "step in horizontal divergence", unit="mrad", whole=True),
    _o("-hdivsteps", "hdiv_steps", "integer", BEAM, "number of horizontal steps"),
    _o("-vdivstep", "vdiv_step", "real", BEAM, "step in vertical divergence", unit="mrad", whole=True),
    _o("-vdivsteps", "vdiv_steps", "integer", BEAM, "number of vertical steps"),
    _o("-divsteps", "hdiv_steps vdiv_steps", "integer", BEAM, "number of steps, both ways"),
    _o("-round_div", "", "flag", BEAM, "round off the corners of the divergence (the default)", values=0,
       also={"round_divergence": True}),
    _o("-square_div", "", "flag", BEAM, "keep the corners", values=0, also={"round_divergence": False}),
    _o("-adc", "adc_offset", "real", OUTPUT, "added to the integer images", unit="counts", default="40",
       aliases=("-adc_offset",)),
    _o("-phi", "phi", "real", SAMPLING, "spindle angle of the first step", unit="deg", whole=True, default="0"),
    _o("-osc", "osc", "real", SAMPLING, "range of the spindle sweep", unit="deg", aliases=("-osc_range",)),
    _o("-phistep", "phi_step", "real", SAMPLING, "angle between steps", unit="deg", whole=True),
    _o("-phisteps", "phi_steps", "integer", SAMPLING, "number of steps"),
    _o("-dmin", "dmin_m", "real", FACTORS, "ignore everything finer than this", unit="Å resolution"),
    _o("-mat", "mat_file", "text", CRYSTAL, "MOSFLM matrix: three reciprocal vectors, times the wavelength",
       aliases=("-matrix", "-mat_file", "-matfile")),
    _o("-hkl", "hkl_file", "text", FACTORS, "list of h k l F for the whole of P1; or MTZ, CIF, PDB, ...",
       aliases=("-hklfile", "-hkl_file")),
    _o("-default_F", "default_F", "real", FACTORS, "F of every index that is not in the list", unit="electrons",
       default="0"),
    _o("-dump", "dump_file", "text", FACTORS, "binary copy of the list; read when there is no -hkl",
       default="Fdump.bin", aliases=("-dumpfile", "-dump_file")),
    _o("-stolout", "stolout_file", "text", FACTORS, "read, and not used", unused=True, aliases=("-stoloutfile",)),
    _o("-stol", "stol_file", "text", FACTORS, "table of sin(theta)/lambda and F; read, and not used", whole=True,
       unused=True),
    _o("-4stol", "stol_file", "text", FACTORS, "the same, of 4 sin(theta)/lambda", whole=True, unused=True),
    _o("-Q", "stol_file", "text", FACTORS, "the same, of Q", whole=True, unused=True),
    _o("-sourcefile", "source_file", "text", BEAM, "list of sources: x y z weight wavelength(m)"),
    _o("-floatfile -floatimage", "float_file", "text", OUTPUT, "image as raw 4-byte floats",
       default="floatimage.bin"),
    _o("-intfile -intimage", "int_file", "text", OUTPUT, "image as 16-bit SMV", default="intimage.img"),
    _o("-pgmfile -pgmimage", "pgm_file", "text", OUTPUT, "image as 8-bit PGM", also={"write_pgm": True},
       default="image.pgm"),
    _o("-noisefile -noiseimage", "noise_file", "text", OUTPUT, "image with photon noise, 16-bit SMV",
       also={"write_noise": True}, default="noiseimage.img"),
    _o("-nonoise", "", "flag", OUTPUT, "no noise image", values=0, also={"write_noise": False}),
    _o("-nopgm", "", "flag", OUTPUT, "no PGM", values=0, also={"write_pgm": False}),
    _o("-scale", "scale", "real", OUTPUT, "factor of the integer image", default="brightest pixel at 55000"),
    _o("-pgmscale", "pgm_scale", "real", OUTPUT, "factor of the PGM", also={"write_pgm": True}),
    _o("-coherent", "", "flag", OUTPUT, "read, and not used", values=0, also={"coherent": True}, unused=True),
    _o("-printout", "", "flag", OUTPUT, "print every pixel, instead of progress", values=0, also={"printout": True}),
    _o("-noprogress", "", "flag", OUTPUT, "no progress lines", values=0, also={"progress": False}),
    _o("-progress", "", "flag", OUTPUT, "progress lines (the default)", values=0, also={"progress": True}),
    _o("-interpolate", "", "flag", FACTORS, "tricubic interpolation between reflections", values=0,
       also={"interpolate": True}),
    _o("-nointerpolate", "", "flag", FACTORS, "nearest reflection only", values=0, also={"interpolate": False}),
    *(_o(" ".join(s.flags), "", "flag", CRYSTAL, s.help, values=0, also={"shape": s.name}) for s in SHAPES),
    _o("-fudge", "fudge", "real", CRYSTAL, "widens (below 1) or narrows the spots of the last three", default="1"),
    _o("-printout_pixel", "printout_pixel", "pair", OUTPUT, "print this pixel only: fast slow", unit="px", values=2),
    _o("-trace_pixel", "trace_pixels", "trace", OUTPUT, "trace this pixel: slow fast; may be repeated", unit="px",
       values=2),
    _o("-seed", "seed", "seed", OUTPUT, "seed of the noise", default="the clock"),
    _o("-mosaic_seed", "mosaic_seed", "seed", CRYSTAL, "seed of the mosaic domains", default="12345678"),
    _o("-misset_seed", "misset_seed", "seed", CRYSTAL, "seed of -misset random", default="the clock"),
    _o("-water", "water_m", "real", SAMPLING, "thickness of water for the background", unit="µm of water"),
)  # fmt: skip


def by_group() -> dict[str, list[Option]]:
    """The table's rows, by what they are about."""
    return {group: [row for row in OPTIONS if row.group == group] for group in GROUPS}


# Kinds of detectors that model/response.py knows.
DETECTORS = ("pilatus", "eiger", "jungfrau", "ccd")

# What a detector makes of the photons: fields of model.response.Detector, and a kind of detector.
RESPONSE_FIELDS = frozenset({
    "detector", "psf", "psf_fwhm_um", "psf_radius", "gain", "offset", "readout_noise", "calibration",
    "calibration_seed", "flicker", "saturation", "bits",
})  # fmt: skip


@record
class OwnOption:
    """An option that the C program does not have: GNU style, recognised first, whole word.

    kind: text, count (a whole number above 0), whole (0 or more), positive (a number above 0), amount (0 or more), or
    the name of a reader of its own. keyword: its name in Python, if it has one.
    """

    name: str
    sets: str
    help: str
    metavar: str = ""
    repeat: bool = False
    choices: tuple[str, ...] = ()
    kind: str = "text"
    keyword: str = ""


OWN_OPTIONS: tuple[OwnOption, ...] = (
    OwnOption("--threads", "threads", "threads to render with (default: all cores); results do not depend on it", "N",
              kind="count"),
    OwnOption("--column", "sf_column", "column to read, if -hkl is MTZ, CIF, ... (default: the best there is)", "NAME"),
    OwnOption("--sf-resolution", "sf_resolution_A", "finest resolution taken from MTZ, CIF, PDB, ..., in Å", "D",
              kind="positive"),
    OwnOption("--symmetry", "sf_symmetry", "space group of an -hkl file that states none, by name or number", "NAME"),
    OwnOption("--mask-keeps", "mask_keeps", "pixels that -mask keeps (default: what its format means by them)",
              "zero|nonzero", choices=("zero", "nonzero")),
    OwnOption("--preview", "preview", "write a picture (.png, .jpg) with resolution rings, beam centre and caption",
              "FILE.png"),
    OwnOption("--show-rings", "show_rings", "resolutions to mark in the picture, in Å, separated by commas", "D1,D2"),
    OwnOption("--save", "save", "write the float image as .cbf, .edf, .tif, .npy or NXmx (.nxs, .h5); may be repeated",
              "FILE", repeat=True),
    OwnOption("--save-noise", "save_noise", "the image with photon noise, 32 bits, in these formats; may be repeated",
              "FILE", repeat=True),
    OwnOption("--frames", "frames", "a rotation series of N frames; #### in names of files is the frame's number", "N",
              kind="count"),
    OwnOption("--frame-width", "frame_width_deg", "degrees from frame to frame (default: -osc)", "DEG",
              kind="positive"),
    OwnOption("--orientations", "orientations_file", "a series of stills: matrices as for -mat, or .npy (n, 3, 3)",
              "FILE"),
    OwnOption("--resume", "resume", "leave frames of a series alone that are there already"),
    OwnOption("--compression", "compression", "of NXmx (default: bitshuffle where hdf5plugin is installed)",
              "gzip|bitshuffle", choices=("gzip", "bitshuffle")),
    OwnOption("--ground-truth", "ground_truth", "spots and orientations of a series, as .h5, .npz or .csv", "FILE"),
    OwnOption("--write-inputs", "inputs_folder", "XDS.INP, CrystFEL .geom and .lst, and a script for DIALS", "FOLDER"),
    OwnOption("--save-orientation", "save_orientation", "write the crystal's orientation for -mat to read", "FILE"),
    OwnOption("--fix", "fixes", "correct known defects of the C program; 'list' explains them, 'all' means all; 'none' "
              "accepts them without a warning", "NAME[,NAME]", kind="fixes"),
    OwnOption("--background", "background", "scattering of a material without order: 'water', 'air', 'paraffin', or a "
              "file of sin(theta)/lambda and F; with --background-thick; may be repeated", "NAME|FILE",
              kind="background", keyword="background"),
    OwnOption("--background-thick", "thickness_mm", "thickness of the --background before it, along the beam, in mm",
              "MM", kind="of_background"),
    OwnOption("--background-density", "density_g_per_cm3", "its density, in g/cm³ (known of those by name)", "X",
              kind="of_background"),
    OwnOption("--background-mw", "molecular_weight", "its molecular weight, in g/mol (known of those by name)", "X",
              kind="of_background"),
    OwnOption("--detector", "detector", "a kind of detector, whose point spread, gain, noise and limits the noise "
              "image gets; the options below change single properties", "|".join(DETECTORS), choices=DETECTORS,
              keyword="detector"),
    OwnOption("--psf", "psf", "point spread function: Gaussian, or a fibre-optic taper's", "gauss|fiber|none",
              choices=("gauss", "fiber", "none"), keyword="psf"),
    OwnOption("--psf-fwhm", "psf_fwhm_um", "its full width at half maximum, in µm (default: 46)", "UM", kind="positive",
              keyword="psf_fwhm_um"),
    OwnOption("--psf-radius", "psf_radius", "pixels beyond which it is cut off (default: nowhere)", "N", kind="whole",
              keyword="psf_radius"),
    OwnOption("--gain", "gain", "counts for each photon (default: 1)", "X", kind="positive", keyword="gain"),
    OwnOption("--offset", "offset", "counts added to the noise image (default: -adc's)", "COUNTS", kind="amount",
              keyword="offset"),
    OwnOption("--readout-noise", "readout_noise", "rms noise of the readout, in counts (default: 0)", "COUNTS",
              kind="amount", keyword="readout_noise"),
    OwnOption("--calibration", "calibration", "relative rms error of the pixels' calibration (default: 0)", "X",
              kind="amount", keyword="calibration"),
    OwnOption("--calibration-seed", "calibration_seed", "seed of these errors, which are a detector's, not an image's "
              "(default: 1)", "N", kind="whole", keyword="calibration_seed"),
    OwnOption("--flicker", "flicker", "relative rms variation of the beam from image to image (default: 0)", "X",
              kind="amount", keyword="flicker"),
    OwnOption("--saturation", "saturation", "largest count (default: what the bits allow)", "COUNTS", kind="count",
              keyword="saturation"),
    OwnOption("--bits", "bits", "bits of a pixel of the noise image (default: 16)", "16|32", choices=("16", "32"),
              keyword="bits"),
    OwnOption("--trace-prefix", "trace_prefix", "label of trace lines (default: TRACE_PY)", "WORD"),
    OwnOption("--trace-only", "trace_only", "render only the traced pixels, and write no image"),
    OwnOption("--quiet", "quiet", "nothing on standard error but errors"),
    OwnOption("--verbose", "verbose", "say on standard error also what hardly matters, such as known defects that "
              "change no pixel by 1 %"),
)  # fmt: skip


@record
class Exit:
    """An option that shows something in place of a run, wherever it stands. metavar: its value, if it has one."""

    names: tuple[str, ...]
    help: str
    metavar: str = ""


EXITS: tuple[Exit, ...] = (
    Exit(("-h", "--help", "-help"), "show all options"),
    Exit(("--version", "-version"), "show the version"),
    Exit(("--man",), "show the manual page; nanoBragg --man | man -l -"),
    Exit(("--completion",), "show what makes a shell complete options: bash, zsh or fish", "SHELL"),
)
