"""Arithmetic: sums, products, quotients, integer powers, rounding, extrema.

Integers behave as XLA's do: they wrap around, quotients truncate toward zero, and division
by zero gives -1 (all bits set) with the dividend as remainder, instead of an error.
"""

from __future__ import annotations

import enum
import operator
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray
from ...primitive import Primitive
from ..kit import (
    Array,
    ArrayLike,
    any_dtype,
    check_kind,
    elementwise,
    floating,
    in_double,
    integer,
    number,
    pair,
    real_dtype,
    real_number,
    widened,
)

__all__ = [
    "RoundingMethod", "abs", "abs_p", "add", "add_p", "ceil", "ceil_p", "div", "div_p", "floor",
    "floor_p", "integer_pow", "integer_pow_p", "max", "max_p", "min", "min_p", "mul", "mul_p",
    "mulhi", "mulhi_p", "neg", "neg_p", "nextafter", "nextafter_p", "reciprocal", "rem", "rem_p",
    "round", "round_p", "sign", "sign_p", "square", "square_p", "sub", "sub_p",
]  # fmt: skip


# Reference meanings that are not NumPy's own.


def _is_integer(x: np.ndarray) -> bool:
    return x.dtype.kind in "iu"


@widened
def _div(x: np.ndarray, y: np.ndarray) -> Any:
    if not _is_integer(x):
        return np.divide(x, y)
    divisor = np.where(y == 0, np.ones_like(y), y)
    quotient = x // divisor
    inexact = x - quotient * divisor != 0
    quotient += (inexact & ((x < 0) != (divisor < 0))).astype(x.dtype)
    return np.where(y == 0, np.invert(np.zeros_like(x)), quotient)


@widened
def _rem(x: np.ndarray, y: np.ndarray) -> Any:
    if not _is_integer(x):
        return np.fmod(x, y)
    return np.where(y == 0, x, np.fmod(x, np.where(y == 0, np.ones_like(y), y)))


@widened
def _max(x: np.ndarray, y: np.ndarray) -> Any:
    larger = np.maximum(x, y)
    # Of two zeros, NumPy may give either; the positive one is larger.
    return np.where((x == 0) & (y == 0), x + y, larger) if x.dtype.kind == "f" else larger


@widened
def _min(x: np.ndarray, y: np.ndarray) -> Any:
    smaller = np.minimum(x, y)
    return np.where((x == 0) & (y == 0), -(-x - y), smaller) if x.dtype.kind == "f" else smaller


@widened
def _sign(x: np.ndarray) -> Any:
    if x.dtype.kind == "c":
        large = np.maximum(np.abs(x.real), np.abs(x.imag)) > 1e30
        x = np.where(large & np.isfinite(x), x * 0.25, x)
        x = np.where(np.isnan(x), x.dtype.type(complex(np.nan, np.nan)), x)
    return np.where(x == 0, x, np.sign(x))  # of -0.0 it is -0.0


@widened
def _round(x: np.ndarray, *, rounding_method: RoundingMethod) -> Any:
    if rounding_method == RoundingMethod.TO_NEAREST_EVEN:
        return np.rint(x)
    whole = np.trunc(x)
    return whole + np.copysign(np.abs(x - whole) >= 0.5, x).astype(x.dtype)


def _integer_pow(x: np.ndarray, *, y: int) -> Any:
    if x.dtype.kind in "iu" or x.dtype in dtypes.NARROW_INTS:
        return _wrapping_power(x, y)
    return _rounded_power(x, y=y)


@widened
def _wrapping_power(x: np.ndarray, y: int) -> Any:
    result = np.ones_like(x)
    while y:
        if y & 1:
            result = result * x
        x = x * x
        y >>= 1
    return result


@in_double
def _rounded_power(x: np.ndarray, *, y: int) -> Any:
    if x.dtype.kind == "f":
        return np.power(x, float(y))
    power = _wrapping_power(x, operator.index(y) if y >= 0 else -y)
    return power if y >= 0 else 1 / power


def _mulhi(x: np.ndarray, y: np.ndarray) -> Any:
    wide = x.astype(object) * y.astype(object) >> dtypes.itemsize_bits(x.dtype)
    return np.asarray(wide, object).astype(np.int64 if _signed(x) else np.uint64).astype(x.dtype)


def _signed(x: np.ndarray) -> bool:
    return not x.dtype.name.startswith("u")


