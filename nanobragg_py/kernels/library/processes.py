"""Compiling in processes of their own, where no setting, no patch and no other code of this one can reach.

What is compiled is kept, and must not depend on how one run was started: on NUMBA_* variables, on Numba's settings
in the user's folder, on what a program that uses this package has done to Numba before. Two processes also share
the work. Only where no other interpreter can be started is code compiled in this process.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from ...base import interruption
from ...base.errors import InputError, shown
from . import target
from .cache import file_name

_FOLDER = Path(__file__).resolve().parent
# A short life needs no search for garbage, which would take a tenth of it.
_START = (
    "import gc, json, runpy, sys; gc.disable(); sys.path[:] = json.loads(sys.argv.pop(1)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__')"
)
# Intel's vector library rounds its sines otherwise than the C library.
_NO_VECTOR_LIBRARY = {"NUMBA_DISABLE_INTEL_SVML": "1"}
# What LLVM says to a processor's name that it does not know, and to one without 64-bit code, before it ends.
_NO_SUCH_PROCESSOR = (b"is not a recognized processor", b"LLVM ERROR")

_running: list[subprocess.Popen[bytes]] = []


class _Failed(Exception):
    """A compiler's process gave no code."""


def object_codes(groups: Sequence[Sequence[str]]) -> tuple[dict[str, bytes], bool]:
    """Object code by kernel, and whether it may be kept; each group of names gets a process of its own.

    Raises InputError when it cannot be compiled.
    """
    groups = [group for group in groups if group]
    try:
        codes: dict[str, bytes] = {}
        for names, (status, out, err) in zip(groups, _run(groups), strict=True):
            _check_processor(status, err)
            if status != 0:
                raise _Failed(shown(err.decode(errors="replace").strip().rpartition("\n")[2], 200))
            codes |= _taken_apart(out, names)
        return codes, True
    except (_Failed, OSError) as error:
        if target.named_processor():
            raise InputError(
                f"NANOBRAGG_PROCESSOR is set, and no other Python interpreter could compile for it: {error}"
            ) from error
        # Numba may have been told things already that its next user must not inherit.
        may_be_kept = "numba" not in sys.modules
        return {name: _compiled_here(name) for names in groups for name in names}, may_be_kept


def _run(groups: Sequence[Sequence[str]]) -> list[tuple[int, bytes, bytes]]:
    """Exit status, standard output and standard error of a compiler for each group, all running at once."""
    if "python" not in os.path.basename(sys.executable or "").lower():
        raise _Failed("this is a program that has Python inside")
    answers = []
    try:
        for names in groups:
            _running.append(_start(names))
        for process in _running:
            out, err = process.communicate()
            answers.append((process.returncode, out, err))
    finally:
        while _running:
            process = _running.pop()
            if process.poll() is None:
                process.terminate()
                process.wait()
            for stream in filter(None, (process.stdout, process.stderr)):
                stream.close()
    return answers


def _start(names: Sequence[str]) -> subprocess.Popen[bytes]:
    """Another interpreter, which looks for modules where this one does, and sees no setting of Numba."""
    path = [os.path.abspath(place) for place in sys.path if place]
    return subprocess.Popen(
        [sys.executable, "-Wignore", "-c", _START, json.dumps(path), __package__, *names],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=_FOLDER,
        env={key: value for key, value in os.environ.items() if not key.startswith("NUMBA_")} | _settings(),
    )  # fmt: skip


def stop() -> None:
    """End the compilers: this process is about to end."""
    for process in _running:
        process.terminate()


interruption.clean_ups.append(stop)


def _check_processor(status: int, err: bytes) -> None:
    """Raise InputError if LLVM has said that it does not know the processor's name, or ended the process."""
    name = target.named_processor()
    if name and (status < 0 or any(words in err for words in _NO_SUCH_PROCESSOR)):
        raise InputError(
            f"NANOBRAGG_PROCESSOR={shown(name)}: LLVM cannot compile for such a processor; expected a name "
            "that it knows, such as x86-64, x86-64-v3, haswell or znver3"
        )


def _taken_apart(out: bytes, names: Sequence[str]) -> dict[str, bytes]:
    """Object code by kernel from a compiler's output. Raises _Failed if it is not what was asked for."""
    codes = {}
    for name in names:
        line, _, out = out.partition(b"\n")
        found, _, size = line.decode(errors="replace").partition(" ")
        if found != file_name(name) or not size.isdecimal() or int(size) > len(out):
            raise _Failed(f"there is no code of {name} for this version")
        codes[name], out = out[: int(size)], out[int(size) :]
    return codes


def _settings() -> dict[str, str]:
    """What Numba is told: the processor that the fingerprint names."""
    name, features = target.processor()
    return {**_NO_VECTOR_LIBRARY, "NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}


@contextlib.contextmanager
def _numba_sees_our_settings_only() -> Iterator[None]:
    hidden = {key: os.environ.pop(key) for key in list(os.environ) if key.startswith("NUMBA_")}
    settings = _settings()
    os.environ.update(settings)
    try:
        yield
    finally:
        for key in settings:
            del os.environ[key]
        os.environ.update(hidden)


def _compiled_here(name: str) -> bytes:
    """Object code of the kernel `name`, compiled in this process. Raises InputError when it cannot be compiled."""
    with _numba_sees_our_settings_only(), interruption.ending_at_once():
        try:
            import numba  # takes longer than a small image, which needs none where kernels are cached

            if getattr(numba.config, "DISABLE_JIT", 0):
                raise InputError("NUMBA_DISABLE_JIT is set, so that no kernel can be compiled")
            from .compile import object_code

            return object_code(name)
        except InputError:
            raise
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise InputError(f"the kernel {name} cannot be compiled: {reason}") from error
