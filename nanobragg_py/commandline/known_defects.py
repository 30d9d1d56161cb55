"""What a run says of the C program's known defects that its image has."""

from __future__ import annotations

from ..base.errors import note, warn
from ..model.experiment import Experiment
from ..options.config import Config
from ..resolve import defects


def tell_of_defects(config: Config, experiment: Experiment, left_grid: bool = False) -> None:
    """Warn of those that change the image much; with --verbose, tell of the others. left_grid: see defects_of."""
    found = defects.defects_of(experiment, config.fixes, left_grid)
    if not config.defects_accepted and (text := defects.warning(found)):
        warn(text)
    if config.verbose and (text := defects.remark(found)):
        note(text)
