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

from ...aval import ShapedArray
from ...primitive import Primitive
from ..kit import Array, ArrayLike, real_dtype
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


def _hessenberg_type(a: ShapedArray) -> list[ShapedArray]:
    batch, n, _ = matrix_shape("hessenberg", a, square=True)
    return [ShapedArray(a.shape, a.dtype), ShapedArray((*batch, max(n - 1, 0)), a.dtype)]


def _hessenberg(a: np.ndarray) -> list[np.ndarray]:
    return per_matrix(to_hessenberg, a, types_of(_hessenberg_type, a, {}))


# Results: the packed matrix, and the reflections' factors.
hessenberg_p = Primitive(
    "hessenberg", abstract=_hessenberg_type, reference=_hessenberg, multiple_results=True
)


def hessenberg(a: ArrayLike) -> tuple[Array, Array]:
    """Reduce square matrices to upper Hessenberg form by a unitary similarity.

    `a = q @ h @ q^H`, where `h` is zero below its first subdiagonal and `q` is the product of
    `n - 1` reflections. On the CPU and in NumPy only.

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
    Array([[ 1. , -3.6, -0. ],
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
    "tridiagonal", abstract=_tridiagonal_type, reference=_tridiagonal, multiple_results=True
)


def tridiagonal(a: ArrayLike, *, lower: bool = True) -> tuple[Array, Array, Array, Array]:
    """Reduce Hermitian matrices to real tridiagonal form by a unitary similarity.

    `a = q @ t @ q^H`, where `t` is symmetric and zero but for its diagonal and those beside it,
    and `q` is the product of `n - 1` reflections. On the CPU, GPUs and in NumPy.

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
