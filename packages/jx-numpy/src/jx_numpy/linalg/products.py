"""Products of vectors and matrices, diagonals and transposes."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from jx_core import typeof
from jx_core.errors import ShapeError

from ..contraction import cross as _cross
from ..contraction import matmul, outer, tensordot, vecdot
from ..contraction.products import _matmul
from ..functions import array_function, plain
from ..operands import Array, ArrayLike, as_operand
from ..reductions import sum as _sum
from .kit import diagonal_of, eye, transposed
from .solving import inverse

__all__ = [
    "cross", "diagonal", "matmul", "matrix_power", "matrix_transpose", "multi_dot", "outer",
    "tensordot", "trace", "vecdot",
]  # fmt: skip


def _matrices(name: str, x: ArrayLike) -> Any:
    """The operand of a function that only moves elements, which may be of any dtype."""
    x = as_operand(name, x)
    if typeof(x).ndim < 2:
        raise ShapeError(f"{name} takes matrices, got shape {typeof(x).shape}")
    return x


@array_function("axis")
def cross(x1: ArrayLike, x2: ArrayLike, /, *, axis: int = -1) -> Array:
    """The cross product of vectors of three components along `axis`.

    >>> cross(np.array([1.0, 0.0, 0.0]), np.array([0.0, 1.0, 0.0]))
    Array([0., 0., 1.], dtype=float32)
    """
    for x in (x1, x2):
        shape = typeof(as_operand("cross", x)).shape
        if not shape or shape[axis] != 3:
            raise ShapeError(f"linalg.cross takes vectors of 3 components, got shape {shape}")
    return _cross.__wrapped__(x1, x2, axis=axis)


@array_function()
def matrix_transpose(x: ArrayLike, /) -> Array:
    """The matrices in the last two axes, transposed.

    >>> matrix_transpose(np.ones((4, 2, 3))).shape
    (4, 3, 2)
    """
    return transposed(_matrices("matrix_transpose", x))


@array_function("offset")
def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Array:
    """The diagonals of the matrices in the last two axes.

    >>> diagonal(np.eye(3))
    Array([1., 1., 1.], dtype=float32)
    """
    return diagonal_of(_matrices("diagonal", x), offset)


@array_function("offset", "dtype")
def trace(x: ArrayLike, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sums of the diagonals of the matrices in the last two axes, in the dtype of `sum`.

    >>> float(trace(np.eye(3)))
    3.0
    """
    return plain(_sum)(diagonal_of(_matrices("trace", x), offset), axis=-1, dtype=dtype)


@array_function("n")
def matrix_power(a: ArrayLike, n: int) -> Array:
    """Square matrices to an integer power, by repeated squaring; of the inverse if negative.

    Raises:
        ValueError: the matrices are not square.

    >>> matrix_power(np.array([[1.0, 1.0], [0.0, 1.0]]), 3)
    Array([[1., 3.],
           [0., 1.]], dtype=float32)
    """
    a = as_operand("matrix_power", a)
    shape = typeof(a).shape
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError(f"matrix_power takes square matrices, got shape {shape}")
    n = operator.index(n)
    if n < 0:
        a, n = inverse("matrix_power", a), -n
    if n == 0:
        return eye(shape[-1], typeof(a).dtype, shape[:-2])
    result = None
    while n:
        if n & 1:
            result = a if result is None else _matmul(result, a)
        n >>= 1
        if n:
            a = _matmul(a, a)
    return result


@array_function("precision")
def multi_dot(arrays: Sequence[ArrayLike], *, precision: Any = None) -> Array:
    """The product of several matrices, in the order that takes the least work.

    Args:
        arrays: two or more; the first and the last may be vectors.
        precision: as for `matmul`.

    >>> multi_dot([np.ones((2, 3)), np.ones((3, 4)), np.ones((4, 5))]).shape
    (2, 5)
    """
    from ..contraction import einsum

    if len(arrays) < 2:
        raise ValueError(f"multi_dot takes at least two arrays, got {len(arrays)}")
    terms: list[Any] = []
    for i, x in enumerate(arrays):
        ndim = typeof(as_operand("multi_dot", x, i)).ndim
        if ndim == 1 and i in (0, len(arrays) - 1):
            terms += [x, [i + 1] if i == 0 else [i]]
        elif ndim == 2:
            terms += [x, [i, i + 1]]
        else:
            raise ShapeError(f"multi_dot: array {i} must be a matrix, got {ndim} axes")
    ends = [terms[1][0], terms[-1][-1]]
    out = ([ends[0]] if len(terms[1]) == 2 else []) + ([ends[1]] if len(terms[-1]) == 2 else [])
    return einsum(*terms, out, optimize="optimal", precision=precision)
