"""Determinants, and their logarithms.

Their derivatives are Jacobi's formula, `d det(a) = tr(adj(a) da)`. The adjugate exists where
the inverse does not, so that the derivative is right at singular matrices too.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from jx_ad import custom_jvp
from jx_core import dtypes, lax, typeof

from ..contraction.products import _matmul
from ..functions import array_function
from ..operands import Array, ArrayLike
from .kit import adjoint, diagonal_of, eye, matrices, real_dtype, times_columns, trace_of
from .solving import solved

__all__ = ["det", "slogdet"]


class SlogdetResult(NamedTuple):
    """What `slogdet` returns."""

    sign: Array
    logabsdet: Array


@array_function()
def det(a: ArrayLike) -> Array:
    """The determinants of square matrices.

    Args:
        a: an array of shape (..., n, n).

    Returns:
        An array of shape (...).

    Raises:
        ValueError: the matrices are not square.

    >>> float(det(np.array([[1.0, 2.0], [3.0, 4.0]])))
    -2.0
    """
    a = matrices("det", a, square=True)
    n = typeof(a).shape[-1]
    return _det_by_rule(a, n) if n <= 3 else _det_by_lu(a)


def _det_by_rule(a: Any, n: int) -> Any:
    """The determinant of a small matrix written out."""
    if n == 0:
        return lax.full(typeof(a).shape[:-2], 1, typeof(a).dtype)

    def at(i: int, j: int) -> Any:
        row = lax.index_in_dim(a, i, typeof(a).ndim - 2, keepdims=False)
        return lax.index_in_dim(row, j, typeof(row).ndim - 1, keepdims=False)

    if n == 1:
        return at(0, 0)

    def minor(i: int, j: int) -> Any:
        """That of rows `i` and `i + 1` and two columns other than `j`."""
        p, q = [k for k in range(n) if k != j][:2]
        return lax.sub(lax.mul(at(i, p), at(i + 1, q)), lax.mul(at(i, q), at(i + 1, p)))

    if n == 2:
        return minor(0, 2)
    total = lax.mul(at(0, 0), minor(1, 0))
    total = lax.sub(total, lax.mul(at(0, 1), minor(1, 1)))
    return lax.add(total, lax.mul(at(0, 2), minor(1, 2)))


def _product_and_sign(a: Any) -> tuple[Any, Any]:
    """The diagonals of the U factors, and the signs of the rows' exchanges."""
    factors, pivots, _ = lax.linalg.lu(a)
    places = lax.broadcasted_iota(np.int32, typeof(pivots).shape, typeof(pivots).ndim - 1)
    exchanged = lax.convert_element_type(lax.ne(pivots, places), np.int32)
    odd = lax.rem(lax.reduce_sum(exchanged, (typeof(pivots).ndim - 1,)), np.int32(2))
    return diagonal_of(factors), odd


@custom_jvp
def _det_by_lu(a: Any) -> Any:
    diagonal, odd = _product_and_sign(a)
    product = lax.reduce_prod(diagonal, (typeof(diagonal).ndim - 1,))
    return lax.select(lax.eq(odd, 1), lax.neg(product), product)


@_det_by_lu.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (a,), (da,) = primals, tangents
    value = _det_by_lu(a)
    return value, trace_of(_matmul(_adjugate(a, value), da))


def _adjugate(a: Any, determinant: Any) -> Any:
    """`det(a) a^-1`, continued to where `a` has no inverse."""
    shape, dtype = typeof(a).shape, typeof(a).dtype
    batch = tuple(range(len(shape) - 2))
    singular = lax.eq(determinant, lax.full_like(determinant, 0))
    everywhere = lax.broadcast_in_dim(singular, shape, batch)
    identity = eye(shape[-1], dtype, shape[:-2])
    # Each way is given matrices that it can handle, so that its derivative is finite too.
    regular = lax.select(everywhere, identity, a)
    by_inverse = lax.mul(
        lax.broadcast_in_dim(_det_by_lu(regular), shape, batch), solved(regular, identity)
    )
    return lax.select(everywhere, _adjugate_of_singular(a, everywhere), by_inverse)


def _adjugate_of_singular(a: Any, singular: Any) -> Any:
    """From `a = u s v^H`: `adj(a) = det(u) det(v^H) v adj(s) u^H`."""
    shape = typeof(a).shape
    n = shape[-1]
    stairs = lax.broadcasted_iota(real_dtype(typeof(a).dtype), shape, len(shape) - 1)
    distinct = times_columns(eye(n, typeof(a).dtype, shape[:-2]), _row_of(stairs))
    u, s, vh = lax.linalg.svd(lax.select(singular, a, distinct))
    others = _products_of_others(s)
    phase = lax.mul(_det_by_lu(u), _det_by_lu(vh))
    middle = times_columns(adjoint(vh), others)
    return lax.mul(
        lax.broadcast_in_dim(phase, shape, tuple(range(len(shape) - 2))),
        _matmul(middle, adjoint(u)),
    )


