"""Sine, cosine and exponential that LLVM can turn into SIMD, with stated error bounds.

The C library's functions are correctly rounded to within one unit in the last place but are scalar calls.
These are a little less accurate and several times faster. The image never depends on the difference: the
bounds below decide which pixels are computed again with the C library's functions (see blocks.py).

Polynomials: minimax in the relative (sine, exp) or absolute (cosine) sense on the reduced interval, found
with the Remez exchange algorithm in 50-digit arithmetic. Range reduction: Cody and Waite's, with pi in three
parts and fused multiply-adds, so that the reduced argument keeps its relative accuracy even next to a
multiple of pi (the first product is exact, the others round once).
"""

from __future__ import annotations

from ..jit import fma, inlined, power_of_two

PI_1 = 3.141592653589793
PI_2 = 1.2246467991473532e-16
PI_3 = -2.9947698097183397e-33
ONE_OVER_PI = 0.3183098861837907
# Largest differences from the C library's functions, which may be off by one unit in the last place themselves (two
# roundings of 1.1e-16 each at most). tests/kernels/test_error_bounds.py derives them.
# Relative, for |x| to 1e10: 6.3e-14 from the polynomial, 1e-15 from nine roundings: two in the reduction, five in
# polynomial and product, two for the C library.
QUICK_SINE_ERROR = 6.5e-14
# Absolute, for `fine_sine_cosine`, near pi/2: 2.2e-16 from the sine's polynomial and its rounded coefficients, eight
# roundings here, and one for the C library.
FINE_SINE_ERROR = 1.2e-15
# Relative, for `quick_exp`: 3.0e-16 from the polynomial and its rounded coefficients, two roundings here, and two for
# the C library. The reduction is exact but for one.
QUICK_EXP_ERROR = 7.5e-16
ROUNDER = 1.5 * 2.0**52
LOG2_E = 1.4426950408889634
LN2_1 = 0.6931471805599453
LN2_2 = 2.3190468138462996e-17


@inlined
def reduce_by_pi(x, turns):
    """x - turns*pi for an integral `turns`, |x - turns*pi| < 2."""
    r = fma(-turns, PI_1, x)
    r = fma(-turns, PI_2, r)
    return fma(-turns, PI_3, r)


@inlined
def quick_sine(r):
    """sin(r) for |r| <= pi/2, relative error QUICK_SINE_ERROR."""
    z = r * r
    p = fma(1.5401039113763458e-10, z, -2.5029509777468608e-08)
    p = fma(p, z, 2.755693169165756e-06)
    p = fma(p, z, -0.00019841266408836448)
    p = fma(p, z, 0.008333333318750663)
    p = fma(p, z, -0.16666666666432042)
    p = fma(p, z, 0.9999999999999375)
    return p * r


@inlined
def fine_sine_cosine(r):
    """(sin(r), cos(r)) for |r| <= pi/2, absolute error FINE_SINE_ERROR."""
    z = r * r
    s = fma(-7.370607605602532e-13, z, 1.6047840131756299e-10)
    s = fma(s, z, -2.5051870739688756e-08)
    s = fma(s, z, 2.755731641902281e-06)
    s = fma(s, z, -0.00019841269823204182)
    s = fma(s, z, 0.008333333333275851)
    s = fma(s, z, -0.16666666666665964)
    s = fma(s, z, 0.9999999999999999)
    c = fma(4.6089738656047064e-14, z, -1.1462901798935993e-11)
    c = fma(c, z, 2.087656184410564e-09)
    c = fma(c, z, -2.75573163912861e-07)
    c = fma(c, z, 2.480158727741994e-05)
    c = fma(c, z, -0.0013888888888773034)
    c = fma(c, z, 0.04166666666666388)
    c = fma(c, z, -0.4999999999999997)
    c = fma(c, z, 1.0)
    return s * r, c


@inlined
def quick_exp(x):
    """exp(x) for x <= 0, relative error QUICK_EXP_ERROR; 0 below -700, where exp's square is 0 anyway."""
    y = max(x, -700.0)
    # Added to it and taken off again, ROUNDER rounds to a whole number, and leaves that in the lowest bits.
    biased = fma(y, LOG2_E, ROUNDER)
    turns = biased - ROUNDER
    r = fma(-turns, LN2_1, y)
    r = fma(-turns, LN2_2, r)
    p = fma(2.7488428286629173e-07, r, 2.7639784717913393e-06)
    p = fma(p, r, 2.4801917824123034e-05)
    p = fma(p, r, 0.00019841171344933242)
    p = fma(p, r, 0.0013888888498900594)
    p = fma(p, r, 0.008333333384696495)
    p = fma(p, r, 0.041666666668427436)
    p = fma(p, r, 0.16666666666557656)
    p = fma(p, r, 0.49999999999997286)
    p = fma(p, r, 1.0000000000000064)
    p = fma(p, r, 1.0)
    value = p * power_of_two(biased)
    return value if x > -700.0 else 0.0
