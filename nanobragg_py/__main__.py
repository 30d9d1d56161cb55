"""python -m nanobragg_py: the same as bin/nanoBragg."""

from __future__ import annotations

from .programs import nanobragg

if __name__ == "__main__":
    nanobragg()