class RoundingMethod(enum.IntEnum):
    """Which of the two nearest integers `round` gives for a number halfway between them.

    >>> halves = np.float32([0.5, 1.5, 2.5])
    >>> round(halves, RoundingMethod.TO_NEAREST_EVEN)
    Array([0., 2., 2.], dtype=float32)
    >>> round(halves, RoundingMethod.AWAY_FROM_ZERO)
    Array([1., 2., 3.], dtype=float32)
    """

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


# The primitives.

add_p = elementwise("add", number, widened(np.add))
sub_p = elementwise("sub", number, widened(np.subtract))
mul_p = elementwise("mul", number, widened(np.multiply))
div_p = elementwise("div", number, _div)
rem_p = elementwise("rem", real_number, _rem)
max_p = elementwise("max", any_dtype, _max)
min_p = elementwise("min", any_dtype, _min)
neg_p = elementwise("neg", number, widened(np.negative))
sign_p = elementwise("sign", number, _sign)
abs_p = elementwise(
    "abs", ("signed", "floating", "complex"), widened(np.abs), result=real_dtype
)
square_p = elementwise("square", number, widened(np.square))
floor_p = elementwise("floor", floating, widened(np.floor))
ceil_p = elementwise("ceil", floating, widened(np.ceil))
# Params: rounding_method, a RoundingMethod.
round_p = elementwise("round", floating, _round)
nextafter_p = elementwise("nextafter", floating, np.nextafter)
mulhi_p = elementwise("mulhi", integer, _mulhi)


def _integer_pow_type(x: ShapedArray, *, y: int) -> ShapedArray:
    check_kind("integer_pow", x, number)
    if y < 0 and dtypes.issubdtype(x.dtype, np.integer):
        raise TypeError(
            f"Integers cannot be raised to negative powers, got integer_pow({x.str_short()}, {y}); "
            f"convert to a float dtype first, or give the exponent as a float"
        )
    return x


# Params: y, the exponent, a Python int.
integer_pow_p = Primitive("integer_pow", abstract=_integer_pow_type, reference=_integer_pow)


# The functions.


def add(x: ArrayLike, y: ArrayLike) -> Array:
    """The sum `x + y`, of numbers.

    Args:
        x, y: arrays of one numeric dtype and one shape; either may be a scalar.

    Returns:
        An array of the operands' dtype and shape.

    Raises:
        TypeError: the dtypes differ, or are not numeric.
        ShapeError: the shapes differ.

    >>> add(np.arange(3), 10)
    Array([10, 11, 12], dtype=int32)
    """
    x, y = pair("add", x, y)
    return add_p.bind(x, y)


def sub(x: ArrayLike, y: ArrayLike) -> Array:
    """The difference `x - y`. Operands and errors as for `add`.

    >>> sub(5.0, np.float32([1, 2]))
    Array([4., 3.], dtype=float32)
    """
    x, y = pair("sub", x, y)
    return sub_p.bind(x, y)


def mul(x: ArrayLike, y: ArrayLike, *, out_dtype: Any = None) -> Array:
    """The product `x * y`. Operands and errors as for `add`.

    Args:
        x, y: arrays of one numeric dtype and one shape; either may be a scalar.
        out_dtype: the dtype to compute in and to return; the operands' if left out.

    >>> mul(np.uint8([100, 200]), 3)
    Array([44, 88], dtype=uint8)
    >>> mul(np.uint8([100, 200]), np.uint8(3), out_dtype=np.int32)
    Array([300, 600], dtype=int32)
    """
    x, y = pair("mul", x, y)
    if out_dtype is not None:
        from .conversion import convert_element_type

        x, y = (convert_element_type(operand, out_dtype) for operand in (x, y))
    return mul_p.bind(x, y)


def div(x: ArrayLike, y: ArrayLike) -> Array:
    """The quotient `x / y`; of integers, truncated toward zero.

    Division by zero gives infinities or NaN among floats and -1 (all bits set) among
    integers. Operands and errors as for `add`.

    >>> div(np.array([7, -7, 7]), np.array([2, 2, 0]))
    Array([ 3, -3, -1], dtype=int32)
    """
    x, y = pair("div", x, y)
    return div_p.bind(x, y)


def rem(x: ArrayLike, y: ArrayLike) -> Array:
    """The remainder of `x / y`, with the sign of `x`, as C's `fmod`; real numbers only.

    The remainder by zero is NaN among floats and `x` among integers. Errors as for `add`.

    >>> rem(np.array([7, -7, 7]), np.array([2, 2, 0]))
    Array([ 1, -1,  7], dtype=int32)
    """
    x, y = pair("rem", x, y)
    return rem_p.bind(x, y)


