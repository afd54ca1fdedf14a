"""Linear systems with tridiagonal matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..control_flow.scan import scan
from ..elementwise import (
    abs,
    add,
    convert_element_type,
    div,
    eq,
    gt,
    imag,
    lt,
    max,
    mul,
    real,
    select,
    sign,
    sub,
)
from ..indexing import index_in_dim, slice_in_dim
from ..kit import Array, ArrayLike
from ..reduction import reduce_max, reduce_or
from ..shape import broadcast_in_dim, concatenate, full_like, transpose
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
    above[..., m - 1 :] = 0  # nothing lies to the right of the last row's diagonal
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
    failed = (main == 0).any(-1)
    main = np.where(main == 0, 1, main)
    for k in reversed(range(m)):
        rest = x[..., k, :]
        for step, entries in ((1, above), (2, far)):
            if k + step < m:
                rest = rest - entries[..., k, None] * x[..., k + step, :]
        x[..., k, :] = rest / main[..., k, None]
    return np.where(failed[..., None, None], np.nan, x).astype(b.dtype)


def _size(x: np.ndarray) -> np.ndarray:
    return np.asarray(np.abs(x.real) + np.abs(x.imag))


def _exchange(swap: np.ndarray, p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    swap = swap.reshape(swap.shape + (1,) * (p.ndim - swap.ndim))
    return np.where(swap, q, p), np.where(swap, p, q)


def _by_operations(dl: Any, d: Any, du: Any, b: Any, *, perturb_singular: bool) -> Any:
    """The same in two loops over the rows, all systems at once."""
    m, n = typeof(d).shape[-1], typeof(d).ndim - 1
    if not m:
        return b
    first = (n, *range(n))
    lower, main, above = (transpose(v, first) for v in (dl, d, du))
    rows = transpose(b, (*first, n + 1))
    # Nothing lies to the right of the last row's diagonal.
    above = _joined(slice_in_dim(above, 0, m - 1), full_like(slice_in_dim(above, 0, 1), 0))
    main, above, far, rows = _eliminated(lower, main, above, rows)
    failed = None
    if perturb_singular:
        main = _perturbed(main, above, far)
    else:
        failed = reduce_or(eq(main, full_like(main, 0)), (0,))
    solved = transpose(_substituted(main, above, far, rows), (*range(1, n + 1), 0, n + 1))
    if failed is None:
        return solved
    failed = broadcast_in_dim(failed, typeof(b).shape, tuple(range(n)))
    return select(failed, full_like(solved, np.nan), solved)


def _joined(*parts: Any) -> Any:
    return concatenate(parts, 0)


def _spread(v: Any, rows: Any) -> Any:
    """Numbers for each system beside its right-hand sides."""
    return broadcast_in_dim(v, typeof(rows).shape, tuple(range(typeof(v).ndim)))


def _eliminated(lower: Any, main: Any, above: Any, rows: Any) -> tuple[Any, ...]:
    """The diagonals of the upper triangular matrix, and the right-hand sides that go with it."""
    m = typeof(main).shape[0]

    def step(row: Any, below: Any) -> Any:
        p, q, x = row
        low, d, u, b = below
        none = full_like(p, 0)
        swap = gt(_cabs1(low), _cabs1(p))
        swap_x = _spread(swap, x)
        pivot, right, far = select(swap, low, p), select(swap, d, q), select(swap, u, none)
        rhs = select(swap_x, b, x)
        zero = eq(pivot, none)
        factor = select(zero, none, div(select(swap, p, low), select(zero, full_like(p, 1), pivot)))
        new = (
            sub(select(swap, q, d), mul(factor, right)),
            sub(select(swap, none, u), mul(factor, far)),
            sub(select(swap_x, x, b), mul(_spread(factor, x), rhs)),
        )
        return new, (pivot, right, far, rhs)

    first = [index_in_dim(v, 0, keepdims=False) for v in (main, above, rows)]
    others = [slice_in_dim(v, 1, m) for v in (lower, main, above, rows)]
    (p, q, x), (mains, aboves, fars, xs) = scan(step, tuple(first), tuple(others))
    last = (p, q, full_like(p, 0), x)
    return tuple(
        _joined(v, broadcast_in_dim(end, (1, *typeof(end).shape), tuple(range(1, typeof(v).ndim))))
        for v, end in zip((mains, aboves, fars, xs), last, strict=True)
    )


def _cabs1(x: Any) -> Any:
    return add(abs(real(x)), abs(imag(x))) if typeof(x).dtype.kind == "c" else abs(x)


def _perturbed(main: Any, above: Any, far: Any) -> Any:
    """Pivots of at least the rounding error of the greatest entry."""
    sizes = [reduce_max(abs(v), (0,)) for v in (main, above, far)]
    greatest = max(max(sizes[0], sizes[1]), sizes[2])
    least = mul(greatest, full_like(greatest, np.finfo(typeof(main).dtype).eps))
    shape = typeof(main).shape
    least = broadcast_in_dim(least, shape, tuple(range(1, len(shape))))
    zero, one = full_like(main, 0), full_like(main, 1)
    direction = select(eq(main, zero), one, sign(main))
    shift = convert_element_type(least, typeof(main).dtype)
    return select(lt(abs(main), least), mul(direction, shift), main)


def _substituted(main: Any, above: Any, far: Any, rows: Any) -> Any:
    """The solution from the last row up."""

    def step(known: Any, row: Any) -> Any:
        x1, x2 = known
        d, u, f, b = row
        rest = sub(sub(b, mul(_spread(u, b), x1)), mul(_spread(f, b), x2))
        x = div(rest, _spread(d, b))
        return (x, x1), x

    none = full_like(index_in_dim(rows, 0, keepdims=False), 0)
    return scan(step, (none, none), (main, above, far, rows), reverse=True)[1]


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
        An array of the shape and dtype of `b`; NaN for a system whose matrix is found singular.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: the dtypes differ, or are others.

    Gaussian elimination with partial pivoting; see G. Golub and C. Van Loan, Matrix
    Computations, section 4.3.

    >>> tridiagonal_solve(np.float32([0, 1]), np.float32([2, 2]), np.float32([1, 0]),
    ...                   np.float32([[3], [3]]))
    Array([[1.],
           [1.]], dtype=float32)
    """
    return tridiagonal_solve_p.bind(dl, d, du, b, perturb_singular=bool(perturb_singular))
