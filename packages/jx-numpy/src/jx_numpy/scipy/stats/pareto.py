"""The Pareto distribution."""

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
    only,
    probability,
    quantile,
    where,
)

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]

_family = Family(
    "the Pareto distribution",
    CONTINUOUS_1.format(20),
    b="the exponent of the tail, positive.",
)


def _beyond_1(
    z: Array, b: Array, formula: Callable[..., Array], below: float, end: float | None = None
) -> Array:
    """The formula of b and log(z), where z >= 1; elsewhere the value `below` the support.

    At infinity it is `end`, which does not depend on b, if given.
    """
    z = only(b > 0, z)
    outside = z < 1
    if end is None:
        return where(outside, below, formula(b, lax.log(where(outside, 1.0, z))))
    last = z == math.inf
    value = formula(b, lax.log(where(outside | last, 1.0, z)))
    return where(outside, below, where(last, end, value))


def _log_density(z: Array, b: Array) -> Array:
    return _beyond_1(z, b, lambda b, log_z: lax.log(b) - (b + 1) * log_z, -math.inf)


def _cdf(z: Array, b: Array) -> Array:
    return _beyond_1(z, b, lambda b, log_z: -lax.expm1(-b * log_z), 0.0, 1.0)


def _log_cdf(z: Array, b: Array) -> Array:
    z = only(b > 0, z)
    outside, last = z <= 1, z == math.inf
    log_z = lax.log(where(outside | last, 2.0, z))
    return where(outside, -math.inf, where(last, 0.0, log1mexp(b * log_z)))


def _sf(z: Array, b: Array) -> Array:
    return _beyond_1(z, b, lambda b, log_z: lax.exp(-b * log_z), 1.0, 0.0)


def _log_sf(z: Array, b: Array) -> Array:
    return _beyond_1(z, b, lambda b, log_z: -b * log_z, 0.0)


def _quantile(q: Array, b: Array) -> Array:
    b = only(b > 0, b)
    return lax.exp(-lax.log1p(-q) / b)


@compiled
@_family
def logpdf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(b / scale) - (b + 1) log(z) for z >= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.pareto.logpdf(jnp.array([0.5, 1.0, 2.0]), 1.0)
    Array([      -inf,  0.       , -1.3862944], dtype=float32)
    """
    return log_density("pareto.logpdf", _log_density, x, b, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """b / (scale z^(b + 1)) for z >= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.pareto.pdf(jnp.array([0.5, 1.0, 2.0]), 1.0)
    Array([0.  , 1.  , 0.25], dtype=float32)
    """
    return density("pareto.pdf", exp_of(_log_density), x, b, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 - z^-b for z >= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.pareto.cdf(jnp.array([0.5, 1.0, 2.0]), 1.0)
    Array([0. , 0. , 0.5], dtype=float32)
    """
    return probability("pareto.cdf", _cdf, x, b, loc=loc, scale=scale)


@compiled
@_family
def logcdf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(1 - z^-b) for z >= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.pareto.logcdf(jnp.array([1.0, 2.0, 1e10]), 1.0)
    Array([           -inf, -6.93147182e-01, -1.00000064e-10], dtype=float32)
    """
    return probability("pareto.logcdf", _log_cdf, x, b, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """z^-b for z >= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.pareto.sf(jnp.array([0.5, 1.0, 2.0]), 1.0)
    Array([1. , 1. , 0.5], dtype=float32)
    """
    return probability("pareto.sf", _sf, x, b, loc=loc, scale=scale)


@compiled
@_family
def logsf(x: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-b log(z) for z >= 1, where z = (x - loc) / scale.

    >>> jx.scipy.stats.pareto.logsf(jnp.array([0.5, 1.0, 2.0]), 1.0)
    Array([ 0.       , -0.       , -0.6931472], dtype=float32)
    """
    return probability("pareto.logsf", _log_sf, x, b, loc=loc, scale=scale)


@compiled
@_family
def ppf(q: ArrayLike, b: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc + scale (1 - q)^(-1 / b).

    >>> jx.scipy.stats.pareto.ppf(jnp.array([0.0, 0.5, 1.0]), 1.0)
    Array([ 1.,  2., inf], dtype=float32)
    """
    return quantile("pareto.ppf", _quantile, q, b, loc=loc, scale=scale)
