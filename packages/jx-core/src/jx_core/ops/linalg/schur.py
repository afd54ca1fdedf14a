"""The Schur decomposition: a triangular matrix that is unitarily similar to a given one.

The reference is the QR algorithm: Hessenberg form, then implicitly shifted QR steps that chase
a bulge down the subdiagonal until it falls apart. Complex matrices take single steps (with
Wilkinson's shift), real ones Francis's double steps, which stay real. See Golub and Van Loan,
*Matrix Computations*, 4th edition, sections 7.4 and 7.5.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...aval import ShapedArray
from ...primitive import Primitive
from ..kit import Array, ArrayLike
from .reductions import reflect_left, reflect_right, reflection, to_hessenberg
from .schur_iteration import schur_by_operations
from .spectral import matrix_shape, per_matrix, types_of

__all__ = ["schur", "schur_p"]

_STEPS = 30  # for each eigenvalue; QR steps mostly need two or three
_EPS = float(np.finfo(np.float64).eps)


def _similar(t: np.ndarray, q: np.ndarray, first: int, v: np.ndarray, tau: Any) -> None:
    """Apply a reflection of rows and columns from `first` on to `t`, and to the vectors `q`."""
    rows = slice(first, first + len(v))
    reflect_left(v, tau, t[rows])
    reflect_right(v, tau, t[:, rows])
    reflect_right(v, tau, q[:, rows])


def _negligible(t: np.ndarray, k: int) -> bool:
    """Whether the subdiagonal element in row `k` is zero beside its neighbours."""
    beside = abs(t[k - 1, k - 1]) + abs(t[k, k])
    return bool(abs(t[k, k - 1]) <= _EPS * (beside or np.linalg.norm(t)))


def _active(t: np.ndarray, last: int) -> int:
    """Where the unreduced block that ends at `last` begins; the element before it becomes 0."""
    first = last
    while first > 0 and not _negligible(t, first):
        first -= 1
    if first > 0:
        t[first, first - 1] = 0
    return first


def _chase(t: np.ndarray, q: np.ndarray, first: int, last: int, start: np.ndarray) -> None:
    """One implicit QR step on rows `first` to `last`, from the shifted first column `start`."""
    size = len(start)
    for k in range(first, last):
        x = start if k == first else t[k : k + size, k - 1]
        x = x[: last - k + 1]
        v, tau, _ = reflection(x)
        _similar(t, q, k, v, tau)
        if k > first:
            t[k + 1 : k + size, k - 1] = 0


def _start(t: np.ndarray, first: int, last: int, exceptional: bool) -> np.ndarray:
    """The first column, up to a factor, of the product of the shifted matrix or matrices."""
    low = t[last - 1 : last + 1, last - 1 : last + 1].copy()
    if exceptional:  # an unlikely shift breaks a cycle
        low[0, 0] = low[1, 1] = low[1, 1] + 0.75 * abs(low[1, 0])
        low[0, 1] = -0.4375 * low[1, 0]
    if t.dtype.kind == "c":
        shifts = np.linalg.eigvals(low)
        shift = shifts[np.argmin(np.abs(shifts - low[1, 1]))]
        return np.array([t[first, first] - shift, t[first + 1, first]])
    trace, determinant = np.trace(low), low[0, 0] * low[1, 1] - low[0, 1] * low[1, 0]
    a, b = t[first, first], t[first, first + 1]
    c, d = t[first + 1, first], t[first + 1, first + 1]
    start = [a * a + b * c - trace * a + determinant, c * (a + d - trace)]
    if last > first + 1:
        start.append(c * t[first + 2, first + 1])
    return np.array(start)


def _standardize(t: np.ndarray, q: np.ndarray, k: int) -> None:
    """Bring a real 2 by 2 block, rows `k` and `k + 1`, to the form LAPACK has it in.

    Real eigenvalues: upper triangular. Complex ones: equal diagonal elements, with off-diagonal
    ones of opposite signs.
    """
    (a, b), (c, d) = t[k : k + 2, k : k + 2]
    half = (a - d) / 2
    inside = half * half + b * c
    if inside >= 0:
        if c == 0:
            return
        # An eigenvector becomes the first of the basis.
        x, y = half + np.copysign(np.sqrt(inside), half), c
        x, y = x / np.hypot(x, y), y / np.hypot(x, y)
    else:
        angle = np.arctan2(d - a, b + c) / 2  # at which both diagonal elements are equal
        x, y = np.cos(angle), np.sin(angle)
    turn = np.array([[x, -y], [y, x]])
    t[k : k + 2] = turn.T @ t[k : k + 2]
    t[:, k : k + 2] = t[:, k : k + 2] @ turn
    q[:, k : k + 2] = q[:, k : k + 2] @ turn
    if inside >= 0:
        t[k + 1, k] = 0
    else:
        t[k, k] = t[k + 1, k + 1] = (t[k, k] + t[k + 1, k + 1]) / 2


def to_schur(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The Schur form of a matrix and the unitary matrix of Schur vectors.

    Raises:
        LinAlgError: the iteration does not converge.
    """
    n = len(matrix)
    packed, taus = to_hessenberg(matrix)
    t, q = np.triu(packed, -1), np.eye(n, dtype=matrix.dtype)
    for k in range(n - 2, -1, -1):
        v = np.concatenate([np.ones(1, matrix.dtype), packed[k + 2 :, k]])
        reflect_left(v, np.conj(taus[k]), q[k + 1 :, k + 1 :])
    last, steps, real = n - 1, 0, matrix.dtype.kind == "f"
    while last > 0:
        first = _active(t, last)
        if first == last or (real and first == last - 1):
            if first < last:
                _standardize(t, q, first)
            last, steps = first - 1, 0
            continue
        steps += 1
        if steps > _STEPS * 10:
            raise np.linalg.LinAlgError("the QR algorithm does not converge")
        _chase(t, q, first, last, _start(t, first, last, steps % 10 == 0))
    return t, q


