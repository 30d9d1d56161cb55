"""Labels: which maxima of an image get one, whose they are, and what is summed; measured with code of its own."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import NamedTuple

import goldenlib
import numpy as np
import pytest

from nanobragg_py import InputError, Simulator, Spots, simulate

SHAPES = ("square", "round", "gauss", "tophat")
# A label is asked for where a maximum is so much brighter than what surrounds it.
STANDS_OUT = 5.0
PROTEIN = dict(cell=(42, 42, 89), N=20, detpixels=256, pixel_mm=0.4, oversample=1, fluence=1e24)
TRICLINIC = dict(cell=(40, 50, 60, 80, 95, 105), default_F=100, detpixels=256, pixel_mm=0.4, oversample=1, N=15)
# Crystals from 3 to 40 cells wide; spots smaller than a pixel and 20 pixels wide; one view, and several.
STILLS = {
    "base": {},
    "12": dict(N=12, fluence=1e26),
    "5": dict(N=5, fluence=1e28),
    "3": dict(N=3, fluence=1e29),
    "unequal": dict(N=(8, 20, 40)),
    "fine": dict(N=10, pixel_mm=0.1, fluence=1e26),
    "far": dict(distance_mm=250, N=30),
    "swung": dict(twotheta_deg=20, convention="xds"),
    "round": dict(shape="round"),
    "round fine": dict(shape="round", N=10, pixel_mm=0.1, fluence=1e26),
    "gauss": dict(shape="gauss", fudge=1e-2),
    "tophat": dict(shape="tophat", fudge=1e-2),
    "sub-pixels": dict(oversample=2),
    "triclinic": TRICLINIC,
    "triclinic round": TRICLINIC | dict(shape="round", N=(8, 12, 16)),
    "mosaic": dict(mosaic_deg=0.3, mosaic_domains=6),
    "sweep": dict(phi_deg=1, osc_deg=0.5, phisteps=5),
    "sources": dict(divergence_mrad=2, divsteps=3),
    "spectrum": dict(dispersion_percent=0.5, dispsteps=4),
}
# In units of 1/N: where the transforms of a parallelepiped and of a ball are first zero, where a Gaussian's square is
# 3e-6 of its maximum, and where a flat-topped spot ends.
EDGES = {"square": 1.0, "round": 4.493409457909064 / np.pi, "gauss": 2.0, "tophat": 0.3969**0.5}


@functools.cache
def protein() -> np.ndarray:
    """The protein's reflections, (n, 4)."""
    return np.loadtxt(Path(goldenlib.__file__).parent / "1a8o.hkl")


def options_of(name: str) -> dict:
    """Keywords of a row of STILLS."""
    own = STILLS[name]
    return own if "default_F" in own else {"hkl": protein(), **PROTEIN, **own}


@functools.cache
def stills_of(name: str, n: int = 3) -> tuple:
    """Stills of a row of STILLS."""
    with Simulator(**options_of(name)) as simulator:
        return tuple(simulator.stills(n, seed=3))


class Maxima(NamedTuple):
    """Local maxima of an image that stand out: pixels (n, 2), fast and slow, and what each is a main lobe of."""

    pixel: np.ndarray
    owners: list[set[tuple[int, int, int]]]


def maxima_of(still) -> Maxima:
    """All pixels brighter than their neighbours, than one photon and than what is around them."""
    image = still.image
    inner = image[1:-1, 1:-1]
    around = np.stack([image[1 + s : image.shape[0] - 1 + s, 1 + f : image.shape[1] - 1 + f]
                       for s in (-1, 0, 1) for f in (-1, 0, 1) if (s, f) != (0, 0)])  # fmt: skip
    slow, fast = np.nonzero((inner > around.max(axis=0)) & (inner >= 1.0))
    half = 3 * lobe_pixels(still) + 1
    kept = []
    for f, s in zip(fast + 1, slow + 1, strict=True):
        box = image[max(s - half, 0) : s + half + 1, max(f - half, 0) : f + half + 1]
        if image[s, f] > STANDS_OUT * np.median(box):
            kept.append((f, s))
    pixel = np.array(kept).reshape(-1, 2)
    return Maxima(pixel, owners_of(still, pixel))


