"""The Gumbel distribution of the smallest of many: the right-skewed one, mirrored."""

from __future__ import annotations

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import CONTINUOUS_2, Family, density, exp_of, log_density, probability, quantile, where
from .gumbel_r import (
    log_standard_cdf,
    log_standard_density,
    log_standard_sf,
    standard_cdf,
    standard_sf,
)

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]

_family = Family(
    "the left-skewed Gumbel distribution",
    CONTINUOUS_2.format(22),
)


def _quantile(q: Array) -> Array:
    # At 1 the slope is infinite, by log(1 - q) alone.
    most = q == 1
    inner = lax.log(-lax.log1p(-where(most, 0.5, q)))
    return where(most, -lax.log1p(-where(most, q, 0.0)), inner)


@compiled
@_family
def logpdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """z - exp(z) - log(scale), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_l.logpdf(jnp.array([-100.0, 0.0, 100.0]))
    Array([-100.,   -1.,  -inf], dtype=float32)
    """
    return log_density(
        "gumbel_l.logpdf", lambda z: log_standard_density(-z), x, loc=loc, scale=scale
    )


@compiled
@_family
def pdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(z - exp(z)) / scale, where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_l.pdf(jnp.array([-2.0, 0.0, 2.0]))
    Array([0.11820496, 0.36787945, 0.00456628], dtype=float32)
    """
    return density(
        "gumbel_l.pdf", exp_of(lambda z: log_standard_density(-z)), x, loc=loc, scale=scale
    )


@compiled
@_family
def cdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 - exp(-exp(z)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_l.cdf(jnp.array([-40.0, 0.0, 2.0]))
    Array([4.2483541e-18, 6.3212055e-01, 9.9938202e-01], dtype=float32)
    """
    return probability("gumbel_l.cdf", lambda z: standard_sf(-z), x, loc=loc, scale=scale)


@compiled
@_family
def logcdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(1 - exp(-exp(z))), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_l.logcdf(jnp.array([-1000.0, 0.0]))
    Array([-1.0000000e+03, -4.5867515e-01], dtype=float32)
    """
    return probability("gumbel_l.logcdf", lambda z: log_standard_sf(-z), x, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(-exp(z)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_l.sf(jnp.array([-2.0, 0.0, 2.0]))
    Array([8.7342304e-01, 3.6787945e-01, 6.1797892e-04], dtype=float32)
    """
    return probability("gumbel_l.sf", lambda z: standard_cdf(-z), x, loc=loc, scale=scale)


@compiled
@_family
def logsf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-exp(z), where z = (x - loc) / scale.

    >>> jx.scipy.stats.gumbel_l.logsf(jnp.array([-2.0, 0.0, 2.0]))
    Array([-0.13533528, -1.        , -7.389056  ], dtype=float32)
    """
    return probability("gumbel_l.logsf", lambda z: log_standard_cdf(-z), x, loc=loc, scale=scale)


@compiled
@_family
def ppf(p: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc + scale log(-log(1 - p)).

    >>> jx.scipy.stats.gumbel_l.ppf(jnp.array([0.0, 0.5, 1.0]))
    Array([       -inf, -0.36651292,         inf], dtype=float32)
    """
    return quantile("gumbel_l.ppf", _quantile, p, loc=loc, scale=scale)
