"""The logistic distribution."""

from __future__ import annotations

from jx_core import compiled, lax

from ...functions import plain
from ...nn import log_sigmoid
from ...operands import Array, ArrayLike
from ..special import logit
from ._kit import CONTINUOUS_2, Family, density, exp_of, log_density, probability, quantile

__all__ = ["cdf", "isf", "logpdf", "pdf", "ppf", "sf"]

_family = Family(
    "the logistic distribution",
    CONTINUOUS_2.format(23),
)

_log_sigmoid = plain(log_sigmoid)
_logit = plain(logit)


def _log_density(z: Array) -> Array:
    return _log_sigmoid(z) + _log_sigmoid(-z)


@compiled
@_family
def logpdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-z - 2 log(1 + exp(-z)) - log(scale), where z = (x - loc) / scale.

    >>> jx.scipy.stats.logistic.logpdf(jnp.array([-100.0, 0.0, 100.0]))
    Array([-100.       ,   -1.3862944, -100.       ], dtype=float32)
    """
    return log_density("logistic.logpdf", _log_density, x, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """exp(-z) / (scale (1 + exp(-z))^2), where z = (x - loc) / scale.

    >>> jx.scipy.stats.logistic.pdf(jnp.array([-1.0, 0.0, 1.0]))
    Array([0.19661191, 0.25      , 0.19661191], dtype=float32)
    """
    return density("logistic.pdf", exp_of(_log_density), x, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 / (1 + exp(-z)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.logistic.cdf(jnp.array([-50.0, 0.0, 1.0]))
    Array([1.9287499e-22, 5.0000000e-01, 7.3105860e-01], dtype=float32)
    """
    return probability("logistic.cdf", lax.logistic, x, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 / (1 + exp(z)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.logistic.sf(jnp.array([0.0, 50.0]))
    Array([5.0000000e-01, 1.9287499e-22], dtype=float32)
    """
    return probability("logistic.sf", lambda z: lax.logistic(-z), x, loc=loc, scale=scale)


@compiled
@_family
def ppf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc + scale log(x / (1 - x)).

    >>> jx.scipy.stats.logistic.ppf(jnp.array([0.0, 0.5, 0.75]))
    Array([     -inf, 0.       , 1.0986123], dtype=float32)
    """
    return quantile("logistic.ppf", _logit, x, loc=loc, scale=scale)


@compiled
@_family
def isf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc - scale log(x / (1 - x)).

    >>> jx.scipy.stats.logistic.isf(jnp.array([0.0, 0.5, 0.75]))
    Array([       inf, -0.       , -1.0986123], dtype=float32)
    """
    return quantile("logistic.isf", lambda q: -_logit(q), x, loc=loc, scale=scale)
