"""Sums, products, quotients and powers of arrays.

Operands of every function here are arrays, tracers, NumPy values or Python numbers; their
dtypes promote and their shapes broadcast. `add` says what errors all of them raise.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..aval import typeof
from ..dispatch import compiled
from ..dtypes import issubdtype, python_scalar_dtype
from ..ops.elementwise import arithmetic as lax
from ..ops.elementwise.barrier import stop_gradient
from ..ops.elementwise.bitwise import and_p, bitwise_and, or_p, shift_right_logical
from ..ops.elementwise.comparison import eq, is_finite, lt, ne, select_n
from ..ops.elementwise.conversion import convert_ndarray
from ..ops.elementwise.transcendental import pow_p
from ..ops.kit import Array, ArrayLike
from ..state import state
from ..trace import EVAL
from .promotion import INEXACT, as_operand, pair, pair_inexact, promote_shapes, to_dtype

_BOOL = np.dtype(np.bool_)


def add(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The sum `x + y`; of booleans, whether either is true.

    Args:
        x, y: arrays or numbers, of dtypes that promote to one and shapes that broadcast.

    Returns:
        An array of the promoted dtype and the common shape.

    Raises:
        TypeError: an operand is no array or number, or is of a dtype the operation has no
            meaning for.
        TypePromotionError: the dtypes do not promote to one.
        ShapeError: the shapes do not broadcast.

    >>> add(np.array([1, 2]), np.float32([[0.5], [1]]))
    Array([[1.5, 2.5],
           [2. , 3. ]], dtype=float32)
    """
    x, y, dtype = pair("add", x, y)
    return (or_p if dtype == _BOOL else lax.add_p).bind(x, y)


