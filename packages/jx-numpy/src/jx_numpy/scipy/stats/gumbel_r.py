"""The Gumbel distribution of the largest of many (type I of extreme values)."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import (
    CONTINUOUS_2,
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
    "the right-skewed Gumbel distribution",
    CONTINUOUS_2.format(22),
)


def log_standard_density(z: Array) -> Array:
    lowest, safe = _overflowing(z)
    return where(lowest, -math.inf, -safe - lax.exp(-safe))


def _overflowing(z: Array) -> tuple[Array, Array]:
    """Where exp(-z) is infinite, and z with 0 there."""
    lowest = lax.exp(-z) == math.inf
    return lowest, where(lowest, 0.0, z)


def log_standard_cdf(z: Array) -> Array:
    return -lax.exp(-z)


def standard_cdf(z: Array) -> Array:
    lowest, safe = _overflowing(z)
    return where(lowest, 0.0, lax.exp(-lax.exp(-safe)))


def standard_sf(z: Array) -> Array:
    lowest, safe = _overflowing(z)
    return where(lowest, 1.0, -lax.expm1(-lax.exp(-safe)))


def log_standard_sf(z: Array) -> Array:
    # Far out 1 - exp(-t) is t (1 - t / 2), of t = exp(-z) which may underflow.
    far = z > _FAR
    tail = where(far, z, _FAR)
    lowest, safe = _overflowing(where(far, 0.0, z))
    near = where(lowest, 0.0, log1mexp(lax.exp(-safe)))
    return where(far, -tail - 0.5 * lax.exp(-tail), near)


_FAR = 20.0


def _quantile(q: Array) -> Array:
    # At 0 the slope is infinite, by log(q) alone: with the other logarithm it would be inf * 0.
    # At 1 it is that at 0 - 0, for -0 would have the other sign.
    least = q == 0
    return where(least, lax.log(where(least, q, 1.0)), -lax.log(0 - lax.log(where(least, 0.5, q))))


@compiled
@_family
def logpdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-z - exp(-z) - log(scale), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_r.logpdf(jnp.array([-100.0, 0.0, 100.0]))
    Array([ -inf,   -1., -100.], dtype=float32)
    """
    return log_density("gumbel_r.logpdf", log_standard_density, x, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(-z - exp(-z)) / scale, where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_r.pdf(jnp.array([-2.0, 0.0, 2.0]))
    Array([0.00456628, 0.36787945, 0.11820496], dtype=float32)
    """
    return density("gumbel_r.pdf", exp_of(log_standard_density), x, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(-exp(-z)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_r.cdf(jnp.array([-2.0, 0.0, 2.0]))
    Array([6.1797892e-04, 3.6787945e-01, 8.7342304e-01], dtype=float32)
    """
    return probability("gumbel_r.cdf", standard_cdf, x, loc=loc, scale=scale)


@compiled
@_family
def logcdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-exp(-z), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_r.logcdf(jnp.array([-2.0, 0.0, 2.0]))
    Array([-7.389056  , -1.        , -0.13533528], dtype=float32)
    """
    return probability("gumbel_r.logcdf", log_standard_cdf, x, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 - exp(-exp(-z)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_r.sf(jnp.array([0.0, 40.0]))
    Array([6.3212055e-01, 4.2483541e-18], dtype=float32)
    """
    return probability("gumbel_r.sf", standard_sf, x, loc=loc, scale=scale)


@compiled
@_family
def logsf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(1 - exp(-exp(-z))), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_r.logsf(jnp.array([0.0, 1000.0]))
    Array([-4.5867515e-01, -1.0000000e+03], dtype=float32)
    """
    return probability("gumbel_r.logsf", log_standard_sf, x, loc=loc, scale=scale)


@compiled
@_family
def ppf(p: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc - scale log(-log(p)).

    >>> jx.scipy.stats.gumbel_r.ppf(jnp.array([0.0, 0.5, 1.0]))
    Array([      -inf, 0.36651292,        inf], dtype=float32)
    """
    return quantile("gumbel_r.ppf", _quantile, p, loc=loc, scale=scale)
