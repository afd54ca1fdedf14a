"""LU decomposition with partial pivoting, and what its row exchanges amount to."""

from __future__ import annotations

from operator import index
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..elementwise import convert_element_type, eq, select
from ..indexing import dynamic_index_in_dim, slice_in_dim
from ..kit import Array, ArrayLike
from ..reduction import reduce_sum
from ..shape import broadcast_in_dim, broadcasted_iota, concatenate, full, full_like
from .spectral import matrix_shape
from .triangular import wide_dtype

__all__ = ["lu", "lu_p", "lu_pivots_to_permutation", "lu_pivots_to_permutation_p"]

_INT = np.dtype(np.int32)
# Row exchanges times rows that are worth writing out: a loop costs XLA's CPU runtime about a
# microsecond for every two of its steps.
_FEW = 36


def _lu_type(x: ShapedArray) -> list[ShapedArray]:
    batch, m, n = matrix_shape("lu", x)
    return [
        x.update(weak_type=False),
        ShapedArray((*batch, min(m, n)), _INT),
        ShapedArray((*batch, m), _INT),
    ]


def _lu(x: np.ndarray) -> list[np.ndarray]:
    """Gaussian elimination, all matrices at once (Golub and Van Loan, section 3.4).

    Complex pivots are compared by |re| + |im|, as LAPACK does.
    """
    *batch, m, n = x.shape
    a = x.astype(wide_dtype(x.dtype))
    pivots = np.zeros((*batch, min(m, n)), _INT)
    for k in range(min(m, n)):
        column = a[..., k:, k]
        size = np.abs(column.real) + np.abs(column.imag) if a.dtype.kind == "c" else np.abs(column)
        chosen = k + np.argmax(size, -1)
        pivots[..., k] = chosen
        row = np.take_along_axis(a, chosen[..., None, None], -2)
        np.put_along_axis(a, chosen[..., None, None], a[..., k : k + 1, :], -2)
        a[..., k : k + 1, :] = row
        pivot = a[..., k, k, None]
        # A column of zeros is left as it is: there is nothing to eliminate.
        factors = np.where(pivot == 0, a[..., k + 1 :, k], a[..., k + 1 :, k] / pivot)
        a[..., k + 1 :, k] = factors
        a[..., k + 1 :, k + 1 :] -= factors[..., None] * a[..., k, None, k + 1 :]
    return [a.astype(x.dtype), pivots, _permutation(pivots, permutation_size=m)]


# Results: the packed factors, the row exchanges, the permutation of rows that they amount to.
lu_p = Primitive("lu", abstract=_lu_type, reference=_lu, multiple_results=True)


def lu(x: ArrayLike) -> tuple[Array, Array, Array]:
    """The LU decomposition of matrices with partial pivoting: x[permutation] = L U.

    Args:
        x: matrices [..., m, n] of dtype float32, float64, complex64 or complex128.

    Returns:
        `(lu, pivots, permutation)`: U in the upper triangle of `lu` [..., m, n], L below its
        diagonal, which is one; `pivots` [..., min(m, n)], int32: row i was exchanged with row
        `pivots[i]`, for i = 0, 1, ...; `permutation` [..., m], int32. Singular matrices have
        zeros on the diagonal of U.

    Raises:
        ShapeError: `x` has less than two axes.
        TypeError: the dtype is another.

    See G. Golub and C. Van Loan, Matrix Computations, section 3.4.

    >>> packed, pivots, permutation = lu(np.float32([[1, 2], [4, 4]]))
    >>> packed
    Array([[4.  , 4.  ],
           [0.25, 1.  ]], dtype=float32)
    >>> permutation
    Array([1, 0], dtype=int32)
    """
    out = lu_p.bind(x)
    return out[0], out[1], out[2]


