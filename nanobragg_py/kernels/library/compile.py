"""From a kernel of entry.py to object code that needs nothing but the C library.

Numba compiles it as a C callback (`numba.cfunc`), which has a plain C signature: no hidden place for a result or an
error. Of the callback's LLVM code only the kernel stays visible, everything else becomes its own, and what it does
not reach goes. So goes all that would report an error to Python: kernels raise none, and LLVM sees that. If ever
one should be left, there is no code rather than code that calls into the interpreter from a thread.

This runs in a process of its own (see processes.py): nothing but ingredients of the fingerprint decides about it.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numba
from numba import types

from .. import entry, layout
from . import target
from .signatures import signature, symbol

# Functions of the C library that machine code may call; anything else would not survive loading elsewhere.
ALLOWED = frozenset(
    "sin cos exp log tan atan atan2 erf powf sqrt fma ceil floor floorf rint memcpy memset memmove".split()
)

_TYPES: dict[str, Any] = {
    "void": types.void,
    "int64": types.int64,
    "int32": types.int32,
    "uint32": types.uint32,
    "uint16": types.uint16,
    "uint8": types.uint8,
    "float64": types.float64,
    "float32": types.float32,
    "parameters": numba.from_dtype(layout.PARAMETERS),
    "walk": numba.from_dtype(layout.WALK),
}


class NotSelfContained(Exception):
    """A kernel's code calls what is not in the C library."""


def numba_type(kind: str) -> Any:
    """Numba's type for a word of the table of signatures."""
    pointer: Any = types.CPointer
    return pointer(_TYPES[kind[:-1]]) if kind.endswith("*") else _TYPES[kind]


def numba_signature(name: str) -> Any:
    """Numba's signature of the kernel `name`."""
    found = signature(name)
    return numba_type(found.result)(*map(numba_type, found.arguments.values()))


def object_code(name: str) -> bytes:
    """Object code of the kernel `name`. Raises NotSelfContained when it needs more than the C library."""
    callback = numba.cfunc(numba_signature(name), error_model="numpy")(entry.KERNELS[name])
    module = llvm.parse_assembly(callback.inspect_llvm())
    _hide_all_but(module, callback.native_name, symbol(name))
    machine = target.machine(*target.processor())
    _drop_unreached(module, machine)
    needed = {item.name for item in module.functions if item.is_declaration and not item.name.startswith("llvm.")}
    needed |= {item.name for item in module.global_variables if item.is_declaration}
    if not needed <= ALLOWED:
        raise NotSelfContained(f"kernel {name} needs {sorted(needed - ALLOWED)}, which is not in the C library")
    code: bytes = machine.emit_object(module)
    return code


def _hide_all_but(module: Any, kept: str, name: str) -> None:
    """Let the function `kept` be seen under `name`, and everything else from inside the module only.

    What is hidden gets short names that are the same each time.
    """
    for number, item in enumerate([*module.functions, *module.global_variables]):
        if item.name == kept:
            item.linkage = "external"
            item.name = name
        elif not item.is_declaration:
            item.linkage = "internal"
            item.name = f"part{number}"


def _drop_unreached(module: Any, machine: Any) -> None:
    """Carry constant results (no error) to the callers, and remove branches, functions and data never reached."""
    if hasattr(llvm, "create_module_pass_manager"):
        # llvmlite before 0.45.
        old_passes = llvm.create_module_pass_manager()
        old_passes.add_ipsccp_pass()
        old_passes.add_cfg_simplification_pass()
        old_passes.add_global_dce_pass()
        old_passes.run(module)
        return
    passes = llvm.create_new_module_pass_manager()
    passes.add_ipsccp_pass()
    passes.add_simplify_cfg_pass()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
