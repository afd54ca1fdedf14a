"""Floating-point numbers taken apart and put together: signs, exponents, neighbours."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax
from jx_core.operators import (
    add,
    bitwise_and,
    equal,
    greater,
    left_shift,
    less,
    right_shift,
    subtract,
)
from jx_core.ops.elementwise import convert

from ..functions import plain
from ..operands import (
    Array,
    ArrayLike,
    as_operand,
    as_weak_as,
    broadcast_all,
    inexact,
    is_complex,
    is_floating,
    is_integer,
    pair_inexact,
    promote_shapes,
    refuse_out,
    strong,
    to_dtype,
    typeof,
)
from .making import binary

__all__ = [
    "copysign", "frexp", "heaviside", "isfinite", "isinf", "isnan", "isneginf", "isposinf",
    "ldexp", "nextafter", "signbit", "spacing",
]  # fmt: skip


def _everywhere(x: Any, value: bool) -> Array:
    return lax.full(typeof(x).shape, value, np.dtype(np.bool_))


@compiled
def isfinite(x: ArrayLike, /) -> Array:
    """Whether each element is neither infinite nor NaN.

    Args:
        x: an array or number.

    Returns:
        An array of booleans.

    >>> jnp.isfinite(jnp.array([1.0, jnp.inf, jnp.nan]))
    Array([ True, False, False], dtype=bool)
    """
    x = as_operand("isfinite", x)
    dtype = typeof(x).dtype
    if is_floating(dtype):
        return lax.is_finite(x)
    if is_complex(dtype):
        return lax.bitwise_and(lax.is_finite(lax.real(x)), lax.is_finite(lax.imag(x)))
    return _everywhere(x, True)


@compiled
def isinf(x: ArrayLike, /) -> Array:
    """Whether each element is infinite.

    Args:
        x: an array or number.

    Returns:
        An array of booleans.

    >>> jnp.isinf(jnp.array([1.0, -jnp.inf, jnp.nan]))
    Array([False,  True, False], dtype=bool)
    """
    x = as_operand("isinf", x)
    dtype = typeof(x).dtype
    if is_floating(dtype):
        return strong(equal(lax.abs(x), math.inf))
    if is_complex(dtype):
        return lax.bitwise_or(plain(isinf)(lax.real(x)), plain(isinf)(lax.imag(x)))
    return _everywhere(x, False)


@compiled
def isnan(x: ArrayLike, /) -> Array:
    """Whether each element is NaN, which is not equal to itself.

    Args:
        x: an array or number.

    Returns:
        An array of booleans.

    >>> jnp.isnan(jnp.array([1.0, jnp.inf, jnp.nan]))
    Array([False, False,  True], dtype=bool)
    """
    x = as_operand("isnan", x)
    return lax.ne(x, x)


def _is_infinity(name: str, x: ArrayLike, value: float) -> Array:
    x = as_operand(name, x)
    dtype = typeof(x).dtype
    if is_complex(dtype):
        raise ValueError(f"jnp.{name} is not well defined for complex numbers, got {dtype.name}")
    return strong(equal(x, value)) if is_floating(dtype) else _everywhere(x, False)


@compiled
def isposinf(x: ArrayLike, /, out: None = None) -> Array:
    """Whether each element is positive infinity.

    Args:
        x: a real array or number.
        out: must be None.

    Raises:
        ValueError: `x` is complex.

    >>> jnp.isposinf(jnp.array([jnp.inf, -jnp.inf]))
    Array([ True, False], dtype=bool)
    """
    refuse_out("isposinf", out)
    return _is_infinity("isposinf", x, math.inf)


@compiled
def isneginf(x: ArrayLike, /, out: None = None) -> Array:
    """Whether each element is negative infinity.

    Args:
        x: a real array or number.
        out: must be None.

    Raises:
        ValueError: `x` is complex.

    >>> jnp.isneginf(jnp.array([jnp.inf, -jnp.inf]))
    Array([False,  True], dtype=bool)
    """
    refuse_out("isneginf", out)
    return _is_infinity("isneginf", x, -math.inf)


@compiled
def signbit(x: ArrayLike, /) -> Array:
    """Whether the sign bit of each element is set, as it is for -0.0.

    Args:
        x: a real array or number.

    Raises:
        ValueError: `x` is complex.

    >>> jnp.signbit(jnp.array([1.0, -0.0, -2.0]))
    Array([False,  True,  True], dtype=bool)
    """
    x = as_operand("signbit", x)
    dtype = typeof(x).dtype
    if is_complex(dtype):
        raise ValueError(f"jnp.signbit is not well defined for complex numbers, got {dtype.name}")
    if is_floating(dtype):
        bits = lax.bitcast_convert_type(x, _integer_like(dtype))
        return strong(less(bits, 0))
    if dtypes.issubdtype(dtype, np.signedinteger):
        return strong(less(x, 0))
    return _everywhere(x, False)


def _integer_like(dtype: Any) -> Any:
    """The signed integer dtype with as many bits as a float one."""
    return np.dtype(f"int{dtypes.itemsize_bits(dtype)}")


@compiled
def copysign(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The magnitude of `x1` with the sign of `x2`.

    Args:
        x1, x2: real arrays or numbers; dtypes are promoted to floats and shapes broadcast.

    Raises:
        TypeError: an operand is complex.
        ShapeError: the shapes don't broadcast.

    >>> jnp.copysign(jnp.array([1.0, 2.0]), -0.0)
    Array([-1., -2.], dtype=float32)
    """
    x1, x2, dtype = pair_inexact("copysign", x1, x2)
    if is_complex(dtype):
        raise TypeError("jnp.copysign does not support complex numbers")
    weak = typeof(x1).weak_type and typeof(x2).weak_type
    magnitude, sign = broadcast_all("copysign", convert(lax.abs(x1), dtype, weak), x2)
    return lax.select(plain(signbit)(sign), lax.neg(magnitude), magnitude)


