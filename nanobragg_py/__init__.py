"""nanoBragg in Python: diffraction images of small crystals, byte for byte as the C program gives them."""

__version__ = "0.1.0"
