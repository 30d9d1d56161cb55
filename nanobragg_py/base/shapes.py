"""Shapes of a crystal, one row each: options, keywords, kernels, run log and labels are made from this table.

The transforms themselves, with their error bounds, are in kernels/shapes.py.
"""

from __future__ import annotations

from collections.abc import Callable

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
    lobe_edge: where its transform's main lobe ends, in units of that width; separable: along each axis by itself, since
    the transform is a product over the axes. heeds_fudge: whether -fudge changes the width.
    """

    name: str
    flags: tuple[str, ...]
    help: str
    log_name: str
    along_axes: bool
    lobe_edge: float
    separable: bool = False
    heeds_fudge: bool = True

    def __reduce__(self) -> tuple[Callable[[str], Shape], tuple[str]]:
        """A copy, or one from another process, is the row itself."""
        return shape_named, (self.name,)


SQUARE = Shape(
    "square", ("-square_xtal",), "parallelepiped crystal (the default)", "parallelpiped", True, 1.0, True, False
)
# The first zero of sin x - x cos x is at 4.4934, 1.4303 times pi.
ROUND = Shape("round", ("-round_xtal",), "ellipsoidal crystal", "ellipsoidal", True, 1.4303)
# A Gaussian has no zero; here its square has fallen to 3e-6.
GAUSS = Shape("gauss", ("-gauss_xtal",), "Gaussian spots", "gaussian", False, 2.0)
TOPHAT = Shape(
    "tophat", ("-binary_spots", "-tophat_spots"), "flat-topped spots", "tophat-spot", False, TOPHAT_RADIUS_SQUARED**0.5
)
SHAPES = (SQUARE, ROUND, GAUSS, TOPHAT)


def shape_named(name: str) -> Shape:
    """The row of a name."""
    return next(shape for shape in SHAPES if shape.name == name)