nextafter = binary(
    "nextafter", lax.nextafter, "The next floating-point number after `x1` towards `x2`.",
    "1.0, jnp.array([1.0, 2.0])", "Array([1.       , 1.0000001], dtype=float32)", as_inexact=True,
)  # fmt: skip


@compiled
def spacing(x: ArrayLike, /) -> Array:
    """The distance from each element to its neighbour away from zero, with its sign.

    Args:
        x: a real array or number; integers and booleans become floats.

    Raises:
        ValueError: `x` is complex.

    >>> jnp.spacing(jnp.array([1.0, -1.0]))
    Array([ 1.1920929e-07, -1.1920929e-07], dtype=float32)
    """
    x = inexact("spacing", x)
    x = convert(x, typeof(x).dtype)
    if is_complex(typeof(x).dtype):
        raise ValueError("jnp.spacing is not defined for complex numbers")
    return plain(copysign)(_gap(x), x)


def _gap(x: Any) -> Any:
    """The distance from each element to the next one that is greater in magnitude.

    It is a power of 2, found by the bits of the exponent: a difference would be flushed to 0
    where it is subnormal.
    """
    dtype = typeof(x).dtype
    digits = int(dtypes.finfo(dtype).nmant)
    bits = lax.bitcast_convert_type(lax.abs(x), _integer_like(dtype))
    exponent = right_shift(bits, digits)
    normal = left_shift(subtract(exponent, digits), digits)
    subnormal = left_shift(lax.full_like(bits, 1), lax.max(subtract(exponent, 1), 0))
    gap = lax.select(greater(exponent, digits), normal, subnormal)
    gap = lax.bitcast_convert_type(gap, dtype)
    greatest = equal(lax.abs(x), float(dtypes.finfo(dtype).max))  # infinity comes after it
    gap = lax.select(greatest, lax.full_like(x, math.inf), gap)
    return lax.select(lax.is_finite(x), gap, lax.full_like(x, math.nan))


