"""The bits of integer arrays, and logic on boolean ones.

Operands are arrays, tracers, NumPy values or numbers of integer or boolean dtypes, which
promote, of shapes that broadcast. Floats raise TypeError; see `add` for other errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..dtypes import issubdtype, python_scalar_dtype
from ..ops.elementwise import bitwise as lax
from ..ops.kit import Array, ArrayLike
from .promotion import as_operand, pair, to_dtype

_BOOL = np.dtype(np.bool_)


def bitwise_and(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The bits set in both `x` and `y`; of booleans, whether both are true.

    >>> bitwise_and(np.array([12, 10]), 6)
    Array([4, 2], dtype=int32)
    """
    x, y, _ = pair("bitwise_and", x, y)
    return lax.and_p.bind(x, y)


def bitwise_or(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The bits set in `x` or `y`; of booleans, whether either is true.

    >>> bitwise_or(np.array([12, 10]), 6)
    Array([14, 14], dtype=int32)
    """
    x, y, _ = pair("bitwise_or", x, y)
    return lax.or_p.bind(x, y)


def bitwise_xor(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The bits set in one of `x` and `y` only; of booleans, whether they differ.

    >>> bitwise_xor(np.array([12, 10]), 6)
    Array([10, 12], dtype=int32)
    """
    x, y, _ = pair("bitwise_xor", x, y)
    return lax.xor_p.bind(x, y)


def invert(x: ArrayLike, /) -> Array:
    """Each bit inverted; of booleans, the negation.

    >>> invert(np.array([0, 5]))
    Array([-1, -6], dtype=int32)
    """
    return lax.not_p.bind(as_operand("invert", x))


def _integer_pair(name: str, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """As `pair`, with booleans made integers."""
    x, y, dtype = pair(name, x, y)
    if dtype == _BOOL:
        dtype = python_scalar_dtype(int)
        x, y = to_dtype(x, dtype), to_dtype(y, dtype)
    return x, y, dtype


def left_shift(x: ArrayLike, y: ArrayLike, /) -> Array:
    """The bits of `x` moved up by `y` places; 0 where that is all of them or more.

    >>> left_shift(np.array([1, 3]), np.array([4, 32]))
    Array([16,  0], dtype=int32)
    """
    x, y, _ = _integer_pair("left_shift", x, y)
    return lax.shift_left_p.bind(x, y)


def right_shift(x1: ArrayLike, x2: ArrayLike, /) -> Array:
    """The bits of `x1` moved down by `x2` places, its sign moving in.

    >>> right_shift(np.array([8, -8]), 2)
    Array([ 2, -2], dtype=int32)
    """
    x1, x2, dtype = _integer_pair("right_shift", x1, x2)
    if issubdtype(dtype, np.unsignedinteger):
        return lax.shift_right_logical_p.bind(x1, x2)
    return lax.shift_right_arithmetic_p.bind(x1, x2)
