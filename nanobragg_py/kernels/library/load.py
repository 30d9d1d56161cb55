"""The kernels as callable machine code, compiled once on a machine and then loaded without the compiler.

Importing Numba costs more time than rendering a small image. So each kernel of entry.py is compiled once, through
Numba, to an object file kept in a cache folder; later runs hand that file to LLVM's loader and call it through
ctypes, which lets go of the interpreter's lock, so that ordinary threads share the rows of an image.

A cached file is only used if everything its code depends on is unchanged: the sources of the kernels, the
versions of Numba, llvmlite and NumPy's record layout, the processor's name and features; and if its own checksum
is right. Anything else is a miss, and a miss compiles. Files appear in the folder whole or not at all, so any
number of processes may share it.

NANOBRAGG_CACHE names the folder (default: nanobragg_py in the user's cache folder). When it cannot be written, the
code is compiled for this process alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import llvmlite
import llvmlite.binding as llvm
import numpy as np

from ...base import interruption
from .. import layout

_POINTER = ctypes.c_void_p
_INT = ctypes.c_int64
_REAL = ctypes.c_double
_SCENE = (_POINTER,) * 7
_STORED_ROWS = (_INT, *_SCENE, _POINTER, _POINTER, _POINTER, _INT, _INT)
_FAST_ROWS = (_INT, *_SCENE, _POINTER, _POINTER, _POINTER, _POINTER, _INT, _INT, _INT)
# Result and arguments of every kernel; entry.SIGNATURES says the same in Numba's words.
PROTOTYPES: dict[str, tuple] = {
    "store_geometry": (None, _POINTER, _POINTER, _POINTER, _POINTER, _INT, _INT),
    "render_stored_square": _STORED_ROWS,
    "render_stored_round": _STORED_ROWS,
    "render_stored_gauss": _STORED_ROWS,
    "render_stored_tophat": _STORED_ROWS,
    "near_sphere": (_INT, _POINTER, _INT, _POINTER, _POINTER, _REAL, _POINTER),
    "read_plain_list": (_INT, _POINTER, _INT, _INT, _POINTER, _POINTER),
    "render_square": _FAST_ROWS,
    "render_round": _FAST_ROWS,
    "render_gauss": _FAST_ROWS,
    "render_tophat": _FAST_ROWS,
    "render_square_tricubic": _FAST_ROWS,
    "render_round_tricubic": _FAST_ROWS,
    "render_gauss_tricubic": _FAST_ROWS,
    "render_tophat_tricubic": _FAST_ROWS,
    "render_pixels": (_INT, *_SCENE, _POINTER, _POINTER, _POINTER, _INT, _POINTER, _INT, _INT, _INT),
    "solid_angle_sum": (_REAL, _POINTER, _POINTER),
    "add_up": (None, _POINTER, _POINTER, _INT, _INT, _INT, _POINTER, _POINTER),
    "squared_deviations": (_REAL, _POINTER, _INT, _INT, _POINTER, _REAL),
    "scale_to_words": (None, _POINTER, _POINTER, _INT, _REAL, _REAL),
    "scale_to_bytes": (None, _POINTER, _POINTER, _INT, _REAL),
    "poisson_words": (None, _POINTER, _POINTER, _INT, _REAL, _POINTER, _POINTER, _POINTER, _POINTER),
    "mosaic_rotations": (None, _POINTER, _POINTER, _REAL, _INT, _POINTER),
}


# Functions of the C library that machine code may call; anything else would not survive loading elsewhere.
_ALLOWED = frozenset("sin cos exp log tan atan2 powf sqrt fma ceil floor floorf rint memcpy memset memmove".split())
# Intel's vector library rounds its sines otherwise than the C library.
_NO_VECTOR_LIBRARY = "NUMBA_DISABLE_INTEL_SVML"
# Numba calls this when the owner of an array's memory lets go of it; the kernels' arrays have no owner.
_OWNER = "NRT_MemInfo_call_dtor"


_lock = threading.RLock()


_loaded: dict[str, Callable] = {}


_engine: llvm.ExecutionEngine | None = None


_announced = False


# Other processes that compile for this one.
_helpers: list = []


def kernel(name: str) -> Callable:
    """The kernel `name` as a ctypes function; arrays are passed with `address`. Compiles it on first use."""
    with _lock:
        if name not in _loaded:
            _loaded[name] = _load(name)
        return _loaded[name]


def prepare(names: Sequence[str]) -> None:
    """Have kernels ready: those that are not cached are compiled, half of them in a second process meanwhile."""
    folder = cache_folder()
    if folder is None or not _can_write(folder):
        return
    missing = [name for name in names if name not in _loaded and _read(folder / _file_name(name)) is None]
    if len(missing) > 1 and (os.cpu_count() or 1) > 1:
        _announce()
        with _compiling_elsewhere(missing[1:], folder):
            kernel(missing[0])


def _can_write(folder: Path) -> bool:
    """Whether another process could leave files in the folder."""
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
    return os.access(folder, os.W_OK | os.X_OK)


@contextlib.contextmanager
def _compiling_elsewhere(names: Sequence[str], folder: Path) -> Iterator[None]:
    """Let another interpreter fill the cache; if it fails, its kernels are compiled here when they are needed."""
    import subprocess

    command = [sys.executable, "-m", "nanobragg_py.kernels.library.load", *names]
    package_root = str(Path(__file__).resolve().parents[3])
    path = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH"))))
    process = None
    with contextlib.suppress(OSError):
        # Not in the user's folder: Python would look for modules there.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=package_root,
            env={**os.environ, "PYTHONPATH": path, "NANOBRAGG_CACHE": os.path.abspath(folder)},
        )  # fmt: skip
        _helpers.append(process)
    try:
        yield
        if process is not None:
            process.wait()
    finally:
        _helpers.clear()
        if process is not None and process.poll() is None:
            process.terminate()
            process.wait()


def _stop_helpers() -> None:
    for process in _helpers:
        process.terminate()


interruption.clean_ups.append(_stop_helpers)


def address(array: np.ndarray | None) -> int | None:
    """Address of a C-contiguous array's first element."""
    if array is None:
        return None
    if not array.flags.c_contiguous:
        raise ValueError("kernels take contiguous arrays")
    return array.ctypes.data


