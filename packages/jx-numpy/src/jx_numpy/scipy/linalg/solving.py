"""Systems of linear equations, Sylvester's equation, inverses and determinants, as in SciPy.

Solutions are differentiated as what they are: from the equation they fulfil.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jx_core import dtypes, lax, typeof
from jx_core.errors import ShapeError

from ...contraction.products import _matmul
from ...functions import array_function, plain
from ...linalg import determinants
from ...linalg import solving as numpy_solving
from ...linalg.kit import adjoint, diagonal_of, matrices, transposed
from ...operands import (
    Array,
    ArrayLike,
    broadcast_shapes,
    broadcast_to,
    inexact,
    promote_dtypes_inexact,
)
from .columns import sylvester_of_triangular
from .factorizations import cholesky_factor

__all__ = [
    "cho_solve", "det", "inv", "lu_solve", "solve", "solve_sylvester", "solve_triangular",
]  # fmt: skip


def _system(name: str, a: Any, b: Any) -> tuple[Any, Any, bool]:
    """The matrices and right-hand sides with equal leading axes, and whether `b` has vectors.

    `b` is a vector, a vector for each matrix, or has matrices.
    """
    a = matrices(name, a, square=True)
    a, b = promote_dtypes_inexact(name, a, b)
    *batch_a, n, _ = typeof(a).shape
    shape = typeof(b).shape
    vector = len(shape) == 1 or (len(shape) > 1 and shape == (*batch_a, n))
    if not shape or shape[-1 if vector else -2] != n:
        raise ShapeError(
            f"{name}: b must be of shape ({n},) or (..., {n}, k) for a of shape "
            f"{typeof(a).shape}, got {shape}"
        )
    if vector:
        b = lax.expand_dims(b, (len(shape),))
    try:
        batch = broadcast_shapes(name, tuple(batch_a), typeof(b).shape[:-2])
    except ValueError:
        raise ShapeError(
            f"{name}: the leading axes of a, of shape {typeof(a).shape}, and of b, of shape "
            f"{shape}, do not broadcast"
        ) from None
    a = broadcast_to(a, (*batch, n, n))
    return a, broadcast_to(b, (*batch, *typeof(b).shape[-2:])), vector


def _result(x: Any, vector: bool) -> Any:
    return lax.squeeze(x, (typeof(x).ndim - 1,)) if vector else x


@array_function("lower", "overwrite_a", "overwrite_b", "debug", "check_finite", "assume_a")
def solve(
    a: ArrayLike,
    b: ArrayLike,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    debug: bool = False,
    check_finite: bool = True,
    assume_a: str = "gen",
) -> Array:
    """The solution of `a @ x = b`.

    Args:
        a: matrices of shape (..., n, n).
        b: right-hand sides: a vector of shape (n,), or matrices of shape (..., n, k).
        lower: for `assume_a="pos"`, read the lower triangle of `a` and not the upper one.
        assume_a: what is known of `a`: `"gen"`, nothing; `"sym"` or `"her"`, that it is symmetric
            or Hermitian; `"pos"`, that it is Hermitian and positive definite. Only the last is
            made use of, by Cholesky factors.
        overwrite_a, overwrite_b, debug, check_finite: no effect.

    Returns:
        An array of shape (..., n) or (..., n, k). Where a matrix is singular it has infinities
        and NaNs.

    Raises:
        ValueError: the shapes do not fit, or an unknown `assume_a`.

    >>> jx.scipy.linalg.solve(jnp.array([[2.0, 0.0], [0.0, 4.0]]), jnp.ones(2))
    Array([0.5 , 0.25], dtype=float32)
    """
    if assume_a not in ("gen", "sym", "her", "pos"):
        raise ValueError(f"solve: assume_a must be 'gen', 'sym', 'her' or 'pos', got {assume_a!r}")
    if assume_a != "pos":
        return plain(numpy_solving.solve)(a, b)
    a, b, vector = _system("solve", a, b)
    factor = cholesky_factor(lax.stop_gradient(a), lower)

    def transpose_solve(_: Any, b: Any) -> Any:
        # The transpose of a Hermitian matrix is its conjugate.
        return _conj(_substituted(factor, _conj(b), lower))

    x = lax.custom_linear_solve(
        lambda x: _matmul(a, x),
        b,
        lambda _, b: _substituted(factor, b, lower),
        transpose_solve,
    )
    return _result(x, vector)


def _conj(x: Any) -> Any:
    return lax.conj(x) if dtypes.issubdtype(typeof(x).dtype, np.complexfloating) else x


def _substituted(factor: Any, b: Any, lower: bool) -> Any:
    """The solution of `a x = b`, given a Cholesky factor of `a`."""
    y = lax.linalg.triangular_solve(
        factor, b, left_side=True, lower=lower, transpose_a=not lower, conjugate_a=not lower
    )
    return lax.linalg.triangular_solve(
        factor, y, left_side=True, lower=lower, transpose_a=lower, conjugate_a=lower
    )


@array_function("lower")
def _cho_solve(c: Any, b: Any, lower: bool) -> Any:
    c, b, vector = _system("cho_solve", c, b)
    return _result(_substituted(c, b, lower), vector)


def cho_solve(
    c_and_lower: tuple[ArrayLike, bool],
    b: ArrayLike,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """The solution of `a @ x = b`, given the Cholesky factor of `a`.

    Args:
        c_and_lower: what `cho_factor` gave for `a`: the factor, of shape (..., n, n), and whether
            it is the lower one. The other triangle is not read.
        b: right-hand sides, as for `solve`; or vectors, one for each matrix.
        overwrite_b, check_finite: no effect.

    Returns:
        An array of shape (..., n) or (..., n, k).

    Raises:
        ValueError: the shapes do not fit.

    >>> factor = jx.scipy.linalg.cho_factor(jnp.array([[4.0, 0.0], [0.0, 1.0]]))
    >>> jx.scipy.linalg.cho_solve(factor, jnp.array([4.0, 3.0]))
    Array([1., 3.], dtype=float32)
    """
    c, lower = c_and_lower
    return _cho_solve(c, b, bool(lower))


@array_function("trans")
def _lu_solve(factors: Any, pivots: Any, b: Any, trans: int) -> Any:
    factors, b, vector = _system("lu_solve", factors, b)
    *batch, n, _ = typeof(factors).shape
    pivots = broadcast_to(pivots, (*batch, typeof(pivots).shape[-1]))
    permutation = lax.linalg.lu_pivots_to_permutation(pivots, n)
    if trans == 0:
        x = numpy_solving._substituted(factors, permutation, b)
    else:
        back = numpy_solving._inverse_permutation(permutation)
        b = _conj(b) if trans == 2 else b
        x = numpy_solving._substituted_transposed(factors, back, b)
        x = _conj(x) if trans == 2 else x
    return _result(x, vector)


def lu_solve(
    lu_and_piv: tuple[ArrayLike, ArrayLike],
    b: ArrayLike,
    trans: int = 0,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> Array:
    """The solution of `a @ x = b`, given the LU factors of `a`.

    Args:
        lu_and_piv: what `lu_factor` gave for `a`, of shapes (..., n, n) and (..., n).
        b: right-hand sides, as for `solve`; or vectors, one for each matrix.
        trans: solve with `a` (0), its transpose (1), or its conjugate transpose (2).
        overwrite_b, check_finite: no effect.

    Returns:
        An array of shape (..., n) or (..., n, k).

    Raises:
        ValueError: the shapes do not fit, or `trans` is none of these.

    >>> factors = jx.scipy.linalg.lu_factor(jnp.array([[0.0, 1.0], [2.0, 0.0]]))
    >>> jx.scipy.linalg.lu_solve(factors, jnp.array([3.0, 4.0]))
    Array([2., 3.], dtype=float32)
    """
    if trans not in (0, 1, 2):
        raise ValueError(f"lu_solve: trans must be 0, 1 or 2, got {trans!r}")
    factors, pivots = lu_and_piv
    return _lu_solve(factors, pivots, b, int(trans))


_TRANS = {0: (False, False), "N": (False, False), 1: (True, False), "T": (True, False)} | {
    2: (True, True), "C": (True, True)
}  # fmt: skip


@array_function("trans", "lower", "unit_diagonal", "overwrite_b", "debug", "check_finite")
def solve_triangular(
    a: ArrayLike,
    b: ArrayLike,
    trans: int | str = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    debug: Any = None,
    check_finite: bool = True,
) -> Array:
    """The solution of `a @ x = b` for triangular `a`.

    Args:
        a: matrices of shape (..., n, n).
        b: right-hand sides, as for `solve`; or vectors, one for each matrix.
        trans: solve with `a` (0 or `"N"`), its transpose (1 or `"T"`), or its conjugate transpose
            (2 or `"C"`).
        lower: whether the lower triangle of `a` is the matrix; the other one is not read.
        unit_diagonal: the diagonal of `a` counts as ones and is not read.
        overwrite_b, debug, check_finite: no effect.

    Returns:
        An array of shape (..., n) or (..., n, k).

    Raises:
        ValueError: the shapes do not fit, or `trans` is none of these.

    >>> a = jnp.array([[1.0, 0.0], [2.0, 4.0]])
    >>> jx.scipy.linalg.solve_triangular(a, jnp.array([1.0, 4.0]), lower=True)
    Array([1. , 0.5], dtype=float32)
    """
    if trans not in _TRANS:
        raise ValueError(
            f"solve_triangular: trans must be 0 or 'N', 1 or 'T', 2 or 'C', got {trans!r}"
        )
    transpose, conjugate = _TRANS[trans]
    a, b, vector = _system("solve_triangular", a, b)
    x = lax.linalg.triangular_solve(
        a,
        b,
        left_side=True,
        lower=lower,
        transpose_a=transpose,
        conjugate_a=conjugate,
        unit_diagonal=unit_diagonal,
    )
    return _result(x, vector)


@array_function("overwrite_a", "check_finite")
def inv(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The inverses of square matrices; see `jx.numpy.linalg.inv`.

    Args:
        a: an array of shape (..., n, n).
        overwrite_a, check_finite: no effect.

    Raises:
        ValueError: the matrices are not square.

    >>> jx.scipy.linalg.inv(jnp.array([[2.0, 0.0], [0.0, 4.0]]))
    Array([[0.5 , 0.  ],
           [0.  , 0.25]], dtype=float32)
    """
    return numpy_solving.inverse("inv", a)


