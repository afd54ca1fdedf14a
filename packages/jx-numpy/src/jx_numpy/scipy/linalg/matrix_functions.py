"""Functions of matrices by way of their Schur forms: the square root, and any other."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from jx_ad import custom_jvp, jvp
from jx_core import lax, typeof
from jx_core.errors import ShapeError

from ...contraction.products import _matmul
from ...functions import array_function
from ...linalg.kit import adjoint, diagonal_of, eye, matrices
from ...linalg.solving import solved
from ...operands import Array, ArrayLike, inexact
from .columns import function_of_triangular, root_of_triangular
from .solving import sylvester
from .spectra import as_complex

__all__ = ["funm", "sqrtm"]


@array_function("blocksize")
def sqrtm(A: ArrayLike, blocksize: int = 1) -> Array:
    """The principal square root of square matrices: `sqrtm(A) @ sqrtm(A)` is `A`.

    Args:
        A: an array of shape (..., n, n).
        blocksize: no effect, and 1, as in JAX.

    Returns:
        A complex array of shape (..., n, n). It is differentiable where no eigenvalue is zero.

    Raises:
        NotImplementedError: another `blocksize`.
        ValueError: the matrices are not square.

    See A. Bjorck and S. Hammarling, "A Schur method for the square root of a matrix" (1983). From
    `x x = a` its derivative is the solution of `x dx + dx x = da`.

    >>> jx.scipy.linalg.sqrtm(jnp.array([[4.0, 0.0], [0.0, 9.0]])).real
    Array([[2., 0.],
           [0., 3.]], dtype=float32)
    """
    if blocksize != 1:
        raise NotImplementedError(f"sqrtm: blocksize has no effect and must be 1, got {blocksize}")
    return _root(as_complex(matrices("sqrtm", A, square=True)))


@custom_jvp
def _root(a: Any) -> Any:
    t, z = lax.linalg.schur(a)
    return _matmul(_matmul(z, root_of_triangular(t)), adjoint(z))


@_root.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    x = _root(a)
    return x, sylvester(x, x, da)


def funm(A: ArrayLike, func: Callable[[Any], Any], disp: bool = True) -> Any:
    """A function of a square matrix, given as a function of numbers.

    Args:
        A: a matrix of shape (n, n), whose eigenvalues are distinct: where they are close, so are
            the terms of differences that are divided by theirs.
        func: takes a vector of complex numbers and gives that of its values.
        disp: whether to return the result alone, and no estimate of its error.

    Returns:
        A complex matrix of shape (n, n); or that, and an estimate of the relative error, a float.

    Raises:
        ValueError: the matrix is not square, or has further axes.

    By Parlett's recurrence in a Schur form; G. Golub and C. Van Loan, Matrix Computations,
    algorithm 9.1.1. Its derivatives are by divided differences of `func` (N. J. Higham,
    Functions of Matrices, theorem 3.9), and those of them.

    >>> a = jnp.array([[1.0, 2.0], [0.0, 3.0]])
    >>> b = jx.scipy.linalg.funm(a, jnp.exp)
    >>> bool(jnp.allclose(b, jx.scipy.linalg.expm(a), rtol=1e-5))
    True
    """
    a = inexact("funm", A)
    shape = typeof(a).shape
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ShapeError(f"funm takes a square matrix, of shape (n, n), got {shape}")
    value, error = _funm(func, as_complex(a))
    return value if disp else (value, error)


@partial(custom_jvp, nondiff_argnums=(0,))
def _funm(func: Callable[[Any], Any], a: Any) -> tuple[Any, Any]:
    t, z = lax.linalg.schur(a)
    values = lax.convert_element_type(func(diagonal_of(t)), typeof(t).dtype)
    f = function_of_triangular(t, values)
    f = _matmul(_matmul(z, f), adjoint(z))
    return f, _error(t, f)


def _error(t: Any, f: Any) -> Any:
    """How far rounding may reach: by the least difference of eigenvalues, and what is above."""
    n = typeof(t).shape[-1]
    real = np.finfo(typeof(t).dtype)
    eps = lax.full((), real.eps, real.dtype)
    if n < 2:
        return eps
    differences = lax.abs(_differences(diagonal_of(t)))
    upper = lax.lt(*(lax.broadcasted_iota(np.int32, (n, n), axis) for axis in (0, 1)))
    counts = lax.bitwise_and(upper, lax.gt(differences, lax.full_like(differences, 0)))
    infinite = lax.full_like(differences, np.inf)
    least = lax.reduce_min(lax.select(counts, differences, infinite), (0, 1))
    above = lax.select(upper, lax.abs(t), lax.full_like(differences, 0))
    norm = lax.reduce_max(lax.reduce_sum(above, (0,)), (0,))
    error = lax.min(lax.max(eps, lax.mul(lax.div(eps, least), norm)), lax.full_like(eps, 1))
    finite = lax.reduce_and(lax.is_finite(lax.abs(f)), (0, 1))
    return lax.select(finite, error, lax.full_like(error, np.inf))


def _differences(values: Any) -> Any:
    """What each of a vector has more than each other."""
    n = typeof(values).shape[-1]
    return lax.sub(*(lax.broadcast_in_dim(values, (n, n), (axis,)) for axis in (0, 1)))


@_funm.defjvp
def _(func: Callable[[Any], Any], primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    value, error = _funm(func, a)
    w, v = _eigen(a)
    values, slopes = jvp(func, (w,), (lax.full_like(w, 1),))
    between = _differences(w)
    unit = eye(typeof(w).shape[0], np.bool_)
    same = lax.bitwise_or(unit, lax.eq(between, lax.full_like(between, 0)))
    one = lax.full_like(between, 1)
    quotient = lax.div(_differences(values), lax.select(same, one, between))
    along = lax.broadcast_in_dim(slopes, typeof(between).shape, (0,))
    factors = lax.select(same, along, quotient)
    inner = lax.mul(factors, solved(v, _matmul(da, v)))
    outer = solved(_swapped(v), _swapped(_matmul(v, inner)))
    return (value, error), (_swapped(outer), lax.full_like(error, 0))


@custom_jvp
def _eigen(a: Any) -> tuple[Any, Any]:
    w, v = lax.linalg.eig(a, compute_left_eigenvectors=False)
    return w, v


@_eigen.defjvp
def _(primals: Any, tangents: Any) -> Any:
    # Vectors may be of any length and direction where only v x v^-1 is asked for, so none
    # moves along itself here, whatever the decomposition's own choice.
    w, v = _eigen(*primals)
    moved = solved(v, _matmul(tangents[0], v))
    between = lax.neg(_differences(w))
    same = lax.eq(between, lax.full_like(between, 0))
    factors = lax.div(moved, lax.select(same, lax.full_like(between, 1), between))
    turned = _matmul(v, lax.select(same, lax.full_like(moved, 0), factors))
    return (w, v), (diagonal_of(moved), turned)


def _swapped(x: Any) -> Any:
    return lax.transpose(x, (1, 0))
