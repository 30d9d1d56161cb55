"""gemmi, which reads what crystallographers write, and what it may raise, as messages of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from ..base.errors import InputError
from ..base.optional import installs


def gemmi_module() -> ModuleType:
    """gemmi, which only this kind of input needs; InputError says how to install it."""
    try:
        import gemmi
    except ImportError as error:
        raise InputError(
            "reading MTZ, mmCIF, PDB and other crystallographic files needs gemmi, which is not installed: "
            f"{installs('gemmi')} (the extra nanobragg_py[mtz] includes it)"
        ) from error
    return gemmi


@contextmanager
def explained(path: str, what: str) -> Iterator[None]:
    """Turn whatever gemmi or the system raises while reading path into an InputError that names the file."""
    try:
        yield
    except InputError:
        raise
    except MemoryError as error:
        raise InputError(f"{path}: not enough memory to read this {what}") from error
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except Exception as error:  # gemmi raises RuntimeError, ValueError, IndexError and others
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise InputError(f"{path}: not a readable {what} ({reason})") from error
