"""The compiler's process: `python -m nanobragg_py.kernels.library NAME ...` writes object code to standard output.

Each kernel comes as a line with the name of its cache file and its size in bytes, then its code; all come at the
end, so that nobody need read meanwhile.
"""

from __future__ import annotations

import os
import sys

from .cache import file_name
from .compile import object_code


def main(names: list[str]) -> None:
    """Compile the kernels `names`."""
    # Whatever a compiler may print goes to standard error.
    out = os.dup(1)
    os.dup2(2, 1)
    parts = []
    for name in names:
        code = object_code(name)
        parts += [f"{file_name(name)} {len(code)}\n".encode(), code]
    with os.fdopen(out, "wb") as stream:
        stream.write(b"".join(parts))


if __name__ == "__main__":
    main(sys.argv[1:])
