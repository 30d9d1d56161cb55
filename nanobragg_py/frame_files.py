"""The files of a series of frames: numbered ones, and NXmx files that hold all frames; whole, and gone on with."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

import numpy as np

from .base.errors import InputError, note
from .base.files import check_writable
from .base.records import record
from .formats.floats import write_floats
from .formats.save import check_save, save_image
from .formats.smv_writer import smv_header, write_integers
from .frames import Series, Stills
from .model.counts import LARGEST_COUNT, Counts
from .options.config import Config
from .rendering.statistics import integer_scale
from .resolve.response import detector_of
from .result import Result, write_noise

MARKS = re.compile(r"#+")
UNFINISHED = ".part"
# Formats that hold all frames in one file.
ALL_IN_ONE = (".nxs", ".h5")


@record
class FrameOutputs:
    """Names of files, with #### where the frame's number goes, or of NXmx files for all frames.

    photons: the noiseless images, in any format of --save. counts: the same with photon noise, 32 bits. floats,
    integers, noise: the C program's files. compression: of NXmx, see formats/nexus.py.
    """

    photons: tuple[str, ...] = ()
    counts: tuple[str, ...] = ()
    floats: str | None = None
    integers: str | None = None
    noise: str | None = None
    compression: str | None = None

    def numbered(self) -> list[tuple[str, str]]:
        """Names with #### and the option that each comes from."""
        named: list[tuple[str, str | None]] = [("--save", name) for name in self.photons]
        named += [("--save-noise", name) for name in self.counts]
        named += [("-floatfile", self.floats), ("-intfile", self.integers), ("-noisefile", self.noise)]
        return [(option, name) for option, name in named if name is not None and MARKS.search(os.path.basename(name))]


def largest_count(config: Config) -> int:
    """The most that a pixel of the images with noise can hold."""
    detector = detector_of(config)
    return LARGEST_COUNT if detector is None else detector.largest_count


def frame_name(pattern: str, number: int) -> str:
    """The name of a frame's file: #### becomes the number, from 1 on, with as many digits or more."""
    folder, name = os.path.split(pattern)
    named = MARKS.sub(lambda marks: str(number + 1).zfill(len(marks.group())), name, count=1)
    return os.path.join(folder, named)


def check_frame_outputs(outputs: FrameOutputs) -> None:
    """Raise InputError, before the work is done, for names that cannot be those of a series."""
    for option, names in (("--save", outputs.photons), ("--save-noise", outputs.counts)):
        for name in names:
            check_save(frame_name(name, 0), option)
            alone = os.path.splitext(name)[1].lower() in ALL_IN_ONE
            if not alone and not MARKS.search(os.path.basename(name)):
                raise InputError(
                    f"{option} {name}: every frame would replace the one before: expected #### in the name, for the "
                    f"frame's number, or a name that ends in {' or '.join(ALL_IN_ONE)}, for all frames in one file"
                )
    for option, name in outputs.numbered():
        check_writable(frame_name(name, 0), option)
    if not (outputs.numbered() or outputs.photons or outputs.counts):
        raise InputError("a series without files: expected --save or --save-noise, or #### in -noisefile or others")


class _Done(NamedTuple):
    """A frame that was worked on: its number, and what the files for all frames get, by their names."""

    number: int
    packed: dict[str, Any]


class SeriesFiles:
    """Writes a series; see FrameOutputs."""

    def __init__(self, series: Series, outputs: FrameOutputs, resume: bool = False):
        """resume: leave frames alone that are there already. Raises InputError."""
        check_frame_outputs(outputs)
        self.series = series
        self.outputs = outputs
        self.resume = resume
        self._together: dict[str, Any] = {}

    def write(self, each: Callable[[int, Result], None] | None = None) -> Iterator[int]:
        """Render and write; yields the number of each frame that is done, in order.

        each: called with every frame, by the thread that renders it. A file for all frames has its name once all are
        there; until then it is called NAME.part, and --resume goes on with it.
        """
        with ExitStack() as stack:
            for name in (*self.outputs.photons, *self.outputs.counts):
                if self._is_together(name) and not (self.resume and os.path.exists(name)):
                    self._together[name] = stack.enter_context(self._open_together(name))
            wanted = self._wanted()
            if self.resume and len(wanted) < len(self.series):
                note(f"--resume: {len(self.series) - len(wanted)} of {len(self.series)} frames are there already")

            def work(number: int, result: Result) -> _Done:
                if each is not None:
                    each(number, result)
                return self._frame(number, result)

            for done in self.series.map(work, wanted):
                for name, packed in done.packed.items():
                    self._together[name].write(done.number, packed)
                yield done.number
        for name in self._together:
            os.replace(name + UNFINISHED, name)

    def _is_together(self, name: str) -> bool:
        return not MARKS.search(os.path.basename(name))

    def _open_together(self, name: str) -> Any:
        """An NXmx file for all frames, new or gone on with."""
        from .formats.nexus import NexusFile, NexusFrames

        counted = name in self.outputs.counts
        experiments = [self.series.frame(number)[0] for number in range(len(self.series))]
        frames = NexusFrames(
            experiments,
            np.dtype(np.int32 if counted else np.float32),
            stills=isinstance(self.series, Stills),
            saturation=largest_count(self.series.config) if counted else None,
            underload=0 if counted else None,
            compression=self.outputs.compression,
        )
        part = name + UNFINISHED
        if self.resume and os.path.exists(part):
            try:
                return NexusFile(part, frames, again=True)
            except OSError as error:
                note(f"{part}: cannot be gone on with ({error}); its frames are rendered anew")
        return NexusFile(part, frames)

    def _wanted(self) -> list[int]:
        """Numbers of the frames that are missing somewhere."""
        if not self.resume:
            return list(range(len(self.series)))
        missing = {number for file in self._together.values() for number in file.missing}
        for _, pattern in self.outputs.numbered():
            missing |= {n for n in range(len(self.series)) if not os.path.exists(frame_name(pattern, n))}
        return sorted(missing)

    def _frame(self, number: int, result: Result) -> _Done:
        """Write a frame's own files; what the others get."""
        packed: dict[str, Any] = {}
        experiment, image = result.experiment, result.image
        counts = result.counts() if self.outputs.counts else None
        for option, names, counted in (
            ("--save", self.outputs.photons, None),
            ("--save-noise", self.outputs.counts, counts),
        ):
            for name in names:
                if name in self._together:
                    packed[name] = self._together[name].packed(_pixels(image, counted))
                elif not self._is_together(name):
                    save_image(frame_name(name, number), image, experiment, counted, option)
        self._programs_files(number, result)
        return _Done(number, packed)

    def _programs_files(self, number: int, result: Result) -> None:
        """The C program's, as a single run would write them."""
        e, config = result.experiment, result.config
        region = e.rendered.region
        numbered = {option: frame_name(name, number) for option, name in self.outputs.numbered()}
        if "-floatfile" in numbered:
            write_floats(numbered["-floatfile"], result.image)
        if "-intfile" in numbered:
            header = smv_header(e.detector, e.beam, e.spindle)
            scale = integer_scale(config.scale, result.statistics)
            write_integers(numbered["-intfile"], header, result.image, region, scale, config.adc_offset)
        if "-noisefile" in numbered:
            write_noise(numbered["-noisefile"], result)


def _pixels(image: np.ndarray, counts: Counts | None) -> np.ndarray:
    return image if counts is None else counts.pixels
