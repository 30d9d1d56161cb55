"""The run log on standard output: the C program's lines from the resolved parts, in its order and formats."""

from __future__ import annotations

import math
from importlib import resources

from ..base.c_numbers import c_format
from ..base.vectors import RADIAN_IN_DEGREES, Triad, cross, length
from ..model.background import AVOGADRO
from ..model.beam import Beam, Sources
from ..model.cell import Angles
from ..model.crystal import Crystal
from ..model.detector import Detector
from ..model.experiment import Experiment, Interpolation
from ..model.mosaic import Mosaic
from ..model.spindle import Spindle
from ..model.subpixels import Oversampling
from ..rendering.backend import LeftGrid
from ..rendering.statistics import Statistics


def header_lines(paths: tuple[str, ...]) -> str:
    """Lines about headers read; the address is a matter of chance in the C program."""
    return "".join(f"reading {path}\nmmap({path}) = 0x5555555592a0\n" for path in paths)


def opening(beam: Beam, detector: Detector) -> str:
    """From the first warnings to the banner."""
    lines = []
    intensity = beam.intensity
    if intensity.clipped_height_m is not None:
        template = "WARNING: clipping sample (%g m high) with beam (%g m)\n"
        lines.append(template % (intensity.clipped_height_m, intensity.beamsize_m))
    if intensity.clipped_width_m is not None:
        template = "WARNING: clipping sample (%g m wide) with beam (%g m)\n"
        lines.append(template % (intensity.clipped_width_m, intensity.beamsize_m))
    if detector.normal_was_made:
        lines.append("WARNING: auto-generating odet_vector\n")
    lines.append("nanoBragg nanocrystal diffraction simulator - James Holton and Ken Frankel 5-17-17\n")
    return "".join(lines)


def usage(beam: Beam, detector: Detector, adc_offset: float, no_factors: bool) -> str:
    """What the C program prints when it has nothing to do."""
    text = resources.files(__package__).joinpath("usage.txt").read_text(encoding="utf-8")
    values = {
        "adc": "%g" % adc_offset,
        "polar": "1",
        "beamsize": "%g" % (beam.intensity.beamsize_m * 1000),
        "exposure": "%g" % beam.intensity.exposure_s,
    }
    for name in ("fdet", "sdet", "odet", "beam", "polar", "spindle"):
        values[f"{name}_vector"] = "%g %g %g" % getattr(detector.unturned, name)
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return ("ERROR: no hkl file and no dump file to read." if no_factors else "") + text


def geometry(detector: Detector, mosaic: Mosaic) -> str:
    """Sensor and mosaic warnings, convention, pivot."""
    lines = []
    if detector.attenuation_was_assumed:
        lines.append(c_format("WARNING: setting detector attenuation depth to %g m\n", detector.attenuation_per_m))
    if mosaic.warning:
        lines.append(mosaic.warning + "\n")
    lines.append(f"{detector.convention} convention selected.\n")
    return "".join(lines)


def pivot_line(detector: Detector) -> str:
    """Which point the detector turns about."""
    point = "sample" if detector.pivot == "sample" else "direct beam spot"
    return f"pivoting detector around {point}\n"


def beam_in_detector(detector: Detector) -> str:
    """The beam in XDS's sense."""
    return c_format("XDS incident beam: %g %g %g\n", *detector.incident_in_detector)


def interpolation(chosen: Interpolation) -> str:
    """Whether interpolation was chosen, when the user did not."""
    if not chosen.automatic:
        return ""
    return f"auto-selected {'tricubic interpolation of structure factors' if chosen.used else 'no interpolation'}\n"


def _oddball(angles: Angles, title: str, names: tuple[str, ...]) -> str:
    if not angles.oddball:
        return ""
    lines = [f"WARNING: oddball {title}:\n"]
    for i, (sine, cosine) in enumerate(zip(angles.sines, angles.cosines, strict=True)):
        lines.append(c_format(f"{names[2 * i]} = %.25g\n", sine))
        lines.append(c_format(f"{names[2 * i + 1]} = %.25g\n", cosine))
    return "".join(lines)


_CELL_NAMES = ("sin_alpha", "cos_alpha", "sin_beta ", "cos_beta ", "sin_gamma", "cos_gamma")


