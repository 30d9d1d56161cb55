"""nb-batch run: every image is that of its row alone, whatever was made before, by whom, and in how many pieces."""

from __future__ import annotations

import gzip
import json
import os
import pickle
import resource
import shlex
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import h5py
import making
import numpy as np
import pytest

from nanobragg_py import Batch, InputError, simulate
from nanobragg_py.batch.check import check_batch
from nanobragg_py.batch.master import make_masters
from nanobragg_py.batch.plan import Plan, load_plan
from nanobragg_py.batch.run import run_batch
from nanobragg_py.batch.shards import failures, make_shard, make_shard_in, missing_shards, runs_of
from nanobragg_py.batch.show import command_line
from nanobragg_py.formats import shard_master
from nanobragg_py.formats.hdf5_output import Hdf5Output
from nanobragg_py.formats.nexus import NexusFile
from nanobragg_py.formats.row_table import RowTable
from nanobragg_py.options.config import scan
from nanobragg_py.resolve.stages import resolve


def images(plan: Plan) -> list[np.ndarray]:
    with Batch(plan.folder) as batch:
        return [batch.image(row) for row in range(len(batch))]


def assert_same(some: list[np.ndarray], others: list[np.ndarray]) -> None:
    assert len(some) == len(others)
    for row, (one, other) in enumerate(zip(some, others, strict=True)):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other), row


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A batch whose rows differ in everything."""
    return making.made(making.folder(tmp_path_factory.mktemp("varied"), making.VARIED), shard_rows=3)


def test_each_image_is_that_of_its_command_line(varied: Plan, tmp_path: Path) -> None:
    """Run by nanoBragg as a process of its own, as nb-batch show prints it."""
    lines = []
    for row in range(varied.rows):
        line = command_line(varied, row, str(tmp_path / f"a {row}.npy"))
        assert line.startswith("nanoBragg -hkl ")
        lines.append(line.replace("nanoBragg", f"{sys.executable} {making.ROOT}/bin/nanoBragg", 1) + " > log")
    subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=tmp_path, check=True, timeout=120)
    found = images(varied)
    assert_same(found, [np.load(tmp_path / f"a {row}.npy") for row in range(varied.rows)])
    assert len({image.tobytes() for image in found}) == varied.rows
    assert np.mean([image.max() > 5 for image in found]) > 0.8


def test_each_image_is_that_of_simulate(varied: Plan) -> None:
    """Photons by simulate(), noise by its seed; the labels are its labels, the matrix its matrix."""
    from nanobragg_py.batch.rows import RowRenderer, row_config
    from nanobragg_py.measurement.counts import poisson_counts

    renderer = RowRenderer(varied)
    for sample in Batch(varied.folder):
        words = renderer.words(sample.row, varied.values(sample.row))
        result = simulate(row_config(varied, words))
        counts = poisson_counts(result.image, result.experiment, result.experiment.noise_seed)
        assert np.array_equal(counts.pixels, sample.image)
        assert np.array_equal(sample.matrix, result.matrix)
        spots = result.spots()
        assert sample.spots is not None and len(spots.hkl) == len(sample.spots.hkl)
        for one, other in zip(spots, sample.spots, strict=True):
            assert one.dtype == other.dtype and np.array_equal(one, other)
        if words.misset_deg is not None:
            # R times the standard setting is the crystal as it was rendered.
            still = simulate(row_config(varied, words._replace(misset_deg=(0.0, 0.0, 0.0))))
            np.testing.assert_allclose(sample.rotation @ still.matrix, sample.matrix, atol=1e-14)


@pytest.mark.parametrize("shard_rows, threads", [(1, 2), (2, 3), (8, 1), (8, 16), (100, 2)])
def test_shards_and_threads_do_not_matter(varied: Plan, tmp_path: Path, shard_rows: int, threads: int) -> None:
    plan = making.made(making.folder(tmp_path, making.VARIED), threads=threads, shard_rows=shard_rows)
    assert len(plan.firsts) == -(-8 // shard_rows)
    assert_same(images(plan), images(varied))
    for one, other in zip(Batch(plan.folder), Batch(varied.folder), strict=True):
        assert one.spots is not None and other.spots is not None
        assert np.array_equal(one.spots.position, other.spots.position)
        assert np.array_equal(one.spots.intensity, other.spots.intensity)
        assert np.array_equal(one.rotation, other.rotation) and one.values == other.values


def test_reflections_may_differ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Structure factors are kept from row to row only where they are the same; so is the cell that a file has."""
    path = making.folder(tmp_path)
    (path / "other.hkl").write_text(making.HKL.replace(" 1", " 2"))
    cif = "data_x\n_cell_length_a 31\n_cell_length_b 42\n_cell_length_c 53\n_cell_angle_alpha 90\n"
    cif += "_cell_angle_beta 90\n_cell_angle_gamma 90\n_symmetry_space_group_name_H-M 'P 1'\nloop_\n_refln_index_h\n"
    cif += "_refln_index_k\n_refln_index_l\n_refln_F_squared_calc\n" + making.HKL
    (path / "cell.cif").write_text(cif)
    table = """N,hkl,default_F,cell,sf_resolution_A
5,P1.hkl,,30 40 50,
6,P1.hkl,,31 40 50,
7,other.hkl,,31 40 50,
5,other.hkl,,,
6,,50,30 40 50,
7,,60,30 40 50,
5,cell.cif,,,
6,cell.cif,,,
7,cell.cif,,30 40 50,
5,cell.cif,,30 40 50,5
6,cell.cif,,,5
"""
    (path / "table.csv").write_text(table)
    monkeypatch.chdir(path)
    base = making.BASE.replace("-hkl P1.hkl -cell 30 40 50 90 90 90 -N 6", "-default_F 1")
    plan = making.made(path, base=base, shard_rows=100, labels=False)
    from nanobragg_py.batch.rows import RowRenderer, row_config

    renderer, good = RowRenderer(plan), 0
    for row in Batch(plan.folder).good.tolist():
        config = row_config(plan, renderer.words(row, plan.values(row)))
        assert np.array_equal(Batch(plan.folder).image(row), simulate(config).image), row
        good += 1
    assert good == 10 and list(failures(plan)) == [3]
    # Atoms are summed up to a resolution that the detector decides on.
    (path / "atoms.pdb").write_bytes(gzip.decompress((making.ROOT / "tests" / "data" / "1a8o.pdb.gz").read_bytes()))
    (path / "table.csv").write_text("hkl,distance_mm\nP1.hkl,50\natoms.pdb,60\n")
    with pytest.raises(InputError, match=r"depends on distance_mm: expected\s+--sf-resolution"):
        making.plan_in(path, "atoms")


