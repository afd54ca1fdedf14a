"""Matrices with something on their diagonals, triangles, and the indices of these."""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import lax, operators
from jx_core.dtypes import python_scalar_dtype
from jx_core.errors import ShapeError
from jx_core.ops.elementwise import convert
from jx_core.symbolic import DimExpr, maximum, minimum

from ..functions import array_function, plain
from ..operands import (
    Array,
    ArrayLike,
    a_dtype,
    an_integer,
    as_operand,
    one_axis,
    refuse_out,
    typeof,
)
from ..reductions import sum as _sum
from .conversion import asarray, placed

__all__ = [
    "diag", "diag_indices", "diag_indices_from", "diagflat", "diagonal", "eye", "identity",
    "trace", "tri", "tril", "tril_indices", "tril_indices_from", "triu",
    "triu_indices", "triu_indices_from", "vander",
]  # fmt: skip

_INT32 = np.dtype(np.int32)
_INT64 = np.dtype(np.int64)
_FAR = 2**31 - 1


def _offsets(rows: int, columns: int) -> Array:
    """Column less row of each place: on which diagonal it lies."""
    row = lax.broadcasted_iota(_INT32, (rows, columns), 0)
    column = lax.broadcasted_iota(_INT32, (rows, columns), 1)
    return lax.sub(column, row)


def _within_reach(k: Any) -> Any:
    """A diagonal's number as one of int32, at the far ends for those that no matrix has."""
    if isinstance(k, int):
        return max(-_FAR, min(k, _FAR))
    if typeof(k).dtype == _INT64:
        return convert(lax.clamp(np.int64(-_FAR), k, np.int64(_FAR)), _INT32)
    return k


@array_function("rows", "columns", "dtype")
def _eye(rows: int, columns: int, k: Any, dtype: Any) -> Array:
    return convert(operators.equal(_offsets(rows, columns), k), dtype)


@array_function("rows", "columns", "dtype")
def _tri(rows: int, columns: int, k: Any, dtype: Any) -> Array:
    return convert(operators.less_equal(_offsets(rows, columns), k), dtype)


def _matrix_arguments(name: str, N: Any, M: Any, dtype: Any) -> tuple[int, int, Any]:
    rows = an_integer(name, N, "N")
    columns = rows if M is None else an_integer(name, M, "M")
    if rows < 0 or columns < 0:
        raise ValueError(f"jnp.{name}: sizes must be non-negative, got N={N}, M={M}")
    dtype = python_scalar_dtype(float) if dtype is None else a_dtype(name, dtype)
    return rows, columns, dtype


def eye(
    N: int, M: int | None = None, k: ArrayLike = 0, dtype: Any = None, *, device: Any = None
) -> Array:
    """A matrix with ones on one diagonal and zeros elsewhere.

    Args:
        N: how many rows.
        M: how many columns; N if None.
        k: the diagonal: 0 for the main one, positive for those above it.
        dtype: its dtype; the default float one if None.
        device: the device, or the sharding, to put it on.

    Raises:
        ValueError: a size is negative.

    >>> jnp.eye(2, 3, k=1)
    Array([[0., 1., 0.],
           [0., 0., 1.]], dtype=float32)
    """
    rows, columns, dtype = _matrix_arguments("eye", N, M, dtype)
    return placed(_eye(rows, columns, _within_reach(k), dtype), device)


