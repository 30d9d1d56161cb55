"""How many labelled stills a second Simulator.stills renders: bare, and with all that an experiment adds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base.errors import InputError
from .workloads import GOLDEN

# 10^12 photons in a square of 50 µm would be 4e20; with fewer a pixel has some 30 photons of water.
CRYSTAL: dict[str, Any] = {
    "cell": (41.98, 41.98, 88.92), "N": (120, 120, 60), "detpixels": 1024, "pixel_mm": 0.1, "distance_mm": 100,
    "wavelength_A": 1.0, "oversample": 1, "beamsize_mm": 0.05, "fluence": 2e19, "fix": "none",
}  # fmt: skip
DETECTOR: dict[str, Any] = {"gain": 1.8, "offset": 40, "readout_noise": 3}
WARM_UP = 4
GOAL = 40.0


@dataclass(frozen=True)
class Rate:
    """Images a second of one kind of still; the goal, if there is one."""

    what: str
    images_per_s: float
    goal: float | None = None


def kinds() -> Iterator[tuple[str, dict[str, Any], float | None]]:
    """What is measured: its name, what is added to CRYSTAL, and the goal on two cores."""
    from ...options.amorphous import Amorphous

    water = {"background": Amorphous("water", thickness_mm=0.05)}
    yield "bare", {}, None
    yield "water", water, None
    yield "water, photon noise", water | {"gain": 1.0}, None
    yield "water, noise, readout, gain", water | DETECTOR, None
    yield "water, fibre, noise, readout, gain", water | DETECTOR | {"psf": "fiber"}, GOAL


def reflections_file() -> Path:
    """The list of reflections. Raises InputError where it is not."""
    if not (GOLDEN / "1a8o.hkl").is_file():
        raise InputError("--stills and --batch need golden/1a8o.hkl, which only a checkout of the repository has")
    return GOLDEN / "1a8o.hkl"


def rates(images: int, repeat: int, threads: int) -> Iterator[Rate]:
    """Measure each kind: the best of several series. Raises InputError without the golden reflections."""
    from ...simulator import Simulator

    for what, more, goal in kinds():
        with Simulator(hkl=reflections_file(), threads=threads, **CRYSTAL, **more) as simulator:
            for _ in simulator.stills(WARM_UP):
                pass
            best = 0.0
            for number in range(repeat):
                start = time.perf_counter()
                for _ in simulator.stills(images, seed=number):
                    pass
                best = max(best, images / (time.perf_counter() - start))
        yield Rate(what, best, goal)
