"""The compiled inner loops: the pixel formula, the walks over it, and how they are compiled."""
