"""nonBragg's lines on standard output, which are the C program's."""

from __future__ import annotations

import math

from ..base.c_numbers import c_format
from ..base.vectors import RADIAN_IN_DEGREES
from ..model.beam import Beam, Sources
from ..rendering.statistics import Statistics
from .beam import Sample, weights
from .geometry import Geometry
from .options import Settings

BANNER = "nonBragg amorphous material diffraction simulator - James Holton and Ken Frankel 3-19-16\n"
# Names and what is said about them; with its value where one is shown; a blank that stands before some texts.
_USAGE = (
    ("-stol filename.stol", "text file containing sin(theta)/lambda and F for one molecule"),
    ("-thickness", "thickness of the sample in mm"),
    ("-samplesize", "linear dimension of the (cube shaped) sample in mm"),
    ("-density", "density of the sample in g/cm^3"),
    ("-MW", "molecular weight of the sample material in g/mol"),
    ("-hdivrange", "horizontal angular spread of source points in mrad"),
    ("-vdivrange", "vertical angular spread of source points in mrad"),
    ("-hdivstep", "number of source points in the horizontal"),
    ("-vdivstep", "number of source points in the vertical"),
    ("-distance", "distance from origin to detector center in mm"),
    ("-detsize", "detector size in mm"),
    ("-pixel", "detector pixel size in mm"),
    ("-oversample", "number of sub-pixels per pixel"),
    ("-lambda", "incident x-ray wavelength in Angstrom"),
    ("-dispersion", "spectral dispersion: delta-lambda/lambda in percent"),
    ("-dispsteps", "number of wavelengths in above range"),
    ("-fluence", "integrated beam intensity in photons/m^2"),
    ("-flux", " beam intensity in photons/s"),
    ("-exposure", " exposure time in s"),
    ("-beamsize", " linear dimension of the (square) beam profile in mm"),
    ("-sourcefile filename.txt", "text file containing source positions in mm"),
    ("-floatfile", "name of binary output file (4-byte floats)"),
    ("-intfile", "name of smv-formatted output file (arbitrary scale)"),
    ("-pgmfile", "name of pgm-formatted output file (arbitrary scale)"),
    ("-noisefile", "name of smv-formatted output file (with Poisson noise)"),
    ("-Xbeam", "image X coordinate of direct-beam spot (mm)"),
    ("-Ybeam", "image Y coordinate of direct-beam spot (mm)"),
    ("-printout", "print pixel values out to the screen"),
    ("-noprogress", "turn off the progress meter"),
)


def usage() -> str:
    """What is shown when there is no table of F."""
    rows = "".join(f"\t{name}\t{text}\n" for name, text in _USAGE)
    return f"usage: nonBragg -stol water.stol\noptions:\n{rows}"


def clipping(s: Settings, sample: Sample) -> str:
    """Warnings of a sample that is larger than the beam."""
    return "".join(
        c_format(f"WARNING: clipping sample (%g m {which}) with beam (%g m)\n", size, s.beamsize_m)
        for which, size in zip(("high", "wide"), sample.clipped, strict=True)
        if size is not None
    )


def pivoting(pivot: str) -> str:
    """What the detector turns about."""
    return f"pivoting detector around {'sample' if pivot == 'sample' else 'direct beam spot'}\n"


def source_lines(sources: Sources) -> str:
    """All sources, and what a grid was made of."""
    lines = [c_format("divergence deviation: %g %g\n", *angles) for angles in sources.deviations_rad]
    lines += [f"lambda{tic} = {value:.15g}\n" for tic, value in enumerate(sources.wavelengths_m)]
    lines.append(f"  created a total of {sources.count} sources:\n")
    rows = zip(sources.position_m.tolist(), weights(sources).tolist(), sources.wavelength_m.tolist(), strict=True)
    lines += [c_format("%g %g %g   %g %g\n", *position, weight, wave) for position, weight, wave in rows]
    return "".join(lines)


