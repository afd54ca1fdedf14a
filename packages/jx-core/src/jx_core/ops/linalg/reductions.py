"""Reductions of square matrices by Householder reflections: Hessenberg and tridiagonal form.

Results are packed as LAPACK's `gehrd` and `sytrd`/`hetrd` pack them: what a reflection has made
zero holds the vector that it is made of. A reflection is `1 - tau v v^H` with `v[0] = 1`, which
is not stored. See the *LAPACK Users' Guide*, 3rd edition, "Representation of Orthogonal or
Unitary Matrices", and Golub and Van Loan, *Matrix Computations*, 4th edition, algorithms 7.4.2
and 8.3.1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...primitive import Primitive
from ..control_flow.while_loop import fori_loop
from ..elementwise import add, bitwise_and, convert_element_type, eq, gt, mul, real, select, sub
from ..indexing import dynamic_index_in_dim, dynamic_update_index_in_dim, slice_in_dim
from ..kit import Array, ArrayLike, real_dtype
from ..shape import broadcast_in_dim, full_like, rev
from .column_pivoting import reflector
from .masks import (
    adjoint_of,
    all_finite,
    conj_if_complex,
    diagonal,
    places,
    product,
    triangle,
    where_in_matrix,
)
from .spectral import from_triangle, matrix_shape, per_matrix, types_of

__all__ = ["hessenberg", "hessenberg_p", "tridiagonal", "tridiagonal_p"]


def reflection(x: np.ndarray) -> tuple[np.ndarray, Any, Any]:
    """The reflection that takes a vector to a real multiple of the first unit vector.

    Returns:
        v with v[0] = 1; tau; and beta, real, with `(1 - tau v v^H)^H x = beta e_1`.
    """
    alpha, scale = x[0], np.max(np.abs(x))
    rest = np.max(np.abs(x[1:]), initial=0.0)
    unit = np.zeros_like(x)
    unit[0] = 1
    if scale == 0 or (rest == 0 and np.imag(alpha) == 0):
        return unit, x.dtype.type(0), np.real(alpha)
    beta = -np.copysign(scale * np.linalg.norm(x / scale), np.real(alpha))
    v = x / (alpha - beta)
    v[0] = 1
    return v, (beta - alpha) / beta, beta


def reflect_left(v: np.ndarray, tau: Any, x: np.ndarray) -> None:
    """Multiply rows `x` in place by `(1 - tau v v^H)^H` from the left."""
    x -= np.conj(tau) * np.outer(v, np.conj(v) @ x)


def reflect_right(v: np.ndarray, tau: Any, x: np.ndarray) -> None:
    """Multiply columns `x` in place by `1 - tau v v^H` from the right."""
    x -= tau * np.outer(x @ v, np.conj(v))


def to_hessenberg(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A matrix in Hessenberg form, reflections below it, and their factors tau."""
    a, n = matrix.copy(), len(matrix)
    taus = np.zeros(max(n - 1, 0), a.dtype)
    for k in range(n - 1):
        v, taus[k], beta = reflection(a[k + 1 :, k])
        reflect_right(v, taus[k], a[:, k + 1 :])
        reflect_left(v, taus[k], a[k + 1 :, k + 1 :])
        a[k + 1, k] = beta
        a[k + 2 :, k] = v[1:]
    return a, taus


def _rows_and_columns(v: Any) -> tuple[Any, Any]:
    """Vectors, conjugated, as matrices of one row, and as they are as ones of one column."""
    *batch, n = typeof(v).shape
    k = len(batch)
    column = broadcast_in_dim(v, (*batch, n, 1), range(k + 1))
    row = broadcast_in_dim(conj_if_complex(v), (*batch, 1, n), (*range(k), k + 1))
    return row, column


def reflected_left(v: Any, tau: Any, x: Any) -> Any:
    """`(1 - tau v v^H)^H x`, by operations."""
    row, column = _rows_and_columns(v)
    tau = broadcast_in_dim(conj_if_complex(tau), typeof(row).shape, range(typeof(tau).ndim))
    return sub(x, product(column, product(mul(row, tau), x)))


def reflected_right(v: Any, tau: Any, x: Any) -> Any:
    """`x (1 - tau v v^H)`, by operations."""
    row, column = _rows_and_columns(v)
    tau = broadcast_in_dim(tau, typeof(row).shape, range(typeof(tau).ndim))
    return sub(x, product(product(x, column), mul(row, tau)))


