"""What the derivatives of spectral decompositions share: scaled columns, safe quotients.

Matrices lie in the last two axes. Derivatives are those of Giles, *An extended collection of
matrix derivative results for forward and reverse mode algorithmic differentiation* (2008).
"""

from __future__ import annotations

from typing import Any

from jx_core import lax, typeof
from jx_core.ops.linalg.masks import conj_if_complex

from ..kit import beside, is_complex


def real(x: Any) -> Any:
    """The real part; real numbers as they are."""
    return lax.real(x) if is_complex(x) else x


def in_rows(w: Any, count: int) -> Any:
    """A matrix of which each of `count` rows is the vector `w`."""
    *batch, n = typeof(w).shape
    k = len(batch)
    return lax.broadcast_in_dim(w, (*batch, count, n), (*range(k), k + 1))


def in_columns(w: Any, count: int) -> Any:
    """A matrix of which each of `count` columns is the vector `w`."""
    *batch, n = typeof(w).shape
    return lax.broadcast_in_dim(w, (*batch, n, count), range(len(batch) + 1))


def column_products(x: Any, y: Any) -> Any:
    """The inner product of each column of `x`, conjugated, with that of `y`."""
    return lax.reduce_sum(lax.mul(conj_if_complex(x), y), (typeof(x).ndim - 2,))


def scale_columns(x: Any, w: Any) -> Any:
    """`x` with each column multiplied by an element of the real or complex vector `w`."""
    return lax.mul(x, in_rows(of_dtype(w, x), typeof(x).shape[-2]))


def of_dtype(w: Any, like: Any) -> Any:
    """`w` in the dtype of `like`."""
    return lax.convert_element_type(w, typeof(like).dtype)


def quotient_or_zero(x: Any) -> Any:
    """`1 / x`, but 0 where `x` is 0, with derivatives that are 0 there, too."""
    is_zero = lax.eq(x, beside(x, 0))
    safe = lax.select(is_zero, lax.full_like(x, 1), x)
    return lax.select(is_zero, lax.full_like(x, 0), lax.div(lax.full_like(x, 1), safe))


def inverse_differences(w: Any, chosen: Any) -> Any:
    """The matrix of `1 / (chosen[j] - w[i])`, with 0 where both are equal."""
    n, count = typeof(w).shape[-1], typeof(chosen).shape[-1]
    return quotient_or_zero(lax.sub(in_rows(chosen, n), in_columns(w, count)))


def columns(x: Any, start: int, stop: int, axis: int = -1) -> Any:
    """The part of `x` from `start` to `stop` along an axis."""
    shape = typeof(x).shape
    if (start, stop) == (0, shape[axis]):
        return x
    return lax.slice_in_dim(x, start, stop, axis=axis % len(shape))