@compiled
def heaviside(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The step function: 0 below zero, 1 above, and `x2` at zero.

    Args:
        x1: a real array or number.
        x2: the value at zero; dtypes are promoted to floats and shapes broadcast.

    Raises:
        TypeError: an operand is complex.
        ShapeError: the shapes don't broadcast.

    >>> jnp.heaviside(jnp.array([-1.0, 0.0, 1.0]), 0.5)
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    x, at_zero, dtype = pair_inexact("heaviside", x1, x2)
    if is_complex(dtype):
        raise TypeError("jnp.heaviside does not support complex numbers")
    x, at_zero = broadcast_all("heaviside", x, at_zero)
    step = convert(greater(x, 0.0), dtype, typeof(x).weak_type)
    step = lax.select(lax.ne(x, x), x, step)
    return as_weak_as(lax.select(equal(x, 0.0), at_zero, step), x1)


@compiled
def ldexp(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """`x1 * 2**x2`, with as large an exponent as the dtype has.

    Args:
        x1: a real array or number; integers and booleans become floats.
        x2: an array of integers.

    Raises:
        ValueError: `x1` is complex or `x2` is not of integers.
        ShapeError: the shapes don't broadcast.

    >>> jnp.ldexp(jnp.array([1.0, 3.0]), jnp.array([2, -1]))
    Array([4. , 1.5], dtype=float32)
    """
    x1, x2 = as_operand("ldexp", x1), as_operand("ldexp", x2, 1)
    if is_complex(typeof(x1).dtype) or not (
        is_integer(typeof(x2).dtype) or typeof(x2).dtype == np.bool_
    ):
        raise ValueError(
            f"jnp.ldexp takes real numbers and integer exponents, got dtypes "
            f"{typeof(x1).dtype.name} and {typeof(x2).dtype.name}"
        )
    x = inexact("ldexp", x1)
    dtype = typeof(x).dtype
    x, exponent = promote_shapes("ldexp", x, to_dtype(x2, np.dtype(np.int32)))
    # In three factors, each of which the dtype can hold, so that nothing overflows on the
    # way to a result that it can hold as well.
    largest = int(dtypes.finfo(dtype).maxexp) - 1
    for _ in range(3):
        part = lax.clamp(np.int32(1 - largest), exponent, np.int32(largest))
        exponent = lax.sub(exponent, part)
        x = lax.mul(x, _power_of_two(part, dtype))
    return x


def _power_of_two(n: Array, dtype: Any) -> Array:
    """2**n exactly, for an exponent that normal numbers have: as an exponent field."""
    info = dtypes.finfo(dtype)
    field = to_dtype(add(n, int(info.maxexp) - 1), _integer_like(dtype))
    return lax.bitcast_convert_type(left_shift(field, int(info.nmant)), dtype)


@compiled
def frexp(x: ArrayLike, /) -> tuple[Array, Array]:
    """Each element as a mantissa in [0.5, 1) and a power of two: `x == m * 2**e`.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        The mantissas, with the sign of `x`, and the exponents (int32). Zero, infinities and
        NaN come back as they are, with exponent 0.

    Raises:
        TypeError: `x` is complex.

    >>> jnp.frexp(jnp.array([8.0, -3.0]))
    (Array([ 0.5 , -0.75], dtype=float32), Array([4, 2], dtype=int32))
    """
    x = inexact("frexp", x)
    dtype = typeof(x).dtype
    if is_complex(dtype):
        raise TypeError("jnp.frexp does not support complex numbers")
    x = to_dtype(x, dtype)
    info = dtypes.finfo(dtype)
    int32, bias = np.dtype(np.int32), int(info.maxexp) - 1
    exponent, magnitude = _fields(x, info)
    # A subnormal number is its bits, as an integer, times the least power of two. (Processors
    # that take subnormal numbers for zero still see their bits.)
    tiny = bitwise_and(equal(exponent, 0), greater(magnitude, 0))
    whole = convert(magnitude, dtype)
    scaled = lax.select(tiny, lax.select(plain(signbit)(x), lax.neg(whole), whole), x)
    exponent = subtract(to_dtype(_fields(scaled, info)[0], int32), bias - 1)
    special = lax.bitwise_or(lax.bitwise_not(lax.is_finite(x)), equal(magnitude, 0))
    exponent = lax.select(special, np.int32(0), exponent)
    mantissa = plain(ldexp)(scaled, lax.neg(exponent))
    least = bias - 1 + int(info.nmant)
    return mantissa, lax.select(tiny, subtract(exponent, least), exponent)


def _fields(x: Array, info: Any) -> tuple[Array, Array]:
    """The exponent field of floats, and all bits but the sign's, as integers."""
    bits = lax.bitcast_convert_type(x, _integer_like(typeof(x).dtype))
    magnitude = bitwise_and(bits, (1 << (int(info.nmant) + int(info.nexp))) - 1)
    return right_shift(magnitude, int(info.nmant)), magnitude
