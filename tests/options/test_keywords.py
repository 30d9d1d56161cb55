"""Keywords: they set what the command line's options set; their types are up to date; None is not given."""

from __future__ import annotations

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from nanobragg_py import Config, InputError
from nanobragg_py.base.vectors import turned
from nanobragg_py.options import keyword_types
from nanobragg_py.options.keyword_types_source import keyword_types as source_of_types
from nanobragg_py.options.keywords import CHANGEABLE_FIELDS, SPINDLE_FIELDS, changes, keywords, settings

ROOT = Path(__file__).resolve().parents[2]


def config_of(words: list[str]) -> Config:
    """Config of a command line whose warnings are expected."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Config.from_argv(words)


KEYWORDS_AND_WORDS = (
    (dict(cell=(42, 42, 89, 90, 90, 90), misset=(20, 35, 50)), "-cell 42 42 89 90 90 90 -misset 20 35 50"),
    (dict(wavelength_A=0.97, distance_mm=123.4, pixel_mm=0.17), "-wavelength 0.97 -distance 123.4 -pixel 0.17"),
    (dict(energy_eV=12345, detpixels=(300, 200)), "-energy 12345 -detpixels_f 300 -detpixels_s 200"),
    (dict(N=(3, 4, 5), mosaic_deg=0.3, mosaic_domains=7), "-Na 3 -Nb 4 -Nc 5 -mosaic 0.3 -mosaic_domains 7"),
    (dict(phi_deg=1, osc_deg=0.5, phisteps=4), "-phi 1 -osc 0.5 -phisteps 4"),
    (dict(fluence=1e24, water_um=20, oversample=2), "-fluence 1e24 -water 20 -oversample 2"),
    (dict(convention="xds", Xbeam_mm=10, Ybeam_mm=11.5), "-xds -Xbeam 10 -Ybeam 11.5"),
    (dict(Xclose_mm=10, convention="adxv"), "-Xclose 10 -adxv"),
    (dict(shape="gauss", fudge=0.7, interpolate=False), "-gauss_xtal -fudge 0.7 -nointerpolate"),
    (dict(roi=(1, 2, 3, 4), seed=5, mosaic_seed=6), "-roi 1 2 3 4 -seed 5 -mosaic_seed 6"),
    (dict(detector_thick_um=300, detector_absorption_um=200), "-detector_thick 300 -detector_abs 200"),
    (dict(dispersion_percent=1, dispsteps=3, divergence_mrad=2), "-dispersion 1 -dispsteps 3 -divergence 2"),
    (dict(fdet_vector=(0, 0, 1), twotheta_deg=5, dmin_A=2), "-fdet_vector 0 0 1 -twotheta 5 -dmin 2"),
    (dict(misset="random", misset_seed=3, nopolar=True), "-misset random -misset_seed 3 -nopolar"),
    (dict(hkl="a.hkl", mat="a.mat", dumpfile="d"), "-hkl a.hkl -mat a.mat -dump d"),
    (dict(threads=2, column="FP", sf_resolution_A=2), "--threads 2 --column FP --sf-resolution 2"),
    (dict(fix="cell,water"), "--fix cell,water"),
    (dict(fix=["cell", "water"]), "--fix cell --fix water"),
)


@pytest.mark.parametrize(("given", "words"), KEYWORDS_AND_WORDS, ids=lambda value: str(value)[:40])
def test_keywords_are_options(given, words) -> None:
    """Keywords set the fields that the options set, to the last bit."""
    assert Config.from_keywords(**{"dumpfile": "Fdump.bin", **given}) == config_of(words.split())


def test_every_option_has_a_keyword() -> None:
    """All that the image depends on can be said; the names are Python's."""
    names = keywords()
    assert all(name.isidentifier() for name in names)
    for name in "cell misset wavelength_A energy_eV distance_mm pixel_mm detpixels N fluence convention".split():
        assert name in names
    for name in "wave_A heigh_mm detector_abs_um printout trace_pixel".split():
        assert name not in names


def test_numbers_of_numpy_are_numbers() -> None:
    """NumPy's scalars and arrays are taken like Python's."""
    plain = Config.from_keywords(cell=[40, 50, 60], N=3, misset=(1, 2, 3))
    numpy = Config.from_keywords(cell=np.array([40.0, 50, 60]), N=np.int64(3), misset=np.arange(1, 4))
    assert plain == numpy


def test_none_is_not_given() -> None:
    """Every keyword may be None, which sets nothing."""
    assert settings(dict.fromkeys(keywords())) == {}


class Turn:
    """What SciPy's Rotation gives, of three angles about x, y and z, one after the other."""

    def __init__(self, *degrees: float):
        self.angles = np.radians(degrees)

    def as_matrix(self) -> np.ndarray:
        """Columns are what x, y and z are turned to."""
        return np.array([turned(axis, *self.angles) for axis in np.eye(3).tolist()]).T


