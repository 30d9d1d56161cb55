"""What multiplies a pixel's photons besides the lattice (solid angle, polarization, capture), at pixels spread evenly.

For judging how much the C program's defects change an image, without rendering it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..model.detector import Detector
from ..model.experiment import Experiment

# Pixels looked at along each side of the region that is rendered.
PROBES = 33


class Probes:
    """Rays to the outermost sub-pixels of some pixels, at the first and the last layer of the sensor.

    ray: float64 (pixels, places, 3), unit vectors from the sample; the first place is that of the first sub-pixel and
    layer. length_m: float64 (pixels, places). cosine: to the detector's normal.
    """

    def __init__(self, experiment: Experiment):
        """Raises nothing; a region without pixels has no probes."""
        detector, used = experiment.detector, experiment.oversampling.used
        region = experiment.region.clipped(detector.fpixels, detector.spixels)
        fast, slow = (
            _each_once(np.linspace(first, last, PROBES).round()) if first <= last else np.empty(0)
            for first, last in ((region.fast_first, region.fast_last), (region.slow_first, region.slow_last))
        )
        ends = _each_once([0.5 / used, 1.0 - 0.5 / used])
        depths = _each_once([0.0, detector.layers.step * (detector.layers.count - 1)])
        # The first place is the first sub-pixel of the first layer.
        depth, s, f = (axis.ravel() for axis in np.meshgrid(depths, ends, ends, indexing="ij"))
        slow, fast = (axis.reshape(-1, 1) for axis in np.meshgrid(slow, fast, indexing="ij"))
        pixel = detector.pixel_size_m
        point = _position(detector, (fast + f) * pixel, (slow + s) * pixel, np.broadcast_to(depth, (len(fast), len(f))))
        # Detectors may be as large, or as far, as numbers go: what is not known then is left out by who asks.
        with np.errstate(all="ignore"):
            self.length_m = np.sqrt((point**2).sum(axis=2))
            self.ray = point / self.length_m[:, :, None]
        self.cosine = self.ray @ np.array(detector.axes.odet)

    def solid_angle(self, detector: Detector) -> np.ndarray:
        """Up to a constant: float64 (pixels, places)."""
        with np.errstate(all="ignore"):
            angle: np.ndarray = self.length_m ** (-2.0 if detector.point_pixel else -3.0)
            return angle

    def polarization(self, experiment: Experiment) -> np.ndarray:
        """Of Kahn et al. (1982), for the sources that lie furthest out: float64 (pixels, places, sources).

        The first source is the experiment's first.
        """
        factors = [self._polarization(experiment, -one) for one in _outermost(experiment)]
        return np.stack(factors, axis=2)

    def _polarization(self, experiment: Experiment, incident: np.ndarray) -> np.ndarray:
        cos_squared = (self.ray @ incident) ** 2
        kahn = experiment.beam.kahn_factor
        if kahn == 0.0:
            unpolarized: np.ndarray = 0.5 * (1.0 + cos_squared)
            return unpolarized
        across = np.cross(np.array(experiment.detector.axes.polar), incident)
        along = np.cross(incident, across)
        # 2 psi is twice the azimuth of the ray about the beam, from the E vector.
        cos_2psi = np.cos(2.0 * np.arctan2(self.ray @ _unit(across), self.ray @ _unit(along)))
        factor: np.ndarray = 0.5 * (1.0 + cos_squared - kahn * cos_2psi * (1.0 - cos_squared))
        return factor

    def finest_m(self, experiment: Experiment) -> float:
        """Finest resolution at any of these places, metres: of the shortest wavelength, from the outermost sources."""
        cosine = max(float((self.ray @ one).max(initial=-1.0)) for one in _outermost(experiment))
        sine = math.sqrt((1.0 + min(cosine, 1.0)) / 2.0)
        shortest = float(np.min(experiment.sources.wavelength_m))
        return shortest / max(2.0 * sine, 1e-300)


def _outermost(experiment: Experiment) -> np.ndarray:
    """Directions, float64 (n, 3), of the first source and of those that lie furthest out."""
    direction = experiment.sources.direction
    which = [0, *direction.argmin(axis=0).tolist(), *direction.argmax(axis=0).tolist()]
    outermost: np.ndarray = direction[list(dict.fromkeys(which))]
    return outermost


def _position(detector: Detector, fast: np.ndarray, slow: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """Points in the laboratory, float64 (..., 3), from distances along the detector's axes; metres."""
    axes = detector.axes
    point: np.ndarray = (
        fast[..., None] * np.array(axes.fdet)
        + slow[..., None] * np.array(axes.sdet)
        + depth[..., None] * np.array(axes.odet)
        + np.array(detector.pix0_m)
    )
    if not detector.curved:
        return point
    # As the C program bends it: y and z become angles about the slow and the fast axis.
    beam = np.broadcast_to(detector.distance_m * np.array(axes.beam), point.shape)
    bent = _turned(beam, np.array(axes.sdet), point[..., 1] / detector.distance_m)
    return _turned(bent, np.array(axes.fdet), point[..., 2] / detector.distance_m)


def _turned(vectors: np.ndarray, axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Rodrigues' rotation of vectors (..., 3) about an axis by angles (...), radians."""
    sine, cosine = np.sin(angle)[..., None], np.cos(angle)[..., None]
    along = (vectors @ axis)[..., None] * axis
    turned: np.ndarray = vectors * cosine + np.cross(axis, vectors) * sine + along * (1.0 - cosine)
    return turned


def _each_once(numbers: Iterable[float]) -> np.ndarray:
    """In rising order. (np.unique loads numpy.ma, which takes 4 % of the time of a small image.)"""
    return np.array(sorted(set(numbers)))


def _unit(vector: np.ndarray) -> np.ndarray:
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector
