"""The standard normal distribution between two ends, moved and scaled."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import (
    CONTINUOUS_1,
    Family,
    density,
    exp_of,
    log1mexp,
    log_density,
    only,
    probability,
    spread,
    where,
)

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]

_family = Family(
    "the truncated normal distribution",
    CONTINUOUS_1.format(13),
    a="the lower end of z.",
    b="the upper end of z, above `a`; the result is NaN otherwise.",
)


def _log_cdf(z: Array) -> Array:
    return lax.log_normal_cdf_p.bind(z)


def _log_mass(a: Array, b: Array) -> Array:
    """log(Phi(b) - Phi(a)) for a <= b, by the tail in which both lie, if they do."""
    a, b = spread(a, b)
    right, left = a > 0, b <= 0
    one_side = right | left
    low = where(right, -b, where(left, a, -2.0))
    high = where(right, -a, where(left, b, -1.0))
    endless = low == -math.inf
    log_high = _log_cdf(high)
    gap = log_high - _log_cdf(where(endless, -1.0, low))
    empty = gap <= 0
    share = where(empty, -math.inf, log1mexp(where(empty | endless, 1.0, gap)))
    tail = log_high + where(endless, 0.0, share)
    rest = _cdf(where(one_side, -1.0, a)) + _cdf(where(one_side, -1.0, -b))
    return where(one_side, tail, lax.log1p(-rest))


def _cdf(z: Array) -> Array:
    return lax.normal_cdf_p.bind(z)


def _ends(z: Array, a: Array, b: Array) -> tuple[Array, Array, Array]:
    z, a, b = spread(z, a, b)
    valid = a < b
    return z, only(valid, a), only(valid, b)


def _log_density(z: Array, a: Array, b: Array) -> Array:
    z, a, b = _ends(z, a, b)
    outside = (z < a) | (z > b)
    value = -0.5 * lax.square(where(outside, 0.0, z)) - 0.5 * math.log(2 * math.pi)
    return where(outside, -math.inf, value - _log_mass(a, b))


def _log_shares(z: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """The logarithms of the shares of the mass below z and above it, for a < z < b."""
    total = _log_mass(a, b)
    return _log_mass(a, z) - total, _log_mass(z, b) - total


def _log_share_below(z: Array, a: Array, b: Array) -> Array:
    z, a, b = _ends(z, a, b)
    below, above = z <= a, z >= b
    inside = where(below | above, _between(a, b), z)
    log_below, log_above = _log_shares(inside, a, b)
    # Near 0 from the other share, of which the logarithm is precise there.
    most = log_below > _MOST
    by_other = lax.log1p(-lax.exp(where(most, log_above, -1.0)))
    value = where(most, by_other, where(most, -1.0, log_below))
    return where(below, -math.inf, where(above, 0.0, value))


_MOST = -0.1


def _between(a: Array, b: Array) -> Array:
    """Some number between the ends."""
    low, high = a == -math.inf, b == math.inf
    middle = 0.5 * (where(low, 0.0, a) + where(high, 0.0, b))
    return where(low & high, 0.0, where(low, b - 1, where(high, a + 1, middle)))


def _log_share_above(z: Array, a: Array, b: Array) -> Array:
    return _log_share_below(-z, -b, -a)


@compiled
@_family
def logpdf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """log(phi(z) / (scale (Phi(b) - Phi(a)))) for a <= z <= b, where z = (x - loc) / scale.

    >>> jx.scipy.stats.truncnorm.logpdf(jnp.array([-1.0, 0.5, 2.0]), 0.0, 1.0)
    Array([      -inf, 0.03092384,       -inf], dtype=float32)
    """
    return log_density("truncnorm.logpdf", _log_density, x, a, b, loc=loc, scale=scale)


@compiled
@_family
def pdf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """phi(z) / (scale (Phi(b) - Phi(a))) for a <= z <= b, where z = (x - loc) / scale.

    >>> jx.scipy.stats.truncnorm.pdf(jnp.array([-1.0, 0.5, 2.0]), 0.0, 1.0)
    Array([0.      , 1.031407, 0.      ], dtype=float32)
    """
    return density("truncnorm.pdf", exp_of(_log_density), x, a, b, loc=loc, scale=scale)


@compiled
@_family
def cdf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """(Phi(z) - Phi(a)) / (Phi(b) - Phi(a)) for a <= z <= b, where z = (x - loc) / scale.

    >>> jx.scipy.stats.truncnorm.cdf(jnp.array([-1.0, 0.5, 2.0]), 0.0, 1.0)
    Array([0.       , 0.5609064, 1.       ], dtype=float32)
    """
    return probability(
        "truncnorm.cdf",
        lambda z, a, b: lax.exp(_log_share_below(z, a, b)),
        x,
        a,
        b,
        loc=loc,
        scale=scale,
    )


@compiled
@_family
def logcdf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """log((Phi(z) - Phi(a)) / (Phi(b) - Phi(a))) for a <= z <= b, where z = (x - loc) / scale.

    >>> jx.scipy.stats.truncnorm.logcdf(jnp.array([30.0, 30.1, 40.0]), 30.0, 40.0)
    Array([       -inf, -0.05063456,  0.        ], dtype=float32)
    """
    return probability("truncnorm.logcdf", _log_share_below, x, a, b, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """(Phi(b) - Phi(z)) / (Phi(b) - Phi(a)) for a <= z <= b, where z = (x - loc) / scale.

    >>> jx.scipy.stats.truncnorm.sf(jnp.array([-1.0, 0.5, 2.0]), 0.0, 1.0)
    Array([1.        , 0.43909356, 0.        ], dtype=float32)
    """
    return probability(
        "truncnorm.sf",
        lambda z, a, b: lax.exp(_log_share_above(z, a, b)),
        x,
        a,
        b,
        loc=loc,
        scale=scale,
    )


@compiled
@_family
def logsf(
    x: ArrayLike, a: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1
) -> Array:
    """log((Phi(b) - Phi(z)) / (Phi(b) - Phi(a))) for a <= z <= b, where z = (x - loc) / scale.

    >>> jx.scipy.stats.truncnorm.logsf(jnp.array([30.0, 30.1, 40.0]), 30.0, 40.0)
    Array([ 0.       , -3.0083313,       -inf], dtype=float32)
    """
    return probability("truncnorm.logsf", _log_share_above, x, a, b, loc=loc, scale=scale)