def lobe_pixels(still) -> int:
    """Half the width of a main lobe about the beam, in pixels, by the textbook; 10 at most."""
    e = still.result.experiment
    crystal = e.crystal
    reciprocal = np.linalg.inv(np.array(crystal.real)).T
    counts = np.array([crystal.Na, crystal.Nb, crystal.Nc])
    along = np.linalg.norm(reciprocal, axis=1) / counts
    if crystal.shape.name in ("gauss", "tophat"):
        along = np.array([1.0 / counts.prod()])
    edge = EDGES[crystal.shape.name] / (1.0 if crystal.shape.name == "square" else crystal.fudge**0.5)
    pixels = edge * along.max() * e.beam.wavelength_m * 1e10 * e.detector.distance_m / e.detector.pixel_size_m
    return int(np.clip(np.ceil(pixels), 1, 10))


def rays_of(still, pixel: np.ndarray) -> np.ndarray:
    """Unit vectors (n, 3) from the sample to the middles of pixels (n, 2)."""
    detector = still.result.experiment.detector
    axes, size = detector.axes, detector.pixel_size_m
    fast, slow = (pixel.T + 0.5) * size
    place = np.array(detector.pix0_m) + np.outer(fast, axes.fdet) + np.outer(slow, axes.sdet)
    return place / np.linalg.norm(place, axis=1)[:, None]


def owners_of(still, pixel: np.ndarray) -> list[set[tuple[int, int, int]]]:
    """Reflections in whose main lobe the middles of pixels (n, 2) lie, for any source, spindle step and domain."""
    e = still.result.experiment
    crystal, rays = e.crystal, rays_of(still, pixel)
    counts = np.array([crystal.Na, crystal.Nb, crystal.Nc])
    owners: list[set[tuple[int, int, int]]] = [set() for _ in pixel]
    for direction, wavelength_m in zip(e.sources.direction, e.sources.wavelength_m, strict=True):
        scattering = (rays + direction) / (wavelength_m * 1e10)
        for cell in e.cells[0].reshape(-1, 3, 3):
            for domain in e.domains.reshape(-1, 3, 3):
                real = cell @ domain.T * 1e10
                hkl = scattering @ real.T
                node = np.rint(hkl)
                away = hkl - node
                match crystal.shape.name:
                    case "square":
                        distance = np.abs(away * counts).max(axis=1)
                    case "round":
                        distance = np.linalg.norm(away * counts, axis=1) * crystal.fudge**0.5
                    case _:
                        distance = np.linalg.norm(away @ np.linalg.inv(real).T, axis=1)
                        distance *= counts.prod() * crystal.fudge**0.5
                for i in np.flatnonzero(distance < EDGES[crystal.shape.name]):
                    owners[i].add(tuple(node[i].astype(int).tolist()))
    return owners


@pytest.mark.parametrize("name", STILLS)
def test_main_lobes_are_labelled(name) -> None:
    """Of the maxima that stand out and lie in a main lobe, 98 % have a label, which is the lobe's."""
    wanted = found = brightest = 0
    for still in stills_of(name):
        labels = dict(zip(map(tuple, still.spots.pixel.tolist()), map(tuple, still.spots.hkl.tolist()), strict=True))
        maxima = maxima_of(still)
        # The direct beam is no reflection.
        mine = [(tuple(p), o - {(0, 0, 0)}) for p, o in zip(maxima.pixel.tolist(), maxima.owners, strict=True)]
        mine = sorted(((p, o) for p, o in mine if o), key=lambda m: -still.image[m[0][1], m[0][0]])
        wanted += len(mine)
        found += sum(labels.get(p) in o for p, o in mine)
        brightest += sum(labels.get(p) not in o for p, o in mine[:20])
    assert wanted >= 25
    assert found >= 0.98 * wanted, f"{found} of {wanted}"
    assert brightest <= 1


def falls_between(still, place: np.ndarray, hkl: tuple[int, int, int]) -> bool:
    """Whether none of the four pixels about a place has its middle in the reflection's main lobe."""
    corners = np.floor(place) + np.array([(0, 0), (0, 1), (1, 0), (1, 1)])
    return not any(hkl in owners for owners in owners_of(still, corners))


