"""The Poisson distribution."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...functions import plain
from ...operands import Array, ArrayLike, broadcast_shapes, broadcast_to, typeof
from ..special import xlogy
from ._kit import DISCRETE, Family, evaluated, mass, only, probability, spread, where

__all__ = ["cdf", "entropy", "logpmf", "pmf"]

_family = Family(
    "the Poisson distribution",
    DISCRETE.format(4),
    mu="the mean, from 0 on; the result is NaN for others.",
)

_xlogy = plain(xlogy)


def _log_mass(j: Array, mu: Array) -> Array:
    j = only(mu >= 0, j)
    outside = (j < 0) | (j == math.inf)
    safe = where(outside, 0.0, j)
    return where(outside, -math.inf, _xlogy(safe, mu) - lax.lgamma(safe + 1) - mu)


def _mass(j: Array, mu: Array) -> Array:
    outside = (j < 0) | (j == math.inf)
    safe = where(outside, 0.0, j)
    return where(outside, 0.0, lax.pow(mu, safe) * lax.exp(-lax.lgamma(safe + 1) - mu))


def _cdf(j: Array, mu: Array) -> Array:
    j = only(mu >= 0, j)
    outside = j < 0
    whole = lax.floor(where(outside, 0.0, j)) + 1
    return where(outside, 0.0, lax.igammac(*spread(whole, mu)))


_LARGE = 64.0  # means from which on the series is precise,
_COUNTS = 192  # and a number no Poisson variable of a smaller one ever reaches


# Of the entropy less log(2 pi e mu) / 2, in powers of 1 / mu: DLMF 5.11.1 for log(k!), its Taylor
# series at the mean, and the central moments of the distribution.
_SERIES = (
    -1 / 12, -1 / 24, -19 / 360, -9 / 80, -863 / 2520, -1375 / 1008, -33953 / 5040, -57281 / 1440,
)  # fmt: skip


def _entropy(mu: Array) -> Array:
    """By the sum of -p log(p), or the asymptotic series for large means."""
    mu = only(mu >= 0, mu)
    large = mu >= _LARGE
    few = lax.expand_dims(where(large, 1.0, mu), (typeof(mu).ndim,))
    log_p = _log_mass(lax.iota(typeof(mu).dtype, _COUNTS), few)
    impossible = log_p == -math.inf
    terms = where(impossible, 0.0, -lax.exp(log_p) * where(impossible, 0.0, log_p))
    many = where(large, mu, _LARGE)
    series = lax.full_like(many, 0)
    for coefficient in reversed(_SERIES):
        series = (series + coefficient) / many
    asymptotic = 0.5 * (lax.log(many) + math.log(2 * math.pi * math.e)) + series
    return where(large, asymptotic, lax.reduce_sum(terms, (typeof(mu).ndim,)))


@compiled
@_family
def logpmf(k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0) -> Array:
    """j log(mu) - mu - log(j!) for j >= 0, where j = k - loc.

    >>> jx.scipy.stats.poisson.logpmf(jnp.array([-1, 0, 2]), 1.0)
    Array([      -inf, -1.       , -1.6931472], dtype=float32, weak_type=True)
    """
    return probability("poisson.logpmf", _log_mass, k, mu, loc=loc)


@compiled
@_family
def pmf(k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0) -> Array:
    """mu^j exp(-mu) / j! for j >= 0, where j = k - loc.

    >>> jx.scipy.stats.poisson.pmf(jnp.array([-1, 0, 2]), 1.0)
    Array([0.        , 0.36787945, 0.18393973], dtype=float32, weak_type=True)
    """
    return mass("poisson.pmf", _log_mass, k, mu, loc=loc, powers=_mass)


@compiled
@_family
def cdf(k: ArrayLike, mu: ArrayLike, loc: ArrayLike = 0) -> Array:
    """Q(floor(j) + 1, mu), the regularized incomplete gamma function, for j >= 0, where j = k -
    loc.

    >>> jx.scipy.stats.poisson.cdf(jnp.array([-1, 0, 2]), 1.0)
    Array([0.        , 0.36787945, 0.9196986 ], dtype=float32, weak_type=True)
    """
    return probability("poisson.cdf", _cdf, k, mu, loc=loc)


@compiled
@_family
def entropy(mu: ArrayLike, loc: ArrayLike = 0) -> Array:
    """the sum of -p log(p) over the masses p; the location does not matter.

    >>> jx.scipy.stats.poisson.entropy(jnp.array([0.0, 1.0, 100.0]))
    Array([0.       , 1.3048422, 3.7206862], dtype=float32)
    """
    shape = broadcast_shapes("poisson.entropy", typeof(mu).shape, typeof(loc).shape)
    return broadcast_to(evaluated("poisson.entropy", _entropy, mu), shape)
