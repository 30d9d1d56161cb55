"""From what was said to what will be computed: resolve() reads like a table of contents of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..base.records import record
from ..base.vectors import Vector
from ..options.config import Config
from .background import Background
from .beam import Intensity, Sources
from .crystal import Crystal
from .detector import Detector
from .mosaic import Mosaic
from .region import Region
from .steps import Steps
from .structure_factors import Grid
from .subpixels import Oversampling, SampledFactors


@record
class Camera:
    """What is known before the crystal: detector, beam intensity, and steps of every kind."""

    detector: Detector
    intensity: Intensity
    wavelength_m: float
    vertical: Vector
    phi_start: float
    phi: Steps
    horizontal: Steps
    upright: Steps
    dispersion: Steps
    mosaic: Mosaic
    region: Region


@record
class Experiment:
    """Everything that an image depends on, complete and frozen."""

    config: Config
    camera: Camera
    crystal: Crystal
    interpolate: bool
    oversampling: Oversampling
    grid: Grid
    sources: Sources
    cells: np.ndarray
    domains: np.ndarray
    mask: np.ndarray | None
    steps: int
    factors: SampledFactors
    background: Background
    noise_seed: int
    random: Any

    @property
    def region(self) -> tuple[int, int, int, int]:
        """First and last fast, first and last slow pixel that are rendered."""
        detector = self.camera.detector
        return self.camera.region.clipped(detector.fpixels, detector.spixels)
