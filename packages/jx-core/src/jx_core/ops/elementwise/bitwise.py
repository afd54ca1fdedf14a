"""Operations on the bits of integers, and logic on booleans.

A shift by the number of bits or more (or by a negative number) moves all bits out, as in
XLA and unlike in NumPy and C, which leave it undefined.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ... import dtypes
from ..kit import Array, ArrayLike, boolean_or_integer, elementwise, integer, pair, widened

__all__ = [
    "and_p", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "clz", "clz_p", "not_p",
    "or_p", "population_count", "population_count_p", "shift_left", "shift_left_p",
    "shift_right_arithmetic", "shift_right_arithmetic_p", "shift_right_logical",
    "shift_right_logical_p", "xor_p",
]  # fmt: skip


# Reference meanings that are not NumPy's own.


def _bits(x: np.ndarray) -> np.ndarray:
    """The bits of integers as unsigned integers of at least their width."""
    width = dtypes.itemsize_bits(x.dtype)
    if width >= 8:
        return x.view(np.dtype(f"u{x.dtype.itemsize}"))
    return x.astype(np.int8).view(np.uint8) & np.uint8(2**width - 1)


def _from_bits(bits: np.ndarray, dtype: Any) -> np.ndarray:
    """The inverse of `_bits`; bits beyond the dtype's width are dropped."""
    return bits.view(dtype) if dtypes.itemsize_bits(dtype) >= 8 else bits.astype(dtype)


