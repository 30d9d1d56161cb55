"""The trace of a pixel: names and formats only. Every value was computed where the image was, or resolved before it.

Lines of two families, as the trace-instrumented C program prints them: `LABEL:name=value` for the geometry,
`LABEL: name values` for the pixel, with the fixed label TRACE for the construction of the cell.
"""

from __future__ import annotations

import math

import numpy as np

from ..base.c_numbers import c_format
from ..base.shapes import SQUARE
from ..base.vectors import RADIAN_IN_DEGREES, Triad, Vector, length, scaled
from ..kernels.layout import PIXEL_COLUMNS, SUBPIXEL_COLUMNS
from ..model.beam import R_E_SQR_M2, Beam
from ..model.crystal import Crystal
from ..model.detector import Detector, rotation_matrices
from ..model.experiment import Experiment


def _three(vector: Vector) -> str:
    return c_format("%.15g %.15g %.15g", *vector)


def detector_axes(detector: Detector) -> str:
    """Axes after all rotations."""
    axes = detector.axes
    return (
        f"DETECTOR_FAST_AXIS {_three(axes.fdet)}\n"
        f"DETECTOR_SLOW_AXIS {_three(axes.sdet)}\n"
        f"DETECTOR_NORMAL_AXIS {_three(axes.odet)}\n"
    )


def detector_origin(detector: Detector) -> str:
    """Where the first pixel's corner is."""
    return f"DETECTOR_PIX0_VECTOR {_three(detector.pix0_m)}\n"


def _rows(matrix: Triad) -> str:
    return "[" + "; ".join(_three(row) for row in matrix) + "]"


def pivot_block(d: Detector, label: str) -> str:
    """The geometry of a pivot about the beam spot.

    Some lines are the same whatever the convention; the beam centre is a thousandth of what its name says. The C
    program prints them so, and diff must stay silent.
    """
    axes, start = d.axes, d.pivot_inputs
    about_x, about_y, about_z, about_all = rotation_matrices(d.rotx, d.roty, d.rotz)
    f, s, distance = start.Fbeam_m, start.Sbeam_m, start.distance_m
    entries = (
        ("detector_convention", "MOSFLM"),
        ("angles_rad", c_format("rotx:%.15g roty:%.15g rotz:%.15g twotheta:%.15g", d.rotx, d.roty, d.rotz, d.twotheta)),
        (
            "beam_center_m",
            c_format("X:%.15g Y:%.15g pixel_mm:%.15g", d.Xbeam_m / 1000.0, d.Ybeam_m / 1000.0, d.pixel_size_m * 1000.0),
        ),
        ("initial_fdet", "0 0 1"),
        ("initial_sdet", "0 -1 0"),
        ("initial_odet", "1 0 0"),
        ("Rx", _rows(about_x)),
        ("Ry", _rows(about_y)),
        ("Rz", _rows(about_z)),
        ("R_total", _rows(about_all)),
        ("fdet_after_rotz", _three(axes.fdet)),
        ("sdet_after_rotz", _three(axes.sdet)),
        ("odet_after_rotz", _three(axes.odet)),
        ("twotheta_axis", _three(axes.twotheta)),
        ("fdet_after_twotheta", _three(axes.fdet)),
        ("sdet_after_twotheta", _three(axes.sdet)),
        ("odet_after_twotheta", _three(axes.odet)),
        ("convention_mapping", "Fbeam←Ybeam_mm(+0.5px),Sbeam←Xbeam_mm(+0.5px),beam_vec=[1 0 0]"),
        ("Fbeam_m", "%.15g" % f),
        ("Sbeam_m", "%.15g" % s),
        ("distance_m", "%.15g" % distance),
        ("term_fast", _three(scaled(axes.fdet, -f))),
        ("term_slow", _three(scaled(axes.sdet, -s))),
        ("term_beam", _three(scaled(axes.beam, distance))),
        ("pix0_vector", _three(d.pix0_m)),
    )
    return "".join(f"{label}:{name}={value}\n" for name, value in entries)


def _brackets(vector: Vector) -> str:
    return c_format("[%g, %g, %g]", *vector)


def _listed(indent: str, names: tuple[str, ...], vectors: Triad, with_length: str | None = None) -> str:
    """Lines `name = [x, y, z]`, with the length and its unit where the C program adds it."""
    lines = []
    for name, vector in zip(names, vectors, strict=True):
        tail = ""
        if with_length is not None:
            bare = name.removesuffix(" (raw)").rsplit(" ", 1)[-1]
            tail = c_format(f" |{bare}| = %g{with_length}", length(vector))
        lines.append(f"TRACE:{indent}{name} = {_brackets(vector)}{tail}\n")
    return "".join(lines)


_STARS = ("a_star", "b_star", "c_star")


