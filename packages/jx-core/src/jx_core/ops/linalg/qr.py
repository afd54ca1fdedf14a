"""QR decomposition, and the reflections that it is made of."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...aval import ShapedArray, typeof
from ...errors import ShapeError
from ...primitive import Primitive
from ..elementwise import sub
from ..indexing import slice_in_dim
from ..kit import Array, ArrayLike
from ..shape import full_like, pad
from .column_pivoting import pivoted_by_operations
from .compact_wy import applied, formed
from .masks import triangle
from .spectral import adjoint, matrix_shape, per_matrix
from .triangular import wide_dtype

__all__ = [
    "geqp3", "geqp3_p", "geqrf", "geqrf_p", "householder_product", "householder_product_p",
    "ormqr", "ormqr_p", "qr", "qr_p",
]  # fmt: skip

_INT = np.dtype(np.int32)


# --- reflections ---


def _reflector(x: np.ndarray) -> tuple[np.ndarray, Any, Any]:
    """(v, tau, beta) with (I - conj(tau) v v^H) x = beta e, v[0] = 1 and beta real: LAPACK's."""
    alpha, rest = x[0], np.linalg.norm(x[1:])
    if rest == 0 and alpha.imag == 0:
        return np.eye(1, len(x), dtype=x.dtype)[0], x.dtype.type(0), alpha
    beta = -np.copysign(np.hypot(np.abs(alpha), rest), alpha.real)
    v = x / (alpha - beta)
    v[0] = 1
    return v, (beta - alpha) / beta, beta


