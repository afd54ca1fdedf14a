"""Eigenvalues, and left and right eigenvectors, of general square matrices."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ... import dtypes
from ...aval import ShapedArray
from ...primitive import Primitive
from ..kit import Array, ArrayLike
from .eig_iteration import eig_by_operations
from .spectral import Choice, adjoint, chosen, matrix_shape, per_matrix, types_of

__all__ = ["EigImplementation", "eig", "eig_p"]


class EigImplementation(Choice):
    """Libraries that find the eigenvalues of general matrices.

    LAPACK computes on the host, also for GPUs; MAGMA and CUSOLVER on GPUs that have them.

    >>> w, = eig(np.float32([[2, 1], [0, 3]]), compute_left_eigenvectors=False,
    ...          compute_right_eigenvectors=False, implementation=EigImplementation.LAPACK)
    >>> sorted(w.tolist(), key=abs)
    [(2+0j), (3+0j)]
    """

    CUSOLVER = "cusolver"
    MAGMA = "magma"
    LAPACK = "lapack"


def _eig_type(
    x: ShapedArray,
    *,
    compute_left_eigenvectors: bool,
    compute_right_eigenvectors: bool,
    enable_eigvec_derivs: bool,
    implementation: Any,
) -> list[ShapedArray]:
    batch, n, _ = matrix_shape("eig", x, square=True)
    dtype = dtypes.promote_types(x.dtype, np.dtype(np.complex64))
    vectors = [ShapedArray((*batch, n, n), dtype)]
    return [
        ShapedArray((*batch, n), dtype),
        *vectors * compute_left_eigenvectors,
        *vectors * compute_right_eigenvectors,
    ]


def _normalized(vectors: np.ndarray) -> np.ndarray:
    """Columns of length 1 whose component of largest modulus is real, as LAPACK's `geev` has."""
    if vectors.size == 0:
        return vectors
    places = np.argmax(np.abs(vectors), 0)[None]
    largest = np.take_along_axis(vectors, places, 0)
    # Dividing by the modulus first keeps vectors of any size from overflowing.
    scaled = vectors / np.abs(largest)
    lengths = np.linalg.norm(scaled, axis=0)
    phases = np.conj(np.take_along_axis(scaled, places, 0))
    real = np.isreal(vectors).all(0)
    return np.asarray(np.where(real, scaled, scaled * phases) / lengths)


_CONDITION = 1e6


def _left(matrix: np.ndarray, w: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Left eigenvectors: columns u with `u^H matrix = w u^H`.

    They are the rows of the inverse of the right ones. Where these are hardly a basis, each is
    the vector that `matrix - w` takes nearest to zero from the left.
    """
    n = len(w)
    if n == 0 or np.linalg.cond(right) < _CONDITION:
        return adjoint(np.linalg.inv(right))
    return np.stack([np.linalg.svd(matrix - v * np.eye(n))[0][:, -1] for v in w], 1)


def _eig(x: np.ndarray, **params: Any) -> list[np.ndarray]:
    def compute(matrix: np.ndarray) -> Any:
        w, right = np.linalg.eig(matrix)
        results = [w]
        if params["compute_left_eigenvectors"]:
            results.append(_normalized(_left(matrix, w, right)))
        if params["compute_right_eigenvectors"]:
            results.append(_normalized(right))
        return results

    return per_matrix(compute, x, types_of(_eig_type, x, params))


# Params: which eigenvectors are results; enable_eigvec_derivs, whether these may be
# differentiated; implementation, an EigImplementation or None. Results: eigenvalues, left
# eigenvectors, right eigenvectors.
eig_p = Primitive(
    "eig",
    abstract=_eig_type,
    reference=_eig,
    decompose=eig_by_operations,
    multiple_results=True,
)


def eig(
    x: ArrayLike,
    *,
    compute_left_eigenvectors: bool = True,
    compute_right_eigenvectors: bool = True,
    enable_eigvec_derivs: bool = False,
    implementation: EigImplementation | None = None,
    use_magma: bool | None = None,
) -> list[Array]:
    """Eigenvalues and eigenvectors of general square matrices.

    Right eigenvectors are columns with `x @ vr = vr * w`, left ones with
    `vl^H @ x = w * vl^H`. Each has length 1 and a real component of largest modulus, as
    LAPACK's `geev` has it; derivatives keep to that. On GPUs, LAPACK on the host is the
    default; TPUs take the steps of the QR algorithm one by one.

    Args:
        x: an array of shape (..., n, n), float32, float64, complex64 or complex128.
        compute_left_eigenvectors, compute_right_eigenvectors: which are wanted.
        enable_eigvec_derivs: allows eigenvectors to be differentiated. They can be where all
            eigenvalues are distinct and no eigenvector has two components tied for largest,
            which nobody checks. Eigenvalues alone can always be differentiated where
            eigenvectors are a basis.
        implementation: the library to use; chosen by the platform if left out.
        use_magma: deprecated: `EigImplementation.MAGMA` if true, `LAPACK` if false.

    Returns:
        A list of complex arrays: eigenvalues of shape (..., n), in no particular order, then
        those of left and right eigenvectors, of shape (..., n, n), that are wanted. A matrix
        with NaNs or infinities gives NaN.

    Raises:
        ShapeError: the matrices are not square.
        TypeError: another dtype, or an implementation of another kind.

    See Golub and Van Loan, *Matrix Computations*, 4th edition, chapter 7; for the derivatives,
    Giles, *An extended collection of matrix derivative results for forward and reverse mode
    algorithmic differentiation* (2008), section 3.1.

    >>> x = np.array([[0.0, 1.0], [-1.0, 0.0]])
    >>> (w,) = eig(x, compute_left_eigenvectors=False, compute_right_eigenvectors=False)
    >>> w
    Array([0.+1.j, 0.-1.j], dtype=complex64)
    """
    if use_magma is not None:
        warnings.warn(
            "eig: use_magma is deprecated; pass implementation=EigImplementation.MAGMA or LAPACK",
            DeprecationWarning,
            stacklevel=2,
        )
        implementation = EigImplementation.MAGMA if use_magma else EigImplementation.LAPACK
    return eig_p.bind(  # type: ignore[no-any-return]
        x,
        compute_left_eigenvectors=bool(compute_left_eigenvectors),
        compute_right_eigenvectors=bool(compute_right_eigenvectors),
        enable_eigvec_derivs=bool(enable_eigvec_derivs),
        implementation=chosen("eig", "implementation", EigImplementation, implementation),
    )