def _permutation_type(pivots: ShapedArray, *, permutation_size: int) -> ShapedArray:
    name = "lu_pivots_to_permutation"
    if pivots.ndim < 1 or not dtypes.issubdtype(pivots.dtype, np.integer):
        raise TypeError(
            f"{name}: pivots must be integers [..., k], got {pivots.str_short()}"
        )
    if permutation_size < pivots.shape[-1]:
        raise ShapeError(
            f"{name}: permutation_size must be at least the number of pivots, "
            f"{pivots.shape[-1]} for pivots of shape {pivots.shape}; got {permutation_size}"
        )
    return ShapedArray((*pivots.shape[:-1], permutation_size), _INT)


def _permutation(pivots: np.ndarray, *, permutation_size: int) -> np.ndarray:
    shape = (*pivots.shape[:-1], permutation_size)
    permutation = np.broadcast_to(np.arange(permutation_size, dtype=_INT), shape).copy()
    for k in range(pivots.shape[-1]):
        other = pivots[..., k : k + 1].astype(np.int64)
        row = np.take_along_axis(permutation, other, -1)
        np.put_along_axis(permutation, other, permutation[..., k : k + 1], -1)
        permutation[..., k : k + 1] = row
    return permutation


def _permutation_by_operations(pivots: Any, *, permutation_size: int) -> Any:
    """Exchange after exchange, all permutations at once; few are no loop but arithmetic."""
    from ..control_flow.while_loop import fori_loop

    shape, exchanges = (*typeof(pivots).shape[:-1], permutation_size), typeof(pivots).shape[-1]
    axis = len(shape) - 1
    numbers = broadcasted_iota(_INT, shape, axis)
    if not exchanges:
        return numbers
    pivots = convert_element_type(pivots, _INT)
    if exchanges * permutation_size <= _FEW:
        return _permutation_written_out(pivots, permutation_size)

    def step(k: Any, permutation: Any) -> Any:
        def spread(x: Any) -> Any:
            return broadcast_in_dim(x, shape, tuple(range(axis)))

        other = spread(dynamic_index_in_dim(pivots, k, axis, False))
        mine = spread(dynamic_index_in_dim(permutation, k, axis, False))
        chosen = eq(numbers, other)
        named = select(chosen, permutation, full_like(permutation, 0))
        theirs = spread(reduce_sum(named, (axis,)))
        moved = select(chosen, mine, permutation)
        return select(eq(numbers, convert_element_type(k, _INT)), theirs, moved)

    return fori_loop(0, exchanges, step, numbers)


def _permutation_written_out(pivots: Any, size: int) -> Any:
    """The same without a loop: each place is an array of its own, each exchange selects."""
    axis = typeof(pivots).ndim - 1
    shape = (*typeof(pivots).shape[:-1], 1)
    places = [full(shape, i, _INT) for i in range(size)]
    for k in range(typeof(pivots).shape[-1]):
        other = slice_in_dim(pivots, k, k + 1, axis=axis)
        mine = theirs = places[k]
        for i in range(size):
            if i != k:
                chosen = eq(other, full(shape, i, _INT))
                theirs = select(chosen, places[i], theirs)
                places[i] = select(chosen, mine, places[i])
        places[k] = theirs
    return concatenate(places, axis)


lu_pivots_to_permutation_p = Primitive(
    "lu_pivots_to_permutation",
    abstract=_permutation_type,
    reference=_permutation,
    decompose=_permutation_by_operations,
)


def lu_pivots_to_permutation(pivots: ArrayLike, permutation_size: int) -> Array:
    """The permutation of rows that successive row exchanges amount to.

    Args:
        pivots: integers [..., k]: row i is exchanged with row `pivots[i]`, for i = 0, 1, ...
        permutation_size: the number of rows, at least k.

    Returns:
        int32 [..., permutation_size]: which row comes to each place.

    Raises:
        ShapeError: `permutation_size` is less than k.
        TypeError: `pivots` are no integers.

    >>> lu_pivots_to_permutation(np.int32([2, 2]), 3)
    Array([2, 0, 1], dtype=int32)
    """
    return lu_pivots_to_permutation_p.bind(pivots, permutation_size=index(permutation_size))
