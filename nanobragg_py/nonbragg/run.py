"""A run of nonBragg: the order of its stages."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np

from ..base.c_numbers import wrap32
from ..base.errors import InputError, warn
from ..base.files import check_writable
from ..formats.stol import SCALES, read_stol
from ..kernels import layout
from ..model.amorphous import ScatteringTable
from ..model.beam import R_E_SQR_M2, Beam, Sources
from ..options import corrections
from ..rendering.amorphous import AmorphousRenderer
from . import curve, log
from .beam import Sample, resolve_beam, resolve_osc, resolve_sample, resolve_sources, weights
from .fixes import CORRECTIONS
from .geometry import DEFAULT_PIXEL_SIZE_M, Geometry, first_or, resolve_geometry
from .input_image import SPARE_PIXELS, Header, InputImage, read_image
from .options import Settings
from .output import Output, Say
from .pixels import render

MOST_STEPS = 2**31


@dataclass(frozen=True)
class Scene:
    """All that an image depends on."""

    geometry: Geometry
    beam: Beam
    sources: Sources
    sample: Sample
    table: ScatteringTable
    oversample: int

    @property
    def steps(self) -> int:
        """Steps of a pixel."""
        return self.sources.count * self.oversample**2


def run(s: Settings, say: Say) -> None:
    """Render an image; `say` writes to standard output. Raises InputError."""
    image = None if s.image_file is None else read_image(s.image_file, DEFAULT_PIXEL_SIZE_M, say)
    header = Header() if image is None else image.header
    say(log.BANNER)
    if s.stol_file is None:
        say(log.usage())
        raise InputError("no table of structure factors: expected -stol FILE")
    _check_outputs(s)
    stream = -int(time.time()) if s.seed is None else wrap32(-s.seed)
    scene = _resolve(s, header, say)
    g = scene.geometry
    if image is not None and g.frame.pixels > len(image.pixels):
        raise InputError(
            f"{s.image_file}: -img has {len(image.pixels) - SPARE_PIXELS} pixels; expected no fewer than the "
            f"detector's {g.frame.fpixels} x {g.frame.spixels}"
        )
    say(log.summary(s, g, scene.beam, scene.sources, scene.sample, scene.table.points, stream))
    flat = np.zeros(g.frame.pixels + SPARE_PIXELS, dtype=np.float32)
    photons = flat[: g.frame.pixels].reshape(g.frame.spixels, g.frame.fpixels)
    renderer = AmorphousRenderer(
        _parameters(s, scene), _incident(scene.sources), scene.table, scene.sample.molecules, s.threads,
        see=image is not None or s.Fmap or s.printout, image=photons,
    )  # fmt: skip
    render(s, g, scene.beam, renderer, float(weights(scene.sources)[-1]), scene.steps, say)
    say("\n")
    say(log.solid_angle(_omega(renderer)))
    defects: dict[str, str] = {}
    pixels_of_mean = None if image is None else _write_curve(s, scene, image, renderer, defects, say)
    header_bytes = log.header(g, scene.beam, first_or(0.0, s.phi, header.phi), resolve_osc(s, header), s.twotheta)
    Output(s, g, flat, scene.oversample, header_bytes, defects, say).write(pixels_of_mean, stream)
    if text := corrections.warning(CORRECTIONS, defects, s.fixes):
        warn(text)


def _check_outputs(s: Settings) -> None:
    """Find out before the work, not after it, that a file cannot be written. Raises InputError."""
    if s.image_file is not None:
        check_writable(s.stolout_file, "-stolout")
    check_writable(s.float_file, "-floatfile")
    check_writable(s.int_file, "-intfile")
    if s.write_pgm or not s.fixes.pgm:
        check_writable(s.pgm_file, "-pgmfile")
    if s.noise:
        check_writable(s.noise_file, "-noisefile")


def _resolve(s: Settings, header: Header, say: Say) -> Scene:
    """What there is, with the lines that tell of it."""
    sample = resolve_sample(s)
    g = resolve_geometry(s, header)
    beam = resolve_beam(s, header)
    say(log.clipping(s, sample))
    say(log.pivoting(g.pivot))
    say(f"reading {s.stol_file}\n")
    table = read_stol(s.stol_file or "", s.stol_option)
    sources = resolve_sources(s, beam, g)
    say(log.source_lines(sources))
    scene = Scene(g, beam, sources, sample, table, max(s.oversample, 1))
    if scene.steps >= MOST_STEPS:
        raise InputError(f"{scene.steps} steps a pixel: expected fewer than 2^31; see -oversample")
    return scene


def _incident(sources: Sources) -> np.ndarray:
    """What the kernels are given, float64 (n, 5)."""
    return np.ascontiguousarray(np.column_stack((-sources.direction, sources.wavelength_m, weights(sources))))


def _parameters(s: Settings, scene: Scene) -> np.ndarray:
    """What the kernels are given, see kernels/layout.py."""
    g, frame, region = scene.geometry, scene.geometry.frame, scene.geometry.region
    values = {
        "pixel_size_m": frame.pixel_size_m,
        "subpixel_size_m": frame.pixel_size_m / scene.oversample,
        "distance_m": g.distance_m,
        "close_distance_m": g.close_distance_m,
        "fdet": g.fdet,
        "sdet": g.sdet,
        "odet": g.odet,
        "pix0_m": g.pix0_m,
        "beam": g.beam,
        "polarization_axis": g.polar,
        "kahn": s.polarization,
        "nopolar": s.nopolar,
        "r_e_sqr_m2": R_E_SQR_M2,
        "fluence_per_m2": scene.beam.intensity.fluence_per_m2,
        "fpixels": frame.fpixels,
        "spixels": frame.spixels,
        "roi_fast_first": region.fast_first,
        "roi_fast_last": region.fast_last,
        "roi_slow_first": region.slow_first,
        "roi_slow_last": region.slow_last,
        "oversample": scene.oversample,
        "layers": 1,
        "sources": scene.sources.count,
        "curved": s.curved,
        "point_pixel": s.point_pixel,
    }
    parameters = np.zeros(1, dtype=layout.PARAMETERS)
    for name, value in values.items():
        parameters[name] = value
    return parameters


def _omega(renderer: AmorphousRenderer) -> float:
    """Solid angle of the detector, as precisely as it is shown."""
    total = math.fsum(renderer.omega)
    if log.solid_angle(total * (1.0 - 1e-9)) == log.solid_angle(total * (1.0 + 1e-9)):
        return total
    return renderer.exact_omega()


def _write_curve(
    s: Settings, scene: Scene, image: InputImage, renderer: AmorphousRenderer, defects: dict[str, str], say: Say
) -> int:
    """F against stol of the image; returns the pixels by which the C program divides its mean."""
    frame, region = scene.geometry.frame, scene.geometry.region
    counts = image.pixels[: frame.pixels]
    inside = np.ones((frame.spixels, frame.fpixels), dtype=bool)
    region.blank_outside(inside)
    counted = inside.ravel()
    ignored = np.isin(counts, np.array(s.ignored_values, dtype=np.float32))
    F = curve.amplitudes(
        counts, s.offset_counts, s.gain, renderer.seen, scene.beam.intensity.fluence_per_m2, R_E_SQR_M2,
        scene.sample.molecules, scene.steps,
    )  # fmt: skip
    nearest = curve.nearest_points(scene.table, renderer.seen, counted & ~ignored)
    F[~counted] = 0.0
    by_point = curve.sorted_by_point(F, nearest, counted, scene.table.points, s.fixes.bins)
    if not counted.all() and not s.fixes.bins:
        defects["bins"] = f"{np.count_nonzero(~counted)} pixels outside -roi"
    last = curve.write_curve(s.stolout_file, scene.table, SCALES[s.stol_option], by_point, say)
    if last != np.count_nonzero(counted):
        defects["mean"] = f"divided by {max(last, 1)}, not by {np.count_nonzero(counted)} pixels"
    return last
