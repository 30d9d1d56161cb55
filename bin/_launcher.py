"""Start a program of this checkout, also when the interpreter in use has not what it needs and .venv has."""

# First of all: until the program takes over, Ctrl-C ends it at once, instead of a traceback; one that is ignored (by
# nohup) stays ignored. Importing `signal`, which is made of this, takes longer than everything else here.
import _signal

if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import os
import sys
from importlib.machinery import PathFinder

HERE = os.path.dirname(os.path.realpath(__file__))
ROOT = os.path.dirname(HERE)
ENVIRONMENT = os.path.join(ROOT, ".venv")
NEEDED = ("numpy", "numba", "click", "fabio", "h5py", "PIL")


def start(module: str) -> None:
    """Call `main` of a module of the package."""
    # PathFinder only looks into folders; importing what it needs would cost a third of the time that -h takes.
    missing = [name for name in NEEDED if PathFinder.find_spec(name) is None]
    if missing:
        _start_in_environment(missing)
    sys.path[0] = ROOT
    # Like importlib.import_module, which the interpreter would have to load first.
    __import__(module)
    sys.modules[module].main()


def _start_in_environment(missing: list[str]) -> None:
    python = os.path.join(ENVIRONMENT, "bin", "python")
    if os.path.exists(python) and os.path.realpath(sys.prefix) != os.path.realpath(ENVIRONMENT):
        os.execv(python, [python, *sys.argv])
    name = os.path.basename(sys.argv[0])
    ways = f"make -C {ROOT} demo, or {sys.executable} -m pip install {ROOT}"
    print(f"{name}: error: {', '.join(missing)} not installed: run {ways}", file=sys.stderr)
    raise SystemExit(9)