def _star_names(last: str) -> tuple[str, ...]:
    return (
        "sin(alpha_star)",
        "cos(alpha_star)",
        "sin(beta_star) ",
        "cos(beta_star) ",
        "sin(gamma_star)",
        last,
    )


def cell_construction(crystal: Crystal) -> str:
    """Warnings of the construction from edges and angles."""
    constructed = crystal.setting.constructed_angles
    if constructed is None:
        return ""
    # The C program's spelling of the last name.
    return _oddball(constructed, "reciprocal cell angles", _star_names("cos9gamma_star)"))


def matrix_line(path: str) -> str:
    """The matrix file is about to be read."""
    return f"reading {path}\n"


def random_orientation(crystal: Crystal) -> str:
    """Angles that -misset would take to give the same orientation."""
    misset = crystal.setting.misset
    if misset is None or not crystal.setting.misset_was_random:
        return ""
    return "random orientation misset angles: %f %f %f deg\n" % tuple(angle * RADIAN_IN_DEGREES for angle in misset)


def cell(crystal: Crystal) -> str:
    """Cell, volume and vectors."""
    (a, b, c), (sa, sb, sc) = crystal.real, crystal.reciprocal
    real_angles = tuple(angle * RADIAN_IN_DEGREES for angle in crystal.real_angles.angles)
    reciprocal_angles = tuple(angle * RADIAN_IN_DEGREES for angle in crystal.reciprocal_angles.angles)
    lines = [
        _oddball(crystal.real_angles, "cell angles", _CELL_NAMES),
        _oddball(crystal.reciprocal_angles, "reciprocal cell angles", _star_names("cos(gamma_star)")),
        c_format("Unit Cell: %g %g %g %g %g %g\n", length(a), length(b), length(c), *real_angles),
        c_format("Recp Cell: %g %g %g %g %g %g\n", length(sa), length(sb), length(sc), *reciprocal_angles),
        c_format("volume = %g A^3\n", crystal.volume_A3),
        "real-space cell vectors (Angstrom):\n",
        _vector_table(("a", "b", "c"), (a, b, c)),
        "reciprocal-space cell vectors (Angstrom^-1):\n",
        _vector_table(("a_star", "b_star", "c_star"), (sa, sb, sc)),
    ]
    return "".join(lines)


def _vector_table(names: tuple[str, str, str], vectors: Triad) -> str:
    lines = ["     %-10s  %-10s  %-10s\n" % names]
    for axis, values in zip("XYZ", zip(*vectors, strict=True), strict=True):
        lines.append(c_format(f"{axis}: %11.8f %11.8f %11.8f\n", *values))
    return "".join(lines)


def crystal_size(crystal: Crystal, oversampling: Oversampling) -> str:
    """Size, oversampling and the molecular weight it would have."""
    a, b, c = crystal.size_m
    largest = max(a, b, c)
    lines = ["crystal is %g x %g x %g microns\n" % (a * 1e6, b * 1e6, c * 1e6)]
    if oversampling.automatic:
        lines.append(f"auto-selected {oversampling.used}-fold oversampling\n")
    if oversampling.used < oversampling.recommended:
        lines.append("WARNING: maximum dimension of sample is %g A\n" % (largest * 1e10))
        lines.append("         but reciprocal pixel size is %g A\n" % (oversampling.reciprocal_pixel_m * 1e10))
        lines.append("         intensity may vary significantly across a pixel!\n")
        lines.append("         recommend -oversample %d to work around this\n" % oversampling.recommended)
    density_g_per_m3 = 1.2e6
    weight = a * b * c * density_g_per_m3 * AVOGADRO / (crystal.Na * crystal.Nb * crystal.Nc)
    lines.append("approximate MW = %g\n" % weight)
    return "".join(lines)


def sampling(detector: Detector, spindle: Spindle) -> str:
    """Sensor layers and spindle steps."""
    layers = detector.layers
    lines = ["thick%d = %g um\n" % (tic, layers.step * tic * 1e6) for tic in range(layers.count)]
    lines += ["phi%d = %g\n" % (tic, phi * RADIAN_IN_DEGREES) for tic, phi in enumerate(spindle.positions_rad)]
    return "".join(lines)


