"""How water, air and paraffin scatter: tables of F against sin(theta)/lambda, computed from atoms and distances.

F² is what a molecule scatters on average, coherently and not, in units of a free electron's scattering (the
polarization factor left aside):

    F² = sum_ij f_i f_j sin(Q r_ij)/(Q r_ij)  +  f_mol² (S - 1)  +  sum_i I_i,    Q = 4 pi sin(theta)/lambda

The first sum is Debye's over the atoms of a molecule (Ann. Phys. 351 (1915), 809), S the structure factor of the
liquid, f_mol the molecule's amplitude averaged over its orientations, I_i the incoherent (Compton) scattering. S is
made of shells of neighbours with Gaussian distances and a continuum beyond, as Narten & Levy did it (J. Chem. Phys. 55
(1971), 2263):

    S = 1 + sum_k n_k exp(-l_k² Q²/2) sin(Q r_k)/(Q r_k) - 4 pi rho exp(-l² Q²/2) (sin QR - QR cos QR)/Q³

R, where the continuum begins, is such that S(0) = rho k T kappa, the compressibility of the liquid.

- Water: shells fitted to measured scattering at room temperature; F follows the table that comes with the C program to
  3 % up to 0.45 1/Å.
- Air, dry, 20 °C, 1013 hPa: molecules apart from each other, so S = 1.
- Paraffin, for oil and vacuum grease: CH2 in chains with shells along the chain, and neighbouring chains at such a
  distance that the halo lies at Q = 1.37 1/Å (4.6 Å), where liquid paraffins have it. Heights are good to 20 % or so.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..base.records import record

Floats = NDArray[np.float64]

# Form factors: sum of a exp(-b stol²) + c (International Tables for Crystallography C (1992), table 6.1.1.4).
FORM_FACTORS = {
    "H": ((0.493002, 0.322912, 0.140191, 0.040810), (10.5109, 26.1257, 3.14236, 57.7997), 0.003038),
    "C": ((2.31000, 1.02000, 1.58860, 0.865000), (20.8439, 10.2075, 0.568700, 51.6512), 0.215600),
    "N": ((12.2126, 3.13220, 2.01250, 1.16630), (0.005700, 9.89330, 28.9975, 0.582600), -11.529),
    "O": ((3.04850, 2.28680, 1.54630, 0.867000), (13.2771, 5.70110, 0.323900, 32.9089), 0.250800),
    "Ar": ((7.48450, 6.77230, 0.653900, 1.64420), (0.907200, 14.8407, 43.8983, 33.3929), 1.44450),
}  # fmt: skip
ATOMIC_NUMBERS = {"H": 1, "C": 6, "N": 7, "O": 8, "Ar": 18}
# Incoherent scattering of an atom over Z in the statistical model, against v = COMPTON stol / Z^(2/3) (Bewilogua, Phys.
# Z. 32 (1931), 740; James, The Optical Principles of the Diffraction of X-Rays (1948), 462).
BEWILOGUA_V = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
BEWILOGUA_S = (0.0, 0.319, 0.486, 0.674, 0.776, 0.839, 0.880, 0.909, 0.929, 0.944, 0.954, 0.963)
COMPTON = 2.0 / 3.0 * 137.036 * 0.0242631

# Tables reach to where a wavelength of 0.5 Å is scattered straight back.
STOL = np.linspace(0.0, 2.0, 801)


class Shell(NamedTuple):
    """Neighbours at a distance: how many, the distance and its rms spread, in Å."""

    neighbours: float
    distance_A: float
    spread_A: float


@record
class Liquid:
    """Structure of a liquid: molecules/Å³, S(0), shells of neighbours, spread of the continuum's beginning in Å."""

    density_per_A3: float
    at_zero: float
    shells: tuple[Shell, ...]
    continuum_spread_A: float

    def structure_factor(self, Q_per_A: Floats) -> Floats:
        """S, float64 like Q."""
        # Molecules that the continuum lacks, within R; their transform is that of a sphere.
        missing = 1.0 + sum(shell.neighbours for shell in self.shells) - self.at_zero
        R_A = (missing / (4.0 / 3.0 * math.pi * self.density_per_A3)) ** (1.0 / 3.0)
        x = np.maximum(Q_per_A * R_A, 1e-3)
        sphere = 3.0 * (np.sin(x) - x * np.cos(x)) / x**3
        result: Floats = 1.0 - missing * sphere * np.exp(-0.5 * (self.continuum_spread_A * Q_per_A) ** 2)
        for neighbours, distance, spread in self.shells:
            result = result + neighbours * np.exp(-0.5 * (spread * Q_per_A) ** 2) * _sinc(Q_per_A * distance)
        return result


