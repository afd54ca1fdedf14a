"""The singular value decomposition, and how it is made of a polar and a Hermitian one."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...primitive import Primitive
from ..elementwise import abs as modulus
from ..elementwise import convert_element_type, div, gt, mul, select
from ..elementwise import max as max_of
from ..indexing import slice_in_dim
from ..kit import Array, ArrayLike, real_dtype
from ..shape import broadcast_in_dim, concatenate, full_like, rev
from ..shape import full as full_of
from .eigh import eigh
from .masks import adjoint_of, diagonal, eye, product
from .polar import qdwh
from .qr import qr
from .spectral import Choice, chosen, matrix_shape, per_matrix, subset, types_of

__all__ = ["SvdAlgorithm", "svd", "svd_p"]


class SvdAlgorithm(Choice):
    """Algorithms for the singular value decomposition.

    QR and DIVIDE_AND_CONQUER start from a reduction to bidiagonal form, JACOBI rotates columns
    until they are orthogonal, and POLAR diagonalizes the Hermitian polar factor. DEFAULT is the
    platform's own choice.

    >>> SvdAlgorithm("QR") is SvdAlgorithm.QR
    True
    """

    DEFAULT = "default"
    QR = "QR"
    JACOBI = "Jacobi"
    POLAR = "polar"
    DIVIDE_AND_CONQUER = "divide_and_conquer"


def _svd_type(
    x: ShapedArray, *, full_matrices: bool, compute_uv: bool, subset_by_index: Any, algorithm: Any
) -> list[ShapedArray]:
    batch, m, n = matrix_shape("svd", x)
    size = min(m, n)
    start, stop = subset("svd", subset_by_index, size)
    count = stop - start
    values = ShapedArray((*batch, count), real_dtype(x.dtype))
    if not compute_uv:
        return [values]
    if full_matrices and count != size:
        raise ValueError(
            f"svd: subset_by_index={subset_by_index} leaves out singular vectors, which "
            f"full_matrices=True asks for; pass full_matrices=False"
        )
    rows, columns = (m, n) if full_matrices else (count, count)
    return [
        values,
        ShapedArray((*batch, m, rows), x.dtype),
        ShapedArray((*batch, columns, n), x.dtype),
    ]


def _svd(x: np.ndarray, **params: Any) -> list[np.ndarray]:
    start, stop = subset("svd", params["subset_by_index"], min(x.shape[-2:]))
    full = params["full_matrices"]

    def compute(matrix: np.ndarray) -> Any:
        if not params["compute_uv"]:
            return [np.linalg.svd(matrix, compute_uv=False)[start:stop]]
        u, s, vh = np.linalg.svd(matrix, full)
        return (s, u, vh) if full else (s[start:stop], u[:, start:stop], vh[start:stop])

    return per_matrix(compute, x, types_of(_svd_type, x, params))


def _by_operations(
    x: Any, *, full_matrices: bool, compute_uv: bool, subset_by_index: Any, algorithm: Any
) -> list[Any]:
    """By the polar decomposition `x = u h`, and the eigenvectors of `h`.

    See Nakatsukasa and Higham, *Stable and efficient spectral divide and conquer algorithms for
    the symmetric eigenvalue decomposition and the SVD* (2013), section 5.
    """
    *batch, m, n = typeof(x).shape
    size, dtype = min(m, n), typeof(x).dtype
    bounds = subset("svd", subset_by_index, size)
    full = full_matrices and compute_uv
    if 0 in (m, n, *batch):
        rows, columns = (m, n) if full else (bounds[1] - bounds[0],) * 2
        values = full_of((*batch, bounds[1] - bounds[0]), 0, real_dtype(dtype))
        vectors = [eye((*batch, m, rows), dtype), eye((*batch, columns, n), dtype)]
        return [values, *vectors] if compute_uv else [values]
    s, u, v = _tall(x if m >= n else adjoint_of(x), full, compute_uv)
    s = slice_in_dim(s, *bounds, axis=len(batch))
    if not compute_uv:
        return [s]
    if not full:
        u, v = (slice_in_dim(y, *bounds, axis=len(batch) + 1) for y in (u, v))
    u, v = (u, v) if m >= n else (v, u)
    return [s, u, adjoint_of(v)]


def _tall(x: Any, full: bool, compute_uv: bool) -> tuple[Any, Any, Any]:
    """Singular values and vectors, in columns, of matrices that are not wide."""
    *batch, m, n = typeof(x).shape
    rows, columns = len(batch), len(batch) + 1
    q = None
    if (full and m > n) or m > _MUCH_TALLER * n:
        q, r = qr(x, full_matrices=full)
        x = slice_in_dim(r, 0, n, axis=rows)
    unitary, h, _, _ = qdwh(x)
    v, w = eigh(h, symmetrize_input=False)
    s, v = rev(max_of(w, full_like(w, 0)), (rows,)), rev(v, (columns,))
    if not compute_uv:
        return s, None, v
    u = _completed(product(unitary, v))
    if q is None:
        return s, u, v
    u = product(slice_in_dim(q, 0, n, axis=columns), u)
    if full:
        u = concatenate([u, slice_in_dim(q, n, m, axis=columns)], columns)
    return s, u, v


def _completed(u: Any) -> Any:
    """Columns made orthonormal: they are but for the last, where singular values are zero."""
    q, r = qr(u, full_matrices=False)
    signs = diagonal(r)
    size = modulus(signs)
    # Columns that hardly have a length of their own take any direction.
    known = gt(size, full_like(size, 0.5))
    kind = typeof(signs).dtype
    safe = select(known, signs, full_like(signs, 1))
    signs = div(safe, convert_element_type(modulus(safe), kind))
    shape = typeof(q).shape
    return mul(q, broadcast_in_dim(signs, shape, (*range(len(shape) - 2), len(shape) - 1)))


_MUCH_TALLER = 1.15  # from here on a QR decomposition makes up for itself


# Params: full_matrices, whether singular vectors of a rectangular matrix are completed to bases;
# compute_uv, whether they are results at all; subset_by_index, a range (start, stop) of singular
# values in descending order, or None for all; algorithm, a SvdAlgorithm or None. Results:
# singular values, left singular vectors, the adjoint of the right ones.
svd_p = Primitive(
    "svd", abstract=_svd_type, reference=_svd, decompose=_by_operations,
    multiple_results=True,
)  # fmt: skip


def svd(
    x: ArrayLike,
    *,
    full_matrices: bool = True,
    compute_uv: bool = True,
    subset_by_index: tuple[int, int] | None = None,
    algorithm: SvdAlgorithm | None = None,
) -> Array | tuple[Array, Array, Array]:
    """Singular values and vectors of matrices: `x = (u * s) @ vh`.

    Singular vectors are unique up to a factor of modulus 1 (a sign) for each pair, and where
    singular values are equal up to a rotation among them. Derivatives leave pairs as they are
    but for changes orthogonal to them; of a complex phase that moves, the left vector takes
    all. Where singular values are exactly equal, or zero, changes along the others of the same
    value, which do not exist, are taken to be zero: so derivatives of functions of the singular
    values alone, and of projectors onto whole singular spaces, are right there, while others
    may lack terms.

    Args:
        x: an array of shape (..., m, n), float32, float64, complex64 or complex128.
        full_matrices: whether `u` and `vh` are square. If not, they are of `min(m, n)` columns
            and rows.
        compute_uv: whether singular vectors are wanted, too.
        subset_by_index: a range (start, stop): only these of the singular values in descending
            order, and their vectors.
        algorithm: the algorithm, one that the platform has; chosen by it if left out.

    Returns:
        `(u, s, vh)`, or `s` alone: singular values in descending order, of shape (..., k). A
        matrix with NaNs or infinities gives NaN.

    Raises:
        ShapeError: `x` has less than two axes.
        TypeError: another dtype, or an algorithm of another kind.
        ValueError: `subset_by_index` is out of range, or goes with `full_matrices`.

    See Golub and Van Loan, *Matrix Computations*, 4th edition, section 8.6; for the derivatives,
    Giles, *An extended collection of matrix derivative results for forward and reverse mode
    algorithmic differentiation* (2008), section 3.2.

    >>> svd(np.array([[3.0, 0.0], [4.0, 0.0]]), compute_uv=False)
    Array([5., 0.], dtype=float32)
    """
    matrix_shape("svd", typeof(x))
    results = svd_p.bind(
        x,
        full_matrices=bool(full_matrices),
        compute_uv=bool(compute_uv),
        subset_by_index=None if subset_by_index is None else tuple(subset_by_index),
        algorithm=chosen("svd", "algorithm", SvdAlgorithm, algorithm),
    )
    if not compute_uv:
        return results[0]
    s, u, vh = results
    return u, s, vh