def identity(n: int, dtype: Any = None) -> Array:
    """The identity matrix of a size.

    Args:
        n: how many rows and columns.
        dtype: its dtype; the default float one if None.

    >>> jnp.identity(2)
    Array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: ArrayLike = 0, dtype: Any = None) -> Array:
    """A matrix with ones on and below one diagonal and zeros above. Arguments as for `eye`.

    >>> jnp.tri(3)
    Array([[1., 0., 0.],
           [1., 1., 0.],
           [1., 1., 1.]], dtype=float32)
    """
    rows, columns, dtype = _matrix_arguments("tri", N, M, dtype)
    return _tri(rows, columns, _within_reach(k), dtype)


def _triangle(name: str, m: Any, k: Any, keep: Any) -> Array:
    x = as_operand(name, m)
    aval = typeof(x)
    if aval.ndim < 2:
        raise ShapeError(f"jnp.{name} takes an array of two axes at least, got shape {aval.shape}")
    mask = keep(_offsets(*aval.shape[-2:]), _within_reach(k))
    mask = lax.broadcast(mask, aval.shape[:-2])
    return lax.select(mask, x, lax.full_like(x, 0))


@array_function()
def tril(m: ArrayLike, k: ArrayLike = 0) -> Array:
    """The lower triangle of a matrix, or of a stack of them; zeros above.

    Args:
        m: an array of shape (..., rows, columns).
        k: the highest diagonal to keep: 0 for the main one, positive for those above it.

    Raises:
        ShapeError: `m` has less than two axes.

    >>> jnp.tril(jnp.ones((2, 2)))
    Array([[1., 0.],
           [1., 1.]], dtype=float32)
    """
    return _triangle("tril", m, k, operators.less_equal)


@array_function()
def triu(m: ArrayLike, k: ArrayLike = 0) -> Array:
    """The upper triangle of a matrix, or of a stack of them; zeros below.

    Args:
        m: an array of shape (..., rows, columns).
        k: the lowest diagonal to keep: 0 for the main one, positive for those above it.

    Raises:
        ShapeError: `m` has less than two axes.

    >>> jnp.triu(jnp.ones((2, 2)))
    Array([[1., 1.],
           [0., 1.]], dtype=float32)
    """
    return _triangle("triu", m, k, operators.greater_equal)


@array_function("offset", "axis1", "axis2")
def diagonal(a: ArrayLike, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Array:
    """The elements on a diagonal of a matrix, or of a stack of them.

    Args:
        a: an array of two axes at least.
        offset: the diagonal: 0 for the main one, positive for those above it.
        axis1, axis2: the axes that are rows and columns.

    Returns:
        An array without these axes, and with a last one along the diagonal.

    Raises:
        ShapeError: an axis is out of range, or both are the same.

    >>> jnp.diagonal(jnp.array([[1, 2], [3, 4]]))
    Array([1, 4], dtype=int32)
    """
    x = as_operand("diagonal", a)
    ndim = typeof(x).ndim
    if ndim < 2:
        raise ShapeError(
            f"jnp.diagonal takes an array of two axes at least, got shape {typeof(x).shape}"
        )
    row = one_axis("diagonal", axis1, ndim, "axis1")
    column = one_axis("diagonal", axis2, ndim, "axis2")
    if row == column:
        raise ShapeError(f"jnp.diagonal: axis1 and axis2 must differ, got {axis1} and {axis2}")
    order = (*[i for i in range(ndim) if i not in (row, column)], row, column)
    x = lax.transpose(x, order)
    *rest, n, m = typeof(x).shape
    k = an_integer("diagonal", offset, "offset")
    length = maximum(0, minimum(n, m - k) if k >= 0 else minimum(n + k, m))
    if type(length) is DimExpr and n is not m:
        return _diagonal_of_any(x, k, length)
    # In a flattened matrix the diagonal is every (m + 1)-th element.
    flat = lax.reshape(x, (*rest, n * m))
    start = k if k >= 0 else -k * m
    if type(length) is int and length == 0:
        start = 0
    stop = start + (length - 1) * (m + 1) + 1 if type(length) is not int or length else 0
    return lax.slice_in_dim(flat, start, stop, m + 1, axis=len(rest))


def _diagonal_of_any(x: Array, k: int, length: Any) -> Array:
    """A diagonal of matrices of which it is not known which side is longer."""
    from ..indexing.taking import take_along_axis

    shape, last = typeof(x).shape, typeof(x).ndim - 1
    row, column = max(-k, 0), max(k, 0)
    rows = lax.slice_in_dim(x, row, length + row, axis=last - 1)
    index_shape = (*shape[:-2], length, 1)
    places = lax.broadcasted_iota(np.dtype(np.int32), index_shape, last - 1)
    places = lax.add(places, np.int32(column))
    return lax.squeeze(take_along_axis(rows, places, axis=last), (last,))


@array_function("offset", "axis1", "axis2", "dtype")
def trace(
    a: ArrayLike,
    offset: int = 0,
    axis1: int = 0,
    axis2: int = 1,
    dtype: Any = None,
    out: None = None,
) -> Array:
    """The sum of the elements on a diagonal of a matrix, or of a stack of them.

    Args:
        a, offset, axis1, axis2: as for `diagonal`.
        dtype: the dtype to sum in, as for `sum`.
        out: must be None.

    Raises:
        ShapeError: an axis is out of range, or both are the same.

    >>> jnp.trace(jnp.array([[1, 2], [3, 4]]))
    Array(5, dtype=int32)
    """
    refuse_out("trace", out)
    return plain(_sum)(plain(diagonal)(a, offset, axis1, axis2), axis=-1, dtype=dtype)


@array_function("k")
def diag(v: ArrayLike, k: int = 0) -> Array:
    """A matrix with a vector on one diagonal, or the diagonal of a matrix.

    Args:
        v: an array of one axis or two.
        k: the diagonal: 0 for the main one, positive for those above it.

    Raises:
        ValueError: `v` has another number of axes.

    >>> jnp.diag(jnp.array([1, 2]))
    Array([[1, 0],
           [0, 2]], dtype=int32)
    """
    x = as_operand("diag", v)
    shape = typeof(x).shape
    if len(shape) == 2:
        return plain(diagonal)(x, k)
    if len(shape) != 1:
        raise ValueError(f"jnp.diag takes an array of one axis or two, got shape {shape}")
    n = shape[0] + abs(k)
    # Each row repeats the vector, shifted so that its own element is on the diagonal.
    padded = lax.pad(x, _zero(x), [(max(k, 0), max(-k, 0), 0)])
    rows = lax.broadcast(padded, (n,))
    return lax.select(operators.equal(_offsets(n, n), k), rows, lax.full_like(rows, 0))


def _zero(x: Any) -> Any:
    return np.zeros((), typeof(x).dtype)[()]


@array_function("k")
def diagflat(v: ArrayLike, k: int = 0) -> Array:
    """A matrix with the elements of an array, flattened, on one diagonal.

    Args:
        v: an array.
        k: the diagonal: 0 for the main one, positive for those above it.

    >>> jnp.diagflat(jnp.array([[1], [2]]))
    Array([[1, 0],
           [0, 2]], dtype=int32)
    """
    x = as_operand("diagflat", v)
    return plain(diag)(lax.reshape(x, (typeof(x).size,)), k)


@array_function("N", "increasing")
def vander(x: ArrayLike, N: int | None = None, increasing: bool = False) -> Array:
    """The Vandermonde matrix: in each row the powers of an element.

    Args:
        x: a vector.
        N: how many powers; as many as elements if None.
        increasing: whether the powers go up from 0, or down to it.

    Raises:
        ValueError: `x` is no vector, or `N` negative.

    >>> jnp.vander(jnp.array([2, 3]), 3)
    Array([[4, 2, 1],
           [9, 3, 1]], dtype=int32)
    """
    x = as_operand("vander", x)
    shape = typeof(x).shape
    if len(shape) != 1:
        raise ValueError(f"jnp.vander takes a vector, got shape {shape}")
    count = shape[0] if N is None else an_integer("vander", N, "N")
    if count < 0:
        raise ValueError(f"jnp.vander: N must be non-negative, got {N}")
    powers = lax.iota(np.dtype(np.int32), count)
    powers = powers if increasing else lax.rev(powers, (0,))
    whole = (shape[0], count)
    return operators.power(
        lax.broadcast_in_dim(x, whole, (0,)), lax.broadcast_in_dim(powers, whole, (1,))
    )


# Indices. They depend on sizes alone, so NumPy finds them.


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """The indices of the lower triangle of an (n, m) matrix, row by row.

    Args:
        n, m: the numbers of rows and columns; equal if `m` is None.
        k: the highest diagonal that counts.

    >>> jnp.tril_indices(2)
    (Array([0, 1, 1], dtype=int32), Array([0, 0, 1], dtype=int32))
    """
    return _arrays(np.tril_indices(n, k, m))


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Array, Array]:
    """The indices of the upper triangle of an (n, m) matrix, row by row.

    Args:
        n, m: the numbers of rows and columns; equal if `m` is None.
        k: the lowest diagonal that counts.

    >>> jnp.triu_indices(2)
    (Array([0, 0, 1], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    return _arrays(np.triu_indices(n, k, m))


def _arrays(indices: Any) -> tuple[Array, ...]:
    return tuple([asarray(i) for i in indices])


def _matrix_shape(name: str, arr: Any) -> tuple[int, int]:
    shape = typeof(as_operand(name, arr)).shape
    if len(shape) != 2:
        raise ValueError(f"jnp.{name} takes a matrix, got shape {shape}")
    return shape  # type: ignore[return-value]


def tril_indices_from(arr: ArrayLike, k: int = 0) -> tuple[Array, Array]:
    """The indices of the lower triangle of a matrix. See `tril_indices`.

    Raises:
        ValueError: `arr` is no matrix.

    >>> jnp.tril_indices_from(jnp.ones((2, 2)))
    (Array([0, 1, 1], dtype=int32), Array([0, 0, 1], dtype=int32))
    """
    n, m = _matrix_shape("tril_indices_from", arr)
    return tril_indices(n, k, m)


def triu_indices_from(arr: ArrayLike, k: int = 0) -> tuple[Array, Array]:
    """The indices of the upper triangle of a matrix. See `triu_indices`.

    Raises:
        ValueError: `arr` is no matrix.

    >>> jnp.triu_indices_from(jnp.ones((2, 2)))
    (Array([0, 0, 1], dtype=int32), Array([0, 1, 1], dtype=int32))
    """
    n, m = _matrix_shape("triu_indices_from", arr)
    return triu_indices(n, k, m)


def diag_indices(n: int, ndim: int = 2) -> tuple[Array, ...]:
    """The indices of the main diagonal of an array of `ndim` axes of length `n`.

    Raises:
        ValueError: a size is negative.

    >>> jnp.diag_indices(2)
    (Array([0, 1], dtype=int32), Array([0, 1], dtype=int32))
    """
    n, ndim = an_integer("diag_indices", n, "n"), an_integer("diag_indices", ndim, "ndim")
    if n < 0 or ndim < 0:
        raise ValueError(f"jnp.diag_indices: sizes must be non-negative, got n={n}, ndim={ndim}")
    return (asarray(np.arange(n)),) * ndim


def diag_indices_from(arr: ArrayLike) -> tuple[Array, ...]:
    """The indices of the main diagonal of an array all of whose axes are of one length.

    Raises:
        ValueError: `arr` has less than two axes, or lengths differ.

    >>> jnp.diag_indices_from(jnp.ones((2, 2)))
    (Array([0, 1], dtype=int32), Array([0, 1], dtype=int32))
    """
    shape = typeof(as_operand("diag_indices_from", arr)).shape
    if len(shape) < 2 or len(set(shape)) != 1:
        raise ValueError(
            f"jnp.diag_indices_from takes an array of two axes at least, all of one length, got "
            f"shape {shape}"
        )
    return diag_indices(shape[0], len(shape))
