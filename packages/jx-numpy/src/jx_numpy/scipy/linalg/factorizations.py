"""Factorizations of matrices with SciPy's arguments: Cholesky, LU, QR, singular values, polar.

Arguments named `overwrite_*`, `check_finite`, `lwork` and `lapack_driver` are SciPy's and have no
effect: arrays are immutable, and LAPACK is not always what computes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes, lax, typeof
from jx_core.errors import ShapeError
from jx_core.ops.linalg.masks import triangle

from ...contraction.products import _matmul
from ...functions import array_function, plain
from ...linalg import decompositions
from ...linalg.kit import adjoint, eye, matrices, real_dtype, times_columns
from ...operands import Array, ArrayLike, promote_dtypes_inexact

__all__ = ["cho_factor", "cholesky", "lu", "lu_factor", "polar", "qr", "qr_multiply", "svd"]


def cholesky_factor(a: Any, lower: bool) -> Any:
    """The factor of matrices of which one triangle is read; zero in the other one."""
    factor = lax.linalg.cholesky(a if lower else adjoint(a), symmetrize_input=False)
    return factor if lower else adjoint(factor)


@array_function("lower", "overwrite_a", "check_finite")
def cholesky(
    a: ArrayLike, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Array:
    """The Cholesky factor of Hermitian positive definite matrices.

    Args:
        a: an array of shape (..., n, n), of which one triangle is read.
        lower: read the lower triangle and return L with `a = L L^H`; otherwise read the upper
            one and return U with `a = U^H U`.
        overwrite_a, check_finite: no effect.

    Returns:
        An array of shape (..., n, n); NaN where a matrix is not positive definite.

    Raises:
        ValueError: the matrices are not square.

    >>> jx.scipy.linalg.cholesky(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
    Array([[2., 1.],
           [0., 2.]], dtype=float32)
    """
    return cholesky_factor(matrices("cholesky", a, square=True), lower)


def cho_factor(
    a: ArrayLike, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Array, bool]:
    """The Cholesky factor of matrices, as `cho_solve` takes it.

    Args:
        a, lower, overwrite_a, check_finite: as for `cholesky`.

    Returns:
        `(factor, lower)`; the triangle that is not the factor's is zero.

    Raises:
        ValueError: the matrices are not square.

    >>> c, lower = jx.scipy.linalg.cho_factor(jnp.array([[4.0, 2.0], [2.0, 5.0]]))
    >>> c.tolist(), lower
    ([[2.0, 1.0], [0.0, 2.0]], False)
    """
    return cholesky(a, lower=lower), lower


@array_function("overwrite_a", "check_finite")
def lu_factor(
    a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True
) -> tuple[Array, Array]:
    """LU factors with exchanges of rows, as `lu_solve` takes them.

    Args:
        a: an array of shape (..., m, n).
        overwrite_a, check_finite: no effect.

    Returns:
        `(lu, pivots)`: U in the upper triangle of `lu`, of shape (..., m, n), and L, whose
        diagonal is 1, below; int32 `pivots` of shape (..., min(m, n)): row i was exchanged with
        row `pivots[i]`.

    >>> lu, pivots = jx.scipy.linalg.lu_factor(jnp.array([[1.0, 2.0], [2.0, 2.0]]))
    >>> lu.tolist(), pivots.tolist()
    ([[2.0, 2.0], [0.5, 1.0]], [1, 1])
    """
    factors, pivots, _ = lax.linalg.lu(matrices("lu_factor", a))
    return factors, pivots


@array_function("permute_l", "overwrite_a", "check_finite")
def lu(
    a: ArrayLike, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """Matrices as the product of a permutation, a lower and an upper triangular one.

    Args:
        a: an array of shape (..., m, n); k = min(m, n).
        permute_l: give the product of the first two.
        overwrite_a, check_finite: no effect.

    Returns:
        `(p, l, u)` with `a = p @ l @ u`, of shapes (..., m, m), (..., m, k) and (..., k, n); or
        `(p @ l, u)`.

    >>> p, l, u = jx.scipy.linalg.lu(jnp.array([[1.0, 2.0], [2.0, 2.0]]))
    >>> p.tolist(), l.tolist(), u.tolist()
    ([[0.0, 1.0], [1.0, 0.0]], [[1.0, 0.0], [0.5, 1.0]], [[2.0, 2.0], [0.0, 1.0]])
    """
    a = matrices("lu", a)
    *batch, m, n = typeof(a).shape
    k = min(m, n)
    factors, _, permutation = lax.linalg.lu(a)
    axis = len(batch)
    below = triangle(lax.slice_in_dim(factors, 0, k, axis=axis + 1), lower=True, offset=-1)
    unit = lax.pad(
        eye(k, typeof(a).dtype, batch),
        np.zeros((), typeof(a).dtype)[()],
        [(0, 0, 0)] * axis + [(0, m - k, 0), (0, 0, 0)],
    )
    lower = lax.add(below, unit)
    upper = triangle(lax.slice_in_dim(factors, 0, k, axis=axis), lower=False)
    shape = (*batch, m, m)
    rows = lax.broadcasted_iota(np.int32, shape, axis)
    goes_to = lax.broadcast_in_dim(permutation, shape, (*range(axis), axis + 1))
    p = lax.convert_element_type(lax.eq(rows, goes_to), real_dtype(typeof(a).dtype))
    if permute_l:
        return _matmul(lax.convert_element_type(p, typeof(a).dtype), lower), upper
    return p, lower, upper


@array_function("overwrite_a", "lwork", "mode", "pivoting", "check_finite")
def qr(
    a: ArrayLike,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: str = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """Matrices as the product of an orthonormal and an upper triangular one.

    Args:
        a: an array of shape (..., m, n); k = min(m, n).
        mode: `"full"` for Q and R of shapes (..., m, m) and (..., m, n); `"economic"` for
            (..., m, k) and (..., k, n); `"r"` for the full R alone.
        pivoting: order the columns so that the diagonal of R decreases in size, and return the
            order too: `a[:, columns] = Q @ R`.
        overwrite_a, lwork, check_finite: no effect.

    Returns:
        `(Q, R)`, `(R,)`, or these and the int32 `columns` of shape (..., n).

    Raises:
        ValueError: an unknown mode.

    >>> q, r = jx.scipy.linalg.qr(jnp.ones((3, 2)), mode="economic")
    >>> q.shape, r.shape
    ((3, 2), (2, 2))
    """
    a = matrices("qr", a)
    if mode not in ("full", "r", "economic"):
        raise ValueError(f"qr: mode must be 'full', 'r' or 'economic', got {mode!r}")
    q, *rest = lax.linalg.qr(a, pivoting=pivoting, full_matrices=mode != "economic")
    return tuple(rest) if mode == "r" else (q, *rest)


@array_function("mode", "pivoting", "conjugate", "overwrite_a", "overwrite_c")
def qr_multiply(
    a: ArrayLike,
    c: ArrayLike,
    mode: str = "right",
    pivoting: bool = False,
    conjugate: bool = False,
    overwrite_a: bool = False,
    overwrite_c: bool = False,
) -> Any:
    """The product of the Q of a QR decomposition with a matrix, and R.

    Args:
        a: the matrices to decompose, of shape (..., m, n); k = min(m, n).
        c: what to multiply with: of shape (..., k, p) or (k,) for mode `"left"`, (..., p, m) or
            (m,) for mode `"right"`.
        mode: on which side of `c` Q stands to the other: `"left"` for `Q @ c`, `"right"` for
            `c @ Q`.
        pivoting: as for `qr`.
        conjugate: take the conjugate of Q.
        overwrite_a, overwrite_c: no effect.

    Returns:
        `(product, R)`, with the columns' order besides if `pivoting`: the product of shape
        (..., m, p), (..., p, k), or of one axis where `c` is a vector; R of shape (..., k, n).

    Raises:
        ValueError: an unknown mode, or the shapes do not fit.

    >>> a = jnp.array([[3.0], [4.0]])
    >>> product, r = jx.scipy.linalg.qr_multiply(a, jnp.array([3.0, 4.0]))
    >>> bool(jnp.allclose(product * r[0], 25.0))
    True
    """
    if mode not in ("left", "right"):
        raise ValueError(f"qr_multiply: mode must be 'left' or 'right', got {mode!r}")
    a = matrices("qr_multiply", a)
    a, c = promote_dtypes_inexact("qr_multiply", a, c)
    q, r, *columns = lax.linalg.qr(a, pivoting=pivoting, full_matrices=False)
    shape = typeof(c).shape
    m, k = typeof(q).shape[-2:]
    length = k if mode == "left" else m
    if not shape or shape[-2 if mode == "left" and len(shape) > 1 else -1] != length:
        wanted = f"({k},) or (..., {k}, p)" if mode == "left" else f"({m},) or (..., p, {m})"
        raise ShapeError(
            f"qr_multiply: c must be of shape {wanted} for mode {mode!r} and a of shape "
            f"{typeof(a).shape}, got {shape}"
        )
    if conjugate and dtypes.issubdtype(typeof(q).dtype, np.complexfloating):
        q = lax.conj(q)
    product = _matmul(q, c) if mode == "left" else _matmul(c, q)
    return (product, r, *columns)


@array_function("full_matrices", "compute_uv", "overwrite_a", "check_finite", "lapack_driver")
def svd(
    a: ArrayLike,
    full_matrices: bool = True,
    compute_uv: bool = True,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: str = "gesdd",
) -> Any:
    """Singular values, descending, and singular vectors; see `jx.numpy.linalg.svd`.

    Args:
        a: an array of shape (..., m, n); k = min(m, n).
        full_matrices: whether U and Vh are square.
        compute_uv: whether to compute them at all.
        overwrite_a, check_finite, lapack_driver: no effect.

    Returns:
        `(U, s, Vh)` with `a = U @ diag(s) @ Vh`, or s alone.

    >>> jx.scipy.linalg.svd(jnp.array([[0.0, 2.0], [1.0, 0.0]]), compute_uv=False)
    Array([2., 1.], dtype=float32)
    """
    result = plain(decompositions.svd)(a, full_matrices=full_matrices, compute_uv=compute_uv)
    return tuple(result) if compute_uv else result


@array_function("side", "method", "eps", "max_iterations")
def polar(
    a: ArrayLike,
    side: str = "right",
    *,
    method: str = "qdwh",
    eps: float | None = None,
    max_iterations: int | None = None,
) -> tuple[Array, Array]:
    """The polar decomposition: a unitary and a Hermitian factor that is not negative.

    N. J. Higham, Functions of Matrices (2008), chapter 8.

    Args:
        a: an array of shape (..., m, n).
        side: `"right"` for `a = u @ p`, `"left"` for `a = p @ u`.
        method: `"qdwh"`, by dynamically weighted Halley iterations, or `"svd"`.
        eps: singular values below this part of the greatest count as zero in the iterations; the
            resolution of the dtype if None.
        max_iterations: how many of them there are at most, 10 if None.

    Returns:
        `(u, p)`: u of shape (..., m, n), with orthonormal columns, or rows where there are fewer
        of them; p of shape (..., n, n), or (..., m, m) for side `"left"`.

    Raises:
        ValueError: an unknown side or method.

    >>> u, p = jx.scipy.linalg.polar(jnp.array([[0.0, -2.0], [3.0, 0.0]]), method="svd")
    >>> bool(jnp.allclose(u, jnp.array([[0.0, -1.0], [1.0, 0.0]]), atol=1e-6))
    True
    """
    a = matrices("polar", a)
    if side not in ("right", "left"):
        raise ValueError(f"polar: side must be 'right' or 'left', got {side!r}")
    if method not in ("qdwh", "svd"):
        raise ValueError(f"polar: method must be 'qdwh' or 'svd', got {method!r}")
    if method == "svd":
        w, s, vh = plain(decompositions.svd)(a, full_matrices=False)
        u = _matmul(w, vh)
        if side == "right":
            return u, _matmul(times_columns(adjoint(vh), s), vh)
        return u, _matmul(times_columns(w, s), adjoint(w))
    m, n = typeof(a).shape[-2:]
    # The iteration is for matrices that are not wide. The adjoint's factors are the adjoints'.
    x = a if m >= n else adjoint(a)
    u, h, *_ = lax.linalg.qdwh(x, eps=eps, max_iterations=max_iterations)
    if m < n:
        u = adjoint(u)
    if (side == "right") == (m >= n):
        return u, h
    product = _matmul(adjoint(u), a) if side == "right" else _matmul(a, adjoint(u))
    return u, _hermitian(product)


def _hermitian(x: Any) -> Any:
    """The Hermitian part of matrices."""
    return lax.mul(lax.add(x, adjoint(x)), 0.5)
