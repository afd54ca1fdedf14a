"""The exponential distribution."""

from __future__ import annotations

import math
from collections.abc import Callable

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import (
    CONTINUOUS_1,
    Family,
    density,
    exp_of,
    log1mexp,
    log_density,
    probability,
    quantile,
    where,
)

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]

_family = Family(
    "the exponential distribution",
    CONTINUOUS_1.format(19),
)


def _above(z: Array, formula: Callable[[Array], Array], below: float) -> Array:
    """The formula where z >= 0, of 0 elsewhere, where the value is that `below` the support."""
    outside = z < 0
    return where(outside, below, formula(where(outside, 0.0, z)))


def _log_density(z: Array) -> Array:
    return _above(z, lambda z: 0.0 - z, -math.inf)


def _cdf(z: Array) -> Array:
    return _above(z, lambda z: -lax.expm1(-z), 0.0)


def _log_cdf(z: Array) -> Array:
    outside = z <= 0
    return where(outside, -math.inf, log1mexp(where(outside, 1.0, z)))


def _sf(z: Array) -> Array:
    return _above(z, lambda z: lax.exp(-z), 1.0)


def _log_sf(z: Array) -> Array:
    return _above(z, lambda z: 0.0 - z, 0.0)


def _quantile(q: Array) -> Array:
    return -lax.log1p(-q)


@compiled
@_family
def logpdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-z - log(scale) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.expon.logpdf(jnp.array([-1.0, 0.0, 2.0]))
    Array([-inf,   0.,  -2.], dtype=float32)
    """
    return log_density("expon.logpdf", _log_density, x, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(-z) / scale for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.expon.pdf(jnp.array([-1.0, 0.0, 1.0]))
    Array([0.        , 1.        , 0.36787945], dtype=float32)
    """
    return density("expon.pdf", exp_of(_log_density), x, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 - exp(-z) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.expon.cdf(jnp.array([-1.0, 1e-10, 1.0]))
    Array([0.0000000e+00, 1.0000000e-10, 6.3212055e-01], dtype=float32)
    """
    return probability("expon.cdf", _cdf, x, loc=loc, scale=scale)


@compiled
@_family
def logcdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(1 - exp(-z)) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.expon.logcdf(jnp.array([0.0, 1.0, 20.0]))
    Array([          -inf, -4.5867515e-01, -2.0611537e-09], dtype=float32)
    """
    return probability("expon.logcdf", _log_cdf, x, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(-z) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.expon.sf(jnp.array([-1.0, 0.0, 1.0]))
    Array([1.        , 1.        , 0.36787945], dtype=float32)
    """
    return probability("expon.sf", _sf, x, loc=loc, scale=scale)


@compiled
@_family
def logsf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-z for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.expon.logsf(jnp.array([-1.0, 0.0, 200.0]))
    Array([   0.,    0., -200.], dtype=float32)
    """
    return probability("expon.logsf", _log_sf, x, loc=loc, scale=scale)


@compiled
@_family
def ppf(q: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc - scale log(1 - q).

    >>> jx.scipy.stats.expon.ppf(jnp.array([0.0, 0.5, 1.0]))
    Array([0.       , 0.6931472,       inf], dtype=float32)
    """
    return quantile("expon.ppf", _quantile, q, loc=loc, scale=scale)