def test_the_order_of_rows_does_not_matter(varied: Plan, tmp_path: Path) -> None:
    header, *lines = making.VARIED.splitlines()
    turned = making.made(making.folder(tmp_path, "\n".join([header, *reversed(lines)])), shard_rows=5)
    assert_same(images(turned)[::-1], images(varied))


def test_parts_make_the_whole(varied: Plan, tmp_path: Path) -> None:
    """Every shard once, whatever the order; the last part makes the master."""
    plan = making.plan_in(making.folder(tmp_path, making.VARIED), shard_rows=1)
    for part in (3, 1):
        assert run_batch(plan, (part, 3), threads=1) == 0
        assert not os.path.exists(os.path.join(plan.folder, "batch.nxs"))
    assert missing_shards(plan) == [1, 4, 7] == missing_shards(plan, (2, 3))
    before = {path: path.stat().st_mtime_ns for path in Path(plan.folder).glob("shard_*.h5")}
    assert run_batch(plan, (2, 3), threads=1) == 0
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert os.path.exists(os.path.join(plan.folder, "batch.nxs"))
    assert_same(images(plan), images(varied))
    assert json.loads(Path(plan.folder, "status-2-of-3.json").read_text())["done"] == 3


def test_a_plan_can_be_sent_to_other_processes(varied: Plan, tmp_path: Path) -> None:
    """Workers that share nothing but the folder; one of them in another working directory."""
    plan = making.plan_in(making.folder(tmp_path, making.VARIED), shard_rows=3)
    plan = pickle.loads(pickle.dumps(plan))
    with ProcessPoolExecutor(2, get_context("spawn"), initializer=os.chdir, initargs=("/",)) as pool:
        reports = list(pool.map(make_shard, [plan] * 3, plan.firsts, [1] * 3))
    assert [(one.first, one.rows, one.failed) for one in reports] == [(0, 3, {}), (3, 3, {}), (6, 2, {})]
    assert [one.bytes for one in reports] == [os.path.getsize(plan.shard_path(first)) for first in plan.firsts]
    assert_same(images(plan), images(varied))


