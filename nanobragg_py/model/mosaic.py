"""Mosaic domains: blocks of the crystal, each turned a little."""

from __future__ import annotations

from ..base.records import by_value, record


@by_value
@record
class Mosaic:
    """Mosaic spread in radians and number of domains; `warning` is what the C program says of them."""

    spread_rad: float
    domains: int
    warning: str = ""
