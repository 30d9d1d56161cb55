"""A series of frames from one command: --frames, or --orientations for stills."""

from __future__ import annotations

import os
import threading

import numpy as np

from ..base.errors import InputError, note, warn
from ..formats.ground_truth import FrameTruth, check_truth, frame_truth, write_truth
from ..formats.matrix import read_matrices
from ..formats.program_inputs import WrittenSeries, write_inputs
from ..frame_files import FrameOutputs, SeriesFiles, check_frame_outputs, largest_count
from ..frames import Rotation, Series, Stills
from ..options.config import Config
from ..resolve.arrays import Arrays
from ..resolve.stages import resolve
from ..result import Result
from ..spots import find_spots, indices_of
from . import run_log
from .known_defects import tell_of_defects
from .progress import progress_bar
from .stage_log import StageLog
from .standard_output import say


def run_series(config: Config) -> None:
    """Render and write the series; the run log is that of its first frame, up to the image. Raises InputError."""
    outputs = frame_outputs(config)
    check_frame_outputs(outputs)
    if config.ground_truth is not None:
        check_truth(config.ground_truth)
    if config.frames is not None and config.orientations_file is not None:
        raise InputError("--frames turns the spindle, --orientations sets the crystal anew: expected one of them")
    stages = StageLog(config)
    series = _resolved(config, stages)
    say(run_log.summary(series.base, config.mask_file, config.write_noise))
    tell_of_defects(config, series.base)
    stages.write_dump()
    truth = _TruthCollector(config, series) if config.ground_truth is not None else None
    files = SeriesFiles(series, outputs, config.resume)
    with progress_bar(len(series), config.progress) as show:
        for number in files.write(None if truth is None else truth.add):
            show(number + 1)
    if truth is not None:
        truth.write()
    if config.inputs_folder is not None:
        _write_inputs(config.inputs_folder, series, outputs)


def frame_outputs(config: Config) -> FrameOutputs:
    """What the command line names. The C program's files are written where their names have ####."""
    return FrameOutputs(
        photons=config.save,
        counts=config.save_noise,
        floats=config.float_file,
        integers=config.int_file,
        noise=config.noise_file if config.write_noise else None,
        compression=config.compression,
    )


def _resolved(config: Config, stages: StageLog) -> Series:
    """The series, of the experiment of its first frame."""
    if config.orientations_file is None:
        base = resolve(config, listener=stages)
        return Rotation(base, config, config.frames or 1, config.frame_width_deg)
    matrices = read_matrices(config.orientations_file, "--orientations")
    base = resolve(config, Arrays(matrix=matrices[0]), stages)
    return Stills(base, config, matrices)


class _TruthCollector:
    """Spots of the frames, as they are rendered by several threads."""

    def __init__(self, config: Config, series: Series):
        self.path = config.ground_truth or ""
        self._frames: dict[int, FrameTruth] = {}
        self._lock = threading.Lock()
        self._indices = indices_of(series.base)
        if config.resume and os.path.exists(self.path):
            warn(f"--resume: {self.path} will hold the spots of the frames that are rendered now")

    def add(self, number: int, result: Result) -> None:
        """One frame more."""
        spots = find_spots(result.experiment, self._indices, result.image)
        rows = np.column_stack((spots.hkl, spots.position, spots.pixel, spots.peak, spots.intensity))
        truth = frame_truth(number, result.experiment, rows.astype(np.float64))
        with self._lock:
            self._frames[number] = truth

    def write(self) -> None:
        """All frames, in order."""
        write_truth(self.path, [self._frames[number] for number in sorted(self._frames)])


def _write_inputs(folder: str, series: Series, outputs: FrameOutputs) -> None:
    """Input files for what was counted, or else for photons."""
    names = outputs.counts or outputs.photons
    numbered = next((name for name in names if name.endswith(".cbf")), None)
    if numbered is None and outputs.noise is not None and "#" in outputs.noise:
        numbered = outputs.noise
    together = next((name for name in names if name.endswith((".nxs", ".h5")) and "#" not in name), None)
    if numbered is None and together is None:
        raise InputError("--write-inputs: expected frames in NXmx, or in numbered CBF or SMV files")
    experiments = [series.frame(number)[0] for number in range(len(series))]
    saturation = largest_count(series.config) if outputs.counts else 65535
    written = WrittenSeries(experiments, isinstance(series, Stills), numbered, together, saturation)
    names_written = write_inputs(folder, written)
    note(f"--write-inputs: {', '.join(names_written)} in {folder}")