@array_function("overwrite_a", "check_finite")
def det(a: ArrayLike, overwrite_a: bool = False, check_finite: bool = True) -> Array:
    """The determinants of square matrices; see `jx.numpy.linalg.det`.

    Args:
        a: an array of shape (..., n, n).
        overwrite_a, check_finite: no effect.

    Returns:
        An array of shape (...).

    Raises:
        ValueError: the matrices are not square.

    >>> jx.scipy.linalg.det(jnp.array([[1.0, 2.0], [3.0, 4.0]]))
    Array(-2., dtype=float32)
    """
    return plain(determinants.det)(a)


@array_function("method")
def solve_sylvester(
    A: ArrayLike, B: ArrayLike, C: ArrayLike, *, method: str = "schur", tol: float = 1e-8
) -> Array:
    """The solution X of Sylvester's equation `A @ X + X @ B = C`.

    Args:
        A, B, C: arrays of shapes (..., m, m), (..., n, n) and (..., m, n). Leading axes broadcast.
        method: `"schur"`, by Schur forms (Bartels and Stewart 1972), or `"eigen"`, by
            eigenvectors, which is faster on accelerators, and less exact where they are close to
            dependent.
        tol: the result is NaN where the sum of an eigenvalue of A and one of B is less than
            this, as the solution is not unique where it is zero.

    Returns:
        An array of shape (..., m, n). It is differentiable in A, B and C.

    Raises:
        ValueError: the shapes do not fit, or an unknown method.

    >>> x = jx.scipy.linalg.solve_sylvester(jnp.eye(2), 3 * jnp.eye(2), jnp.ones((2, 2)))
    >>> bool(jnp.allclose(x, 0.25))
    True
    """
    if method not in ("schur", "eigen"):
        raise ValueError(f"solve_sylvester: method must be 'schur' or 'eigen', got {method!r}")
    a, b, c = promote_dtypes_inexact("solve_sylvester", A, B, C)
    shapes = [typeof(x).shape for x in (a, b, c)]
    m, n = shapes[2][-2:] if len(shapes[2]) > 1 else (None, None)
    if shapes[0][-2:] != (m, m) or shapes[1][-2:] != (n, n):
        raise ShapeError(
            f"solve_sylvester: A, B and C must be of shapes (..., m, m), (..., n, n) and "
            f"(..., m, n), got {shapes[0]}, {shapes[1]} and {shapes[2]}"
        )
    batch = broadcast_shapes("solve_sylvester", *[s[:-2] for s in shapes])
    a, b, c = (broadcast_to(x, (*batch, *typeof(x).shape[-2:])) for x in (a, b, c))
    return sylvester(a, b, c, inexact("solve_sylvester", tol), method)