def _factor(x: np.ndarray, fixed: int | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One matrix packed as LAPACK's geqrf has it, its taus, and the order of its columns.

    With `fixed`, each step but so many first ones takes the column that is left with the
    greatest norm (Golub and Van Loan, section 5.4.2).
    """
    a = x.copy()
    m, n = a.shape
    order = np.arange(n)
    taus = np.zeros(min(m, n), a.dtype)
    for k in range(min(m, n)):
        if fixed is not None and k >= fixed:
            best = k + int(np.argmax(np.linalg.norm(a[k:, k:], axis=0)))
            a[:, [k, best]], order[[k, best]] = a[:, [best, k]], order[[best, k]]
        v, tau, beta = _reflector(a[k:, k])
        a[k:, k + 1 :] -= np.conj(tau) * np.outer(v, np.conj(v) @ a[k:, k + 1 :])
        a[k, k], a[k + 1 :, k], taus[k] = beta, v[1:], tau
    return a, taus, order


def _geqrf_type(a: ShapedArray) -> list[ShapedArray]:
    batch, m, n = matrix_shape("geqrf", a)
    return [a.update(weak_type=False), ShapedArray((*batch, min(m, n)), a.dtype)]


def _geqrf(x: np.ndarray) -> list[np.ndarray]:
    types = _geqrf_type(ShapedArray(x.shape, x.dtype))
    return per_matrix(lambda a: _factor(a, None)[:2], x, types)


# Results: R in the upper triangle with the reflections' vectors below it, and their factors.
geqrf_p = Primitive("geqrf", abstract=_geqrf_type, reference=_geqrf, multiple_results=True)


def geqrf(a: ArrayLike) -> tuple[Array, Array]:
    """The QR decomposition in packed form, as LAPACK's routine of that name gives it.

    Args:
        a: matrices [..., m, n] of dtype float32, float64, complex64 or complex128.

    Returns:
        `(a, taus)`: R in the upper triangle of the first, the vectors of the reflections whose
        product is Q below its diagonal; their factors [..., min(m, n)].

    Raises:
        ShapeError: `a` has less than two axes.
        TypeError: the dtype is another.

    See the LAPACK Users' Guide, section "QR factorization".

    >>> packed, taus = geqrf(np.float32([[3], [4]]))
    >>> packed
    Array([[-5. ],
           [ 0.5]], dtype=float32)
    """
    out = geqrf_p.bind(a)
    return out[0], out[1]


def _geqp3_type(a: ShapedArray, jpvt: ShapedArray, *, use_magma: Any) -> list[ShapedArray]:
    batch, m, n = matrix_shape("geqp3", a)
    if jpvt.shape != (*batch, n) or jpvt.dtype != _INT:
        raise ShapeError(
            f"geqp3: with a of shape {a.shape}, jpvt must be int32 of shape {(*batch, n)}; got "
            f"{jpvt.str_short()}"
        )
    return [a.update(weak_type=False), jpvt, ShapedArray((*batch, min(m, n)), a.dtype)]


def _geqp3(x: np.ndarray, jpvt: np.ndarray, *, use_magma: Any) -> list[np.ndarray]:
    avals = (ShapedArray(x.shape, x.dtype), ShapedArray(jpvt.shape, _INT))
    a_type, _, tau_type = _geqp3_type(*avals, use_magma=use_magma)
    packed, taus = (np.full(t.shape, np.nan, t.dtype) for t in (a_type, tau_type))
    columns = np.zeros(jpvt.shape, _INT)
    for place in np.ndindex(x.shape[:-2]):
        first = np.flatnonzero(jpvt[place])
        start = np.concatenate([first, np.flatnonzero(jpvt[place] == 0)])
        matrix = x[place][:, start].astype(wide_dtype(x.dtype))
        columns[place] = start + 1
        if np.isfinite(matrix).all():
            packed[place], taus[place], order = _factor(matrix, len(first))
            columns[place] = start[order] + 1
    return [packed, columns, taus]


# Params: use_magma, whether GPUs compute it by MAGMA: True, False, or None for what is there.
geqp3_p = Primitive(
    "geqp3",
    abstract=_geqp3_type,
    reference=_geqp3,
    decompose=pivoted_by_operations,
    multiple_results=True,
)


def geqp3(
    a: ArrayLike, jpvt: ArrayLike, *, use_magma: bool | None = None
) -> tuple[Array, Array, Array]:
    """The QR decomposition with column pivoting in packed form, as LAPACK's routine gives it.

    Args:
        a: matrices [..., m, n] of dtype float32, float64, complex64 or complex128.
        jpvt: int32 [..., n]; columns whose entry is not 0 come first and are not moved.
        use_magma: on GPUs, compute it by MAGMA (True), by LAPACK on the host (False), or by
            what is there (None).

    Returns:
        `(a, jpvt, taus)`, as `geqrf`, of the matrix whose column i is column `jpvt[i] - 1`.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: the dtype is another.

    See the LAPACK Users' Guide, section "QR factorization with column pivoting".

    >>> geqp3(np.float32([[0, 2]]), np.int32([0, 0]))[1]
    Array([2, 1], dtype=int32)
    """
    out = geqp3_p.bind(a, jpvt, use_magma=use_magma)
    return out[0], out[1], out[2]


def _product_type(a: ShapedArray, taus: ShapedArray) -> ShapedArray:
    name = "householder_product"
    batch, m, n = matrix_shape(f"{name}: argument a", a)
    _check_taus(name, a, taus)
    if m < n:
        raise ShapeError(f"{name}: a must have at least as many rows as columns, got {a.shape}")
    return a


def _check_taus(name: str, a: ShapedArray, taus: ShapedArray) -> None:
    batch, n = a.shape[:-2], a.shape[-1]
    if taus.shape[:-1] != batch or not taus.shape or taus.shape[-1] > min(n, a.shape[-2]):
        raise ShapeError(
            f"{name}: with a of shape {a.shape}, taus must have shape [..., k] with leading axes "
            f"{batch} and k at most {min(n, a.shape[-2])}; got {taus.shape}"
        )
    if taus.dtype != a.dtype:
        raise TypeError(
            f"{name}: a and taus must have the same dtype, got {a.dtype.name} and "
            f"{taus.dtype.name}"
        )


def _vectors(a: np.ndarray, k: int) -> np.ndarray:
    """The vector of reflection k: one at k, the packed entries below, zero above."""
    v = a[..., :, k].copy()
    v[..., :k] = 0
    v[..., k] = 1
    return v


def _reflect(v: np.ndarray, tau: np.ndarray, c: np.ndarray) -> np.ndarray:
    """(I - tau v v^H) c, for batches."""
    row = np.conj(v)[..., None, :] @ c
    return np.asarray(c - tau[..., None, None] * v[..., :, None] * row)


def _householder(a: np.ndarray, taus: np.ndarray) -> np.ndarray:
    *batch, m, n = a.shape
    wide = wide_dtype(a.dtype)
    packed, factors = a.astype(wide), taus.astype(wide)
    q = np.broadcast_to(np.eye(m, n, dtype=wide), (*batch, m, n)).copy()
    for k in reversed(range(taus.shape[-1])):
        q = _reflect(_vectors(packed, k), factors[..., k], q)
    return q.astype(a.dtype)


# Operands: packed vectors of reflections, and their factors.
householder_product_p = Primitive(
    "householder_product", abstract=_product_type, reference=_householder, decompose=formed
)


def householder_product(a: ArrayLike, taus: ArrayLike) -> Array:
    """The first columns of the product of reflections I - tau v v^H, as `geqrf` packs them.

    Args:
        a: matrices [..., m, n] with m >= n, the vectors v below their diagonals.
        taus: factors [..., k] with k <= n.

    Returns:
        Matrices of the shape and dtype of `a`, with orthonormal columns.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: the dtypes differ, or are others.

    See the LAPACK Users' Guide, section "Representation of orthogonal or unitary matrices".

    >>> householder_product(np.float32([[-5], [0.5]]), np.float32([1.6]))
    Array([[-0.6],
           [-0.8]], dtype=float32)
    """
    return householder_product_p.bind(a, taus)


def _ormqr_type(
    a: ShapedArray, taus: ShapedArray, c: ShapedArray, *, left: bool, transpose: bool
) -> ShapedArray:
    batch, m, _ = matrix_shape("ormqr: argument a", a)
    _check_taus("ormqr", a, taus)
    matrix_shape("ormqr: argument c", c)
    axis = -2 if left else -1
    if c.shape[:-2] != batch or c.shape[axis] != m:
        raise ShapeError(
            f"ormqr: with a of shape {a.shape} and left={left}, axis {axis} of c must have length "
            f"{m} and its leading axes be {batch}; got shape {c.shape}"
        )
    if c.dtype != a.dtype:
        raise TypeError(
            f"ormqr: a and c must have the same dtype, got {a.dtype.name} and {c.dtype.name}"
        )
    return c


def _ormqr(
    a: np.ndarray, taus: np.ndarray, c: np.ndarray, *, left: bool, transpose: bool
) -> np.ndarray:
    wide = wide_dtype(a.dtype)
    packed, factors, out = a.astype(wide), taus.astype(wide), c.astype(wide)
    if not left:  # c Q is (Q^H c^H)^H
        out, transpose = adjoint(out), not transpose
    order = range(taus.shape[-1])
    for k in order if transpose else reversed(order):
        tau = np.conj(factors[..., k]) if transpose else factors[..., k]
        out = _reflect(_vectors(packed, k), tau, out)
    return np.ascontiguousarray(out if left else adjoint(out)).astype(c.dtype)


# Params: left, whether Q stands to the left; transpose, whether it is Q^H.
ormqr_p = Primitive("ormqr", abstract=_ormqr_type, reference=_ormqr, decompose=applied)


def ormqr(
    a: ArrayLike, taus: ArrayLike, c: ArrayLike, *, left: bool = True, transpose: bool = False
) -> Array:
    """Q c, with the Q of a packed QR decomposition, which is not formed.

    Args:
        a: packed vectors of reflections [..., m, n], as from `geqrf`.
        taus: their factors [..., k].
        c: matrices [..., m, p], or [..., p, m] where Q stands to the right.
        left: whether Q stands to the left of c.
        transpose: multiply by Q^H (the transpose, for real matrices) instead.

    Returns:
        Matrices of the shape and dtype of `c`.

    Raises:
        ShapeError: the shapes don't fit.
        TypeError: the dtypes differ, or are others.

    See the LAPACK Users' Guide, section "Representation of orthogonal or unitary matrices".

    >>> ormqr(np.float32([[-1], [1]]), np.float32([1]), np.float32([[3], [4]]), transpose=True)
    Array([[-4.],
           [-3.]], dtype=float32)
    """
    return ormqr_p.bind(a, taus, c, left=bool(left), transpose=bool(transpose))


# --- the decomposition ---


def _qr_type(
    a: ShapedArray, *, pivoting: bool, full_matrices: bool, use_magma: Any
) -> list[ShapedArray]:
    batch, m, n = matrix_shape("qr", a)
    k = m if full_matrices else min(m, n)
    types = [ShapedArray((*batch, m, k), a.dtype), ShapedArray((*batch, k, n), a.dtype)]
    return [*types, ShapedArray((*batch, n), _INT)] if pivoting else types


def packed_form(a: Any, *, pivoting: bool, use_magma: Any) -> tuple[Any, Any, list[Any]]:
    """The packed form, its factors, and for `pivoting` the order of the columns, from 0."""
    if not pivoting:
        packed, taus = geqrf(a)
        return packed, taus, []
    shape = typeof(a).shape
    free = full_like(a, 0, _INT, shape=(*shape[:-2], shape[-1]))
    packed, order, taus = geqp3(a, free, use_magma=use_magma)
    return packed, taus, [sub(order, np.int32(1))]


def unpacked(packed: Any, taus: Any, *, full_matrices: bool) -> list[Any]:
    """Q and R of a packed form."""
    *batch, m, n = typeof(packed).shape
    axis = len(batch)
    k = m if full_matrices else min(m, n)
    r = triangle(packed, lower=False)
    if k < m:
        r = slice_in_dim(r, 0, k, axis=axis)
    if n > k:
        packed = slice_in_dim(packed, 0, k, axis=axis + 1)
    elif n < k:
        widths = [(0, 0, 0)] * (axis + 1) + [(0, k - n, 0)]
        packed = pad(packed, full_like(packed, 0, shape=()), widths)
    return [householder_product(packed, taus), r]


def _qr(a: Any, *, pivoting: bool, full_matrices: bool, use_magma: Any) -> list[Any]:
    packed, taus, columns = packed_form(a, pivoting=pivoting, use_magma=use_magma)
    return [*unpacked(packed, taus, full_matrices=full_matrices), *columns]


# Params: as the function's.
qr_p = Primitive("qr", abstract=_qr_type, decompose=_qr, multiple_results=True)


def qr(
    x: ArrayLike,
    *,
    pivoting: bool = False,
    full_matrices: bool = True,
    use_magma: bool | None = None,
) -> tuple[Array, ...]:
    """The QR decomposition of matrices: x = Q R with orthonormal Q and upper triangular R.

    Args:
        x: matrices [..., m, n] of dtype float32, float64, complex64 or complex128.
        pivoting: order the columns by what is left of their norms, so that the diagonal of R
            decreases; then x[:, columns] = Q R.
        full_matrices: whether Q is [..., m, m] and R [..., m, n], or [..., m, k] and [..., k, n]
            with k = min(m, n).
        use_magma: as for `geqp3`.

    Returns:
        `(q, r)`, or `(q, r, columns)` with int32 columns [..., n] for `pivoting`.

    Raises:
        ShapeError: `x` has less than two axes.
        TypeError: the dtype is another.

    See G. Golub and C. Van Loan, Matrix Computations, section 5.2.

    >>> q, r = qr(np.float32([[3], [4]]), full_matrices=False)
    >>> r
    Array([[-5.]], dtype=float32)
    """
    out = qr_p.bind(
        x, pivoting=bool(pivoting), full_matrices=bool(full_matrices), use_magma=use_magma
    )
    return tuple(out)
