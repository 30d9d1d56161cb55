"""What the description in a TIFF says: lines name=value as --save writes them, or lines # Keyword value of Dectris."""

from __future__ import annotations

from .image_header import ImageHeader, own_directions, own_facts, positive
from .mini_cbf import dectris_header


def tiff_header(description: str, width: int, height: int) -> ImageHeader:
    """The header of an image of that size. Of any other description nothing is read."""
    pairs = (line.partition("=") for line in description.splitlines() if not line.startswith("#"))
    facts = {name.strip(): value.strip() for name, equals, value in pairs if equals}
    found, spelled = own_facts(facts)
    if not found:
        return dectris_header(description, width, height)
    remarks = positive(found, spelled)
    found |= own_directions(facts, found.get("pixel_size_m"))
    return ImageHeader(width, height, **found, spelled=spelled, remarks=remarks)
