"""Mosaic domains."""

from __future__ import annotations

from ..base.records import by_value, record


@by_value
@record
class Mosaic:
    """Mosaic spread in radians and number of domains; `warning` is what the reference says of them."""

    spread: float
    domains: int
    warning: str = ""
