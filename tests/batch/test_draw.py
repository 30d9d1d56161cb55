"""nb-batch draw: distributions, and rows that depend on nothing but the seed and their number."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import making
import numpy as np
import pytest

from nanobragg_py import InputError
from nanobragg_py.base.vectors import turned
from nanobragg_py.batch.columns import misset_of
from nanobragg_py.batch.draw import rows, variables, write_csv

N = 4000


def drawn(*said: str, count: int = N, seed: int = 1, first: int = 0) -> dict[str, np.ndarray]:
    """Columns of a table."""
    file = io.StringIO()
    write_csv(file, variables([tuple(one.split("=", 1)) for one in said]), count, seed, first)  # type: ignore[misc]
    header, *lines = csv.reader(io.StringIO(file.getvalue()))
    return {name: np.array([float(line[at]) for line in lines]) for at, name in enumerate(header)}


def largest_difference(values: np.ndarray, cumulative: np.ndarray) -> float:
    """Kolmogorov's statistic times the square root of n; below 1.95 with a probability of 99.9 %."""
    order = np.argsort(values)
    steps = np.arange(1, len(values) + 1) / len(values)
    return float(np.abs(cumulative[order] - steps).max() * np.sqrt(len(values)))


def normal_below(x: np.ndarray) -> np.ndarray:
    from math import erf

    return np.array([0.5 * (1 + erf(one / 2**0.5)) for one in x])


@pytest.mark.parametrize(
    "said, below",
    [
        ("wavelength_A=normal:1:0.01", lambda x: normal_below((x - 1) / 0.01)),
        ("distance_mm=uniform:100:300", lambda x: (x - 100) / 200),
        ("fluence=lognormal:1e24:0.5", lambda x: normal_below(np.log(x / 1e24) / 0.5)),
        ("fluence=loguniform:1e22:1e26", lambda x: np.log10(x / 1e22) / 4),
        ("fluence=exponential:1e24", lambda x: 1 - np.exp(-x / 1e24)),
        ("fluence=gamma:1e24:1", lambda x: 1 - np.exp(-x / 1e24)),
        ("fluence=gamma:1e24:2", lambda x: 1 - np.exp(-2 * x / 1e24) * (1 + 2 * x / 1e24)),
        ("Xbeam_mm=normal:50:1:50:51", lambda x: (normal_below(x - 50) - 0.5) / (normal_below(np.ones(1))[0] - 0.5)),
        ("noise_seed=random", lambda x: x / 2**31),
    ],
)
def test_distributions(said: str, below: object) -> None:
    (values,) = drawn(said).values()
    assert largest_difference(values, below(values)) < 1.95  # type: ignore[operator]


def test_whole_numbers() -> None:
    found = drawn("Na=uniform:3:5", "Nb=choice:7,11", "Nc=lognormal:1:2", "oversample=fixed:2")
    assert np.unique(found["Na"], return_counts=True)[0].tolist() == [3, 4, 5]
    assert np.unique(found["Na"], return_counts=True)[1].min() > N / 3 * 0.9
    assert set(found["Nb"]) == {7, 11} and found["Nc"].min() == 1 and set(found["oversample"]) == {2}


def test_orientations_are_uniform() -> None:
    """A fixed vector is turned evenly over the sphere, and the angle of the turn has its density (1 - cos) / pi."""
    found = drawn("orientation=uniform")
    quaternions = np.array([found[name] for name in ("qw", "qx", "qy", "qz")]).T
    np.testing.assert_allclose(np.linalg.norm(quaternions, axis=1), 1.0, atol=1e-15)
    for vector in ((1.0, 0.0, 0.0), (0.0, 0.6, 0.8)):
        ends = np.array([turned(vector, *np.radians(misset_of(q))) for q in quaternions.tolist()])
        for axis in range(3):
            assert largest_difference(ends[:, axis], (ends[:, axis] + 1) / 2) < 1.95
    angle = 2 * np.arccos(np.abs(found["qw"]))
    assert largest_difference(angle, (angle - np.sin(angle)) / np.pi) < 1.95


def test_cells() -> None:
    found = drawn("cell=normal:40,50,60,90,95,90:0.1,0.2,0.3,0,0.5,0")
    means = [40, 50, 60, 90, 95, 90]
    for values, mean, sigma in zip(found.values(), means, [0.1, 0.2, 0.3, 0, 0.5, 0], strict=True):
        assert abs(values.mean() - mean) <= 4 * sigma / N**0.5 and abs(values.std() - sigma) <= 0.05 * sigma
    found = drawn("cell=scaled:40,50,60,90,95,90:0.01")
    factor = found["cell_a"] / 40
    np.testing.assert_allclose(found["cell_c"] / 60, factor)
    assert largest_difference(factor, normal_below((factor - 1) / 0.01)) < 1.95 and set(found["cell_beta"]) == {95}


