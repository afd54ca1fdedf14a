"""Systems of linear equations, and inverses.

A solution is differentiated as what it is, not through the steps that found it: from
`a x = b`, `dx = a^-1 (db - da x)` (Giles 2008, section 2.3), with the factors found before.
`lax.custom_linear_solve` knows that.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from jx_core import lax, typeof
from jx_core.errors import ShapeError

from ..contraction.products import _matmul
from ..functions import array_function
from ..operands import Array, ArrayLike, broadcast_shapes, broadcast_to, promote_dtypes_inexact
from .kit import eye, matrices

__all__ = ["inv", "solve", "tensorinv", "tensorsolve"]


def _permuted_rows(b: Any, permutation: Any) -> Any:
    *batch, rows, columns = typeof(b).shape
    if 0 in (*batch, rows):
        return b
    axis, axes = len(batch), tuple(range(len(batch)))
    return lax.gather(
        b,
        lax.expand_dims(permutation, (axis + 1,)),
        lax.GatherDimensionNumbers(
            offset_dims=(axis + 1,),
            collapsed_slice_dims=(axis,),
            start_index_map=(axis,),
            operand_batching_dims=axes,
            start_indices_batching_dims=axes,
        ),
        (*(1 for _ in batch), 1, columns),
        mode="promise_in_bounds",
    )


def _substituted(factors: Any, permutation: Any, b: Any) -> Any:
    """The solution of `a x = b`, given the LU factors of `a` and its rows' permutation."""
    y = lax.linalg.triangular_solve(
        factors, _permuted_rows(b, permutation), left_side=True, lower=True, unit_diagonal=True
    )
    return lax.linalg.triangular_solve(factors, y, left_side=True, lower=False)


def _substituted_transposed(factors: Any, inverse_permutation: Any, b: Any) -> Any:
    """The solution of `a^T x = b`, given the same."""
    y = lax.linalg.triangular_solve(factors, b, left_side=True, lower=False, transpose_a=True)
    z = lax.linalg.triangular_solve(
        factors, y, left_side=True, lower=True, unit_diagonal=True, transpose_a=True
    )
    return _permuted_rows(z, inverse_permutation)


def solved(a: Any, b: Any) -> Any:
    """The solution of `a x = b` for matrices of equal batch axes and dtypes."""
    factors, _, permutation = lax.linalg.lu(lax.stop_gradient(a))
    return lax.custom_linear_solve(
        lambda x: _matmul(a, x),
        b,
        lambda _, b: _substituted(factors, permutation, b),
        lambda _, b: _substituted_transposed(factors, _inverse_permutation(permutation), b),
    )


def _inverse_permutation(permutation: Any) -> Any:
    axis = typeof(permutation).ndim - 1
    places = lax.broadcasted_iota(np.int32, typeof(permutation).shape, axis)
    return lax.sort((permutation, places), axis, num_keys=1)[1]


def inverse(name: str, a: ArrayLike) -> Any:
    """The inverses of square matrices; `name` is the function that asks."""
    a = matrices(name, a, square=True)
    *batch, n, _ = typeof(a).shape
    return solved(a, eye(n, typeof(a).dtype, batch))