@pytest.mark.parametrize(
    "options, rows, threads, size", [("", 1000, 2, 62), ("", 8000, 2, 403), ("-oversample 4", 8000, 2, 25),
                                     ("-detpixels 2000 -pixel 0.02", 8000, 2, 1), ("", 7, 1, 1), ("", 0, 4, 1)],
)  # fmt: skip
def test_runs_of_rows(options: str, rows: int, threads: int, size: int) -> None:
    """Small images go several at a time; all rows are there once, in order, and runs enough for all threads."""
    template = resolve(scan(f"-default_F 9 -cell 30 40 50 90 90 90 -N 5 -distance 50 -lambda 1 -detpixels 51 -pixel 1 "
                            f"-oversample 1 --fix none {options}".split())[0])  # fmt: skip
    runs = runs_of(rows, threads, template)
    assert [row for first, end in runs for row in range(first, end)] == list(range(rows))
    assert all(end - first == size for first, end in runs[:-1])


def test_hdf5_is_left_to_one_thread_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one thread brings a shard to its end, the one that writes the next does not call HDF5 either."""
    inside: set[int] = set()
    seen: set[int] = set()
    met: list[str] = []

    def watched(function: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            me = threading.get_ident()
            outermost = me not in inside
            if inside - {me}:
                met.append(function.__qualname__)
            inside.add(me)
            seen.add(me)
            try:
                time.sleep(0.001)
                return function(*arguments, **named)
            finally:
                if outermost:
                    inside.discard(me)

        return call

    for kind, names in ((Hdf5Output, ["write"]), (NexusFile, ["__init__", "put", "__exit__"]), (RowTable, ["_values"])):
        for name in names:
            monkeypatch.setattr(kind, name, watched(getattr(kind, name)))
    plan = making.made(making.folder(tmp_path, making.VARIED), shard_rows=1)
    assert not missing_shards(plan) and len(seen) >= 2
    assert not met


def test_workers_of_another_version_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker knows the batch by its folder's name; its own version must be the batch's."""
    plan = making.plan_in(making.folder(tmp_path), shard_rows=3)
    assert make_shard_in(plan.folder, 3, 1)[:3] == (3, 3, {})
    monkeypatch.setattr("nanobragg_py.batch.shards.__version__", "9.9")
    with pytest.raises(InputError, match=r"the batch is of nanobragg_py .*; the worker on .* has 9\.9"):
        make_shard_in(plan.folder, 0, 1)
    assert missing_shards(plan) == [0, 6]


def test_restart_makes_what_is_missing(varied: Plan, tmp_path: Path) -> None:
    plan = making.made(making.folder(tmp_path, making.VARIED), shard_rows=2)
    whole = {path: path.stat().st_mtime_ns for path in Path(plan.folder).glob("shard_*.h5")}
    os.unlink(plan.shard_path(2))
    Path(plan.shard_path(4) + ".elsewhere-1.part").write_bytes(b"left by a process that was killed")
    again = making.plan_in(tmp_path)
    assert again == plan
    assert run_batch(again, threads=2) == 0
    changed = [path for path, time in whole.items() if path.stat().st_mtime_ns != time]
    assert [str(path) for path in changed] == [plan.shard_path(2)]
    assert_same(images(plan), images(varied))


def test_photons_and_own_seeds(tmp_path: Path) -> None:
    """Without any seed photons; asked for noise, each row has a seed of its own, which show prints."""
    table = "misset_x,misset_y,misset_z\n1,2,3\n1,2,3\n"
    photons = making.made(making.folder(tmp_path, table), "photons")
    found = images(photons)
    assert found[0].dtype == np.float32 and np.array_equal(found[0], found[1])
    assert "--save row" in command_line(photons, 0, "row.npy") and not photons.noise
    noisy = making.made(tmp_path, "noisy", noise=True, base=making.BASE + " -seed 5")
    one, other = images(noisy)
    assert one.dtype == np.int32 and not np.array_equal(one, other)
    seeds = [shlex.split(command_line(noisy, row, "x"))[::-1] for row in (0, 1)]
    assert seeds[0][seeds[0].index("-seed") - 1] != seeds[1][seeds[1].index("-seed") - 1]
    assert check_batch(noisy, 2, 0) == 0


