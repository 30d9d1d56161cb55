"""Scattering of amorphous materials: against plain NumPy, any number of threads, the bound of the walk in blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nanobragg_py.kernels import layout
from nanobragg_py.kernels.jit import for_python
from nanobragg_py.kernels.passes import amorphous
from nanobragg_py.kernels.simd import scratch
from nanobragg_py.model.amorphous import ScatteringTable, density_of, molecules_in, scattering_table
from nanobragg_py.rendering.amorphous import AmorphousRenderer

R_E_SQR_M2 = 7.94079248018965e-30
SLOW, FAST, PIXEL_M, DISTANCE_M = 20, 28, 2.5e-3, 0.05

walk_row, pixel_sum = for_python(amorphous.walk_row), for_python(amorphous.pixel_sum)


def scene(oversample: int = 2, kahn: float = 0.0, **fields: object) -> np.ndarray:
    """A detector that the beam along x meets near its middle."""
    p = np.zeros(1, dtype=layout.PARAMETERS)
    values: dict[str, object] = {
        "pixel_size_m": PIXEL_M, "subpixel_size_m": PIXEL_M / oversample, "distance_m": DISTANCE_M,
        "close_distance_m": DISTANCE_M, "fdet": (0.0, 0.0, 1.0), "sdet": (0.0, -1.0, 0.0), "odet": (1.0, 0.0, 0.0),
        "pix0_m": (DISTANCE_M, 24.3e-3, -34.2e-3), "beam": (1.0, 0.0, 0.0), "polarization_axis": (0.0, 0.0, 1.0),
        "kahn": kahn, "r_e_sqr_m2": R_E_SQR_M2, "fluence_per_m2": 1e24, "fpixels": FAST, "spixels": SLOW,
        "roi_fast_last": FAST, "roi_slow_last": SLOW, "oversample": oversample, "layers": 1, "sources": 3,
    }  # fmt: skip
    for name, value in {**values, **fields}.items():
        p[name] = value
    return p


def beams() -> np.ndarray:
    """Three sources, a little apart in direction, wavelength and weight."""
    angles = np.array([-0.004, 0.0, 0.01])
    zero = np.zeros(3)
    return np.column_stack((np.cos(angles), np.sin(angles), zero, [0.9e-10, 1e-10, 1.1e-10], [0.5, 1.0, 1.5]))


def curve(points: int = 80, most: float = 0.7) -> ScatteringTable:
    """A table like water's, with a stretch of negative F."""
    stol = np.linspace(0.0, most, points)
    return scattering_table(stol * 1e10, 2.57 + 4.0 * np.exp(-(((stol - 0.16) / 0.06) ** 2)) - 25.0 * stol**2)


def plain(p: np.ndarray, sources: np.ndarray, table: ScatteringTable, molecules: float) -> np.ndarray:
    """The formula in NumPy, F by the cubic through four points solved as linear equations."""
    q = p[0]
    n = int(q["oversample"])
    fast = (np.arange(FAST * n) + 0.5) * PIXEL_M / n
    slow = (np.arange(SLOW * n) + 0.5) * PIXEL_M / n
    position = (
        q["pix0_m"] + fast[None, :, None] * q["fdet"] + slow[:, None, None] * q["sdet"]
    )  # fmt: skip
    path = np.linalg.norm(position, axis=2)
    ray = position / path[..., None]
    omega = PIXEL_M**2 / path**2 * DISTANCE_M / path
    total = np.zeros(path.shape)
    for x, y, z, wavelength, weight in sources:
        incident = np.array([x, y, z])
        stol = 0.5 * np.linalg.norm(ray - incident, axis=2) / wavelength
        at = np.searchsorted(table.stol_per_m, stol, side="right") - 1
        F = np.empty_like(stol)
        for place in np.unique(at):
            chosen = at == place
            nodes = slice(place - 1, place + 3)
            F[chosen] = [_cubic(table.stol_per_m[nodes], table.F[nodes], s) for s in stol[chosen]]
        cosine = ray @ incident
        upright = np.cross([0.0, 0.0, 1.0], incident)
        azimuth = np.arctan2(ray @ upright, ray @ np.cross(incident, upright))
        polarization = 0.5 * (1 + cosine**2 - q["kahn"] * np.cos(2 * azimuth) * (1 - cosine**2))
        total += np.sign(F) * F**2 * polarization * omega * weight
    steps = len(sources) * n * n
    summed = total.reshape(SLOW, n, FAST, n).sum(axis=(1, 3))
    return summed * R_E_SQR_M2 * 1e24 * molecules / steps


