"""The uniform distribution between loc and loc + scale."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import CONTINUOUS_2, Family, density, exp_of, log_density, probability, quantile, where

__all__ = ["cdf", "logpdf", "pdf", "ppf"]

_family = Family(
    "the uniform distribution",
    CONTINUOUS_2.format(26),
)


def _log_density(z: Array) -> Array:
    return where((z < 0) | (z > 1), -math.inf, where(lax.is_finite(z), 0.0, z))


def _cdf(z: Array) -> Array:
    return where(z < 0, 0.0, where(z > 1, 1.0, z))


def _quantile(q: Array) -> Array:
    return q


@compiled
@_family
def logpdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-log(scale) for 0 <= z <= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.uniform.logpdf(jnp.array([-1.0, 0.0, 2.0]), 0.0, 4.0)
    Array([      -inf, -1.3862944, -1.3862944], dtype=float32)
    """
    return log_density("uniform.logpdf", _log_density, x, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 / scale for 0 <= z <= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.uniform.pdf(jnp.array([-1.0, 0.0, 2.0]), 0.0, 4.0)
    Array([0.  , 0.25, 0.25], dtype=float32)
    """
    return density("uniform.pdf", exp_of(_log_density), x, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """z for 0 <= z <= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.uniform.cdf(jnp.array([-1.0, 0.5, 2.0]))
    Array([0. , 0.5, 1. ], dtype=float32)
    """
    return probability("uniform.cdf", _cdf, x, loc=loc, scale=scale)


@compiled
@_family
def ppf(q: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc + scale q.

    >>> jx.scipy.stats.uniform.ppf(jnp.array([0.0, 0.5, 1.0]), 1.0, 2.0)
    Array([1., 2., 3.], dtype=float32)
    """
    return quantile("uniform.ppf", _quantile, q, loc=loc, scale=scale)