MEASURED = """qw,qx,qy,qz,noise_seed,detector,gain,psf_fwhm_um,bits,fluence
1,0,0,0,11,,,,,1e24
0.5,0.5,0.5,0.5,12,ccd,,,,
0.6,0.8,0,0,13,eiger,2.5,,,
0.6,0,0.8,0,14,ccd,1.5,300,32,2e25
"""


def test_detectors_and_background(tmp_path: Path) -> None:
    """Each row may be measured by another detector; amorphous materials are the base's; as by nanoBragg itself."""
    path = making.folder(tmp_path, MEASURED)
    (path / "table.stol").write_text("0 5\n0.5 2\n")
    base = (
        making.BASE
        + f" --background {path}/table.stol --background-thick 5e-9 --background-density 1 --background-mw 18"
    )
    plan = making.made(path, base=base, threads=2)
    assert plan.noise and failures(plan) == {} and str(path / "table.stol") in plan.inputs
    lines = [command_line(plan, row, f"{row}.npy") for row in range(4)]
    program = f"{sys.executable} {making.ROOT}/bin/nanoBragg"
    text = "\n".join(line.replace("nanoBragg", program, 1) + " > log" for line in lines)
    subprocess.run(["sh", "-ec", text], cwd=tmp_path, check=True, timeout=120)
    assert_same(images(plan), [np.load(tmp_path / f"{row}.npy") for row in range(4)])
    assert 10 < images(plan)[0].mean() < 1e6
    assert check_batch(plan, 4, 0) == 0


def test_background_of_a_keywords_file(tmp_path: Path) -> None:
    """Materials as tables in TOML, a file's name relative to the folder: the image of the command line."""
    path = making.folder(tmp_path)
    (path / "table.stol").write_text("0 5\n0.5 2\n")
    (path / "base.toml").write_text(
        'hkl = "P1.hkl"\ncell = [30, 40, 50, 90, 90, 90]\nN = 6\ndetpixels = 40\npixel_mm = 1\ndistance_mm = 50\n'
        'wavelength_A = 1.2\noversample = 1\nfluence = 1e25\nfix = "none"\n'
        '[[background]]\nmaterial = "table.stol"\nthickness_mm = 5e-9\ndensity_g_per_cm3 = 1\n'
        'molecular_weight = 18\n[[background]]\nmaterial = "water"\nthickness_mm = 1e-6\n'
    )
    words = f" --background {path}/table.stol --background-thick 5e-9 --background-density 1 --background-mw 18"
    plan = making.made(path, base=making.BASE + words + " --background water --background-thick 1e-6")
    done = making.nb_batch("run", "table.csv", "--out", "toml", "--base", "base.toml", cwd=path)
    assert done.returncode == 0, done.stderr
    again = load_plan(str(path / "toml"))
    assert again.inputs == plan.inputs and str(path / "table.stol") in plan.inputs
    assert_same(images(again), images(plan))
    assert "--background water --background-thick 1e-06" in command_line(again, 0, "0.npy")


def failing(path: Path) -> Path:
    """A table of which rows 2 and 5 fail."""
    header, *lines = making.TURNED.splitlines()
    lines = [f"{header},N,shape", *(f"{line},6," for line in lines)]
    lines[3] += "cube"
    lines[6] = lines[6].replace("-0.5", "-1.5")
    return making.folder(path, "\n".join(lines) + "\n")


