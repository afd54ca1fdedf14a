"""Norms of vectors and matrices.

The derivative of a 2-norm at zero is zero, a subgradient.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import dtypes, lax, typeof
from jx_core.errors import ShapeError

from ..functions import array_function
from ..operands import Array, ArrayLike, inexact

__all__ = ["matrix_norm", "norm", "vector_norm"]


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
    """The `order`-norm for a general order.

    Its derivatives are zero where all is zero, and with respect to each element that is: that
    is the middle of its slopes on both sides, be they infinite.
    """
    size = _abs(x)
    dtype = typeof(size).dtype
    exponent = np.asarray(order, dtype)[()]
    none = lax.eq(size, lax.full_like(size, 0))
    powers = lax.pow(lax.select(none, lax.full_like(size, 1), size), exponent)
    powers = lax.select(none, lax.full_like(size, 0.0 if order > 0 else np.inf), powers)
    total = lax.reduce_sum_p.bind(powers, axes=axes)
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
    elif order in (2, -2, "nuc"):
        return _of_singular_values(x, order, axes)
    else:
        raise ValueError(
            f"Invalid order {order!r} for matrix norm: expected None, 'fro', 'nuc', 1, -1, 2, -2, "
            f"inf or -inf"
        )
    reduce = lax.reduce_max_p if order in (1, np.inf) else lax.reduce_min_p
    return reduce.bind(sums, axes=(left,))


def _of_singular_values(x: Any, order: Any, axes: tuple[int, int]) -> Any:
    others = [a for a in range(typeof(x).ndim) if a not in axes]
    x = lax.transpose(x, (*others, *axes))
    s = lax.linalg.svd(x, compute_uv=False)
    last = (len(others),)
    if order == "nuc":
        return lax.reduce_sum(s, last)
    return (lax.reduce_max if order == 2 else lax.reduce_min)(s, last)


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
        ord: the order. For vectors a number, `inf` or `-inf`; for matrices `"fro"`, `"nuc"`
            (the sum of the singular values), 1, -1, 2 or -2 (the greatest or least of them),
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
