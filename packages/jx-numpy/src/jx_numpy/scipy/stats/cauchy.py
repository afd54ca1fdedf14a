"""The Cauchy distribution, precise in both tails."""

from __future__ import annotations

import math

from jx_core import compiled, lax

from ...operands import Array, ArrayLike
from ._kit import (
    CONTINUOUS_1,
    Family,
    density,
    exp_of,
    log1p_of_square,
    log_density,
    probability,
    quantile,
    where,
)

__all__ = ["cdf", "isf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]

_family = Family(
    "the Cauchy distribution",
    CONTINUOUS_1.format(16),
)


def _log_density(z: Array) -> Array:
    return -math.log(math.pi) - log1p_of_square(z)


def _cdf(z: Array) -> Array:
    # As an angle, which does not cancel where it is small.
    return lax.atan2(lax.full_like(z, 1), -z) / math.pi


def _log_cdf(z: Array) -> Array:
    above, far = z > 0, z < -_FAR
    near = lax.log(_cdf(where(above | far, 0.0, z)))
    tail = -math.log(math.pi) - lax.log(where(far, -z, 1.0))
    return where(above, lax.log1p(-_cdf(where(above, -z, 0.0))), where(far, tail, near))


_FAR = 1e9  # from here on the angle is its tangent


def _quantile(q: Array) -> Array:
    low, high = q < 0.25, q > 0.75
    tail = 1 / lax.tan(math.pi * where(low, q, where(high, 1 - q, 0.25)))
    middle = lax.tan(math.pi * (where(low | high, 0.5, q) - 0.5))
    return where(low, -tail, where(high, tail, middle))


def _upper_quantile(q: Array) -> Array:
    return -_quantile(q)


@compiled
@_family
def logpdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """-log(pi scale (1 + z^2)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.cauchy.logpdf(jnp.array([0.0, 1e20]))
    Array([ -1.1447299, -93.24813  ], dtype=float32)
    """
    return log_density("cauchy.logpdf", _log_density, x, loc=loc, scale=scale)


@compiled
@_family
def pdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 / (pi scale (1 + z^2)), where z = (x - loc) / scale.

    >>> jx.scipy.stats.cauchy.pdf(jnp.array([0.0, 1.0]))
    Array([0.3183099 , 0.15915495], dtype=float32)
    """
    return density("cauchy.pdf", exp_of(_log_density), x, loc=loc, scale=scale)


@compiled
@_family
def cdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 / 2 + arctan(z) / pi, where z = (x - loc) / scale.

    >>> jx.scipy.stats.cauchy.cdf(jnp.array([-1e10, 0.0]))
    Array([3.183099e-11, 5.000000e-01], dtype=float32)
    """
    return probability("cauchy.cdf", _cdf, x, loc=loc, scale=scale)


@compiled
@_family
def logcdf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(1 / 2 + arctan(z) / pi), where z = (x - loc) / scale.

    >>> jx.scipy.stats.cauchy.logcdf(jnp.array([0.0, 1e10]))
    Array([-6.931472e-01, -3.183099e-11], dtype=float32)
    """
    return probability("cauchy.logcdf", _log_cdf, x, loc=loc, scale=scale)


@compiled
@_family
def sf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """1 / 2 - arctan(z) / pi, where z = (x - loc) / scale.

    >>> jx.scipy.stats.cauchy.sf(jnp.array([0.0, 1e10]))
    Array([5.000000e-01, 3.183099e-11], dtype=float32)
    """
    return probability("cauchy.sf", lambda z: _cdf(-z), x, loc=loc, scale=scale)


@compiled
@_family
def logsf(x: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """log(1 / 2 - arctan(z) / pi), where z = (x - loc) / scale.

    >>> jx.scipy.stats.cauchy.logsf(jnp.array([0.0, 1e10]))
    Array([ -0.6931472, -24.17058  ], dtype=float32)
    """
    return probability("cauchy.logsf", lambda z: _log_cdf(-z), x, loc=loc, scale=scale)


@compiled
@_family
def ppf(q: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc + scale tan(pi (q - 1 / 2)).

    >>> jx.scipy.stats.cauchy.ppf(jnp.array([0.0, 0.5, 0.75]))
    Array([-inf,   0.,   1.], dtype=float32)
    """
    return quantile("cauchy.ppf", _quantile, q, loc=loc, scale=scale)


@compiled
@_family
def isf(q: ArrayLike, loc: ArrayLike = 0, scale: ArrayLike = 1) -> Array:
    """loc - scale tan(pi (q - 1 / 2)).

    >>> jx.scipy.stats.cauchy.isf(jnp.array([1e-10, 0.5]))
    Array([ 3.1830986e+09, -0.0000000e+00], dtype=float32)
    """
    return quantile("cauchy.isf", _upper_quantile, q, loc=loc, scale=scale)