def test_rows_that_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are recorded with their messages; the others are made, and the exit status is 1."""
    good = making.made(making.folder(tmp_path / "good"), shard_rows=3)
    path = failing(tmp_path / "bad")
    plan = making.plan_in(path, shard_rows=3)
    capsys.readouterr()
    assert run_batch(plan, threads=2) == 1
    said = capsys.readouterr().err
    assert "row 2 failed: shape: expected one of" in said and "row 5 failed: qw, qx, qy, qz: expected" in said
    assert "7 rows done" in said and "2 failed" in said
    assert sorted(failures(plan)) == [2, 5]
    batch = Batch(plan.folder)
    assert batch.good.tolist() == [0, 1, 3, 4, 6] and len(batch) == 7
    for row in batch.good:
        assert np.array_equal(batch.image(row), Batch(good.folder).image(row))
    with pytest.raises(InputError, match="row 2 has no image: shape: expected one of"):
        batch[2]
    with h5py.File(os.path.join(plan.folder, "batch.nxs")) as file:
        assert file["entry/status"][()].tolist() == [0, 0, 1, 0, 0, 1, 0]
        assert file["entry/messages"].asstr()[2].startswith("shape: expected one of")
    times = [os.stat(plan.shard_path(first)).st_mtime_ns for first in plan.firsts]
    assert run_batch(plan, threads=1) == 1
    assert [os.stat(plan.shard_path(first)).st_mtime_ns for first in plan.firsts] == times
    assert run_batch(plan, threads=1, retry=True) == 1
    after = [os.stat(plan.shard_path(first)).st_mtime_ns for first in plan.firsts]
    assert [a != b for a, b in zip(times, after, strict=True)] == [True, True, False]


def test_a_row_is_tried_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only fails once does not count; what goes wrong is told of, whatever it is."""
    from nanobragg_py.batch.rows import RowRenderer

    plan = making.plan_in(making.folder(tmp_path))
    image, tries = RowRenderer.image, []

    def unsteady(self: RowRenderer, row: int, values: object) -> object:
        tries.append(row)
        if (row == 1 and tries.count(1) == 1) or row == 3:
            raise MemoryError("none left") if row == 1 else ZeroDivisionError("nothing")
        return image(self, row, values)  # type: ignore[arg-type]

    monkeypatch.setattr(RowRenderer, "image", unsteady)
    report = make_shard(plan, 0, 2)
    assert report.failed == {3: "internal: ZeroDivisionError: nothing"}
    assert tries.count(1) == tries.count(3) == 2 and tries.count(0) == 1


def test_what_is_wrong_from_the_beginning(tmp_path: Path) -> None:
    """Found before anything is made: no reflections, rows of which none is good, options that do not go together."""
    path = making.folder(tmp_path)
    (path / "all.csv").write_text("N,shape\n5,cube\n5,ball\n")
    (path / "none.csv").write_text("N\n")
    for settings, message in (
        ({"base": "-hkl missing.hkl -cell 1 2 3"}, "missing.hkl: cannot be read: no such file"),
        ({"base": "-default_F 1"}, "no unit cell"),
        ({"table": "all.csv"}, "all.csv: row 0: shape: expected one of"),
        ({"table": "none.csv"}, "the table has no rows"),
        ({"dtype": "int32", "code": "sqrt"}, "--code sqrt: expected --dtype uint16"),
        ({"dtype": "uint16", "code": "gain:0"}, "--code: expected gain:FACTOR"),
        ({"base": making.BASE + " -misset random", "table": "turnless.csv"}, "expected -misset_seed"),
        ({"base": making.BASE + " -curved_det -nopgm"}, "labels are for flat detectors only"),
    ):
        (path / "turnless.csv").write_text("noise_seed\n1\n")
        with pytest.raises(InputError, match="(?s)" + message.replace("(", r"\(")):
            making.plan_in(path, **settings)
    assert list((path / "out").iterdir()) == [] or not list((path / "out").glob("shard*"))
    assert not (path / "out" / "manifest.json").exists()


def test_images_of_another_size(tmp_path: Path) -> None:
    making.folder(tmp_path, "noise_seed,detpixels\n1,40\n2,41\n")
    plan = making.made(tmp_path)
    assert failures(plan) == {1: "its image has 41 x 41 pixels, the others 40 x 40"}