def subtract(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The difference `x - y`. Booleans have none: TypeError. See `add`.

    >>> subtract(np.array([1, 2]), 1.5)
    Array([-0.5,  0.5], dtype=float32, weak_type=True)
    """
    x, y, _ = pair("subtract", x, y)
    return lax.sub_p.bind(x, y)


def multiply(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The product `x * y`; of booleans, whether both are true. See `add`.

    >>> multiply(np.array([1, 2]), 3)
    Array([3, 6], dtype=int32)
    """
    x, y, dtype = pair("multiply", x, y)
    return (and_p if dtype == _BOOL else lax.mul_p).bind(x, y)


def divide(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The quotient `x1 / x2`, a float (or complex) of any operands. See `add`.

    >>> divide(np.array([1, 2]), 4)
    Array([0.25, 0.5 ], dtype=float32)
    """
    x1, x2, _ = pair_inexact("divide", x1, x2)
    return lax.div_p.bind(x1, x2)


def _constant(x: int, dtype: Any) -> Any:
    """A number of `dtype`, strongly typed, whatever it is combined with."""
    return convert_ndarray(np.asarray(x), dtype)[()]


# Whole quotients and remainders.


def _real_pair(name: str, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """As `pair`, with booleans made integers and complex numbers refused."""
    x, y, dtype = pair(name, x, y)
    if dtype == _BOOL:
        dtype = python_scalar_dtype(int)
        x, y = to_dtype(x, dtype), to_dtype(y, dtype)
    elif issubdtype(dtype, np.complexfloating):
        raise TypeError(
            f"{name} does not support complex-valued inputs, got dtypes {typeof(x).dtype.name} "
            f"and {typeof(y).dtype.name}: complex numbers have no whole quotients"
        )
    return x, y, dtype


def _signs_differ(x: Array, y: Array) -> Array:
    return ne(lax.sign(x), lax.sign(y))


def _floor_divide_integers(x: Array, y: Array, dtype: Any) -> Array:
    quotient = lax.div(x, y)
    if issubdtype(dtype, np.unsignedinteger):
        return quotient
    rounded_up = bitwise_and(_signs_differ(x, y), ne(lax.rem(x, y), 0))
    return select_n(rounded_up, quotient, lax.sub(quotient, 1))


def _remainder(x: Array, y: Array, dtype: Any) -> Array:
    """The remainder with the sign of the divisor, from the one with that of the dividend."""
    zero = _constant(0, dtype)
    if dtype not in INEXACT:
        y = select_n(eq(y, zero), y, 1)
    remainder = lax.rem(x, y)
    if issubdtype(dtype, np.unsignedinteger):
        return remainder
    return _with_sign_of_divisor(remainder, y, dtype)


def _with_sign_of_divisor(remainder: Array, y: Array, dtype: Any) -> Array:
    zero = _constant(0, dtype)
    negative, exact = lt(y, zero), eq(remainder, zero)
    wrong_sign = bitwise_and(ne(lt(remainder, zero), negative), ne(remainder, zero))
    remainder = select_n(wrong_sign, remainder, lax.add(remainder, y))
    if dtype not in INEXACT:
        return remainder
    # A remainder of 0 has the divisor's sign as well. What is subtracted from that zero is
    # +0, with the tangent of the remainder: the slope is 1 here as it is everywhere.
    nothing = lax.sub(stop_gradient(remainder), remainder)
    return select_n(exact, remainder, lax.sub(lax.mul(lax.sign(y), 0.0), nothing))


def _divmod_floats(x: Array, y: Array) -> tuple[Array, Array]:
    """Whole quotient and remainder, the quotient from the exact remainder."""
    remainder = lax.rem(x, y)
    return _whole_quotient(x, y, remainder), _with_sign_of_divisor(remainder, y, typeof(y).dtype)


def _whole_quotient(x: Array, y: Array, remainder: Array) -> Array:
    """The largest whole number not above `x / y`, from the remainder with the sign of `x`.

    (x - rem(x, y)) / y is within rounding of the whole number that is meant, where x / y
    itself may be rounded up to the next: 1 / 0.1 is 10, but 0.1 goes into 1 only 9 times.
    """
    zero = _constant(0, typeof(y).dtype)
    # By zero the remainder is NaN, and the quotient infinite.
    multiple = select_n(eq(y, zero), lax.sub(x, remainder), x)
    multiple = select_n(eq(multiple, zero), multiple, lax.mul(x, 0.0))  # a zero of x's sign
    quotient = lax.div(multiple, y)
    wrong_sign = bitwise_and(ne(remainder, 0), _signs_differ(y, remainder))
    return lax.round(select_n(wrong_sign, quotient, lax.sub(quotient, 1)))


def floor_divide(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The largest whole number not above `x1 / x2`, in the promoted dtype. See `add`.

    Booleans count as integers; complex numbers raise TypeError. Floats divided by zero
    give infinities or NaN, and integers a number that means nothing. With an infinite
    operand it is `x1 / x2`, of which no part is lost: an infinity, a zero, or NaN.

    >>> floor_divide(np.array([7, -7]), 2)
    Array([ 3, -4], dtype=int32)
    """
    x1, x2, dtype = _real_pair("floor_divide", x1, x2)
    if dtype in INEXACT:
        finite = bitwise_and(is_finite(x1), is_finite(x2))
        whole = _whole_quotient(x1, x2, lax.rem(x1, x2))
        # Rounding changes nothing there, and has the slope 0 everywhere.
        return select_n(finite, lax.round(lax.div(x1, x2)), whole)
    return _floor_divide_integers(x1, x2, dtype)


def remainder(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """What `floor_divide` leaves of `x1`: of the sign of `x2`, and below it in size.

    Booleans count as integers; complex numbers raise TypeError. By zero, floats give NaN
    and integers 0. See `add`.

    >>> remainder(np.array([7, -7]), 4)
    Array([3, 1], dtype=int32)
    """
    x1, x2, dtype = _real_pair("remainder", x1, x2)
    return _remainder(x1, x2, dtype)


def divmod(x1: ArrayLike, x2: ArrayLike, /) -> tuple[Array, Array]:
    """The pair of `floor_divide` and `remainder`, which with infinite operands is Python's.

    >>> divmod(np.array([7, -7]), 4)
    (Array([ 1, -2], dtype=int32), Array([3, 1], dtype=int32))
    """
    x1, x2, dtype = _real_pair("divmod", x1, x2)
    if dtype in INEXACT:
        return _divmod_floats(x1, x2)
    return _floor_divide_integers(x1, x2, dtype), _remainder(x1, x2, dtype)


# Powers.


def power(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """`x1` to the power `x2`.

    An exponent that is a Python or NumPy integer, known now, makes a short program of
    multiplications. This function takes care of eager calls itself: they are compiled with
    such exponents fixed, so it is not to be wrapped in `compiled`.

    Raises:
        TypeError: a fixed exponent is negative, and `x1` holds integers. (Integers to
            negative powers that are not known now give 0, or 1 and -1 of these.)

    Other operands and errors as for `add`.

    >>> power(np.array([1, 2, 3]), 2)
    Array([1, 4, 9], dtype=int32)
    >>> power(np.array([1, 2, 3]), np.float32(0.5))
    Array([1.       , 1.4142135, 1.7320508], dtype=float32)
    """
    exponent = _fixed_exponent(x2)
    if state.trace is EVAL:
        if exponent is None:
            return _compiled_power(as_operand("power", x1, 0), as_operand("power", x2, 1))
        return _compiled_power_by_integer(as_operand("power", x1, 0), exponent)
    return _power(x1, x2) if exponent is None else _power_by_integer(x1, exponent)


def _fixed_exponent(x: Any) -> int | None:
    """The integer that `x` is, or None where it is no integer known now."""
    if isinstance(x, (int, np.integer)):
        return int(x)
    if type(x) is np.ndarray and x.ndim == 0 and x.dtype.kind in "iu":
        return int(x)
    return None


def _power_by_integer(x: Any, exponent: int) -> Array:
    x = as_operand("power", x)
    if typeof(x).dtype == _BOOL:
        x = to_dtype(x, python_scalar_dtype(int))
    return lax.integer_pow_p.bind(x, y=exponent)


def _power(x: Any, y: Any) -> Array:
    base, exponent, dtype = pair("power", x, y)
    if dtype in INEXACT:
        # Integers serve as exponents as they are, which is more precise for large ones.
        original = as_operand("power", y, 1)
        if issubdtype(typeof(original).dtype, np.integer):
            base, exponent = promote_shapes("power", to_dtype(base, dtype), original)
        return pow_p.bind(base, exponent)
    if dtype == _BOOL:
        dtype = python_scalar_dtype(int)
        base, exponent = to_dtype(base, dtype), to_dtype(exponent, dtype)
    return _power_of_integers(base, exponent, dtype)


def _power_of_integers(x: Array, y: Array, dtype: Any) -> Array:
    """By repeated squaring: the result is right wherever the dtype can hold it.

    With an exponent of 64 or more it holds no power but those of -1, 0 and 1, and the
    lowest six bits of the exponent decide the first and last of these.
    """
    zero, one = _constant(0, dtype), _constant(1, dtype)
    zero_power = bitwise_and(eq(x, zero), ne(y, zero))
    result = select_n(zero_power, one, zero)
    for bit in range(6):
        odd = ne(bitwise_and(y, one), zero)
        result = select_n(odd, result, lax.mul(result, x))
        if bit < 5:
            x = lax.mul(x, x)
            y = shift_right_logical(y, one)
    return result


_compiled_power = compiled(_power)
_compiled_power_by_integer = compiled(_power_by_integer, static_argnames=("exponent",))


# One operand.


def negative(x: ArrayLike, /) -> Array:
    """The negative `-x` of numbers. Booleans have none: TypeError (`invert` is not).

    >>> negative(np.array([1, -2]))
    Array([-1,  2], dtype=int32)
    """
    return lax.neg_p.bind(as_operand("negative", x))


def positive(x: ArrayLike, /) -> Array:
    """`x` itself.

    >>> positive(np.float32(2))
    np.float32(2.0)
    """
    return as_operand("positive", x)


def absolute(x: ArrayLike, /) -> Array:
    """The absolute value, real for complex numbers; unsigned integers and booleans as they are.

    >>> absolute(np.array([1, -2]))
    Array([1, 2], dtype=int32)
    """
    x = as_operand("absolute", x)
    dtype = typeof(x).dtype
    if dtype == _BOOL or issubdtype(dtype, np.unsignedinteger):
        return x
    return lax.abs_p.bind(x)
