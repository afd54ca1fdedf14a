"""The beta function, its logarithm, the incomplete one, and binomial coefficients."""

from __future__ import annotations

from jx_core import compiled, lax
from jx_core.operators import subtract

from ...functions import array_function
from ...operands import Array, ArrayLike, broadcast_all, strong
from ._operands import reals

__all__ = ["beta", "betainc", "betaln", "comb"]


@compiled
def betaln(a: ArrayLike, b: ArrayLike) -> Array:
    """The logarithm of the absolute value of the beta function.

    Args:
        a, b: real arrays or numbers; integers and booleans become floats.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.

    See DLMF 5.12.1.

    >>> jx.scipy.special.betaln(2.0, jnp.array([1.0, 3.0]))
    Array([-0.6931472, -2.4849067], dtype=float32)
    """
    return lax.log_beta_p.bind(*broadcast_all("betaln", *reals("betaln", a, b)))


@compiled
def beta(a: ArrayLike, b: ArrayLike) -> Array:
    """The beta function, gamma(a) gamma(b) / gamma(a + b).

    Args:
        a, b: real arrays or numbers; integers and booleans become floats.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.

    See DLMF 5.12.1.

    >>> jx.scipy.special.beta(2.0, jnp.array([1.0, 3.0]))
    Array([0.5       , 0.08333334], dtype=float32)
    """
    return strong(lax.beta_p.bind(*broadcast_all("beta", *reals("beta", a, b))))


@compiled
def betainc(a: ArrayLike, b: ArrayLike, x: ArrayLike) -> Array:
    """The regularized incomplete beta function I_x(a, b).

    That is the integral of t^(a - 1) (1 - t)^(b - 1) from 0 to `x`, over beta(a, b).

    Args:
        a, b: real arrays or numbers from 0 on.
        x: a real array or number from 0 to 1. Outside of these domains the result is NaN.

    Returns:
        An array of the common shape.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.

    See DLMF 8.17.2.

    >>> jx.scipy.special.betainc(2.0, 3.0, jnp.array([0.5, 1.0]))
    Array([0.6875, 1.    ], dtype=float32)
    """
    return lax.betainc(*reals("betainc", a, b, x))


@array_function("repetition")
def comb(N: ArrayLike, k: ArrayLike, *, repetition: bool = False) -> Array:
    """The number of ways to choose k of N things.

    Args:
        N, k: real arrays or numbers; integers and booleans become floats. Where `N` or `k` is
            negative, or `k` greater than `N` without repetition, the result is 0.
        repetition: whether a thing may be chosen more than once.

    Returns:
        An array of the common shape, of floats.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an operand is no array.
        ValueError: an operand is complex.

    See DLMF 26.3.

    >>> jx.scipy.special.comb(5, jnp.array([0, 2, 6]))
    Array([ 1., 10.,  0.], dtype=float32)
    """
    N, k = broadcast_all("comb", *reals("comb", N, k))
    none = None
    if repetition:
        none = lax.bitwise_and(lax.eq(k, 0.0), lax.ge(N, 0.0))
        N = subtract(lax.add(N, k), 1)
    inside = lax.bitwise_and(lax.le(k, N), lax.bitwise_and(lax.ge(N, 0.0), lax.ge(k, 0.0)))
    count = lax.binomial_p.bind(lax.select(inside, N, 0.0), lax.select(inside, k, 0.0))
    result = lax.select(inside, count, 0.0)
    return result if none is None else lax.select(none, 1.0, result)