def test_no_mixture(tmp_path: Path) -> None:
    """What differs is said; nothing is made."""
    path = making.folder(tmp_path)
    making.made(path, shard_rows=3)
    before = {file.name for file in (path / "out").iterdir()}
    table = (path / "table.csv").read_text()
    for change, settings, message in (
        (table.replace("11", "18"), {}, "different: values in the table;"),
        (table + "1,0,0,0,18\n", {}, "different: rows of the table: 7 there, 8 now;"),
        (table.replace("noise_seed", "mosaic_seed"), {"noise": True}, "columns of the table: qw, qx, qy, qz, noise_"),
        (table, {"base": making.BASE + " -phi 1"}, "different: base: -hkl"),
        (table, {"dtype": "uint16"}, "stored numbers"),
        (table, {"noise": False, "dtype": "int32"}, "different: photon noise: True there, False now;"),
        (table, {"labels": False}, "different: labels: "),
        (table, {"shard_rows": 2}, "different: rows of a shard: 3 there, 2 now;"),
    ):
        (path / "table.csv").write_text(change)
        with pytest.raises(InputError) as error:
            making.plan_in(path, **settings)
        assert message in str(error.value), str(error.value)
    (path / "table.csv").write_text(table.replace(",", " , ").replace("\n", "\r\n\r\n"))
    assert making.plan_in(path).shard_rows == 3
    (path / "P1.hkl").write_text(making.HKL + "0 0 9 1\n")
    with pytest.raises(InputError, match=r"different: input file .*P1\.hkl; expected the same, or a new --out"):
        making.plan_in(path)
    assert {file.name for file in (path / "out").glob("[!t]*")} == {name for name in before if name[0] != "t"}


def test_another_version_is_a_mixture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    making.made(making.folder(tmp_path))
    monkeypatch.setattr("nanobragg_py.batch.plan.__version__", "9.9")
    with pytest.raises(InputError, match=r"different: version of nanobragg_py: .* there, 9\.9 now"):
        making.plan_in(tmp_path)


