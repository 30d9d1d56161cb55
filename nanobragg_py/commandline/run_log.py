"""The run log on standard output: the C program's lines from the resolved parts, in its order and formats."""

from __future__ import annotations

import math
from importlib import resources

from ..base.c_numbers import c_format
from ..base.vectors import cross, length
from ..model.background import AVOGADRO
from ..model.cell import Angles
from ..model.crystal import Crystal
from ..model.experiment import Camera, Experiment
from ..model.subpixels import Oversampling
from ..options.config import Config

RTD = 180.0 * 0.31830988618379067154


def header_lines(paths: tuple[str, ...]) -> str:
    """Lines about headers read; the address is a matter of chance in the C program."""
    return "".join(f"reading {path}\nmmap({path}) = 0x5555555592a0\n" for path in paths)


def opening(camera: Camera) -> str:
    """From the first warnings to the banner."""
    lines = []
    intensity = camera.intensity
    if intensity.clipped_height_m is not None:
        template = "WARNING: clipping sample (%g m high) with beam (%g m)\n"
        lines.append(template % (intensity.clipped_height_m, intensity.beamsize_m))
    if intensity.clipped_width_m is not None:
        template = "WARNING: clipping sample (%g m wide) with beam (%g m)\n"
        lines.append(template % (intensity.clipped_width_m, intensity.beamsize_m))
    if camera.detector.normal_was_made:
        lines.append("WARNING: auto-generating odet_vector\n")
    lines.append("nanoBragg nanocrystal diffraction simulator - James Holton and Ken Frankel 5-17-17\n")
    return "".join(lines)


def usage(camera: Camera, config: Config, no_factors: bool) -> str:
    """What the C program prints when it has nothing to do."""
    text = resources.files(__package__).joinpath("usage.txt").read_text(encoding="utf-8")
    values = {
        "adc": "%g" % config.adc_offset,
        "polar": "1",
        "beamsize": "%g" % (config.beamsize_m * 1000),
        "exposure": "%g" % config.exposure_s,
    }
    for name in ("fdet", "sdet", "odet", "beam", "polar", "spindle"):
        values[f"{name}_vector"] = "%g %g %g" % getattr(camera.detector.unturned, name)
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return ("ERROR: no hkl file and no dump file to read." if no_factors else "") + text


def geometry(camera: Camera) -> str:
    """Sensor and mosaic warnings, convention, pivot."""
    detector = camera.detector
    lines = []
    if detector.attenuation_was_assumed:
        lines.append(c_format("WARNING: setting detector attenuation depth to %g m\n", detector.attenuation_per_m))
    if camera.mosaic.warning:
        lines.append(camera.mosaic.warning + "\n")
    lines.append(f"{detector.convention} convention selected.\n")
    return "".join(lines)


def pivot_line(camera: Camera) -> str:
    """Which point the detector turns about."""
    point = "sample" if camera.detector.pivot == "sample" else "direct beam spot"
    return f"pivoting detector around {point}\n"


def beam_in_detector(camera: Camera) -> str:
    """The beam in XDS's sense."""
    return c_format("XDS incident beam: %g %g %g\n", *camera.detector.incident_in_detector)


def interpolation(config: Config, on: bool) -> str:
    """Whether interpolation was chosen, when the user did not."""
    if config.interpolate is not None:
        return ""
    return f"auto-selected {'tricubic interpolation of structure factors' if on else 'no interpolation'}\n"


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
    if crystal.constructed_angles is None:
        return ""
    # The C program's spelling of the last name.
    return _oddball(crystal.constructed_angles, "reciprocal cell angles", _star_names("cos9gamma_star)"))


def matrix_line(crystal: Crystal) -> str:
    """The matrix file is about to be read."""
    return f"reading {crystal.mat_file}\n"


def random_orientation(crystal: Crystal) -> str:
    """Angles that -misset would take to give the same orientation."""
    if not crystal.misset_was_random:
        return ""
    return "random orientation misset angles: %f %f %f deg\n" % tuple(angle * RTD for angle in crystal.misset)


def cell(crystal: Crystal) -> str:
    """Cell, volume and vectors."""
    (a, b, c), (sa, sb, sc) = crystal.real, crystal.reciprocal
    real_angles = tuple(angle * RTD for angle in crystal.real_angles.angles)
    reciprocal_angles = tuple(angle * RTD for angle in crystal.reciprocal_angles.angles)
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


def _vector_table(names, vectors) -> str:
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


def sampling(camera: Camera) -> str:
    """Sensor layers and spindle steps."""
    layers = camera.detector.layers
    lines = ["thick%d = %g um\n" % (tic, layers.step * tic * 1e6) for tic in range(layers.count)]
    positions = camera.phi.positions(camera.phi_start)
    lines += ["phi%d = %g\n" % (tic, phi * RTD) for tic, phi in enumerate(positions)]
    return "".join(lines)