def cache_folder() -> Path | None:
    """Folder of compiled kernels, whether or not it exists; None for a user without a home."""
    named = os.environ.get("NANOBRAGG_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(base) / "nanobragg_py" if os.path.isabs(base) else None


def _load(name: str) -> Callable:
    folder = cache_folder()
    path = None if folder is None else folder / _file_name(name)
    code = None if path is None else _read(path)
    if code is None:
        code = _compile(name)
        if path is not None:
            _write(path, code)
    return _callable(name, _link(name, code))


def _file_name(name: str) -> str:
    return f"{name}-{_fingerprint()}.o"


def _callable(name: str, pointer: int) -> Callable:
    """Wrap Numba's calling convention: a place for the result and one for an error (none is ever raised)."""
    result, *arguments = PROTOTYPES[name]
    function = ctypes.CFUNCTYPE(ctypes.c_int32, _POINTER, _POINTER, *arguments)(pointer)
    holder = result or _INT

    def call(*values):
        out = holder()
        function(ctypes.addressof(out), None, *values)
        return None if result is None else out.value

    return call


_key: str | None = None


def _fingerprint() -> str:
    """Digest of all that the machine code depends on."""
    global _key
    if _key is None:
        digest = hashlib.sha256()
        kernels = Path(__file__).parents[1]
        for source in sorted(kernels.rglob("*.py")):
            digest.update(str(source.relative_to(kernels)).encode() + b"\0" + source.read_bytes())
        numba = importlib.util.find_spec("numba")
        if numba is not None and numba.submodule_search_locations:
            digest.update((Path(numba.submodule_search_locations[0]) / "_version.py").read_bytes())
        for text in (llvmlite.__version__, platform.machine(), *_processor(), str(layout.PARAMETERS), str(layout.WALK)):
            digest.update(text.encode() + b"\0")
        _key = digest.hexdigest()[:32]
    return _key


def _checksum(path: Path, code: bytes) -> bytes:
    """Digest of object code and of the name it is kept under: a file under another's name is not taken for it."""
    return hashlib.sha256(path.name.encode() + b"\0" + code).digest()


def _read(path: Path) -> bytes | None:
    """Object code of a cache file, or None when there is none, or it is damaged or another's."""
    try:
        content = path.read_bytes() if path.is_file() else b""
    except OSError:
        return None
    checksum, code = content[:32], content[32:]
    return code if code and _checksum(path, code) == checksum else None


def _remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed left half-written an hour ago or more."""
    for leftover in folder.glob(".new-*"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > 3600:
                leftover.unlink()


def _write(path: Path, code: bytes) -> None:
    """Put a cache file in place, whole; a folder that cannot be written is no error."""
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(_checksum(path, code) + code)
        os.replace(temporary, path)
    except OSError:
        if temporary is not None:
            _remove(temporary)
    except BaseException:
        if temporary is not None:
            _remove(temporary)
        raise


def _remove(path: str) -> None:
    """Remove a file if it is still there."""
    with contextlib.suppress(OSError):
        os.unlink(path)


def _announce() -> None:
    """Say, once, why this run takes longer."""
    global _announced
    if not _announced:
        print("nanoBragg: compiling the kernels for this processor (once) ...", file=sys.stderr, flush=True)
        _announced = True


@contextlib.contextmanager
def _without_settings_of_numba() -> Iterator[None]:
    """Hide NUMBA_* variables: what is compiled, and kept, must not depend on how one run was started."""
    hidden = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith("NUMBA_")}
    ours = {_NO_VECTOR_LIBRARY: "1"} | dict(zip(("NUMBA_CPU_NAME", "NUMBA_CPU_FEATURES"), _processor(), strict=True))
    os.environ.update(ours)
    try:
        yield
    finally:
        for key in ours:
            del os.environ[key]
        os.environ.update(hidden)


def _compile(name: str) -> bytes:
    """Object code of a kernel, which needs nothing but the C library."""
    _announce()
    with _without_settings_of_numba(), interruption.ending_at_once():
        return _compile_with_numba(name)


def _compile_with_numba(name: str) -> bytes:
    import numba

    from .. import entry

    signature = entry.SIGNATURES[name]
    function = numba.njit(signature, error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(
        getattr(entry, name)
    )
    compiled = function.overloads[signature.args]
    module = llvm.parse_assembly(str(compiled.library._final_module))
    for item in module.functions:
        if item.name == compiled.fndesc.llvm_func_name:
            item.linkage = "external"
            item.name = _symbol(name)
        elif not item.is_declaration:
            item.linkage = "internal"
    machine = _machine()
    _drop_unused(module, machine)
    needed = {f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")} - {_OWNER}
    if needed - _ALLOWED:
        raise RuntimeError(f"kernel {name} needs {sorted(needed - _ALLOWED)}, which is not in the C library")
    return machine.emit_object(module)


def _drop_unused(module: llvm.ModuleRef, machine: llvm.TargetMachine) -> None:
    """Remove functions and constants that the kernel does not reach."""
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))


def _symbol(name: str) -> str:
    return f"nanobragg_{name}"


def _processor() -> tuple[str, str]:
    """LLVM's name and features of what code is made for: this processor, or the one that the user names."""
    name = os.environ.get("NANOBRAGG_PROCESSOR")
    return (name, "") if name else (llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten())


def _machine() -> llvm.TargetMachine:
    """LLVM's description of the processor, as Numba makes it."""
    name, features = _processor()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=name,
        features=features,
        opt=3,
        reloc="pic",
        codemodel="default",
        jit=True,
    )


def _link(name: str, code: bytes) -> int:
    """Load object code; the address of its kernel."""
    engine = _loader()
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    found = engine.get_function_address(_symbol(name))
    if not found:
        raise RuntimeError(f"compiled kernel {name} has no entry point")
    return found


def _loader() -> llvm.ExecutionEngine:
    """LLVM's loader, one for all kernels: making it takes ten times as long as loading a kernel."""
    global _engine
    if _engine is None:
        if platform.system() == "Linux":
            llvm.load_library_permanently("libm.so.6")
        llvm.add_symbol(_OWNER, ctypes.cast(ctypes.pythonapi.Py_FatalError, _POINTER).value)
        _engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _machine())
    return _engine


if __name__ == "__main__":
    with interruption.handled():
        for wanted in sys.argv[1:]:
            kernel(wanted)
