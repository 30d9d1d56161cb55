"""The experiment: everything that an image depends on, complete and frozen. It knows no option and no file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..base.records import record
from .amorphous import AmorphousLayer
from .background import Background
from .beam import Beam, Sources
from .crystal import Crystal
from .detector import Detector
from .mosaic import Mosaic
from .region import Region, RenderedPixels
from .spindle import Spindle
from .structure_factors import Grid
from .subpixels import Oversampling, SampledFactors


@record
class Interpolation:
    """Tricubic interpolation between reflections.

    used: whether it is on. automatic: whether nobody said so. keep: whether it goes on after the first index that is
    too near to the edge of the list; in the C program that ends it for the whole image.
    """

    used: bool
    automatic: bool
    keep: bool


@record
class NoiseSeed:
    """Where photon noise starts: the generator's stream, and the shuffle table, int64 (33,), that it shares.

    The table is what the streams before it (random misset, mosaic domains) have left.
    """

    stream: int
    table: np.ndarray


@record
class Experiment:
    """Everything that an image depends on.

    cells: float64 (2, spindle steps, 9), see Spindle.cells. domains: float64 (n, 9), rotation matrices of the mosaic
    domains, row by row. mask: uint16 (slow, fast), 0 = skip; None without one. steps: terms that a pixel's sum has,
    sensor layers aside. dmin_m: resolution beyond which nothing is computed; 0 for none. amorphous: materials without
    order, whose photons are added to the crystal's.
    """

    detector: Detector
    region: Region
    mask: np.ndarray | None
    beam: Beam
    sources: Sources
    spindle: Spindle
    crystal: Crystal
    mosaic: Mosaic
    cells: np.ndarray
    domains: np.ndarray
    structure_factors: Grid
    interpolation: Interpolation
    dmin_m: float
    oversampling: Oversampling
    factors: SampledFactors
    steps: int
    background: Background
    noise_seed: NoiseSeed
    amorphous: tuple[AmorphousLayer, ...] = ()

    def at_spindle_angle(self, start_rad: float) -> Experiment:
        """The same with another angle of the spindle's first step."""
        spindle = replace(self.spindle, start_rad=start_rad)
        return replace(self, spindle=spindle, cells=spindle.cells(self.crystal.real_m))

    @property
    def rendered(self) -> RenderedPixels:
        """The pixels that are computed."""
        d = self.detector
        return RenderedPixels((d.spixels, d.fpixels), self.region.clipped(d.fpixels, d.spixels), self.mask)