def matrix_block(crystal: Crystal, beam: Beam) -> str:
    """From the numbers of a matrix file to reciprocal vectors."""
    setting = crystal.setting
    if setting.from_matrix is None or setting.by_wavelength is None:
        return ""
    lines = [
        "TRACE: Raw matrix values from file:\n",
        _listed("   ", tuple(f"{name} (raw)" for name in _STARS), setting.from_matrix),
        c_format("TRACE:   lambda0 = %g Angstroms\n", beam.wavelength_m * 1e10),
        c_format("TRACE:   scaling factor = 1e-10/lambda0 = %g\n", 1e-10 / beam.wavelength_m),
        "TRACE: After wavelength correction:\n",
        _listed("   ", _STARS, setting.by_wavelength, ""),
    ]
    return "".join(lines)


def misset_block(crystal: Crystal) -> str:
    """Reciprocal vectors before and after the mis-setting rotation."""
    setting = crystal.setting
    if setting.misset is None:
        return ""
    # The rotation does not measure the vectors anew: the C program shows the lengths from before it.
    lines = [
        "TRACE: Before misset rotation:\n",
        _listed_with(setting.unturned, setting.lengths),
        c_format("TRACE:   misset angles = [%g, %g, %g] degrees\n", *scaled(setting.misset, RADIAN_IN_DEGREES)),
        "TRACE: After misset rotation:\n",
        _listed_with(crystal.steps.turned, setting.lengths),
    ]
    return "".join(lines)


def _listed_with(vectors: Triad, lengths: Vector) -> str:
    rows = zip(_STARS, vectors, lengths, strict=True)
    return "".join(c_format(f"TRACE:   {n} = {_brackets(v)} |{n}| = %g\n", size) for n, v, size in rows)


def cell_block(crystal: Crystal) -> str:
    """From reciprocal vectors to the real cell and back, in Å."""
    steps = crystal.steps
    a_x_b, b_x_c, c_x_a = steps.cross_products
    fa_x_b, fb_x_c, fc_x_a = steps.cross_products_scaled
    r_a_x_b, r_b_x_c, r_c_x_a = steps.real_cross_products
    given_lengths = crystal.setting.lengths
    lines = [
        "TRACE: Computing cross products of reciprocal vectors:\n",
        "TRACE:   Input vectors for cross products:\n",
        _listed("     ", _STARS, steps.turned),
        "TRACE:   Cross product results:\n",
        _listed("     ", ("a_star x b_star", "b_star x c_star", "c_star x a_star"), (a_x_b, b_x_c, c_x_a)),
        "TRACE: Reciprocal cell volume calculation:\n",
        c_format("TRACE:   V_star = a_star . (b_star x c_star) = %g\n", steps.V_star_first),
        c_format("TRACE: Direct-space cell volume: V_cell = 1/V_star = %g\n", steps.V_cell),
        "TRACE: Before computing real-space vectors:\n",
        _listed(
            "   ",
            ("b_star_cross_c_star", "c_star_cross_a_star", "a_star_cross_b_star"),
            (fb_x_c, fc_x_a, fa_x_b),
        ),
        c_format("TRACE:   V_cell = %g, V_star = %g\n", steps.V_cell, steps.V_star),
        "TRACE: After computing real-space vectors:\n",
        _listed("   ", ("a", "b", "c"), steps.real, ""),
        "TRACE: Re-generating reciprocal vectors from real-space vectors:\n",
    ]
    for name, vector, size in zip(_STARS, steps.turned, given_lengths, strict=True):
        lines.append(c_format(f"TRACE:   Before re-generation: {name} = {_brackets(vector)} |{name}| = %g\n", size))
    products = zip(("b_cross_c", "c_cross_a", "a_cross_b"), (r_b_x_c, r_c_x_a, r_a_x_b), strict=True)
    lines += [f"TRACE:   Cross products: {name} = {_brackets(vector)}\n" for name, vector in products]
    lines.append(_listed("   After re-generation: ", _STARS, crystal.reciprocal, ""))
    return "".join(lines)


def metre_block(crystal: Crystal) -> str:
    """The real cell in metres."""
    names, zero, phi = ("a", "b", "c"), ("a0", "b0", "c0"), ("ap", "bp", "cp")
    return "".join(
        (
            "TRACE: Converting real-space vectors from Angstroms to meters:\n",
            _listed("   Before conversion: ", names, crystal.real, " Angstroms"),
            _listed("   After conversion: ", names, crystal.real_m, " meters"),
            "TRACE: Copying vectors to a0, b0, c0 (phi=0 mosaic=0 reference):\n",
            _listed("   ", zero, crystal.real_m, " meters"),
            "TRACE: Copying vectors to ap, bp, cp (phi=0 working copy):\n",
            _listed("   ", phi, crystal.real_m, " meters"),
        )
    )


