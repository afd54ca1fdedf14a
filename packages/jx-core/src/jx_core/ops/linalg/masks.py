"""Parts and products of matrices by `lax` functions, for what is computed of them here."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import typeof
from ..contraction import dot_general
from ..elementwise import bitwise_and, conj, eq, ge, imag, is_finite, le, real, select, sub
from ..reduction import reduce_and, reduce_sum
from ..shape import broadcast_in_dim, broadcasted_iota, full, full_like, transpose

__all__: list[str] = []


def places(x: Any) -> tuple[Any, Any]:
    """The row and the column of each entry of one matrix of `x`."""
    shape = typeof(x).shape[-2:]
    return broadcasted_iota(np.int32, shape, 0), broadcasted_iota(np.int32, shape, 1)


def where_in_matrix(keep: Any, x: Any) -> Any:
    """The entries of matrices where `keep`, a mask of one matrix, holds; others are zero."""
    aval = typeof(x)
    n = aval.ndim
    return select(broadcast_in_dim(keep, aval.shape, (n - 2, n - 1)), x, full_like(x, 0))


def triangle(x: Any, *, lower: bool, offset: int = 0) -> Any:
    """The entries on and below the diagonal `offset`, or on and above it."""
    rows, columns = places(x)
    return where_in_matrix((le if lower else ge)(sub(columns, rows), np.int32(offset)), x)


def diagonal(x: Any) -> Any:
    """The main diagonals of matrices, as vectors with an entry for each row."""
    rows, columns = places(x)
    return reduce_sum(where_in_matrix(eq(rows, columns), x), (typeof(x).ndim - 1,))


def eye(shape: tuple[int, ...], dtype: Any) -> Any:
    """Matrices with ones on their diagonals, in the last two of the axes of `shape`."""
    rows, columns = (broadcasted_iota(np.int32, shape, len(shape) - d) for d in (2, 1))
    return select(eq(rows, columns), full(shape, 1, dtype), full(shape, 0, dtype))


def swapped(x: Any) -> Any:
    """The transpose of the last two axes."""
    n = typeof(x).ndim
    return transpose(x, (*range(n - 2), n - 1, n - 2))


def adjoint_of(x: Any) -> Any:
    """The conjugate transpose of the last two axes."""
    return conj_if_complex(swapped(x))


def conj_if_complex(x: Any) -> Any:
    """The conjugate of complex numbers; real numbers as they are."""
    return conj(x) if typeof(x).dtype.kind == "c" else x


def product(x: Any, y: Any) -> Any:
    """The matrix product over the last two axes, the others being a batch."""
    n = typeof(x).ndim
    batch = tuple(range(n - 2))
    return dot_general(x, y, (((n - 1,), (n - 2,)), (batch, batch)), precision="highest")


def all_finite(x: Any) -> Any:
    """Whether each matrix has neither NaNs nor infinities."""
    n = typeof(x).ndim
    good = (
        bitwise_and(is_finite(real(x)), is_finite(imag(x)))
        if typeof(x).dtype.kind == "c"
        else is_finite(x)
    )
    return reduce_and(good, (n - 2, n - 1))