def _cubic(x: np.ndarray, y: np.ndarray, at: float) -> float:
    near = x[np.abs(x) < 1e90]
    powers = np.vander((near - at) * 1e-9, len(near))
    return float(np.linalg.solve(powers, y[np.abs(x) < 1e90])[-1])


@pytest.mark.parametrize("kahn", [0.0, 0.7])
@pytest.mark.parametrize("exactly", [False, True])
def test_is_the_formula(kahn: float, exactly: bool) -> None:
    """Both ways give the formula's photons, to what single precision holds."""
    p, sources, table = scene(kahn=kahn), beams(), curve()
    image = AmorphousRenderer(p, sources, table, 1e16, exactly=exactly).render()
    wanted = plain(p, sources, table, 1e16)
    assert np.abs(image - wanted).max() < 3e-7 * np.abs(wanted).max()
    assert (image < 0.0).any() and (image > 0.0).any()


def test_solid_angles_are_added_up_beside_the_image() -> None:
    """The exact sum leaves alone what the pixels saw, and the image."""
    renderer = AmorphousRenderer(scene(), beams(), curve(), 1e16, see=True)
    image, seen = renderer.render().copy(), renderer.seen.copy()
    assert math.isclose(renderer.exact_omega(), renderer.omega.sum(), rel_tol=1e-12)
    assert np.array_equal(image, renderer.image) and np.array_equal(seen, renderer.seen)


@pytest.mark.parametrize("threads", [2, 3, 7])
@pytest.mark.parametrize("exactly", [False, True])
def test_same_for_any_number_of_threads(threads: int, exactly: bool) -> None:
    """Rows do not depend on who renders them."""
    p, sources, table = scene(kahn=0.3), beams(), curve()
    one, many = (AmorphousRenderer(p, sources, table, 1e16, count, exactly=exactly).render() for count in (1, threads))
    assert one.tobytes() == many.tobytes()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40, unique=True),
    st.randoms(use_true_random=False),
    st.sampled_from([0.0, 0.5, -1.0, 3.0]),
    st.integers(1, 3),
    st.sampled_from(
        [
            {},
            {"nopolar": 1},
            {"point_pixel": 1},
            {"curved": 1},
            {"polarization_axis": (0.3, 0.4, 0.8)},
            {"polarization_axis": (1.0, 0.0, 0.0)},
            {"polarization_axis": (0.999999, 0.0014, 0.0)},
        ]
    ),
)
def test_walk_in_blocks_is_the_definition(
    stol: list[float], random: object, kahn: float, oversample: int, extra: dict[str, object]
) -> None:
    """The same bytes for any table: what the bound leaves open is looked at again."""
    values = np.array([random.choice([-3.0, 0.0, 1e-3, 2.5, 2.6, 80.0]) for _ in stol])  # type: ignore[attr-defined]
    table = scattering_table(np.array(sorted(stol)) * 1e10, values)
    p, sources = scene(oversample, kahn, **extra), beams()
    fast, exact = (AmorphousRenderer(p, sources, table, 1e16, 1, exactly=exactly) for exactly in (False, True))
    assert fast.render().tobytes() == exact.render().tobytes()
    assert math.isclose(fast.omega.sum(), exact.omega.sum(), rel_tol=1e-12)
    assert math.isclose(exact.exact_omega(), exact.omega.sum(), rel_tol=1e-12)


