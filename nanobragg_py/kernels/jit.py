"""The one place for Numba options.

Nothing here may let the compiler change a rounding: no fastmath flag, no contraction, and the C library's
own sin, cos, exp, log, tan, atan2 and powf (Intel's vector library, where installed, rounds differently).
"""

from __future__ import annotations

import os

os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

# Division by zero gives inf or nan, as in C. The pieces are called by kernels only, so they need no entries for
# Python or C of their own, which would take a third of the time to compile.
_OPTIONS = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function):
    """Compile for callers inside the kernels."""
    return numba.njit(**_OPTIONS)(function)


def inlined(function):
    """As `compiled`, and merged into the caller, so that loops over it can become SIMD."""
    return numba.njit(forceinline=True, **_OPTIONS)(function)


def merged(function):
    """As `inlined`, for a large piece with one caller: compiled as part of that, which saves compiling it twice."""
    return numba.njit(inline="always", **_OPTIONS)(function)


def for_python(piece):
    """A piece of the kernels as a function that Python can call (for tests)."""
    return numba.njit(piece.py_func, error_model="numpy")


@intrinsic
def fma(typing_context, a, b, c):
    """a*b + c with a single rounding (IEEE 754 fusedMultiplyAdd); exact on every processor."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


@intrinsic
def power_of_two(typing_context, biased):
    """2**n for n = biased - 1.5 * 2**52 in -1022..1023, by building the float64's bits from the lowest of `biased`."""

    def generate(context, builder, signature, arguments):
        whole = ir.IntType(64)
        bits = builder.bitcast(arguments[0], whole)
        exponent = builder.shl(builder.add(bits, ir.Constant(whole, 1023)), ir.Constant(whole, 52))
        return builder.bitcast(exponent, ir.DoubleType())

    return types.float64(types.float64), generate
