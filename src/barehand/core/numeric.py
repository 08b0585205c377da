"""Scalar mathematics that the compiler can vectorise inside a kernel's loop.

`math.exp` in a Numba loop is a call a number: PyPI's LLVM comes without a vector mathematics library. These are plain
arithmetic instead, so that a loop over them becomes eight (or sixteen) numbers at a time. `tools/fit_polynomials.py`
computes the coefficients; the tests hold each function to 2 units in the last place against 40-digit arithmetic.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

# The rounding trick in exp adds and subtracts a large constant; reassociation would delete it.
_EXACT: Any = {"fastmath": {"contract"}, "error_model": "numpy"}


def _bit_cast(source: Any, target: Any, llvm_type: ir.Type) -> Any:
    """The same bits read as another type of the same width; NumPy's `.view` does not work on a scalar here."""

    @intrinsic
    def cast(typing_context, x):
        if x != source:
            return None
        return target(source), lambda context, builder, signature, args: builder.bitcast(args[0], llvm_type)

    return cast


float_bits = _bit_cast(types.float32, types.int32, ir.IntType(32))
bits_float = _bit_cast(types.int32, types.float32, ir.FloatType())
double_bits = _bit_cast(types.float64, types.int64, ir.IntType(64))
bits_double = _bit_cast(types.int64, types.float64, ir.DoubleType())


@intrinsic
def maximum(typing_context, a, b):
    """The larger of two floats, nan if either is: `llvm.maximum`, which vectorises and keeps nan."""
    if a != b or a not in (types.float32, types.float64):
        return None
    llvm_type, suffix = (ir.FloatType(), "f32") if a == types.float32 else (ir.DoubleType(), "f64")

    def generate(context, builder, signature, args):
        function_type = ir.FunctionType(llvm_type, [llvm_type, llvm_type])
        function = cgutils.get_or_insert_function(builder.module, function_type, f"llvm.maximum.{suffix}")
        return builder.call(function, args)

    return a(a, a), generate


@numba.njit(error_model="numpy", fastmath={"contract"})
def minus_in_turn(a, b, c):
    """(a - b) - c in this order: a kernel's flags would make it a - (b + c), where a large b rounds c away."""
    return (a - b) - c


def exp_nonpositive(x: float) -> float:
    """e^x for x <= 0; nan stays nan; below the smallest normal number the result is 0."""
    raise TypeError("only for use inside a kernel")


def log1p_unit(u: float) -> float:
    """log(1 + u) for 0 <= u <= 1, with full relative accuracy near 0."""
    raise TypeError("only for use inside a kernel")


def log_unit(q: float) -> float:
    """log(q) for normal q with 0 < q <= 1; -inf for q = 0 or subnormal."""
    raise TypeError("only for use inside a kernel")


# Cody and Waite: x = k ln 2 + r, with ln 2 in two parts so that k times the first is exact;
# e^x = 2^k (1 + r + r² P(r)).
_F = np.float32
_LOG2E, _MAGIC, _LN2_HIGH, _LN2_LOW = _F(1.4426950408889634), _F(1.5 * 2**23), _F(0.693359375), _F(-2.12194440e-4)
_TINY, _LOWEST = _F(1.17549435e-38), _F(-87.336544)  # the smallest normal number and its log
_E0, _E1, _E2, _E3, _E4 = (
    _F(c) for c in (0.5, 0.16666577756404877, 0.041666556149721146, 0.008363173343241215, 0.0013926175888627768)
)
_A0, _A1, _A2, _A3 = (
    _F(c) for c in (0.33333319425582886, 0.20003780722618103, 0.14118309319019318, 0.1342574954032898)
)
_ZERO, _ONE, _TWO, _HALF = _F(0), _F(1), _F(2), _F(0.5)
_SQRT_HALF_BITS = np.int32(0x3F3504F3)

_LOG2E_D, _MAGIC_D = 1.4426950408889634, 1.5 * 2.0**52
_LN2_HIGH_D, _LN2_LOW_D = float.fromhex("0x1.62e42fee00000p-1"), float.fromhex("0x1.a39ef35793c76p-33")
_TINY_D, _LOWEST_D = 2.2250738585072014e-308, -708.3964185322641
_D0, _D1, _D2, _D3, _D4, _D5, _D6, _D7, _D8, _D9 = (
    0.5000000000000001,
    0.16666666666666669,
    0.041666666666624164,
    0.008333333333330065,
    0.0013888888917196719,
    0.00019841269863040545,
    2.4801521322368692e-05,
    2.7557268480310024e-06,
    2.7620075879983367e-07,
    2.5100375832561234e-08,
)
_B0, _B1, _B2, _B3, _B4, _B5, _B6, _B7, _B8, _B9 = (
    0.3333333333333333,
    0.20000000000007292,
    0.1428571428355438,
    0.11111111358713932,
    0.09090894718066429,
    0.07692785032479312,
    0.06657072104827468,
    0.06000536404795356,
    0.04400369243072337,
    0.08082022805971766,
)
_SQRT_HALF_BITS_D = np.int64(0x3FE6A09E667F3BCD)