def _shift_amount(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whether the shift leaves any bits, and its amount, made valid where it does not."""
    width = dtypes.itemsize_bits(y.dtype)
    amount = _bits(y)
    valid = amount < width
    return valid, np.where(valid, amount, 0).astype(amount.dtype)


def _shift_left(x: np.ndarray, y: np.ndarray) -> Any:
    valid, amount = _shift_amount(y)
    return _from_bits(np.where(valid, _bits(x) << amount, 0).astype(amount.dtype), x.dtype)


def _shift_right_logical(x: np.ndarray, y: np.ndarray) -> Any:
    valid, amount = _shift_amount(y)
    return _from_bits(np.where(valid, _bits(x) >> amount, 0).astype(amount.dtype), x.dtype)


def _shift_right_arithmetic(x: np.ndarray, y: np.ndarray) -> Any:
    valid, amount = _shift_amount(y)
    width = dtypes.itemsize_bits(x.dtype)
    bits = _bits(x)
    # The uppermost bit moves in, be it the sign of `x` or, where unsigned, not.
    signed = bits.view(np.dtype(f"i{bits.dtype.itemsize}"))
    unused = signed.dtype.type(8 * bits.dtype.itemsize - width)
    extended = (signed << unused) >> unused
    shifted = extended >> np.where(valid, amount, width - 1).astype(signed.dtype)
    return _from_bits(shifted.view(bits.dtype), x.dtype)


def _population_count(x: np.ndarray) -> Any:
    return np.bitwise_count(_bits(x)).astype(x.dtype)


def _clz(x: np.ndarray) -> Any:
    width = dtypes.itemsize_bits(x.dtype)
    bits = _bits(x)
    length = np.zeros(x.shape, np.int64)
    for step in (32, 16, 8, 4, 2, 1):
        if step < 8 * bits.dtype.itemsize:
            upper = bits >> bits.dtype.type(step)
            length += np.where(upper != 0, step, 0)
            bits = np.where(upper != 0, upper, bits)
    return (width - length - (bits != 0)).astype(x.dtype)


# The primitives.

not_p = elementwise("not", boolean_or_integer, widened(np.invert))
and_p = elementwise("and", boolean_or_integer, widened(np.bitwise_and))
or_p = elementwise("or", boolean_or_integer, widened(np.bitwise_or))
xor_p = elementwise("xor", boolean_or_integer, widened(np.bitwise_xor))
shift_left_p = elementwise("shift_left", integer, _shift_left)
shift_right_logical_p = elementwise("shift_right_logical", integer, _shift_right_logical)
shift_right_arithmetic_p = elementwise("shift_right_arithmetic", integer, _shift_right_arithmetic)
population_count_p = elementwise("population_count", integer, _population_count)
clz_p = elementwise("clz", integer, _clz)


# The functions.


def bitwise_not(x: ArrayLike) -> Array:
    """Each bit of `x`, booleans or integers, inverted.

    >>> bitwise_not(np.array([0, 5]))
    Array([-1, -6], dtype=int32)
    >>> bitwise_not(np.array([True, False]))
    Array([False,  True], dtype=bool)
    """
    return not_p.bind(x)


def bitwise_and(x: ArrayLike, y: ArrayLike) -> Array:
    """The bits set in both `x` and `y`.

    Args:
        x, y: arrays of booleans, or of one integer dtype, and of one shape; either may be
            a scalar.

    Raises:
        TypeError: the dtypes differ, or are floats or complex.
        ShapeError: the shapes differ.

    >>> bitwise_and(np.array([12, 10]), 6)
    Array([4, 2], dtype=int32)
    """
    x, y = pair("bitwise_and", x, y)
    return and_p.bind(x, y)


def bitwise_or(x: ArrayLike, y: ArrayLike) -> Array:
    """The bits set in `x` or `y`. Operands and errors as for `bitwise_and`.

    >>> bitwise_or(np.array([12, 10]), 6)
    Array([14, 14], dtype=int32)
    """
    x, y = pair("bitwise_or", x, y)
    return or_p.bind(x, y)


def bitwise_xor(x: ArrayLike, y: ArrayLike) -> Array:
    """The bits set in one of `x` and `y` only. Operands and errors as for `bitwise_and`.

    >>> bitwise_xor(np.array([12, 10]), 6)
    Array([10, 12], dtype=int32)
    """
    x, y = pair("bitwise_xor", x, y)
    return xor_p.bind(x, y)


def shift_left(x: ArrayLike, y: ArrayLike) -> Array:
    """The bits of `x` moved up by `y` places; 0 where `y` is the dtype's width or more.

    Args:
        x, y: arrays of one integer dtype and one shape; either may be a scalar. A negative
            `y` counts as a large one.

    Raises:
        TypeError: the dtypes differ, or are not integers.
        ShapeError: the shapes differ.

    >>> shift_left(np.array([1, 2, 3]), np.array([1, 4, 32]))
    Array([ 2, 32,  0], dtype=int32)
    """
    x, y = pair("shift_left", x, y)
    return shift_left_p.bind(x, y)


def shift_right_logical(x: ArrayLike, y: ArrayLike) -> Array:
    """The bits of `x` moved down by `y` places, with zeros moving in. As `shift_left`.

    >>> shift_right_logical(np.array([8, -8]), 1)
    Array([         4, 2147483644], dtype=int32)
    """
    x, y = pair("shift_right_logical", x, y)
    return shift_right_logical_p.bind(x, y)


def shift_right_arithmetic(x: ArrayLike, y: ArrayLike) -> Array:
    """The bits of `x` moved down by `y` places, copies of the uppermost one moving in.

    Operands and errors as for `shift_left`.

    >>> shift_right_arithmetic(np.array([8, -8]), 1)
    Array([ 4, -4], dtype=int32)
    """
    x, y = pair("shift_right_arithmetic", x, y)
    return shift_right_arithmetic_p.bind(x, y)


def population_count(x: ArrayLike) -> Array:
    """How many bits of each integer are set.

    >>> population_count(np.array([0, 7, -1]))
    Array([ 0,  3, 32], dtype=int32)
    """
    return population_count_p.bind(x)


def clz(x: ArrayLike) -> Array:
    """How many bits of each integer are zero above the highest one set.

    >>> clz(np.array([0, 7, -1]))
    Array([32, 29,  0], dtype=int32)
    """
    return clz_p.bind(x)