def test_a_row_depends_on_its_number_and_the_seed() -> None:
    """Not on how many rows there are, nor on which are drawn, nor on variables that come after."""
    said = ("orientation=uniform", "fluence=gamma:1e24:4")
    whole = drawn(*said, count=50)
    for other in (drawn(*said, count=20, first=10), drawn(*said, "wavelength_A=normal:1:0.1", count=20, first=10)):
        for name, values in whole.items():
            assert np.array_equal(values[10:30], other[name])
    assert not np.any(drawn(*said, count=50, seed=2)["qx"] == whole["qx"])
    (row,) = rows(variables([("distance_mm", "uniform:0:1")]), 1, 5, 7)
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence(5, spawn_key=(7,))))
    assert row == [generator.uniform(0, 1)]


@pytest.mark.parametrize(
    "said, message",
    [
        ("distence_mm=normal:1:2", "no keyword 'distence_mm'; did you mean distance_mm"),
        ("distance_mm=norml:1:2", "expected one of normal, uniform"),
        ("distance_mm=normal:1", "normal takes 2 or 4 values, separated by colons, got 1"),
        ("distance_mm=normal:1:x", "expected a number, got 'x'"),
        ("distance_mm=normal:1:-1", "the standard deviation is -1: expected 0 or more"),
        ("distance_mm=uniform:2:1", "the upper limit is 1: expected 2 or more"),
        ("distance_mm=loguniform:0:1", "expected numbers above 0"),
        ("distance_mm=random", "expected one of normal"),
        ("orientation=normal", "expected one of uniform"),
        ("cell=normal:1,2,3:1", "expected 6 numbers, separated by commas, got 3"),
        ("misset=uniform:1:2", "expected orientation=uniform"),
        ("noise_seed=choice:1,x", "expected a whole number, got 'x'"),
        ("threads=fixed:1", "a batch has its own files and threads"),
    ],
)
def test_what_is_wrong(said: str, message: str) -> None:
    with pytest.raises(InputError, match="--vary " + said.split("=")[0]) as error:
        variables([tuple(said.split("=", 1))])  # type: ignore[list-item]
    assert message in str(error.value)


def test_what_does_not_go_together() -> None:
    with pytest.raises(InputError, match="'wavelength_A' and 'energy_eV' set the same"):
        variables([("wavelength_A", "fixed:1"), ("energy_eV", "fixed:12000")])
    with pytest.raises(InputError, match=r"cell_a, .* belong together"):
        variables([("cell_a", "fixed:1")])
    with pytest.raises(InputError, match="hardly any number between 10 and 11"):
        list(rows(variables([("Xbeam_mm", "normal:0:0.1:10:11")]), 1, 1))


def test_as_a_process(tmp_path: Path) -> None:
    """A file of variables, and --vary after it; nb-batch run takes what comes out."""
    (tmp_path / "spec.toml").write_text('[vary]\norientation = "uniform"\nnoise_seed = "random"\n')
    words = ["draw", "spec.toml", "--rows", "3", "--seed", "4"]
    done = making.nb_batch(*words, "--vary", "fluence=gamma:1e25:4", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("qw,qx,qy,qz,noise_seed,fluence\n") and done.stdout.count("\n") == 4
    making.folder(tmp_path, done.stdout)
    done = making.nb_batch("run", "table.csv", "--out", "out", "--", *making.BASE.split(), cwd=tmp_path)
    assert done.returncode == 0 and "3 rows done" in done.stderr
    for words, message in (
        (["draw", "--rows", "3", "--seed", "4"], "nothing to draw"),
        (["draw", "--rows", "3", "--seed", "4", "--vary", "fluence"], "expected NAME=DISTRIBUTION, got 'fluence'"),
        (["draw", "none.toml", "--rows", "3", "--seed", "4"], "none.toml: SPEC cannot be read"),
        (["draw", "table.csv", "--rows", "3", "--seed", "4"], "table.csv: "),
    ):
        done = making.nb_batch(*words, cwd=tmp_path)
        assert (done.returncode, done.stdout) == (9, "") and message in done.stderr, done.stderr