@pytest.mark.parametrize(
    "degrees", [(20, 35, 50), (0, 0, 0), (170, -80, -170), (30, 90, 40), (30, -90, 40), (0, 89, 0)]
)
def test_a_rotation_is_a_misset(degrees) -> None:
    """Its angles turn every vector to where it does; also where two of them cannot be told apart."""
    said = settings({"misset": Turn(*degrees)})
    assert said["misset_random"] is False
    again = np.array([turned(axis, *said["misset"]) for axis in np.eye(3).tolist()]).T
    assert np.allclose(again, Turn(*degrees).as_matrix(), atol=1e-12)


def test_scipys_rotations() -> None:
    """The same of SciPy; several rotations are not one."""
    transform = pytest.importorskip("scipy.spatial.transform")
    rotation = transform.Rotation.from_euler("xyz", (20, 35, 50), degrees=True)
    assert np.allclose(np.degrees(settings({"misset": rotation})["misset"]), (20, 35, 50))
    with pytest.raises(InputError, match="misset: expected one rotation"):
        settings({"misset": transform.Rotation.random(3, random_state=1)})


def test_keyword_types_are_up_to_date() -> None:
    """keyword_types.py is what the flag table gives."""
    path = Path(keyword_types.__file__)
    remedy = "run: python -m nanobragg_py.options.keyword_types_source > nanobragg_py/options/keyword_types.py"
    assert path.read_text() == source_of_types(), remedy


def test_keyword_types_have_every_keyword() -> None:
    """And those that take arrays only; those of render() are what may differ between images."""
    every = set(keyword_types.Keywords.__annotations__)
    assert every == {*keywords(), "matrix", "sources"}
    some = set(keyword_types.Changes.__annotations__)
    assert {"phi_deg", "osc_deg", "distance_mm", "fluence", "sources"} <= some < every
    assert not {"cell", "N", "hkl", "mask", "detpixels", "pixel_mm", "wavelength_A", "mosaic_deg", "seed"} & some


def test_types_are_checked() -> None:
    """A type checker finds unknown keywords and impossible values, and nothing else."""
    pytest.importorskip("mypy", reason="make lint installs it")
    code = (
        "import numpy as np; from nanobragg_py import Simulator, simulate; "
        "simulate(cell=(1, 2, 3), hkl=np.zeros((3, 4)), N=5, detpixels=(3, 4), misset='random', seed=None); "
        "simulate(distance=100); simulate(shape='cube'); s = Simulator(cell=4, threads=2); "
        "s.render((1, 2, 3), phi_deg=3, sources=np.zeros((3, 5))); s.render(N=3)"
    )
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict", "--follow-imports=silent", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    errors = [line for line in done.stdout.splitlines() if " error: " in line]
    assert len(errors) == 3, done.stdout + done.stderr
    for error, part in zip(errors, ('"distance"', "Literal['cube']", '"N"'), strict=True):
        assert part in error


def test_what_may_differ_between_images() -> None:
    """Keywords whose fields nothing else depends on; the others are refused, by name."""
    assert changes(dict(phi_deg=3, distance_mm=None)) == settings(dict(phi_deg=3))
    assert SPINDLE_FIELDS < CHANGEABLE_FIELDS <= set(Config.__dataclass_fields__)
    for name, value in dict(N=3, cell=50, hkl="a", seed=3, energy_eV=1e4, detpixels=5, fix="all", threads=2).items():
        with pytest.raises(InputError, match=f"another {name} needs a new Simulator"):
            changes({name: value})
    with pytest.raises(InputError, match="no keyword 'phi'; did you mean phi_deg"):
        changes(dict(phi=3))


def test_command_lines_as_text() -> None:
    """A text is split as a shell splits it."""
    words = ["-hkl", "my list.hkl", "-cell", "42", "42", "89", "-N", "10"]
    assert Config.from_argv("-hkl 'my list.hkl' -cell 42 42 89 -N 10") == Config.from_argv(words)
    with pytest.raises(InputError, match="command line: No closing quotation, in -hkl 'my"):
        Config.from_argv("-hkl 'my list.hkl")
    with pytest.raises(InputError, match="needs a value"):
        Config.from_argv("-cell")
    with pytest.warns(UserWarning, match="did you mean -distance"):
        Config.from_argv("-distnace")


def test_what_a_config_says_of_itself() -> None:
    """What differs from the defaults."""
    assert repr(Config()) == "Config()"
    text = repr(Config.from_keywords(cell=(42, 42, 89), N=3, fix="cell"))
    assert text == "Config(Na=3, Nb=3, Nc=3, cell=(42.0, 42.0, 89.0), dump_file='', fixes=Corrections(cell=True))"