def several_views(still) -> bool:
    """Whether there are several sources, spindle steps or mosaic domains."""
    e = still.result.experiment
    return e.sources.count * len(e.cells[0]) * len(e.domains) > 1


@pytest.mark.parametrize("name", STILLS)
def test_labels_are_maxima_of_their_own_reflection(name) -> None:
    """A label's pixel is brighter than its neighbours, and in the lobe, or next to one that falls between pixels."""
    seen = 0
    for still in stills_of(name):
        image, spots = still.image, still.spots
        owners = owners_of(still, spots.pixel)
        for hkl, place, (fast, slow), peak, own in zip(spots.hkl.tolist(), *spots[1:4], owners, strict=True):
            around = image[max(slow - 1, 0) : slow + 2, max(fast - 1, 0) : fast + 2]
            assert image[slow, fast] == peak == around.max() >= 1.0
            off = np.abs(place - (fast, slow)).max()
            assert off <= lobe_pixels(still) + 2
            # Of several views it is not said which one the label is from.
            beside = off < 1 and (several_views(still) or falls_between(still, place, tuple(hkl)))
            assert tuple(hkl) in own or off <= 0.5 or beside
        assert len({tuple(pixel) for pixel in spots.pixel.tolist()}) == len(spots.pixel)
        assert len({tuple(hkl) for hkl in spots.hkl.tolist()}) == len(spots.hkl)
        assert (np.diff(spots.peak) <= 0).all()
        offset = np.hypot(*(spots.position - spots.pixel).T)
        assert np.median(offset) < 0.6
        seen += len(spots.hkl)
    assert seen > 25


