"""Products with logarithms, and the entropies made of them.

Their values where a factor is 0 are limits, and so are their derivatives.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from jx_ad import SymbolicZero, custom_jvp
from jx_core import compiled, lax
from jx_core.dtypes import finfo
from jx_core.operators import add, divide, equal, greater_equal, less, multiply, subtract

from ...operands import (
    Array,
    ArrayLike,
    as_weak_as,
    broadcast_shapes,
    broadcast_to,
    promote_inexact,
    typeof,
)
from ._logarithms import log_of_quotient_near_1
from ._operands import reals

__all__ = ["entr", "kl_div", "rel_entr", "xlog1py", "xlogy"]


def _of_one_shape(name: str, *operands: Array) -> list[Array]:
    shape = broadcast_shapes(name, *[typeof(x).shape for x in operands])
    return [broadcast_to(x, shape) for x in operands]


def _product_with(log: Callable[[Array], Array], shift: int) -> Any:
    """x log(y), where log(y) is the logarithm of y + shift; 0 where x is 0 and y no NaN."""

    @custom_jvp
    def product(x: Array, y: Array) -> Array:
        nothing = lax.bitwise_and(lax.eq(x, 0.0), lax.eq(y, y))
        return lax.select(nothing, 0.0, lax.mul(x, log(y)))

    def rule(primals: Any, tangents: Any) -> Any:
        (x, y), (dx, dy) = primals, tangents
        out = product(x, y)
        total = None if isinstance(dx, SymbolicZero) else multiply(dx, log(y))
        if not isinstance(dy, SymbolicZero):
            size = add(y, shift)
            # Where x is 0 the product does not depend on y, not even at y = 0.
            safe = lax.select(lax.bitwise_and(lax.eq(x, 0.0), lax.eq(size, 0.0)), 1.0, size)
            term = multiply(dy, lax.div(x, safe))
            total = term if total is None else add(total, term)
        return out, total

    product.defjvp(rule, symbolic_zeros=True)
    return product


_xlogy = _product_with(lax.log, 0)
_xlog1py = _product_with(lax.log1p, 1)


@compiled
def xlogy(x: ArrayLike, y: ArrayLike) -> Array:
    """x log(y), which is 0 where `x` is 0, whatever number `y` is.

    The derivative by `y` is 0 there as well; that by `x` is log(y), -inf at y = 0.

    Args:
        x: an array or number; integers and booleans become floats.
        y: likewise; real numbers below 0 give NaN, unless `x` is 0.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.

    >>> jx.scipy.special.xlogy(jnp.array([0.0, 2.0]), jnp.array([0.0, 1.0]))
    Array([0., 0.], dtype=float32)
    """
    return _xlogy(*_of_one_shape("xlogy", *promote_inexact("xlogy", x, y)))


@compiled
def xlog1py(x: ArrayLike, y: ArrayLike) -> Array:
    """x log(1 + y), precise also for small `y`, which is 0 where `x` is 0.

    The derivative by `y` is 0 there as well; that by `x` is log(1 + y), -inf at y = -1.

    Args:
        x: an array or number; integers and booleans become floats.
        y: likewise; real numbers below -1 give NaN, unless `x` is 0.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.

    >>> jx.scipy.special.xlog1py(jnp.array([0.0, 2.0]), jnp.array([-1.0, 0.0]))
    Array([0., 0.], dtype=float32)
    """
    return _xlog1py(*_of_one_shape("xlog1py", *promote_inexact("xlog1py", x, y)))


@custom_jvp
def _entr(x: Array) -> Array:
    value = lax.neg(lax.mul(x, lax.log(x)))
    return lax.select(less(x, 0), -math.inf, lax.select(equal(x, 0), 0.0, value))


@_entr.defjvp
def _(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    inside = greater_equal(x, 0)
    slope = subtract(-1, lax.log(lax.select(inside, x, 1.0)))
    return _entr(x), multiply(t, lax.select(inside, slope, 0.0))


@compiled
def entr(x: ArrayLike) -> Array:
    """The terms of an entropy: -x log(x), 0 at 0, -inf below.

    Args:
        x: a real array or number; integers and booleans become floats.

    Returns:
        An array of the shape of `x`.

    Raises:
        TypeError: `x` is no array.
        ValueError: `x` is complex.

    See Cover and Thomas, "Elements of information theory" (2006), equation (2.1).

    >>> jx.scipy.special.entr(jnp.array([0.0, 1.0, -1.0])) + 0
    Array([  0.,   0., -inf], dtype=float32)
    """
    return _entr(*reals("entr", x))


@custom_jvp
def _log_of_ratio(p: Array, q: Array) -> Array:
    """log(p / q) for positive numbers, precise also where they are close."""
    ratio = lax.div(p, q)
    near = lax.bitwise_and(lax.gt(ratio, 0.5), lax.lt(ratio, 2.0))
    # The difference of close numbers is exact.
    own = lax.select(near, p, q)
    close = log_of_quotient_near_1(lax.div(lax.sub(own, q), lax.add(own, q)))
    info = finfo(typeof(p).dtype)
    normal = lax.bitwise_and(lax.ge(ratio, float(info.tiny)), lax.le(ratio, float(info.max)))
    apart = lax.log(lax.select(normal, ratio, 1.0))
    apart = lax.select(normal, apart, lax.sub(lax.log(p), lax.log(q)))
    return lax.select(near, close, apart)


_log_of_ratio.defjvps(
    lambda t, out, p, q: lax.div(t, p), lambda t, out, p, q: lax.neg(lax.div(t, q))
)


def _regions(p: Array, q: Array) -> tuple[Array, Array, Array, Array]:
    """Where both are positive; where p is 0 and q not negative; and both made positive."""
    both = lax.bitwise_and(lax.gt(p, 0.0), lax.gt(q, 0.0))
    edge = lax.bitwise_and(lax.eq(p, 0.0), lax.ge(q, 0.0))
    return both, edge, lax.select(both, p, 1.0), lax.select(both, q, 1.0)


def _invalid(p: Array, q: Array) -> Array:
    """The value outside of the domain: infinite, or NaN where an operand is."""
    return lax.select(
        lax.bitwise_or(lax.ne(p, p), lax.ne(q, q)), math.nan, lax.mul(lax.full_like(p, 1), math.inf)
    )


@custom_jvp
def _rel_entr(p: Array, q: Array) -> Array:
    both, edge, safe_p, safe_q = _regions(p, q)
    value = lax.mul(safe_p, _log_of_ratio(safe_p, safe_q))
    return lax.select(both, value, lax.select(edge, 0.0, _invalid(p, q)))


def _rel_entr_by_p(p: Array, q: Array, constant: int) -> Array:
    """log(p / q) + constant; -inf where p alone is 0."""
    both, edge, safe_p, safe_q = _regions(p, q)
    at_edge = lax.select(lax.bitwise_and(edge, lax.gt(q, 0.0)), -math.inf, lax.full_like(p, 0))
    return lax.select(both, add(_log_of_ratio(safe_p, safe_q), constant), at_edge)


def _ratio(p: Array, q: Array) -> Array:
    """p / q, 0 where not both are positive."""
    both, _, safe_p, safe_q = _regions(p, q)
    return lax.select(both, lax.div(safe_p, safe_q), 0.0)


_rel_entr.defjvps(
    lambda t, out, p, q: lax.mul(t, _rel_entr_by_p(p, q, 1)),
    lambda t, out, p, q: lax.neg(lax.mul(t, _ratio(p, q))),
)


@compiled
def rel_entr(p: ArrayLike, q: ArrayLike) -> Array:
    """The terms of a relative entropy: p log(p / q), 0 where p = 0 and q >= 0, else inf.

    At p = 0 the derivative by `p` is -inf, or 0 where `q` is 0 too; outside of the domain
    derivatives are 0.

    Args:
        p, q: real arrays or numbers; integers and booleans become floats.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.

    See Cover and Thomas, "Elements of information theory" (2006), equation (2.26).

    >>> jx.scipy.special.rel_entr(jnp.array([0.0, 1.0, 1.0]), jnp.array([1.0, 1.0, 0.0]))
    Array([ 0.,  0., inf], dtype=float32)
    """
    entropy = _rel_entr(*_of_one_shape("rel_entr", *reals("rel_entr", p, q)))
    return as_weak_as(entropy, p)


_DEFICIT_SERIES = tuple(1 / (2 * k + 3) for k in range(26))


def _deficit(u: Array) -> Array:
    """u - log(1 + u) for u in [-2/3, 2], by log(1 + u) = 2 artanh(u / (2 + u))."""
    t = divide(u, add(u, 2))
    square = lax.square(t)
    total = lax.full_like(u, _DEFICIT_SERIES[-1])
    for c in reversed(_DEFICIT_SERIES[:-1]):
        total = add(lax.mul(total, square), c)
    return lax.mul(t, lax.sub(u, multiply(2, lax.mul(square, total))))


@custom_jvp
def _kl_div(p: Array, q: Array) -> Array:
    both, edge, safe_p, safe_q = _regions(p, q)
    u = lax.div(lax.sub(safe_q, safe_p), safe_p)
    near = lax.bitwise_and(lax.ge(u, -2 / 3), lax.le(u, 2.0))
    close = lax.mul(safe_p, _deficit(lax.select(near, u, 0.0)))
    apart = add(lax.mul(safe_p, _log_of_ratio(safe_p, safe_q)), lax.sub(safe_q, safe_p))
    value = lax.select(near, close, apart)
    return lax.select(both, value, lax.select(edge, q, _invalid(p, q)))


def _kl_div_by_q(p: Array, q: Array) -> Array:
    """1 - p / q; 0 outside of the domain."""
    both, edge, safe_p, safe_q = _regions(p, q)
    slope = lax.div(lax.sub(safe_q, safe_p), safe_q)
    return lax.select(both, slope, lax.select(edge, 1.0, lax.full_like(p, 0)))


_kl_div.defjvps(
    lambda t, out, p, q: lax.mul(t, _rel_entr_by_p(p, q, 0)),
    lambda t, out, p, q: lax.mul(t, _kl_div_by_q(p, q)),
)


@compiled
def kl_div(p: ArrayLike, q: ArrayLike) -> Array:
    """The terms of a Kullback-Leibler divergence: p log(p / q) - p + q.

    It is q where p = 0 and q >= 0, and inf where one is negative or `q` alone is 0. Precise
    also where `p` and `q` are close. Derivatives at the edges as for `rel_entr`.

    Args:
        p, q: real arrays or numbers; integers and booleans become floats.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.

    See Boyd and Vandenberghe, "Convex optimization" (2004), section 3.2.6.

    >>> jx.scipy.special.kl_div(jnp.array([0.0, 1.0, 1.0]), jnp.array([1.0, 1.0, 0.0]))
    Array([ 1.,  0., inf], dtype=float32)
    """
    divergence = _kl_div(*_of_one_shape("kl_div", *reals("kl_div", p, q)))
    return as_weak_as(divergence, p)
