"""Matrices that are made of the elements of vectors: Toeplitz, Hankel, companion, and others.

Each but `block_diag` takes vectors on the last axis of arrays, and so makes stacks of matrices.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes, lax, operators
from jx_core.errors import ShapeError

from ...functions import array_function, plain
from ...indexing import take
from ...operands import (
    Array,
    ArrayLike,
    an_integer,
    as_operand,
    broadcast_shapes,
    broadcast_to,
    promote_dtypes,
    promote_dtypes_inexact,
    typeof,
)

__all__ = [
    "block_diag", "circulant", "companion", "convolution_matrix", "fiedler", "fiedler_companion",
    "hankel", "leslie", "toeplitz",
]  # fmt: skip


def _arranged(vector: Any, places: Any) -> Any:
    """Matrices of the elements of vectors at places, which are all in bounds."""
    axis = typeof(vector).ndim - 1
    if typeof(vector).shape[-1] == 0:
        shape = (*typeof(vector).shape[:-1], *typeof(places).shape)
        return lax.full(shape, 0, typeof(vector).dtype)
    return plain(take)(vector, places, axis=axis, mode="clip")


def _rows_and_columns(rows: int, columns: int) -> tuple[Any, Any]:
    """The numbers of the rows and of the columns of a matrix, at each of its places."""
    shape = (rows, columns)
    return lax.broadcasted_iota(np.int32, shape, 0), lax.broadcasted_iota(np.int32, shape, 1)


def _joined(name: str, x: Any, y: Any) -> Any:
    """Vectors one after the other; the axes before the last broadcast."""
    (*batch_x, m), (*batch_y, n) = typeof(x).shape, typeof(y).shape
    batch = broadcast_shapes(name, tuple(batch_x), tuple(batch_y))
    parts = [broadcast_to(x, (*batch, m)), broadcast_to(y, (*batch, n))]
    return lax.concatenate(parts, len(batch))


def _vector(x: Any) -> Any:
    """An array of at least one axis."""
    return lax.reshape(x, (1,)) if typeof(x).ndim == 0 else x


def _with_constants(x: Any) -> Any:
    """Vectors with 0 and 1 before their elements, for `_arranged`."""
    *batch, _ = typeof(x).shape
    constants = np.array([0, 1]).astype(typeof(x).dtype)
    return lax.concatenate([broadcast_to(constants, (*batch, 2)), x], len(batch))


@array_function()
def toeplitz(c: ArrayLike, r: ArrayLike | None = None) -> Array:
    """Toeplitz matrices, which are constant along each diagonal.

    Args:
        c: the first columns, an array of shape (..., m).
        r: the first rows, of shape (..., n), whose first elements are not read; the conjugates
            of `c` if None.

    Returns:
        An array of shape (..., m, n): element i, j is `c[i - j]` on and below the diagonal and
        `r[j - i]` above. The leading axes of `c` and `r` broadcast.

    Raises:
        ValueError: the leading axes do not broadcast.

    >>> jx.scipy.linalg.toeplitz(jnp.array([1, 2, 3]), jnp.array([0, 5]))
    Array([[1, 5],
           [2, 1],
           [3, 2]], dtype=int32)
    """
    if r is None:
        (c,) = promote_dtypes("toeplitz", c)
        r = lax.conj(c) if dtypes.issubdtype(typeof(c).dtype, np.complexfloating) else c
    else:
        c, r = promote_dtypes("toeplitz", c, r)
    c, r = _vector(c), _vector(r)
    m, n = typeof(c).shape[-1], typeof(r).shape[-1]
    i, j = _rows_and_columns(m, n)
    axis = typeof(r).ndim - 1
    upper = lax.slice_in_dim(r, min(1, n), n, axis=axis)
    diagonals = _joined("toeplitz", lax.rev(c, (typeof(c).ndim - 1,)), upper)
    return _arranged(diagonals, lax.add(lax.sub(j, i), np.int32(max(m - 1, 0))))


@array_function()
def hankel(c: ArrayLike, r: ArrayLike | None = None) -> Array:
    """Hankel matrices, which are constant along each anti-diagonal.

    Args:
        c: the first columns, an array of shape (..., m).
        r: the last rows, of shape (..., n), whose first elements are not read; zeros, as many as
            in `c`, if None.

    Returns:
        An array of shape (..., m, n), whose element i, j is number i + j of `c` followed by
        `r[1:]`. The leading axes of `c` and `r` broadcast.

    Raises:
        ValueError: an argument is a scalar, or the leading axes do not broadcast.

    >>> jx.scipy.linalg.hankel(jnp.array([1, 2, 3]))
    Array([[1, 2, 3],
           [2, 3, 0],
           [3, 0, 0]], dtype=int32)
    """
    if r is None:
        (c,) = promote_dtypes("hankel", c)
        r = lax.full_like(c, 0)
    else:
        c, r = promote_dtypes("hankel", c, r)
    for name, x in (("c", c), ("r", r)):
        if typeof(x).ndim == 0:
            raise ShapeError(f"hankel: {name} must be an array of shape (..., n), got a scalar")
    n = typeof(r).shape[-1]
    i, j = _rows_and_columns(typeof(c).shape[-1], n)
    rest = lax.slice_in_dim(r, min(1, n), n, axis=typeof(r).ndim - 1)
    return _arranged(_joined("hankel", c, rest), lax.add(i, j))


@array_function()
def circulant(c: ArrayLike) -> Array:
    """Circulant matrices: each column is the one before it, moved down by one place.

    Args:
        c: the first columns, an array of shape (..., n).

    Returns:
        An array of shape (..., n, n).

    >>> jx.scipy.linalg.circulant(jnp.array([1, 2, 3]))
    Array([[1, 3, 2],
           [2, 1, 3],
           [3, 2, 1]], dtype=int32)
    """
    (c,) = promote_dtypes("circulant", c)
    c = _vector(c)
    n = typeof(c).shape[-1]
    i, j = _rows_and_columns(n, n)
    place = lax.sub(i, j)
    return _arranged(c, lax.select(lax.lt(place, 0), lax.add(place, np.int32(n)), place))


def _monic(name: str, a: Any, least: int) -> Any:
    """The coefficients after the first, over minus the first."""
    (a,) = promote_dtypes_inexact(name, a)
    a = _vector(a)
    shape, axis = typeof(a).shape, typeof(a).ndim - 1
    if shape[-1] < least:
        raise ShapeError(
            f"{name}: a must hold at least {least} coefficients on its last axis, got shape {shape}"
        )
    first = broadcast_to(lax.slice_in_dim(a, 0, 1, axis=axis), (*shape[:-1], shape[-1] - 1))
    return lax.neg(lax.div(lax.slice_in_dim(a, 1, shape[-1], axis=axis), first))


@array_function()
def companion(a: ArrayLike) -> Array:
    """Companion matrices of polynomials, whose eigenvalues are the polynomials' zeros.

    Args:
        a: coefficients from the highest power down, an array of shape (..., n + 1) with n >= 1.
            The first is not zero.

    Returns:
        An array of shape (..., n, n): the first row is `-a[1:] / a[0]`, and ones lie below the
        diagonal.

    Raises:
        ValueError: there are less than two coefficients.

    >>> jx.scipy.linalg.companion(jnp.array([1.0, -3.0, 2.0]))
    Array([[ 3., -2.],
           [ 1.,  0.]], dtype=float32)
    """
    c = _monic("companion", a, 2)
    n = typeof(c).shape[-1]
    places = np.eye(n, k=-1, dtype=np.int32)
    places[0] = 2 + np.arange(n)
    return _arranged(_with_constants(c), places)


@array_function()
def fiedler_companion(a: ArrayLike) -> Array:
    """Companion matrices of polynomials with five diagonals.

    M. Fiedler, "A note on companion matrices", Linear Algebra and its Applications 372 (2003).

    Args:
        a: coefficients from the highest power down, an array of shape (..., n + 1). The first is
            not zero.

    Returns:
        An array of shape (..., n, n), whose eigenvalues are the polynomials' zeros.

    Raises:
        ValueError: there is no coefficient.

    >>> jx.scipy.linalg.fiedler_companion(jnp.array([1.0, -3.0, 2.0]))
    Array([[ 3., -2.],
           [ 1.,  0.]], dtype=float32)
    """
    c = _monic("fiedler_companion", a, 1)
    n = typeof(c).shape[-1]
    places = np.zeros((n, n), np.int32)
    for i in range(0, n, 2):
        # Coefficient k, which has number 1 + k, stands beside the diagonal in the even rows.
        if i:
            places[i, i - 1] = 2 + i
        else:
            places[0, 0] = 2
        if i + 1 < n:
            places[i, i + 1] = 3 + i
            places[i + 1, max(i - 1, 0)] = 1
        if i + 2 < n:
            places[i, i + 2] = 1
    return _arranged(_with_constants(c), places)


@array_function()
def leslie(f: ArrayLike, s: ArrayLike) -> Array:
    """Leslie matrices, which take the numbers of a population by age to those a step later.

    P. H. Leslie, "On the use of matrices in certain population mathematics", Biometrika 33 (1945).

    Args:
        f: fecundities, an array of shape (..., n) with n >= 2.
        s: parts that survive, of shape (..., n - 1).

    Returns:
        An array of shape (..., n, n) with the first row `f`, and `s` below the diagonal.

    Raises:
        ValueError: the lengths do not fit.

    >>> jx.scipy.linalg.leslie(jnp.array([0.0, 2.0]), jnp.array([0.5]))
    Array([[0. , 2. ],
           [0.5, 0. ]], dtype=float32)
    """
    f, s = (_vector(x) for x in promote_dtypes("leslie", f, s))
    n = typeof(f).shape[-1]
    if n < 2 or typeof(s).shape[-1] != n - 1:
        raise ShapeError(
            f"leslie: f must be of shape (..., n) with n >= 2 and s of shape (..., n - 1), got "
            f"{typeof(f).shape} and {typeof(s).shape}"
        )
    places = np.zeros((n, n), np.int32)
    places[0] = 2 + np.arange(n)
    places[np.arange(1, n), np.arange(n - 1)] = 2 + n + np.arange(n - 1)
    return _arranged(_with_constants(_joined("leslie", f, s)), places)


@array_function()
def fiedler(a: ArrayLike) -> Array:
    """Fiedler matrices: how far numbers lie from each other.

    Args:
        a: an array of shape (..., n).

    Returns:
        An array of shape (..., n, n), whose element i, j is `|a[i] - a[j]|`.

    >>> jx.scipy.linalg.fiedler(jnp.array([1, 4, 9]))
    Array([[0, 3, 8],
           [3, 0, 5],
           [8, 5, 0]], dtype=int32)
    """
    (a,) = promote_dtypes("fiedler", a)
    a = _vector(a)
    *batch, n = typeof(a).shape
    axes = tuple(range(len(batch)))
    row = lax.broadcast_in_dim(a, (*batch, n, n), (*axes, len(batch) + 1))
    column = lax.broadcast_in_dim(a, (*batch, n, n), (*axes, len(batch)))
    if dtypes.issubdtype(typeof(a).dtype, np.complexfloating):
        return lax.abs(lax.sub(column, row))
    # Differences of unsigned integers would wrap around where they are negative.
    return lax.sub(lax.max(column, row), lax.min(column, row))


@array_function("n", "mode")
def convolution_matrix(a: ArrayLike, n: int, mode: str = "full") -> Array:
    """Matrices that convolve: `convolution_matrix(a, n, mode) @ v` is `convolve(a, v, mode)`.

    Args:
        a: what to convolve with, an array of shape (..., m) with m >= 1.
        n: how many elements `v` has, positive.
        mode: `"full"`, `"same"` or `"valid"`; see `jx.numpy.convolve`.

    Returns:
        An array of shape (..., k, n) with k = m + n - 1, max(m, n) or max(m, n) - min(m, n) + 1.

    Raises:
        ValueError: an unknown mode, or `a` or `v` would be empty.

    >>> jx.scipy.linalg.convolution_matrix(jnp.array([1, 2]), 3, "valid")
    Array([[2, 1, 0],
           [0, 2, 1]], dtype=int32)
    """
    (a,) = promote_dtypes("convolution_matrix", a)
    n = an_integer("convolution_matrix", n, "n")
    if n < 1:
        raise ValueError(f"convolution_matrix: n must be a positive integer, got {n}")
    shape = typeof(a).shape
    if not shape or shape[-1] < 1:
        raise ShapeError(f"convolution_matrix: a must be of shape (..., m), m >= 1, got {shape}")
    m = shape[-1]
    least, greatest = min(m, n), max(m, n)
    kept = {
        "full": (0, m + n - 1),
        "same": ((least - 1) // 2, greatest),
        "valid": (least - 1, greatest - least + 1),
    }
    if mode not in kept:
        raise ValueError(
            f"convolution_matrix: mode must be 'full', 'same' or 'valid', got {mode!r}"
        )
    first, rows = kept[mode]
    i, j = _rows_and_columns(rows, n)
    zero = np.zeros((), typeof(a).dtype)[()]
    padded = lax.pad(a, zero, [(0, 0, 0)] * (len(shape) - 1) + [(n - 1, n - 1, 0)])
    return _arranged(padded, lax.add(lax.sub(i, j), np.int32(first + n - 1)))


@array_function()
def block_diag(*arrs: ArrayLike) -> Array:
    """A matrix with given blocks along its diagonal, and zeros elsewhere.

    Args:
        *arrs: matrices; a vector is a row, and a number a matrix of 1 by 1. With none of them
            the result is of shape (1, 0).

    Returns:
        A matrix whose lengths are the sums of theirs.

    Raises:
        ValueError: an argument has more than two axes.

    >>> jx.scipy.linalg.block_diag(jnp.ones((2, 1)), jnp.array([3.0, 4.0]))
    Array([[1., 0., 0.],
           [1., 0., 0.],
           [0., 3., 4.]], dtype=float32)
    """
    arrays = [as_operand("block_diag", x, i) for i, x in enumerate(arrs)]
    for i, x in enumerate(arrays):
        if typeof(x).ndim > 2:
            raise ShapeError(
                f"block_diag takes arrays of at most 2 axes, got shape {typeof(x).shape} at "
                f"position {i}"
            )
    if not arrays:
        return lax.full((1, 0), 0, dtypes.python_scalar_dtype(float))
    blocks = [lax.broadcast_to_rank(x, 2) for x in promote_dtypes("block_diag", *arrays)]
    columns = sum(typeof(x).shape[1] for x in blocks)
    zero = np.zeros((), typeof(blocks[0]).dtype)[()]
    rows, before = [], 0
    for x in blocks:
        after = columns - before - typeof(x).shape[1]
        rows.append(lax.pad(x, zero, [(0, 0, 0), (before, after, 0)]))
        before += typeof(x).shape[1]
    return lax.concatenate(rows, 0) if len(rows) > 1 else operators.add(rows[0], zero)