def reduced(x: Any) -> tuple[Any, Any, Any]:
    """Similar matrices by reflection after reflection, for platforms without such a routine.

    Returns:
        The matrices, which are in Hessenberg form but for rounding; the reflections' vectors,
        in columns; and their factors.
    """
    *batch, n, _ = typeof(x).shape
    axis = len(batch)

    def step(k: Any, state: Any) -> Any:
        x, vectors, taus = state
        k = convert_element_type(k, np.int32)
        v, tau, _ = reflector(dynamic_index_in_dim(x, k, axis + 1, False), add(k, np.int32(1)))
        x = reflected_left(v, tau, reflected_right(v, tau, x))
        vectors = dynamic_update_index_in_dim(vectors, v, k, axis + 1)
        return x, vectors, dynamic_update_index_in_dim(taus, tau, k, axis)

    taus = full_like(x, 0, shape=(*batch, max(n - 1, 0)))
    if n < 2:
        return x, full_like(x, 0), taus
    state: tuple[Any, Any, Any] = fori_loop(0, n - 1, step, (x, full_like(x, 0), taus))
    return state


def nan_unless(finite: Any, x: Any) -> Any:
    """`x`, NaN where `finite` does not hold for its matrix, the leading axes."""
    everywhere = broadcast_in_dim(finite, typeof(x).shape, range(typeof(finite).ndim))
    return select(everywhere, x, full_like(x, np.nan))


def _hessenberg_by_operations(a: Any) -> list[Any]:
    x, vectors, taus = reduced(a)
    packed = add(triangle(x, lower=False, offset=-1), triangle(vectors, lower=True, offset=-2))
    finite = all_finite(a)
    return [nan_unless(finite, packed), nan_unless(finite, taus)]


def _tridiagonal_by_operations(a: Any, *, lower: bool) -> list[Any]:
    if not lower:
        # From the last row on: the same reduction with both axes reversed.
        n = typeof(a).ndim
        turned = _tridiagonal_by_operations(rev(a, (n - 2, n - 1)), lower=True)
        return [rev(turned[0], (n - 2, n - 1)), *(rev(y, (n - 2,)) for y in turned[1:])]
    below = triangle(a, lower=True, offset=-1)
    on = of_diagonal(real_part(diagonal(a)), a)
    x, vectors, taus = reduced(add(add(below, adjoint_of(below)), on))
    x = real_part(x)
    d, size, axis = diagonal(x), typeof(a).shape[-1], typeof(a).ndim - 2
    e = slice_in_dim(x, min(size, 1), size, axis=axis)
    e = diagonal(slice_in_dim(e, 0, max(size - 1, 0), axis=axis + 1))
    rows, columns = places(a)
    beside = where_in_matrix(eq(rows, add(columns, np.int32(1))), of_dtype(x, a))
    packed = add(add(of_diagonal(d, a), beside), triangle(vectors, lower=True, offset=-2))
    packed = select_in_matrix(gt(columns, rows), a, packed)
    finite = bitwise_and(all_finite(below), all_finite(on))
    return [nan_unless(finite, y) for y in (packed, d, e, taus)]


def real_part(x: Any) -> Any:
    """The real part; real numbers as they are."""
    return real(x) if typeof(x).dtype.kind == "c" else x


def of_dtype(x: Any, like: Any) -> Any:
    """`x` in the dtype of `like`."""
    return convert_element_type(x, typeof(like).dtype)


def of_diagonal(d: Any, like: Any) -> Any:
    """Diagonal matrices of the type of `like`, with `d` on their diagonals."""
    shape = typeof(like).shape
    filled = broadcast_in_dim(of_dtype(d, like), shape, range(len(shape) - 1))
    rows, columns = places(like)
    return where_in_matrix(eq(rows, columns), filled)


def select_in_matrix(here: Any, x: Any, y: Any) -> Any:
    """Matrices with the entries of `x` where a mask of one matrix holds, and of `y` elsewhere."""
    shape = typeof(x).shape
    return select(broadcast_in_dim(here, shape, (len(shape) - 2, len(shape) - 1)), x, y)


def _hessenberg_type(a: ShapedArray) -> list[ShapedArray]:
    batch, n, _ = matrix_shape("hessenberg", a, square=True)
    return [ShapedArray(a.shape, a.dtype), ShapedArray((*batch, max(n - 1, 0)), a.dtype)]


def _hessenberg(a: np.ndarray) -> list[np.ndarray]:
    return per_matrix(to_hessenberg, a, types_of(_hessenberg_type, a, {}))


# Results: the packed matrix, and the reflections' factors.
hessenberg_p = Primitive(
    "hessenberg",
    abstract=_hessenberg_type,
    reference=_hessenberg,
    decompose=_hessenberg_by_operations,
    multiple_results=True,
)


