"""nb-bench for more than one of our programs: whose work is whose, and what noisify's work reads."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import numpy as np
import pytest

from nanobragg_py.tools.bench.command import COMMANDS, OURS, chosen, measured_programs
from nanobragg_py.tools.bench.runs import Bench
from nanobragg_py.tools.bench.workloads import TABLE, Workload, make_input

NOISIFY = [workload for workload in TABLE if workload.program == "noisify"]


def test_programs_by_what_they_do() -> None:
    """Each of ours that is wanted comes first among its own, before the others named for it."""
    against = (f"noisify:N={sys.executable}", f"C={sys.executable}")
    programs = measured_programs(against, (2, 1), ("nanoBragg", "noisify"))
    assert [(p.does, p.name, p.threads) for p in programs] == [
        ("nanoBragg", OURS, 2), ("nanoBragg", "C", 2), ("nanoBragg", "ours, 1 thread", 1),
        ("noisify", OURS, 2), ("noisify", "N", 2), ("noisify", "ours, 1 thread", 1),
    ]  # fmt: skip
    assert [p.name for p in measured_programs(against, (2,), ("noisify",))] == [OURS, "N"]
    with pytest.raises(click.UsageError, match="two programs are called 'N'"):
        measured_programs((against[0], against[0]), (2,), ("noisify",))


@pytest.mark.parametrize("workload", NOISIFY, ids=lambda w: w.name)
def test_noisify_runs(workload: Workload, tmp_path: Path) -> None:
    """A small run of noisify, and its float image, of the size and radius that the workload tells of."""
    (tmp_path / "work").mkdir()
    programs = measured_programs((), (1,), ("nanoBragg", "noisify"))
    result = Bench(programs, tmp_path / "work", 1, 0.001).measure(workload)
    assert [(facts["name"], facts["failed"]) for facts in result["programs"]] == [(OURS, False)]
    assert {file["name"] for file in result["programs"][0]["files"]} == {"intimage.img", "image.pgm", "noiseimage.img"}
    make_input(workload, tmp_path)
    photons = np.fromfile(tmp_path / str(workload.input_file), np.float32)
    assert photons.size == workload.side**2 and photons.min() >= 2.0 and photons.max() == 69000.0


@pytest.mark.parametrize("workload", [w for w in TABLE if w.program == "nonBragg"], ids=lambda w: w.name)
def test_nonbragg_runs(workload: Workload, tmp_path: Path) -> None:
    """A small run of nonBragg, and its table, of as many lines as the workload tells of."""
    (tmp_path / "work").mkdir()
    programs = measured_programs((), (1,), ("nonBragg",))
    result = Bench(programs, tmp_path / "work", 1, 0.001).measure(workload)
    assert [(facts["name"], facts["failed"]) for facts in result["programs"]] == [(OURS, False)]
    assert {file["name"] for file in result["programs"][0]["files"]} >= {"floatimage.bin", "intimage.img"}
    make_input(workload, tmp_path)
    table = np.loadtxt(tmp_path / str(workload.input_file))
    assert table.shape == (10_000, 2) and (np.diff(table[:, 0]) > 0).all() and "10,000 lines" in workload.what


def test_names() -> None:
    """Every workload's program is one of ours, and patterns choose among all."""
    assert {workload.program for workload in TABLE} <= set(COMMANDS)
    assert chosen(("noisify*",)) == NOISIFY and len(NOISIFY) == 3
