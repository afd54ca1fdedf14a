"""The normal distribution."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import Family, density, exp_of, log_density, probability, quantile

__all__ = ["cdf", "isf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]

_family = Family("the normal distribution", "DLMF 7.20(iii)")


def _log_density(z: Array) -> Array:
    return -0.5 * lax.square(z) - 0.5 * math.log(2 * math.pi)


def _cdf(z: Array) -> Array:
    return lax.normal_cdf_p.bind(z)


def _log_cdf(z: Array) -> Array:
    return lax.log_normal_cdf_p.bind(z)


def _quantile(q: Array) -> Array:
    return lax.normal_quantile_p.bind(q)


@compiled
@_family
def logpdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-z^2 / 2 - log(scale sqrt(2 pi)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.norm.logpdf(jnp.array([0.0, 1.0, 100.0]))
    Array([-9.1893852e-01, -1.4189385e+00, -5.0009189e+03], dtype=float32)
    """
    return log_density("norm.logpdf", _log_density, x, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(-z^2 / 2) / (scale sqrt(2 pi)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.norm.pdf(jnp.array([0.0, 1.0]), scale=2.0)
    Array([0.19947115, 0.17603266], dtype=float32)
    """
    return density("norm.pdf", exp_of(_log_density), x, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """Phi(z) = erfc(-z / sqrt(2)) / 2, where z = (x - loc) / scale.

    >>> jx.scipy.stats.norm.cdf(jnp.array([-10.0, 0.0, 1.0]))
    Array([7.619853e-24, 5.000000e-01, 8.413448e-01], dtype=float32)
    """
    return probability("norm.cdf", _cdf, x, loc=loc, scale=scale)


@compiled
@_family
def logcdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(Phi(z)), where z = (x - loc) / scale; it is precise however far out.

    >>> jx.scipy.stats.norm.logcdf(jnp.array([-100.0, 0.0]))
    Array([-5.0055244e+03, -6.9314718e-01], dtype=float32)
    """
    return probability("norm.logcdf", _log_cdf, x, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """Phi(-z), where z = (x - loc) / scale.

    >>> jx.scipy.stats.norm.sf(jnp.array([0.0, 10.0]))
    Array([5.000000e-01, 7.619853e-24], dtype=float32)
    """
    return probability("norm.sf", lambda z: _cdf(-z), x, loc=loc, scale=scale)


@compiled
@_family
def logsf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(Phi(-z)), where z = (x - loc) / scale; it is precise however far out.

    >>> jx.scipy.stats.norm.logsf(jnp.array([0.0, 100.0]))
    Array([-6.9314718e-01, -5.0055244e+03], dtype=float32)
    """
    return probability("norm.logsf", lambda z: _log_cdf(-z), x, loc=loc, scale=scale)


@compiled
@_family
def ppf(q: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc + scale z, where Phi(z) = q.

    >>> jx.scipy.stats.norm.ppf(jnp.array([0.0, 0.5, 0.975]))
    Array([     -inf, 0.       , 1.9599644], dtype=float32)
    """
    return quantile("norm.ppf", _quantile, q, loc=loc, scale=scale)


@compiled
@_family
def isf(q: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc - scale z, where Phi(z) = q.

    >>> jx.scipy.stats.norm.isf(jnp.array([1e-20, 0.5]))
    Array([ 9.262341, -0.      ], dtype=float32)
    """
    return quantile("norm.isf", lambda q: -_quantile(q), q, loc=loc, scale=scale)
