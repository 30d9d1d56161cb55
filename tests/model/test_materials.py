"""How water, air and paraffin scatter: limits that follow from theory, and where measured halos lie."""

from __future__ import annotations

import math

import numpy as np
import pytest

from nanobragg_py.model.materials import ATOMIC_NUMBERS, MATERIALS, PARAFFIN, WATER, form_factor, incoherent

STOL = np.linspace(0.0, 2.0, 2001)


@pytest.mark.parametrize("name", MATERIALS)
def test_tables_are_tables(name: str) -> None:
    """Ascending angles, positive finite F."""
    stol, F = MATERIALS[name].table()
    assert np.all(np.diff(stol) > 0.0)
    assert stol[0] == 0.0
    assert np.all(np.isfinite(F))
    assert np.all(F > 0.0)


@pytest.mark.parametrize("element", ATOMIC_NUMBERS)
def test_atoms(element: str) -> None:
    """Forward an atom scatters with all its electrons coherently; far out, with each on its own."""
    zero, far = np.zeros(1), np.array([2.0])
    Z = ATOMIC_NUMBERS[element]
    assert form_factor(element, zero)[0] == pytest.approx(Z, rel=0.002)
    assert incoherent(element, zero)[0] == pytest.approx(0.0, abs=0.01)
    assert 0.7 * Z < incoherent(element, far)[0] <= Z


def test_forward_scattering_is_that_of_the_compressibility() -> None:
    """F² at zero angle: electrons² times rho k T kappa; of a gas, the mean square of its molecules' electrons."""
    zero = np.zeros(1)
    kT, kappa = 1.380649e-23 * 298.0, 4.52e-10
    assert MATERIALS["water"].squared(zero)[0] == pytest.approx(100.0 * 0.0334e30 * kT * kappa, rel=0.06)
    assert MATERIALS["air"].squared(zero)[0] == pytest.approx(
        0.7812 * 14**2 + 0.2095 * 16**2 + 0.0093 * 18**2, rel=0.01
    )
    assert PARAFFIN.structure_factor(zero)[0] == pytest.approx(0.10, rel=1e-3)


@pytest.mark.parametrize(
    ("name", "Q_per_A", "F"), [("water", 2.05, 7.9), ("paraffin", 1.38, 10.0)]
)  # fmt: skip
def test_halos_lie_where_they_are_measured(name: str, Q_per_A: float, F: float) -> None:
    """The strongest scattering of the liquid, and how strong it is."""
    squared = MATERIALS[name].squared(STOL)
    brightest = STOL[np.argmax(squared)]
    assert 4.0 * math.pi * brightest == pytest.approx(Q_per_A, abs=0.05)
    assert math.sqrt(squared.max()) == pytest.approx(F, rel=0.05)


def test_far_out_there_are_only_atoms() -> None:
    """Where distances do not matter any more, F² is the atoms' coherent and incoherent scattering, added up."""
    stol = np.array([1.8, 2.0])
    alone = sum(
        n * (form_factor(element, stol) ** 2 + incoherent(element, stol)) for element, n in (("O", 1), ("H", 2))
    )
    assert MATERIALS["water"].squared(stol) == pytest.approx(alone, rel=0.02)
    assert WATER.structure_factor(4.0 * math.pi * stol) == pytest.approx(np.ones(2), abs=0.02)
