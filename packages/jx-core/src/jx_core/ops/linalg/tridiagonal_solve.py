"""Linear systems with tridiagonal matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..elementwise import div, mul, sub
from ..kit import Array, ArrayLike
from ..shape import broadcast_in_dim, full_like, transpose
from .spectral import MATRIX_DTYPES
from .triangular import wide_dtype

__all__ = ["tridiagonal_solve", "tridiagonal_solve_p"]


def _type(
    dl: ShapedArray, d: ShapedArray, du: ShapedArray, b: ShapedArray, *, perturb_singular: bool
) -> ShapedArray:
    name = "tridiagonal_solve"
    if d.dtype.name not in MATRIX_DTYPES or any(x.dtype != d.dtype for x in (dl, du, b)):
        got = ", ".join(x.dtype.name for x in (dl, d, du, b))
        raise TypeError(
            f"{name}: dl, d, du and b must be of one dtype out of {', '.join(MATRIX_DTYPES)}; "
            f"got {got}"
        )
    if not d.shape or dl.shape != d.shape or du.shape != d.shape or b.shape[:-1] != d.shape:
        got = ", ".join(str(x.shape) for x in (dl, d, du, b))
        raise ShapeError(
            f"{name}: dl, d and du must have one shape [..., m], and b the shape [..., m, n]; got "
            f"{got}"
        )
    return b


def _solve(
    dl: np.ndarray, d: np.ndarray, du: np.ndarray, b: np.ndarray, *, perturb_singular: bool
) -> np.ndarray:
    """Gaussian elimination with partial pivoting, all systems at once.

    A row of the eliminated matrix has up to three entries: `main`, `above`, `far`.
    """
    wide = wide_dtype(b.dtype)
    m = d.shape[-1]
    lower, main, above = dl.astype(wide), d.astype(wide), du.astype(wide)
    far, x = np.zeros(d.shape, wide), b.astype(wide)
    for k in range(m - 1):
        swap = _size(lower[..., k + 1]) > _size(main[..., k])
        upper_row = [main[..., k], above[..., k], np.zeros_like(main[..., k]), x[..., k, :]]
        next_far = above[..., k + 1] if k + 2 < m else np.zeros_like(main[..., k])
        lower_row = [lower[..., k + 1], main[..., k + 1], next_far, x[..., k + 1, :]]
        pairs = zip(upper_row, lower_row, strict=True)
        rows = [_exchange(swap, p.copy(), q.copy()) for p, q in pairs]
        (p0, q0), (p1, q1), (p2, q2), (px, qx) = rows
        factor = np.where(p0 == 0, 0, q0 / np.where(p0 == 0, 1, p0))
        main[..., k], above[..., k], far[..., k], x[..., k, :] = p0, p1, p2, px
        main[..., k + 1], x[..., k + 1, :] = q1 - factor * p1, qx - factor[..., None] * px
        if k + 2 < m:
            above[..., k + 1] = q2 - factor * p2
    if perturb_singular and m:
        greatest = np.max(np.abs([main, above, far]), axis=(0, -1))[..., None]
        least = np.finfo(b.dtype).eps * greatest
        sign = np.where(main == 0, 1, main / np.where(main == 0, 1, np.abs(main)))
        main = np.where(np.abs(main) < least, sign * least, main)
    for k in reversed(range(m)):
        rest = x[..., k, :]
        for step, entries in ((1, above), (2, far)):
            if k + step < m:
                rest = rest - entries[..., k, None] * x[..., k + step, :]
        x[..., k, :] = rest / main[..., k, None]
    return x.astype(b.dtype)


def _size(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(x.real) + np.abs(x.imag))


def _exchange(swap: np.ndarray, p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    swap = swap.reshape(swap.shape + (1,) * (p.ndim - swap.ndim))
    return np.where(swap, q, p), np.where(swap, p, q)


def _by_operations(dl: Any, d: Any, du: Any, b: Any, *, perturb_singular: bool) -> Any:
    """Elimination without pivoting (L. H. Thomas, 1949), forward and back, as two loops."""
    from ..control_flow.loops import scan

    n = typeof(d).ndim - 1
    first = (n, *range(n))
    lower, main, above = (transpose(v, first) for v in (dl, d, du))
    rows = transpose(b, (n, *range(n), n + 1))
    shape = typeof(rows).shape[1:]

    def spread(v: Any) -> Any:
        return broadcast_in_dim(v, shape, tuple(range(n)))

    def forward(carry: Any, row: Any) -> Any:
        ratio, x = carry
        low, m, u, r = row
        pivot = sub(m, mul(low, ratio))
        carry = div(u, pivot), div(sub(r, mul(spread(low), x)), spread(pivot))
        return carry, carry

    def back(x: Any, row: Any) -> Any:
        ratio, r = row
        x = sub(r, mul(spread(ratio), x))
        return x, x

    start = full_like(main, 0, shape=shape[:-1]), full_like(rows, 0, shape=shape)
    _, eliminated = scan(forward, start, (lower, main, above, rows))
    _, solved = scan(back, start[1], eliminated, reverse=True)
    return transpose(solved, (*range(1, n + 1), 0, n + 1))


# Operands: the three diagonals, the right-hand sides. Params: perturb_singular.
tridiagonal_solve_p = Primitive(
    "tridiagonal_solve", abstract=_type, reference=_solve, decompose=_by_operations
)


def tridiagonal_solve(
    dl: ArrayLike, d: ArrayLike, du: ArrayLike, b: ArrayLike, *, perturb_singular: bool = False
) -> Array:
    """The solution x of A x = b with a tridiagonal matrix A.

    Args:
        dl: what lies below the diagonal, [..., m], of dtype float32, float64, complex64 or
            complex128: dl[i] = A[i, i-1], where dl[0] is not used.
        d: the diagonal, [..., m].
        du: what lies above it, [..., m]: du[i] = A[i, i+1], where du[m-1] is not used.
        b: right-hand sides [..., m, n].
        perturb_singular: change pivots that are near zero by about the rounding error of the
            greatest entry, so that a singular system has a finite solution.

    Returns:
        An array of the shape and dtype of `b`.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: the dtypes differ, or are others.

    See G. Golub and C. Van Loan, Matrix Computations, section 4.3. CPUs and GPUs pivot; a TPU
    eliminates without, which needs a diagonally dominant or positive definite matrix.

    >>> tridiagonal_solve(np.float32([0, 1]), np.float32([2, 2]), np.float32([1, 0]),
    ...                   np.float32([[3], [3]]))
    Array([[1.],
           [1.]], dtype=float32)
    """
    return tridiagonal_solve_p.bind(dl, d, du, b, perturb_singular=bool(perturb_singular))
