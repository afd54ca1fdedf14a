"""Cholesky factors: of a positive definite matrix, and of one changed by a product of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..elementwise import (
    abs,
    add,
    bitwise_and,
    div,
    eq,
    lt,
    max,
    mul,
    neg,
    select,
    sqrt,
    stop_gradient,
    sub,
)
from ..indexing import dynamic_index_in_dim, dynamic_update_index_in_dim
from ..kit import Array, ArrayLike
from ..shape import broadcast_in_dim, full_like
from .eigh import symmetrize
from .masks import triangle
from .spectral import from_triangle, matrix_shape, per_matrix
from .triangular import wide_dtype

__all__ = ["cholesky", "cholesky_p", "cholesky_update", "cholesky_update_p"]


def _cholesky_type(x: ShapedArray) -> ShapedArray:
    matrix_shape("cholesky", x, square=True)
    return x.update(weak_type=False)


def _cholesky(x: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        whole = from_triangle(x, True).astype(x.dtype)
    (factor,) = per_matrix(
        lambda a: [np.linalg.cholesky(a)], whole, [ShapedArray(x.shape, x.dtype)]
    )
    return np.tril(factor)


# The lower triangle of the operand is read; above the diagonal the result is zero, and its lower
# triangle NaN where the matrix is not positive definite.
cholesky_p = Primitive("cholesky", abstract=_cholesky_type, reference=_cholesky)


def cholesky(x: ArrayLike, *, symmetrize_input: bool = True) -> Array:
    """The lower triangular L with x = L L^H and a positive diagonal.

    Args:
        x: positive definite Hermitian matrices [..., n, n] of dtype float32, float64, complex64
            or complex128.
        symmetrize_input: decompose (x + x^H) / 2; otherwise only the lower triangle is read.

    Returns:
        Matrices of the shape and dtype of `x`; NaN (in the lower triangle) for one that is not
        positive definite.

    Raises:
        ShapeError: the matrices are not square.
        TypeError: the dtype is another.

    See G. Golub and C. Van Loan, Matrix Computations, section 4.2.

    >>> cholesky(np.float32([[4, 2], [2, 5]]))
    Array([[2., 0.],
           [1., 2.]], dtype=float32)
    """
    matrix_shape("cholesky", typeof(x), square=True)
    return cholesky_p.bind(symmetrize(x) if symmetrize_input else x)


def _update_type(r: ShapedArray, w: ShapedArray) -> ShapedArray:
    name = "cholesky_update"
    batch, n, _ = matrix_shape(f"{name}: argument r_matrix", r, square=True)
    if w.shape != (*batch, n):
        raise ShapeError(
            f"{name}: with r_matrix of shape {r.shape}, w_vector must have shape {(*batch, n)}; "
            f"got {w.shape}"
        )
    if w.dtype != r.dtype or r.dtype.kind == "c":
        raise TypeError(
            f"{name}: r_matrix and w_vector must be of one real dtype, got {r.dtype.name} and "
            f"{w.dtype.name}"
        )
    return r


def _update(r: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Givens rotations (Golub and Van Loan, section 6.5.4) take w into R row by row.

    A row that nothing has to be rotated into keeps its sign; others get a positive diagonal.
    """
    wide = wide_dtype(r.dtype)
    out, v = np.triu(r).astype(wide), w.astype(wide)
    for k in range(r.shape[-1]):
        x, y = out[..., k, k], v[..., k]
        length = np.where((y == 0) & (x < 0), -1, 1) * np.hypot(x, y)
        turn = length != 0
        safe = np.where(turn, length, 1)
        c = np.where(turn, x / safe, 1)[..., None]
        s = np.where(turn, y / safe, 0)[..., None]
        row = out[..., k, :].copy()
        out[..., k, :] = c * row + s * v
        v = c * v - s * row
    return np.triu(out).astype(r.dtype)


def _rotation(x: Any, y: Any) -> tuple[Any, Any]:
    """The cosine and the sine of the rotation that takes y into x.

    The numbers are scaled first, so that their squares neither overflow nor vanish; where y is
    zero the sine still moves with it, and where both are, nothing moves.
    """
    scale = stop_gradient(max(abs(x), abs(y)))
    still = eq(scale, 0.0)
    one = full_like(x, 1)
    scale = select(still, one, scale)
    x, y = div(x, scale), div(y, scale)
    length = sqrt(select(still, one, add(mul(x, x), mul(y, y))))
    length = select(bitwise_and(eq(y, 0.0), lt(x, 0.0)), neg(length), length)
    return select(still, one, div(x, length)), div(y, length)


def _update_by_operations(r: Any, w: Any) -> Any:
    """The same, row by row in a loop."""
    from ..control_flow.while_loop import fori_loop

    shape = typeof(w).shape
    n, axis = shape[-1], len(shape) - 1

    def step(k: Any, state: Any) -> Any:
        out, v = state
        row = dynamic_index_in_dim(out, k, axis, False)
        turn = _rotation(*(dynamic_index_in_dim(x, k, axis, False) for x in (row, v)))
        c, s = (broadcast_in_dim(x, shape, tuple(range(axis))) for x in turn)
        turned = add(mul(c, row), mul(s, v))
        return dynamic_update_index_in_dim(out, turned, k, axis), sub(mul(c, v), mul(s, row))

    return triangle(fori_loop(0, n, step, (triangle(r, lower=False), w))[0], lower=False)


# Operands: an upper triangular factor R, a vector w. Result: the factor of R^T R + w w^T.
cholesky_update_p = Primitive(
    "cholesky_update", abstract=_update_type, reference=_update, decompose=_update_by_operations
)


def cholesky_update(r_matrix: ArrayLike, w_vector: ArrayLike) -> Array:
    """The upper triangular factor of R^T R + w w^T.

    Args:
        r_matrix: upper triangular factors R, [..., n, n], of dtype float32 or float64.
        w_vector: vectors w, [..., n].

    Returns:
        Upper triangular matrices of the shape and dtype of `r_matrix`.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: the dtypes differ, or are others.

    See G. Golub and C. Van Loan, Matrix Computations, section 6.5.4.

    >>> cholesky_update(np.float32([[2, 0], [0, 3]]), np.float32([0, 4]))
    Array([[2., 0.],
           [0., 5.]], dtype=float32)
    """
    return cholesky_update_p.bind(r_matrix, w_vector)
