"""The one place for Numba options.

Nothing here may let the compiler change a rounding: no fastmath flag, no contraction, and the C library's
own sin, cos, exp, log, tan, atan2 and powf (Intel's vector library, where installed, rounds differently).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic as numba_intrinsic

os.environ.setdefault("NUMBA_DISABLE_INTEL_SVML", "1")

# Documented, and missing in Numba's list of what it exports.
carray = numba.carray  # type: ignore[attr-defined]


# Division by zero gives inf or nan, as in C. The pieces are called by kernels only, so they need no entries for
# Python or C of their own, which would take a third of the time to compile.
_OPTIONS: dict[str, Any] = {"error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}


def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile for callers inside the kernels."""
    made: Callable[..., Any] = numba.njit(**_OPTIONS)(function)
    return made


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `compiled`, and merged into the caller, so that loops over it can become SIMD."""
    made: Callable[..., Any] = numba.njit(forceinline=True, **_OPTIONS)(function)
    return made


def merged(function: Callable[..., Any]) -> Callable[..., Any]:
    """As `inlined`, for a large piece with one caller: compiled as part of that, which saves compiling it twice."""
    made: Callable[..., Any] = numba.njit(inline="always", **_OPTIONS)(function)
    return made


def for_python(piece: Any) -> Callable[..., Any]:
    """A piece of the kernels as a function that Python can call (for tests)."""
    made: Callable[..., Any] = numba.njit(error_model="numpy")(piece.py_func)
    return made


def intrinsic(description: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose LLVM code is written here; callers leave out its first argument, the typing context."""
    made: Callable[..., Any] = numba_intrinsic(description)
    return made


@intrinsic
def fma(typing_context, a, b, c):
    """a*b + c with a single rounding (IEEE 754 fusedMultiplyAdd); exact on every processor."""

    def generate(context, builder, signature, arguments):
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), generate


@intrinsic
def tensor_product_sum(typing_context, values, at, stride, long_stride, first, second, third):
    """Sum over a, b, c in 0..3 of first[a] second[b] third[c] values[at + a*long_stride + b*stride + c], in SIMD.

    values float64, at and strides uint64 (slots), the others tuples of four float64. LLVM finds no SIMD here by
    itself: neighbours along c are one vector, and it looks for vectors across pixels.
    """
    four = types.UniTuple(types.float64, 4)

    def generate(context, builder, signature, arguments):
        vector = ir.VectorType(ir.DoubleType(), 4)
        data = context.make_array(signature.args[0])(context, builder, value=arguments[0]).data
        at, stride, long_stride = arguments[1:4]
        multiply_add = builder.module.declare_intrinsic("llvm.fma.v4f64", fnty=ir.FunctionType(vector, [vector] * 3))

        def numbers(tuple_of_four):
            return [builder.extract_value(tuple_of_four, i) for i in range(4)]

        def spread(number):
            alone = builder.insert_element(ir.Constant(vector, ir.Undefined), number, ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(alone, alone, ir.Constant(ir.VectorType(ir.IntType(32), 4), [0] * 4))

        total = ir.Constant(vector, [0.0] * 4)
        along_b = [spread(number) for number in numbers(arguments[5])]
        for along_a in numbers(arguments[4]):
            plane, slot = ir.Constant(vector, [0.0] * 4), at
            for weight in along_b:
                line = builder.bitcast(builder.gep(data, [slot]), vector.as_pointer())
                plane = builder.call(multiply_add, [weight, builder.load(line, align=8), plane])
                slot = builder.add(slot, stride)
            total = builder.call(multiply_add, [spread(along_a), plane, total])
            at = builder.add(at, long_stride)
        result = ir.Constant(ir.DoubleType(), 0.0)
        for i, weight in enumerate(numbers(arguments[6])):
            line = builder.extract_element(total, ir.Constant(ir.IntType(32), i))
            result = builder.fadd(result, builder.fmul(line, weight))
        return result

    return types.float64(values, at, stride, long_stride, four, four, four), generate


@intrinsic
def power_of_two(typing_context, biased):
    """2**n for n = biased - 1.5 * 2**52 in -1022..1023, by building the float64's bits from the lowest of `biased`."""

    def generate(context, builder, signature, arguments):
        whole = ir.IntType(64)
        bits = builder.bitcast(arguments[0], whole)
        exponent = builder.shl(builder.add(bits, ir.Constant(whole, 1023)), ir.Constant(whole, 52))
        return builder.bitcast(exponent, ir.DoubleType())

    return types.float64(types.float64), generate


@intrinsic
def high_product(typing_context, a, b):
    """The upper 64 bits of the product of two uint64."""

    def generate(context, builder, signature, arguments):
        wide = ir.IntType(128)
        product = builder.mul(*(builder.zext(argument, wide) for argument in arguments))
        return builder.trunc(builder.lshr(product, ir.Constant(wide, 64)), ir.IntType(64))

    return types.uint64(types.uint64, types.uint64), generate