def max(x: ArrayLike, y: ArrayLike) -> Array:
    """The larger of `x` and `y`, NaN where either is; complex numbers by real part first.

    Operands and errors as for `add`, and booleans may be given too.

    >>> max(np.float32([1, np.nan]), 2.0)
    Array([ 2., nan], dtype=float32)
    """
    x, y = pair("max", x, y)
    return max_p.bind(x, y)


def min(x: ArrayLike, y: ArrayLike) -> Array:
    """The smaller of `x` and `y`, NaN where either is; complex numbers by real part first.

    Operands and errors as for `add`, and booleans may be given too.

    >>> min(np.array([1, 5]), 3)
    Array([1, 3], dtype=int32)
    """
    x, y = pair("min", x, y)
    return min_p.bind(x, y)


def neg(x: ArrayLike) -> Array:
    """The negative `-x` of numbers; unsigned integers wrap around.

    Raises TypeError for booleans.

    >>> neg(np.array([1, -2]))
    Array([-1,  2], dtype=int32)
    """
    return neg_p.bind(x)


def sign(x: ArrayLike) -> Array:
    """-1, 0 or 1 with the sign of `x`; `x / abs(x)` of complex numbers; NaN of NaN.

    The sign of a zero is that zero. Raises TypeError for booleans.

    >>> sign(np.float32([-3, 0, 0.5]))
    Array([-1.,  0.,  1.], dtype=float32)
    """
    return sign_p.bind(x)


def abs(x: ArrayLike) -> Array:
    """The absolute value of signed integers, floats or complex numbers (then real).

    The smallest integer has none and stays as it is. Raises TypeError for unsigned
    integers and booleans.

    >>> abs(np.complex64([3 + 4j]))
    Array([5.], dtype=float32)
    """
    return abs_p.bind(x)


def square(x: ArrayLike) -> Array:
    """The product of `x`, a number, with itself.

    >>> square(np.array([2, -3]))
    Array([4, 9], dtype=int32)
    """
    return square_p.bind(x)


def reciprocal(x: ArrayLike) -> Array:
    """The inverse `1 / x` of floats or complex numbers. Raises TypeError for integers.

    >>> reciprocal(np.float32([2, 4]))
    Array([0.5 , 0.25], dtype=float32)
    """
    return integer_pow(x, -1)


def integer_pow(x: ArrayLike, y: int) -> Array:
    """`x` to the power of a fixed integer.

    Args:
        x: numbers.
        y: the exponent, an integer known now; negative ones for floats and complex only.

    Raises:
        TypeError: `y` is not an integer, or is negative while `x` holds integers.

    >>> integer_pow(np.array([1, 2, 3]), 3)
    Array([ 1,  8, 27], dtype=int32)
    """
    return integer_pow_p.bind(x, y=operator.index(y))


def floor(x: ArrayLike) -> Array:
    """The largest whole number not above `x`, a float.

    >>> floor(np.float32([1.5, -1.5]))
    Array([ 1., -2.], dtype=float32)
    """
    return floor_p.bind(x)


def ceil(x: ArrayLike) -> Array:
    """The smallest whole number not below `x`, a float.

    >>> ceil(np.float32([1.5, -1.5]))
    Array([ 2., -1.], dtype=float32)
    """
    return ceil_p.bind(x)


def round(
    x: ArrayLike, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO
) -> Array:
    """The whole number nearest to `x`, a float.

    Args:
        x: floats.
        rounding_method: which one of two that are equally near.

    Raises:
        ValueError: `rounding_method` is not a RoundingMethod.

    >>> round(np.float32([0.5, 1.5, 2.5]))
    Array([1., 2., 3.], dtype=float32)
    >>> round(np.float32([0.5, 1.5, 2.5]), RoundingMethod.TO_NEAREST_EVEN)
    Array([0., 2., 2.], dtype=float32)
    """
    return round_p.bind(x, rounding_method=RoundingMethod(rounding_method))


def nextafter(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The float next to `x1` in the direction of `x2`. Operands and errors as for `add`.

    >>> nextafter(np.float32(1), np.float32(2))
    Array(1.0000001, dtype=float32)
    """
    x1, x2 = pair("nextafter", x1, x2)
    return nextafter_p.bind(x1, x2)


def mulhi(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The upper half of the bits of the double-width product of two integers.

    >>> mulhi(np.int32([2**30]), 8)
    Array([2], dtype=int32)
    """
    x, y = pair("mulhi", x, y)
    return mulhi_p.bind(x, y)