def sources(beam: Sources) -> str:
    """Divergence, wavelengths, and the list of sources."""
    lines = [c_format("divergence deviation: %g %g\n", *pair) for pair in beam.deviations_rad]
    lines += ["lambda%d = %.15g\n" % pair for pair in enumerate(beam.wavelengths_m)]
    lines.append("  created a total of %d sources:\n" % len(beam.weight))
    rows = zip(beam.position_m.tolist(), beam.weight.tolist(), beam.wavelength_m.tolist(), strict=True)
    lines += [c_format("%g %g %g   %g %g\n", *position, weight, wave) for position, weight, wave in rows]
    return "".join(lines)


def summary(experiment: Experiment, mask_name: str | None, with_noise: bool) -> str:
    """The block before the image is rendered. mask_name: the mask's file; with_noise: whether noise will be drawn."""
    e, crystal, beam = experiment, experiment.crystal, experiment.beam
    grid = e.structure_factors
    lines = [
        "  created a total of %d mosaic domains\n" % e.mosaic.domains,
        "  %d initialized hkls (all others =%g)\n" % (grid.reflections, grid.default_F),
        "  %s xtal: %.0fx%.0fx%.0f cells\n" % (crystal.shape.log_name, crystal.Na, crystal.Nb, crystal.Nc),
        "  wave=%g meters +/- %g%% in %d steps\n"
        % (beam.wavelength_m, beam.dispersion.range * 100, beam.dispersion.count),
        "  Kahn polarization factor: %f\n" % beam.kahn_factor if beam.polarized else "  polarization effect disabled\n",
        "  curved detector: all pixels same distance from origin\n" if e.detector.curved else "",
        "  pixel obliquity effect disabled\n" if e.detector.point_pixel else "",
        "  incident fluence: %g photons/m^2\n" % beam.intensity.fluence_per_m2,
        _detector_lines(e.detector),
        _region_lines(e),
        _oversampling_line(e),
    ]
    if e.mask is not None:
        lines.append(f"  skipping zero-flagged pixels in {mask_name}\n")
    if with_noise:
        lines.append("\n  noise image paramters:\n")
        lines.append("  seed: %d\n" % e.noise_seed.stream)
        lines.append("  water droplet size: %g m\n" % e.background.edge_m)
    return "".join(lines)


def _detector_lines(d: Detector) -> str:
    axes = d.axes
    plane_normal = cross(axes.beam, axes.polar)
    rows = (
        ("  distance=%g detsize=%gx%g  pixel=%g meters (%dx%d pixels)\n",
         (d.distance_m, d.detsize_fast_m, d.detsize_slow_m, d.pixel_size_m, d.fpixels, d.spixels)),
        ("  sensor is %g m thick in %d layers with mu= %g\n",
         (d.thickness_m, d.layers.count, d.attenuation_per_m)),
        ("  Xbeam=%g Ybeam=%g\n", (d.Xbeam_m, d.Ybeam_m)),
        ("  Fbeam=%g Sbeam=%g\n", (d.Fbeam_m, d.Sbeam_m)),
        ("  Xclose=%g Yclose=%g\n", (d.Xclose_m, d.Yclose_m)),
        ("  Fclose=%g Sclose=%g\n", (d.Fclose_m, d.Sclose_m)),
        ("  DIRECTION_OF_DETECTOR_X-AXIS= %g %g %g\n", axes.fdet),
        ("  DIRECTION_OF_DETECTOR_Y-AXIS= %g %g %g\n", axes.sdet),
        ("  DIRECTION_OF_DETECTOR_Z-AXIS= %g %g %g\n", axes.odet),
        ("  INCIDENT_BEAM_DIRECTION= %g %g %g\n", axes.beam),
        ("  spindle ROTATION_AXIS= %g %g %g\n", axes.spindle),
        ("  POLARIZATION_PLANE_NORMAL= %g %g %g\n", plane_normal),
        ("  dials origin= %g %g %g\n", d.dials_origin_mm),
    )  # fmt: skip
    return "".join(c_format(template, *values) for template, values in rows)