def sources(beam) -> str:
    """Divergence, wavelengths, and the list of sources."""
    lines = [c_format("divergence deviation: %g %g\n", *pair) for pair in beam.deviations_rad]
    lines += ["lambda%d = %.15g\n" % pair for pair in enumerate(beam.wavelengths_m)]
    lines.append("  created a total of %d sources:\n" % len(beam.weight))
    rows = zip(beam.position_m.tolist(), beam.weight.tolist(), beam.wavelength_m.tolist(), strict=True)
    lines += [c_format("%g %g %g   %g %g\n", *position, weight, wave) for position, weight, wave in rows]
    return "".join(lines)


_SHAPES = {"round": "ellipsoidal", "square": "parallelpiped", "gauss": "gaussian", "tophat": "tophat-spot"}


def summary(experiment: Experiment) -> str:
    """The block before the image is rendered."""
    config, camera, crystal = experiment.config, experiment.camera, experiment.crystal
    lines = [
        "  created a total of %d mosaic domains\n" % camera.mosaic.domains,
        "  %d initialized hkls (all others =%g)\n" % (experiment.grid.reflections, config.default_F),
        "  %s xtal: %.0fx%.0fx%.0f cells\n" % (_SHAPES[config.shape], crystal.Na, crystal.Nb, crystal.Nc),
        "  wave=%g meters +/- %g%% in %d steps\n"
        % (camera.wavelength_m, camera.dispersion.range * 100, camera.dispersion.count),
        "  polarization effect disabled\n"
        if config.nopolar
        else "  Kahn polarization factor: %f\n" % config.polarization,
        "  curved detector: all pixels same distance from origin\n" if config.curved_detector else "",
        "  pixel obliquity effect disabled\n" if config.point_pixel else "",
        "  incident fluence: %g photons/m^2\n" % camera.intensity.fluence_per_m2,
        _detector_lines(camera),
        _region_lines(experiment),
        _oversampling_line(experiment),
    ]
    if experiment.mask is not None:
        lines.append(f"  skipping zero-flagged pixels in {config.mask_file}\n")
    if config.write_noise:
        lines.append("\n  noise image paramters:\n")
        lines.append("  seed: %d\n" % experiment.noise_seed)
        lines.append("  water droplet size: %g m\n" % config.water_m)
    return "".join(lines)


def _detector_lines(camera: Camera) -> str:
    d = camera.detector
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
    camera = experiment.camera
    region, phi, start = camera.region, camera.phi, camera.phi_start
    return "".join(
        (
            "  roi: %d < x < %d && %d < y < %d\n"
            % (region.fast_first, region.fast_last, region.slow_first, region.slow_last),
            "  hdivrange=%g hdivstep=%g  radians\n" % (camera.horizontal.range, camera.horizontal.step),
            "  vdivrange=%g vdivstep=%g  radians\n" % (camera.upright.range, camera.upright.step),
            "  %d divergence steps\n" % experiment.sources.divergence_steps,
            "  %d sources\n" % len(experiment.sources.weight),
            "  %d mosaic domains over mosaic spread of %g degrees\n"
            % (camera.mosaic.domains, camera.mosaic.spread * RTD),
            "  %d phi steps from %g to %g degrees\n" % (phi.count, start * RTD, (start + phi.range) * RTD),
        )
    )


def _oversampling_line(experiment: Experiment) -> str:
    config, count = experiment.config, experiment.oversampling.used
    extras = (
        (" +thick", config.oversample_thick),
        (" +polar", config.oversample_polar),
        (" +omega", config.oversample_omega),
    )
    return f"  {count}x{count} pixel oversample steps" + "".join(t for t, on in extras if on) + "\n"


def progress_line(rendered: int, total: int) -> str:
    """One line of progress."""
    return "%d%% done\n" % (rendered * 100 // total)


def left_grid_warning(latch) -> str:
    """Where interpolation left the reflection list for the first time."""
    h, k, l, h0, k0, l0 = latch
    text = "WARNING: out of range for three point interpolation: h,k,l,h0,k0,l0: %g,%g,%g,%d,%d,%d \n"
    return c_format(text, h, k, l, int(h0), int(k0), int(l0)) + "WARNING: further warnings will not be printed! "


def solid_angle(omega_sum: float, steps: int) -> str:
    """Solid angle of the detector, as the reference sums it."""
    omega = omega_sum / steps
    percent = 100 * omega_sum / steps / 4 / math.pi
    return c_format("solid angle subtended by detector = %g steradian ( %g%% sphere)\n", omega, percent)


def written(path: str, count: int | None, size: int) -> str:
    """A file is about to be written."""
    if count is not None:
        return f"writing {path} as {count} {size}-byte floats\n"
    return f"writing {path} as {size}-byte integers\n"


def statistics(found, scale: float) -> str:
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
