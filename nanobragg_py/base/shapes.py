"""Shapes of a crystal, one row each: options, keywords, kernels, run log and labels are made from this table.

The transforms themselves, with their error bounds, are in kernels/shapes.py.
"""

from __future__ import annotations

from .records import record

# Full width at half maximum and volume of the C program's Gaussian spot resemble a parallelepiped's: exp(-x²/0.63).
GAUSS_WIDTH = 0.63
# A flat-topped spot of the parallelepiped's height and volume ends here: x² < 0.3969.
TOPHAT_RADIUS_SQUARED = 0.3969


@record
class Shape:
    """One row.

    name: what Python calls it; flags: options that choose it; help: what they mean; log_name: the run log's word.
    along_axes: whether its transform's width is 1/N along each axis, or the same in all directions about a node.
    label_reach_squared: how far from the middle of its transform, squared and in units of that width, the Ewald sphere
    may cut a reflection that is labelled. heeds_fudge: whether -fudge changes the width.
    """

    name: str
    flags: tuple[str, ...]
    help: str
    log_name: str
    along_axes: bool
    label_reach_squared: float
    heeds_fudge: bool = True


# The first zero of a parallelepiped's transform is at 1, half of its height at 0.44; 0.7 lies between.
SQUARE = Shape(
    "square", ("-square_xtal",), "parallelepiped crystal (the default)", "parallelpiped", True, 0.7 * 0.7, False
)
ROUND = Shape("round", ("-round_xtal",), "ellipsoidal crystal", "ellipsoidal", True, 0.7 * 0.7)
# Where the transform's square has fallen to 1/e.
GAUSS = Shape("gauss", ("-gauss_xtal",), "Gaussian spots", "gaussian", False, GAUSS_WIDTH / 2.0)
TOPHAT = Shape(
    "tophat", ("-binary_spots", "-tophat_spots"), "flat-topped spots", "tophat-spot", False, TOPHAT_RADIUS_SQUARED
)
SHAPES = (SQUARE, ROUND, GAUSS, TOPHAT)


def shape_named(name: str) -> Shape:
    """The row of a name."""
    return next(shape for shape in SHAPES if shape.name == name)
