"""What rests on which singular values count as zero: ranks, conditions, least squares."""

from __future__ import annotations

import functools
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from jx_ad import custom_jvp
from jx_core import dtypes, lax, typeof
from jx_core.dtypes import python_scalar_dtype
from jx_core.errors import ShapeError

from ..contraction.products import _matmul
from ..functions import array_function, plain
from ..operands import (
    Array,
    ArrayLike,
    as_operand,
    broadcast_shapes,
    broadcast_to,
    promote_dtypes_inexact,
)
from .decompositions import svd
from .kit import adjoint, matrices, real_dtype, times_columns
from .norms import norm
from .solving import inverse

__all__ = ["cond", "lstsq", "matrix_rank", "pinv"]


def _epsilon(dtype: Any) -> float:
    return float(dtypes.finfo(dtype).eps)


def _greatest(s: Any) -> Any:
    """The first of the singular values, on an axis of length 1; 0 where there are none."""
    axis = typeof(s).ndim - 1
    greatest = (
        lax.reduce_max(lax.abs(s), (axis,))
        if typeof(s).shape[axis]
        else lax.full(typeof(s).shape[:axis], 0, typeof(s).dtype)
    )
    return lax.expand_dims(greatest, (axis,))


def _tolerance(s: Any, rtol: Any, default: float) -> Any:
    """The size up to which singular values count as zero, of a shape that broadcasts to `s`."""
    if rtol is None:
        return lax.mul(_greatest(s), default)
    rtol = lax.convert_element_type(rtol, typeof(s).dtype)
    if typeof(rtol).ndim:
        rtol = lax.expand_dims(rtol, (typeof(rtol).ndim,))
    return lax.mul(*_together(_greatest(s), rtol))


def _together(x: Any, y: Any) -> tuple[Any, Any]:
    shape = broadcast_shapes("linalg", typeof(x).shape, typeof(y).shape)
    return broadcast_to(x, shape), broadcast_to(y, shape)


@array_function("p")
def cond(x: ArrayLike, p: Any = None) -> Array:
    """The condition number of matrices.

    Args:
        x: an array of shape (..., m, n); square unless `p` is None, 2 or -2.
        p: the norm, as for `norm`; None is the ratio of the extreme singular values.

    Returns:
        An array of shape (...); infinite for singular matrices.

    Raises:
        ValueError: the matrices are empty or not square, or the order is unknown.

    >>> float(cond(np.diag(np.array([1.0, 4.0]))))
    4.0
    """
    a = matrices("cond", x, square=p not in (None, 2, -2))
    if 0 in typeof(a).shape[-2:]:
        raise ValueError(
            f"cond: matrices without elements have no condition number, got shape {typeof(a).shape}"
        )
    if p in (None, 2, -2):
        s = plain(svd)(a, compute_uv=False)
        axis = typeof(s).ndim - 1
        first = lax.index_in_dim(s, 0, axis, keepdims=False)
        last = lax.index_in_dim(s, -1, axis, keepdims=False)
        result = lax.div(last, first) if p == -2 else lax.div(first, last)
    else:
        of = partial(plain(norm), ord=p, axis=(-2, -1))
        result = lax.mul(of(a), of(inverse("cond", a)))
    # NaN is inf - inf of a singular matrix, unless it was in the operand.
    given = lax.reduce_or(lax.ne(a, a), (typeof(a).ndim - 2, typeof(a).ndim - 1))
    undefined = lax.bitwise_and(lax.ne(result, result), lax.bitwise_not(given))
    return lax.select(undefined, lax.full_like(result, np.inf), result)


@array_function("hermitian")
def matrix_rank(
    M: ArrayLike, rtol: Any = None, *, hermitian: bool = False, tol: Any = None
) -> Array:
    """The number of singular values that are not zero.

    Args:
        M: an array of shape (..., m, n).
        rtol: the size, relative to the greatest, up to which they count as zero: a number or
            an array of shape (...). By default max(m, n) epsilons.
        hermitian: whether the matrices are Hermitian.
        tol: another name for `rtol`, deprecated in JAX.

    Returns:
        Integers of shape (...).

    >>> int(matrix_rank(np.ones((3, 3))))
    1
    """
    if tol is not None:
        rtol = tol
    M = as_operand("matrix_rank", M)
    shape = typeof(M).shape
    if len(shape) < 2:
        some = lax.ne(M, lax.full_like(M, 0))
        anywhere = lax.reduce_or(some, tuple(range(len(shape))))
        return lax.convert_element_type(anywhere, python_scalar_dtype(int))
    s = plain(svd)(matrices("matrix_rank", M), compute_uv=False, hermitian=hermitian)
    bound = _tolerance(s, rtol, max(shape[-2:]) * _epsilon(typeof(s).dtype))
    counted = lax.convert_element_type(lax.gt(*_together(s, bound)), python_scalar_dtype(int))
    return lax.reduce_sum(counted, (typeof(counted).ndim - 1,))


@array_function("hermitian")
def pinv(a: ArrayLike, rtol: Any = None, hermitian: bool = False, *, rcond: Any = None) -> Array:
    """The Moore-Penrose pseudo-inverse.

    Args:
        a: an array of shape (..., m, n).
        rtol: the size, relative to the greatest, up to which singular values count as zero:
            a number or an array of shape (...). By default 10 max(m, n) epsilons.
        hermitian: whether the matrices are Hermitian.
        rcond: another name for `rtol`, deprecated in JAX.

    Returns:
        An array of shape (..., n, m). Its derivative is that at constant rank (Golub and
        Pereyra 1973, theorem 4.3).

    >>> pinv(np.array([[2.0, 0.0], [0.0, 0.0]]))
    Array([[0.5, 0. ],
           [0. , 0. ]], dtype=float32)
    """
    a = matrices("pinv", a, square=hermitian)
    if rcond is not None:
        rtol = rcond
    if rtol is None:
        rtol = 10 * max(typeof(a).shape[-2:]) * _epsilon(typeof(a).dtype)
    return _pinv(hermitian, a, rtol)


