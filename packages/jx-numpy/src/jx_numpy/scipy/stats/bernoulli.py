"""The Bernoulli distribution."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...functions import plain
from ...operands import Array, ArrayLike
from ..special import xlog1py, xlogy
from ._kit import DISCRETE, Family, mass, only, probability, quantile, where

__all__ = ["cdf", "logpmf", "pmf", "ppf"]

_family = Family(
    "the Bernoulli distribution",
    DISCRETE.format(3),
    p="the probability of 1; the result is NaN where it is none.",
    k="0 or 1; the logarithm of the mass is linear in between.",
)

_xlogy, _xlog1py = plain(xlogy), plain(xlog1py)


def share(p: Array) -> Array:
    """The probability, or NaN where it is none."""
    return only((p >= 0) & (p <= 1), p)


def _log_mass(j: Array, p: Array) -> Array:
    j = only((p >= 0) & (p <= 1), j)
    outside = (j < 0) | (j > 1)
    safe = where(outside, 0.0, j)
    return where(outside, -math.inf, _xlogy(safe, p) + _xlog1py(1 - safe, -p))


def _mass(j: Array, p: Array) -> Array:
    outside = (j < 0) | (j > 1)
    safe = where(outside, 0.0, j)
    return where(outside, 0.0, lax.pow(p, safe) * lax.pow(1 - p, 1 - safe))


def _cdf(k: Array, p: Array) -> Array:
    value = where(k < 0, 0.0, where(k < 1, 1 - share(p), 1.0))
    return only((k == k) & (p == share(p)), value)


def _quantile(q: Array, p: Array) -> Array:
    return only((q == q) & (p == share(p)), where(q <= 1 - p, lax.full_like(q, 0), 1.0))


@compiled
@_family
def logpmf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0) -> Array:
    """log(p) where j = 1 and log(1 - p) where j = 0, where j = k - loc.

    >>> jx.scipy.stats.bernoulli.logpmf(jnp.array([0, 1, 2]), 0.25)
    Array([-0.2876821, -1.3862944,       -inf], dtype=float32, weak_type=True)
    """
    return probability("bernoulli.logpmf", _log_mass, k, p, loc=loc)


@compiled
@_family
def pmf(k: ArrayLike, p: ArrayLike, loc: ArrayLike = 0) -> Array:
    """p where j = 1 and 1 - p where j = 0, where j = k - loc.

    >>> jx.scipy.stats.bernoulli.pmf(jnp.array([0, 1, 2]), 0.25)
    Array([0.75, 0.25, 0.  ], dtype=float32, weak_type=True)
    """
    return mass("bernoulli.pmf", _log_mass, k, p, loc=loc, powers=_mass)


@compiled
@_family
def cdf(k: ArrayLike, p: ArrayLike) -> Array:
    """0 below 0, 1 - p from there on below 1, and 1 from there on.

    >>> jx.scipy.stats.bernoulli.cdf(jnp.array([-1.0, 0.5, 1.0]), 0.25)
    Array([0.  , 0.75, 1.  ], dtype=float32, weak_type=True)
    """
    return probability("bernoulli.cdf", _cdf, k, p)


@compiled
@_family
def ppf(q: ArrayLike, p: ArrayLike) -> Array:
    """0 up to q = 1 - p and 1 above.

    >>> jx.scipy.stats.bernoulli.ppf(jnp.array([0.5, 0.75, 1.0]), 0.25)
    Array([0., 0., 1.], dtype=float32)
    """
    return quantile("bernoulli.ppf", _quantile, q, p)
