"""The beta-binomial distribution: a binomial one of a beta-distributed probability."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import DISCRETE, Family, mass, only, probability, spread, where
from .binom import log_binomial

__all__ = ["logpmf", "pmf"]

_family = Family(
    "the beta-binomial distribution",
    DISCRETE.format(6),
    n="the number of trials, from 0 on.",
    a="the first shape of the beta distribution, positive.",
    b="the second one, positive.",
    k="the counts, rounded down.",
)


def _log_mass(j: Array, n: Array, a: Array, b: Array) -> Array:
    j, n, a, b = spread(lax.floor(j), n, a, b)
    j = only((n >= 0) & (a > 0) & (b > 0), j)
    outside = (j < 0) | (j > n)
    safe = where(outside, 0.0, j)
    log_ratio = lax.log_beta_p.bind(safe + a, n - safe + b) - lax.log_beta_p.bind(a, b)
    return where(outside, -math.inf, log_binomial(n, safe) + log_ratio)


@compiled
@_family
def logpmf(k: ArrayLike, n: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0) -> Array:
    """log(C(n, j) B(j + a, n - j + b) / B(a, b)) for 0 <= j <= n, where j = k - loc.

    >>> jx.scipy.stats.betabinom.logpmf(jnp.array([-1, 0, 2]), 4, 1.0, 1.0)
    Array([     -inf, -1.609438, -1.609438], dtype=float32, weak_type=True)
    """
    return probability("betabinom.logpmf", _log_mass, k, n, a, b, loc=loc)


@compiled
@_family
def pmf(k: ArrayLike, n: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0) -> Array:
    """C(n, j) B(j + a, n - j + b) / B(a, b) for 0 <= j <= n, where j = k - loc.

    >>> jx.scipy.stats.betabinom.pmf(jnp.array([-1, 0, 2]), 4, 1.0, 1.0)
    Array([0.        , 0.19999999, 0.19999999], dtype=float32, weak_type=True)
    """
    return mass("betabinom.pmf", _log_mass, k, n, a, b, loc=loc)
