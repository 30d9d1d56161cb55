"""Running error analysis of the kernels' pieces, made by running the pieces themselves on numbers that keep account.

N. J. Higham, Accuracy and Stability of Numerical Algorithms (2nd ed., SIAM 2002), section 3.3. A `Tracked` number has
the value of exact arithmetic, in 50 digits, and a bound for how far the computed float64 is from that, to first order.
`plain` turns a compiled piece, with all that it calls, back into Python, so that what is analysed is what runs.
"""

from __future__ import annotations

import functools
import math
import types
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from numba.core.dispatcher import Dispatcher

from nanobragg_py.kernels import jit
from nanobragg_py.kernels.simd import trig

DIGITS = 50
ROUNDING = 2.0**-53
# What the running errors themselves lose as float64; terms of second order are accounted for in blocks.py.
SAFETY = 1.0 + 1e-9
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
# Products with these are subtracted from a number next to them; test_error_bounds.py shows that nothing is lost.
EXACT_PRODUCTS = (trig.PI_1, trig.LN2_1)


# Compiled once.
for_python = functools.cache(jit.for_python)


def assert_tight(bound: float, derived: float) -> None:
    """No smaller than derived, and so close to it that half of it would be."""
    assert derived <= bound * SAFETY
    assert bound / 2.0 < derived / SAFETY


class Tracked:
    """A number as exact arithmetic gives it, and the bound of its absolute error as computed."""

    __array_ufunc__ = None

    def __init__(self, value: Decimal | float, error: float = 0.0) -> None:
        self.value = Decimal(value)
        self.error = error

    def rounded(self) -> Tracked:
        return Tracked(self.value, self.error + ROUNDING * abs(float(self.value)))

    @property
    def relative(self) -> float:
        return self.error / abs(float(self.value))

    def __neg__(self) -> Tracked:
        return Tracked(-self.value, self.error)

    def __abs__(self) -> Tracked:
        return Tracked(abs(self.value), self.error)

    def __add__(self, other: Any) -> Tracked:
        other = tracked(other)
        total = Tracked(self.value + other.value, self.error + other.error)
        return total if is_zero(self) or is_zero(other) else total.rounded()

    def __sub__(self, other: Any) -> Tracked:
        return self + -tracked(other)

    def __rsub__(self, other: Any) -> Tracked:
        return tracked(other) + -self

    def __mul__(self, other: Any) -> Tracked:
        other = tracked(other)
        product = product_of(self, other)
        return product if is_power_of_two(self) or is_power_of_two(other) else product.rounded()

    def __truediv__(self, other: Any) -> Tracked:
        other = tracked(other)
        quotient = self.value / other.value
        error = (self.error + abs(float(quotient)) * other.error) / abs(float(other.value))
        return Tracked(quotient, error) if is_power_of_two(other) else Tracked(quotient, error).rounded()

    def __rtruediv__(self, other: Any) -> Tracked:
        return tracked(other) / self

    __radd__ = __add__
    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return self.value == tracked(other).value

    def __lt__(self, other: Any) -> bool:
        return self.value < tracked(other).value

    def __gt__(self, other: Any) -> bool:
        return self.value > tracked(other).value

    __hash__ = None  # type: ignore[assignment]


def tracked(number: Any) -> Tracked:
    return number if isinstance(number, Tracked) else Tracked(number)


def is_zero(number: Tracked) -> bool:
    return number.value == 0 and number.error == 0.0


def is_power_of_two(number: Tracked) -> bool:
    return number.error == 0.0 and abs(math.frexp(float(number.value))[0]) == 0.5


def product_of(a: Tracked, b: Tracked) -> Tracked:
    """Not yet rounded."""
    return Tracked(a.value * b.value, abs(float(a.value)) * b.error + abs(float(b.value)) * a.error)


def fused(a: Any, b: Any, c: Any) -> Any:
    """jit.fma."""
    if c == trig.ROUNDER:  # a whole number: whichever comes out, it is exact
        return float(a.value * Decimal(b) + Decimal(c))
    product, c = product_of(tracked(a), tracked(b)), tracked(c)
    total = Tracked(product.value + c.value, product.error + c.error)
    return total if b in EXACT_PRODUCTS or is_zero(product) else total.rounded()


def power_of_two(biased: float) -> float:
    """jit.power_of_two."""
    return 2.0 ** (biased - trig.ROUNDER)


class Plain:
    """A module of pieces, each of them turned back into Python when asked for."""

    def __init__(self, module: types.ModuleType, replaced: dict[str, Any]) -> None:
        self.module, self.replaced = module, replaced

    def __getattr__(self, name: str) -> Any:
        found = self.replaced[name] if name in self.replaced else getattr(self.module, name)
        return plain(found, **self.replaced) if isinstance(found, Dispatcher) else found


def plain(piece: Any, **replaced: Any) -> Callable[..., Any]:
    """A piece as Python, with everything that it calls; `replaced` names what is something else in all of them."""
    replaced = {"fma": fused, "power_of_two": power_of_two} | replaced
    function = piece.py_func
    names = dict(function.__globals__)
    for name in function.__code__.co_names:
        found = replaced.get(name, names.get(name))
        if isinstance(found, Dispatcher):
            found = plain(found, **replaced)
        elif isinstance(found, types.ModuleType) and found.__name__.startswith("nanobragg_py.kernels."):
            found = Plain(found, replaced)
        if found is not None:
            names[name] = found
    return types.FunctionType(function.__code__, names, function.__name__, function.__defaults__)


def exact_sine_cosine(angle: Decimal) -> tuple[Decimal, Decimal]:
    """Taylor's series, for |angle| below 2."""
    sine, cosine, term = Decimal(0), Decimal(0), Decimal(1)
    for order in range(60):
        signed = -term if order & 2 else term
        if order & 1:
            sine += signed
        else:
            cosine += signed
        term = term * angle / (order + 1)
    return sine, cosine


def ulp_of_library(value: Decimal) -> float:
    """What the C library's function may be off: one unit in the last place of the true value."""
    return math.ulp(math.nextafter(abs(float(value)), 0.0))
