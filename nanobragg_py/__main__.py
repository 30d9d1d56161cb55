"""python -m nanobragg_py: the same as bin/nanoBragg."""

from __future__ import annotations

from .commandline.cli import main

if __name__ == "__main__":
    main()