def test_check_finds_what_is_wrong(varied: Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = making.made(making.folder(tmp_path, making.VARIED), shard_rows=2, compression="gzip")
    assert check_batch(plan, 100, 0) == 0
    assert capsys.readouterr().out == "8 of 8 images have their checksums; 8 were rendered anew; 0 complaints\n"
    with h5py.File(plan.shard_path(0), "r+") as file:
        file["entry/data/data"][1, 5, 6] += 1
    os.unlink(plan.shard_path(2))
    os.replace(plan.shard_path(4), plan.shard_path(6))
    Path(plan.shard_path(4)).write_bytes(b"no HDF5")
    assert check_batch(plan, 8, 0) == 1
    out = capsys.readouterr().out
    assert "shard_000000002.h5: is missing" in out
    assert "shard_000000000.h5: row 1: image and row are not those of the checksum" in out
    assert "row 1: rendered anew, 1 pixels are different" in out
    assert "shard_000000004.h5: cannot be read" in out
    assert "shard_000000006.h5: has 2 rows from 4 on, expected 2 from 6 on" in out
    (tmp_path / "P1.hkl").write_text(making.HKL + "0 0 9 1\n")
    assert check_batch(plan, 0, 0) == 1
    assert "P1.hkl: is not the file any more" in capsys.readouterr().out


def test_checksums_go_with_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two images that changed places are found, though both are whole."""
    plan = making.made(making.folder(tmp_path), compression="gzip")
    with h5py.File(plan.shard_path(0), "r+") as file:
        data, sums = file["entry/data/data"], file["entry/checksum"]
        data[0], data[1] = data[1], data[0]
        sums[0], sums[1] = sums[1], sums[0]
    assert check_batch(plan, 0, 0) == 1
    assert "5 of 7 images have their checksums" in capsys.readouterr().out


@pytest.mark.parametrize("most", [500, 3])
def test_masters(varied: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """All shards as one data set each, with rows and labels; links are relative: the folder can be moved."""
    for module in ("nanobragg_py.batch.master", "nanobragg_py.formats.shard_master"):
        monkeypatch.setattr(f"{module}.MOST_SHARDS", most)
    making.made(making.folder(tmp_path / "a", making.VARIED), shard_rows=1 if most == 3 else 3)
    names = ["batch.nxs"] if most == 500 else ["batch_0001.nxs", "batch_0002.nxs", "batch_0003.nxs"]
    (tmp_path / "a" / "out").rename(tmp_path / "b")
    samples = list(Batch(tmp_path / "b"))
    at = 0
    for name in names:
        with h5py.File(tmp_path / "b" / name) as file:
            data, labels = file["entry/data/data"], file["entry/labels"]
            offset = labels["offset"][()]
            for number in range(len(data)):
                sample = samples[at]
                at += 1
                assert sample.spots is not None
                assert np.array_equal(data[number], sample.image)
                part = slice(offset[number], offset[number + 1])
                for field, values in sample.spots._asdict().items():
                    assert np.array_equal(labels[field][part], values), field
                assert file["entry/row"][number] == sample.row
                assert np.array_equal(file["entry/matrix"][number], sample.matrix)
                if "distance_mm" in sample.values:
                    assert file["entry/rows/distance_mm"][number] == sample.values["distance_mm"]
                assert file["entry/rows/shape"].asstr()[number] == sample.values.get("shape", "")
            assert offset[-1] == len(labels["hkl"])
            linked = sum(len(file[f"entry/data/{link}"]) for link in file["entry/data"] if link.startswith("data_"))
            assert linked == len(data)
    assert at == 8
    assert make_masters(load_plan(str(tmp_path / "b"))) == [str(tmp_path / "b" / name) for name in names]


def test_master_is_read_as_nxmx(varied: Plan) -> None:
    """By our own reader of foreign files, through its virtual data set, and by the library nxmx."""
    from nanobragg_py.formats.hdf5_links import LinkedFiles

    nxmx = pytest.importorskip("nxmx")
    master = os.path.join(varied.folder, "batch.nxs")
    files = LinkedFiles(master)
    try:
        found = files.find("entry/data/data")
        files.check_storage(found)
        assert found.shape == (8, 40, 40)
        assert files.find("entry/data/data_000003").shape == (2, 40, 40)
    finally:
        files.close()
    with h5py.File(master) as file:
        (entry,) = nxmx.NXmx(file).entries
        assert entry.definition == "NXmx"
        assert len(entry.samples) == 1 and len(file["entry/sample/ub_matrix"]) == 8
        wavelength = entry.instruments[0].beams[0].incident_wavelength
        assert wavelength.to("angstrom").magnitude == pytest.approx(1.2)


def test_orientation_in_nxmx(varied: Plan) -> None:
    """UB of each frame is that of its matrix: same lengths and angles of the reciprocal vectors."""
    with h5py.File(os.path.join(varied.folder, "batch.nxs")) as file:
        ub, matrix = file["entry/sample/ub_matrix"][()], file["entry/matrix"][()] / 1.2
    # The C program's a*, b*, c* are the inverse of a, b, c only where angles are right.
    ub, matrix = ub[[0, 1, 2, 4, 5, 6]], matrix[[0, 1, 2, 4, 5, 6]]
    np.testing.assert_allclose(ub.transpose(0, 2, 1) @ ub, matrix.transpose(0, 2, 1) @ matrix, atol=1e-12)


def test_merge_refuses_gaps(tmp_path: Path) -> None:
    """A virtual data set would fill them with 0, in silence."""
    plan = making.made(making.folder(tmp_path), shard_rows=2)
    os.unlink(plan.shard_path(4))
    with pytest.raises(InputError, match="1 of 4 shards are missing, the first with row 4"):
        make_masters(plan)
    assert shard_master.MOST_SHARDS == 500


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    """One line, exit status 9, no unfinished file; going on gives the same images."""
    path = making.folder(tmp_path)
    whole = making.made(path, "whole", compression="gzip")
    size = os.path.getsize(whole.shard_path(0))

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(size * 0.9), resource.RLIM_INFINITY))

    words = ["run", "table.csv", "--out", "out", "--compression", "gzip", "--", *making.BASE.split()]
    done = making.nb_batch(*words, cwd=path, preexec_fn=limited)
    assert done.returncode == 9, done.stderr
    lines = done.stderr.splitlines()
    assert "0 of 7 rows are done" in lines[-2] and "go on with: nb-batch run table.csv" in lines[-2]
    assert lines[-1].startswith("nb-batch: error: ") and "shard_000000000.h5" in lines[-1]
    assert sorted(file.name for file in (path / "out").glob("shard*")) == []
    done = making.nb_batch(*words, cwd=path)
    assert done.returncode == 0, done.stderr
    assert_same(images(load_plan(str(path / "out"))), images(whole))


SLOW = making.BASE.replace("-detpixels 40 -pixel 1", "-detpixels 160 -pixel 0.25") + " -phi 0 -osc 1 -phisteps 250"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals(tmp_path: Path, number: signal.Signals) -> None:
    """The run ends at once, says how to go on, and the same command makes the rest; nothing is lost, nothing twice."""
    path = making.folder(tmp_path, making.TURNED + making.TURNED.split("\n", 1)[1] * 5)
    words = ["run", "table.csv", "--out", "out", "--shard-rows", "4", "--threads", "1", "--", *SLOW.split()]
    command = [sys.executable, str(making.ROOT / "bin" / "nb-batch"), *words]
    with subprocess.Popen(command, cwd=path, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not list(path.glob("out/shard_*.h5")) and time.monotonic() < deadline:
            time.sleep(0.005)
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
    made = sorted(path.glob("out/shard_*.h5"))
    assert 1 <= len(made) < 11, "too fast or too slow to be interrupted"
    if number == signal.SIGKILL:
        assert process.returncode == -number
    else:
        assert process.returncode == 128 + number
        assert f"stopped; {4 * len(made)} of 42 rows are done; go on with: nb-batch run table.csv --out out" in said
        assert not list(path.glob("out/*.part"))
        assert json.loads((path / "out" / "status.json").read_text())["state"] == "stopped"
    times = {file: file.stat().st_mtime_ns for file in made}
    done = making.nb_batch(*words, cwd=path)
    assert done.returncode == 0, done.stderr
    assert f"{4 * len(made)} of 42 rows are there already" in done.stderr
    assert all(file.stat().st_mtime_ns == time for file, time in times.items())
    plan = load_plan(str(path / "out"))
    assert check_batch(plan, 5, 0) == 0
    assert_same(images(plan)[:7], images(plan)[7:14])


def test_status_and_show_as_processes(tmp_path: Path) -> None:
    path = making.folder(tmp_path)
    words = ["run", "table.csv", "--out", "out", "--shard-rows", "2", "--part", "1/2", "--", *making.BASE.split()]
    done = making.nb_batch(*words, cwd=path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "4 rows of part 1 of 2 done" in done.stderr and "2 shards of other parts are missing yet" in done.stderr
    done = making.nb_batch("status", "out", cwd=path)
    assert done.returncode == 1 and "rows:    4 done, 3 missing, 0 failed" in done.stdout
    done = making.nb_batch("merge", "out", cwd=path)
    assert done.returncode == 9 and "2 of 4 shards are missing" in done.stderr
    assert making.nb_batch(*[word.replace("1/2", "2/2") for word in words], cwd=path).returncode == 0
    done = making.nb_batch("status", "out", cwd=path)
    assert done.returncode == 0 and "as one:  batch.nxs" in done.stdout
    done = making.nb_batch("check", "out", "--sample", "3", cwd=path)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("7 of 7 images have their checksums; 3")
    done = making.nb_batch("show", "out", "7", cwd=path)
    assert done.returncode == 9 and "row 7: expected 0 to 6" in done.stderr
    done = making.nb_batch("show", "out", "6", "--save", "x.cbf", cwd=path)
    assert done.stdout.endswith("--save-noise x.cbf\n") and shlex.split(done.stdout)[0] == "nanoBragg"


@pytest.mark.parametrize(
    "words, message",
    [
        (["run", "table.csv", "--out", "o", "--part", "3/2", "--"], "--part: expected I/N, such as 1/4, got '3/2'"),
        (["run", "table.csv", "--out", "o", "--base", "b", "--", "-phi", "1"], "expected one of them"),
        (["run", "table.csv"], "Missing option '--out'"),
        (["run", "none.csv", "--out", "o"], "none.csv: TABLE cannot be read: no such file"),
        (["run", "table.csv", "--out", "table.csv"], "table.csv"),
        (["status", "."], ".: there is no batch here: manifest.json is missing"),
        (["check", "nowhere"], "there is no batch here"),
        (["show", "."], "Missing argument 'ROW'"),
        (["draw", "--rows", "3"], "Missing option '--seed'"),
    ],
)
def test_bad_words(tmp_path: Path, words: list[str], message: str) -> None:
    """One line and exit status 9."""
    done = making.nb_batch(*words, cwd=making.folder(tmp_path))
    assert (done.returncode, done.stdout) == (9, "")
    assert message in done.stderr and done.stderr.startswith("nb-batch: error: ") and done.stderr.count("\n") == 1


def test_damaged_manifest(tmp_path: Path) -> None:
    plan = making.made(making.folder(tmp_path))
    path = Path(plan.folder, "manifest.json")
    whole = path.read_text()
    for text in ("", "{", "[]", "{}", whole.replace('"format": 2', '"format": 1'), whole.replace('"table"', '"x"')):
        path.write_text(text)
        with pytest.raises(InputError):
            load_plan(plan.folder)
