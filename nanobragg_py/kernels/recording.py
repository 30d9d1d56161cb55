"""What a pixel writes down of itself, for the trace and -printout: the columns of layout.py.

record: float64 (rows, layout.RECORD_COLUMNS), a row for each layer and sub-pixel and one, the last, for the pixel; of
no rows when nothing is to be recorded. row: that of a sub-pixel, below 0 for none.
"""

from __future__ import annotations

from .jit import inlined
from .layout import PIXEL_COLUMNS, SUBPIXEL_COLUMNS

# Compile-time constants for the columns that open each group of values.
(SUB_POSITION, SUB_AIRPATH, SUB_OMEGA, SUB_DIFFRACTED, SUB_INCIDENT, SUB_WAVELENGTH, SUB_SCATTERING) = (
    SUBPIXEL_COLUMNS[name] for name in ("x", "airpath", "omega", "dx", "ix", "wavelength", "sx")
)
(SUB_CELL, SUB_HKL, SUB_NEAREST, SUB_LATTICE, SUB_CELL_F, SUB_LEFT) = (
    SUBPIXEL_COLUMNS[name] for name in ("ax", "h", "h0", "F_latt", "F_cell", "left")
)
(PIX_POSITION, PIX_STOL, PIX_HKL, PIX_NEAREST, PIX_CELL_F, PIX_LATTICE, PIX_CELL) = (
    PIXEL_COLUMNS[name] for name in ("x", "stol", "h", "h0", "F_cell", "F_latt", "ax")
)
(PIX_INTENSITY, PIX_CAPTURE, PIX_POLARIZATION, PIX_OMEGA, PIX_COS, PIX_PHOTONS, PIX_LEFT) = (
    PIXEL_COLUMNS[name]
    for name in ("intensity", "capture", "polarization", "omega", "cos_2theta", "photons", "left_row")
)


@inlined
def put3(record, row, column, x, y, z):
    """Write three neighbouring values."""
    record[row, column], record[row, column + 1], record[row, column + 2] = x, y, z


@inlined
def note_ray(record, row, position, ray, airpath, omega):
    """Where a sub-pixel is (m), the unit vector towards it, its distance and solid angle."""
    if row >= 0:
        put3(record, row, SUB_POSITION, position[0], position[1], position[2])
        put3(record, record.shape[0] - 1, PIX_POSITION, position[0], position[1], position[2])
        put3(record, row, SUB_DIFFRACTED, ray[0], ray[1], ray[2])
        record[row, SUB_AIRPATH] = airpath
        record[row, SUB_OMEGA] = omega


@inlined
def note_source(record, row, source, incident, wavelength, scattering, stol):
    """What a source makes of a sub-pixel; the first one's in full."""
    if row >= 0:
        record[record.shape[0] - 1, PIX_STOL] = stol
        if source == 0:
            put3(record, row, SUB_INCIDENT, incident[0], incident[1], incident[2])
            put3(record, row, SUB_SCATTERING, scattering[0], scattering[1], scattering[2])
            record[row, SUB_WAVELENGTH] = wavelength


@inlined
def note_lattice(record, row, cell, h, k, l, h0, k0, l0, F_latt):
    """The lattice of a sub-pixel's first step (row), and of the pixel's latest (what -printout shows)."""
    last = record.shape[0] - 1
    if last >= 0:
        for i in range(9):
            record[last, PIX_CELL + i] = cell[i]
        put3(record, last, PIX_HKL, h, k, l)
        put3(record, last, PIX_NEAREST, h0, k0, l0)
        record[last, PIX_LATTICE] = F_latt
    if row >= 0:
        for i in range(9):
            record[row, SUB_CELL + i] = cell[i]
        put3(record, row, SUB_HKL, h, k, l)
        put3(record, row, SUB_NEAREST, h0, k0, l0)
        record[row, SUB_LATTICE] = F_latt


@inlined
def note_amplitude(record, row, F_cell, left):
    """The structure factor of the same steps; left: whether interpolation left the list there."""
    last = record.shape[0] - 1
    if last >= 0:
        record[last, PIX_CELL_F] = F_cell
    if row >= 0:
        record[row, SUB_CELL_F] = F_cell
        record[row, SUB_LEFT] = left


@inlined
def note_left_row(record, row):
    """The sub-pixel in which interpolation left the list."""
    if row >= 0:
        record[record.shape[0] - 1, PIX_LEFT] = row


@inlined
def note_pixel(record, intensity, capture, polarization, omega, cos_2theta, photons):
    """What the pixel came to."""
    last = record.shape[0] - 1
    if last >= 0:
        put3(record, last, PIX_INTENSITY, intensity, capture, polarization)
        put3(record, last, PIX_OMEGA, omega, cos_2theta, photons)
