"""Sums, products, quotients, powers, extremes, signs, and the complex parts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import compiled, dtypes, lax, operators
from jx_core.dtypes import python_scalar_dtype
from jx_core.operators import equal
from jx_core.ops.elementwise import convert

from .. import cumulative, reductions
from ..functions import array_function
from ..operands import (
    INEXACT,
    Array,
    ArrayLike,
    a_dtype,
    as_operand,
    as_weak_as,
    inexact,
    is_complex,
    is_integer,
    pair,
    pair_inexact,
    to_dtype,
    typeof,
)
from .ufunc import ufunc

__all__ = [
    "abs", "absolute", "add", "angle", "conj", "conjugate", "divide", "divmod", "fabs",
    "float_power", "floor_divide", "fmax", "fmin", "fmod", "gcd", "imag", "lcm", "logaddexp",
    "logaddexp2", "maximum", "minimum", "mod", "multiply", "negative", "positive", "pow",
    "power", "real", "reciprocal", "remainder", "sign", "square", "subtract", "true_divide",
]  # fmt: skip


# Functions that have ways to be applied along axes.


add = ufunc(
    operators.add,
    "add",
    identity=0,
    reduction=reductions.sum,
    accumulation=cumulative.cumsum,
    scatter="add",
)
multiply = ufunc(
    operators.multiply,
    "multiply",
    identity=1,
    reduction=reductions.prod,
    accumulation=cumulative.cumprod,
    scatter="multiply",
)
subtract = ufunc(operators.subtract, "subtract", scatter="subtract")
negative = ufunc(operators.negative, "negative", nin=1)


def _maximum(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The greater of each two elements; NaN where one of them is.

    Args:
        x, y: arrays or numbers; dtypes are promoted and shapes broadcast. Complex numbers
            compare by real part, then by imaginary part.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> jnp.maximum(jnp.array([1, 5]), 3)
    Array([3, 5], dtype=int32)
    """
    x, y, _ = pair("maximum", x, y)
    return lax.max_p.bind(x, y)


