"""python -m nanobragg_py: the same as bin/nanoBragg."""

from .cli import main

if __name__ == "__main__":
    main()
