"""The processor that kernels are compiled for, in LLVM's words."""

from __future__ import annotations

import functools
import os
from typing import Any

import llvmlite.binding as llvm


def named_processor() -> str | None:
    """The processor that NANOBRAGG_PROCESSOR names; None where code is for this one."""
    return os.environ.get("NANOBRAGG_PROCESSOR") or None


@functools.cache
def this_processor() -> tuple[str, str]:
    """LLVM's name and features of the processor that this runs on."""
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


def processor() -> tuple[str, str]:
    """LLVM's name and features of the processor that code is made for."""
    name = named_processor()
    return (name, "") if name else this_processor()


def machine(name: str, features: str) -> Any:
    """LLVM's target machine for a processor, with the options that Numba gives it."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=3, reloc="pic", codemodel="default", jit=True
    )
