"""Rounding to whole numbers or decimals, clipping to a range, replacing what is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax
from jx_core.operators import divide, equal, floor_divide, less, multiply
from jx_core.ops.elementwise import convert

from ..functions import array_function, plain
from ..operands import (
    Array,
    ArrayLike,
    as_operand,
    inexact,
    is_complex,
    is_floating,
    promote,
    promote_shapes,
    refuse_out,
    to_dtype,
    to_inexact,
    typeof,
)

__all__ = ["around", "ceil", "clip", "floor", "modf", "nan_to_num", "rint", "round", "trunc"]

_HALF_TO_EVEN = lax.RoundingMethod.TO_NEAREST_EVEN


def _whole_already(x: Any) -> bool:
    """Whether elements are whole numbers by their dtype."""
    dtype = typeof(x).dtype
    return not (is_floating(dtype) or is_complex(dtype))


@compiled
def floor(x: ArrayLike, /) -> Array:
    """The greatest whole number not above each element.

    Args:
        x: a real array or number; integers come back as they are.

    Raises:
        TypeError: `x` is complex, or no array.

    >>> jnp.floor(jnp.array([-1.5, 1.5]))
    Array([-2.,  1.], dtype=float32)
    """
    x = as_operand("floor", x)
    return x if _whole_already(x) else lax.floor(x)


@compiled
def ceil(x: ArrayLike, /) -> Array:
    """The least whole number not below each element.

    Args:
        x: a real array or number; integers come back as they are.

    Raises:
        TypeError: `x` is complex, or no array.

    >>> jnp.ceil(jnp.array([-1.5, 1.5]))
    Array([-1.,  2.], dtype=float32)
    """
    x = as_operand("ceil", x)
    return x if _whole_already(x) else lax.ceil(x)


@compiled
def trunc(x: ArrayLike) -> Array:
    """Each element without its fraction: rounded towards zero.

    Args:
        x: a real array or number; integers come back as they are.

    Raises:
        TypeError: `x` is complex, or no array.

    >>> jnp.trunc(jnp.array([-1.5, 1.5]))
    Array([-1.,  1.], dtype=float32)
    """
    x = as_operand("trunc", x)
    if _whole_already(x):
        return x
    return lax.select(less(x, 0), lax.ceil(x), lax.floor(x))


@compiled
def rint(x: ArrayLike, /) -> Array:
    """Each element rounded to the nearest whole number, halves to the even one.

    Args:
        x: an array or number; integers and booleans become floats.

    Raises:
        TypeError: `x` is no array.

    >>> jnp.rint(jnp.array([0.5, 1.5, 2.6]))
    Array([0., 2., 3.], dtype=float32)
    """
    x = as_operand("rint", x)
    if _whole_already(x):
        return convert(x, to_inexact(typeof(x).dtype))
    return _round_parts(x)


def _round_parts(x: Any) -> Array:
    if is_complex(typeof(x).dtype):
        return lax.complex(_round_parts(lax.real(x)), _round_parts(lax.imag(x)))
    return lax.round(x, _HALF_TO_EVEN)


def _rounded_integers(a: Array, unit: int) -> Array:
    """Integers rounded to multiples of `unit`, halves to the even one."""
    dtype = typeof(a).dtype
    if unit > dtypes.iinfo(dtype).max:
        return lax.full_like(a, 0)
    step = lax.full_like(a, unit)
    down = floor_divide(a, step)
    rest = lax.sub(a, lax.mul(down, step))
    half = lax.full_like(a, unit // 2)  # the unit is even
    odd = lax.eq(lax.bitwise_and(down, lax.full_like(a, 1)), lax.full_like(a, 1))
    up = lax.bitwise_or(lax.gt(rest, half), lax.bitwise_and(lax.eq(rest, half), odd))
    return lax.mul(lax.add(down, convert(up, dtype)), step)


@array_function("decimals")
def round(a: ArrayLike, decimals: int = 0, out: None = None) -> Array:
    """Each element rounded to a number of decimals, halves to the even one.

    Args:
        a: an array or number; integers stay integers.
        decimals: how many; negative ones round to tens, hundreds and so on.
        out: must be None.

    Raises:
        TypeError: `a` is boolean or no array.

    >>> jnp.round(jnp.array([1.2345, 2.5]), 2)
    Array([1.23, 2.5 ], dtype=float32)
    """
    refuse_out("round", out)
    a = as_operand("round", a)
    dtype = typeof(a).dtype
    if dtype == np.bool_:
        raise TypeError("jnp.round takes numbers, got an array of booleans")
    if _whole_already(a):
        return a if decimals >= 0 else _rounded_integers(a, 10 ** (-decimals))
    if decimals == 0:
        return _round_parts(a)
    # float16 has no room for 10**decimals beside its digits.
    x = to_dtype(a, np.dtype(np.float32)) if dtype.itemsize < 4 else a
    scale = 10.0 ** abs(decimals)
    if decimals > 0:
        x = divide(_round_parts(multiply(x, scale)), scale)
    else:
        x = multiply(_round_parts(divide(x, scale)), scale)
    return to_dtype(x, dtype)


def around(a: ArrayLike, decimals: int = 0, out: None = None) -> Array:
    """The same as `round`.

    >>> jnp.around(jnp.array([1.2345, 2.5]), 2)
    Array([1.23, 2.5 ], dtype=float32)
    """
    return round(a, decimals, out)


@compiled
def modf(x: ArrayLike, /, out: None = None) -> tuple[Array, Array]:
    """The fraction and the whole part of each element, both with its sign.

    Args:
        x: a real array or number; integers and booleans become floats.
        out: must be None.

    Raises:
        TypeError: `x` is complex, or no array.

    >>> jnp.modf(jnp.array([1.5, -2.25]))
    (Array([ 0.5 , -0.25], dtype=float32), Array([ 1., -2.], dtype=float32))
    """
    refuse_out("modf", out)
    x = inexact("modf", x)
    if is_complex(typeof(x).dtype):
        raise TypeError("jnp.modf takes real numbers, got complex ones")
    whole = plain(trunc)(x)
    # An infinity is whole: nothing is left, where the difference would be NaN.
    endless = lax.eq(lax.abs(x), lax.full_like(x, np.inf))
    nothing = lax.full_like(x, 0)
    rest = lax.sub(*(lax.select(endless, nothing, part) for part in (x, whole)))
    return rest, whole


@compiled
def clip(
    arr: ArrayLike | None = None,
    /,
    min: ArrayLike | None = None,
    max: ArrayLike | None = None,
) -> Array:
    """Each element limited to a range.

    Args:
        arr: a real array or number.
        min, max: the bounds, or None for no bound; they promote and broadcast with `arr`.
            Where `min` is above `max`, the result is `max`.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: `arr` is missing, or an argument no array.
        ValueError: an argument is complex.

    >>> jnp.clip(jnp.arange(5), 1, 3)
    Array([1, 1, 2, 3, 3], dtype=int32)
    """
    if arr is None:
        raise TypeError("jnp.clip takes an array as its first argument, got None")
    bounds = [as_operand("clip", b, i) for i, b in ((1, min), (2, max)) if b is not None]
    arr = as_operand("clip", arr)
    if any(is_complex(typeof(x).dtype) for x in (arr, *bounds)):
        raise ValueError(
            "jnp.clip received complex values, which have no order; clip jnp.real(x) or jnp.imag(x)"
        )
    if min is not None:
        arr = lax.max(*promote("clip", min, arr))
    if max is not None:
        arr = lax.min(*promote("clip", max, arr))
    return arr


@compiled
def nan_to_num(
    x: ArrayLike,
    copy: bool = True,
    nan: ArrayLike = 0.0,
    posinf: ArrayLike | None = None,
    neginf: ArrayLike | None = None,
) -> Array:
    """Each element, with NaN and infinities replaced by numbers.

    Args:
        x: an array or number; integers come back as they are.
        copy: of no effect.
        nan: what replaces NaN.
        posinf, neginf: what replaces the infinities; the dtype's extreme finite numbers if
            None.

    Raises:
        TypeError: `x` is no array.

    >>> jnp.nan_to_num(jnp.array([1.0, jnp.nan, jnp.inf]), posinf=9.0)
    Array([1., 0., 9.], dtype=float32)
    """
    x = as_operand("nan_to_num", x)
    dtype = typeof(x).dtype
    if _whole_already(x):
        return x
    if is_complex(dtype):
        parts = [
            plain(nan_to_num)(part, nan=nan, posinf=posinf, neginf=neginf)
            for part in (lax.real(x), lax.imag(x))
        ]
        return lax.complex(*parts)
    info = dtypes.finfo(dtype)
    for found, value in (
        (lax.ne(x, x), nan),
        (equal(x, np.inf), info.max if posinf is None else posinf),
        (equal(x, -np.inf), info.min if neginf is None else neginf),
    ):
        value, x, found = promote_shapes("nan_to_num", to_dtype(value, dtype), x, found)
        x = lax.select(found, value, x)
    return x
