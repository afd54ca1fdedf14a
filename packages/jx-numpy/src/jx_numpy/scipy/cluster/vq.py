"""`jx.scipy.cluster.vq`: observations given the nearest entries of a code book."""

from __future__ import annotations

from jx_core import lax
from jx_core.dtypes import python_scalar_dtype
from jx_core.errors import ShapeError

from ...functions import array_function, plain
from ...linalg import norm
from ...operands import Array, ArrayLike, promote_dtypes_inexact, typeof

__all__ = ["vq"]


@array_function("check_finite")
def vq(obs: ArrayLike, code_book: ArrayLike, check_finite: bool = True) -> tuple[Array, Array]:
    """The nearest code for each observation, and its distance.

    Args:
        obs: observations: an array of shape (m, n), or (m,) for numbers.
        code_book: the codes: an array of shape (k, n), or (k,).
        check_finite: there for SciPy's sake: values are not looked at.

    Returns:
        Integers of shape (m,), the first nearest code of each observation, and floats of shape
        (m,), the Euclidean distances. The derivative of a distance at zero is zero.

    Raises:
        ShapeError: the arrays have not the same number of axes, one or two, or vectors of
            different lengths.

    >>> code, distance = jx.scipy.cluster.vq.vq(jnp.array([0.1, 2.5]), jnp.array([0.0, 2.0, 3.5]))
    >>> code, distance
    (Array([0, 1], dtype=int32), Array([0.1, 0.5], dtype=float32))
    """
    obs, code_book = promote_dtypes_inexact("jx.scipy.cluster.vq.vq", obs, code_book)
    shape, book = typeof(obs).shape, typeof(code_book).shape
    if len(shape) != len(book) or len(shape) not in (1, 2) or shape[1:] != book[1:]:
        raise ShapeError(
            f"jx.scipy.cluster.vq.vq: obs and code_book must have shapes (m, n) and (k, n), or "
            f"(m,) and (k,), got {shape} and {book}"
        )
    if not book[0]:
        raise ShapeError("jx.scipy.cluster.vq.vq: code_book must have a code at least, got none")
    if len(shape) == 1:
        obs, code_book = lax.expand_dims(obs, (1,)), lax.expand_dims(code_book, (1,))
    m, n = typeof(obs).shape
    whole = (m, book[0], n)
    difference = lax.sub(
        lax.broadcast_in_dim(obs, whole, (0, 2)), lax.broadcast_in_dim(code_book, whole, (1, 2))
    )
    distances = plain(norm)(difference, axis=-1)
    index = python_scalar_dtype(int)
    code = lax.argmin(distances, 1, index)
    chosen = lax.eq(
        lax.broadcasted_iota(index, (m, book[0]), 1),
        lax.broadcast_in_dim(code, (m, book[0]), (0,)),
    )
    nearest = lax.select(chosen, distances, lax.full_like(distances, 0))
    return code, lax.reduce_sum(nearest, (1,))
