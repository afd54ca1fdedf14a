"""Logarithms of sums and differences of exponentials, without overflow or cancellation."""

from __future__ import annotations

import math
from typing import Any

from jx_ad import custom_jvp
from jx_core import compiled, dtypes, lax, operators
from jx_core.ops.elementwise import convert

from ..functions import array_function
from ..operands import (
    Array,
    ArrayLike,
    inexact,
    is_complex,
    promote_inexact,
    promote_shapes,
    some_axes,
    typeof,
)
from ._kit import along, masked, strong, total

__all__ = ["log1mexp", "logmeanexp", "logsumexp"]

Axes = int | tuple[int, ...] | None


@array_function("axis", "keepdims", "return_sign")
def logsumexp(
    a: ArrayLike,
    axis: Axes = None,
    b: ArrayLike | None = None,
    keepdims: bool = False,
    return_sign: bool = False,
    where: ArrayLike | None = None,
) -> Any:
    """The logarithm of a sum of exponentials, log(sum(b exp(a))).

    The greatest exponent is taken out of the sum, so that nothing overflows. A sum of nothing
    but exp(-inf), or of nothing, gives -inf, with derivative 0.

    Args:
        a: an array; integers and booleans become floats.
        axis: an axis or a tuple of them; all if None.
        b: factors of the exponentials: a number, or an array that broadcasts with `a`. Where
            it is 0, `a` may be anything.
        keepdims: keep the axes, with length 1.
        return_sign: whether to return the sign of the sum as well. If false, the logarithm of
            a negative sum is NaN.
        where: an array of booleans, broadcast with `a`, that says which elements count.

    Returns:
        The logarithms; with `return_sign`, a pair of the logarithms of the sums' sizes and the
        signs, which for complex sums are their directions (of size 1, or 0).

    Raises:
        ShapeError: an axis is out of range or repeated; shapes don't broadcast.
        TypeError: `a` or `b` is no array.
        ValueError: `where` does not hold booleans.

    >>> round(float(jx.nn.logsumexp(jnp.array([1000.0, 1000.0]))), 2)
    1000.69
    >>> jx.nn.logsumexp(jnp.array([0.0, 0.0]), b=jnp.array([1.0, -2.0]), return_sign=True)
    (Array(0., dtype=float32), Array(-1., dtype=float32))
    """
    return _logsumexp("logsumexp", a, axis, b, keepdims, return_sign, where)


def _logsumexp(
    name: str, a: Any, axis: Any, b: Any, keepdims: bool, return_sign: bool, where: Any
) -> Any:
    if b is None:
        a = strong(name, a)
    else:
        a, b = [strong(name, x) for x in promote_inexact(name, a, b)]
        a = lax.select(lax.ne(b, 0.0), a, -math.inf)
    if where is not None:
        a, _ = masked(name, a, where, -math.inf)
        b = None if b is None else promote_shapes(name, b, a)[0]
    axes = some_axes(name, axis, typeof(a).ndim)
    result, sign = _log_and_sign(a, b, axes, return_sign)
    if keepdims:
        result = lax.expand_dims(result, axes)
        sign = sign if sign is None else lax.expand_dims(sign, axes)
    return (result, sign) if return_sign else result


def _log_and_sign(a: Array, b: Any, axes: tuple[int, ...], signed: bool) -> tuple[Array, Any]:
    """log(sum(b exp(a))) over `axes`; if `signed`, of the sum's size, and the sum's sign."""
    shape, dtype = typeof(a).shape, typeof(a).dtype
    fixed = lax.stop_gradient(a)
    top = lax.reduce_max(lax.real(fixed) if is_complex(dtype) else fixed, axes)
    # Infinities would cancel to NaN; the greatest finite number has the same effect.
    greatest = dtypes.finfo(typeof(top).dtype).max
    if is_complex(dtype):
        offset = convert(lax.clamp(-greatest, top, greatest), dtype)
        terms = lax.exp(lax.sub(a, along(offset, shape, axes)))
    else:
        offset = along(lax.max(top, -greatest), shape, axes)
        terms = lax.exp(_below(a, offset))
    size = total(terms if b is None else lax.mul(terms, b), axes)
    sign = None
    if signed:
        sign, size = lax.sign(size), lax.abs(size)
    # Where there is nothing in a sum, its logarithm is not what it depends on.
    nothing = lax.eq(top, -math.inf)
    log = lax.log(lax.select(nothing, 1.0, size))
    return lax.add(log, convert(top, typeof(log).dtype)), sign


@custom_jvp
def _below(a: Array, top: Array) -> Array:
    """a - top, where top is fixed, and 0 where a is infinite and the greatest."""
    return lax.select(lax.eq(a, math.inf), 0.0, lax.sub(a, top))


@_below.defjvp
def _(primals: Any, tangents: Any) -> Any:
    return _below(*primals), tangents[0]


@array_function("axis", "keepdims")
def logmeanexp(
    x: ArrayLike,
    axis: Axes = None,
    where: ArrayLike | None = None,
    keepdims: bool = False,
) -> Array:
    """The logarithm of a mean of exponentials, log(mean(exp(x))).

    Args:
        x: an array; integers and booleans become floats.
        axis: an axis or a tuple of them; all if None.
        where: an array of booleans, broadcast with `x`, that says which elements count.
        keepdims: keep the axes, with length 1.

    Returns:
        The logarithms; NaN for a mean of nothing.

    Raises:
        ShapeError: an axis is out of range or repeated; shapes don't broadcast.
        TypeError: `x` is no array.
        ValueError: `where` does not hold booleans.

    >>> round(float(jx.nn.logmeanexp(jnp.array([1000.0, 1001.0]))), 2)
    1000.62
    """
    log = _logsumexp("logmeanexp", x, axis, None, keepdims, False, where)
    dtype = typeof(log).dtype
    shape = typeof(x).shape
    if where is None:
        axes = some_axes("logmeanexp", axis, len(shape))
        count = math.prod(shape[i] for i in axes)
        if type(count) is int:
            return lax.sub(log, math.log(count) if count else -math.inf)
        return lax.sub(log, lax.log(lax.dim_as(count, dtype)))
    ones, _ = masked("logmeanexp", lax.full(shape, 1, dtype), where, 0.0)
    axes = some_axes("logmeanexp", axis, typeof(ones).ndim)
    counts = total(ones, axes)
    return lax.sub(log, lax.log(lax.expand_dims(counts, axes) if keepdims else counts))


@compiled
def log1mexp(x: ArrayLike) -> Array:
    """log(1 - exp(-x)), precise both where `x` is small and where it is large.

    Args:
        x: a non-negative array or number; integers and booleans become floats. At 0 the
            result is -inf, and below NaN.

    Raises:
        TypeError: `x` is no array.

    See Maechler, "Accurately computing log(1 - exp(-|a|))" (2012), the vignette of the R
    package Rmpfr.

    >>> [round(y, 4) for y in jx.nn.log1mexp(jnp.array([0.0, 0.1, 1.0])).tolist()]
    [-inf, -2.3522, -0.4587]
    """
    x = inexact("log1mexp", x)
    # Each formula is given what it is for, so that no derivative of the other is infinite.
    small = operators.less(x, math.log(2))
    minus_x = lax.neg(x)
    near = lax.log(lax.neg(lax.expm1(lax.select(small, minus_x, -1.0))))
    far = lax.log1p(lax.neg(lax.exp(lax.select(small, -1.0, minus_x))))
    return lax.select(small, near, far)
