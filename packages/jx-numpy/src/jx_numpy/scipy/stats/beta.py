"""The beta distribution."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...functions import plain
from ...operands import Array, ArrayLike
from ..special import xlog1py, xlogy
from ._kit import (
    CONTINUOUS_2,
    Family,
    density,
    exp_of,
    log_density,
    only,
    probability,
    spread,
    where,
)
from ._tails import log_betainc

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]

_family = Family(
    "the beta distribution",
    "DLMF 8.17 and " + CONTINUOUS_2.format(25),
    a="the first shape, positive: the exponent of z is a - 1.",
    b="the second shape, positive: the exponent of 1 - z is b - 1.",
)

_xlogy, _xlog1py = plain(xlogy), plain(xlog1py)


def _standard(z: Array, a: Array, b: Array) -> tuple[Array, Array, Array]:
    z, a, b = spread(z, a, b)
    return only((a > 0) & (b > 0), z), a, b


def _log_density(z: Array, a: Array, b: Array) -> Array:
    z, a, b = _standard(z, a, b)
    outside = (z < 0) | (z > 1)
    safe = where(outside, 0.5, z)
    value = _xlogy(a - 1, safe) + _xlog1py(b - 1, -safe) - lax.log_beta_p.bind(a, b)
    return where(outside, -math.inf, value)


def _density(z: Array, a: Array, b: Array) -> Array:
    # At the ends by the powers themselves: derivatives of their logarithms are infinite there.
    z, a, b = _standard(z, a, b)
    end = (z == 0) | (z == 1)
    inside = exp_of(_log_density)(where(end, 0.5, z), a, b)
    safe = where(end, z, 0.5)
    powers = lax.pow(safe, a - 1) * lax.pow(1 - safe, b - 1)
    return where(end, powers * lax.exp(-lax.log_beta_p.bind(a, b)), inside)


def _cdf(z: Array, a: Array, b: Array) -> Array:
    z, a, b = _standard(z, a, b)
    below, above = z <= 0, z >= 1
    value = lax.betainc(a, b, where(below | above, 0.5, z))
    return where(below, 0.0, where(above, 1.0, value))


def _sf(z: Array, a: Array, b: Array) -> Array:
    z, a, b = _standard(z, a, b)
    below, above = z <= 0, z >= 1
    safe = where(below | above, 0.5, z)
    # From the other side where 1 - z would lose digits that matter.
    most = safe < lax.min(0.5 * lax.full_like(a, 1), a / (a + b))
    share = lax.betainc(where(most, a, b), where(most, b, a), where(most, safe, 1 - safe))
    return where(below, 1.0, where(above, 0.0, where(most, 1 - share, share)))


def _log_cdf(z: Array, a: Array, b: Array) -> Array:
    z, a, b = _standard(z, a, b)
    below, above = z <= 0, z >= 1
    safe = where(below | above, 0.5, z)
    return where(below, -math.inf, where(above, 0.0, log_betainc(a, b, safe, 1 - safe)))


def _log_sf(z: Array, a: Array, b: Array) -> Array:
    z, a, b = _standard(z, a, b)
    below, above = z <= 0, z >= 1
    safe = where(below | above, 0.5, z)
    return where(below, 0.0, where(above, -math.inf, log_betainc(b, a, 1 - safe, safe)))


@compiled
@_family
def logpdf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """(a - 1) log(z) + (b - 1) log(1 - z) - log(scale B(a, b)) for 0 <= z <= 1, where z = (x -
    loc) / scale.

    >>> jx.scipy.stats.beta.logpdf(jnp.array([-1.0, 0.5, 1.0]), 2.0, 3.0)
    Array([      -inf, 0.40546513,       -inf], dtype=float32)
    """
    return log_density("beta.logpdf", _log_density, x, a, b, loc=loc, scale=scale)


@compiled
@_family
def pdf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """z^(a - 1) (1 - z)^(b - 1) / (scale B(a, b)) for 0 <= z <= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.beta.pdf(jnp.array([-1.0, 0.5, 1.0]), 2.0, 3.0)
    Array([0. , 1.5, 0. ], dtype=float32)
    """
    return density("beta.pdf", _density, x, a, b, loc=loc, scale=scale)


@compiled
@_family
def cdf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """I_z(a, b), the regularized incomplete beta function, for 0 <= z <= 1, where z = (x - loc) /
    scale.

    >>> jx.scipy.stats.beta.cdf(jnp.array([-1.0, 0.5, 1.0]), 2.0, 3.0)
    Array([0.    , 0.6875, 1.    ], dtype=float32)
    """
    return probability("beta.cdf", _cdf, x, a, b, loc=loc, scale=scale)


@compiled
@_family
def logcdf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """log(I_z(a, b)) for 0 <= z <= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.beta.logcdf(jnp.array([0.0, 1e-30, 0.5]), 2.0, 3.0)
    Array([         -inf, -136.36334   ,   -0.37469345], dtype=float32)
    """
    return probability("beta.logcdf", _log_cdf, x, a, b, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """I_(1 - z)(b, a) for 0 <= z <= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.beta.sf(jnp.array([-1.0, 0.5, 1.0]), 2.0, 3.0)
    Array([1.    , 0.3125, 0.    ], dtype=float32)
    """
    return probability("beta.sf", _sf, x, a, b, loc=loc, scale=scale)


@compiled
@_family
def logsf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """log(I_(1 - z)(b, a)) for 0 <= z <= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.beta.logsf(jnp.array([-1.0, 0.5, 1.0]), 2.0, 3.0)
    Array([ 0.       , -1.1631508,       -inf], dtype=float32)
    """
    return probability("beta.logsf", _log_sf, x, a, b, loc=loc, scale=scale)