@partial(custom_jvp, nondiff_argnums=(0,))
def _pinv(hermitian: bool, a: Any, rtol: Any) -> Any:
    u, s, vh = plain(svd)(a, full_matrices=False, hermitian=hermitian)
    s, bound = _together(s, _tolerance(s, rtol, 0.0))
    counts = lax.gt(s, bound)
    one, zero = lax.full_like(s, 1), lax.full_like(s, 0)
    inverted = lax.select(counts, lax.div(one, lax.select(counts, s, one)), zero)
    return _matmul(times_columns(adjoint(vh), inverted), adjoint(u))


@_pinv.defjvp
def _(hermitian: bool, primals: Any, tangents: Any) -> Any:
    a, rtol = primals
    da, _ = tangents
    p = _pinv(hermitian, a, rtol)
    ph, dah = adjoint(p), adjoint(da)
    dp = lax.neg(_matmul(_matmul(p, da), p))
    # The parts that leave the range of a, and that of a^H.
    outside = lax.sub(dah, _matmul(_matmul(dah, a), p))
    dp = lax.add(dp, _matmul(_matmul(p, ph), outside))
    within = lax.sub(dah, _matmul(p, _matmul(a, dah)))
    return p, lax.add(dp, _matmul(_matmul(within, ph), p))


def _compiled_unless_as_numpy(fun: Callable[..., Any]) -> Any:
    """An array function that is not compiled where `numpy_resid` makes a shape go with values."""
    call = array_function("rcond", "numpy_resid")(fun)

    @functools.wraps(fun)
    def lstsq(*args: Any, **kwargs: Any) -> Any:
        return (fun if kwargs.get("numpy_resid") else call)(*args, **kwargs)

    return lstsq


@_compiled_unless_as_numpy
def lstsq(
    a: ArrayLike, b: ArrayLike, rcond: float | None = None, *, numpy_resid: bool = False
) -> tuple[Array, Array, Array, Array]:
    """The x of least norm that minimises `norm(b - a @ x)`.

    Args:
        a: a matrix of shape (m, n).
        b: of shape (m,) or (m, k).
        rcond: the size, relative to the greatest, below which singular values count as zero;
            max(m, n) epsilons by default, one epsilon if negative.
        numpy_resid: leave the residuals empty where NumPy does: where the rank is less than n,
            or m is at most n. Not for compiled functions, as the shape depends on values.

    Returns:
        `(x, residuals, rank, s)`: x of shape (n,) or (n, k), the sums of squares of `b - a @ x`
        of shape (1,) or (k,), the rank, and the singular values of `a`.

    Raises:
        ValueError: the shapes don't fit.

    >>> x, residuals, rank, s = lstsq(np.array([[1.0], [1.0]]), np.array([1.0, 3.0]))
    >>> round(float(x[0]), 3), int(rank)
    (2.0, 1)
    """
    a = matrices("lstsq", a)
    a, b = promote_dtypes_inexact("lstsq", a, b)
    m, n = (typeof(a).shape + (0,))[:2]
    shape = typeof(b).shape
    if typeof(a).ndim != 2 or len(shape) not in (1, 2) or shape[0] != m:
        raise ShapeError(
            f"lstsq: a must be of shape (m, n) and b of shape (m,) or (m, k), got "
            f"{typeof(a).shape} and {shape}"
        )
    columns = lax.expand_dims(b, (1,)) if len(shape) == 1 else b
    real = real_dtype(typeof(a).dtype)
    if not m or not n:
        s, rank = lax.full((0,), 0, real), lax.full((), 0, python_scalar_dtype(int))
        x = lax.full((n, typeof(columns).shape[1]), 0, typeof(a).dtype)
    else:
        epsilon = _epsilon(typeof(a).dtype)
        cut = max(m, n) * epsilon if rcond is None else epsilon if rcond < 0 else rcond
        u, s, vh = plain(svd)(a, full_matrices=False)
        counts = lax.bitwise_and(
            lax.gt(s, lax.full_like(s, 0)), lax.ge(*_together(s, lax.mul(_greatest(s), cut)))
        )
        rank = lax.reduce_sum(lax.convert_element_type(counts, python_scalar_dtype(int)), (0,))
        one = lax.full_like(s, 1)
        inverted = lax.select(counts, lax.div(one, lax.select(counts, s, one)), lax.full_like(s, 0))
        x = _matmul(times_columns(adjoint(vh), inverted), _matmul(adjoint(u), columns))
    residuals = _residuals(a, x, columns, rank, numpy_resid)
    return (lax.squeeze(x, (1,)) if len(shape) == 1 else x), residuals, rank, s


def _residuals(a: Any, x: Any, b: Any, rank: Any, as_numpy: bool) -> Any:
    m, n = typeof(a).shape
    if as_numpy and (m <= n or int(rank) < n):
        return lax.full((0,), 0, real_dtype(typeof(a).dtype))
    size = lax.abs(lax.sub(b, _matmul(a, x)))
    return lax.reduce_sum(lax.mul(size, size), (0,))
