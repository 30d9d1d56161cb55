"""The kernels' names and C prototypes: one table, from which the compiler's side and the caller's side are made.

A prototype reads as in C, with the sizes of its numbers in their names; `parameters*` and `walk*` point to one record
of layout.PARAMETERS and layout.WALK. The arguments' names are those in entry.py, where each kernel says what they are.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

from ...base.shapes import SHAPES

_SCENE = (
    "parameters* parameters, float64* sources, float64* cells, float64* domains, float64* amplitudes, uint16* mask, "
    "float32* image"
)
_FAST_ROWS = (
    f"int64 ({_SCENE}, float64* scratch, int64* open_pixels, float64* omega, int64* left, int64 interpolating, "
    "int64 first, int64 last)"
)
_STORED_ROWS = f"int64 ({_SCENE}, float64* scratch, int64* open_pixels, float64* geometry, int64 first, int64 last)"

# Kernels that exist once for each shape of crystal.
_BY_SHAPE: dict[str, str] = {
    "render_{shape}": _FAST_ROWS,
    "render_{shape}_tricubic": _FAST_ROWS,
    "render_stored_{shape}": _STORED_ROWS,
}
# Kernels that any run may want, the one that takes longest to compile first.
COMMON: dict[str, str] = {
    "render_pixels": f"int64 ({_SCENE}, walk* walk, float64* omega, float64* record, int64 rows, int64* chosen, "
    "int64 count, int64 first, int64 last)",
    "poisson_words": "void (float32* values, uint16* words, int64 count, float64 offset, int64* table, "
    "int64* stream, float32* singles, float64* totals)",
    "read_plain_list": "int64 (uint8* characters, int64 size, int64 rows, int32* hkl, float64* F)",
    "mosaic_rotations": "void (int64* table, int64* stream, float64 spread_rad, int64 count, float64* matrices)",
    "solid_angle_sum": "float64 (parameters* parameters, uint16* mask)",
    "add_up": "void (float32* image, uint16* mask, int64 masked, int64 fpixels, int64 spixels, int64* roi, "
    "float64* totals)",
    "squared_deviations": "float64 (float32* image, int64 fpixels, int64 spixels, int64* roi, float64 average)",
    "scale_to_words": "void (float32* values, uint16* words, int64 count, float64 scale, float64 offset)",
    "scale_to_bytes": "void (float32* values, uint8* grey, int64 count, float64 scale)",
}
# Kernels for series of images from Python, and for their spots.
_SERIES: dict[str, str] = {
    "poisson_deviates": "void (float32* values, float32* deviates, int64 count, int64* table, int64* stream, "
    "float32* singles)",
    "store_geometry": "void (parameters* parameters, float64* sources, float64* geometry, float64* scratch, "
    "int64 first, int64 last)",
    "near_sphere": "int64 (float64* hkl, int64 size, float64* metric, float64* along, float64 limit, int64* index)",
    "climb": "void (float32* image, int64 spixels, int64 fpixels, float64* position, int64 size, int64 steps, "
    "int64* pixel, uint8* top)",
}
# Kernels of noisify.
_DETECTOR: dict[str, str] = {
    "draw_photons": "float64 (float32* photons, int64 count, float64 flicker, float64 calibration, int64* table, "
    "int64* stream, float32* singles, int64 own, int64* calibration_table, int64* calibration_stream, "
    "float32* calibration_singles)",
    "read_out": "void (float32* photons, uint16* words, uint32* long_words, int64 count, float64 gain, float64 offset, "
    "float64 noise, float64 limit, int64 rounded, float64 lowest, int64* table, int64* stream, float32* singles, "
    "float64* totals)",
    "spread_radius": "int64 (int64 kind, float64 photons, float64 fwhm, float64 g)",
    "spread_radii": "float64 (float32* image, int32* radii, int64 count, int64 kind, int64 wanted, int64 most, "
    "float64 fwhm, float64 g)",
    "spread_fractions": "void (float64* fractions, int64 kind, int64 radius, float64 fwhm, float64 g)",
    "spread_rows": "float64 (float32* image, int32* radii, int32* farthest, float64* fractions, float32* spread, "
    "float32* line, int64 fast, int64 slow, int64 radius, int64 wraps, int64 first, int64 last)",
    "spread_neighbours": "void (float32* image, float32* fractions, float32* spread, float32* sums, int64 fast, "
    "int64 slow, int64 radius, int64 taps, int64 first, int64 last)",
    "spread_coarsen": "void (float32* fine, float32* coarse, float32* line, int64 fast, int64 slow, int64 coarse_fast, "
    "int64 coarse_slow, int64 first, int64 last)",
    "spread_refine": "void (float32* coarse, float32* fine, float32* line, int64 fast, int64 slow, int64 coarse_fast, "
    "int64 coarse_slow, int64 first, int64 last)",
}
# Kernels of scattering by amorphous materials.
_AMORPHOUS: dict[str, str] = {
    "amorphous_pixels": "void (parameters* parameters, float64* sources, float64* stol, float64* F, int64 points, "
    "float64 molecules, float32* image, int64* place, float64* axis, float64* omega, float64* seen, int64 keep_seen, "
    "int64* chosen, int64 count, int64 first, int64 last)",
    "amorphous_rows": "int64 (parameters* parameters, float64* sources, float64* axis, float64* table, "
    "int64 table_rows, int32* starts, int64 slots, float64 slots_per_stol, float64 molecules, float32* image, "
    "float64* scratch, int64* open_pixels, float64* omega, int64 first, int64 last)",
}
# Kernels of a detector with noise of its own.
_MEASURING: dict[str, str] = {
    "add_scaled": "void (float32* image, float32* shape, int64 first, int64 last, float64 factor)",
    "count_photons": "void (float32* means, float32* errors, float32* photons, int64 size, int64 first, int64 last, "
    "float64 factor, float64 calibration, int64 seed, uint32* sums, uint8* guide)",
    "report_counts": "void (float32* photons, int32* counts, int64 size, int64 first, int64 last, float64 gain, "
    "float64 offset, float64 readout, float64 largest, int64 seed, float64* ziggurat, float64* totals)",
    "calibration_errors": "void (float32* errors, int64 size, int64 first, int64 last, int64 seed, float64* ziggurat)",
    "flicker_deviate": "float64 (int64 seed, float64* ziggurat)",
    "random_tables": "void (uint32* sums, uint8* guide, float64* ziggurat)",
}
PROTOTYPES: dict[str, str] = (
    COMMON
    | _SERIES
    | _DETECTOR
    | _AMORPHOUS
    | _MEASURING
    | {name.format(shape=shape.name): prototype for shape in SHAPES for name, prototype in _BY_SHAPE.items()}
)

_C_TYPES: dict[str, Any] = {"void": None, "int64": ctypes.c_int64, "float64": ctypes.c_double}


class Signature(NamedTuple):
    """What a kernel returns, and its arguments' names and types, in order."""

    result: str
    arguments: dict[str, str]

    def c_function(self, address: int) -> Any:
        """The function at this address, callable with numbers and addresses (int or None); lets go of the GIL."""
        types = [_c_type(kind) for kind in (self.result, *self.arguments.values())]
        return ctypes.CFUNCTYPE(*types)(address)


def _c_type(kind: str) -> Any:
    return ctypes.c_void_p if kind.endswith("*") else _C_TYPES[kind]


def signature(name: str) -> Signature:
    """The signature of the kernel `name`."""
    result, arguments = PROTOTYPES[name].removesuffix(")").split(" (")
    pairs = (argument.split(" ") for argument in arguments.split(", "))
    return Signature(result, {word: kind for kind, word in pairs})


def symbol(name: str) -> str:
    """A kernel's name in its object code."""
    return f"nanobragg_{name}"
