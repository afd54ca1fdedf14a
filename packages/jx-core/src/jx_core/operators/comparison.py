"""Comparison of arrays.

Operands are arrays, tracers, NumPy values or numbers, of dtypes that promote and shapes
that broadcast; typed keys compare as equal or not. Results are boolean. See `add` for the
errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops.elementwise import comparison as lax
from ..ops.elementwise.conversion import imag, real
from ..ops.kit import Array, ArrayLike
from .promotion import pair

_COMPLEX = frozenset((np.dtype(np.complex64), np.dtype(np.complex128)))


def equal(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether `x == y`; NaN is not equal to itself.

    >>> equal(np.array([1, 2]), 2)
    Array([False,  True], dtype=bool)
    """
    x, y, _ = pair("equal", x, y)
    return lax.eq_p.bind(x, y)


def not_equal(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether `x != y`.

    >>> not_equal(np.array([1, 2]), 2)
    Array([ True, False], dtype=bool)
    """
    x, y, _ = pair("not_equal", x, y)
    return lax.ne_p.bind(x, y)


def _order(name: str, primitive: Any, x: Any, y: Any) -> Array:
    """Compare; complex numbers by their real parts and, where these are equal, imaginary ones."""
    x, y, dtype = pair(name, x, y)
    if dtype not in _COMPLEX:
        return primitive.bind(x, y)
    real_x, real_y = real(x), real(y)
    by_real = primitive.bind(real_x, real_y)
    by_imag = primitive.bind(imag(x), imag(y))
    return lax.select_n(lax.eq(real_x, real_y), by_real, by_imag)


def less(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether `x < y`; complex numbers compare by real part, then imaginary part.

    >>> less(np.array([1, 2, 3]), 2)
    Array([ True, False, False], dtype=bool)
    """
    return _order("less", lax.lt_p, x, y)


def less_equal(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether `x <= y`; complex numbers compare by real part, then imaginary part.

    >>> less_equal(np.array([1, 2, 3]), 2)
    Array([ True,  True, False], dtype=bool)
    """
    return _order("less_equal", lax.le_p, x, y)


def greater(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether `x > y`; complex numbers compare by real part, then imaginary part.

    >>> greater(np.array([1, 2, 3]), 2)
    Array([False, False,  True], dtype=bool)
    """
    return _order("greater", lax.gt_p, x, y)


def greater_equal(x: ArrayLike, y: ArrayLike, /) -> Array:
    """Whether `x >= y`; complex numbers compare by real part, then imaginary part.

    >>> greater_equal(np.array([1, 2, 3]), 2)
    Array([False,  True,  True], dtype=bool)
    """
    return _order("greater_equal", lax.ge_p, x, y)
