"""Scattering that is not the crystal's: water in the beam."""

from __future__ import annotations

from ..base.records import record

AVOGADRO = 6.02214179e23
# Forward scattering of water, electrons, and its molecular weight: a background without structure.
WATER_F = 2.57
WATER_MOLECULAR_WEIGHT = 18.0


@record
class Background:
    """Water's |F|² summed over its molecules: what a pixel's sum starts with, and what each step adds to it.

    edge_m: edge of the cube of water. beyond_dmin: whether it also scatters where -dmin cuts the crystal off.
    """

    edge_m: float
    at_start: float
    each_step: float
    beyond_dmin: bool