def _minimum(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The lesser of each two elements; NaN where one of them is.

    Args:
        x, y: arrays or numbers; dtypes are promoted and shapes broadcast. Complex numbers
            compare by real part, then by imaginary part.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> jnp.minimum(jnp.array([1, 5]), 3)
    Array([1, 3], dtype=int32)
    """
    x, y, _ = pair("minimum", x, y)
    return lax.min_p.bind(x, y)


def _extreme_reduction(fun: Any) -> Any:
    """A reduction `max` or `min` that takes a dtype, as `ufunc.reduce` passes one."""

    def reduction(a: Any, axis: Any, dtype: Any, **options: Any) -> Array:
        if dtype is not None:
            a = to_dtype(as_operand(fun.__name__, a), a_dtype(fun.__name__, dtype))
        return fun(a, axis=axis, **options)

    return reduction


maximum = ufunc(_maximum, "maximum", reduction=_extreme_reduction(reductions.max), scatter="max")
minimum = ufunc(_minimum, "minimum", reduction=_extreme_reduction(reductions.min), scatter="min")


def _logaddexp(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The logarithm of exp(x1) + exp(x2), without overflow on the way.

    Args:
        x1, x2: arrays or numbers; dtypes are promoted to floats and shapes broadcast.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> jnp.logaddexp(1000.0, jnp.array([1000.0, -jnp.inf])).round(2)
    Array([1000.69, 1000.  ], dtype=float32)
    """
    x1, x2, _ = pair_inexact("logaddexp", x1, x2)
    return _log_of_sum(x1, x2)


def _logaddexp2(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The logarithm to base 2 of 2**x1 + 2**x2, without overflow on the way.

    Args:
        x1, x2: arrays or numbers; dtypes are promoted to floats and shapes broadcast.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> jnp.logaddexp2(jnp.array([3.0, 3.0]), jnp.array([3.0, -jnp.inf]))
    Array([4., 3.], dtype=float32)
    """
    a, b, _ = pair_inexact("logaddexp2", x1, x2)
    return as_weak_as(_log_of_sum(a, b, in_base_2=True), x1, x2)


def _log_of_sum(x1: Any, x2: Any, in_base_2: bool = False) -> Array:
    """log(exp(x1) + exp(x2)), as greater + log(1 + exp(lesser - greater)).

    Or the same with powers of 2 and logarithms to that base.

    Which one is the greater is a choice between equal formulas, so derivatives of any order
    are right, also where the operands are equal.
    """
    parts = [lax.real(x) if is_complex(typeof(x).dtype) else x for x in (x1, x2)]
    first_is_greater = lax.gt(*parts)
    greater, lesser = lax.select(first_is_greater, x1, x2), lax.select(first_is_greater, x2, x1)
    # An infinity minus itself is NaN (as is NaN, which is not equal to itself).
    gap = lax.sub(lesser, greater)
    same_infinity = lax.bitwise_and(lax.ne(gap, gap), lax.eq(greater, lesser))
    difference = lax.sub(
        lax.select(same_infinity, 0.0, lesser), lax.select(same_infinity, 0.0, greater)
    )
    if in_base_2:
        rest = lax.log1p(lax.exp2(difference))
        return lax.add(greater, operators.multiply(rest, 1 / math.log(2)))
    return lax.add(greater, lax.log1p(lax.exp(difference)))


logaddexp = ufunc(_logaddexp, "logaddexp", identity=-math.inf)
logaddexp2 = ufunc(_logaddexp2, "logaddexp2", identity=-math.inf)


# Quotients and powers.


divide = compiled(operators.divide)
true_divide = divide
floor_divide = compiled(operators.floor_divide)
remainder = compiled(operators.remainder)
mod = remainder
divmod = compiled(operators.divmod)
power = operators.power
pow = power


@compiled
def fmod(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The remainder of `x1 / x2` with the sign of `x1`.

    Args:
        x1, x2: real arrays or numbers; dtypes are promoted and shapes broadcast.

    Raises:
        TypeError: an operand is complex.
        ShapeError: the shapes don't broadcast.

    >>> jnp.fmod(jnp.array([7, -7]), 4)
    Array([ 3, -3], dtype=int32)
    """
    x1, x2, dtype = pair("fmod", x1, x2)
    if dtype == np.bool_:
        dtype = python_scalar_dtype(int)
        x1, x2 = to_dtype(x1, dtype), to_dtype(x2, dtype)
    if is_integer(dtype):
        x2 = lax.select(equal(x2, 0), to_dtype(1, dtype), x2)
    return lax.rem(x1, x2)


@compiled
def float_power(x: ArrayLike, y: ArrayLike, /) -> Array:
    """`x` to the power `y`, in floating point also where both are integers.

    Args:
        x, y: arrays or numbers; dtypes are promoted to floats and shapes broadcast.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> jnp.float_power(jnp.array([2, 4]), -1)
    Array([0.5 , 0.25], dtype=float32)
    """
    x, y, _ = pair_inexact("float_power", x, y)
    return lax.pow(x, y)


@compiled
def reciprocal(x: ArrayLike, /) -> Array:
    """One divided by each element.

    Args:
        x: an array or number; integers and booleans become floats.

    >>> jnp.reciprocal(jnp.array([2, 4]))
    Array([0.5 , 0.25], dtype=float32)
    """
    return operators.divide(1.0, inexact("reciprocal", x))


@compiled
def square(x: ArrayLike, /) -> Array:
    """Each element times itself; booleans count as integers.

    Args:
        x: an array or number.

    >>> jnp.square(jnp.array([2, -3]))
    Array([4, 9], dtype=int32)
    """
    x = as_operand("square", x)
    if typeof(x).dtype == np.bool_:
        x = to_dtype(x, python_scalar_dtype(int))
    return lax.square(x)


# Signs and magnitudes.


absolute = compiled(operators.absolute)
abs = absolute
positive = compiled(operators.positive)


@compiled
def fabs(x: ArrayLike, /) -> Array:
    """The absolute values as floats.

    Args:
        x: a real array or number; integers and booleans become floats.

    Raises:
        TypeError: `x` is complex.

    >>> jnp.fabs(jnp.array([-1, 2]))
    Array([1., 2.], dtype=float32)
    """
    x = inexact("fabs", x)
    if is_complex(typeof(x).dtype):
        raise TypeError("jnp.fabs does not support complex numbers; jnp.abs does")
    return lax.abs(x)


@compiled
def sign(x: ArrayLike, /) -> Array:
    """-1, 0 or 1 as an element is negative, zero or positive; `x / abs(x)` if complex.

    Of -0.0 it is 0.0, as in the array API standard; `lax.sign` leaves zeros their signs.

    Args:
        x: an array or number.

    Raises:
        TypeError: `x` is boolean, or no array.

    >>> jnp.sign(jnp.array([-3, 0, 5]))
    Array([-1,  0,  1], dtype=int32)
    """
    x = as_operand("sign", x)
    result = lax.sign(x)
    if typeof(x).dtype not in INEXACT:
        return result
    return lax.select(equal(x, 0), lax.full_like(result, 0), result)


def _prefer_number(name: str, primitive: Any, x1: Any, x2: Any) -> Array:
    """The extreme of two elements, or the one of them that is not NaN."""
    x1, x2, _ = pair(name, x1, x2)
    x1, x2 = lax.select(lax.ne(x1, x1), x2, x1), lax.select(lax.ne(x2, x2), x1, x2)
    return primitive(x1, x2)


@compiled
def fmax(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The greater of each two elements; NaN only where both are.

    Args:
        x1, x2: arrays or numbers; dtypes are promoted and shapes broadcast.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> jnp.fmax(jnp.array([1.0, jnp.nan]), 0.0)
    Array([1., 0.], dtype=float32)
    """
    return _prefer_number("fmax", lax.max, x1, x2)


@compiled
def fmin(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The lesser of each two elements; NaN only where both are.

    Args:
        x1, x2: arrays or numbers; dtypes are promoted and shapes broadcast.

    Raises:
        ShapeError: the shapes don't broadcast.

    >>> jnp.fmin(jnp.array([1.0, jnp.nan]), 2.0)
    Array([1., 2.], dtype=float32)
    """
    return _prefer_number("fmin", lax.min, x1, x2)


# Whole numbers.


def _integer_pair(name: str, x1: Any, x2: Any) -> tuple[Any, Any]:
    x1, x2, dtype = pair(name, x1, x2)
    if not is_integer(dtype):
        raise ValueError(f"Arguments to jnp.{name} must be integers, got dtype {dtype.name}")
    x1, x2 = operators.absolute(x1), operators.absolute(x2)
    shape = typeof(x1).shape or typeof(x2).shape
    return tuple(x if typeof(x).shape == shape else lax.broadcast(x, shape) for x in (x1, x2))


def _gcd(a: Any, b: Any) -> Array:
    """Euclid's algorithm on all elements at once, until no remainder is left."""

    def unfinished(pair: Any) -> Any:
        return lax.reduce_or(operators.not_equal(pair[1], 0), tuple(range(typeof(pair[1]).ndim)))

    def step(pair: Any) -> Any:
        a, b = pair
        done = equal(b, 0)
        rest = lax.rem(a, lax.select(done, to_dtype(1, typeof(b).dtype), b))
        return lax.select(done, a, b), lax.select(done, b, rest)

    dtype = typeof(a).dtype
    weak = typeof(a).weak_type and typeof(b).weak_type
    result, _ = lax.while_loop(unfinished, step, (convert(a, dtype), convert(b, dtype)))
    return convert(result, dtype, weak)


@compiled
def gcd(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The greatest common divisor of each two elements, never negative.

    Args:
        x1, x2: arrays of integers; dtypes are promoted and shapes broadcast.

    Raises:
        ValueError: an operand is not of integers.
        ShapeError: the shapes don't broadcast.

    >>> jnp.gcd(jnp.array([12, -18]), 8)
    Array([4, 2], dtype=int32)
    """
    return _gcd(*_integer_pair("gcd", x1, x2))


@compiled
def lcm(x1: ArrayLike, x2: ArrayLike) -> Array:
    """The least common multiple of each two elements, never negative; 0 with 0.

    Args:
        x1, x2: arrays of integers; dtypes are promoted and shapes broadcast.

    Raises:
        ValueError: an operand is not of integers.
        ShapeError: the shapes don't broadcast.

    >>> jnp.lcm(jnp.array([4, 0]), 6)
    Array([12,  0], dtype=int32)
    """
    x1, x2 = _integer_pair("lcm", x1, x2)
    divisor = _gcd(x1, x2)
    return lax.mul(x1, lax.div(x2, lax.select(equal(divisor, 0), 1, divisor)))


# Complex numbers.


@compiled
def real(val: ArrayLike, /) -> Array:
    """The real part of each element; real arrays come back as they are.

    Args:
        val: an array or number.

    >>> jnp.real(jnp.array([1 + 2j]))
    Array([1.], dtype=float32)
    """
    x = as_operand("real", val)
    return lax.real(x) if is_complex(typeof(x).dtype) else x


@compiled
def imag(val: ArrayLike, /) -> Array:
    """The imaginary part of each element; zeros for real arrays.

    Args:
        val: an array or number.

    >>> jnp.imag(jnp.array([1 + 2j]))
    Array([2.], dtype=float32)
    """
    x = as_operand("imag", val)
    return lax.imag(x) if is_complex(typeof(x).dtype) else lax.full_like(x, 0)


@compiled
def conj(x: ArrayLike, /) -> Array:
    """The complex conjugate of each element; real arrays come back as they are.

    Args:
        x: an array or number.

    >>> jnp.conj(jnp.array([1 + 2j]))
    Array([1.-2.j], dtype=complex64)
    """
    x = as_operand("conj", x)
    return lax.conj(x) if is_complex(typeof(x).dtype) else x


conjugate = conj


def _at_least_single(x: Array) -> Array:
    """Angles of half precision would be a degree off."""
    dtype = typeof(x).dtype
    narrow = not is_complex(dtype) and dtypes.itemsize_bits(dtype) < 32
    return convert(x, np.dtype(np.float32)) if narrow else x


@array_function("deg")
def angle(z: ArrayLike, deg: bool = False) -> Array:
    """The angle of each element in the complex plane, in (-pi, pi].

    Args:
        z: an array or number.
        deg: give degrees, not radians.

    Returns:
        An array of floats of the shape of `z`, float32 where `z` is of half precision.

    Raises:
        TypeError: `z` is no array.

    >>> jnp.angle(jnp.array([1j, -1.0]), deg=True)
    Array([ 90., 180.], dtype=float32)
    """
    z = _at_least_single(inexact("angle", z))
    if is_complex(typeof(z).dtype):
        y, x = lax.imag(z), lax.real(z)
    else:
        x = convert(z, typeof(z).dtype)
        y = lax.full_like(x, 0.0)
    radians = lax.atan2(y, x)
    return operators.multiply(radians, 180 / math.pi) if deg else radians
