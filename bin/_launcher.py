"""Start a program of this checkout, also when the interpreter in use has not what it needs and .venv has."""

import importlib
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(HERE)
NEEDED = ("numpy", "numba", "click", "fabio")


def start(module: str) -> None:
    """Call `main` of a module of the package."""
    sys.path[0] = ROOT
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        _start_in_environment(missing)
    importlib.import_module(module).main()


def _start_in_environment(missing: list) -> None:
    python = os.path.join(ROOT, ".venv", "bin", "python")
    if os.path.exists(python) and os.path.realpath(sys.prefix) != os.path.realpath(os.path.join(ROOT, ".venv")):
        os.execv(python, [python, *sys.argv])
    name = os.path.basename(sys.argv[0])
    print(f"{name}: error: {', '.join(missing)} not installed: run `pip install .` in {ROOT}", file=sys.stderr)
    raise SystemExit(9)