def _region_lines(experiment: Experiment) -> str:
    e, region, spindle, beam = experiment, experiment.region, experiment.spindle, experiment.beam
    return "".join(
        (
            "  roi: %d < x < %d && %d < y < %d\n"
            % (region.fast_first, region.fast_last, region.slow_first, region.slow_last),
            "  hdivrange=%g hdivstep=%g  radians\n" % (beam.horizontal.range, beam.horizontal.step),
            "  vdivrange=%g vdivstep=%g  radians\n" % (beam.vertical.range, beam.vertical.step),
            "  %d divergence steps\n" % e.sources.divergence_steps,
            "  %d sources\n" % e.sources.count,
            "  %d mosaic domains over mosaic spread of %g degrees\n"
            % (e.mosaic.domains, e.mosaic.spread_rad * RADIAN_IN_DEGREES),
            "  %d phi steps from %g to %g degrees\n"
            % (
                spindle.steps.count,
                spindle.start_rad * RADIAN_IN_DEGREES,
                (spindle.start_rad + spindle.range_rad) * RADIAN_IN_DEGREES,
            ),
        )
    )


def _oversampling_line(experiment: Experiment) -> str:
    factors, count = experiment.factors, experiment.oversampling.used
    extras = (
        (" +thick", factors.thick),
        (" +polar", factors.polar),
        (" +omega", factors.omega),
    )
    return f"  {count}x{count} pixel oversample steps" + "".join(t for t, on in extras if on) + "\n"


def progress_line(rendered: int, total: int) -> str:
    """One line of progress."""
    return "%d%% done\n" % (rendered * 100 // total)


def left_grid_warning(where: LeftGrid) -> str:
    """Where interpolation left the reflection list for the first time."""
    h, k, l, h0, k0, l0 = where
    text = "WARNING: out of range for three point interpolation: h,k,l,h0,k0,l0: %g,%g,%g,%d,%d,%d \n"
    return c_format(text, h, k, l, int(h0), int(k0), int(l0)) + "WARNING: further warnings will not be printed! "


def solid_angle(omega_sum: float, steps: int) -> str:
    """Solid angle of the detector, as the C program sums it."""
    omega = omega_sum / steps
    percent = 100 * omega_sum / steps / 4 / math.pi
    return c_format("solid angle subtended by detector = %g steradian ( %g%% sphere)\n", omega, percent)


def written(path: str, count: int | None, size: int) -> str:
    """A file is about to be written."""
    if count is not None:
        return f"writing {path} as {count} {size}-byte floats\n"
    return f"writing {path} as {size}-byte integers\n"


def statistics(found: Statistics, scale: float) -> str:
    """Brightest pixel, mean, deviations and the integer image's scale."""
    return (
        c_format("max_I = %g  at %g %g\n", found.largest, found.largest_fast_m, found.largest_slow_m)
        + c_format("mean= %g rms= %g rmsd= %g\n", found.mean, found.rms, found.rmsd)
        + c_format("intfile_scale = %g\n", scale)
    )


def grey_scale(scale: float) -> str:
    """The PGM's scale."""
    return c_format("pgm_scale = %g\n", scale)


def photons(total: float, overloads: int) -> str:
    """What the noise image holds."""
    return c_format("%.0f photons on noise image (%d overloads)\n", total, overloads)


def list_is_missing(path: str) -> str:
    """The reflection list cannot be opened; no end of the line."""
    return f"ERROR: unable to open {path}."


def list_opened(path: str) -> str:
    """The reflection list is there."""
    return f"counting entries in {path}\n"


def list_is_empty(path: str) -> str:
    """The limits of indices that were never set, and an error that the C program goes on after."""
    limits = "".join(f"{axis}: 1000000000 - -1000000000\n" for axis in "hkl")
    return f"{limits}ERROR: not enough HKL indices in {path}\n"


def list_read(path: str, default_F: float) -> str:
    """The list is in memory."""
    default = f"initializing to default_F = {default_F:g}:\ndone initializing:\n" if default_F != 0.0 else ""
    return f"{default}re-reading {path}\n"


def dump_written(path: str, can_be_written: bool) -> str:
    """The binary dump of structure factors."""
    if not can_be_written:
        return f"WARNING: unable to open dump file: {path}\n"
    return f"writing dump file for next time: {path}\n"


def dump_opened(path: str) -> str:
    """The dump of an earlier run is about to be read."""
    return f"reading Fs from {path}\n"


def table_opened(path: str) -> str:
    """A table of angles, which the C program reads and does not use."""
    return f"reading {path}\n"
