"""DIALS takes our series from import to integration, and gives the crystal and the amplitudes back that went in.

Needs the programs of DIALS (Debian: apt-get install --no-install-recommends dials); `make test-pipeline`.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
# Debian's DIALS belongs to Debian's Python.
SYSTEM_PYTHON = "/usr/bin/python3"
CELL = (41.98, 41.98, 88.92, 90.0, 90.0, 90.0)
# Where the beam meets the detector, in pixels from the outer corner: its middle, and MOSFLM's half pixel twice.
CENTRE_PX = 513.0
FRAMES = 20
SERIES = (
    f"-hkl 1a8o.hkl -cell 41.98 41.98 88.92 90 90 90 -misset 20 35 50 -N 20 -lambda 1 -distance 160 -detpixels 1024 "
    f"-pixel 0.15 -fluence 4e26 -phi 0 -osc 0.5 -phisteps 8 -oversample 1 -seed 7 -mosaic 0.3 -mosaic_domains 12 "
    f"-water 0.63 -gauss_xtal --fix all --frames {FRAMES} --compression gzip "
    f"--save-noise n.nxs --save-noise n_####.cbf -noisefile n_####.img"
)

pytestmark = [
    pytest.mark.pipeline,
    pytest.mark.skipif(
        shutil.which("dials.import") is None, reason="DIALS is not installed (Debian: apt-get install dials)"
    ),
]


def run(words: list[str], folder: Path) -> str:
    """What a program prints; it must succeed."""
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a rotation series in NXmx, CBF and SMV."""
    folder = tmp_path_factory.mktemp("series")
    shutil.copy(ROOT / "golden" / "1a8o.hkl", folder)
    run([sys.executable, str(ROOT / "bin" / "nanoBragg"), *SERIES.split()], folder)
    return folder


@pytest.mark.parametrize("images", ["n.nxs", "n_####.cbf", "n_####.img"])
def test_from_import_to_integration(images: str, series: Path, tmp_path: Path) -> None:
    """One sweep; spots indexed; cell, direct beam and amplitudes as they went in."""
    source = str(series / images)
    imported = run(
        ["dials.import", source if images.endswith(".nxs") else f"template={source}",
         "geometry.beam.polarization_fraction=0.5"], tmp_path,
    )  # fmt: skip
    assert re.search(r"sweep:\s+1\b", imported) and re.search(rf"num images:\s+{FRAMES}\b", imported)
    run(["dials.find_spots", "imported.expt", "nproc=1"], tmp_path)
    cell = ",".join(map(str, CELL))
    indexed = run(["dials.index", "imported.expt", "strong.refl", f"unit_cell={cell}", "space_group=P1"], tmp_path)
    share = float(re.findall(r"\|\s*([\d.]+)%\s*\|", indexed)[-1])
    assert share >= 98.0
    run(["dials.refine", "indexed.expt", "indexed.refl"], tmp_path)
    (crystal,) = json.loads((tmp_path / "refined.expt").read_text())["crystal"]
    real = np.array([crystal[f"real_space_{axis}"] for axis in "abc"])
    np.testing.assert_allclose(np.linalg.norm(real, axis=1), CELL[:3], rtol=1e-3)
    shown = run(["dials.show", "refined.expt"], tmp_path)
    centre = [float(value) for value in re.search(r"px: \(([\d.]+),([\d.]+)\)", shown).groups()]  # type: ignore[union-attr]
    np.testing.assert_allclose(centre, CENTRE_PX, atol=0.05)
    run(["dials.integrate", "refined.expt", "refined.refl", "nproc=1"], tmp_path)
    compared, correlation, r_factor = amplitudes_compared(tmp_path, series / "1a8o.hkl")
    assert compared > 500
    assert correlation >= 0.995
    assert r_factor <= 0.03


def amplitudes_compared(folder: Path, went_in: Path) -> tuple[int, float, float]:
    """Fully recorded reflections above 5 sigma: how many, correlation of intensities, R of amplitudes after scaling."""
    run([SYSTEM_PYTHON, str(HERE / "amplitudes.py"), "integrated.refl", "out.json"], folder)
    found = {name: np.array(values) for name, values in json.loads((folder / "out.json").read_text()).items()}
    listed = np.loadtxt(went_in)
    known = {tuple(hkl): F for hkl, F in zip(listed[:, :3].astype(int).tolist(), listed[:, 3], strict=True)}
    F_in = np.array([known.get(tuple(hkl), np.nan) for hkl in found["hkl"].tolist()])
    sigma = np.sqrt(np.maximum(found["variance"], 1e-9))
    good = (found["partiality"] > 0.99) & (found["intensity"] > 5.0 * sigma) & np.isfinite(F_in)
    intensity = (found["intensity"] * found["lorentz_polarization"])[good]
    F_in, F_out = F_in[good], np.sqrt(intensity)
    scaled = F_out * (F_out @ F_in) / (F_out @ F_out)
    correlation = float(np.corrcoef(intensity, F_in**2)[0, 1])
    return len(F_in), correlation, float(np.abs(scaled - F_in).sum() / F_in.sum())
