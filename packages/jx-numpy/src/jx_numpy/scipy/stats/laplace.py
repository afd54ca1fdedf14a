"""The Laplace distribution."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import CONTINUOUS_2, Family, density, exp_of, log_density, probability, where

__all__ = ["cdf", "logpdf", "pdf"]

_family = Family(
    "the Laplace distribution",
    CONTINUOUS_2.format(24),
)


def _log_density(z: Array) -> Array:
    return -lax.abs(z) - math.log(2)


def _cdf(z: Array) -> Array:
    above = z > 0
    half = 0.5 * lax.exp(where(above, -z, z))
    return where(above, 1 - half, half)


@compiled
@_family
def logpdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-|z| - log(2 scale), where z = (x - loc) / scale.

    >>> jx.scipy.stats.laplace.logpdf(jnp.array([-1.0, 0.0, 1.0]))
    Array([-1.6931472, -0.6931472, -1.6931472], dtype=float32)
    """
    return log_density("laplace.logpdf", _log_density, x, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(-|z|) / (2 scale), where z = (x - loc) / scale.

    >>> jx.scipy.stats.laplace.pdf(jnp.array([-1.0, 0.0, 1.0]))
    Array([0.18393973, 0.5       , 0.18393973], dtype=float32)
    """
    return density("laplace.pdf", exp_of(_log_density), x, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(z) / 2 below 0 and 1 - exp(-z) / 2 above, where z = (x - loc) / scale.

    >>> jx.scipy.stats.laplace.cdf(jnp.array([-50.0, 0.0, 1.0]))
    Array([9.6437495e-23, 5.0000000e-01, 8.1606030e-01], dtype=float32)
    """
    return probability("laplace.cdf", _cdf, x, loc=loc, scale=scale)
