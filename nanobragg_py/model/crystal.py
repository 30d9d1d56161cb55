"""The crystal: shape, size in cells, cell and orientation."""

from __future__ import annotations

from ..base.records import record
from ..base.shapes import Shape
from ..base.vectors import Triad, Vector, lengths
from .cell import Angles, CellSteps, DirectCell


@record
class Setting:
    """How the crystal was set, before it is turned by the spindle.

    given_cell: edges and angles that it was constructed from, or None, with the angles of its reciprocal.
    from_matrix: a*, b*, c* as in a matrix file (Å⁻¹ times the wavelength in Å), or None; by_wavelength: in Å⁻¹.
    unturned, lengths: reciprocal vectors before misset (Å⁻¹). misset: angles about x, y, z in radians, or None.
    """

    given_cell: DirectCell | None
    constructed_angles: Angles | None
    from_matrix: Triad | None
    by_wavelength: Triad | None
    unturned: Triad
    lengths: Vector
    misset: Vector | None
    misset_was_random: bool


@record
class Crystal:
    """The resolved crystal.

    real: a, b, c in Å; reciprocal: a*, b*, c* in Å⁻¹; real_m: a, b, c in metres. Na, Nb, Nc: cells along each axis.
    node_vectors: whose sum, times the number of cells, is the distance to a node that Gaussian and flat-topped spots
    depend on: a*, b*, c* in the C program, so that the width depends on the product of Na, Nb, Nc, and on the cell.
    own_widths: whether instead each axis has the width of its own number of cells.
    """

    shape: Shape
    fudge: float
    Na: float
    Nb: float
    Nc: float
    real: Triad
    reciprocal: Triad
    real_m: Triad
    real_angles: Angles
    reciprocal_angles: Angles
    volume_A3: float
    setting: Setting
    steps: CellSteps
    own_widths: bool

    @property
    def size_m(self) -> Vector:
        """Width of the crystal along a, b, c in metres."""
        a, b, c = lengths(self.real_m)
        return (a * self.Na, b * self.Nb, c * self.Nc)

    @property
    def node_vectors(self) -> Triad:
        """See the class."""
        if not self.own_widths:
            return self.reciprocal
        Na, Nb, Nc = self.Na, self.Nb, self.Nc
        return ((1.0 / (Nb * Nc), 0.0, 0.0), (0.0, 1.0 / (Na * Nc), 0.0), (0.0, 0.0, 1.0 / (Na * Nb)))