@array_function()
def inv(a: ArrayLike) -> Array:
    """The inverses of square matrices.

    To multiply with an inverse, `solve` is faster and more exact.

    Args:
        a: an array of shape (..., n, n).

    Returns:
        An array of the same shape; infinities and NaN where a matrix is singular.

    Raises:
        ValueError: the matrices are not square.

    >>> inv(np.array([[2.0, 0.0], [0.0, 4.0]]))
    Array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    return inverse("inv", a)


@array_function()
def solve(a: ArrayLike, b: ArrayLike) -> Array:
    """The solution x of `a @ x = b`, by LU decomposition with partial pivoting.

    Args:
        a: square matrices, of shape (..., n, n).
        b: right-hand sides: of shape (n,), one for all of `a`, or (..., n, k). Leading axes
            broadcast.

    Returns:
        An array of shape (..., n) or (..., n, k).

    Raises:
        ValueError: the matrices are not square, or the shapes don't fit.

    >>> solve(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([2.0, 2.0]))
    Array([1. , 0.5], dtype=float32)
    """
    a = matrices("solve", a, square=True)
    a, b = promote_dtypes_inexact("solve", a, b)
    n, shape = typeof(a).shape[-1], typeof(b).shape
    vector = len(shape) == 1
    if not shape or shape[0 if vector else -2] != n:
        raise ShapeError(
            f"solve: b must be of shape ({n},) or (..., {n}, k) for a of shape "
            f"{typeof(a).shape}, got {shape}"
        )
    if vector:
        b = lax.expand_dims(b, (1,))
    try:
        batch = broadcast_shapes("solve", typeof(a).shape[:-2], typeof(b).shape[:-2])
    except ValueError:
        raise ShapeError(
            f"solve: the leading axes of a, of shape {typeof(a).shape}, and of b, of shape "
            f"{shape}, do not broadcast"
        ) from None
    x = solved(broadcast_to(a, (*batch, n, n)), broadcast_to(b, (*batch, *typeof(b).shape[-2:])))
    return lax.squeeze(x, (typeof(x).ndim - 1,)) if vector else x


@array_function("ind")
def tensorinv(a: ArrayLike, ind: int = 2) -> Array:
    """The inverse of an array as a linear map from its last axes to its first `ind` ones.

    Args:
        a: an array whose first `ind` axes have as many elements as its others.
        ind: how many.

    Returns:
        An array with the axes of the two groups exchanged: `tensordot(result, a, ind)` is the
        identity.

    Raises:
        ValueError: `ind` is not positive, or the two groups' sizes differ.

    >>> tensorinv(np.eye(6).reshape(2, 3, 6)).shape
    (6, 2, 3)
    """
    a = matrices("tensorinv", a)
    shape = typeof(a).shape
    if ind <= 0:
        raise ValueError(f"tensorinv: ind must be a positive integer, got {ind}")
    first, last = shape[:ind], shape[ind:]
    n = math.prod(first)
    if n != math.prod(last):
        raise ShapeError(
            f"tensorinv: the first {ind} axes of a must have as many elements as the others, got "
            f"shape {shape}"
        )
    return lax.reshape(inverse("tensorinv", lax.reshape(a, (n, n))), (*last, *first))


@array_function("axes")
def tensorsolve(a: ArrayLike, b: ArrayLike, axes: Any = None) -> Array:
    """The solution x of `tensordot(a, x, x.ndim) = b`.

    Args:
        a: an array of shape (*b.shape, *x.shape).
        b: the right-hand side.
        axes: axes of `a` to move to the end first.

    Raises:
        ValueError: `a` has not as many elements on the axes of x as on those of b.

    >>> tensorsolve(np.eye(6).reshape(2, 3, 6), np.ones((2, 3))).shape
    (6,)
    """
    a, b = promote_dtypes_inexact("tensorsolve", a, b)
    ndim, shape = typeof(a).ndim, typeof(b).shape
    if axes is not None:
        moved = [x % ndim for x in axes]
        a = lax.transpose(a, (*[i for i in range(ndim) if i not in moved], *moved))
    rest = typeof(a).shape[len(shape) :]
    n = math.prod(shape)
    if typeof(a).shape[: len(shape)] != shape or math.prod(rest) != n:
        raise ShapeError(
            f"tensorsolve: a must be of shape (*b.shape, *x.shape) with as many elements in x as "
            f"in b, got a of shape {typeof(a).shape} (with axes moved) and b of shape {shape}"
        )
    x = solved(lax.reshape(a, (n, n)), lax.reshape(b, (n, 1)))
    return lax.reshape(x, rest)
