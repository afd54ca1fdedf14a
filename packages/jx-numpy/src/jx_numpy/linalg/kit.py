"""What the functions of linear algebra share: checks of shapes, transposes, identity matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jx_core import dtypes, lax, typeof
from jx_core.errors import ShapeError

from ..operands import ArrayLike, inexact


def matrices(name: str, x: ArrayLike, *, square: bool = False) -> Any:
    """The operand of the function `name`: matrices of inexact numbers.

    Raises:
        ShapeError: it has fewer than two axes, or the matrices are not square.
    """
    x = inexact(name, x)
    shape = typeof(x).shape
    if len(shape) < 2:
        raise ShapeError(f"{name} takes arrays of matrices, of shape (..., m, n), got {shape}")
    if square and shape[-1] != shape[-2]:
        raise ShapeError(f"{name} takes square matrices, of shape (..., n, n), got {shape}")
    return x


def transposed(x: Any) -> Any:
    """The matrices transposed."""
    ndim = typeof(x).ndim
    return lax.transpose(x, (*range(ndim - 2), ndim - 1, ndim - 2))


def adjoint(x: Any) -> Any:
    """The matrices transposed and conjugated."""
    x = transposed(x)
    return lax.conj(x) if dtypes.issubdtype(typeof(x).dtype, np.complexfloating) else x


def eye(n: int, dtype: Any, batch: Sequence[int] = ()) -> Any:
    """Identity matrices."""
    shape = (*batch, n, n)
    rows, columns = (lax.broadcasted_iota(np.int32, shape, len(shape) - k) for k in (2, 1))
    return lax.convert_element_type(lax.eq(rows, columns), dtype)


def diagonal_of(x: Any, offset: int = 0) -> Any:
    """Diagonals of matrices, on a last axis of their own."""
    *batch, rows, columns = typeof(x).shape
    first, second = max(-offset, 0), max(offset, 0)
    n = max(min(rows - first, columns - second), 0)
    # Element i of the diagonal is number (first + i) * columns + second + i of the flat matrix.
    flat = lax.reshape(x, (*batch, rows * columns))
    if n == 0:
        return lax.slice_in_dim(flat, 0, 0, axis=-1)
    start = first * columns + second
    stop = start + (n - 1) * (columns + 1) + 1
    return lax.slice_in_dim(flat, start, stop, columns + 1, axis=-1)


def trace_of(x: Any) -> Any:
    """The traces of square matrices."""
    d = diagonal_of(x)
    return lax.reduce_sum(d, (typeof(d).ndim - 1,))


def times_columns(x: Any, factors: Any) -> Any:
    """The matrices with each column times its factor: `x @ diag(factors)`."""
    ndim = typeof(x).ndim
    along = (*range(ndim - 2), ndim - 1)
    factors = lax.convert_element_type(factors, typeof(x).dtype)
    return lax.mul(x, lax.broadcast_in_dim(factors, typeof(x).shape, along))


def real_dtype(dtype: Any) -> Any:
    """The dtype of the real and imaginary parts."""
    return dtypes.finfo(dtype).dtype
