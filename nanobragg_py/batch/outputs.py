"""Which files a command line writes, and whether an earlier one wrote them, too."""

from __future__ import annotations

import os

from ..base.files import written_directly
from ..commandline.session import is_series
from ..options.config import Config


def outputs(config: Config) -> list[str]:
    """Names of the images that a run writes, and of what is made from them; the dump, which is read again, is none."""
    if config.trace_only:
        return []
    names = [*config.save, *config.save_noise]
    if is_series(config):
        names += [name for name in (config.ground_truth, config.inputs_folder) if name is not None]
        return names
    names += [config.float_file, config.int_file]
    names += [config.pgm_file] * config.write_pgm + [config.noise_file] * config.write_noise
    names += [name for name in (config.preview, config.save_orientation) if name is not None]
    return [name for name in names if not written_directly(name)]


class Writers:
    """The line that was the first to write each file."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}
        self._said: set[str] = set()

    def overwritten(self, names: list[str], number: int) -> list[str]:
        """Messages about files that line `number` writes and an earlier one wrote: once for each file."""
        messages = []
        for name in names:
            path = os.path.realpath(name)
            first = self._lines.setdefault(path, number)
            if first != number and path not in self._said:
                self._said.add(path)
                messages.append(f"{name}: written by line {first} and by line {number}: the last one stays")
        return messages
