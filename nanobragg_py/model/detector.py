"""The detector: where every pixel is."""

from __future__ import annotations

import math

from ..base.records import record
from ..base.vectors import Triad, Vector, dot
from .steps import Steps


@record
class Axes:
    """Directions in the laboratory; the spindle and the polarization go with the convention too."""

    fdet: Vector
    sdet: Vector
    odet: Vector
    beam: Vector
    polar: Vector
    spindle: Vector
    twotheta: Vector


@record
class Detector:
    """The resolved detector. Lengths in metres, angles in radians; near point and beam centre as in the log.

    given_pix0_m: the first pixel's corner as it was given, which the C program reads and does not use.
    """

    convention: str
    pivot: str
    axes: Axes
    unturned: Axes
    normal_was_made: bool
    fpixels: int
    spixels: int
    pixel_size_m: float
    detsize_fast_m: float
    detsize_slow_m: float
    distance_m: float
    close_distance_m: float
    Xbeam_m: float
    Ybeam_m: float
    Xclose_m: float
    Yclose_m: float
    Fbeam_m: float
    Sbeam_m: float
    Fclose_m: float
    Sclose_m: float
    ORGX: float
    ORGY: float
    pix0_m: Vector
    dials_origin_mm: Vector
    incident_in_detector: Vector
    rotx: float
    roty: float
    rotz: float
    twotheta: float
    thickness_m: float
    layers: Steps
    attenuation_per_m: float
    attenuation_was_assumed: bool
    curved: bool
    point_pixel: bool
    given_pix0_m: Vector | None
    pivot_inputs: PivotInputs

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.fpixels * self.spixels


@record
class PivotInputs:
    """Beam centre and distance (metres) that a pivot about the beam spot started from; the trace shows them."""

    Fbeam_m: float
    Sbeam_m: float
    distance_m: float


def beam_spot(detector: Detector) -> tuple[float, float, float]:
    """Where the direct beam meets the detector: fast and slow pixel, from the first one's outer corner; metres away.

    With -twotheta these are not the log's beam centre and distance, which are worked out as if there were no swing.
    Those are given all the same where the beam misses the detector's plane.
    """
    axes, pixel = detector.axes, detector.pixel_size_m
    towards = dot(axes.beam, axes.odet)
    if towards < 1e-6:
        return detector.Fbeam_m / pixel, detector.Sbeam_m / pixel, detector.distance_m
    distance = detector.close_distance_m / towards
    (bx, by, bz), (px, py, pz) = axes.beam, detector.pix0_m
    spot = (distance * bx - px, distance * by - py, distance * bz - pz)
    return dot(spot, axes.fdet) / pixel, dot(spot, axes.sdet) / pixel, distance


def rotation_matrices(rotx: float, roty: float, rotz: float) -> tuple[Triad, Triad, Triad, Triad]:
    """The detector's rotations about x, y and z, and their product z·y·x, as rows; angles in radians.

    For the trace, which shows them: vectors are turned by base/vectors.py, `turned`, without a matrix.
    """
    cx, sx = math.cos(rotx), math.sin(rotx)
    cy, sy = math.cos(roty), math.sin(roty)
    cz, sz = math.cos(rotz), math.sin(rotz)
    about_x = ((1.0, 0.0, 0.0), (0.0, cx, -sx), (0.0, sx, cx))
    about_y = ((cy, 0.0, sy), (0.0, 1.0, 0.0), (-sy, 0.0, cy))
    about_z = ((cz, -sz, 0.0), (sz, cz, 0.0), (0.0, 0.0, 1.0))
    return about_x, about_y, about_z, _product(about_z, _product(about_y, about_x))


def _product(a: Triad, b: Triad) -> Triad:
    """Matrix product, each element summed from zero."""

    def element(i: int, j: int) -> float:
        total = 0.0
        for k in range(3):
            total += a[i][k] * b[k][j]
        return total

    def row(i: int) -> Vector:
        return (element(i, 0), element(i, 1), element(i, 2))

    return (row(0), row(1), row(2))
