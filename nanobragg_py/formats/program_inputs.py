"""Input files for the programs that process a series: XDS, CrystFEL and DIALS.

Directions for XDS are the laboratory's own; CrystFEL's frame is that of NeXus (z along the beam, y up). Polarization is
Kahn's factor K here, and the fraction (1 + K)/2 of the intensity in the plane of the E vector there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np

from ..base.files import whole_file
from ..base.records import record
from ..base.vectors import cross
from ..model.experiment import Experiment
from .nexus import mcstas_rotation

OPTION = "--write-inputs"


@record
class WrittenSeries:
    """What was written. experiments: one for each frame. stills: no rotation.

    numbered: name with #### of CBF or SMV files, or None. together: name of an NXmx file with all frames, or None.
    saturation: largest count to be trusted.
    """

    experiments: Sequence[Experiment]
    stills: bool
    numbered: str | None
    together: str | None
    saturation: int


def write_inputs(folder: str, written: WrittenSeries) -> list[str]:
    """Write what fits the series into a folder; names of the files. Raises InputError."""
    os.makedirs(folder, exist_ok=True)
    texts = {"dials.sh": dials_script(folder, written)}
    if not written.stills:
        texts["XDS.INP"] = xds_input(folder, written)
    if written.together is not None:
        texts["series.geom"] = crystfel_geometry(written.experiments[0])
        texts["series.lst"] = crystfel_list(folder, written)
    for name, text in texts.items():
        with whole_file(os.path.join(folder, name), OPTION) as file:
            file.write(text.encode())
    return sorted(texts)


def _seen_from(folder: str, path: str) -> str:
    return os.path.relpath(path, folder)


def _numbers(values: Sequence[float]) -> str:
    return " ".join(f"{value:.10g}" for value in values)


def _polarization_fraction(experiment: Experiment) -> float:
    return (1.0 + experiment.beam.kahn_factor) / 2.0


def xds_input(folder: str, written: WrittenSeries) -> str:
    """XDS.INP for XYCORR to CORRECT; the space group is left to IDXREF, the cell is in a comment."""
    e = written.experiments[0]
    d, beam, spindle = e.detector, e.beam, e.spindle
    count = len(written.experiments)
    start, width = np.degrees((spindle.start_rad, spindle.range_rad))
    if written.together is not None:
        template, kind = _seen_from(folder, written.together), "EIGER"
    else:
        template, kind = (written.numbered or "").replace("#", "?"), "PILATUS"
        template = _seen_from(folder, template)
        if template.endswith(".img"):
            kind = "ADSC"
    lengths = np.linalg.norm(np.array(e.crystal.real), axis=1)
    angles = np.degrees(e.crystal.real_angles.angles)
    lines = [
        "! written by nanobragg_py",
        "JOB= XYCORR INIT COLSPOT IDXREF DEFPIX INTEGRATE CORRECT",
        f"NAME_TEMPLATE_OF_DATA_FRAMES= {template}",
        f"DATA_RANGE= 1 {count}",
        f"SPOT_RANGE= 1 {count}",
        f"DETECTOR= {kind}  MINIMUM_VALID_PIXEL_VALUE= 0  OVERLOAD= {written.saturation}",
        f"NX= {d.fpixels} NY= {d.spixels}  QX= {d.pixel_size_m * 1e3:.10g} QY= {d.pixel_size_m * 1e3:.10g}",
        f"SENSOR_THICKNESS= {d.thickness_m * 1e3:.10g}",
        f"ORGX= {d.ORGX:.10g} ORGY= {d.ORGY:.10g}",
        f"DETECTOR_DISTANCE= {d.close_distance_m * 1e3:.10g}",
        f"DIRECTION_OF_DETECTOR_X-AXIS= {_numbers(d.axes.fdet)}",
        f"DIRECTION_OF_DETECTOR_Y-AXIS= {_numbers(d.axes.sdet)}",
        f"X-RAY_WAVELENGTH= {beam.wavelength_m * 1e10:.10g}",
        f"INCIDENT_BEAM_DIRECTION= {_numbers(d.axes.beam)}",
        f"FRACTION_OF_POLARIZATION= {_polarization_fraction(e):.10g}",
        f"POLARIZATION_PLANE_NORMAL= {_numbers(cross(d.axes.beam, d.axes.polar))}",
        f"ROTATION_AXIS= {_numbers(spindle.axis)}",
        f"STARTING_ANGLE= {start:.10g}  OSCILLATION_RANGE= {width:.10g}",
        "SPACE_GROUP_NUMBER= 0",
        f"! UNIT_CELL_CONSTANTS= {_numbers([*lengths, *angles])}",
        "FRIEDEL'S_LAW= TRUE",
    ]
    return "\n".join(lines) + "\n"


def crystfel_geometry(experiment: Experiment) -> str:
    """A .geom file of one panel, for NXmx files with the frames along the first axis."""
    d = experiment.detector
    turn = mcstas_rotation(d.axes)
    fast, slow, corner = (turn @ np.array(vector) for vector in (d.axes.fdet, d.axes.sdet, d.pix0_m))

    def direction(vector: np.ndarray) -> str:
        return " ".join(f"{value:+.9f}{axis}" for value, axis in zip(vector, "xyz", strict=True))

    lines = [
        "; written by nanobragg_py",
        f"wavelength = {experiment.beam.wavelength_m * 1e10:.10g} A",
        f"clen = {corner[2]:.10g} m",
        f"res = {1.0 / d.pixel_size_m:.10g}",
        "adu_per_photon = 1",
        "data = /entry/data/data",
        "dim0 = %",
        "dim1 = ss",
        "dim2 = fs",
        "mask = /entry/instrument/detector/pixel_mask",
        "mask_good = 0x00000000",
        "mask_bad = 0xffffffff",
        "",
        "panel/min_fs = 0",
        f"panel/max_fs = {d.fpixels - 1}",
        "panel/min_ss = 0",
        f"panel/max_ss = {d.spixels - 1}",
        f"panel/corner_x = {corner[0] / d.pixel_size_m:.10g}",
        f"panel/corner_y = {corner[1] / d.pixel_size_m:.10g}",
        f"panel/fs = {direction(fast)}",
        f"panel/ss = {direction(slow)}",
    ]
    return "\n".join(lines) + "\n"


def crystfel_list(folder: str, written: WrittenSeries) -> str:
    """A .lst file with a line for each frame of the NXmx file."""
    name = _seen_from(folder, written.together or "")
    return "".join(f"{name} //{number}\n" for number in range(len(written.experiments)))


def dials_script(folder: str, written: WrittenSeries) -> str:
    """A shell script that takes the series through DIALS, with the options that its import needs.

    dxtbx takes any beam to be polarized as at synchrotrons, whatever the file says.
    """
    e = written.experiments[0]
    lengths = np.linalg.norm(np.array(e.crystal.real), axis=1)
    cell = ",".join(f"{v:.6g}" for v in (*lengths, *np.degrees(e.crystal.real_angles.angles)))
    if written.together is not None:
        images = f'"{_seen_from(folder, written.together)}"'
    else:
        images = f'template="{_seen_from(folder, written.numbered or "")}"'
    polarization = f"geometry.beam.polarization_fraction={_polarization_fraction(e):.6g}"
    lines = [
        "#!/bin/sh",
        "# written by nanobragg_py; run it in this folder",
        "set -e",
        f"dials.import {images} {polarization} geometry.beam.polarization_normal=0,1,0",
        "dials.find_spots imported.expt",
    ]
    if written.stills:
        lines += [
            f"dials.stills_process imported.expt indexing.known_symmetry.unit_cell={cell} "
            "indexing.known_symmetry.space_group=P1"
        ]
    else:
        lines += [
            f"dials.index imported.expt strong.refl unit_cell={cell} space_group=P1",
            "dials.refine indexed.expt indexed.refl",
            "dials.integrate refined.expt refined.refl",
        ]
    return "\n".join(lines) + "\n"
