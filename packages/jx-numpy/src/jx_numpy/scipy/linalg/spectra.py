"""Eigenvalues and the forms they are read from, with SciPy's arguments.

`eigh`, `eigh_tridiagonal`, `schur`, `rsf2csf` and `hessenberg`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes, lax, typeof
from jx_core.errors import ShapeError, concrete_or_error
from jx_core.ops.linalg.masks import triangle

from ...contraction.products import _matmul
from ...functions import array_function
from ...linalg.kit import adjoint, eye, matrices, times_columns
from ...operands import (
    Array,
    ArrayLike,
    as_operand,
    broadcast_shapes,
    broadcast_to,
    promote_dtypes_inexact,
)
from .factorizations import cholesky_factor

__all__ = ["eigh", "eigh_tridiagonal", "hessenberg", "rsf2csf", "schur"]


@array_function(
    "lower", "eigvals_only", "overwrite_a", "overwrite_b", "turbo", "eigvals", "type",
    "check_finite",
)  # fmt: skip
def eigh(
    a: ArrayLike,
    b: ArrayLike | None = None,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    turbo: bool = True,
    eigvals: tuple[int, int] | None = None,
    type: int = 1,
    check_finite: bool = True,
) -> Any:
    """Eigenvalues, ascending, and eigenvectors of Hermitian matrices, or of pairs of them.

    Args:
        a: an array of shape (..., n, n).
        b: positive definite matrices of the same shape, for the general problem.
        lower: read the lower triangles of `a` and `b`, or the upper ones.
        eigvals_only: return no eigenvectors.
        eigvals: the first and the last of the eigenvalues to return, counted from 0; all if None.
        type: the general problem: `a v = w b v` (1), `a b v = w v` (2) or `b a v = w v` (3).
        overwrite_a, overwrite_b, turbo, check_finite: no effect.

    Returns:
        `(w, v)`: real eigenvalues of shape (..., k), and eigenvectors in the columns of v, of
        shape (..., n, k), k being n for all; or w alone. The vectors are orthonormal, or with
        `b` such that `v^H b v = 1` for types 1 and 2 and `v^H b^-1 v = 1` for type 3.

    Raises:
        ValueError: the matrices are not square, `type` is none of these, or `eigvals` is out of
            bounds.

    >>> jx.scipy.linalg.eigh(jnp.array([[2.0, 1.0], [1.0, 2.0]]), eigvals_only=True)
    Array([1., 3.], dtype=float32)
    """
    if type not in (1, 2, 3):
        raise ValueError(f"eigh: type must be 1, 2 or 3, got {type!r}")
    a = matrices("eigh", a, square=True)
    back = None
    if b is not None:
        b = matrices("eigh", b, square=True)
        a, b = promote_dtypes_inexact("eigh", a, b)
        if typeof(a).shape != typeof(b).shape:
            raise ShapeError(
                f"eigh: a and b must have one shape, got {typeof(a).shape} and {typeof(b).shape}"
            )
        a, back = _reduced(_full(a, lower), _full(b, lower), type)
        lower = True
    v, w = lax.linalg.eigh(a, lower=lower, symmetrize_input=False)
    if eigvals is not None:
        first, last = eigvals
        n, axis = typeof(w).shape[-1], typeof(w).ndim - 1
        if not 0 <= first <= last < n:
            raise ValueError(
                f"eigh: eigvals must be (first, last) with 0 <= first <= last < {n}, got {eigvals}"
            )
        w = lax.slice_in_dim(w, first, last + 1, axis=axis)
        v = lax.slice_in_dim(v, first, last + 1, axis=axis + 1)
    if eigvals_only:
        return w
    return w, v if back is None else back(v)


def _full(x: Any, lower: bool) -> Any:
    """Hermitian matrices, of one of their triangles."""
    kept = triangle(x, lower=lower)
    rest = triangle(adjoint(x), lower=not lower, offset=1 if lower else -1)
    return lax.add(kept, rest)


def _reduced(a: Any, b: Any, type: int) -> tuple[Any, Any]:
    """Hermitian matrices with the eigenvalues of a general problem, and the way of vectors back.

    G. Golub and C. Van Loan, Matrix Computations, section 8.7.2; the LAPACK Users' Guide,
    "Generalized symmetric definite eigenproblems".
    """
    factor = cholesky_factor(b, True)

    def divided(x: Any, adjoint_factor: bool) -> Any:
        return lax.linalg.triangular_solve(
            factor,
            x,
            left_side=True,
            lower=True,
            transpose_a=adjoint_factor,
            conjugate_a=adjoint_factor,
        )

    if type == 1:
        half = divided(a, False)
        return divided(adjoint(half), False), lambda v: divided(v, True)
    product = _matmul(_matmul(adjoint(factor), a), factor)
    if type == 2:
        return product, lambda v: divided(v, True)
    return product, lambda v: _matmul(factor, v)


def eigh_tridiagonal(
    d: ArrayLike,
    e: ArrayLike,
    *,
    eigvals_only: bool = False,
    select: str = "a",
    select_range: tuple[float, float] | None = None,
    tol: float | None = None,
    key: Any = None,
) -> Any:
    """Eigenvalues, ascending, and eigenvectors of symmetric tridiagonal matrices.

    Args:
        d: the diagonals, a float array of shape (..., n).
        e: the elements beside them, of the same dtype, of shape (..., n - 1). Complex ones make
            Hermitian matrices, `e` being below the diagonal.
        eigvals_only: return no eigenvectors.
        select: which eigenvalues: `"a"`, all; `"i"`, those with indices from `select_range[0]`
            to `select_range[1]`, both included; `"v"`, those above `select_range[0]` and not
            above `select_range[1]`. For the last the values must be known, so that it is not
            for compiled functions, and the matrix must be a single one.
        select_range: the range that `select` speaks of.
        tol, key: no effect: eigenvalues are found to the precision of the dtype, and
            eigenvectors from no random start.

    Returns:
        `(w, v)`, of shapes (..., k) and (..., n, k), or w alone. All of them are differentiable.

    Raises:
        TypeError: `d` is not float32 or float64, or `e` is of another precision.
        ValueError: an unknown `select`, or a range or shapes that don't fit.

    >>> w = jx.scipy.linalg.eigh_tridiagonal(jnp.array([2.0, 2.0]), jnp.array([1.0]),
    ...                                      eigvals_only=True)
    >>> bool(jnp.allclose(w, jnp.array([1.0, 3.0])))
    True
    """
    bounds = _selection(select, select_range)
    d, e = as_operand("eigh_tridiagonal", d), as_operand("eigh_tridiagonal", e, 1)
    w, v = _eigh_tridiagonal(d, e, bounds if select == "i" else None)
    if select == "v":
        known = np.asarray(
            concrete_or_error(w, "eigh_tridiagonal with select='v', as the result's shape does")
        )
        if known.ndim != 1:
            raise ShapeError(
                f"eigh_tridiagonal: select='v' is for one matrix, got d of shape {typeof(d).shape}"
            )
        first, last = (int(np.searchsorted(known, x, side="right")) for x in bounds)
        w = lax.slice_in_dim(w, first, last)
        v = lax.slice_in_dim(v, first, last, axis=1)
    return w if eigvals_only else (w, v)


def _selection(select: str, select_range: Any) -> tuple[Any, Any]:
    """The range in which eigenvalues, or their indices, lie."""
    if select not in ("a", "i", "v"):
        raise ValueError(f"eigh_tridiagonal: select must be 'a', 'i' or 'v', got {select!r}")
    if select == "a":
        return 0, 0
    if select_range is None:
        raise ValueError(f"eigh_tridiagonal: select={select!r} needs a select_range")
    first, last = select_range
    if first > last:
        raise ValueError(f"eigh_tridiagonal: select_range is empty, got {select_range}")
    return first, last


@array_function("indices")
def _eigh_tridiagonal(d: Any, e: Any, indices: tuple[int, int] | None) -> tuple[Any, Any]:
    *batch, n = typeof(d).shape or (0,)
    of_e = typeof(e).dtype
    precise = {"complex64": "float32", "complex128": "float64"}.get(of_e.name, of_e.name)
    if typeof(d).dtype not in (np.float32, np.float64) or precise != typeof(d).dtype.name:
        raise TypeError(
            f"eigh_tridiagonal takes float32 or float64 d, and e of the same precision, got "
            f"{typeof(d).dtype} and {of_e}"
        )
    if n < 1 or typeof(e).shape != (*batch, n - 1):
        raise ShapeError(
            f"eigh_tridiagonal: d must be of shape (..., n), n >= 1, and e of shape (..., n - 1), "
            f"got {typeof(d).shape} and {typeof(e).shape}"
        )
    unit = eye(n, of_e, batch)
    matrix = times_columns(unit, d)
    if n > 1:
        zero = np.zeros((), of_e)[()]
        along = [(0, 0, 0)] * len(batch)
        columns = lax.pad(e, zero, [*along, (0, 1, 0)])
        below = lax.pad(
            lax.slice_in_dim(times_columns(unit, columns), 0, n - 1, axis=len(batch)),
            zero,
            [*along, (1, 0, 0), (0, 0, 0)],
        )
        matrix = lax.add(matrix, lax.add(below, adjoint(below)))
    v, w = lax.linalg.eigh(matrix, symmetrize_input=False)
    if indices is None:
        return w, v
    first, last = int(indices[0]), int(indices[1])
    if not 0 <= first <= last < n:
        raise ValueError(f"eigh_tridiagonal: select_range must be indices below {n}, got {indices}")
    axis = len(batch)
    return tuple(  # type: ignore[return-value]
        lax.slice_in_dim(x, first, last + 1, axis=i) for x, i in ((w, axis), (v, axis + 1))
    )


@array_function("calc_q", "overwrite_a", "check_finite")
def hessenberg(
    a: ArrayLike, *, calc_q: bool = False, overwrite_a: bool = False, check_finite: bool = True
) -> Any:
    """The Hessenberg form of matrices: `a = q @ h @ q^H` with zeros below h's subdiagonal.

    Args:
        a: an array of shape (..., n, n).
        calc_q: return q as well.
        overwrite_a, check_finite: no effect.

    Returns:
        `(h, q)`, both of the shape of `a`, or h alone.

    Raises:
        ValueError: the matrices are not square.

    >>> jx.scipy.linalg.hessenberg(jnp.ones((3, 3))).round(3)[2, 0].tolist()
    0.0
    """
    a = matrices("hessenberg", a, square=True)
    if typeof(a).shape[-1] < 2:
        return (a, eye(typeof(a).shape[-1], typeof(a).dtype, typeof(a).shape[:-2])) if calc_q else a
    packed, taus = lax.linalg.hessenberg(a)
    h = triangle(packed, lower=False, offset=-1)
    return (h, _reflections(packed, taus)) if calc_q else h


def _reflections(packed: Any, taus: Any) -> Any:
    """The product of the reflections of a Hessenberg form; the first row and column are unit."""
    *batch, n, _ = typeof(packed).shape
    inner = packed
    for axis, start in ((len(batch), 1), (len(batch) + 1, 0)):
        inner = lax.slice_in_dim(inner, start, start + n - 1, axis=axis)
    q = lax.linalg.householder_product(inner, taus)
    zero = np.zeros((), typeof(q).dtype)[()]
    padded = lax.pad(q, zero, [(0, 0, 0)] * len(batch) + [(1, 0, 0), (1, 0, 0)])
    unit = eye(n, np.bool_, batch)
    first = lax.eq(lax.broadcasted_iota(np.int32, (*batch, n, n), len(batch)), 0)
    return lax.select(lax.bitwise_and(unit, first), lax.full_like(padded, 1), padded)


@array_function("output")
def schur(a: ArrayLike, output: str = "real") -> tuple[Array, Array]:
    """The Schur form of matrices: `a = z @ t @ z^H` with unitary z.

    Args:
        a: an array of shape (..., n, n).
        output: `"real"`: the form of a real matrix is real, with blocks of 2 by 2 on the
            diagonal for pairs of complex eigenvalues; `"complex"`: it is complex and
            triangular, as that of a complex matrix always is.

    Returns:
        `(t, z)`, both of the shape of `a`. They are not differentiable.

    Raises:
        ValueError: the matrices are not square, or an unknown `output`.

    >>> t, z = jx.scipy.linalg.schur(jnp.array([[0.0, -1.0], [1.0, 0.0]]), output="complex")
    >>> sorted(jnp.diagonal(t).imag.round(3).tolist())
    [-1.0, 1.0]
    """
    if output not in ("real", "complex"):
        raise ValueError(f"schur: output must be 'real' or 'complex', got {output!r}")
    a = matrices("schur", a, square=True)
    t, z = lax.linalg.schur(as_complex(a) if output == "complex" else a)
    return t, z


def as_complex(x: Any) -> Any:
    """Complex numbers of the precision of real ones."""
    dtype = typeof(x).dtype
    if dtypes.issubdtype(dtype, np.complexfloating):
        return x
    return lax.convert_element_type(x, np.complex128 if dtype == np.float64 else np.complex64)


@array_function("check_finite")
def rsf2csf(T: ArrayLike, Z: ArrayLike, check_finite: bool = True) -> tuple[Array, Array]:
    """The complex Schur form of the matrices whose real Schur form is given.

    Each block of 2 by 2 on the diagonal is made triangular by one rotation; G. Golub and C. Van
    Loan, Matrix Computations, section 7.4.

    Args:
        T: the real Schur form, of shape (..., n, n).
        Z: its vectors, of shape (..., n, n). Leading axes broadcast.
        check_finite: no effect.

    Returns:
        `(T, Z)`, complex, T being upper triangular, with the same product `Z @ T @ Z^H`.

    Raises:
        ValueError: the matrices are not square, or their shapes differ.

    >>> t = jnp.array([[0.0, -2.0], [2.0, 0.0]])
    >>> jx.scipy.linalg.rsf2csf(t, jnp.eye(2))[0].round(3)[1, 0].tolist()
    0j
    """
    t = matrices("rsf2csf", T, square=True)
    z = matrices("rsf2csf", Z, square=True)
    t, z = promote_dtypes_inexact("rsf2csf", t, z)
    n = typeof(t).shape[-1]
    if typeof(z).shape[-1] != n:
        raise ShapeError(
            f"rsf2csf: T and Z must have matrices of one size, got {typeof(t).shape} and "
            f"{typeof(z).shape}"
        )
    batch = broadcast_shapes("rsf2csf", typeof(t).shape[:-2], typeof(z).shape[:-2])
    t, z = (as_complex(broadcast_to(x, (*batch, n, n))) for x in (t, z))
    if n < 2:
        return t, z
    t, z = lax.fori_loop(0, n - 1, lambda i, state: _rotated(n - 2 - i, *state), (t, z))
    return triangle(t, lower=False), z


def _block(t: Any, k: Any) -> list[Any]:
    """The elements of the 2 by 2 block at k, each of shape (..., 1, 1)."""
    ndim = typeof(t).ndim

    def at(i: Any, j: Any) -> Any:
        row = lax.dynamic_slice_in_dim(t, i, 1, axis=ndim - 2)
        return lax.dynamic_slice_in_dim(row, j, 1, axis=ndim - 1)

    return [at(k, k), at(k, k + 1), at(k + 1, k), at(k + 1, k + 1)]


def _rotated(k: Any, t: Any, z: Any) -> tuple[Any, Any]:
    """The form with the element below the diagonal in column k rotated away."""
    a, b, c, d = _block(t, k)
    # (d + x - a, c) is proportional to (x - a, c), an eigenvector of the block for a value x.
    half = lax.mul(lax.sub(a, d), 0.5)
    root = lax.sqrt(lax.add(lax.mul(half, half), lax.mul(b, c)))
    first = lax.add(half, root)
    size = lax.sqrt(lax.add(_square(first), _square(c)))
    nothing = lax.eq(c, lax.full_like(c, 0))
    one = lax.full_like(c, 1)
    size = lax.select(nothing, lax.full_like(size, 1), size)
    cosine = lax.select(nothing, one, lax.div(first, as_like(size, first)))
    sine = lax.select(nothing, lax.full_like(c, 0), lax.div(c, as_like(size, c)))
    ndim = typeof(t).ndim
    rotation = lax.concatenate(
        [
            lax.concatenate([cosine, lax.neg(lax.conj(sine))], ndim - 1),
            lax.concatenate([sine, lax.conj(cosine)], ndim - 1),
        ],
        ndim - 2,
    )
    rows = lax.dynamic_slice_in_dim(t, k, 2, axis=ndim - 2)
    t = lax.dynamic_update_slice_in_dim(t, _matmul(adjoint(rotation), rows), k, axis=ndim - 2)
    return _columns_rotated(t, k, rotation), _columns_rotated(z, k, rotation)


def _columns_rotated(x: Any, k: Any, rotation: Any) -> Any:
    axis = typeof(x).ndim - 1
    columns = lax.dynamic_slice_in_dim(x, k, 2, axis=axis)
    return lax.dynamic_update_slice_in_dim(x, _matmul(columns, rotation), k, axis=axis)


def _square(x: Any) -> Any:
    size = lax.abs(x)
    return lax.mul(size, size)


def as_like(x: Any, like: Any) -> Any:
    return lax.convert_element_type(x, typeof(like).dtype)