def _schur_type(x: ShapedArray, *, compute_schur_vectors: bool) -> list[ShapedArray]:
    matrix_shape("schur", x, square=True)
    return [ShapedArray(x.shape, x.dtype)] * (1 + compute_schur_vectors)


def _schur(x: np.ndarray, *, compute_schur_vectors: bool) -> list[np.ndarray]:
    params = {"compute_schur_vectors": compute_schur_vectors}
    types = types_of(_schur_type, x, params)
    return per_matrix(lambda matrix: to_schur(matrix)[: len(types)], x, types)


# Params: compute_schur_vectors, whether they are a result. Results: the Schur form, the vectors.
schur_p = Primitive(
    "schur",
    abstract=_schur_type,
    reference=_schur,
    decompose=schur_by_operations,
    multiple_results=True,
)


def schur(
    x: ArrayLike,
    *,
    compute_schur_vectors: bool = True,
    sort_eig_vals: bool = False,
    select_callable: Callable[..., Any] | None = None,
) -> tuple[Array, ...]:
    """The Schur decomposition of square matrices: `x = q @ t @ q^H`.

    `q` is unitary. Of complex matrices, `t` is upper triangular. Of real ones `q` and `t` are
    real, and `t` may have blocks of 2 by 2 on its diagonal, one for each pair of complex
    eigenvalues: its diagonal elements are equal, and the others differ in sign.

    Args:
        x: an array of shape (..., n, n), float32, float64, complex64 or complex128.
        compute_schur_vectors: whether `q` is wanted, too.
        sort_eig_vals: must be False: eigenvalues come in the order in which they are found.
        select_callable: must be None; it would choose the eigenvalues to come first.

    Returns:
        A pair `(t, q)`, or a tuple of `t` alone. A matrix with NaNs or infinities gives NaN.

    Raises:
        NotImplementedError: eigenvalues are to be sorted.
        ShapeError: the matrices are not square.
        TypeError: another dtype.

    >>> t, q = schur(np.float32([[0, 2], [-2, 0]]))
    >>> t
    Array([[ 0.,  2.],
           [-2.,  0.]], dtype=float32)
    """
    if sort_eig_vals or select_callable is not None:
        raise NotImplementedError(
            "schur: eigenvalues can't be sorted (sort_eig_vals, select_callable): the native "
            "functions that compute the decomposition take no Python function to choose them by. "
            "Leave both arguments out"
        )
    return tuple(schur_p.bind(x, compute_schur_vectors=bool(compute_schur_vectors)))