def summary(s: Settings, g: Geometry, beam: Beam, sources: Sources, sample: Sample, points: int, stream: int) -> str:
    """Everything that was resolved."""
    frame, region = g.frame, g.region
    oversample = max(s.oversample, 1)
    rows: list[tuple[str, tuple[object, ...]]] = [
        ("  %d initialized F points (will cubic-spline interpolate between them)\n", (points,)),
        ("  wave=%g meters +/- %g%% in %d steps\n",
         (beam.wavelength_m, beam.dispersion.range * 100, beam.dispersion.count)),
        ("  polarization effect disabled\n", ()) if s.nopolar
        else ("  Kahn polarization factor: %f\n", (s.polarization,)),
    ]  # fmt: skip
    if s.curved:
        rows.append(("  curved detector: all pixels same distance from origin\n", ()))
    if s.point_pixel:
        rows.append(("  pixel obliquity effect disabled\n", ()))
    if s.Fmap:
        rows.append(("  Fmap mode: plotting structure factor at every pixel\n", ()))
    rows += [
        ("  incident fluence: %g photons/m^2\n", (beam.intensity.fluence_per_m2,)),
        ("  sample is %g m thick x %g m high x %g m wide, ", (sample.x_m, sample.y_m, sample.z_m)),
        ("%g g/cm^3 and %g g/mol (%g molecules)\n",
         (sample.density_g_per_m3 / 1e6, sample.molecular_weight, sample.molecules)),
        ("  distance=%g detsize=%gx%g  ", (g.distance_m, frame.fast_m, frame.slow_m)),
        ("pixel=%g meters (%dx%d pixels)\n", (frame.pixel_size_m, frame.fpixels, frame.spixels)),
        ("  Xbeam=%g Ybeam=%g\n", (g.Xbeam_m, g.Ybeam_m)),
        ("  detector origin: %g %g %g\n", g.pix0_m),
        ("  DIRECTION_OF_DETECTOR_X-AXIS= %g %g %g\n", g.fdet),
        ("  DIRECTION_OF_DETECTOR_Y-AXIS= %g %g %g\n", g.sdet),
        ("  INCIDENT_BEAM_DIRECTION= %g %g %g\n", g.beam),
        ("  POLARIZATION_PLANE_NORMAL= %g %g %g\n", g.polar),
        ("  roi: %d < x < %d && %d < y < %d\n", region.limits),
        ("  hdivrange=%g hdivstep=%g  radians\n", (beam.horizontal.range, beam.horizontal.step)),
        ("  vdivrange=%g vdivstep=%g  radians\n", (beam.vertical.range, beam.vertical.step)),
        ("  %d divergence steps\n", (sources.divergence_steps,)),
        ("  %d sources\n", (sources.count,)),
        ("  %d pixel oversample steps\n", (oversample,)),
    ]  # fmt: skip
    if s.noise:
        rows.append(("\n  noise image paramters:\n  seed: %d\n", (stream,)))
    return "".join(c_format(template, *values) for template, values in rows)


def progress(rendered: int, total: int) -> str:
    """One line of progress."""
    return f"{rendered * 100 // total}% done\n"


def printed_pixel(
    fpixel: int, spixel: int, seen: tuple[float, ...], position: tuple[float, float, float], beam: Beam,
    weight: float, steps: int, photons: float,
) -> str:  # fmt: skip
    """What -printout shows of a pixel: of its last step, that is; its F was never set, and is 0."""
    stol, _, polarization, omega, _ = seen
    x, y, z = position
    plain = math.sin(math.atan2(math.sqrt(y * y + z * z), x) / 2.0) / (beam.wavelength_m * 1e10)
    # Python's sine of what is no number forgets the sign that C's has.
    plain = -math.nan if math.isnan(plain) else plain
    rows: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("%4d %4d : stol = %g or %g\n", (fpixel, spixel, stol, plain)),
        (" F=%g    I = %g\n", (0.0, weight)),
        ("I/steps %15.10g\n", (weight / steps,)),
        ("polar   %15.10g\n", (polarization,)),
        ("omega   %15.10g\n", (omega,)),
        ("pixel   %15.10g\n", (photons,)),
    )
    return "".join(c_format(template, *values) for template, values in rows)


def solid_angle(omega: float) -> str:
    """What the detector sees of the sphere."""
    return c_format(
        "solid angle subtended by detector = %g steradian ( %g%% sphere)\n", omega, 100 * omega / 4 / math.pi
    )


def statistics(found: Statistics) -> str:
    """Brightest pixel, mean and deviations."""
    return c_format("max_I = %g  at %g %g\n", found.largest, found.largest_fast_m, found.largest_slow_m) + c_format(
        "mean= %g rms= %g rmsd= %g\n", found.mean, found.rms, found.rmsd
    )


def header(g: Geometry, beam: Beam, phi: float, osc: float, twotheta: float) -> bytes:
    """The 512 bytes before the pixels of an SMV image; angles in radians."""
    frame = g.frame
    start, pixel = phi * RADIAN_IN_DEGREES, frame.pixel_size_m
    rows: tuple[tuple[str, tuple[object, ...]], ...] = (
        ("{\nHEADER_BYTES=512;\nDIM=2;\nBYTE_ORDER=little_endian;\nTYPE=unsigned_short;\n", ()),
        ("SIZE1=%d;\nSIZE2=%d;\n", (frame.fpixels, frame.spixels)),
        ("PIXEL_SIZE=%g;\nDISTANCE=%g;\n", (pixel * 1000.0, g.distance_m * 1000.0)),
        ("WAVELENGTH=%g;\n", (beam.wavelength_m * 1e10,)),
        ("BEAM_CENTER_X=%g;\nBEAM_CENTER_Y=%g;\n", (g.Xbeam_m * 1000.0, (frame.slow_m - g.Ybeam_m) * 1000)),
        ("ORGX=%g;\nORGY=%g;\n", (g.Xclose_m / pixel, g.Yclose_m / pixel)),
        ("CLOSE_DISTANCE=%g;\n", (g.close_distance_m * 1000.0,)),
        ("PHI=%g;\nOSC_START=%g;\nOSC_RANGE=%g;\n", (start, start, osc * RADIAN_IN_DEGREES)),
        ("TWOTHETA=%g;\n", (twotheta * RADIAN_IN_DEGREES,)),
        ("DETECTOR_SN=000;\nBEAMLINE=fake;\n}\f", ()),
    )
    return "".join(c_format(template, *values) for template, values in rows).encode("ascii").ljust(512)
