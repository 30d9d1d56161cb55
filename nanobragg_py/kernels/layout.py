"""What the kernels are given: one record of scalars and a few contiguous arrays. No Numba here, and no physics.

Arrays that go with the record (all float64 and C-contiguous unless said otherwise):
  sources      (n, 5)  unit vector from source to sample, wavelength in metres, weight (1 unless --fix weights)
  cells        (2, phi_steps, 9)  a, b, c in metres after the spindle rotation; [0] in steady state, [1] for the
                       very first step of a run (they differ only where phi is exactly 0, see sampling.py)
  domains      (mosaic_domains, 9)  rotation matrix of each mosaic domain, row by row
  amplitudes   (h+1, k+1, l+1) flattened, and one element more: default_F, for every index outside
  mask         (slow, fast) uint16, 0 = skip; one element when there is none
"""

from __future__ import annotations

import numpy as np

SQUARE, ROUND, GAUSS, TOPHAT = range(4)
# Pixels that walk together, and the float64 working memory of one thread.
BLOCK = 256
SCRATCH_ROWS = 33
SCRATCH = SCRATCH_ROWS * BLOCK
PARAMETERS = np.dtype(
    [
        ("pixel_size_m", "f8"),
        ("subpixel_size_m", "f8"),
        ("distance_m", "f8"),
        ("close_distance_m", "f8"),
        ("fdet", "f8", (3,)),
        ("sdet", "f8", (3,)),
        ("odet", "f8", (3,)),
        ("pix0_m", "f8", (3,)),
        ("beam", "f8", (3,)),
        ("polarization_axis", "f8", (3,)),
        ("kahn", "f8"),
        ("thickness_m", "f8"),
        ("layer_depth_m", "f8"),
        ("attenuation_per_m", "f8"),
        ("dmin_m", "f8"),
        ("background", "f8"),
        ("step_background", "f8"),
        ("r_e_sqr_m2", "f8"),
        ("fluence_per_m2", "f8"),
        ("Na", "f8"),
        ("Nb", "f8"),
        ("Nc", "f8"),
        ("fudge", "f8"),
        ("node_a", "f8", (3,)),
        ("node_b", "f8", (3,)),
        ("node_c", "f8", (3,)),
        ("largest_F", "f8"),
        ("error_scale", "f8"),
        ("fpixels", "i8"),
        ("spixels", "i8"),
        ("roi_fast_first", "i8"),
        ("roi_fast_last", "i8"),
        ("roi_slow_first", "i8"),
        ("roi_slow_last", "i8"),
        ("oversample", "i8"),
        ("layers", "i8"),
        ("sources", "i8"),
        ("phi_steps", "i8"),
        ("mosaic_domains", "i8"),
        ("steps", "i8"),
        ("shape", "i8"),
        ("mosaic", "i8"),
        ("water", "i8"),
        ("curved", "i8"),
        ("point_pixel", "i8"),
        ("nopolar", "i8"),
        ("oversample_thick", "i8"),
        ("oversample_polar", "i8"),
        ("oversample_omega", "i8"),
        ("per_term", "i8"),
        ("by_source", "i8"),
        ("keep_interpolating", "i8"),
        ("water_beyond_dmin", "i8"),
        ("hkls", "i8"),
        ("h_min", "i8"),
        ("k_min", "i8"),
        ("l_min", "i8"),
        ("h_max", "i8"),
        ("k_max", "i8"),
        ("l_max", "i8"),
        ("h_stride", "i8"),
        ("k_stride", "i8"),
        ("outside", "i8"),
        ("masked", "i8"),
    ]
)


# Columns of the record of a pixel: one row for each sub-pixel of each layer, and one row for the whole pixel.
# left_row: the row in which interpolation left the grid; left: 1 if it was in that row's first step.
SUBPIXEL_COLUMNS = {
    name: column
    for column, name in enumerate(
        "x y z airpath omega dx dy dz ix iy iz wavelength sx sy sz "
        "ax ay az bx by bz cx cy cz h k l h0 k0 l0 F_latt_a F_latt_b F_latt_c F_latt F_cell left".split()
    )
}


PIXEL_COLUMNS = {
    name: column
    for column, name in enumerate(
        "x y z stol h k l h0 k0 l0 F_cell F_latt ax ay az bx by bz cx cy cz "
        "intensity capture polarization omega cos_2theta photons left_row".split()
    )
}


RECORD_COLUMNS = max(len(SUBPIXEL_COLUMNS), len(PIXEL_COLUMNS))

# What a walk through pixels, in order, carries from one to the next. interpolating: whether interpolation is still on;
# first_step: whether the run's very first step is still to come; the rest: where interpolation left the list.
WALK = np.dtype(
    [
        ("interpolating", "i8"),
        ("first_step", "i8"),
        ("h", "f8"),
        ("k", "f8"),
        ("l", "f8"),
        ("h0", "f8"),
        ("k0", "f8"),
        ("l0", "f8"),
    ]
)

# Sizes of what random numbers are looked up in (kernels/passes/philox.py): rows, counts and guide of the table of
# Poisson probabilities, and layers of the ziggurat.
TABLE_MEANS, TABLE_COUNTS, GUIDE, LAYERS = 512, 160, 256, 256