@pytest.mark.parametrize("name", STILLS)
def test_labelled_reflections_alone_give_the_same_photons(name) -> None:
    """Of a crystal with no other reflection, the pixel has as many photons, and none around it has more."""
    options = options_of(name)
    kept = {key: value for key, value in options.items() if key not in ("hkl", "cell", "default_F")}
    still = stills_of(name)[0]
    amplitudes = {tuple(row[:3].astype(int)): row[3] for row in protein()} if "hkl" in options else {}
    shares, brightest = [], []
    half = lobe_pixels(still) + 2
    spots = still.spots
    for number in range(0, len(spots.hkl), max(1, len(spots.hkl) // 25)):
        h, k, l = spots.hkl[number].tolist()
        fast, slow = spots.pixel[number].tolist()
        F = amplitudes.get((h, k, l), options.get("default_F"))
        region = (max(fast - half, 0), min(fast + half, 255), max(slow - half, 0), min(slow + half, 255))
        alone = simulate(matrix=still.matrix, hkl=[[h, k, l, F]], roi=region, **kept).image
        shares.append(alone[slow, fast] / still.image[slow, fast])
        brightest.append(alone[slow, fast] == alone.max())
    assert min(shares) > 0.95 and np.mean(shares) > 0.999
    assert np.mean(brightest) > 0.9


@pytest.mark.parametrize("name", ["fine", "round fine"])
def test_side_lobes_have_no_label(name) -> None:
    """Of crystals with lobes of several pixels all maxima that are not in a main lobe are side lobes."""
    sides = labels = 0
    for still in stills_of(name):
        owners = owners_of(still, still.spots.pixel)
        assert all(tuple(hkl) in own for hkl, own in zip(still.spots.hkl.tolist(), owners, strict=True))
        sides += sum(not own for own in maxima_of(still).owners)
        labels += len(owners)
    assert sides > 0.1 * labels > 1


def test_intensity_is_the_sum_of_its_box() -> None:
    """Photons of the box that reaches from the pixel to the lobe's edge, or the image's."""
    widths, cut_off = set(), 0
    for name in ("base", "fine", "3", "round fine", "gauss", "unequal"):
        for still in stills_of(name):
            half = lobe_pixels(still)
            widths.add(half)
            for (fast, slow), peak, intensity in zip(*still.spots[2:], strict=True):
                total, pixels = 0.0, 0
                for s in range(max(slow - half, 0), min(slow + half, 255) + 1):
                    for f in range(max(fast - half, 0), min(fast + half, 255) + 1):
                        total += float(still.image[s, f])
                        pixels += 1
                cut_off += pixels < (2 * half + 1) ** 2
                assert intensity == pytest.approx(total, rel=1e-12)
                assert intensity >= peak
    assert len(widths) > 2 and cut_off


def excitation(still, hkl: np.ndarray) -> np.ndarray:
    """|k0 + q| - 1/lambda of reflections (n, 3), as a part of what still cuts the main lobe of a parallelepiped."""
    e = still.result.experiment
    reciprocal = np.linalg.inv(np.array(e.crystal.real)).T
    k0 = -e.sources.direction[0] / (e.sources.wavelength_m[0] * 1e10)
    out = hkl @ reciprocal + k0
    size = np.linalg.norm(out, axis=1)
    counts = np.array([e.crystal.Na, e.crystal.Nb, e.crystal.Nc])
    most = np.abs(out @ (reciprocal / counts[:, None]).T).sum(axis=1) / size
    return np.abs(size - np.linalg.norm(k0)) / most


def test_reach_is_how_far_from_the_middle_a_lobe_is_cut() -> None:
    """Labels within a smaller reach are those of the larger one that are cut nearer to their middle."""
    for still in stills_of("12"):
        every = still.result.spots()
        assert all(map(np.array_equal, every, still.spots))
        far = excitation(still, every.hkl)
        assert far.max() < 1.0 and (far > 0.7).any()
        for reach in (0.7, 0.3, 0.05):
            found = still.result.spots(reach=reach)
            assert np.array_equal(found.hkl, every.hkl[far < reach])
            assert np.array_equal(found.position, every.position[far < reach])


def test_weakest_leaves_out() -> None:
    """What is weaker than asked for has no label; without a limit there are no labels of dark pixels."""
    still = stills_of("base")[0]
    every, strong = still.result.spots(weakest=0), still.result.spots(weakest=100)
    assert len(strong.hkl) and strong.peak.min() >= 100 and every.peak.min() > 0
    assert np.array_equal(every.hkl[every.peak >= 100], strong.hkl)
    assert len(every.hkl) > len(still.spots.hkl)


def test_position_is_where_the_photons_are() -> None:
    """The predicted middle is that of a parabola through the logarithms of the maximum and its neighbours."""
    off = []
    for still in stills_of("fine", 12):
        for place, (fast, slow), peak in zip(*still.spots[1:4], strict=True):
            box = still.image[max(slow - 1, 0) : slow + 2, max(fast - 1, 0) : fast + 2].astype(float)
            if box.shape == (3, 3) and peak > 10:
                low, middle, high = np.log(np.array([box[1], box[:, 1]])).T
                off.append(place - (fast, slow) - 0.5 * (low - high) / (low - 2 * middle + high))
    assert len(off) > 50
    assert np.median(np.abs(off)) < 0.2 and np.abs(off).max() < 0.7


def test_default_F_beyond_the_list_is_labelled() -> None:
    """Reflections that are not in the list scatter with default_F, and have labels."""
    options = dict(cell=(40, 50, 60), detpixels=128, pixel_mm=0.8, N=15, oversample=1, misset=(10, 20, 30))
    few = [[h, k, l, 100] for h in (-1, 0, 1) for k in (-1, 0, 1) for l in (-1, 0, 1)]
    assert len(simulate(hkl=few, **options).spots().hkl) < 5
    both = simulate(hkl=few, default_F=100, **options).spots()
    without_list = simulate(default_F=100, **options).spots()
    assert len(both.hkl) > 20 and all(map(np.array_equal, both, without_list))


def test_only_rendered_pixels_are_labelled() -> None:
    """Outside of a region, and where a mask is 0, nothing is; away from their borders all is as without them."""
    options = {"misset": (10, 20, 30), **options_of("12")}
    whole = simulate(**options).spots()
    slow, fast = np.mgrid[:256, :256]
    region = (fast >= 30) & (fast <= 200) & (slow >= 60) & (slow <= 180)
    gap = (fast < 100) | (fast > 119)
    for more, rendered in ((dict(roi=(30, 200, 60, 180)), region), (dict(mask=gap), gap)):
        found = simulate(**{**options, **more}).spots()
        assert rendered[found.pixel[:, 1], found.pixel[:, 0]].all()
        near = np.lib.stride_tricks.sliding_window_view(np.pad(rendered, 4, constant_values=True), (9, 9)).all((2, 3))
        well_inside = near[whole.pixel[:, 1], whole.pixel[:, 0]]
        expected = set(map(tuple, whole.hkl[well_inside].tolist()))
        assert len(expected) > 50 and expected <= set(map(tuple, found.hkl.tolist()))


def test_symmetric_setting_gives_each_pixel_one_label() -> None:
    """With a cubic cell square to the beam, pixels lie just between nodes; halves go down, as in the program."""
    result = simulate(cell=(50, 50, 50), default_F=10, N=4, detpixels=100, pixel_mm=1, oversample=1, fluence=1e28)
    spots = result.spots(weakest=0)
    assert len(spots.hkl) > 100
    assert len({tuple(pixel) for pixel in spots.pixel.tolist()}) == len(spots.hkl)


def test_table_and_dataframe() -> None:
    """The same numbers by name."""
    spots = stills_of("base")[0].spots
    table = spots.table()
    assert table.shape == (len(spots.hkl),)
    assert table.dtype.names == ("h", "k", "l", "fast", "slow", "pixel_fast", "pixel_slow", "peak", "intensity")
    for names, values in (("h k l", spots.hkl), ("fast slow", spots.position), ("pixel_fast pixel_slow", spots.pixel)):
        for name, column in zip(names.split(), values.T, strict=True):
            assert np.array_equal(table[name], column) and table[name].dtype == column.dtype
    assert np.array_equal(table["peak"], spots.peak) and np.array_equal(table["intensity"], spots.intensity)
    pandas = pytest.importorskip("pandas")
    frame = spots.to_dataframe()
    assert isinstance(frame, pandas.DataFrame) and frame["h"].tolist() == spots.hkl[:, 0].tolist()


def test_dataframe_needs_pandas(monkeypatch) -> None:
    """Without pandas the message says how to get it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"needs pandas, which is not installed: .*pip install pandas"):
        stills_of("base")[0].spots.to_dataframe()


def test_what_it_says_of_itself() -> None:
    """How many there are, and the brightest."""
    spots = stills_of("base")[0].spots
    h, k, l = spots.hkl[0].tolist()
    assert repr(spots).startswith(f"<Spots: {len(spots.hkl)}, the brightest {h} {k} {l} with ")
    none = Spots(*(column[:0] for column in spots))
    assert repr(none) == "<Spots: none>" and len(none.table()) == 0


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (dict(reach=0), "reach: expected a number above 0"),
        (dict(reach=1.5), "reach: expected a number above 0 and up to 1, got 1.5"),
        (dict(reach=np.nan), "reach: expected a number above 0"),
        (dict(reach="far"), "reach: expected numbers"),
        (dict(weakest=-1), "weakest: expected a number of photons, 0 or more, got -1"),
        (dict(weakest=np.nan), "weakest: expected a number of photons"),
        (dict(weakest=None), "weakest, reach: expected numbers"),
    ],
)
def test_bad_limits_raise(limits, message) -> None:
    """InputError that names the argument, from stills() before any still is made."""
    result = stills_of("base")[0].result
    with pytest.raises(InputError, match=message):
        result.spots(**limits)
    with Simulator(cell=50, default_F=1, detpixels=16, N=2) as simulator, pytest.raises(InputError, match=message):
        simulator.stills(1, **limits)


def test_what_cannot_be_labelled() -> None:
    """Curved detectors, and cells with too many reflections and no list."""
    small = dict(default_F=1, detpixels=16, pixel_mm=6, N=2, oversample=1)
    with Simulator(cell=50, curved_detector=True, **small) as simulator:
        with pytest.raises(InputError, match="flat detectors only"):
            simulator.stills(1)
        with pytest.raises(InputError, match="flat detectors only"):
            simulator.render().spots()
    with pytest.raises(InputError, match="too many reflections"):
        simulate(cell=3000, **small).spots()