def _row_of(x: Any) -> Any:
    return lax.index_in_dim(x, 0, typeof(x).ndim - 2, keepdims=False)


def _products_of_others(s: Any) -> Any:
    """For each element of the last axis, the product of all others."""
    axis = typeof(s).ndim - 1
    one = lax.full_like(lax.slice_in_dim(s, 0, 1, axis=axis), 1)
    n = typeof(s).shape[axis]
    before = lax.cumprod(
        lax.concatenate([one, lax.slice_in_dim(s, 0, n - 1, axis=axis)], axis), axis
    )
    after = lax.cumprod(
        lax.concatenate([lax.slice_in_dim(s, 1, n, axis=axis), one], axis), axis, reverse=True
    )
    return lax.mul(before, after)


@array_function("method")
def slogdet(a: ArrayLike, *, method: str | None = None) -> SlogdetResult:
    """The signs and the logarithms of the sizes of determinants.

    They neither overflow nor underflow where determinants would.

    Args:
        a: an array of shape (..., n, n).
        method: `"lu"` (the default) or `"qr"`, by which decomposition.

    Returns:
        `(sign, logabsdet)` of shape (...): 0 and -inf for singular matrices; the sign is a
        number of size 1 for complex ones.

    Raises:
        ValueError: the matrices are not square, or an unknown method.

    >>> slogdet(np.array([[0.0, 1.0], [1.0, 0.0]])).sign
    Array(-1., dtype=float32)
    """
    a = matrices("slogdet", a, square=True)
    if method not in (None, "lu", "qr"):
        raise ValueError(f"slogdet: method must be 'lu' or 'qr', got {method!r}")
    sign, logdet = _slogdet_by_qr(a) if method == "qr" else _slogdet_by_lu(a)
    return SlogdetResult(sign, logdet)


def _sign_and_log(diagonal: Any, sign: Any) -> tuple[Any, Any]:
    """Of the product of the elements of the last axis, times a sign."""
    axis = (typeof(diagonal).ndim - 1,)
    sign = lax.mul(sign, lax.reduce_prod(lax.sign(diagonal), axis))
    return sign, lax.reduce_sum(lax.log(lax.abs(diagonal)), axis)


@custom_jvp
def _slogdet_by_lu(a: Any) -> tuple[Any, Any]:
    diagonal, odd = _product_and_sign(a)
    one = lax.full(typeof(odd).shape, 1, typeof(a).dtype)
    return _sign_and_log(diagonal, lax.select(lax.eq(odd, 1), lax.neg(one), one))


@custom_jvp
def _slogdet_by_qr(a: Any) -> tuple[Any, Any]:
    n = typeof(a).shape[-1]
    packed, taus = lax.linalg.geqrf(a)
    # A reflection with a scalar factor tau other than 0 has determinant -1 if it is real.
    sign = lax.full(typeof(a).shape[:-2], 1, typeof(a).dtype)
    if n:
        if dtypes.issubdtype(typeof(a).dtype, np.complexfloating):
            ones = lax.full_like(taus, 1)
            factors = lax.select(
                lax.eq(taus, lax.full_like(taus, 0)), ones,
                lax.neg(lax.div(taus, lax.conj(taus))),
            )  # fmt: skip
        else:
            factors = lax.select(
                lax.eq(taus, lax.full_like(taus, 0)),
                lax.full_like(taus, 1),
                lax.full_like(taus, -1),
            )
        sign = lax.reduce_prod(factors, (typeof(taus).ndim - 1,))
    return _sign_and_log(diagonal_of(packed), sign)


def _slogdet_jvp(function: Any) -> Any:
    def rule(primals: Any, tangents: Any) -> Any:
        (a,), (da,) = primals, tangents
        sign, logdet = function(a)
        change = trace_of(solved(a, da))
        if not dtypes.issubdtype(typeof(a).dtype, np.complexfloating):
            return (sign, logdet), (lax.full_like(sign, 0), change)
        turn = lax.complex(lax.full_like(lax.imag(change), 0), lax.imag(change))
        return (sign, logdet), (lax.mul(turn, sign), lax.real(change))

    return rule


for _function in (_slogdet_by_lu, _slogdet_by_qr):
    _function.defjvp(_slogdet_jvp(_function))
