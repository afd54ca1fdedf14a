"""The binomial distribution."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...functions import plain
from ...operands import Array, ArrayLike
from ..special import xlog1py, xlogy
from ._kit import DISCRETE, Family, mass, only, probability, spread, ways, where

__all__ = ["logpmf", "pmf"]

_family = Family(
    "the binomial distribution",
    DISCRETE.format(3),
    n="the number of trials, from 0 on.",
    p="the probability of success of each; the result is NaN where it is none.",
)

_xlogy, _xlog1py = plain(xlogy), plain(xlog1py)


def log_binomial(n: Array, j: Array) -> Array:
    """log(n! / (j! (n - j)!)) for 0 <= j <= n, by DLMF 5.12.1."""
    return -lax.log1p(n) - lax.log_beta_p.bind(n - j + 1, j + 1)


def _log_mass(j: Array, n: Array, p: Array) -> Array:
    j, n, p = spread(j, n, p)
    j = only((n >= 0) & (p >= 0) & (p <= 1), j)
    outside = (j < 0) | (j > n)
    safe = where(outside, 0.0, j)
    value = log_binomial(n, safe) + _xlogy(safe, p) + _xlog1py(n - safe, -p)
    return where(outside, -math.inf, value)


def _mass(j: Array, n: Array, p: Array) -> Array:
    j = only(n >= 0, j)
    outside = (j < 0) | (j > n)
    safe = where(outside, 0.0, j)
    count = ways(log_binomial(n, safe))
    return where(outside, 0.0, count * lax.pow(p, safe) * lax.pow(1 - p, n - safe))


@compiled
@_family
def logpmf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0) -> Array:
    """log(C(n, j) p^j (1 - p)^(n - j)) for 0 <= j <= n, where j = k - loc.

    >>> jx.scipy.stats.binom.logpmf(jnp.array([-1, 0, 2]), 4, 0.5)
    Array([       -inf, -2.7725887 , -0.98082924], dtype=float32, weak_type=True)
    """
    return probability("binom.logpmf", _log_mass, k, n, p, loc=loc)


@compiled
@_family
def pmf(k: ArrayLike, n: ArrayLike, p: ArrayLike, loc: ArrayLike = 0) -> Array:
    """C(n, j) p^j (1 - p)^(n - j) for 0 <= j <= n, where j = k - loc.

    >>> jx.scipy.stats.binom.pmf(jnp.array([-1, 0, 2]), 4, 0.5)
    Array([0.    , 0.0625, 0.375 ], dtype=float32, weak_type=True)
    """
    return mass("binom.pmf", _log_mass, k, n, p, loc=loc, powers=_mass)
