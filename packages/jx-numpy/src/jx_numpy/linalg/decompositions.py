"""Decompositions of matrices, with NumPy's arguments and results.

The algorithms are the primitives' of `jx.lax.linalg`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jx_core import lax, typeof

from ..functions import array_function
from ..indexing import take_along_axis
from ..operands import Array, ArrayLike
from .kit import adjoint, matrices, times_columns, transposed

__all__ = ["cholesky", "eig", "eigh", "eigvals", "eigvalsh", "qr", "svd", "svdvals"]


class EigResult(NamedTuple):
    """What `eig` returns."""

    eigenvalues: Array
    eigenvectors: Array


class EighResult(NamedTuple):
    """What `eigh` returns."""

    eigenvalues: Array
    eigenvectors: Array


class QRResult(NamedTuple):
    """What `qr` returns."""

    Q: Array
    R: Array


class SVDResult(NamedTuple):
    """What `svd` returns."""

    U: Array
    S: Array
    Vh: Array


@array_function("upper", "symmetrize_input")
def cholesky(a: ArrayLike, *, upper: bool = False, symmetrize_input: bool = True) -> Array:
    """The Cholesky factor of Hermitian positive definite matrices.

    Args:
        a: an array of shape (..., n, n).
        upper: return U with `a = U^H U` in place of L with `a = L L^H`.
        symmetrize_input: work on `(a + a^H) / 2`, which also makes derivatives Hermitian.
            Otherwise only the lower triangle is read (the upper one, if `upper`).

    Returns:
        An array of shape (..., n, n); NaN where a matrix is not positive definite.

    Raises:
        ValueError: the matrices are not square.

    >>> cholesky(np.array([[4.0, 2.0], [2.0, 5.0]]))
    Array([[2., 0.],
           [1., 2.]], dtype=float32)
    """
    a = matrices("cholesky", a, square=True)
    if upper and not symmetrize_input:
        a = adjoint(a)
    factor = lax.linalg.cholesky(a, symmetrize_input=symmetrize_input)
    return adjoint(factor) if upper else factor


@array_function()
def eig(a: ArrayLike) -> EigResult:
    """Eigenvalues and right eigenvectors of square matrices.

    Args:
        a: an array of shape (..., n, n).

    Returns:
        `(eigenvalues, eigenvectors)`, complex, of shapes (..., n) and (..., n, n); the columns
        of the second are vectors of length 1. Only eigenvalues are differentiable.

    Raises:
        ValueError: the matrices are not square.

    >>> eig(np.array([[2.0, 0.0], [0.0, 3.0]])).eigenvalues
    Array([2.+0.j, 3.+0.j], dtype=complex64)
    """
    a = matrices("eig", a, square=True)
    values, vectors = lax.linalg.eig(a, compute_left_eigenvectors=False)
    return EigResult(values, vectors)


@array_function()
def eigvals(a: ArrayLike) -> Array:
    """The eigenvalues of square matrices, complex, in no order; see `eig`.

    >>> eigvals(np.array([[0.0, -1.0], [1.0, 0.0]])).imag.tolist()
    [1.0, -1.0]
    """
    a = matrices("eigvals", a, square=True)
    (values,) = lax.linalg.eig(a, compute_left_eigenvectors=False, compute_right_eigenvectors=False)
    return values


def _lower(name: str, uplo: Any) -> bool:
    if uplo in (None, "L"):
        return True
    if uplo == "U":
        return False
    raise ValueError(f"{name}: UPLO must be 'L', 'U' or None, got {uplo!r}")


@array_function("UPLO", "symmetrize_input")
def eigh(a: ArrayLike, UPLO: str | None = None, symmetrize_input: bool = True) -> EighResult:
    """Eigenvalues, ascending, and eigenvectors of Hermitian matrices.

    Args:
        a: an array of shape (..., n, n).
        UPLO: the triangle to read, `"L"` or `"U"`, where the input is not symmetrized.
        symmetrize_input: work on `(a + a^H) / 2`.

    Returns:
        `(eigenvalues, eigenvectors)`: real, of shape (..., n), and of shape (..., n, n), whose
        columns are orthonormal.

    Raises:
        ValueError: the matrices are not square, or `UPLO` is neither.

    >>> eigh(np.array([[2.0, 1.0], [1.0, 2.0]])).eigenvalues
    Array([1., 3.], dtype=float32)
    """
    a = matrices("eigh", a, square=True)
    vectors, values = lax.linalg.eigh(
        a, lower=_lower("eigh", UPLO), symmetrize_input=symmetrize_input
    )
    return EighResult(values, vectors)


@array_function("UPLO", "symmetrize_input")
def eigvalsh(a: ArrayLike, UPLO: str | None = "L", *, symmetrize_input: bool = True) -> Array:
    """The eigenvalues of Hermitian matrices, ascending; see `eigh`.

    >>> eigvalsh(np.array([[2.0, 1.0], [1.0, 2.0]]))
    Array([1., 3.], dtype=float32)
    """
    a = matrices("eigvalsh", a, square=True)
    _, values = lax.linalg.eigh(
        a, lower=_lower("eigvalsh", UPLO), symmetrize_input=symmetrize_input
    )
    return values


@array_function("mode")
def qr(a: ArrayLike, mode: str = "reduced") -> Any:
    """Matrices as the product of an orthonormal and an upper triangular one.

    Args:
        a: an array of shape (..., m, n).
        mode: with k = min(m, n): `"reduced"` for shapes (..., m, k) and (..., k, n),
            `"complete"` for (..., m, m) and (..., m, n), `"r"` for R of (..., k, n) alone,
            `"raw"` for LAPACK's packed form (transposed) and its scalar factors.

    Returns:
        `(Q, R)`, or R alone for mode `"r"`.

    Raises:
        ValueError: an unknown mode.

    >>> qr(np.ones((3, 2))).R.shape
    (2, 2)
    """
    a = matrices("qr", a)
    if mode in ("reduced", "r", "full"):
        q, r = lax.linalg.qr(a, full_matrices=False)
    elif mode == "complete":
        q, r = lax.linalg.qr(a, full_matrices=True)
    elif mode == "raw":
        packed, taus = lax.linalg.geqrf(a)
        return QRResult(transposed(packed), taus)
    else:
        raise ValueError(f"qr: mode must be 'reduced', 'complete', 'r' or 'raw', got {mode!r}")
    return r if mode == "r" else QRResult(q, r)


@array_function("full_matrices", "compute_uv", "hermitian", "subset_by_index")
def svd(
    a: ArrayLike,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
    subset_by_index: tuple[int, int] | None = None,
) -> Any:
    """Singular values, descending, and singular vectors.

    Args:
        a: an array of shape (..., m, n); k = min(m, n).
        full_matrices: whether U and Vh are square.
        compute_uv: whether to compute them at all.
        hermitian: whether the matrices are Hermitian, for which `eigh` is used.
        subset_by_index: the range of singular values to compute, (start, stop).

    Returns:
        `(U, S, Vh)` with `a = U @ diag(S) @ Vh`, or S alone: of shapes (..., m, m) or
        (..., m, k), (..., k), and (..., n, n) or (..., k, n).

    Raises:
        ValueError: `hermitian` and the matrices are not square.

    >>> svd(np.array([[0.0, 2.0], [1.0, 0.0]])).S
    Array([2., 1.], dtype=float32)
    """
    a = matrices("svd", a, square=hermitian)
    if hermitian:
        if subset_by_index is not None:
            raise ValueError("svd: subset_by_index is not for hermitian=True; slice the result")
        return _hermitian_svd(a, compute_uv)
    options: dict[str, Any] = {"full_matrices": full_matrices, "subset_by_index": subset_by_index}
    if not compute_uv:
        s = lax.linalg.svd(a, compute_uv=False, **options)
        return s
    u, s, vh = lax.linalg.svd(a, compute_uv=True, **options)
    return SVDResult(u, s, vh)


def _hermitian_svd(a: Any, compute_uv: bool) -> Any:
    """The singular values of a Hermitian matrix: the sizes of its eigenvalues."""
    vectors, values = lax.linalg.eigh(a)
    size = lax.abs(values)
    axis = typeof(values).ndim - 1
    if not compute_uv:
        return lax.rev(lax.sort(size, axis), (axis,))
    places = lax.broadcasted_iota(np.int32, typeof(values).shape, axis)
    _, order = lax.sort((lax.neg(size), places), axis, num_keys=1)
    values = take_along_axis(values, order, axis=-1)
    columns = lax.broadcast_in_dim(order, typeof(vectors).shape, (*range(axis), axis + 1))
    u = take_along_axis(vectors, columns, axis=-1)
    # Zero has no sign, and its vector needs one.
    sign = lax.select(lax.lt(values, 0), lax.full_like(values, -1), lax.full_like(values, 1))
    return SVDResult(u, lax.abs(values), adjoint(times_columns(u, sign)))


@array_function()
def svdvals(x: ArrayLike, /) -> Array:
    """The singular values, descending; see `svd`.

    >>> svdvals(np.array([[0.0, 2.0], [1.0, 0.0]]))
    Array([2., 1.], dtype=float32)
    """
    s = lax.linalg.svd(matrices("svdvals", x), compute_uv=False)
    return s
