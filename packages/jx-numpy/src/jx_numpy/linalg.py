"""`jx.numpy.linalg`: norms and products of matrices.

Decompositions are not here: they need the linear-algebra primitives.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import dtypes, lax, typeof
from jx_core.errors import ShapeError

from .contraction import cross as _cross
from .contraction import matmul, outer, tensordot, vecdot
from .contraction.products import _matmul
from .functions import array_function
from .operands import Array, ArrayLike, as_operand, inexact

__all__ = [
    "cross", "diagonal", "matmul", "matrix_norm", "matrix_power", "matrix_transpose",
    "multi_dot", "norm", "outer", "tensordot", "trace", "vecdot", "vector_norm",
]  # fmt: skip


def _abs(x: Any) -> Any:
    return lax.abs(x)


def _root(x: Any, axes: tuple[int, ...]) -> Any:
    """sqrt of the sum of squares, whose derivative at zero is zero, not NaN."""
    if dtypes.issubdtype(typeof(x).dtype, np.complexfloating):
        squares = lax.add(lax.square(lax.real(x)), lax.square(lax.imag(x)))
    else:
        squares = lax.square(x)
    total = lax.reduce_sum_p.bind(squares, axes=axes)
    is_zero = lax.eq(total, 0)
    safe = lax.select_n(is_zero, total, lax.full_like(total, 1))
    return lax.select_n(is_zero, lax.sqrt(safe), lax.full_like(total, 0))


def _power_sum(x: Any, order: float, axes: tuple[int, ...]) -> Any:
    """The `order`-norm for a general order, with zero derivative where all is zero."""
    size = _abs(x)
    dtype = typeof(size).dtype
    exponent = np.asarray(order, dtype)[()]
    total = lax.reduce_sum_p.bind(lax.pow(size, exponent), axes=axes)
    is_zero = lax.eq(total, 0)
    safe = lax.select_n(is_zero, total, lax.full_like(total, 1))
    root = lax.pow(safe, np.asarray(1.0 / order, dtype)[()])
    return lax.select_n(is_zero, root, lax.full_like(total, 0))


def _vector(x: Any, order: Any, axes: tuple[int, ...]) -> Any:
    if order is None or order == 2:
        return _root(x, axes)
    if order == np.inf:
        return lax.reduce_max_p.bind(_abs(x), axes=axes)
    if order == -np.inf:
        return lax.reduce_min_p.bind(_abs(x), axes=axes)
    if order == 1:
        return lax.reduce_sum_p.bind(_abs(x), axes=axes)
    if order == 0:
        size = _abs(x)
        counts = lax.convert_element_type(lax.ne(size, 0), typeof(size).dtype)
        return lax.reduce_sum_p.bind(counts, axes=axes)
    if isinstance(order, str):
        raise ValueError(f"Invalid order {order!r} for vector norm: expected a number or inf")
    return _power_sum(x, order, axes)


def _matrix(x: Any, order: Any, axes: tuple[int, int]) -> Any:
    rows, columns = axes
    if order is None or order in ("f", "fro"):
        return _root(x, axes)
    if order in (1, -1):
        sums = lax.reduce_sum_p.bind(_abs(x), axes=(rows,))
        left = columns - (columns > rows)
    elif order in (np.inf, -np.inf):
        sums = lax.reduce_sum_p.bind(_abs(x), axes=(columns,))
        left = rows - (rows > columns)
    else:
        raise ValueError(
            f"Invalid order {order!r} for matrix norm: expected None, 'fro', 1, -1, inf or -inf "
            f"(norms of singular values need the matrix decompositions)"
        )
    reduce = lax.reduce_max_p if order in (1, np.inf) else lax.reduce_min_p
    return reduce.bind(sums, axes=(left,))


def _keep(result: Any, axes: Sequence[int], ndim: int, keepdims: bool) -> Any:
    return lax.expand_dims(result, tuple(sorted(axes))) if keepdims else result


def _axes(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    axes = (axis,) if isinstance(axis, int) else tuple(operator.index(a) for a in axis)
    for a in axes:
        if not -ndim <= a < ndim:
            raise ShapeError(f"{name}: axis {a} is out of range for an array of {ndim} axes")
    return tuple(a % ndim for a in axes)


@array_function("ord", "axis", "keepdims")
def norm(
    x: ArrayLike, ord: int | float | str | None = None, axis: Any = None, keepdims: bool = False
) -> Array:
    """The norm of vectors or matrices.

    Args:
        x: an array of numbers; integers become floats.
        ord: the order. For vectors a number, `inf` or `-inf`; for matrices `"fro"`, 1, -1,
            `inf` or `-inf`. None is the 2-norm of all elements.
        axis: the axis of vectors, or the pair of axes of matrices. None takes the whole
            array, which must have one or two axes if `ord` is given.
        keepdims: keep the axes with length 1.

    The derivative of the 2-norm at zero is zero, a subgradient, where JAX gives NaN.

    Raises:
        ValueError: the order or the axes don't fit.

    >>> float(norm(np.array([3.0, 4.0])))
    5.0
    """
    x = inexact("norm", x)
    ndim = typeof(x).ndim
    if axis is None:
        axes = tuple(range(ndim))
        if ord is None:
            return _keep(_root(x, axes), axes, ndim, keepdims)
        if ndim not in (1, 2):
            raise ShapeError(
                f"norm: with ord={ord!r} and no axis the array must have 1 or 2 axes, got shape "
                f"{typeof(x).shape}"
            )
    else:
        axes = _axes("norm", axis, ndim)
    if len(axes) == 1:
        return _keep(_vector(x, ord, axes), axes, ndim, keepdims)
    if len(axes) == 2:
        return _keep(_matrix(x, ord, (axes[0], axes[1])), axes, ndim, keepdims)
    raise ShapeError(f"norm: axis must be one axis or two, got {axis!r}")


@array_function("axis", "keepdims", "ord")
def vector_norm(
    x: ArrayLike, /, *, axis: Any = None, keepdims: bool = False, ord: int | float | str = 2
) -> Array:
    """The norm of vectors along an axis, along several, or of the whole array.

    >>> float(vector_norm(np.ones((2, 2))))
    2.0
    """
    x = inexact("vector_norm", x)
    ndim = typeof(x).ndim
    axes = tuple(range(ndim)) if axis is None else _axes("vector_norm", axis, ndim)
    return _keep(_vector(x, ord, axes), axes, ndim, keepdims)


@array_function("keepdims", "ord")
def matrix_norm(
    x: ArrayLike, /, *, keepdims: bool = False, ord: int | float | str | None = "fro"
) -> Array:
    """The norm of the matrices in the last two axes; see `norm` for the orders.

    >>> float(matrix_norm(np.ones((2, 2))))
    2.0
    """
    x = inexact("matrix_norm", x)
    ndim = typeof(x).ndim
    if ndim < 2:
        raise ShapeError(f"matrix_norm takes matrices, got shape {typeof(x).shape}")
    axes = (ndim - 2, ndim - 1)
    return _keep(_matrix(x, ord, axes), axes, ndim, keepdims)


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
    x = as_operand("matrix_transpose", x)
    ndim = typeof(x).ndim
    if ndim < 2:
        raise ShapeError(f"matrix_transpose takes matrices, got shape {typeof(x).shape}")
    return lax.transpose(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def _diagonal_last(name: str, x: Any, offset: int) -> Any:
    """The diagonal of the last two axes, on a last axis of its own."""
    shape = typeof(x).shape
    if len(shape) < 2:
        raise ShapeError(f"{name} takes matrices, got shape {shape}")
    rows, columns = shape[-2:]
    first, second = max(-offset, 0), max(offset, 0)
    n = max(min(rows - first, columns - second), 0)
    batch = shape[:-2]
    # Element i of the diagonal is number (first + i) * columns + second + i of the flat matrix.
    flat = lax.reshape(x, (*batch, rows * columns))
    if n == 0:
        return lax.slice_in_dim(flat, 0, 0, axis=-1)
    start = first * columns + second
    stop = start + (n - 1) * (columns + 1) + 1
    return lax.slice_in_dim(flat, start, stop, columns + 1, axis=-1)


@array_function("offset")
def diagonal(x: ArrayLike, /, *, offset: int = 0) -> Array:
    """The diagonals of the matrices in the last two axes.

    >>> diagonal(np.eye(3))
    Array([1., 1., 1.], dtype=float32)
    """
    return _diagonal_last("diagonal", as_operand("diagonal", x), offset)


@array_function("offset", "dtype")
def trace(x: ArrayLike, /, *, offset: int = 0, dtype: Any = None) -> Array:
    """The sums of the diagonals of the matrices in the last two axes.

    >>> float(trace(np.eye(3)))
    3.0
    """
    d = _diagonal_last("trace", as_operand("trace", x), offset)
    if dtype is not None:
        d = lax.convert_element_type(d, dtypes.canonicalize_dtype(dtype))
    return lax.reduce_sum_p.bind(d, axes=(typeof(d).ndim - 1,))


@array_function("n")
def matrix_power(a: ArrayLike, n: int) -> Array:
    """Square matrices to a power that is a non-negative integer, by repeated squaring.

    Raises:
        ValueError: the matrices are not square, or `n` is negative.

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
        raise ValueError(f"matrix_power: n must be a non-negative integer, got {n}")
    if n == 0:
        index = [lax.broadcasted_iota(np.int32, shape, len(shape) - k) for k in (2, 1)]
        return lax.convert_element_type(lax.eq(*index), typeof(a).dtype)
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
    from .contraction import einsum

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
