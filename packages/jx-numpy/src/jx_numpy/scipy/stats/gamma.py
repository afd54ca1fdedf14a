"""The gamma distribution."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...functions import plain
from ...operands import Array, ArrayLike
from ..special import xlogy
from ._kit import (
    CONTINUOUS_1,
    Family,
    density,
    exp_of,
    log_density,
    only,
    probability,
    spread,
    where,
)
from ._tails import log_igamma, log_igammac

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]

_family = Family(
    "the gamma distribution",
    "DLMF 8.2 and " + CONTINUOUS_1.format(17),
    a="the shape, positive.",
)

_xlogy = plain(xlogy)


def log_standard_density(z: Array, a: Array) -> Array:
    z = only(a > 0, z)
    outside = (z < 0) | (z == math.inf)
    safe = where(outside, 1.0, z)
    return where(outside, -math.inf, _xlogy(a - 1, safe) - safe - lax.lgamma(a))


def standard_density(z: Array, a: Array) -> Array:
    # At 0 by the power itself: the derivative of its logarithm is infinite there.
    z, a = spread(only(a > 0, z), a)
    end = z == 0
    inside = exp_of(log_standard_density)(where(end, 1.0, z), a)
    safe = where(end, z, 1.0)
    return where(end, lax.pow(safe, a - 1) * lax.exp(-safe - lax.lgamma(a)), inside)


def standard_cdf(z: Array, a: Array) -> Array:
    z = only(a > 0, z)
    outside = z < 0
    return where(outside, 0.0, lax.igamma(*spread(a, where(outside, 1.0, z))))


def standard_sf(z: Array, a: Array) -> Array:
    z = only(a > 0, z)
    outside = z < 0
    return where(outside, 1.0, lax.igammac(*spread(a, where(outside, 1.0, z))))


def log_standard_cdf(z: Array, a: Array) -> Array:
    z = only(a > 0, z)
    outside = z <= 0
    return where(outside, -math.inf, log_igamma(a, where(outside, 1.0, z)))


def log_standard_sf(z: Array, a: Array) -> Array:
    z = only(a > 0, z)
    outside = z <= 0
    return where(outside, 0.0, log_igammac(a, where(outside, 1.0, z)))


@compiled
@_family
def logpdf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """(a - 1) log(z) - z - log(scale Gamma(a)) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.gamma.logpdf(jnp.array([-1.0, 0.0, 2.0]), 1.0)
    Array([-inf,   0.,  -2.], dtype=float32)
    """
    return log_density("gamma.logpdf", log_standard_density, x, a, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """z^(a - 1) exp(-z) / (scale Gamma(a)) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.gamma.pdf(jnp.array([-1.0, 0.5, 2.0]), 2.0)
    Array([0.        , 0.30326533, 0.27067056], dtype=float32)
    """
    return density("gamma.pdf", standard_density, x, a, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """P(a, z), the regularized incomplete gamma function, for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.gamma.cdf(jnp.array([-1.0, 0.5, 2.0]), 2.0)
    Array([0.        , 0.09020401, 0.59399414], dtype=float32)
    """
    return probability("gamma.cdf", standard_cdf, x, a, loc=loc, scale=scale)


@compiled
@_family
def logcdf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(P(a, z)) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.gamma.logcdf(jnp.array([0.0, 1e-30, 2.0]), 2.0)
    Array([        -inf, -138.84825  ,   -0.5208858], dtype=float32)
    """
    return probability("gamma.logcdf", log_standard_cdf, x, a, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """Q(a, z) = 1 - P(a, z) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.gamma.sf(jnp.array([-1.0, 2.0, 50.0]), 2.0)
    Array([1.0000000e+00, 4.0600586e-01, 9.8366242e-21], dtype=float32)
    """
    return probability("gamma.sf", standard_sf, x, a, loc=loc, scale=scale)


@compiled
@_family
def logsf(x: ArrayLike, a: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(Q(a, z)) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.gamma.logsf(jnp.array([-1.0, 2.0, 1000.0]), 2.0)
    Array([ 0.0000000e+00, -9.0138769e-01, -9.9309125e+02], dtype=float32)
    """
    return probability("gamma.logsf", log_standard_sf, x, a, loc=loc, scale=scale)
