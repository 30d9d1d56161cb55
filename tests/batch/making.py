"""Small batches for tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from nanobragg_py.batch.base import Base
from nanobragg_py.batch.plan import Plan
from nanobragg_py.batch.prepare import Wishes, make_plan
from nanobragg_py.batch.run import run_batch

ROOT = Path(__file__).resolve().parents[2]
HKL = "".join(f"{h} {k} {i} {100 + 10 * h + k + i}\n" for h in range(-6, 7) for k in range(-7, 8) for i in range(-8, 9))
BASE = "-hkl P1.hkl -cell 30 40 50 90 90 90 -N 6 -detpixels 40 -pixel 1 -distance 50 -lambda 1.2 -oversample 1 "
BASE += "-fluence 1e25 --fix none"
TURNED = """qw,qx,qy,qz,noise_seed
1,0,0,0,11
0.5,0.5,0.5,0.5,12
0.6,0.8,0,0,13
0.6,0,0.8,0,14
0.6,0,0,-0.8,15
-0.5,0.5,0.5,0.5,16
0.8,0,0.6,0,17
"""
# Columns of every kind: of the crystal, which need a new Simulator, of the instrument, text, and empty cells.
VARIED = "misset_x,misset_y,misset_z,noise_seed,distance_mm,cell_a,cell_b,cell_c,cell_alpha,cell_beta,cell_gamma,Na,"
VARIED += """shape
10,20,30,1,50,30,40,50,90,90,90,6,square
10,20,30,1,50,30,40,50,90,90,90,6,gauss
10,20,30,2,50,30,40,50,90,90,90,6,
11.5,-20,30,3,60,31,40,50,90,91,90,,
0,0,0,4,60,,,,,,,,round
,,,5,,,,,,,,7,tophat
1e-3,-1e-3,90,6,,33,33,33,90,90,90,5,
1e-3,90,0,7,55.25,33,33,33,80,85,95,5,
"""


def folder(path: Path, table: str = TURNED) -> Path:
    """A folder with a reflection list and a table."""
    path.mkdir(exist_ok=True)
    (path / "P1.hkl").write_text(HKL)
    (path / "table.csv").write_text(table)
    return path


def plan_in(path: Path, out: str = "out", base: str = BASE, table: str = "table.csv", **wishes: Any) -> Plan:
    """The plan of a table in a folder."""
    words = base.replace("P1.hkl", str(path / "P1.hkl")).split()
    return make_plan(str(path / table), str(path / out), Base.of_words(words), Wishes(**wishes))


def made(path: Path, out: str = "out", threads: int = 1, **settings: Any) -> Plan:
    """A batch that is there, whether or not rows failed."""
    plan = plan_in(path, out, **settings)
    assert run_batch(plan, threads=threads) in (0, 1)
    return plan


def nb_batch(*arguments: str, cwd: Path, **settings: Any) -> subprocess.CompletedProcess[str]:
    """The program as a process."""
    command = [sys.executable, str(ROOT / "bin" / "nb-batch"), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False, **settings)
