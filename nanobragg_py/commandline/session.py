"""A run from configuration to files: resolve, render, write, each with its lines of the run log."""

from __future__ import annotations

from ..base.errors import InputError, warn
from ..options.config import Config
from ..rendering.renderer import Renderer
from ..resolve.stages import NothingToDo, resolve
from . import run_log
from .known_defects import tell_of_defects
from .output import write_files
from .pixel_log import PixelLog
from .stage_log import StageLog
from .standard_output import say


def run(config: Config) -> None:
    """Run the program. Raises InputError for whatever the user can mend."""
    if is_series(config):
        # What only a series needs takes as long to load as half of everything else here.
        from .series_run import run_series

        run_series(config)
        return
    warn_of_series_options(config)
    stages = StageLog(config)
    try:
        experiment = resolve(config, listener=stages)
    except NothingToDo as nothing:
        say(run_log.usage(nothing.beam, nothing.detector, config.adc_offset, no_factors=not nothing.factors))
        raise InputError(_what_is_missing(nothing)) from nothing
    say(run_log.summary(experiment, config.mask_file, config.write_noise))
    renderer = Renderer(experiment, config.threads)
    pixels = PixelLog(config, experiment, renderer)
    pixels.check_traced_pixels()
    stages.write_dump()
    if config.trace_only:
        pixels.trace_only()
        return
    pixels.render()
    tell_of_defects(config, experiment, renderer.left_grid_at is not None)
    write_files(config, experiment, renderer)


def _what_is_missing(nothing: NothingToDo) -> str:
    missing = []
    if not nothing.factors:
        missing.append("no structure factors: expected -hkl, -default_F, or the dump of an earlier run")
    if not nothing.cell:
        missing.append("no unit cell: expected -cell, -mat, or an -hkl file that has one")
    return "; ".join(missing)


def is_series(config: Config) -> bool:
    """Whether a command line asks for one."""
    return config.frames is not None or config.orientations_file is not None


def warn_of_series_options(config: Config) -> None:
    """In a single run: what only a series heeds."""
    said = {
        "--frame-width": config.frame_width_deg is not None,
        "--resume": config.resume,
        "--ground-truth": config.ground_truth is not None,
        "--write-inputs": config.inputs_folder is not None,
    }
    unheeded = [option for option, is_said in said.items() if is_said]
    if unheeded:
        warn(f"{', '.join(unheeded)}: no effect without --frames or --orientations")
