"""The error bounds of interpolated structure factors and of a pixel's sum; see test_error_bounds.py."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running_error import Tracked, assert_tight, for_python, fused, plain

from nanobragg_py.kernels import amplitudes as structure_factors
from nanobragg_py.kernels import jit, layout, physics, pixel
from nanobragg_py.kernels.simd import blocks, lattice
from nanobragg_py.kernels.simd import scratch as rows

pytestmark = pytest.mark.usefixtures("fifty_digits")

# --- interpolation ---


LIST = SimpleNamespace(h_min=-1, k_min=-1, l_min=-1, h_stride=16, k_stride=4)
# Between the second and the third of four nodes.
PLACES = [i / 8 for i in range(1, 8)]


def weights_at(x: float) -> list[float]:
    """Lagrange's, up to rounding."""
    return [float(weight) for weight in for_python(lattice.lagrange_weights)(x, 0.0)]


def worst_amplitudes(h: float, k: float, l: float) -> list[float]:
    """Structure factors of one size and such signs that all 64 products are positive."""
    products = itertools.product(weights_at(h), weights_at(k), weights_at(l))
    return [math.copysign(1.0, a * b * c) for a, b, c in products]


def tensor_products(values: Any, first: Any, second: Any, third: Any) -> Tracked:
    """jit.tensor_product_sum's order: planes along the second, then the first, then the third axis."""
    total = Tracked(0.0)
    for c in range(4):
        column = Tracked(0.0)
        for a in range(4):
            plane = Tracked(0.0)
            for b in range(4):
                plane = fused(second[b], values[16 * a + 4 * b + c], plane)
            column = fused(first[a], plane, column)
        total = total + column * third[c]
    return total


def tracked_products(x: float, first: float) -> tuple[Tracked, ...]:
    """The numerators, which are the same numbers on both sides, so ones without error."""
    return tuple(Tracked(float(product)) for product in structure_factors.lagrange_products.py_func(x, first))


def test_tricubic_error_is_tight() -> None:
    """Amplitudes that keep the partial sums as large as they can be."""
    definition = plain(structure_factors.tricubic_amplitude, lagrange_products=tracked_products)
    weights = plain(lattice.lagrange_weights, lagrange_products=tracked_products)
    worst = 0.0
    for h, k, l in [*itertools.combinations_with_replacement(PLACES, 3)]:
        values = [Tracked(value) for value in worst_amplitudes(h, k, l)]
        one = definition(LIST, values, h, k, l)
        other = tensor_products(values, weights(h, 0.0), weights(k, 0.0), weights(l, 0.0))
        worst = max(worst, one.error + other.error)
    assert_tight(lattice.TRICUBIC_ERROR, worst)


@settings(max_examples=300, deadline=None)
@given(
    st.tuples(*[st.floats(0.0, 1.0, exclude_max=True)] * 3), st.lists(st.floats(-1.0, 1.0), min_size=64, max_size=64)
)
def test_interpolation_stays_within_its_bound(place: tuple[float, float, float], values: list[float]) -> None:
    """Either order against the fractions of the same numerators."""
    h, k, l = place
    p = np.zeros(1, dtype=layout.PARAMETERS)
    for name, value in vars(LIST).items():
        p[name] = value
    table = np.array(values)
    definition = for_python(structure_factors.tricubic_amplitude)(p[0], table, h, k, l)
    block = products_summed(table, weights_at(h), weights_at(k), weights_at(l))
    parts = [
        [Fraction(float(product)) / divisor for product, divisor in zip(
            structure_factors.lagrange_products.py_func(x, -1.0), (-6, 2, -2, 6), strict=True)]
        for x in place
    ]  # fmt: skip
    exact = sum(a * b * c * Fraction(value) for (a, b, c), value in zip(itertools.product(*parts), values, strict=True))
    assert abs(Fraction(definition) - exact) + abs(Fraction(block) - exact) <= Fraction(lattice.TRICUBIC_ERROR)


def _products_summed(values: Any, first: Any, second: Any, third: Any) -> Any:
    return jit.tensor_product_sum(values, np.uint64(0), np.uint64(4), np.uint64(16), first, second, third)


def products_summed(values: np.ndarray, first: list[float], second: list[float], third: list[float]) -> float:
    return float(COMPILED_PRODUCTS(values, tuple(first), tuple(second), tuple(third)))


COMPILED_PRODUCTS = jit.for_python(SimpleNamespace(py_func=_products_summed))


# --- the sum of a pixel ---


