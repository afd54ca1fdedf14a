"""Eigenvalues and eigenvectors of Hermitian matrices."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...primitive import Primitive
from ..elementwise.arithmetic import add, mul
from ..kit import Array, ArrayLike, real_dtype
from .masks import adjoint_of
from .spectral import Choice, chosen, matrix_shape, per_matrix, subset, types_of

__all__ = ["EighImplementation", "eigh", "eigh_p"]


class EighImplementation(Choice):
    """Algorithms for the eigenvalues of Hermitian matrices.

    QR is what LAPACK and cuSOLVER do after a reduction to tridiagonal form; JACOBI is cyclic
    Jacobi rotations; QDWH divides the spectrum by polar decompositions.

    >>> [implementation.value for implementation in EighImplementation][:2]
    ['qr', 'jacobi']
    """

    QR = "qr"
    JACOBI = "jacobi"
    QDWH = "qdwh"


def _eigh_type(
    x: ShapedArray, *, lower: bool, sort_eigenvalues: bool, subset_by_index: Any, algorithm: Any
) -> list[ShapedArray]:
    batch, n, _ = matrix_shape("eigh", x, square=True)
    start, stop = subset("eigh", subset_by_index, n)
    count = stop - start
    return [
        ShapedArray((*batch, n, count), x.dtype),
        ShapedArray((*batch, count), real_dtype(x.dtype)),
    ]


def _eigh(x: np.ndarray, **params: Any) -> list[np.ndarray]:
    start, stop = subset("eigh", params["subset_by_index"], x.shape[-1])
    lower = params["lower"]

    def compute(matrix: np.ndarray) -> Any:
        w, v = np.linalg.eigh(matrix, "L" if lower else "U")
        return v[:, start:stop], w[start:stop]

    return per_matrix(
        compute, x, types_of(_eigh_type, x, params), np.tril if lower else np.triu
    )


# Params: lower, which triangle is read; sort_eigenvalues, whether they must come in ascending
# order; subset_by_index, a range (start, stop) of them, or None for all; algorithm, an
# EighImplementation or None. Results: eigenvectors, then eigenvalues.
eigh_p = Primitive("eigh", abstract=_eigh_type, reference=_eigh, multiple_results=True)


def symmetrize(x: Any) -> Any:
    """The Hermitian part of square matrices."""
    return mul(add(x, adjoint_of(x)), 0.5)


def eigh(
    x: ArrayLike,
    *,
    lower: bool = True,
    symmetrize_input: bool = True,
    sort_eigenvalues: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    implementation: EighImplementation | None = None,
) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of Hermitian matrices: `x @ v = v * w`.

    Eigenvectors are unique up to a factor of modulus 1 (a sign), and where eigenvalues are
    equal up to a rotation among them. Derivatives take the part of the change of each
    eigenvector that is orthogonal to it. Where eigenvalues are exactly equal, the part along
    the other eigenvectors of the same value, which does not exist, is taken to be zero: so
    derivatives of functions of the eigenvalues alone, and of the projectors onto whole
    eigenspaces, are right there, while others (of a matrix function `v * g(w) @ v^H`, say) lack
    terms.

    Args:
        x: an array of shape (..., n, n), float32, float64, complex64 or complex128.
        lower: which triangle is read, if the input is not symmetrized; the other may hold
            anything.
        symmetrize_input: whether to decompose `(x + x^H) / 2`.
        sort_eigenvalues: whether eigenvalues must be in ascending order, which costs nothing
            but on a TPU.
        subset_by_index: a range (start, stop): only these of the eigenvalues in ascending
            order.
        implementation: the algorithm, one that the platform has; chosen by it if left out.

    Returns:
        Eigenvectors `v` of shape (..., n, k), in columns of length 1, and real eigenvalues `w`
        of shape (..., k). A matrix with NaNs or infinities gives NaN.

    Raises:
        ShapeError: the matrices are not square.
        TypeError: another dtype, or an implementation of another kind.
        ValueError: `subset_by_index` is out of range.

    See Golub and Van Loan, *Matrix Computations*, 4th edition, chapter 8; for the derivatives,
    Giles, *An extended collection of matrix derivative results for forward and reverse mode
    algorithmic differentiation* (2008), section 3.1.

    >>> v, w = eigh(np.array([[2.0, 1.0], [1.0, 2.0]]))
    >>> w
    Array([1., 3.], dtype=float32)
    """
    if symmetrize_input:
        matrix_shape("eigh", typeof(x), square=True)
        x = symmetrize(x)
    v, w = eigh_p.bind(
        x,
        lower=bool(lower),
        sort_eigenvalues=bool(sort_eigenvalues),
        subset_by_index=None if subset_by_index is None else tuple(subset_by_index),
        algorithm=chosen("eigh", "implementation", EighImplementation, implementation),
    )
    return v, w
