"""What hears of each stage of resolve() as it is done."""

from __future__ import annotations

from ..model.beam import Beam, Sources
from ..model.crystal import Crystal
from ..model.detector import Detector
from ..model.experiment import Interpolation
from ..model.mosaic import Mosaic
from ..model.spindle import Spindle
from ..model.structure_factors import Grid
from ..model.subpixels import Oversampling


class Listener:
    """Hears of the stages, in their order, and does nothing; the command's listener writes the run log."""

    def headers_read(self, paths: tuple[str, ...]) -> None:
        """Headers of -mask and -img have been read."""

    def instrument_resolved(self, beam: Beam, detector: Detector) -> None:
        """Beam and detector are known."""

    def work_begins(self, detector: Detector, mosaic: Mosaic, interpolation: Interpolation) -> None:
        """There is enough to render an image of: what follows may take time."""

    def crystal_resolved(self, crystal: Crystal, beam: Beam) -> None:
        """Cell, orientation and size are known."""

    def oversampling_resolved(self, crystal: Crystal, oversampling: Oversampling) -> None:
        """The number of sub-pixels is known."""

    def list_is_missing(self, path: str) -> None:
        """The reflection list cannot be opened."""

    def list_opened(self, path: str) -> None:
        """The reflection list is there."""

    def list_is_empty(self, path: str) -> None:
        """There is nothing in it."""

    def list_read(self, path: str, grid: Grid) -> None:
        """Structure factors of a list are known."""

    def dump_opened(self, path: str) -> None:
        """The dump of an earlier run is about to be read."""

    def structure_factors_resolved(self, detector: Detector, spindle: Spindle) -> None:
        """Structure factors are known, wherever they came from."""

    def sources_resolved(self, sources: Sources) -> None:
        """The beam's sources are known."""
