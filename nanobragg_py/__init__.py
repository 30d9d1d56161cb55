"""nanoBragg in Python: diffraction images of small crystals, byte for byte as the C program gives them.

>>> from nanobragg_py import Config, InputError, Simulator, simulate
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import DefectWarning, simulate
    from .base.errors import InputError
    from .batch.reading import Batch, Sample
    from .model.response import Detector
    from .options.amorphous import Amorphous
    from .options.config import Config
    from .result import Noise, Result
    from .simulator import Simulator, Still
    from .spots import Spots

# The one place of the version: setup.cfg takes it from here.
__version__ = "0.1.0"
__all__ = [
    "Amorphous", "Batch", "Config", "DefectWarning", "Detector", "InputError", "Noise", "Result", "Sample", "Simulator",
    "Spots", "Still",
    "__version__", "simulate",
]  # fmt: skip

# Where each name is: imported when it is asked for, so that the command line's -h does not wait for NumPy.
_HOMES = {
    "Batch": "batch.reading",
    "Amorphous": "options.amorphous",
    "Config": "options.config",
    "DefectWarning": "api",
    "Detector": "model.response",
    "InputError": "base.errors",
    "Noise": "result",
    "Result": "result",
    "Sample": "batch.reading",
    "Simulator": "simulator",
    "Spots": "spots",
    "Still": "simulator",
    "simulate": "api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f".{_HOMES[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
