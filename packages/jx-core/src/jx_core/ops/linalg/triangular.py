"""Linear systems with triangular matrices."""

from __future__ import annotations

import numpy as np

from ...aval import ShapedArray
from ...errors import ShapeError
from ...primitive import Primitive
from ..kit import Array, ArrayLike
from .spectral import matrix_shape

__all__ = ["triangular_solve", "triangular_solve_p"]


def _type(a: ShapedArray, b: ShapedArray, *, left_side: bool, **params: bool) -> ShapedArray:
    name = "triangular_solve"
    batch, m, _ = matrix_shape(f"{name}: argument a", a, square=True)
    if a.dtype != b.dtype:
        raise TypeError(
            f"{name}: a and b must have the same dtype, got {a.dtype.name} and {b.dtype.name}; "
            f"lax.convert_element_type converts"
        )
    axis = -2 if left_side else -1
    if b.ndim != a.ndim or b.shape[:-2] != batch or b.shape[axis] != m:
        want = "[..., m, n]" if left_side else "[..., n, m]"
        raise ShapeError(
            f"{name}: with a of shape {a.shape} and left_side={left_side}, b must have shape "
            f"{want} with m = {m} and the leading axes {batch}; got {b.shape}"
        )
    return b


def wide_dtype(dtype: np.dtype) -> np.dtype:
    """The double precision dtype that reference meanings are computed in."""
    return np.dtype(np.complex128 if dtype.kind == "c" else np.float64)


def solve_triangular(a: np.ndarray, b: np.ndarray, lower: bool, unit: bool) -> np.ndarray:
    """x with a x = b, by substitution: row after row, all columns and matrices at once."""
    m = a.shape[-1]
    x = np.zeros(b.shape, b.dtype)
    for i in range(m) if lower else reversed(range(m)):
        known = slice(0, i) if lower else slice(i + 1, m)
        rest = b[..., i, :] - (a[..., i, None, known] @ x[..., known, :])[..., 0, :]
        x[..., i, :] = rest if unit else rest / a[..., i, i, None]
    return x


def _solve(
    a: np.ndarray,
    b: np.ndarray,
    *,
    left_side: bool,
    lower: bool,
    transpose_a: bool,
    conjugate_a: bool,
    unit_diagonal: bool,
) -> np.ndarray:
    wide = wide_dtype(b.dtype)
    op, rhs = a.astype(wide), b.astype(wide)
    if conjugate_a:
        op = np.conj(op)
    if transpose_a != (not left_side):  # x op(a) = b is op(a)^T x^T = b^T
        op, lower = np.swapaxes(op, -1, -2), not lower
    if not left_side:
        rhs = np.swapaxes(rhs, -1, -2)
    x = solve_triangular(op, rhs, lower, unit_diagonal)
    return np.ascontiguousarray(x if left_side else np.swapaxes(x, -1, -2)).astype(b.dtype)


# Operands: a, of which one triangle is read; b. Params: as the function's.
triangular_solve_p = Primitive("triangular_solve", abstract=_type, reference=_solve)


def triangular_solve(
    a: ArrayLike,
    b: ArrayLike,
    *,
    left_side: bool = False,
    lower: bool = False,
    transpose_a: bool = False,
    conjugate_a: bool = False,
    unit_diagonal: bool = False,
) -> Array:
    """The solution x of op(a) x = b, or of x op(a) = b, with triangular a.

    Args:
        a: square matrices [..., m, m] of dtype float32, float64, complex64 or complex128.
        b: right-hand sides [..., m, n] for `left_side`, [..., n, m] otherwise; or one vector
            [..., m] for each matrix.
        left_side: whether a stands to the left of x.
        lower: whether the lower triangle of a is the matrix; the other is not read.
        transpose_a: op(a) is the transpose of a.
        conjugate_a: op(a) is the conjugate of a (or of its transpose).
        unit_diagonal: the diagonal of a is taken to be ones and not read.

    Returns:
        An array of the shape and dtype of `b`. A zero on the diagonal gives infinities and NaNs.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: the dtypes differ, or are others.

    See G. Golub and C. Van Loan, Matrix Computations, section 3.1.

    >>> triangular_solve(np.float32([[2, 0], [1, 1]]), np.float32([[2], [3]]),
    ...                  left_side=True, lower=True)
    Array([[1.],
           [2.]], dtype=float32)
    """
    from ...aval import typeof
    from ..shape import expand_dims, squeeze

    ndim = typeof(a).ndim
    vector = typeof(b).ndim == ndim - 1
    if vector:
        b = expand_dims(b, (ndim - 1 if left_side else ndim - 2,))
    out = triangular_solve_p.bind(
        a,
        b,
        left_side=bool(left_side),
        lower=bool(lower),
        transpose_a=bool(transpose_a),
        conjugate_a=bool(conjugate_a) and typeof(a).dtype.kind == "c",
        unit_diagonal=bool(unit_diagonal),
    )
    return squeeze(out, (ndim - 1 if left_side else ndim - 2,)) if vector else out
