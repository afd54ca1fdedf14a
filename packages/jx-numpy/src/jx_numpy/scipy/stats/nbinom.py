"""The negative binomial distribution: of the failures before a number of successes."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...functions import plain
from ...operands import Array, ArrayLike
from ..special import xlog1py, xlogy
from ._kit import DISCRETE, Family, mass, only, probability, spread, ways, where

__all__ = ["logpmf", "pmf"]

_family = Family(
    "the negative binomial distribution",
    DISCRETE.format(5),
    n="the number of successes, positive.",
    p="the probability of success of each trial; the result is NaN where it is none.",
)

_xlogy, _xlog1py = plain(xlogy), plain(xlog1py)


def _log_ways(j: Array, n: Array) -> Array:
    """The logarithm of C(j + n - 1, j), which is 1 / ((j + n) B(n, j + 1))."""
    return -lax.log(j + n) - lax.log_beta_p.bind(n, j + 1)


def _log_mass(j: Array, n: Array, p: Array) -> Array:
    j, n, p = spread(j, n, p)
    j = only((n > 0) & (p >= 0) & (p <= 1), j)
    outside = (j < 0) | (j == math.inf)
    safe = where(outside, 0.0, j)
    value = _log_ways(safe, n) + _xlogy(n, p) + _xlog1py(safe, -p)
    return where(outside, -math.inf, value)


def _mass(j: Array, n: Array, p: Array) -> Array:
    j = only(n > 0, j)
    outside = (j < 0) | (j == math.inf)
    safe = where(outside, 0.0, j)
    count = ways(_log_ways(safe, n))
    return where(outside, 0.0, count * lax.pow(p, n) * lax.pow(1 - p, safe))


@compiled
@_family
def logpmf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0) -> Array:
    """log(C(j + n - 1, j) p^n (1 - p)^j) for j >= 0, where j = k - loc.

    >>> jx.scipy.stats.nbinom.logpmf(jnp.array([-1, 0, 2]), 2.0, 0.5)
    Array([      -inf, -1.3862944, -1.6739764], dtype=float32, weak_type=True)
    """
    return probability("nbinom.logpmf", _log_mass, k, n, p, loc=loc)


@compiled
@_family
def pmf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0) -> Array:
    """C(j + n - 1, j) p^n (1 - p)^j for j >= 0, where j = k - loc.

    >>> jx.scipy.stats.nbinom.pmf(jnp.array([-1, 0, 2]), 2.0, 0.5)
    Array([0.    , 0.25  , 0.1875], dtype=float32, weak_type=True)
    """
    return mass("nbinom.pmf", _log_mass, k, n, p, loc=loc, powers=_mass)