@overload(exp_nonpositive, jit_options=_EXACT)
def _exp_nonpositive(x):
    def single(x):
        clamped = _LOWEST if x < _LOWEST else x  # in this order nan passes through
        shifted = clamped * _LOG2E + _MAGIC
        k = shifted - _MAGIC
        r = (clamped - k * _LN2_HIGH) - k * _LN2_LOW
        p = (((_E4 * r + _E3) * r + _E2) * r + _E1) * r + _E0
        power = bits_float(np.int32((float_bits(shifted) << np.int32(23)) + np.int32(0x3F800000)))
        return _ZERO if x < _LOWEST else (p * (r * r) + r + _ONE) * power

    def double(x):
        clamped = _LOWEST_D if x < _LOWEST_D else x
        shifted = clamped * _LOG2E_D + _MAGIC_D
        k = shifted - _MAGIC_D
        r = (clamped - k * _LN2_HIGH_D) - k * _LN2_LOW_D
        r2 = r * r
        r4 = r2 * r2
        p = ((_D9 * r + _D8) * r4 + ((_D7 * r + _D6) * r2 + (_D5 * r + _D4))) * r4 + (
            (_D3 * r + _D2) * r2 + (_D1 * r + _D0)
        )
        power = bits_double(np.int64((double_bits(shifted) << 52) + 0x3FF0000000000000))
        return 0.0 if x < _LOWEST_D else (p * r2 + r + 1.0) * power

    return {types.float32: single, types.float64: double}.get(x)


@overload(log1p_unit, jit_options=_EXACT)
def _log1p_unit(u):
    # log(1 + u) = 2 atanh(s) with s = u / (2 + u), and atanh(s) = s + s z Q(z) with z = s².
    def single(u):
        s = u / (_TWO + u)
        z = s * s
        return _TWO * (s + s * z * (((_A3 * z + _A2) * z + _A1) * z + _A0))

    def double(u):
        s = u / (2.0 + u)
        z = s * s
        z2 = z * z
        z4 = z2 * z2
        q = ((_B9 * z + _B8) * z4 + ((_B7 * z + _B6) * z2 + (_B5 * z + _B4))) * z4 + (
            (_B3 * z + _B2) * z2 + (_B1 * z + _B0)
        )
        return 2.0 * (s + s * z * q)

    return {types.float32: single, types.float64: double}.get(u)


@overload(log_unit, jit_options=_EXACT)
def _log_unit(q):
    # q = 2^k m with m in [sqrt(1/2), sqrt(2)): log q = k ln 2 + 2 atanh((m - 1) / (m + 1)).
    def single(q):
        offset = np.int32(float_bits(q) - _SQRT_HALF_BITS)
        k = _F(offset >> np.int32(23))
        m = bits_float(np.int32(np.int32(offset & np.int32(0x7FFFFF)) + _SQRT_HALF_BITS))
        s = (m - _ONE) / (m + _ONE)
        z = s * s
        tail = _TWO * (s * z * (((_A3 * z + _A2) * z + _A1) * z + _A0)) + k * _LN2_LOW
        return k * _LN2_HIGH + (_TWO * s + tail) if q >= _TINY else (_F(-np.inf) if q < _TINY else q)

    def double(q):
        offset = double_bits(q) - _SQRT_HALF_BITS_D
        k = float(offset >> 52)
        m = bits_double(np.int64((offset & np.int64(0xFFFFFFFFFFFFF)) + _SQRT_HALF_BITS_D))
        s = (m - 1.0) / (m + 1.0)
        z = s * s
        z2 = z * z
        z4 = z2 * z2
        p = ((_B9 * z + _B8) * z4 + ((_B7 * z + _B6) * z2 + (_B5 * z + _B4))) * z4 + (
            (_B3 * z + _B2) * z2 + (_B1 * z + _B0)
        )
        tail = 2.0 * (s * z * p) + k * _LN2_LOW_D
        return k * _LN2_HIGH_D + (2.0 * s + tail) if q >= _TINY_D else (-np.inf if q < _TINY_D else q)

    return {types.float32: single, types.float64: double}.get(q)
