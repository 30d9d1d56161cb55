"""The picture docs/images/five_stages.png: one still from photons of the crystal to a detector's counts.

python docs/five_stages.py writes it anew; it takes a few seconds, and matplotlib.
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path

import matplotlib as mpl
import numpy as np

from nanobragg_py import Amorphous, Detector, simulate
from nanobragg_py.measurement.point_spread import PointSpread

mpl.use("Agg")
from matplotlib import pyplot as plt

ROOT = Path(__file__).resolve().parents[1]
STILL = {
    "misset": (20, 35, 50), "N": (150, 150, 70), "mosaic_deg": 0.4, "mosaic_domains": 100, "oversample": 3,
    "distance_mm": 120, "detpixels": 900, "pixel_mm": 0.1, "wavelength_A": 1.0, "beamsize_mm": 0.005,
    "fluence": 5e22, "adc": 0, "fix": "all", "sf_resolution_A": 1.8,
}  # fmt: skip
WATER, AIR = Amorphous("water", thickness_mm=0.002), Amorphous("air", thickness_mm=0.3)
CCD = {"psf": "fiber", "psf_fwhm_um": 120.0}
# Part of the detector: rows and columns.
PART = (slice(500, 660), slice(320, 480))


def stages() -> list[tuple[str, np.ndarray]]:
    """What is in each pixel, stage by stage, under its caption."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "1a8o.pdb"
        model.write_bytes(gzip.decompress((ROOT / "tests" / "data" / "1a8o.pdb.gz").read_bytes()))
        crystal = simulate(hkl=model, **STILL)
    with_water = crystal.add(WATER, AIR)
    # Without photon noise: what many exposures come near to on average.
    spread = PointSpread(crystal.image.shape, "fiber", 1.2).apply(with_water.image)
    noisy = with_water.measure(Detector(**CCD), seed=1).image
    reported = with_water.measure(Detector.preset("ccd", **CCD), seed=1).image
    return [
        ("crystal, photons", crystal.image),
        ("+ water and air", with_water.image),
        ("+ point spread", spread),
        ("+ photon noise", noisy),
        ("as a CCD reports it, counts", reported),
    ]


def draw(path: Path) -> None:
    """Draw the stages side by side, on one scale of photons, and the last one on its own."""
    figure, axes = plt.subplots(1, 5, figsize=(15, 4), constrained_layout=True)
    for place, (caption, image) in zip(axes, stages(), strict=True):
        offset, gain = (40.0, 1.8) if "counts" in caption else (0.0, 1.0)
        shown = place.imshow(image[PART], cmap="gray_r", vmin=offset, vmax=offset + 60.0 * gain, interpolation="none")
        place.set_title(caption, fontsize=11)
        place.set_xticks([])
        place.set_yticks([])
        figure.colorbar(shown, ax=place, location="bottom", shrink=0.8)
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    draw(ROOT / "docs" / "images" / "five_stages.png")