def hessenberg(a: ArrayLike) -> tuple[Array, Array]:
    """Reduce square matrices to upper Hessenberg form by a unitary similarity.

    `a = q @ h @ q^H`, where `h` is zero below its first subdiagonal and `q` is the product of
    `n - 1` reflections.

    Args:
        a: an array of shape (..., n, n), float32, float64, complex64 or complex128.

    Returns:
        A pair: an array of shape (..., n, n) that holds `h`, and below its subdiagonal the
        vectors of the reflections, and their factors tau of shape (..., n - 1). That is
        LAPACK's form, which `householder_product` understands.

    Raises:
        ShapeError: the matrices are not square.
        TypeError: another dtype.

    >>> h, taus = hessenberg(np.float32([[1, 2, 3], [3, 1, 2], [4, 3, 1]]))
    >>> h[:2]
    Array([[ 1. , -3.6,  0.2],
           [-5. ,  3.4,  1.2]], dtype=float32)
    """
    packed, taus = hessenberg_p.bind(a)
    return packed, taus


def to_tridiagonal(matrix: np.ndarray) -> tuple[np.ndarray, Any, Any, Any]:
    """A Hermitian matrix, of which the lower triangle is read, in tridiagonal form.

    Returns:
        The packed matrix, whose upper triangle is as it was; diagonal, subdiagonal and taus.
    """
    n = len(matrix)
    a = from_triangle(matrix, lower=True)
    packed, taus = matrix.copy(), np.zeros(max(n - 1, 0), matrix.dtype)
    off = np.zeros(max(n - 1, 0))
    for k in range(n - 1):
        v, taus[k], off[k] = reflection(a[k + 1 :, k])
        reflect_right(v, taus[k], a[k + 1 :, k + 1 :])
        reflect_left(v, taus[k], a[k + 1 :, k + 1 :])
        packed[k + 1, k] = off[k]
        packed[k + 2 :, k] = v[1:]
    diagonal = np.real(np.diag(a))
    packed[np.arange(n), np.arange(n)] = diagonal
    return packed, diagonal, off, taus


def _tridiagonal_type(a: ShapedArray, *, lower: bool) -> list[ShapedArray]:
    batch, n, _ = matrix_shape("tridiagonal", a, square=True)
    real, off = real_dtype(a.dtype), (*batch, max(n - 1, 0))
    return [
        ShapedArray(a.shape, a.dtype),
        ShapedArray((*batch, n), real),
        ShapedArray(off, real),
        ShapedArray(off, a.dtype),
    ]


def _tridiagonal(a: np.ndarray, *, lower: bool) -> list[np.ndarray]:
    def compute(matrix: np.ndarray) -> Any:
        if lower:
            return to_tridiagonal(matrix)
        # From the last row on: the same reduction with both axes reversed.
        packed, diagonal, off, taus = to_tridiagonal(matrix[::-1, ::-1])
        return packed[::-1, ::-1], diagonal[::-1], off[::-1], taus[::-1]

    types = types_of(_tridiagonal_type, a, {"lower": lower})
    return per_matrix(compute, a, types, np.tril if lower else np.triu)


# Params: lower, which triangle is read and written. Results: the packed matrix, diagonal,
# off-diagonal, and the reflections' factors.
tridiagonal_p = Primitive(
    "tridiagonal",
    abstract=_tridiagonal_type,
    reference=_tridiagonal,
    decompose=_tridiagonal_by_operations,
    multiple_results=True,
)


def tridiagonal(a: ArrayLike, *, lower: bool = True) -> tuple[Array, Array, Array, Array]:
    """Reduce Hermitian matrices to real tridiagonal form by a unitary similarity.

    `a = q @ t @ q^H`, where `t` is symmetric and zero but for its diagonal and those beside it,
    and `q` is the product of `n - 1` reflections.

    Args:
        a: an array of shape (..., n, n), float32, float64, complex64 or complex128.
        lower: which triangle is read; the other may hold anything.

    Returns:
        Four arrays: one of shape (..., n, n) that holds, in the triangle that was read, `t`
        and beyond its off-diagonal the vectors of the reflections; the diagonal, shape
        (..., n), and the off-diagonal, (..., n - 1), both real; and the reflections' factors
        tau, (..., n - 1). That is LAPACK's form.

    Raises:
        ShapeError: the matrices are not square.
        TypeError: another dtype.

    >>> _, d, e, _ = tridiagonal(np.float32([[1, 3, 4], [3, 2, 0], [4, 0, 2]]))
    >>> d, e
    (Array([1., 2., 2.], dtype=float32), Array([-5.,  0.], dtype=float32))
    """
    packed, diagonal, off, taus = tridiagonal_p.bind(a, lower=bool(lower))
    return packed, diagonal, off, taus
