"""noisify's lines on standard output, which are the C program's."""

from __future__ import annotations

from ..base.c_numbers import c_format
from .geometry import Geometry
from .options import Settings

BANNER = "noisify - add noise to pixels - James Holton 3-19-16\n"
USAGE = """usage: noisify -floatfile floatimage.bin
options:
"""
# Name, what stands between it and the text, and the text.
_USAGE_ROWS = (
    ("floatimage.bin", "\t ", "nearBragg-style binary dump file"),
    ("-scale", "\t", "scale factor to put floatimage.bin in photons/pixel"),
    ("-gain", "\t", "pixel units per photon"),
    ("-readout_noise", "\t", "gaussian noise added to every pixel"),
    ("-flicker", "\t ", "fractional 1/f noise in source"),
    ("-calibration", "\t ", "static fractional error per pixel"),
    ("-calib_seed", "\t ", "change seed for calibration error"),
    ("-seed", "\t ", "specify seed for all non-calibration errors"),
    ("-gain", "\t ", "pixel units per photon"),
    ("-adc", "\t ", "offset added to each pixel after noise"),
    ("-distance", "\t ", "distance from origin to detector center in mm"),
    ("-detsize", "\t ", "detector size in mm"),
    ("-pixel", "\t ", "detector pixel size in mm"),
    ("-psf gauss|fiber", "\t ", "point spread function type (gaussian or fiber)"),
    ("-psf_fwhm", "\t ", "point spread function size in um"),
    ("-psf_radius", "\t ", "radius to render PSF in pixels (default automatic)"),
    ("-lambda", "\t ", "incident x-ray wavelength in Angstrom"),
    ("-intfile", "\t ", "name of smv-formatted output file (arbitrary scale)"),
    ("-pgmfile", "\t", "name of pgm-formatted output file (arbitrary scale)"),
    ("-noisefile", "\t ", "name of smv-formatted output file (with noise)"),
    ("-Xbeam", "\t ", "image X coordinate of direct-beam spot (mm)"),
    ("-Ybeam", "\t ", "image Y coordinate of direct-beam spot (mm)"),
    ("-header", "\t ", "import 512-byte header from specified SMV file"),
)


def usage() -> str:
    """What is shown when there is no float image."""
    return USAGE + "".join(f"\t{name}{gap}{text}\n" for name, gap, text in _USAGE_ROWS)


def unknown_spread(word: str) -> str:
    """A word after -psf that is no point spread function."""
    return f"WARNING: unknown psf type: {word}\n"


def summary(s: Settings, g: Geometry, stream: int) -> str:
    """Geometry and noise."""
    calibration, readout, flicker = (
        (s.calibration, s.readout_counts, s.flicker) if s.noise else (0.0, 0.0, 0.0)
    )  # fmt: skip
    lines = [
        c_format("  distance=%g detsize=%gx%g", g.distance_m, g.detsize_fast_m, g.detsize_slow_m),
        c_format("  pixel=%g meters (%dx%d pixels)\n", g.pixel_size_m, g.fpixels, g.spixels),
        c_format("  Xbeam=%g Ybeam=%g\n", g.Xbeam_m, g.Ybeam_m),
    ]
    if s.spread:
        name = {"gauss": "Gaussian", "fiber": "fiber"}[s.spread]
        lines.append(c_format("  %s PSF fwhm = %g um ", name, g.spread_fwhm_m * 1e6))
        if s.spread_radius == 0:
            lines.append("  with automatic rendering radius\n")
        if s.spread_radius >= 0:
            lines.append(f"  with rendering radius: {s.spread_radius}\n")
    lines += [
        f"  seed: {stream}\n",
        f"  calibration noise seed: {s.calibration_seed}\n",
        c_format("  calibration_noise = %g %%\n", calibration * 100),
        c_format("  input file scale = %g\n", s.scale),
        c_format("  readout_noise = %g ADU\n", readout),
        c_format("  flicker_noise = %g %%\n", flicker * 100),
        c_format("  quantum_gain = %g ADU/photon\n", s.gain),
        c_format("  adc_offset = %g ADU\n", s.offset_counts),
        "\n",
    ]
    return "".join(lines)


def writing(path: str, bits: int, pixels: int | None = None) -> str:
    """An SMV image that is written next; nothing for a number of bits that is not known."""
    if bits not in (16, 32):
        return ""
    count = "" if pixels is None else f"{pixels} "
    return f"writing {path} as {count}{bits // 8}-byte integers\n"
