"""The multinomial distribution."""

from __future__ import annotations

import math
from typing import Any

from jx_core import compiled, lax

from ...functions import plain
from ...operands import Array, ArrayLike, broadcast_all, is_integer, promote_dtypes, typeof
from ..special import xlogy
from ._kit import reals, rounded, where

__all__ = ["logpmf", "pmf"]

_xlogy = plain(xlogy)


def _sum(x: Array) -> Array:
    return lax.reduce_sum(x, (typeof(x).ndim - 1,))


def _operands(
    name: str, x: ArrayLike, n: ArrayLike, p: ArrayLike
) -> tuple[Array, Array, Array, Any]:
    """Counts, their probabilities, the logarithm of n! / (x_1! x_2! ...), and the result's dtype.

    In at least float32. The logarithm is -inf where the counts can't be, and others stand there.
    """
    (p,), dtype = reals(name, p)
    x, n = promote_dtypes(name, x, n)
    if not is_integer(typeof(x).dtype):
        raise ValueError(
            f"jx.scipy.stats.{name}: x and n must be of integer type, got "
            f"{typeof(x).dtype.name} and {typeof(n).dtype.name}; convert with astype(int)"
        )
    if not typeof(x).ndim or not typeof(p).ndim:
        raise ValueError(
            f"jx.scipy.stats.{name}: x and p must have an axis of categories, got shapes "
            f"{typeof(x).shape} and {typeof(p).shape}"
        )
    last = (typeof(x).ndim - 1,)
    outside = (lax.reduce_sum(x, last) != n) | lax.reduce_or(x < 0, last)
    real = typeof(p).dtype
    x, p = broadcast_all(name, lax.convert_element_type(where(x < 0, 0, x), real), p)
    log_ways = lax.lgamma(lax.convert_element_type(n, real) + 1)
    log_ways = log_ways - _sum(lax.lgamma(x + 1))
    return x, p, where(outside, -math.inf, log_ways), dtype


@compiled
def logpmf(x: ArrayLike, n: ArrayLike, p: ArrayLike) -> Array:
    """The logarithm of the probability mass of the multinomial distribution.

    That is log(n!) plus the sum of x_i log(p_i) - log(x_i!), along the last axis.

    Args:
        x: counts of the categories, integers of shape (..., k). The mass is 0 where they do
            not sum to `n`.
        n: the number of trials, an integer or an array of them that broadcasts with the
            leading axes.
        p: the probabilities of the categories, of shape (..., k).

    Returns:
        An array of floats, of the common shape of the leading axes.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an argument is no array.
        ValueError: `x` or `n` does not hold integers, `x` or `p` has no axis, `p` is complex.

    See N. L. Johnson, S. Kotz and N. Balakrishnan, "Discrete multivariate distributions"
    (1997), chapter 35.

    >>> jx.scipy.stats.multinomial.logpmf(jnp.array([1, 2]), 3, jnp.array([0.5, 0.5]))
    Array(-0.98082924, dtype=float32)
    """
    x, p, log_ways, dtype = _operands("multinomial.logpmf", x, n, p)
    return rounded(log_ways + _sum(_xlogy(x, p)), dtype)


@compiled
def pmf(x: ArrayLike, n: ArrayLike, p: ArrayLike) -> Array:
    """The probability mass of the multinomial distribution.

    That is n! times the product of p_i^x_i / x_i!, along the last axis.

    Args:
        x, n, p: as for `logpmf`.

    Returns:
        An array of floats, of the common shape of the leading axes.

    Raises:
        ShapeError: the shapes don't broadcast.
        TypeError: an argument is no array.
        ValueError: `x` or `n` does not hold integers, `x` or `p` has no axis, `p` is complex.

    >>> jx.scipy.stats.multinomial.pmf(jnp.array([[1, 2], [1, 1]]), 3, jnp.array([0.5, 0.5]))
    Array([0.375, 0.   ], dtype=float32)
    """
    x, p, log_ways, dtype = _operands("multinomial.pmf", x, n, p)
    # Categories without a chance by powers: the logarithm has no derivative there.
    none = p == 0
    log_mass = log_ways + _sum(_xlogy(x, where(none, 1.0, p)))
    last = (typeof(p).ndim - 1,)
    powers = lax.reduce_prod(lax.pow(where(none, p, 1.0), x), last)
    # Beside a power that may be 0, no infinite number of ways.
    unbounded = lax.reduce_or(none, last) & (log_mass > 80)
    return rounded(lax.exp(where(unbounded, 80.0, log_mass)) * powers, dtype)