class Silent:
    """Records nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


class Scratch(dict[int, Any]):
    """A block's rows for one pixel; its slots are all the first."""

    def view(self, _: Any) -> dict[int, int]:
        return {rows.NODE: 0}


def a_pixel(sources: int, domains: int, *flags: str) -> SimpleNamespace:
    """A pixel's sampling, of sources times domains steps; with by_source, their shares are no powers of two."""
    values = dict.fromkeys(layout.PARAMETERS.names or (), 0)
    values |= {"oversample": 1, "layers": 1, "phi_steps": 1, "sources": sources, "mosaic_domains": domains}
    values |= {"steps": sources * domains, "thickness_m": 1.0, "r_e_sqr_m2": 1.0, "fluence_per_m2": 3.0}
    values |= {"odet": (0.0, 0.0, 1.0), "polarization_axis": (1.0, 0.0, 0.0)}
    values |= {"background": Tracked(0.3), "step_background": Tracked(0.3), "error_scale": 1.0}
    return SimpleNamespace(**values | dict.fromkeys(flags, 1))


def transforms_of(p: SimpleNamespace) -> Iterator[Tracked]:
    return itertools.chain([Tracked(1.1e9)], itertools.repeat(Tracked(1.1), p.steps - 1))


def pixel_twice(p: SimpleNamespace) -> tuple[Tracked, Tracked]:
    """A pixel by definition and by blocks: of each step, the transform and the amplitude are given without error.

    The first step outshines all others, so that every addition rounds a sum as large as the last one.
    """
    amplitude = Tracked(1.3)
    capture, polarized, solid_angle = Tracked(0.7), Tracked(0.6), Tracked(0.9)
    replaced: dict[str, Any] = {
        "recording": Silent(), "turned_cell": lambda *_: (0.0,) * 9, "capture_fraction": lambda *_: capture,
        "solid_angle": lambda *_: solid_angle, "subpixel_position": lambda *_: (0.0, 0.0, 1.0),
        "polarization_factor": lambda *_: polarized,
        "unit_cell_amplitude": lambda *_: amplitude,
    }  # fmt: skip
    sources = np.array([[0.0, 0.0, 1.0, 1.0, 0.3 if p.by_source else 1.0]] * p.sources)
    walk = SimpleNamespace(first_step=0, interpolating=0)
    transforms = transforms_of(p)
    definition = plain(pixel.pixel_photons, lattice_factor=lambda *_: next(transforms), **replaced)(
        p, sources, None, None, None, 0, 0, walk, [0.0], np.zeros((0, 1))
    )

    transforms = transforms_of(p)

    def first_factors(p: Any, w: Any, *_: Any) -> None:
        w[rows.CAPTURE], w[rows.OMEGA] = capture, solid_angle

    def polarize_block(p: Any, w: Any, *_: Any) -> bool:
        w[rows.POLARIZATION] = polarized
        return True

    def lattice_block(p: Any, shape: int, w: Any, *_: Any) -> None:
        w[rows.LATTICE] = next(transforms)

    nothing = {"place_block": lambda *_: None, "scatter_block": lambda *_: None}
    w = Scratch()
    plain(
        blocks.render_block, first_factors=first_factors, polarize_block=polarize_block, lattice_block=lattice_block,
        subpixel_factors=first_factors, turned_cell=replaced["turned_cell"], **nothing,
    )(p, 2, False, False, sources, None, None, [amplitude], w, 0, 0, 1)  # fmt: skip
    photons = plain(physics.photons)(p, w[rows.INTENSITY], w[rows.CAPTURE], w[rows.POLARIZATION], w[rows.OMEGA])
    assert abs(photons.value - definition.value) < Decimal("1e-40") * definition.value
    return definition, photons


EVERY_FACTOR = ("by_source", "per_term", "oversample_thick", "oversample_polar", "oversample_omega")


@pytest.mark.parametrize(("sources", "domains"), ((1, 1), (3, 1), (1, 3), (3, 5), (30, 1), (1, 30)))
@pytest.mark.parametrize("flags", ((), ("by_source", "per_term"), EVERY_FACTOR, EVERY_FACTOR[:3]))
def test_the_error_of_a_sum_is_tight(flags: tuple[str, ...], sources: int, domains: int) -> None:
    """The roundings of a pixel, all but the transform's."""
    p = a_pixel(sources, domains, *flags)
    if not p.by_source:
        p.step_background = Tracked(0.0)
    definition, photons = pixel_twice(p)
    assert_tight(blocks.sum_error.py_func(p.steps, p.by_source), definition.relative + photons.relative)
