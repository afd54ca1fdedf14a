"""The chi-squared distribution: a gamma distribution of half the degrees of freedom."""

from __future__ import annotations

import math

from jx_core import compiled

from ...operands import Array, ArrayLike
from ._kit import CONTINUOUS_1, Family, density, log_density, probability
from .gamma import (
    log_standard_cdf,
    log_standard_density,
    log_standard_sf,
    standard_cdf,
    standard_density,
    standard_sf,
)

__all__ = ["cdf", "logcdf", "logpdf", "logsf", "pdf", "sf"]

_family = Family(
    "the chi-squared distribution",
    CONTINUOUS_1.format(18),
    df="the degrees of freedom, positive.",
)


def _density(z: Array, df: Array) -> Array:
    return 0.5 * standard_density(0.5 * z, 0.5 * df)


def _log_density(z: Array, df: Array) -> Array:
    return log_standard_density(0.5 * z, 0.5 * df) - math.log(2)


@compiled
@_family
def logpdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """(df / 2 - 1) log(z / 2) - z / 2 - log(2 scale Gamma(df / 2)) for z >= 0, where z = (x -
    loc) / scale.

    >>> jx.scipy.stats.chi2.logpdf(jnp.array([-1.0, 0.0, 2.0]), 2.0)
    Array([      -inf, -0.6931472, -1.6931472], dtype=float32)
    """
    return log_density("chi2.logpdf", _log_density, x, df, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """(z / 2)^(df / 2 - 1) exp(-z / 2) / (2 scale Gamma(df / 2)) for z >= 0, where z = (x - loc)
    / scale.

    >>> jx.scipy.stats.chi2.pdf(jnp.array([-1.0, 0.0, 2.0]), 2.0)
    Array([0.        , 0.5       , 0.18393973], dtype=float32)
    """
    return density("chi2.pdf", _density, x, df, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """P(df / 2, z / 2), the regularized incomplete gamma function, for z >= 0, where z = (x -
    loc) / scale.

    >>> jx.scipy.stats.chi2.cdf(jnp.array([-1.0, 0.0, 2.0]), 2.0)
    Array([0.        , 0.        , 0.63212055], dtype=float32)
    """
    return probability(
        "chi2.cdf", lambda z, df: standard_cdf(0.5 * z, 0.5 * df), x, df, loc=loc, scale=scale
    )


@compiled
@_family
def logcdf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(P(df / 2, z / 2)) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.chi2.logcdf(jnp.array([0.0, 1e-30, 2.0]), 2.0)
    Array([        -inf, -69.7707    ,  -0.45867515], dtype=float32)
    """
    return probability(
        "chi2.logcdf",
        lambda z, df: log_standard_cdf(0.5 * z, 0.5 * df),
        x,
        df,
        loc=loc,
        scale=scale,
    )


@compiled
@_family
def sf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """Q(df / 2, z / 2) = 1 - P(df / 2, z / 2) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.chi2.sf(jnp.array([-1.0, 2.0, 100.0]), 2.0)
    Array([1.0000000e+00, 3.6787945e-01, 1.9287499e-22], dtype=float32)
    """
    return probability(
        "chi2.sf", lambda z, df: standard_sf(0.5 * z, 0.5 * df), x, df, loc=loc, scale=scale
    )


@compiled
@_family
def logsf(x: ArrayLike, df: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(Q(df / 2, z / 2)) for z >= 0, where z = (x - loc) / scale.

    >>> jx.scipy.stats.chi2.logsf(jnp.array([-1.0, 2.0, 2000.0]), 2.0)
    Array([    0.,    -1., -1000.], dtype=float32)
    """
    return probability(
        "chi2.logsf", lambda z, df: log_standard_sf(0.5 * z, 0.5 * df), x, df, loc=loc, scale=scale
    )