WATER = Liquid(0.0334, 0.064, (Shell(4.085, 2.929, 0.241), Shell(16.0, 4.417, 0.719), Shell(40.0, 6.57, 0.923)), 0.722)
PARAFFIN = Liquid(
    0.0374, 0.10,
    (Shell(2, 1.53, 0.05), Shell(2, 2.55, 0.09), Shell(2, 3.75, 0.30), Shell(15, 4.83, 0.80), Shell(66, 6.74, 1.21)),
    0.64,
)  # fmt: skip


@record
class Material:
    """A material whose scattering is known: density, molecular weight, and F² at stol (1/Å)."""

    density_g_per_cm3: float
    molecular_weight: float
    squared: Callable[[Floats], Floats]

    def table(self) -> tuple[Floats, Floats]:
        """stol, 1/Å, and F, electrons: float64 (n,) each."""
        return STOL.copy(), np.sqrt(self.squared(STOL))


def form_factor(element: str, stol: Floats) -> Floats:
    """Amplitude of a free atom, electrons."""
    a, b, c = FORM_FACTORS[element]
    total: Floats = c + np.exp(np.multiply.outer(-stol * stol, b)) @ np.array(a)
    positive: Floats = np.maximum(total, 0.0)
    return positive


def incoherent(element: str, stol: Floats) -> Floats:
    """Compton scattering of an atom, in units of an electron's. Hydrogen's, of one electron, is exact."""
    if element == "H":
        return 1.0 - form_factor("H", stol) ** 2
    Z = ATOMIC_NUMBERS[element]
    share: Floats = np.interp(COMPTON * stol / Z ** (2.0 / 3.0), BEWILOGUA_V, BEWILOGUA_S)
    return Z * share


def water(stol: Floats) -> Floats:
    """F² of a molecule in liquid water."""
    Q, OH, HH = 4.0 * math.pi * stol, 0.9572, 1.5139
    O, H = form_factor("O", stol), form_factor("H", stol)
    molecule = O * O + 2.0 * H * H + 4.0 * O * H * _sinc(Q * OH) + 2.0 * H * H * _sinc(Q * HH)
    amplitude = O + 2.0 * H * _sinc(Q * OH)
    loose = incoherent("O", stol) + 2.0 * incoherent("H", stol)
    return molecule + amplitude**2 * (WATER.structure_factor(Q) - 1.0) + loose


def air(stol: Floats) -> Floats:
    """F² of a molecule of dry air, on average."""
    Q = 4.0 * math.pi * stol

    def pair(element: str, bond_A: float) -> Floats:
        return 2.0 * form_factor(element, stol) ** 2 * (1.0 + _sinc(Q * bond_A)) + 2.0 * incoherent(element, stol)

    argon = form_factor("Ar", stol) ** 2 + incoherent("Ar", stol)
    return 0.7812 * pair("N", 1.0977) + 0.2095 * pair("O", 1.2075) + 0.0093 * argon


def paraffin(stol: Floats) -> Floats:
    """F² of a CH2 group in a liquid of chains."""
    Q, CH, HH = 4.0 * math.pi * stol, 1.09, 1.78
    C, H = form_factor("C", stol), form_factor("H", stol)
    group = C * C + 2.0 * H * H + 4.0 * C * H * _sinc(Q * CH) + 2.0 * H * H * _sinc(Q * HH)
    amplitude = C + 2.0 * H * _sinc(Q * CH)
    loose = incoherent("C", stol) + 2.0 * incoherent("H", stol)
    return group + amplitude**2 * (PARAFFIN.structure_factor(Q) - 1.0) + loose


def _sinc(x: Floats) -> Floats:
    """sin(x)/x."""
    result: Floats = np.sinc(x / math.pi)
    return result


MATERIALS = {
    "water": Material(0.998, 18.015, water),
    "air": Material(0.001204, 28.96, air),
    "paraffin": Material(0.87, 14.027, paraffin),
}
