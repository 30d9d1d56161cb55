"""What machine code depends on, as digests that stand in the names of cache files.

A file is only found, and used, where all of it is unchanged; anything else is a miss, and a miss compiles.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import platform
import sys
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from .. import layout
from . import target

PACKAGE = Path(__file__).parents[2]
# Modules outside the kernels' folder that kernels are made from.
_OTHER_SOURCES = ("base/records.py", "base/shapes.py")


def source_files(package: Path = PACKAGE) -> list[str]:
    """Every source file that kernels are made from."""
    found = [os.path.join(package, *name.split("/")) for name in _OTHER_SOURCES]
    for place, _, names in os.walk(package / "kernels"):
        found += [os.path.join(place, name) for name in names if name.endswith(".py")]
    return sorted(found)


def sources(package: Path = PACKAGE) -> bytes:
    """Digest of the names and contents of all source files."""
    digest = hashlib.sha256()
    for path in source_files(package):
        with open(path, "rb") as file:
            content = file.read()
        digest.update(f"{path.removeprefix(str(package))} {len(content)}\n".encode() + content)
    return digest.digest()


def ingredients() -> dict[str, bytes]:
    """All that code depends on, but Numba's version."""
    name, features = target.processor()
    return {
        "sources": sources(),
        "parameters": str(layout.PARAMETERS).encode(),
        "walk": str(layout.WALK).encode(),
        "processor": name.encode(),
        "features": features.encode(),
        "machine": f"{platform.machine()} {llvm.get_default_triple()}".encode(),
        "llvmlite": llvmlite.__version__.encode(),
        "llvm": str(llvm.llvm_version_info).encode(),
        "numpy": np.__version__.encode(),
        # Numba reads the interpreter's bytecode.
        "python": str(sys.implementation.cache_tag).encode(),
    }


def digest_of(parts: dict[str, bytes]) -> str:
    """Digest of named byte strings, 24 hexadecimal digits."""
    digest = hashlib.sha256()
    for name, part in parts.items():
        digest.update(f"{name} {len(part)}\n".encode() + part)
    return digest.hexdigest()[:24]


@functools.cache
def fingerprint() -> str:
    """Digest of all that the machine code depends on, but Numba's version."""
    return digest_of(ingredients())


@functools.cache
def numba_mark() -> str | None:
    """Digest of Numba's version, 8 hexadecimal digits, without the time that importing Numba takes.

    None where there is no Numba: code that is in the cache can still be used.
    """
    try:
        numba = importlib.util.find_spec("numba")
    except (ImportError, ValueError):
        return None
    if numba is None or not numba.submodule_search_locations:
        return None
    version = Path(numba.submodule_search_locations[0]) / "_version.py"
    return hashlib.sha256(version.read_bytes()).hexdigest()[:8]
