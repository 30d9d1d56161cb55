"""Libraries that only some options need: looked for before the work, not found missing after it."""

from __future__ import annotations

import importlib.util
import shlex
import sys

from .errors import InputError


def installs(package: str) -> str:
    """The command that installs a package for the interpreter in use, wherever the user is."""
    return f"{shlex.quote(sys.executable)} -m pip install {package}"


def require(module: str, what: str, package: str | None = None) -> None:
    """Raise InputError, with the command that installs it, unless a top-level module can be found.

    what: the option or the kind of file that needs it. package: its name for pip, where that is another one.
    Nothing is imported.
    """
    if importlib.util.find_spec(module) is None:
        package = package or module
        raise InputError(f"{what} needs {package}, which is not installed: {installs(package)}")