def sylvester(a: Any, b: Any, c: Any, tol: Any = 0.0, method: str = "schur") -> Any:
    """The solution of `a x + x b = c`, for matrices of equal leading axes and dtypes."""
    system = _Schur(a, b) if method == "schur" else _Eigen(a, b)
    wide = typeof(system.values_a).dtype

    def solved(c: Any, transpose: bool) -> Any:
        x = system.solved(lax.convert_element_type(c, wide), transpose)
        return x if dtypes.issubdtype(typeof(c).dtype, np.complexfloating) else lax.real(x)

    x = lax.custom_linear_solve(
        lambda x: lax.add(_matmul(a, x), _matmul(x, b)),
        c,
        lambda _, c: solved(c, False),
        lambda _, c: solved(c, True),
    )
    sums = lax.add(*(
        lax.broadcast_in_dim(v, typeof(c).shape, (*range(typeof(c).ndim - 2), axis))
        for v, axis in (
            (system.values_a, typeof(c).ndim - 2),
            (system.values_b, typeof(c).ndim - 1),
        )
    ))  # fmt: skip
    size = lax.abs(sums)
    close = lax.lt(size, lax.convert_element_type(tol, typeof(size).dtype))
    ndim = typeof(c).ndim
    any_close = lax.reduce_or(close, (ndim - 2, ndim - 1))
    over = lax.broadcast_in_dim(any_close, typeof(c).shape, tuple(range(ndim - 2)))
    return lax.select(over, lax.full_like(x, np.nan), x)


