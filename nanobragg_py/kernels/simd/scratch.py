"""Rows of the scratch array in which a block of pixels walks: what is kept for each of its pixels."""

from __future__ import annotations

from ..layout import BLOCK, SCRATCH_ROWS

# Rows of the scratch array, as offsets: constant, so that LLVM sees that they never overlap.
(
    INTENSITY, POLARIZATION, OMEGA, CAPTURE, LOOSE,
    DX, DY, DZ, AIRPATH, SX, SY, SZ, SEEN, LATTICE, NODE, WEIGHT, LEAVES,
    H0, H1, H2, H3, K0, K1, K2, K3, L0, L1, L2, L3,
    TOTAL, TOTAL_LOOSE, TOTAL_OMEGA, LEFT,
) = (row * BLOCK for row in range(SCRATCH_ROWS))  # fmt: skip
# Rows of the transform, which is done with when interpolation takes them: angles over the whole crystal and over
# one cell, along each axis, or distances from the nearest node; and the structure factor of that node.
CRYSTAL_A, CRYSTAL_B, CRYSTAL_C, CELL_A, CELL_B, CELL_C, F_CELL = H0, H1, H2, H3, K0, K1, K2
DH, DK, DL = H0, H1, H2
