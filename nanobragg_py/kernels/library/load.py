"""The kernels as functions to call: compiled once on a machine, then loaded without the compiler.

Importing Numba costs more time than rendering a small image. So each kernel is compiled once to object code, which
is kept in the cache; later runs hand it to LLVM's loader and call it through ctypes, which lets go of the
interpreter's lock, so that ordinary threads share the rows of an image.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import llvmlite.binding as llvm

from ...base.errors import note
from ...base.locks import lock_held_over_forks
from . import cache, target
from .signatures import COMMON, PROTOTYPES, signature, symbol

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Interpreters that compile at once; each takes half a second to start, and 250 MB.
MOST_PROCESSES = 3

_lock = lock_held_over_forks()
_functions: dict[str, Callable[..., Any]] = {}
# Object code that has been read or compiled, and not been asked for yet.
_codes: dict[str, bytes] = {}
_engine: Any = None
_announced = False


def kernel(name: str) -> Callable[..., Any]:
    """The kernel `name`, to call with numbers and, for arrays, their `address`; compiled on its first use ever.

    Its arguments are those of the function of this name in entry.py. Raises InputError when it must be compiled and
    cannot.
    """
    with _lock:
        if name not in _functions:
            prepare([name])
            _functions[name] = signature(name).c_function(_link(name, _codes.pop(name)))
        return _functions[name]


def prepare(names: Iterable[str] = PROTOTYPES) -> None:
    """Have kernels at hand. Those that must be compiled are shared among processes; name first what takes longest.

    With them come all others that any run may want, if they can be kept. Raises InputError when they must be compiled
    and cannot.
    """
    with _lock:
        missing = [name for name in names if not _at_hand(name)]
        if not missing:
            return
        # What a run needs that finds its kernels compiled is imported at start, and no more.
        from .processes import object_codes

        keep = cache.can_keep()
        if keep:
            missing += [name for name in COMMON if name not in missing and not _at_hand(name)]
        _announce(keep)
        others = min(os.cpu_count() or 1, MOST_PROCESSES) - 1
        groups = [missing[:1], *(missing[1 + number :: others] for number in range(others))] if others else [missing]
        codes, may_be_kept = object_codes(groups)
        _codes.update(codes)
        if keep and may_be_kept:
            for name, code in codes.items():
                cache.write(name, code)


def address(array: NDArray[Any] | None) -> int | None:
    """Address of a C-contiguous array's first element."""
    if array is None:
        return None
    try:
        # A quarter of the time of array.ctypes: an image of a batch asks for sixty addresses.
        return ctypes.addressof(ctypes.c_char.from_buffer(array))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        # Read-only, or empty.
        if not array.flags.c_contiguous:
            raise ValueError("kernels take contiguous arrays") from None
        return array.ctypes.data


def _at_hand(name: str) -> bool:
    """Whether the kernel need not be compiled."""
    if name in _functions or name in _codes:
        return True
    code = cache.read(name)
    if code is not None:
        _codes[name] = code
    return code is not None


def _announce(kept: bool) -> None:
    """Say, once, why this run takes longer."""
    global _announced
    if not _announced:
        often = "once" if kept else f"each time: they cannot be kept in {cache.cache_folder() or 'a home folder'}"
        note(f"compiling the kernels for this processor ({often}) ...")
        _announced = True


def _link(name: str, code: bytes) -> int:
    """Load object code; the address of its kernel."""
    engine = _loader()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    found: int = engine.get_function_address(symbol(name))
    if not found:
        raise RuntimeError(f"compiled kernel {name} has no entry point")
    return found


def _loader() -> Any:
    """LLVM's loader, one for all kernels: making it takes ten times as long as loading a kernel."""
    global _engine
    if _engine is None:
        if platform.system() == "Linux":
            with contextlib.suppress(RuntimeError):
                llvm.load_library_permanently("libm.so.6")
        _engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target.machine(*target.this_processor()))
    return _engine