def _complex(x: Any) -> Any:
    dtype = typeof(x).dtype
    return lax.convert_element_type(x, np.result_type(dtype, np.complex64))


class _Schur:
    """Sylvester's equations for two matrices, by their Schur forms."""

    def __init__(self, a: Any, b: Any) -> None:
        self.r, self.u = lax.linalg.schur(_complex(lax.stop_gradient(a)))
        self.s, self.v = lax.linalg.schur(_complex(lax.stop_gradient(b)))
        self.values_a, self.values_b = diagonal_of(self.r), diagonal_of(self.s)

    def solved(self, c: Any, transpose: bool) -> Any:
        """The solution of `a x + x b = c`, or of the system with both transposed."""
        r, u, s, v = self.r, self.u, self.s, self.v
        if transpose:
            # Turned round by their middle, transposed triangular matrices are upper ones again.
            (r, u), (s, v) = _turned(r, u), _turned(s, v)
        f = _matmul(_matmul(adjoint(u), c), v)
        return _matmul(_matmul(u, sylvester_of_triangular(r, s, f)), adjoint(v))


def _turned(t: Any, z: Any) -> tuple[Any, Any]:
    """The Schur form of the transposed matrix."""
    ndim = typeof(t).ndim
    return lax.rev(transposed(t), (ndim - 2, ndim - 1)), lax.rev(_conj(z), (ndim - 1,))


class _Eigen:
    """Sylvester's equations for two matrices, by their eigenvectors."""

    def __init__(self, a: Any, b: Any) -> None:
        self.values_a, self.p = lax.linalg.eig(
            _complex(lax.stop_gradient(a)), compute_left_eigenvectors=False
        )
        self.values_b, self.q = lax.linalg.eig(
            _complex(lax.stop_gradient(b)), compute_left_eigenvectors=False
        )

    def solved(self, c: Any, transpose: bool) -> Any:
        """The solution of `a x + x b = c`, or of the system with both transposed."""
        solved = numpy_solving.solved
        p, q = self.p, self.q
        ndim = typeof(c).ndim
        sums = lax.add(
            lax.broadcast_in_dim(self.values_a, typeof(c).shape, tuple(range(ndim - 1))),
            lax.broadcast_in_dim(self.values_b, typeof(c).shape, (*range(ndim - 2), ndim - 1)),
        )
        if transpose:
            # a^T = p^-T values p^T, and so y = p^T x q^-T.
            f = _matmul(transposed(p), transposed(solved(q, transposed(c))))
            y = lax.div(f, sums)
            return _matmul(solved(transposed(p), y), transposed(q))
        f = _matmul(solved(p, c), q)
        y = lax.div(f, sums)
        return _matmul(p, transposed(solved(transposed(q), transposed(y))))