def announcement(spixel: int, fpixel: int) -> str:
    """Which pixel is traced."""
    return f"TRACE_CONFIG: tracing pixel (spixel={spixel}, fpixel={fpixel})\n"


def _value(row: np.ndarray, name: str) -> float:
    return float(row[SUBPIXEL_COLUMNS[name]])


def _vector(row: np.ndarray, first: str, scale: float = 1.0) -> str:
    at = SUBPIXEL_COLUMNS[first]
    x, y, z = row[at : at + 3].tolist()
    return _three((x, y, z) if scale == 1.0 else (x * scale, y * scale, z * scale))


def pixel_block(experiment: Experiment, record: np.ndarray, stored: float, label: str, warning: str = "") -> str:
    """All lines of a traced pixel; `stored` is its value in the image.

    warning: what the run log says where interpolation leaves the list in this pixel, in the midst of the trace.
    """
    parts: list[str] = []

    def add(lines: list[str]) -> None:
        parts.extend(f"{label}: {line}\n" for line in lines)

    left_row = record[-1][PIXEL_COLUMNS["left_row"]]
    for number, row in enumerate(record[:-1]):
        add(_scattering_lines(experiment, row))
        if not math.isnan(_value(row, "h")):
            add(_lattice_lines(experiment, row))
        in_first_step = _value(row, "left") == 1.0
        if in_first_step:
            parts.append(warning)
        if not math.isnan(_value(row, "F_cell")):
            add([c_format("F_cell %.15g", _value(row, "F_cell"))])
        if number == left_row and not in_first_step:
            parts.append(warning)
    add(_final_lines(experiment, record[-1], stored))
    return "".join(parts)


def _scattering_lines(experiment: Experiment, row: np.ndarray) -> list[str]:
    detector = experiment.detector
    airpath, wavelength = _value(row, "airpath"), _value(row, "wavelength")
    return [
        f"pix0_vector_meters {_three(detector.pix0_m)}",
        f"fdet_vec {_three(detector.axes.fdet)}",
        f"sdet_vec {_three(detector.axes.sdet)}",
        f"pixel_pos_meters {_vector(row, 'x')}",
        c_format("R_distance_meters %.15g", airpath),
        c_format("omega_pixel_sr %.15g", _value(row, "omega")),
        c_format("close_distance_meters %.15g", detector.close_distance_m),
        c_format("obliquity_factor %.15g", detector.close_distance_m / airpath),
        f"diffracted_vec {_vector(row, 'dx')}",
        f"incident_vec {_vector(row, 'ix')}",
        c_format("lambda_meters %.15g", wavelength),
        c_format("lambda_angstroms %.15g", wavelength * 1e10),
        f"scattering_vec_A_inv {_vector(row, 'sx')}",
    ]


def _lattice_lines(experiment: Experiment, row: np.ndarray) -> list[str]:
    reciprocal = experiment.crystal.reciprocal
    lines = [f"rot_{name}_angstroms {_vector(row, f'{name}x', 1e10)}" for name in "abc"]
    lines += [f"rot_{name}_star_A_inv {_three(vector)}" for name, vector in zip("abc", reciprocal, strict=True)]
    lines.append(f"hkl_frac {_vector(row, 'h')}")
    lines.append("hkl_rounded %d %d %d" % tuple(int(_value(row, name)) for name in ("h0", "k0", "l0")))
    if experiment.crystal.shape is SQUARE:
        names = ("F_latt_a", "F_latt_b", "F_latt_c", "F_latt")
        lines += [c_format(f"{name} %.15g", _value(row, name)) for name in names]
    return lines


def _final_lines(experiment: Experiment, last: np.ndarray, stored: float) -> list[str]:
    factors = experiment.factors

    def value(name: str) -> float:
        return float(last[PIXEL_COLUMNS[name]])

    entries: tuple[tuple[str, float], ...] = (
        ("I_before_scaling", value("intensity")),
        ("r_e_meters", math.sqrt(R_E_SQR_M2)),
        ("r_e_sqr", R_E_SQR_M2),
        ("fluence_photons_per_m2", experiment.beam.intensity.fluence_per_m2),
        ("steps", experiment.steps),
        ("oversample_thick", int(factors.thick)),
        ("oversample_polar", int(factors.polar)),
        ("oversample_omega", int(factors.omega)),
        ("capture_fraction", value("capture")),
        ("polar", value("polarization")),
        ("omega_pixel", value("omega")),
        ("cos_2theta", value("cos_2theta")),
        ("I_pixel_final", value("photons")),
        ("floatimage_accumulated", stored),
    )
    return [c_format(f"{name} %.15g", number) for name, number in entries]