def errors_over_bounds(p: np.ndarray, sources: np.ndarray, table: ScatteringTable) -> np.ndarray:
    """What each pixel's sum in blocks is off from the definition's, over what the bound allows: float64 (pixels,)."""
    renderer = AmorphousRenderer(p, sources, table, 1e16, 1)
    prepared, axis = renderer.prepared, renderer._axis
    assert prepared is not None
    w, open_pixels = np.zeros(layout.SCRATCH), np.zeros(SLOW * FAST, dtype=np.int64)
    found = []
    for row in range(SLOW):
        walk_row(
            p[0], sources, tuple(axis), prepared.rows.ravel(), prepared.starts, prepared.slots_per_stol, 1e16, row, w,
            renderer.image.ravel(), open_pixels, 0,
        )  # fmt: skip
        for column in range(FAST):
            total = pixel_sum(
                p[0], sources, table.stol_per_m, table.F, row, column, np.ones(1, dtype=np.int64), axis.copy(),
                np.zeros(1), np.zeros(5),
            )  # fmt: skip
            found.append(abs(w[scratch.TOTAL + column] - total) / w[scratch.TOTAL_LOOSE + column])
    return np.array(found)


def test_bound_of_errors() -> None:
    """The walk in blocks is off by less than a tenth of the bound; but off it is, by more than a thousandth of it."""
    uneven = np.sort(np.random.default_rng(1).uniform(0.0, 0.7, 50)) * 1e10
    tables = [curve(), curve(10), curve(3000), scattering_table(uneven, np.random.default_rng(2).normal(2.0, 1.0, 50))]
    worst = [
        errors_over_bounds(scene(oversample, kahn), beams(), table).max()
        for oversample, kahn in ((1, 0.0), (2, 0.9), (3, -1.0))
        for table in tables
    ]
    assert 1e-3 < max(worst) < 0.1, worst


def test_walk_in_blocks_leaves_little_open() -> None:
    """An ordinary table goes through the walk in blocks, with a second look at hardly any pixel."""
    renderer = AmorphousRenderer(scene(), beams(), curve(), 1e16)
    assert renderer.prepared is not None
    assert len(renderer._fast(renderer.prepared, 0, SLOW)) < 0.02 * SLOW * FAST


def test_region_of_interest() -> None:
    """Pixels outside stay 0, those inside are as ever."""
    sources, table = beams(), curve()
    region = {"roi_fast_first": 3, "roi_fast_last": 20, "roi_slow_first": 5, "roi_slow_last": 9}
    part = AmorphousRenderer(scene(**region), sources, table, 1e16).render()  # type: ignore[arg-type]
    whole = AmorphousRenderer(scene(), sources, table, 1e16).render()
    assert np.array_equal(part[5:10, 3:21], whole[5:10, 3:21])
    assert np.count_nonzero(part) <= 5 * 18


def test_table_out_of_order_is_searched_in_pixel_order() -> None:
    """A table that does not ascend is taken as the C program takes it: one thread, by the definition."""
    table = scattering_table(np.array([0.1, 0.3, 0.2, 0.5]) * 1e10, np.array([1.0, 2.0, 3.0, 4.0]))
    renderer = AmorphousRenderer(scene(), beams(), table, 1e16, 4)
    assert renderer.in_order and renderer.prepared is None and renderer.threads == 1
    assert np.isfinite(renderer.render()).all()


def test_ends_of_a_table_and_missing_F() -> None:
    """Two points repeat the F at either end; a missing F is 0 in between."""
    table = scattering_table(np.array([1.0, 2.0, 3.0, 4.0]), np.array([math.nan, 5.0, math.nan, 7.0]))
    assert table.F.tolist() == [5.0, 5.0, 0.0, 5.0, 0.0, 7.0, 7.0, 7.0]
    assert table.stol_per_m[[0, 1, -2, -1]].tolist() == [-1e99, -1e98, 1e98, 1e99] and table.ascends


def test_molecules() -> None:
    """One gram of water has so many molecules; the density follows from them."""
    assert math.isclose(molecules_in(1e-6, 1e6, 18.0), 6.02214179e23 / 18.0)
    assert math.isclose(density_of(6.02214179e23 / 18.0, 1e-6, 18.0), 1e6)
